# SPDX-License-Identifier: MIT
"""Processes of the host, the caller's terminal, keys, sockets and shared memory."""

import array
import socket

from field import *


def stopped(process):
    os.kill(process.pid, signal.SIGSTOP)
    eventually(lambda: state(process.pid) == "T", "the victim stops")


IN_NAMESPACE = r"""
sleep 1000 & kill -STOP $!; "$0" signal 18 "$@" >/dev/null; sed 's/.*) //' /proc/$!/stat; kill -9 $!
"""


@every_user
@each_kind
def test_signals(kind):
    """kill(2) of the process group, of everybody and of any number reaches nobody outside."""
    with victim() as process:
        stopped(process)
        boxed(kind, "signal", str(int(signal.SIGCONT)), "0", "-1", str(process.pid), "-%d" % process.pid,
              preexec_fn=lambda: os.setpgid(0, process.pid))
        equal(state(process.pid), "T", "the victim's state")


@cases(group="0", everybody="-1")
def test_signals_control(target):
    """Without a box they reach a stopped process beside it, which goes on."""
    got = subprocess.run(["unshare", "-Urpf", "--mount-proc", "/bin/sh", "-c", IN_NAMESPACE, probe(), target], capture_output=True,
                         stdin=subprocess.DEVNULL, start_new_session=True, check=False, timeout=TIMEOUT)
    check(got.stdout[:1] in (b"S", b"R"), "control: the victim's state is %r" % got.stdout)


