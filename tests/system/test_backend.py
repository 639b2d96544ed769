# SPDX-License-Identifier: MIT
"""--backend landlock: the box without namespaces. What it refuses has a positive control: the same
done outside."""

import json
import socket

from box import *

ALONE = ("--backend", "landlock")
QUIET = ("-q", *ALONE)


def place():
    """What the private directories lie in."""
    return WORK + "/runtime/sandbox"


def nothing_left():
    eventually(lambda: not os.path.exists(place()), "the private directories are removed", 2)
    eventually(lambda: not descendants(), "no process is left", 2)


def kill_all():
    """Whether all below us are gone; one that is just being forked is met the next time."""
    left = descendants()
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    reap()
    return not left


# ---------------------------------------------------------------- files

@needs("landlock")
def test_view():
    """The system can be read, the current directory written; home and TMPDIR are the box's own and go again."""
    write(scratch() + "/given", "text")
    got = sh('cat given; echo made >made; ls /usr >/dev/null && head -c 4 /etc/passwd >/dev/null && cat /proc/self/comm; '
             'echo x >"$HOME/x" && mv "$HOME/x" "$HOME/y" && echo z >"$TMPDIR/z"; echo "$HOME"; stat -c %a "$HOME"; echo x >/dev/null; id -u; '
             'mktemp >/dev/null && echo temporary', *QUIET)
    lines = got.lines
    equal((lines[0], lines[2], lines[3], lines[4]), ("textcat", "700", str(os.getuid()), "temporary"), "what it printed\n%s\nvalue" % got)
    check(lines[1].startswith(place() + "/box-"), "home: %s" % lines[1])
    equal(read(scratch() + "/made"), "made\n", "file in the current directory")
    nothing_left()


ATTRIBUTES = """
import ctypes, errno, os, sys
libc, path = ctypes.CDLL(None, use_errno=True), sys.argv[1]
fd, value = os.open(path, os.O_RDONLY), ctypes.create_string_buffer(b"x")
args = (ctypes.c_uint64 * 2)(ctypes.addressof(value), 1)
def call(*args):
    if libc.syscall(*args) < 0: raise OSError(ctypes.get_errno(), "x")
link = "/proc/self/fd/%d" % fd
for name, act in (("path", lambda: os.setxattr(path, "user.a", b"x")), ("link", lambda: os.setxattr(path, "user.b", b"x", follow_symlinks=False)),
                  ("descriptor", lambda: os.setxattr(fd, "user.c", b"x")), ("proc", lambda: os.setxattr(link, "user.d", b"x")),
                  ("at", lambda: call(463, fd, b"", 0x1000, b"user.e", args, 16)), ("remove path", lambda: os.removexattr(path, "user.old")),
                  ("remove link", lambda: os.removexattr(path, "user.old", follow_symlinks=False)), ("remove descriptor", lambda: os.removexattr(fd, "user.old")),
                  ("remove at", lambda: call(466, fd, b"", 0x1000, b"user.old"))):
    try: act(); print(name, "worked")
    except OSError as error: print(name, errno.errorcode[error.errno])
"""


@needs("landlock")
@cases(shown="--show", read_only="-v", own=None)
def test_attributes(option):
    """Extended attributes are neither set nor removed, by path or by descriptor, on files that are shown to be read and on the box's own."""
    path = write((folder("outside") if option else scratch()) + "/file", "x")
    os.setxattr(path, "user.old", b"x")
    where = (option, path + (":ro" if option == "-v" else "")) if option else ()
    got = dict(line.rsplit(" ", 1) for line in succeeds(*QUIET, *where, "--", PYTHON, "-c", ATTRIBUTES, path, cwd=folder("here") if option else scratch()).lines)
    equal(os.listxattr(path), ["user.old"], "attributes afterwards")
    for name, how in got.items():
        equal(how, "ENOSYS" if name in ("at", "remove at") else "ENOTSUP", name)
    subprocess.run([PYTHON, "-c", ATTRIBUTES, path], stdout=subprocess.DEVNULL, check=True)
    check({"user.a", "user.c", "user.d"} <= set(os.listxattr(path)), "control")


@needs("landlock")
@cases(read="cat %s/secret", list="ls %s", write="echo x >%s/new", append="echo x >>%s/secret", cut=": >%s/secret", unlink="rm %s/secret",
       rename="mv %s/secret %s/other", link="ln %s/secret here", mkdir="mkdir %s/dir", fifo="mkfifo %s/fifo", execute="%s/program", tmp="echo x >/tmp/sandbox-test-x",
       shm="echo x >/dev/shm/sandbox-test-x", system="echo x >/usr/x", comm="echo x >/proc/$PPID/oom_score_adj")
