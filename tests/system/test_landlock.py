# SPDX-License-Identifier: MIT
"""Landlock under the tree. Every denial has its positive control: the same with --landlock off."""

import os
import socket
import stat
import subprocess
import threading

from box import *

# What the command may change: each line is one thing that has to work.
WRITES = r"""
import ctypes, fcntl, os, pty, socket, sys, termios
libc = ctypes.CDLL(None, use_errno=True)
def place(top):
    os.makedirs(top + '/one/two')
    path = top + '/one/file'
    open(path, 'w').write('text')
    os.truncate(path, 1)
    with open(path, 'r+') as file: file.truncate(0)
    os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.rename(path, top + '/one/two/file')           # from one directory to another: REFER
    os.link(top + '/one/two/file', top + '/link')
    os.symlink('link', top + '/symlink')
    os.mkfifo(top + '/fifo')
    socket.socket(socket.AF_UNIX).bind(top + '/socket')
    unnamed = os.open(top, os.O_TMPFILE | os.O_RDWR)
    if libc.linkat(-100, b'/proc/self/fd/%d' % unnamed, -100, os.fsencode(top + '/named'), 0x400) < 0: raise OSError(ctypes.get_errno(), 'linkat')
    for name in ('one/two/file', 'link', 'symlink', 'fifo', 'socket', 'named'): os.unlink(top + '/' + name)
    os.rmdir(top + '/one/two'); os.rmdir(top + '/one')
for top in sys.argv[1:]: place(top)
open('/proc/self/comm', 'w').write('name')
open('/proc/self/oom_score_adj', 'w').write('500')
for name in ('null', 'zero', 'full', 'random'): open('/dev/' + name, 'r+b', buffering=0).close()
fcntl.ioctl(os.open('/dev/random', os.O_RDONLY), 0x80045200, bytearray(4))  # RNDGETENTCNT: ioctl on a device
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCGWINSZ, bytearray(8))
os.close(os.open(os.ttyname(slave), os.O_RDWR))
memory = os.memfd_create('x'); os.ftruncate(memory, 10); open('/proc/self/fd/%d' % memory, 'r+').close()
reading, writing = os.pipe(); open('/proc/self/fd/%d' % writing, 'w').close()
if libc.mq_open(b'/queue', os.O_CREAT | os.O_RDWR, 0o600, None) < 0: raise OSError(ctypes.get_errno(), 'mq_open')
if libc.shm_open(b'/memory', os.O_CREAT | os.O_RDWR, 0o600) < 0: raise OSError(ctypes.get_errno(), 'shm_open')
print('all written')
"""


@everywhere
def test_writable_places_work():
    """What the plan has writable is: files of every kind, renames, links, truncation, terminals, devices, queues."""
    volume = folder("volume")
    got = succeeds("-v", volume + ":/srv/volume", "--tmpfs", "/srv/tmpfs", "--", PYTHON, "-c", WRITES,
                   ".", "/tmp", "/var/tmp", "/run", "/dev/shm", "/srv/volume", "/srv/tmpfs")
    equal(got.out, "all written\n", "stdout")


MOVE = """
import os
os.makedirs("/tmp/one/two"); open("/tmp/one/file", "w").close()
try: os.rename("/tmp/one/file", "/tmp/one/two/file"); print("moved")
except OSError as error: print(error.strerror)
"""


@needs("landlock6")
def test_moves_in_a_box_in_a_box():
    """In a box inside of one with --nested files can be moved between directories, as Landlock around it would deny; the control has that."""
    copy = shutil.copy(SANDBOX, folder("bin") + "/sandbox")
    for options, result in (((), "moved"), (("--landlock", "on"), "Invalid cross-device link")):
        got = succeeds("-q", "--nested", *options, "-v", folder("bin"), "--", copy, "-q", "--", PYTHON, "-c", MOVE)
        equal(got.out, result + "\n", "with %s" % " ".join(options))


def test_writable_home():
    """A private home is writable, and so is a directory given for it."""
    for home in ("private", folder("home")):
        equal(py(WRITES.replace("sys.argv[1:]", "[os.environ['HOME']]"), "--home", home).out, "all written\n", "stdout")