def niceness(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


@every_user
@each_kind
def test_priorities(kind):
    """setpriority(2) of the process group and of the user changes nobody outside."""
    with victim() as process:
        before = niceness(process.pid)
        boxed(kind, "priority", "7", preexec_fn=lambda: os.setpgid(0, process.pid))
        equal(niceness(process.pid), before, "the victim's nice value")


def test_priorities_control():
    """Without a box it changes a process of the same group."""
    got = subprocess.run(["unshare", "-Urpf", "--mount-proc", "/bin/sh", "-c",
                          'sleep 1000 & "$0" priority 7 >/dev/null; ps -o ni= -p $!; kill -9 $!', probe()], capture_output=True,
                         stdin=subprocess.DEVNULL, start_new_session=True, check=False, timeout=TIMEOUT)
    equal(got.stdout.split(), [b"7"], "control: nice value")


@every_user
@each_kind
def test_trace(kind):
    """Neither PID 1, nor the launcher, nor any process of the host is traced, read or robbed of descriptors."""
    with victim() as process:
        equal(tried(control("trace", str(process.pid)))["seize"], "ok", "control")
        for target in ("1", str(process.pid), str(os.getpid())):
            nothing_worked(boxed(kind, "trace", target))
        equal(status_of(read("/proc/%d/status" % process.pid))["TracerPid"], "0", "tracer of the victim")


@each_kind
def test_launcher_is_out_of_reach(kind):
    """The launcher is closed to other processes of its user from the moment the box exists."""
    with start(*KINDS[kind], *(("--rootfs", attack_root()) if kind == "rootfs" else ()), "--", "sleep", "1000") as process:
        try:
            def names():
                return {pid: read("/proc/%d/comm" % pid, "").strip() for pid in (process.pid, *descendants(process.pid))}
            eventually(lambda: "sleep" in names().values(), "the command")
            ours = [pid for pid, name in names().items() if name != "sleep"]
            check(len(ours) == (3 if kind == "user_network" else 2), "the launcher, PID 1 and the network's helper: %s" % names())
            for pid in ours:
                for name in ("environ", "mem", "exe", "cwd", "root"):
                    try:
                        os.open("/proc/%d/%s" % (pid, name), os.O_RDONLY)
                        raise Failure("/proc/PID/%s of %s can be opened" % (name, names()[pid]))
                    except PermissionError:
                        pass
        finally:
            process.kill()


LOOKED = ("exe", "fd/0", "fd/3", "cwd/.", "root/.", "environ", "mem", "maps", "auxv", "stack", "syscall", "io", "smaps")


@every_user
@each_with_mounts
def test_first_process_tells_nothing(kind):
    """PID 1's program, descriptors, memory, environment and arguments cannot be read."""
    word = token()
    with victim(env={"WORD": word, "PATH": os.environ.get("PATH", "/usr/bin:/bin")}) as process:
        contains(control("look", str(process.pid)).out, word, "control")
    got = boxed(kind, "look", "1", env={"HIDDEN": word}, options=("--file", "/tmp/given=" + word, "--env-all", "-e", "HIDDEN=x"))
    lacks(got.out, word, "what PID 1 shows")
    rows = tried(got)
    equal([name for name in LOOKED if rows.get(name) == "ok" and not (os.geteuid() == 0 and name in ("maps", "smaps"))], [], "files of PID 1 that could be read\n%s\nvalue" % got)


def queue(terminal):
    """Bytes that wait in a terminal's input."""
    count = array.array("i", [0])
    old = termios.tcgetattr(terminal.slave)
    raw = list(old)
    raw[3] &= ~termios.ICANON
    termios.tcsetattr(terminal.slave, termios.TCSANOW, raw)
    fcntl.ioctl(terminal.slave, termios.FIONREAD, count)
    termios.tcsetattr(terminal.slave, termios.TCSANOW, old)
    return count[0]


def typed(*command):
    with Terminal(*command) as terminal:
        terminal.wait()
        return queue(terminal)


def can_type():
    return read("/proc/sys/dev/tty/legacy_tiocsti", "1").strip() == "1"


@each_kind
def test_typing(kind):
    """Nothing is typed into the caller's terminal, with a terminal of the box's own or without."""
    probe()
    for options in ((), ("--no-tty",)):
        for high in ("0", "1", "0xffffffff"):
            equal(typed(SANDBOX, *words_of(kind, "type", "planted", high, options=options)), 0, "bytes in the queue (%s, %s)" % (options, high))
    if can_type():
        for high in ("0", "1"):
            check(typed(probe(), "type", "planted", high) >= 7, "control: nothing was typed")


KEYED = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(250, 1, None)
for ring in (-3, -4):
    key = libc.syscall(248, b"user", sys.argv[1].encode(), sys.argv[2].encode(), len(sys.argv[2]), ring)
    if key < 0: sys.exit("no key: %d" % ctypes.get_errno())
    libc.syscall(250, 5, key, 0x3f3f0000)
    libc.syscall(250, 15, key, 60)
os.execv(sys.argv[3], sys.argv[3:])
"""


@every_user
@each_kind
def test_keys(kind):
    """Keys in the caller's session and user keyrings are not found."""
    name, word = token(), token()
    via = (PYTHON, "-c", KEYED, name, word)
    got = control("key", name, via=via)
    contains(got.out, word, "control\n%s\ntext" % got)
    lacks(boxed(kind, "key", name, via=via).out, word, "what was found")


@contextlib.contextmanager
def listener():
    """(name, stream, datagram) of abstract sockets."""
    name = token()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        stream.bind("\0" + name)
        stream.listen()
        datagram.bind("\0" + name + "-dgram")
        stream.setblocking(False)
        datagram.setblocking(False)
        yield name, stream, datagram


def arrived(stream, datagram):
    got = []
    for what, call in (("connection", stream.accept), ("datagram", lambda: datagram.recv(100))):
        try:
            call()
            got.append(what)
        except BlockingIOError:
            pass
    return got


@every_user
@cases(own="own", root="root", rootfs="rootfs", nested="nested")
def test_abstract_sockets(kind):
    """Abstract sockets of the host are not reached."""
    with listener() as (name, stream, datagram):
        boxed(kind, "abstract", name)
        equal(arrived(stream, datagram), [], "what arrived")
        control("abstract", name)
        equal(arrived(stream, datagram), ["connection", "datagram"], "control")


def test_abstract_sockets_on_the_host_network():
    """With --network host Landlock is what keeps the box from them, where the kernel has it."""
    with listener() as (name, stream, datagram):
        boxed("host_network", "abstract", name)
        if landlock_abi() > 5:
            equal(arrived(stream, datagram), [], "what arrived")
        arrived(stream, datagram)
        boxed("host_network", "abstract", name, options=("--landlock", "off"))
        equal(arrived(stream, datagram), ["connection", "datagram"], "control")


def test_signals_with_a_shared_pid_namespace():
    """With --share pid Landlock is what keeps signals inside, where the kernel has it."""
    for options in (("--share", "pid"), ("--share", "pid", "--landlock", "off")):
        with victim() as process:
            stopped(process)
            boxed("own", "signal", str(int(signal.SIGCONT)), str(process.pid), options=options)
            if "off" in options:
                check(state(process.pid) != "T", "control: the victim did not go on")
            elif landlock_abi() > 5:
                equal(state(process.pid), "T", "the victim's state")


def test_no_abstract_socket_of_ours():
    """sandbox itself listens on none (CVE-2020-15257: anybody of the same user could speak there)."""
    before = set(re.findall(r"@\S+", read("/proc/net/unix")))
    with start("--", "sleep", "1000") as process:
        try:
            eventually(lambda: descendants(box_pid(process)), "the command")
            names = set(re.findall(r"@\S+", read("/proc/net/unix")))
            equal([name for name in names - before if "token-" not in name], [], "new abstract sockets")
        finally:
            process.kill()


@every_user
@each_kind
def test_shared_memory(kind):
    """System V and POSIX shared memory, semaphores and queues of the host are not reached."""
    for inside in (True, False):
        key, name = str(0x5A000000 + int.from_bytes(os.urandom(2), "big")), "/" + token()
        with subprocess.Popen([probe(), "make-ipc", key, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker:
            equal(maker.stdout.readline(), "ready: ok\n", "objects outside")
            got = boxed(kind, "ipc", key, name) if inside else control("ipc", key, name)
            told = maker.communicate("")[0]
        if inside:
            nothing_worked(got)
        equal(told.split("\n")[:2], ["shm outside", "file "] if inside else ["shm from inside", "file from inside"], "control" if not inside else "objects outside")


def grows(path):
    before = os.path.getsize(path)
    select.select([], [], [], 0.2 * SLOW)
    return os.path.getsize(path) > before


@every_user
@each_kind
def test_survivors(kind):
    """Children that left the session, double-forked and ignore every signal end with the command."""
    beats = (scratch() + "/root" if kind == "rootfs" else scratch()) + "/beats"
    got = boxed(kind, "survive", "/beats" if kind == "rootfs" else "beats")
    contains(got.out, "survivors: ok", "the probe")
    check(not grows(beats), "somebody still writes")
    equal(descendants(), [], "processes that are left")


def test_survivors_control():
    """Without a box they live on."""
    subprocess.run([probe(), "survive", "beats"], cwd=scratch(), stdout=subprocess.DEVNULL, check=True, timeout=TIMEOUT)
    check(grows(scratch() + "/beats"), "control: nobody writes")
    for pid in descendants():
        os.kill(pid, signal.SIGKILL)


@each_with_mounts
def test_fork_bomb(kind):
    """A fork bomb stops at the limit, and all of it ends with the box."""
    equal(matches(control("bomb", "150").out, r"^processes (\d+)$").group(1), "150", "control")
    got = boxed(kind, "bomb", "1000", options=("--pids-limit", "100"))
    count = int(matches(got.out, r"^processes (\d+)$").group(1))
    check(50 <= count <= 110, "processes: %d" % count)
    equal(descendants(), [], "processes that are left")


def test_fork_bomb_by_default():
    """Without any option it stops at 4096."""
    got = boxed("own", "bomb", "6000", timeout=60 * SLOW)
    count = int(matches(got.out, r"^processes (\d+)$").group(1))
    check(4000 <= count <= 4100, "processes: %d" % count)