def test_not_shown(attempt):
    """A file that is not shown can be neither read nor changed; outside the same succeeds where the user may."""
    outside = folder("outside")
    write(outside + "/secret", "secret")
    write(outside + "/program", "#!/bin/sh\n", 0o755)
    attempt = attempt.replace("%s", outside)
    inside = folder("inside")
    before = tree(outside)
    got = sandbox(*QUIET, "--", "/bin/sh", "-c", attempt, cwd=inside)
    check(got.code != 0, "it worked\n%s" % got)
    matches(got.err, "denied|not permitted|cross-device", "stderr")
    lacks(got.out, "secret", "stdout")
    equal(tree(outside), before, "the directory outside")
    if outside in attempt:
        equal(subprocess.run(["/bin/sh", "-c", attempt], cwd=inside, check=False, capture_output=True).returncode, 0, "control")


@needs("landlock")
def test_cwd_and_home():
    """--cwd ro and none, --home ro, rw and DIR, --read-only mean what they mean with namespaces."""
    inner = folder("inner")
    for options in (("--cwd", "ro"), ("--read-only",)):
        got = sandbox(*QUIET, *options, "--", "/bin/sh", "-c", "ls >/dev/null && echo x >x", cwd=inner)
        check(got.code != 0 and "denied" in got.err, "written with %s\n%s" % (options, got))
    got = sandbox(*QUIET, "--cwd", "none", "--", "/bin/sh", "-c", 'test "$PWD" = "$HOME" && ls %s' % inner)
    check(got.code != 0 and "denied" in got.err, "read with --cwd none\n%s" % got)
    home = folder("home")
    write(home + "/mine", "mine\n")
    for options, can_write in ((("--home", "ro"), False), (("--home", "rw"), True), (("--home", home), True)):
        got = sandbox(*QUIET, *options, "--", "/bin/sh", "-c", 'cat ~/mine && echo x >~/new', env={"HOME": home}, cwd=inner)
        equal((got.out, got.code == 0), ("mine\n", can_write), "with %s\n%s\nvalue" % (options, got))
    equal(sorted(os.listdir(inner)), [], "the current directory")


@needs("landlock")
def test_volumes():
    """-v and --show at their own path; read-only stays so; a right cannot be taken back further in."""
    shown, volume, inner = folder("shown"), folder("volume"), folder("inner")
    write(shown + "/f", "shown\n")
    got = sandbox(*QUIET, "--show", shown, "-v", volume, "--", "/bin/sh", "-c", "cat %s/f; echo x >%s/x; echo x >%s/x" % (shown, volume, shown), cwd=inner)
    equal((got.out, os.listdir(volume), os.listdir(shown)), ("shown\n", ["x"], ["f"]), "what it did\n%s\nvalue" % got)
    refused(*QUIET, "-v", volume + "/x:" + volume + "/y", "--", "/bin/true", code="E-CONFLICT", text="another place", origin="--volume")
    refused(*QUIET, "--show", "part", "--", "/bin/true", code="E-CONFLICT", text="added", cwd=os.path.dirname(folder("top/part")))
    refused(*QUIET, "-v", "/nonexistent", "--", "/bin/true", code="E-SOURCE")
    succeeds(*QUIET, "-v", "/nonexistent:/nonexistent:optional", "--", "/bin/true")
    sh("! echo x >x", *QUIET, "-v", inner + ":" + inner + ":ro", cwd=inner)
    nothing_left()


@needs("landlock")
def test_program_not_shown():
    """A command outside of what is shown is explained."""
    program = write(folder("elsewhere") + "/program", "#!/bin/sh\necho ran\n", 0o755)
    refused(*QUIET, "--", program, code="E-NOT-EXECUTABLE", status=126, text="not shown", fix="--show " + program, cwd=folder("here"))
    equal(succeeds(*QUIET, "--show", program, "--", program, cwd=folder("here")).out, "ran\n", "stdout")


