# SPDX-License-Identifier: MIT
"""The box's own terminal: job control, resize, restored settings, and nothing shared with the caller's."""

from box import *

LFLAG = 3   # of what termios.tcgetattr() returns


def shell(*options, **keywords):
    """An interactive shell confined, on a terminal."""
    return Terminal(SANDBOX, *options, "--", "/bin/bash", "--norc", "--noprofile", "-i", env={"PS1": "box> ", **keywords.pop("env", {})},
                    **keywords)


def prompt(terminal):
    terminal.send("PS1='box''> '\n")
    terminal.expect(r"box> $")


@everywhere
@needs("bash")
def test_shell():
    """`sandbox -- /bin/bash` is a prompt at once, without a word about missing job control."""
    with shell() as terminal:
        prompt(terminal)
        terminal.send("echo $((40+2))\n")
        terminal.expect(r"^42\r")
        terminal.send("exit 3\n")
        equal(terminal.wait(), 3, "exit status")
        lacks(terminal.seen.decode(errors="replace"), "job control", "terminal")


@everywhere
@needs("bash")
def test_job_control():
    """Jobs can be stopped, listed, continued and interrupted inside."""
    with shell() as terminal:
        prompt(terminal)
        terminal.send("sleep 1000\n")
        terminal.expect(r"sleep 1000\r\n")
        eventually(lambda: in_foreground(terminal.process.pid, "sleep 1000"), "sleep runs in the foreground")
        terminal.send("\x1a")
        terminal.expect(r"Stopped")
        terminal.expect(r"box> $")
        terminal.send("jobs\n")
        terminal.expect(r"Stopped +sleep 1000")
        terminal.expect(r"box> $")
        terminal.send("fg\n")
        terminal.expect(r"^sleep 1000\r")
        eventually(lambda: in_foreground(terminal.process.pid, "sleep 1000"), "sleep is in the foreground again")
        terminal.send("\x03")
        terminal.expect(r"box> $")
        terminal.send("echo status $?\n")
        terminal.expect(r"^status 130\r")
        terminal.send("exit\n")
        terminal.wait()


def test_own_terminal():
    """The command's terminal is a pty of the box, on stdin, stdout and stderr, and its controlling one."""
    program = """
import os
print([os.isatty(n) for n in (0, 1, 2)], os.ttyname(0), os.open('/dev/tty', os.O_RDWR) >= 0, os.tcgetpgrp(0) == os.getpgrp())
"""
    with Terminal(SANDBOX, "--", PYTHON, "-c", program) as terminal:
        terminal.wait()
        matches(terminal.seen.decode(), r"\[True, True, True\] /dev/pts/\d+ True True", "terminal")


def test_caller_terminal_is_out_of_reach():
    """No descriptor of the command leads to the caller's terminal, and TIOCSTI reaches only its own."""
    program = """
import fcntl, os, termios
print('own', os.stat(0).st_rdev, os.fstat(0).st_dev)
try:
    for c in b'echo injected\\n': fcntl.ioctl(0, termios.TIOCSTI, bytes([c]))
except OSError: pass
"""
    with Terminal("/bin/sh", "-c", '"$0" -- %s -c "$1"; printf "end\\n"; read -t 1 line 2>/dev/null; echo "got:$line"' % PYTHON, SANDBOX, program) as terminal:
        terminal.send("\n")
        terminal.expect("own")
        terminal.wait()
        lacks(terminal.seen.decode(), "got:echo injected", "the caller's input")


def test_resize():
    """The size is taken over at the start and follows the caller's."""
    program = """
import os, signal
signal.signal(signal.SIGWINCH, lambda *_: None)   # else it would be dropped, not kept pending
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
while True:
    os.write(1, b'size %d %d\\n' % os.get_terminal_size(0))
    signal.sigwait({signal.SIGWINCH})
"""
    with Terminal(SANDBOX, "--", PYTHON, "-c", program, rows=33, columns=99) as terminal:
        terminal.expect(r"size 99 33\r")
        terminal.resize(44, 111)
        terminal.expect(r"size 111 44\r")
        terminal.send("\x1c")   # not the interrupt key: sigwait() goes on after a handler
        equal(terminal.wait(), -signal.SIGQUIT if terminal.process.returncode < 0 else 131, "exit status")


