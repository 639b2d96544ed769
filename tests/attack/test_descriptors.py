# SPDX-License-Identifier: MIT
"""A walk over the descriptors of every process of a box: at exec the command has 0, 1, 2 and what
--preserve-fds named; PID 1 and its helpers have a fixed table. (Only root may look into PID 1.)"""

from field import *


def kinds(pid):
    """{descriptor: what it is} of a process, sockets and pipes without their numbers."""
    table = {}
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            table[int(name)] = re.sub(r":\[?\d+\]?$", "", os.readlink("/proc/%d/fd/%s" % (pid, name)))
        except FileNotFoundError:
            pass
    return table


@contextlib.contextmanager
def many_open():
    """Descriptors a careless caller passes on."""
    held = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(20)] + [os.open("/", os.O_RDONLY | os.O_DIRECTORY)]
    try:
        yield held
    finally:
        for fd in held:
            os.close(fd)


ASKED = {"plain": (), "volumes": ("--file", "/tmp/f=x", "--secret", "s=/etc/hostname", "--tmpfs", "/tmp/t", "--hide", "x"), "report": ("--report", "r", "--pidfile", "p"),
         "status": (), "limits": ("--limits", "soft", "--cpus", "90%", "-m", "500M"), "root": ("--root",), "network_host": ("--network", "host"), "nested": ("--nested",),
         "share_pid": ("--share", "pid"), "timeout": ("--timeout", "50s")}


@every_user
@cases(**{name: (options,) for name, options in ASKED.items()})
def test_command(options):
    """Whatever is asked for, the command has three descriptors."""
    with many_open() as held:
        got = boxed("own", "descriptors", options=options, pass_fds=held)
    equal([line.split()[0] for line in got.lines], ["0", "1", "2"], "descriptors")


@every_user
def test_preserved():
    """And those it was promised, by their numbers."""
    with many_open() as held:
        got = boxed("own", "descriptors", options=("--preserve-fds", "%d,%d" % (held[2], held[7])), pass_fds=held)
        equal(sorted(int(line.split()[0]) for line in got.lines), sorted([0, 1, 2, held[2], held[7]]), "descriptors")


@every_user
def test_on_a_terminal():
    """On a terminal the three are the box's own."""
    probe()
    with Terminal(SANDBOX, "-q", "--", "./probe", "descriptors") as terminal:
        terminal.wait()
        rows = [line.split() for line in terminal.seen.decode().splitlines()]
    equal([row[0] for row in rows], ["0", "1", "2"], "descriptors")
    check(all(row[1].startswith("/dev/pts/") for row in rows), "terminals: %s" % rows)


@modes("root")
@cases(plain=((),), limiter=(("--limits", "soft", "--cpus", "90%"),), timeout=(("--timeout", "50s"),))
def test_first_process_and_helpers(options):
    """PID 1 has /dev/null three times, its wire and its signals, and the limiter's socket if there is one; the limiter its
    socket and /proc."""
    with many_open() as held, start(*options, "--", "sleep", "1000", pass_fds=held) as process:
        try:
            first = box_pid(process)
            eventually(lambda: len(descendants(first)) == (2 if "soft" in options else 1), "all processes")
            eventually(lambda: len(kinds(first)) <= 6, "PID 1 lets go of its descriptors")
            table = kinds(first)
            equal([table.get(fd) for fd in range(3)], ["/dev/null"] * 3, "0 to 2 of PID 1")
            equal(sorted(what for fd, what in table.items() if fd > 2), sorted(["socket", "anon_inode:[signalfd]"] + (["socket"] if "soft" in options else [])), "the others")
            for pid in descendants(first):
                if "sleep" in command_line(pid):
                    equal(sorted(kinds(pid)), [0, 1, 2], "of the command")
                else:
                    for fd, what in kinds(pid).items():
                        check(what in ("/dev/null", "/proc", "/", "socket", "pipe", "anon_inode:[timerfd]", "anon_inode:[pidfd]", "anon_inode:[eventpoll]", "anon_inode:[signalfd]"),
                              "the limiter holds %d: %s" % (fd, what))
        finally:
            process.kill()