@needs("landlock")
def test_hostile_tree():
    """What the command leaves in its home is removed whatever it is, and no link of it is followed."""
    precious = write(folder("precious") + "/file", "precious")
    py(r"""
import os
os.chdir(os.environ['HOME'])
os.symlink(%r, 'link'); os.symlink('/', 'root'); os.mkfifo('fifo'); os.mkdir('locked'); os.mkdir('locked/in'); os.chmod('locked', 0)
for i in range(3000): open('n%%d' %% i, 'w').close()
for i in range(200):
    os.mkdir('d' * 200); os.chdir('d' * 200)
os.chmod('.', 0o500)
open(os.environ['TMPDIR'] + '/x', 'w').close(); os.chmod(os.environ['HOME'], 0)
""" % os.path.dirname(precious), *QUIET)
    nothing_left()
    equal(read(precious), "precious", "what a link led to")


@needs("landlock")
def test_boxes_do_not_share():
    """The home of one box cannot be read by another, and a crashed box's is removed by the next."""
    process = start(*QUIET, "--", "/bin/sh", "-c", 'echo secret >"$HOME/s"; echo "$HOME"; read x', stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    home = process.stdout.readline().decode().strip()
    got = sandbox(*QUIET, "--", "/bin/cat", home + "/s")
    check(got.code != 0 and "denied" in got.err, "read\n%s" % got)
    check(os.path.exists(home + "/s"), "the first box has lost its home")
    process.communicate(b"\n")
    os.makedirs(place() + "/box-0123456789abcdef/home/x", 0o700)
    os.chmod(place(), 0o700)
    sh("true", *QUIET)
    nothing_left()


@needs("landlock")
def test_runtime_directory_of_others():
    """A runtime directory that others may enter, or a link in its place, is not used."""
    os.makedirs(place(), 0o755)
    try:
        os.chmod(place(), 0o755)
        refused(*QUIET, "--", "/bin/true", code="E-FILE", text="others may enter")
        os.rmdir(place())
        os.symlink("/tmp", place())
        refused(*QUIET, "--", "/bin/true", code="E-FILE")
        os.unlink(place())
    finally:
        if os.path.isdir(place()) and not os.path.islink(place()):
            os.rmdir(place())


# ---------------------------------------------------------------- sockets

SOCKETS = """
import socket
for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_INET6, socket.SOCK_STREAM),
                     (socket.AF_UNIX, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_DGRAM), (socket.AF_NETLINK, socket.SOCK_RAW)):
    try: socket.socket(family, kind); print(1, end='')
    except OSError: print(0, end='')
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM, socket.SOCK_RAW):
    try: socket.socketpair(socket.AF_UNIX, kind); print(1, end='')
    except OSError: print(0, end='')
"""


@needs("landlock")
def test_sockets():
    """No socket of any family without a network; with the host's no local ones. Connected pairs stay, datagram pairs do not."""
    equal(py(SOCKETS, *QUIET).out, "0000001100", "without a network")
    equal(py(SOCKETS, *QUIET, "--network", "host").out, "1110011100", "with the host's network")
    equal(subprocess.run([PYTHON, "-c", SOCKETS], capture_output=True, text=True, check=True).stdout, "1111111111", "control")


@needs("landlock")
def test_network():
    """--network host connects; --network none cannot even with a socket that was handed in."""
    with socket.socket() as listening, socket.socket() as given:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        py("import socket; socket.create_connection(('127.0.0.1', %d))" % port, *QUIET, "--network", "host")
        os.set_inheritable(given.fileno(), True)
        program = "import socket; socket.socket(fileno=%d).connect(('127.0.0.1', %d))" % (given.fileno(), port)
        options = ("--preserve-fds", str(given.fileno()), "--", PYTHON, "-c", program)
        if landlock_abi() >= 4:
            got = sandbox(*QUIET, *options, pass_fds=(given.fileno(),))
            contains(got.err, "PermissionError", "stderr")
        succeeds(*QUIET, "--network", "host", *options, pass_fds=(given.fileno(),))


@needs("landlock")
def test_sockets_by_path():
    """A socket of the user's services cannot be reached by its path, which Landlock alone would let pass."""
    path = folder("volume") + "/s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        program = "import socket; socket.socket(socket.AF_UNIX).connect(%r)" % path
        got = sandbox(*QUIET, "-v", os.path.dirname(path), "--", PYTHON, "-c", program)
        check(got.code != 0, "connected\n%s" % got)
        subprocess.run([PYTHON, "-c", program], check=True)


# ---------------------------------------------------------------- processes

@needs("landlock")
def test_other_processes():
    """The user's other processes cannot be traced or read by /proc, limited, or (ABI 6) signalled; nor can the box's own first process."""
    with subprocess.Popen(["sleep", "1000"], env={"TOKEN": "secret"}) as outside:
        program = """
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
def tell(name, f):
    try: print(name, 'worked', f())
    except OSError as error: print(name, 'refused')
def call(*args):
    if libc.syscall(*args) < 0: raise OSError(ctypes.get_errno(), 'x')
tell('environ', lambda: open('/proc/%d/environ').read())
tell('trace', lambda: call(101, 16, %d, 0, 0))
tell('limit', lambda: resource.prlimit(%d, resource.RLIMIT_CPU))
tell('io', lambda: call(251, 3, 0, 0))   # of each process of the user: what it is already
tell('priority', lambda: os.setpriority(os.PRIO_PROCESS, %d, 19))
tell('memory', lambda: open('/proc/%d/mem', 'rb'))
tell('signal', lambda: os.kill(%d, 0))
tell('first', lambda: os.kill(os.getppid(), 0))
""".replace("%d", str(outside.pid))
        try:
            got = py(program, *QUIET)
            worked = [line for line in got.lines if "worked" in line]
            equal(worked if landlock_abi() >= 6 else [w for w in worked if w.split()[0] not in ("signal", "first")], [], "what worked")
            control = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()
            control = [line.split()[0] for line in control if "refused" in line]
            check(set(control) <= {"trace", "memory", "priority", "io"}, "control: %s" % control)   # yama may refuse tracing
        finally:
            outside.kill()


@needs("landlock")
@cases(double="(setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 &)", daemon="setsid -f sleep 1000", stopped="sleep 1000 & kill -STOP $!",
       deaf="(trap '' TERM HUP INT; setsid sleep 1000 >/dev/null 2>&1) & :", many="for i in 1 2 3 4 5 6 7 8 9 10; do setsid -f sleep 1000; done")
def test_survivors(script):
    """No process outlives the command, however it left it."""
    before = set(descendants())
    got = sh(script + "; exit 0", *QUIET)
    equal(got.code, 0, "exit status")
    equal([command_line(p) for p in descendants() if p not in before], [], "what is left")
    nothing_left()


@needs("landlock")
@cases(launcher="launcher", first="first", both="both")
def test_killed(which):
    """SIGKILL of the launcher, or of the box's first process, leaves no process and no file."""
    process = start(*QUIET, "--", "/bin/sh", "-c", "setsid -f sleep 1000; setsid sh -c 'sleep 1000; sleep 1000' & echo ready; sleep 1000", stdout=subprocess.PIPE)
    process.stdout.readline()
    inside = box_pid(process)
    if which != "launcher":
        os.kill(inside, signal.SIGKILL)
    if which != "first":
        process.kill()
    process.wait()
    process.stdout.close()
    if which == "both":
        eventually(kill_all, "what nobody is left to end", 2)
        sh("true", *QUIET)   # the next run tidies up
    nothing_left()


@needs("landlock")
def test_timeout():
    """--timeout ends the command and all it has started."""
    got = sandbox(*QUIET, "--timeout", "300ms", "--", "/bin/sh", "-c", "trap '' TERM; setsid -f sleep 1000; while :; do sleep 1; done")
    equal(got.code, 124, "exit status")
    nothing_left()


@needs("landlock")
def test_exit_statuses():
    """Exit statuses and signals are the command's own, as with namespaces."""
    equal(sandbox(*QUIET, "--", "/bin/sh", "-c", "exit 7").code, 7, "exit status")
    equal(sandbox(*QUIET, "--", "/bin/sh", "-c", "kill -TERM $$").code, 143, "exit status")
    refused(*QUIET, "--", "nonexistent-command", code="E-NOT-FOUND", status=127)
    equal(status_of(sh("cat /proc/self/status", *QUIET).out)["CapEff"], "0" * 16, "capabilities")
    equal(status_of(sh("cat /proc/self/status", *QUIET).out)["NoNewPrivs"], "1", "no_new_privs")
    equal(sh("ulimit -c", *QUIET).out, "0\n", "core files")
    equal(py("import os; print(sorted(os.listdir('/proc/self/fd'), key=int)[:4])", *QUIET).out, "['0', '1', '2', '3']\n", "descriptors")


@needs("landlock", "bash")
def test_terminal():
    """A terminal of its own, with job control; it is not the caller's."""
    with Terminal(SANDBOX, *QUIET, "--", "/bin/bash", "--norc", "--noprofile", "-i") as terminal:
        terminal.send("PS1='box''> '; tty; stty size\n")
        name = terminal.expect(r"^(/dev/pts/\d+)\r").group(1).decode()
        check(name != os.ttyname(terminal.slave), "it is the caller's terminal")
        terminal.expect(r"^24 80\r")
        terminal.expect(r"box> $")
        terminal.send("sleep 1000\n")
        terminal.expect(r"sleep 1000\r\n")
        eventually(lambda: [p for p in descendants(terminal.process.pid) if command_line(p) == "sleep 1000"], "the job runs")
        terminal.send("\x1a")
        terminal.expect(r"Stopped")
        terminal.send("kill %%1; echo x >$(tty); echo said >/dev/tty; (echo y >%s) || echo no\n" % os.ttyname(terminal.slave))
        terminal.expect(r"^said\r")
        terminal.expect(r"^no\r")
        terminal.send("exit 3\n")
        equal(terminal.wait(), 3, "exit status")
    nothing_left()


# ---------------------------------------------------------------- what is said, and what is refused

@needs("landlock")
def test_said():
    """One line says what is lost, and the event names the backend."""
    rows, got = with_status(*ALONE, "--", "/bin/true")
    equal((rows[0]["backend"], rows[0]["landlock"]), ("landlock", landlock_abi()), "event")
    equal([line.startswith("sandbox: notice: no namespaces:") for line in got.err.splitlines()], [True], "stderr\n%s\nvalue" % got)
    equal(succeeds(*QUIET, "--", "/bin/true").err, "", "stderr with -q")
    equal(with_status("--backend", "namespaces", "--", "/bin/true")[0][0]["backend"], "namespaces", "event")
    equal(with_status("--backend", "auto", "--", "/bin/true")[0][0]["backend"], "namespaces", "event")


REFUSED = {
    "rootfs": ("--rootfs", "/"), "root": ("--root",), "user": ("-u", "1"), "userns": ("--userns", "keep-id"), "hostname": ("--hostname", "x"),
    "share": ("--share", "ipc"), "unshare": ("--unshare", "time"), "nested": ("--nested",), "netuser": ("--network", "user"), "netns": ("--network", "ns:/proc/self/ns/net"),
    "tmpfs": ("--tmpfs", "/x"), "file": ("--file", "/x=y"), "secret": ("--secret", "x=/etc/passwd"), "hide": ("--hide", "/etc"),
    "protect": ("--protect", "x"), "volume": ("-v", "/usr:/x"), "cap": ("--cap-add", "chown"), "securebits": ("--securebits", "noroot"),
    "privs": ("--allow-new-privs",), "landlock": ("--landlock", "off"), "strict": ("--strict",), "seccomp": ("--seccomp", "off"),
    "multiarch": ("--multiarch",),
}


@cases(**REFUSED)
def test_refused_options(*option):
    """What needs namespaces is refused by name."""
    refused(*QUIET, *option, "--", "/bin/true", code="E-CONFLICT", text="--backend landlock")


MAKE = """
import os, socket
try: os.mkdir("made"); print("made")
except PermissionError as error: print(error.strerror)
try: socket.socket(); print("a socket")
except OSError as error: print(error.strerror)
"""


@needs("landlock")
@cases(control=((), "made"), deny=(("--seccomp-deny", "mkdir,mkdirat"), "Operation not permitted"), file=("mkdir", "Operation not permitted"),
       open_file=("none", "made"), strict=(("--seccomp", "strict"), "Operation not permitted"), allow=(("--seccomp-allow", "socket,mount,unshare"), "made"))
def test_own_filters(options, result):
    """Filters of the user's own hold here, too; none of them opens the network, which is refused beside them."""
    if isinstance(options, str):
        names = ["mkdir", "mkdirat"] if options == "mkdir" else ["swapon"]
        options = ("--seccomp", write(scratch() + "/own.json", json.dumps(
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO"}]})))
    got = py(MAKE, *QUIET, *options, env={"XDG_CACHE_HOME": folder("cache")})
    equal(got.lines[0], result, "what it did\n%s\nvalue" % got)
    check(got.lines[1] != "a socket", "it has a network\n%s" % got)
    nothing_left()


@needs("landlock")
def test_own_filter_that_kills():
    """A call that kills is named, and is in the report; nothing is left."""
    os.mkdir(scratch() + "/cache")
    got = sandbox(*QUIET, "--seccomp-deny", "mkdir,mkdirat", "--seccomp-action", "kill", "--report", "report", "--", PYTHON, "-c", MAKE,
                  env={"XDG_CACHE_HOME": scratch() + "/cache"})
    equal((got.code, got.out), (159, ""), "what it did\n%s\nvalue" % got)
    matches(got.err, "system call 'mkdir", "stderr")
    equal(json.loads(read(scratch() + "/report"))["reason"], "seccomp", "reason")
    nothing_left()


@needs("landlock")
def test_limits():
    """A limit of processes is not counted against the user's others; the default one holds."""
    refused(*QUIET, "--pids-limit", "10", "--limits", "soft", "--", "/bin/true", code="E-LIMIT")
    refused(*QUIET, "--cpus", "50%", "--limits", "soft", "--", "/bin/true", code="E-LIMIT")
    check(int(py("import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)[1])", *QUIET).out) <= 8200, "processes")


NO_USERNS = "echo 0 >/proc/sys/user/max_user_namespaces; "


@needs("landlock", "unshare")
def test_where_namespaces_are_refused():
    """Where user namespaces are refused the plain run is too, and names this backend, which works."""
    got = in_outer(NO_USERNS + '"$SANDBOX" -- /bin/echo ran')
    equal((got.code, got.out), (125, ""), "a plain run")
    matches(got.err, r"error\[E-USERNS-QUOTA\]", "stderr")
    matches(got.err, r"^  fix: .*--backend landlock", "stderr")
    got = in_outer(NO_USERNS + '"$SANDBOX" --backend auto -- /bin/echo ran')
    equal((got.code, got.out), (125, ""), "--backend auto")
    got = in_outer(NO_USERNS + '"$SANDBOX" -q --backend landlock -- /bin/sh -c "echo ran; echo x >/usr/x"')
    equal(got.out, "ran\n", "the backend\n%s\nvalue" % got)
    contains(got.err, "denied", "stderr")


@needs("landlock")
def test_inside_of_a_box():
    """It works inside of an ordinary box, where namespaces are refused."""
    copy = shutil.copy(SANDBOX, folder("bin") + "/sandbox")
    got = sh('echo x >here; "%s" -q --backend landlock --cwd ro -- /bin/sh -c "cat here; echo y >here; true"' % copy, cwd=folder("bin"))
    equal((got.out, read(folder("bin") + "/here")), ("x\n", "x\n"), "what it did\n%s\nvalue" % got)


@needs("deny", "landlock")
@cases(absent="landlock_create_ruleset=ENOSYS", hidden="landlock_create_ruleset=EPERM")
def test_kernel_without(rule):
    """Without Landlock there is no such backend."""
    refused(*QUIET, "--", "/bin/true", via=(TOOLS + "/deny", rule, "--"), code="E-KERNEL", text="Landlock alone")


@needs("deny", "landlock")
@cases(restrict="landlock_restrict_self=EPERM", rule="landlock_add_rule=ENOMEM", filter="prctl=EPERM@22", reaper="prctl=EPERM@36", privs="prctl=EPERM@38",
       directory="mkdirat=ENOSPC", lock="flock=EINTR")
def test_failure(rule):
    """Whatever fails, the command does not run, and nothing is left."""
    got = refused(*QUIET, "--", "/bin/sh", "-c", "echo ran >ran", via=(TOOLS + "/deny", rule, "--"))
    check(not os.path.exists(scratch() + "/ran"), "the command ran\n%s" % got)
    nothing_left()


def test_profile_for_apparmor():
    """The AppArmor profile is one: the parser takes it (one before 4.0 without what it does not know)."""
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin:/bin")
    path = os.path.join(os.path.dirname(SANDBOX), "../data/apparmor/sandbox")
    if not parser or not os.path.exists(path):
        raise Skip("no apparmor_parser, or not the build folder's binary")
    version = subprocess.run([parser, "--version"], capture_output=True, text=True, check=True).stdout
    text = read(path)
    if int(re.search(r"version (\d+)", version).group(1)) < 4:
        text = text.replace("abi <abi/4.0>,", "").replace("  userns,\n", "")
    done = subprocess.run([parser, "-Q", "-K", "-d"], input=text, capture_output=True, text=True, check=False)
    equal(done.returncode, 0, "exit status: %s\nvalue" % done.stderr)
    equal(re.findall(r"^Name:\s+(\S+)", done.stdout + done.stderr, re.M), ["sandbox", "sandbox-helpers"], "profiles")