def test_interrupt_key():
    """The interrupt key ends the command; the launcher dies alike, so that a shell loop ends, and the terminal is whole."""
    with Terminal(SANDBOX, "--", "/bin/sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.expect("ready")
        terminal.send("\x03")
        equal(terminal.wait(), -signal.SIGINT, "the launcher's own end, 130 to a shell")
        equal(terminal.settings(), terminal.before, "terminal settings")


ENDS = {
    "exit": ("exit 0", None, 0), "failure": ("exit 7", None, 7), "signal": ("kill -KILL $$", None, 137), "raw": ("stty raw -echo; exit 0", None, 0),
    "term": ("echo ready; sleep 1000", signal.SIGTERM, 143), "hup": ("echo ready; sleep 1000", signal.SIGHUP, 129),
    "quit": ("echo ready; sleep 1000", signal.SIGQUIT, -signal.SIGQUIT),
}


@cases(**ENDS)
def test_terminal_is_restored(script, number, status):
    """However the run ends, the caller's terminal has its settings back."""
    with Terminal(SANDBOX, "--", "/bin/sh", "-c", script) as terminal:
        if number:
            terminal.expect("ready")
            terminal.process.send_signal(number)
        equal(terminal.wait(), status, "exit status")
        equal(terminal.settings(), terminal.before, "terminal settings")


@cases(not_found=(("--", "nosuch"), 127), timeout=(("--timeout", "300ms", "--", "/bin/sleep", "1000"), 124), refused=(("--nosuch", "--", "x"), 125))
def test_terminal_is_restored_after_failure(args, status):
    """The same where the command was not found, timed out, or the run was refused; errors start at column 0."""
    with Terminal(SANDBOX, *args) as terminal:
        equal(terminal.wait(), status, "exit status")
        equal(terminal.settings(), terminal.before, "terminal settings")
        if status != 124:
            matches(terminal.seen.decode(), r"^sandbox: error\[[A-Z-]+\]: [^\n]*\r\n  (cause|fix)", "terminal")


def test_flags_are_restored():
    """O_NONBLOCK of the caller's terminal is as before."""
    with Terminal(SANDBOX, "--", "/bin/true") as terminal:
        before = fcntl.fcntl(terminal.slave, fcntl.F_GETFL)
        terminal.wait()
        equal(fcntl.fcntl(terminal.slave, fcntl.F_GETFL), before, "flags")


@needs("bash")
def test_suspend_in_outer_shell():
    """^Z stops a confined program and the launcher; the outer shell gets its terminal; fg and ^C work."""
    with Terminal("/bin/bash", "--norc", "--noprofile", "-i") as terminal:
        prompt(terminal)
        terminal.send('"%s" -- /bin/sh -c "echo re\'\'ady; exec sleep 1000"\n' % SANDBOX)
        terminal.expect(r"^ready\r")
        terminal.send("\x1a")
        terminal.expect(r"Stopped")
        terminal.expect(r"box> $")
        terminal.send("echo out''er\n")
        terminal.expect(r"^outer\r")
        terminal.send("fg\n")
        terminal.expect(r"sandbox.*\n")
        eventually(lambda: not any(state == "T" for pid, (_, state) in process_table().items() if pid in descendants(terminal.process.pid)),
                   "everything runs again")
        terminal.send("\x03")
        terminal.expect(r"box> $")
        terminal.send("echo status $?\n")
        terminal.expect(r"^status 130\r")
        terminal.send("exit\n")
        terminal.wait()


@needs("bash")
def test_background():
    """In the background the launcher does not touch the terminal and the command runs on."""
    with Terminal("/bin/bash", "--norc", "--noprofile", "-i") as terminal:
        prompt(terminal)
        terminal.send('"%s" -- /bin/sh -c "echo do\'\'ne >marker" </dev/null & wait; echo wai\'\'ted $?\n' % SANDBOX)
        terminal.expect(r"waited 0\r")
        equal(read(scratch() + "/marker"), "done\n", "marker")
        terminal.send("stty -a | grep -o ' icanon'\n")
        terminal.expect(r"^ icanon")
        terminal.send("exit\n")
        terminal.wait()


def test_pipeline_keeps_pipes():
    """Only what is a terminal becomes our pty: in `sandbox -- cmd | less` stdout stays the pipe."""
    reading, writing = os.pipe()
    program = "import os; print([os.isatty(n) for n in (0, 1, 2)])"
    with Terminal(SANDBOX, "--", PYTHON, "-c", program, stdout=writing) as terminal:
        os.close(writing)
        equal(terminal.wait(), 0, "exit status\n%s\nvalue" % terminal.seen)
        equal(terminal.settings(), terminal.before, "terminal settings")
    equal(read_fd(reading), "[True, False, True]\n", "terminals")
    os.close(reading)


def test_pipeline_leaves_the_line_discipline():
    """In a pipeline the terminal is left to the other end until the command reads from it."""
    reading, writing = os.pipe()
    with Terminal(SANDBOX, "--", "/bin/sh", "-c", "echo started >&2; cat >/dev/null", stdout=writing) as terminal:
        os.close(writing)
        terminal.expect("started")
        # the command reads: now the terminal is relayed to it, and is raw
        eventually(lambda: not terminal.settings()[LFLAG] & termios.ICANON, "the terminal is relayed")
        terminal.send("line\n\x04")
        equal(terminal.wait(), 0, "exit status")
    os.close(reading)


@cases(no_tty=("--no-tty",))
def test_no_tty(option):
    """--no-tty makes no terminal of ours: the command has none, or the caller's as plain descriptors only by that wish."""
    with Terminal(SANDBOX, option, "--", PYTHON, "-c", "import os; print('ctty', os.path.exists('/dev/tty') and os.open('/dev/tty', 2) or 'none')") as terminal:
        terminal.wait()
        lacks(terminal.seen.decode(), "ctty 3", "terminal")


def test_tty_on_pipes():
    """-t where the caller has no terminal at all is refused, and says what to do."""
    refused("-t", "--", "/bin/true", code="E-TTY", fix="-t")


def test_end_of_file_key():
    """^D ends the input of the command."""
    with Terminal(SANDBOX, "--", "cat") as terminal:
        terminal.send("line\n")
        terminal.expect(r"line\r\nline\r\n")
        terminal.send("\x04")
        equal(terminal.wait(), 0, "exit status")


def test_terminal_hangup():
    """A terminal that goes away ends the box."""
    terminal = Terminal(SANDBOX, "--", "/bin/sh", "-c", "echo ready; sleep 1000")
    terminal.expect("ready")
    os.close(terminal.slave)
    os.close(terminal.master)
    eventually(lambda: terminal.process.poll() is not None, "the launcher ends", 10)
    check(terminal.process.returncode in (129, 125, 137), "exit status %s" % terminal.process.returncode)


def test_much_output():
    """Megabytes through the terminal come through whole."""
    with Terminal(SANDBOX, "--", PYTHON, "-c", "for i in range(60000): print('line %08d' % i)") as terminal:
        terminal.wait(60)
        text = terminal.seen.decode()
        equal(text.count("line "), 60000, "lines")
        matches(text, r"line 00059999\r\n\Z", "end")


def test_much_input():
    """A long paste reaches the command."""
    with Terminal(SANDBOX, "--", "/bin/sh", "-c", "stty -icanon -echo; echo ready; head -c 60000 | wc -c") as terminal:
        terminal.expect("ready")
        data = b"x" * 60000
        deadline = time.monotonic() + 20 * SLOW
        while data and time.monotonic() < deadline:
            try:
                data = data[os.write(terminal.master, data[:1000]):]
            except BlockingIOError:
                terminal.pump(0.01)
        terminal.expect(r"^60000\r")
        terminal.wait()


def test_last_words():
    """Output written just before the end is never lost."""
    for _ in range(20):
        with Terminal(SANDBOX, "--", "/bin/echo", "last words") as terminal:
            terminal.wait()
            contains(terminal.seen.decode(), "last words", "terminal")


@modes("user", "root")
def test_standard_stream_device_is_untouched():
    """Owner and mode of the caller's terminal device are as before, as root too."""
    with Terminal(SANDBOX, "--", "/bin/true") as terminal:
        before = os.fstat(terminal.slave)
        terminal.wait()
        after = os.fstat(terminal.slave)
        equal((after.st_uid, after.st_gid, after.st_mode), (before.st_uid, before.st_gid, before.st_mode), "owner and mode")