def test_writable_file():
    """A single file shown writable in a read-only place can be written, cut and written again."""
    path = write(scratch() + "/file", "old")
    sh("echo one >/etc/hostname && : >/etc/hostname && echo two >>/etc/hostname", "-v", path + ":/etc/hostname")
    equal(read(path), "two\n", "content")


@needs("busybox")
def test_writable_root_directory():
    """A root directory is writable, and with --read-only only its volumes are."""
    from box import busybox_root
    root, volume = busybox_root(), folder("volume")
    succeeds("-q", "--userns", "root", "--rootfs", root, "--", "/bin/sh", "-c", "echo x >/etc/new && mv /etc/new /var/new && rm /var/new")
    os.makedirs(root + "/srv", exist_ok=True)
    for place in ("dev", "proc", "sys"):
        os.makedirs(root + "/" + place, exist_ok=True)
    succeeds("-q", "--userns", "root", "--read-only", "--rootfs", root, "-v", volume + ":/srv", "--", "/bin/sh", "-c",
             "echo x >/srv/a && mkdir /srv/b && mv /srv/a /srv/b/c && ! echo x >/etc/new")
    equal(read(volume + "/b/c"), "x\n", "content")


@needs("landlock")
def test_fifo_in_a_read_only_volume():
    """A FIFO of the host in a read-only volume cannot be written, though a read-only mount would let it."""
    volume = folder("volume")
    os.mkfifo(volume + "/fifo")
    keep = os.open(volume + "/fifo", os.O_RDWR)
    script = "echo x 1<>/srv/v/fifo"
    try:
        got = sandbox("-v", volume + ":/srv/v:ro", "--", "/bin/sh", "-c", script)
        check(got.code != 0, "written through a read-only volume\n%s" % got)
        contains(got.err, "ermission denied", "stderr")
        sh(script, "-v", volume + ":/srv/v:ro", "--landlock", "off")
        sh(script, "-v", volume + ":/srv/v")
    finally:
        os.close(keep)


REOPEN = "import os; os.close(os.open('/proc/self/fd/%d', os.O_WRONLY))"


