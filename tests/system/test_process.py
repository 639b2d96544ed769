# SPDX-License-Identifier: MIT
"""The command as a process: PID 1, signals, descriptors, environment, limits, time."""

from box import *

TRAP = """
import os, signal
wanted = {%s}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
os.write(1, b'ready\\n')
while True:
    os.write(1, signal.Signals(signal.sigwait(wanted)).name.encode() + b'\\n')
"""


def line_of(process, seconds=10):
    return read_line(process.stdout.fileno(), seconds)


@everywhere
def test_reaper():
    """PID 1 is ours and reaps orphans: no zombie stays."""
    got = sh("for i in 1 2 3 4 5; do (sleep 0 & ) ; done; n=0; while ps -o stat | grep -q Z && test $n -lt 1000; do n=$((n+1)); done; "
             "ps -o stat | grep -c Z; true")
    equal(got.out, "0\n", "zombies")


def test_command_is_not_init():
    """The command is not PID 1, so default signal actions hold."""
    got = sandbox("--", "/bin/sh", "-c", "test $$ -gt 1 || exit 9; kill -TERM $$; echo survived")
    equal((got.code, got.out), (143, ""), "result\n%s\nvalue" % got)


@everywhere
def test_all_end_with_the_command():
    """What the command left running ends with it, daemons of their own session too."""
    sh("setsid sh -c 'trap \"\" TERM HUP INT; sleep 1000' >/dev/null 2>&1 & (sleep 1000 >/dev/null 2>&1 &) ; exit 0")
    # that nothing is left is checked by the runner after every test


def test_output_of_orphans_does_not_hold_up():
    """The run ends with the command though an orphan still holds its stdout."""
    begin = time.monotonic()
    sh("sleep 1000 & exit 0")
    check(time.monotonic() - begin < 8 * SLOW, "took %.1f s" % (time.monotonic() - begin))


SIGNALS = ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT")


@cases(**{name: name for name in SIGNALS})
def test_signal_is_forwarded(name):
    """A signal sent to the launcher reaches the command once."""
    number = getattr(signal, "SIG" + name)
    process = start("--", PYTHON, "-c", TRAP % int(number), stdout=subprocess.PIPE)
    try:
        equal(line_of(process), "ready", "first line")
        process.send_signal(number)
        equal(line_of(process), "SIG" + name, "second line")
        check(process.poll() is None, "the launcher ended with %s" % process.returncode)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@needs("busybox", "subids")