@needs("landlock")
def test_descriptor_opened_for_reading():
    """A file handed in for reading cannot be opened again for writing by way of /proc."""
    path = write(scratch() + "/given", "text")
    for options, denied in (((), True), (("--landlock", "off"), False), (("--allow-new-privs",), True)):
        with open(path, encoding="ascii") as given:
            process = start(*options, "--", PYTHON, "-c", REOPEN % 0, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            err = process.communicate()[1].decode()
        equal(process.returncode != 0, denied, "refused, with %s: %s\nvalue" % (options, err))
        if denied:
            contains(err, "PermissionError", "stderr")


def test_descriptors_opened_for_writing():
    """/dev/stdout and /dev/stderr work when they are files; so does a directory passed on by name."""
    out, err = scratch() + "/out", scratch() + "/err"
    with open(out, "w", encoding="ascii") as one, open(err, "w", encoding="ascii") as two:
        process = start("--", "/bin/sh", "-c", "echo one >>/dev/stdout; echo two >>/dev/stderr; echo three | tee -a /dev/fd/2 >/dev/null", stdout=one, stderr=two)
        equal(process.wait(), 0, "exit status")
    equal((read(out), read(err)), ("one\n", "two\nthree\n"), "what arrived")
    elsewhere = os.open(folder("elsewhere"), os.O_RDONLY | os.O_DIRECTORY)
    py("import os; os.close(os.open('made', os.O_CREAT | os.O_WRONLY, dir_fd=%d)); os.rename('made', 'kept', src_dir_fd=%d, dst_dir_fd=%d)"
       % (elsewhere, elsewhere, elsewhere), "--preserve-fds", str(elsewhere), pass_fds=(elsewhere,))
    os.close(elsewhere)
    equal(os.listdir(scratch() + "/elsewhere"), ["kept"], "what was made")


def test_terminal():
    """On the caller's own terminal (--no-tty) and on the box's, /dev/tty and terminal calls work."""
    for option in ("--tty", "--no-tty"):
        with Terminal(SANDBOX, "-q", option, "--", "/bin/sh", "-c", "stty -echo; stty size; echo said >/dev/stderr; exit 7") as terminal:
            terminal.expect(r"24 80\r")
            terminal.expect(r"said\r")
            equal(terminal.wait(), 7, "exit status")


# ---------------------------------------------------------------- abstract sockets

def listen(name, kind):
    """An abstract socket of the host that greets whoever connects."""
    listening = socket.socket(socket.AF_UNIX, kind)
    listening.bind("\0" + name)

    def greet():
        try:
            while True:
                listening.accept()[0].close()
        except OSError:
            pass
    if kind == socket.SOCK_STREAM:
        listening.listen()
        threading.Thread(target=greet, daemon=True).start()
    return listening


CONNECT = """
import socket
try: print('reached', socket.socket(socket.AF_UNIX, socket.%s).connect('\\0%s'))
except OSError as error: print(error.strerror)
"""


@needs("landlock6")
@cases(stream="SOCK_STREAM", datagram="SOCK_DGRAM")
def test_abstract_socket_of_the_host(kind):
    """With --network host the box cannot reach an abstract socket of the host."""
    name = "sandbox-test-%d-%s" % (os.getpid(), kind)
    listening = listen(name, getattr(socket, kind))
    program = CONNECT % (kind, name)
    try:
        equal(py(program, "--network", "host").out, "Operation not permitted\n", "in the box")
        equal(py(program, "--network", "host", "--nested").out, "Operation not permitted\n", "in a box with --nested")
        equal(py(program, "--network", "host", "--landlock", "off").out, "reached None\n", "control")
        equal(py(program).out, "Connection refused\n", "without the host's network")
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@everywhere
def test_abstract_socket_of_its_own():
    """Programs in the box reach each other by abstract sockets, with the host's network too."""
    program = """
import os, socket
one = socket.socket(socket.AF_UNIX); one.bind('\\0inside-%d' % os.getpid()); one.listen()
name = one.getsockname()
if os.fork() == 0:
    socket.socket(socket.AF_UNIX).connect(name); os._exit(0)
one.accept(); print(os.wait()[1])
"""
    for options in ((), ("--network", "host")):
        equal(py(program, "-q", *options).out, "0\n", "stdout")


@needs("landlock")
def test_path_socket():
    """A socket shown by its path can be connected to: what is shown is meant."""
    volume = folder("volume")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(volume + "/s")
        listening.listen()
        py("import socket; socket.socket(socket.AF_UNIX).connect('/srv/v/s')", "-v", volume + ":/srv/v:ro")


# ---------------------------------------------------------------- signals and tracing

@needs("landlock6")
def test_signal_to_the_host():
    """With --share pid the box cannot signal a process of its user outside."""
    with subprocess.Popen(["sleep", "1000"]) as outside:
        program = "import os\ntry: print(os.kill(%d, 0))\nexcept OSError as error: print(error.strerror)" % outside.pid
        try:
            equal(py(program, "--share", "pid").out, "Operation not permitted\n", "in the box")
            equal(py(program, "--share", "pid", "--landlock", "off").out, "None\n", "control")
        finally:
            outside.kill()


@everywhere
def test_signals_inside():
    """PID 1 and the command signal each other; groups and orphans in the box are reached."""
    got = sandbox("--", "/bin/sh", "-c", "trap 'echo heard; exit 9' TERM; kill -TERM 1; while :; do sleep 0.01; done")
    equal((got.code, got.out), (9, "heard\n"), "by way of PID 1\n%s\nvalue" % got)
    equal(sh("sleep 1000 & kill $!; wait $!; echo $?").out, "143\n", "stdout")
    equal(sh("(setsid sleep 1000 & echo $! >pid); kill $(cat pid) && echo done").out, "done\n", "stdout")


def test_tracing_inside():
    """Processes of the box trace each other."""
    got = py("""
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    signal.pause()
print(libc.ptrace(16, child, None, None))
os.waitpid(child, 0)
os.kill(child, 9)
""")
    equal(got.out, "0\n", "PTRACE_ATTACH")


@needs("landlock")
def test_a_domain_inside():
    """A program in the box confines itself further by Landlock."""
    got = py("""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
rights = (ctypes.c_uint64 * 1)(2)   # WRITE_FILE, allowed nowhere
ruleset = libc.syscall(444, rights, 8, 0)
print(libc.syscall(446, ruleset, 0))
try: open('/tmp/x', 'w')
except OSError as error: print(error.strerror)
""")
    equal(got.out, "0\nPermission denied\n", "stdout")


# ---------------------------------------------------------------- where it is given up, and said

def test_mounts_where_asked_for():
    """With --nested or CAP_SYS_ADMIN no right to files is handled, since that would forbid every mount."""
    sh("unshare -Urm sh -ec 'mount -t tmpfs none /tmp; : >/tmp/x'", "-q", "--nested")
    sh("mount -t tmpfs none /tmp; : >/tmp/x", "-q", "--root", "--cap-add", "SYS_ADMIN")


def started(*args, **keywords):
    rows, got = with_status(*args, **keywords)
    check(rows and rows[0]["event"] == "started", "no `started` event\n%s" % got)
    return rows[0], got


@everywhere
def test_report():
    """The `started` event says which ABI serves the box, 0 without."""
    equal(started("--", "/bin/true")[0]["landlock"], landlock_abi() if landlock_abi() > 1 else 0, "ABI")
    equal(started("--landlock", "off", "--", "/bin/true")[0]["landlock"], 0, "ABI with --landlock off")
    matches(succeeds("--explain", "--", "/bin/true").out, r"^  landlock +abi=%d " % landlock_abi(), "plan")


@needs("deny")
@cases(ENOSYS="ENOSYS", EPERM="EPERM")
def test_kernel_without(number):
    """Without Landlock a plain run says nothing and works; whoever asks for it is refused."""
    deny = (TOOLS + "/deny", "landlock_create_ruleset=" + number, "--")
    row, got = started("--", "/bin/true", via=deny)
    equal((row["landlock"], got.err if MODE != "root" else ""), (0, ""), "ABI and stderr")
    for option in (("--landlock", "on"), ("--strict",)):
        refused(*option, "--", "/bin/true", via=deny, code="E-KERNEL", text="Landlock", fix="--landlock off", origin=option[0])
    got = succeeds("--network", "host", "--", "/bin/true", via=deny)
    equal(len([line for line in got.err.splitlines() if "abstract sockets" in line]), 1, "notices\n%s\nvalue" % got)
    refused("--network", "host", "--strict", "--", "/bin/true", via=deny, code="E-KERNEL")
    equal(succeeds("--network", "host", "--landlock", "off", "--", "/bin/true", via=deny).err, "", "stderr")


@needs("deny", "landlock")
@cases(create="landlock_create_ruleset=EPERM@2:0", rule="landlock_add_rule=ENOMEM", restrict="landlock_restrict_self=EPERM")
def test_failure(rule):
    """A layer that the kernel has and then refuses stops the run."""
    refused("--", "/bin/true", via=(TOOLS + "/deny", rule, "--"), code="E-LOCKDOWN", text="Landlock", fix="--landlock off")


@cases(word=("--landlock", "maybe"), empty=("--landlock=",))
def test_value(*option):
    """--landlock takes auto, on and off."""
    refused(*option, "--", "/bin/true", code="E-VALUE", fix="auto, on or off")


@needs("landlock")
def test_asked_for():
    """--landlock on and --strict run where the kernel has it."""
    if landlock_abi() < 2:
        return
    succeeds("--landlock", "on", "--", "/bin/true")
    succeeds("--strict", "--landlock", "on", "--pids-limit", "unlimited", "--", "/bin/true")


def test_nothing_stays():
    """Ten runs leave no process and no file."""
    for _ in range(10):
        sh(": >/tmp/x; echo x >here; rm here")
    eventually(lambda: stat.S_ISDIR(os.stat(scratch()).st_mode) and not os.listdir(scratch()), "the directory is empty again")