def test_signal_to_another_user():
    """A signal reaches a command that has become another user of the box's."""
    process = start("-q", "--rootfs", busybox_root(), "--", "su", "worker", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE)
    try:
        equal(line_of(process), "ready", "first line")
        process.send_signal(signal.SIGTERM)
        equal(process.wait(10 * SLOW), 143, "exit status")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_stop_and_continue():
    """TSTP to the launcher stops the command and the launcher; CONT resumes both."""
    program = "import sys, time\nprint('ready', flush=True)\nfor line in sys.stdin: print(line, end='', flush=True)\n"
    # a group with a parent in another one of its session: the kernel stops no orphaned group for SIGTSTP (setpgid(2))
    process = start("--", PYTHON, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
    try:
        equal(line_of(process), "ready", "first line")
        process.send_signal(signal.SIGTSTP)
        eventually(lambda: any(state == "T" for pid, (_, state) in process_table().items() if pid in descendants(process.pid)),
                   "the command stops")
        process.send_signal(signal.SIGCONT)
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        equal(line_of(process), "hello", "line after CONT")
        process.stdin.close()
        equal(process.wait(TIMEOUT), 0, "exit status")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@everywhere
@cases(TERM=("TERM", 143), INT=("INT", 130), KILL=("KILL", 137), SEGV=("SEGV", 139), ABRT=("ABRT", 134), PIPE=("PIPE", 141))
def test_killed_by_signal(name, status):
    """A command killed by signal N gives 128+N."""
    equal(sandbox("--", "/bin/sh", "-c", "kill -%s $$" % name).code, status, "exit status")


@everywhere
@cases(**{"s%d" % n: n for n in (0, 1, 2, 7, 77, 123, 124, 125, 126, 127, 128, 137, 255)})
def test_exit_status(status):
    """The command's own status passes through, whatever it is."""
    got = sandbox("--", "/bin/sh", "-c", "exit %d" % status)
    equal(got.code, status, "exit status")
    lacks(got.err, "error[", "stderr")


def test_orphan_status_does_not_count():
    """A command killed by a signal is never success, though an orphan ends later with 0."""
    equal(sandbox("--", "/bin/sh", "-c", "(sleep 0; exit 0) & kill -KILL $$").code, 137, "exit status")


def test_termination_of_launcher():
    """TERM to the launcher ends an ordinary command with 143."""
    process = start("--", "/bin/sh", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE)
    equal(line_of(process), "ready", "line")
    process.terminate()
    equal(process.wait(TIMEOUT), 143, "exit status")
    process.stdout.close()


def test_signal_during_start():
    """A signal that comes while the box is being built is not lost and leaves nothing."""
    for i in range(30):
        process = start("--", "/bin/sleep", "1000")
        select.select([], [], [], i * 0.0003)
        process.terminate()
        equal(process.wait(TIMEOUT), 143 if process.returncode >= 0 else -15, "exit status")


def test_ignored_signals_are_reset():
    """Signals the caller ignores or blocks are at their defaults for the command."""
    got = py("print([l for l in open('/proc/self/status') if l.startswith(('SigBlk', 'SigIgn'))])", via=(
        PYTHON, "-c", "import os, signal, sys\nfor s in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1): signal.signal(s, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR2})\nos.execv(sys.argv[1], sys.argv[1:])"))
    blocked, ignored = [int(line.split()[1], 16) for line in eval(got.out)]
    equal(blocked, 0, "SigBlk")
    equal(ignored & ~(1 << 12 | 1 << 24), 0, "SigIgn")   # Python itself ignores SIGPIPE and SIGXFSZ


# ---------------------------------------------------------------- timeout

@everywhere
def test_timeout():
    """--timeout ends the command with 124 in time."""
    begin = time.monotonic()
    got = sandbox("--timeout", "300ms", "--", "/bin/sleep", "1000")
    equal(got.code, 124, "exit status\n%s\nvalue" % got)
    check(0.25 < time.monotonic() - begin < 1.9 * SLOW, "took %.2f s" % (time.monotonic() - begin))


def test_timeout_kills():
    """A command that ignores TERM is killed two seconds later, with all it started."""
    begin = time.monotonic()
    got = sandbox("--timeout", "200ms", "--", "/bin/sh", "-c", "trap '' TERM; (trap '' TERM; sleep 1000 & wait) & while :; do sleep 1000; done")
    equal(got.code, 124, "exit status\n%s\nvalue" % got)
    check(1.9 < time.monotonic() - begin < 5 * SLOW, "took %.2f s" % (time.monotonic() - begin))


def test_timeout_signal():
    """--stop-signal names the signal the command gets first; its last words are heard."""
    got = sandbox("--timeout", "500ms", "--stop-signal", "USR1", "--", PYTHON, "-c",
                  "import signal, sys\nsignal.signal(signal.SIGUSR1, lambda *a: (print('told', flush=True), sys.exit(0)))\nwhile True: signal.pause()")
    equal((got.code, got.out), (124, "told\n"), "result\n%s\nvalue" % got)


def test_timeout_not_reached():
    """A command that ends in time keeps its status."""
    equal(sandbox("--timeout", "100s", "--", "/bin/sh", "-c", "exit 3").code, 3, "exit status")


# ---------------------------------------------------------------- death of the launcher

def test_launcher_killed():
    """SIGKILL of the launcher ends the box at once."""
    process = start("--", "/bin/sh", "-c", "trap '' HUP TERM; echo ready; sleep 1000; sleep 1000", stdout=subprocess.PIPE)
    equal(line_of(process), "ready", "line")
    left = descendants(process.pid)
    check(left, "no process of the box was seen")
    process.kill()
    process.wait()
    process.stdout.close()
    eventually(lambda: not [pid for pid in left if alive(pid)], "the box's processes end", 3)


def test_launcher_killed_while_the_box_is_stopped():
    """The kernel ends the box with its launcher: the first process, stopped, cannot do it."""
    process = start("--", "/bin/sh", "-c", "echo ready; sleep 1000", stdout=subprocess.PIPE)
    equal(line_of(process), "ready", "line")
    first = box_pid(process)
    left = descendants(process.pid)
    check(first in left and len(left) > 1, "no process of the box was seen")
    try:
        os.kill(first, signal.SIGSTOP)
        eventually(lambda: process_table()[first][1] == "T", "the first process stops")
        process.kill()
        process.wait()
        process.stdout.close()
        eventually(lambda: not [pid for pid in left if alive(pid)], "the box's processes end", 3)
    finally:
        if alive(first):
            os.kill(first, signal.SIGKILL)


def alive(pid):
    return process_table().get(pid, (0, "X"))[1] not in "ZX"


@everywhere
def test_launcher_killed_at_any_moment():
    """SIGKILL of the launcher at 60 moments of its start leaves no process, mount or file."""
    import random
    chance = random.Random(7)
    for _ in range(60):
        process = start("--", "/bin/sleep", "1000")
        select.select([], [], [], chance.uniform(0, 0.006 * SLOW))
        process.kill()
        process.wait()

    def gone():
        reap()
        return not descendants()
    eventually(gone, "every process of the boxes ends", 5)


@needs("busybox", "subids")
def test_launcher_killed_with_id_ranges():
    """The same where newuidmap and newgidmap take part."""
    import random
    chance, root = random.Random(8), busybox_root()
    for _ in range(25):
        process = start("--rootfs", root, "--", "/bin/sleep", "1000", stderr=subprocess.DEVNULL)
        select.select([], [], [], chance.uniform(0, 0.02 * SLOW))
        process.kill()
        process.wait()

    def gone():
        reap()
        return not descendants()
    eventually(gone, "every process of the boxes ends", 5)


def test_init_killed():
    """SIGKILL of the box's PID 1 from outside ends the run with an error or 137, nothing left."""
    process = start("--", "/bin/sh", "-c", "echo ready; sleep 1000", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(line_of(process), "ready", "line")
    os.kill(box_pid(process), signal.SIGKILL)
    code = process.wait(TIMEOUT)
    check(code in (125, 137), "exit status %d" % code)
    process.stdout.close()
    process.stderr.close()


def test_survives_its_caller():
    """The box does not die with the shell that started it: `sandbox ... &` goes on."""
    reading, writing = pipe_pair()
    subprocess.run(["/bin/sh", "-c", '"$0" -- /bin/sh -c "echo started >&%d; read x; echo done >&%d" <"$1" & exit 0' % (1, 1),
                    SANDBOX, make_fifo()], env=environment(), cwd=scratch(), stdout=writing, check=True)
    os.close(writing)
    with open(scratch() + "/fifo", "w", encoding="ascii") as fifo:
        equal(read_line(reading), "started", "line")
        fifo.write("go\n")
    equal(read_fd(reading), "done\n", "rest")
    os.close(reading)


def make_fifo():
    os.mkfifo(scratch() + "/fifo")
    return scratch() + "/fifo"


# ---------------------------------------------------------------- standard descriptors

@everywhere
def test_pipes_pass_untouched():
    """Pipes are passed as they are: binary data of some megabytes comes through."""
    data = os.urandom(3 << 20)
    process = start("--", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = process.communicate(data, TIMEOUT)
    check(out == data, "%d bytes differ from %d" % (len(out), len(data)))


def test_pipe_flags_are_kept():
    """O_NONBLOCK of the caller's descriptors is not changed by a run."""
    reading, writing = os.pipe()
    before = fcntl.fcntl(writing, fcntl.F_GETFL)
    process = start("--", "echo", "x", stdout=writing)
    process.wait(TIMEOUT)
    equal(fcntl.fcntl(writing, fcntl.F_GETFL), before, "flags")
    os.close(reading)
    os.close(writing)


def test_end_of_file():
    """End of input reaches the command; a closed reader is SIGPIPE for it."""
    equal(sandbox("--", "wc", "-c", stdin="abc").out.strip(), "3", "count")
    process = start("--", "/bin/sh", "-c", "yes; echo $? >&2", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    err = process.stderr.read()
    process.wait(TIMEOUT)
    process.stderr.close()
    equal(err, b"141\n", "status of yes")


@everywhere
@cases(stdin=("<&-",), stdout=(">&-",), stderr=("2>&-",), all_of_them=("<&- >&- 2>&-",))
def test_closed_standard_descriptors(redirection):
    """Closed 0, 1 or 2 never become something else: the command finds /dev/null or nothing there."""
    script = 'exec "$0" -- %s -c "$1" %s' % (PYTHON, redirection)
    program = """
import os
with open('result', 'w') as file:
    for fd in (0, 1, 2):
        try: name = os.readlink('/proc/self/fd/%d' % fd)
        except OSError: name = 'closed'
        print(name, file=file)
"""
    code = subprocess.run(["/bin/sh", "-c", script, SANDBOX, program], env=environment(), cwd=scratch(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False).returncode
    equal(code, 0, "exit status")
    for line in read(scratch() + "/result").splitlines():
        check(line == "/dev/null" or line == "closed" or "null" in line or line.endswith("/result"), "descriptor is %s" % line)


def test_closed_stderr_and_an_error():
    """An error with a closed stderr is still 125 and writes nowhere else."""
    target = write(scratch() + "/file", "kept\n")
    code = subprocess.run(["/bin/sh", "-c", 'exec "$0" --nosuch -- /bin/true 2>&- 3<>"$1"', SANDBOX, target], env=environment(), check=False,
                          cwd=scratch(), stdin=subprocess.DEVNULL, timeout=TIMEOUT).returncode
    equal(code, 125, "exit status")
    equal(read(target), "kept\n", "the file")


def test_preserve_fds():
    """--preserve-fds N passes exactly that descriptor."""
    reading, writing = pipe_pair()
    top = os.open("/usr", os.O_RDONLY)
    os.set_inheritable(top, True)
    process = start("--preserve-fds", str(writing), "--", PYTHON, "-c",
                    "import os; os.write(%d, b'through'); print(os.path.exists('/proc/self/fd/%d'))" % (writing, top),
                    pass_fds=(writing, top), stdout=subprocess.PIPE)
    os.close(writing)
    equal(process.communicate(timeout=TIMEOUT)[0], b"False\n", "the other descriptor")
    equal(read_fd(reading), "through", "what came")
    os.close(reading)
    os.close(top)


# ---------------------------------------------------------------- environment

@everywhere
def test_environment_is_filtered():
    """Only the known harmless variables come in, and container=sandbox is set."""
    got = succeeds("--", "env", env={"TOKEN": "x", "LD_PRELOAD": None, "LC_TIME": "C", "NO_COLOR": "1", "TZ": "UTC", "AWS_SECRET_ACCESS_KEY": "x",
                                     "SSH_AUTH_SOCK": "/x", "DBUS_SESSION_BUS_ADDRESS": "x"})
    names = {line.split("=")[0] for line in got.lines}
    allowed = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "LANG", "TZ", "NO_COLOR", "container", "PWD", "LC_TIME"}
    check(names <= allowed, "unexpected: %s" % (names - allowed))
    check({"PATH", "HOME", "LANG", "LC_TIME", "TZ", "NO_COLOR"} <= names, "missing: %s" % names)
    contains(got.out, "container=sandbox\n", "environment")


def test_env():
    """-e NAME=VALUE sets, -e NAME passes, -e of an unset name is no error."""
    got = sh('echo "$A|$B|$C|${D-unset}"', "-e", "A=1=2", "-e", "B", "-e", "C=", "-e", "D", env={"B": "b"})
    equal(got.out, "1=2|b||unset\n", "variables")


def test_env_overrides():
    """-e wins over what is passed by default; the last one wins."""
    equal(sh('echo "$HOME $A"', "-e", "HOME=/x", "-e", "A=1", "-e", "A=2").out, "/x 2\n", "variables")


def test_env_file():
    """--env-file: NAME=VALUE and NAME lines, comments, blank lines; values literal."""
    write(scratch() + "/env", "# comment\n\nA=a b # not a comment\nB\nC=$A\n")
    equal(sh('printf "%s|" "$A" "$B" "$C"', "--env-file", "env", env={"B": "b"}).out, "a b # not a comment|b|$A|", "variables")


def test_env_all():
    """--env-all passes everything."""
    equal(sh('echo "$TOKEN"', "--env-all", env={"TOKEN": "x"}).out, "x\n", "variable")


def test_clear_env():
    """--clear-env leaves -e and container only."""
    equal(sorted(succeeds("--clear-env", "-e", "A=1", "--", "/usr/bin/env").lines), ["A=1", "container=sandbox"], "environment")


def test_path_lookup():
    """The command is looked up in the PATH of the box, inside."""
    write(folder("bin") + "/mine", "#!/bin/sh\necho mine\n", 0o755)
    equal(sandbox("-e", "PATH=%s/bin" % scratch(), "--", "mine").out, "mine\n", "stdout")


# ---------------------------------------------------------------- limits and the rest

@cases(plain=("nofile=100", "RLIMIT_NOFILE", (100, 100)), both=("nofile=50:60", "RLIMIT_NOFILE", (50, 60)), stack=("stack=1048576", "RLIMIT_STACK", (1 << 20, 1 << 20)),
       cpu=("cpu=5", "RLIMIT_CPU", (5, 5)), fsize=("fsize=1000", "RLIMIT_FSIZE", (1000, 1000)), unlimited=("data=unlimited", "RLIMIT_DATA", (-1, -1)))
def test_ulimit(value, name, want):
    """--ulimit sets soft and hard limits by their usual names."""
    equal(py("import resource; print(resource.getrlimit(resource.%s))" % name, "--ulimit", value).out, "%r\n" % (want,), "limit")


def test_ulimit_beyond_hard():
    """A limit above the caller's hard one is refused, not ignored."""
    if os.geteuid() == 0:
        raise Skip("root may raise limits")
    got = subprocess.run(["/bin/sh", "-c", 'ulimit -n 100; exec "$0" --ulimit nofile=200 -- /bin/true', SANDBOX], env=environment(), cwd=scratch(),
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
    equal(got.returncode, 125, "exit status")
    matches(got.stderr.decode(), r"error\[E-LIMIT\]: .*nofile", "stderr")


def test_low_nofile():
    """A low limit on descriptors holds for the command; PID 1 of the box does not trip over it."""
    got = py("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))", "--ulimit", "nofile=8")
    equal(got.out, "(8, 8)\n", "limit")


def test_fsize_has_effect():
    """A limit on file sizes holds for the command and not for the launcher's report."""
    got = sandbox("--ulimit", "fsize=100", "--report", scratch() + "/report", "--", "/bin/sh", "-c", "head -c 1000 /dev/zero >/tmp/x")
    check(got.code != 0, "exit status 0")
    json.loads(read(scratch() + "/report"))


@cases(plus=("7", 7), equals=("19", 19))
def test_nice(value, want):
    """--nice sets the niceness."""
    equal(int(py("import os; print(os.getpriority(os.PRIO_PROCESS, 0))", "--nice", value).out), want, "nice")


def test_argv0():
    """--argv0 sets what the command sees as its name."""
    equal(sandbox("--argv0", "-login", "--", "/bin/sh", "-c", "echo $0").out, "-login\n", "argv[0]")


def test_umask():
    """The caller's umask holds inside."""
    got = sh("umask; : >made", via=("/bin/sh", "-c", 'umask 027; exec "$@"', "sh"))
    equal(int(got.out, 8), 0o027, "umask")


def test_dead_descriptor_of_current_directory():
    """The kernel's view of the working directory is inside the new root (CVE-2024-21626)."""
    got = py("import os; print(os.getcwd(), os.readlink('/proc/self/cwd'))")
    equal(got.out, "%s %s\n" % (scratch(), scratch()), "cwd")


def test_large_environment():
    """An environment and arguments of some hundred kilobytes pass."""
    value = "x" * 100000
    equal(sh("echo ${#A} ${#B} ${#C}", "-e", "A=" + value, "-e", "B=" + value, "-e", "C=" + value).out, "100000 100000 100000\n", "lengths")


def test_parallel_runs():
    """Twenty boxes at once get in each other's way in nothing."""
    running = [start("--", "/bin/sh", "-c", "echo %d; exit %d" % (i, i), stdout=subprocess.PIPE) for i in range(20)]
    for i, process in enumerate(running):
        equal((process.communicate(timeout=TIMEOUT)[0], process.returncode), (b"%d\n" % i, i), "box %d" % i)
