# SPDX-License-Identifier: MIT
"""Each namespace by name: new by default, shared or unshared when asked."""

from box import *

KINDS = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time")
INODES = "import os; print(' '.join(os.readlink('/proc/self/ns/' + n) for n in %r))" % (KINDS,)


def inodes(*options, **keywords):
    return dict(zip(KINDS, py(INODES, *options, **keywords).out.split()))


def ours():
    return {kind: os.readlink("/proc/self/ns/" + kind) for kind in KINDS}


@everywhere
def test_all_but_time_are_new():
    """Every namespace is new by default; time is not."""
    outside, box = ours(), inodes()
    for kind in KINDS:
        equal(box[kind] == outside[kind], kind == "time", "shared: " + kind)


@cases(net=("net",), ipc=("ipc",), uts=("uts",), cgroup=("cgroup",))
def test_share(kind):
    """--share NAME keeps the host's namespace of that name and no other."""
    outside, box = ours(), inodes("--share", kind)
    for name in KINDS:
        equal(box[name] == outside[name], name in (kind, "time"), "shared: " + name)


def test_share_pid():
    """--share pid shows the host's processes, and still nothing outlives the command."""
    got = py("import os; print(os.getpid() > 3, os.readlink('/proc/self/ns/pid'))", "--share", "pid")
    equal(got.out.split()[1], ours()["pid"], "pid namespace")


def test_share_pid_ends_all():
    """With --share pid the command's children are ended with it."""
    got = sh("sleep 1000 >/dev/null 2>&1 & echo started", "--share", "pid")
    equal(got.out, "started\n", "stdout")   # the leak hunt of the runner does the rest


# each sets what is set already, so that nothing comes of it where it is not refused
OTHERS = """
import ctypes, os, resource, sys
call = ctypes.CDLL(None, use_errno=True).syscall
nice, parameter, limit = os.getpriority(os.PRIO_PROCESS, 0), os.sched_param(0), resource.getrlimit(resource.RLIMIT_NOFILE)
def ioprio(which, who):
    if call({"x86_64": 251, "aarch64": 30, "riscv64": 30}[os.uname().machine], which, who, 0) < 0: raise OSError(ctypes.get_errno(), "")
for who in (int(sys.argv[1]), 0):
    for name, act in (("prlimit", lambda: resource.prlimit(who, resource.RLIMIT_NOFILE, limit)), ("nice", lambda: os.setpriority(os.PRIO_PROCESS, who, nice)),
                      ("ioprio", lambda: ioprio(1, who)), ("affinity", lambda: os.sched_setaffinity(who, os.sched_getaffinity(0))),
                      ("class", lambda: os.sched_setscheduler(who, os.SCHED_OTHER, parameter)), ("parameter", lambda: os.sched_setparam(who, parameter)),
                      ("group", lambda: os.setpriority(os.PRIO_PGRP, who, nice)), ("user", lambda: os.setpriority(os.PRIO_USER, who, nice)),
                      ("ioprio of a user", lambda: ioprio(3, who))):
        try: act(); print(name, "of another:" if who else "its own:", "done")
        except OSError as error: print(name, "of another:" if who else "its own:", error.errno)
"""


@cases(default=(), open=("--seccomp", "off"), own=("--seccomp-deny", "acct"), privileges=("--allow-new-privs",), multiarch=("--multiarch",))
def test_share_pid_reaches_nobody(*options):
    """With --share pid no limit, priority, class or CPU of a process outside is changed; the box's own are."""
    with subprocess.Popen(["sleep", "1000"]) as outside:
        try:
            rows = dict(line.split(": ") for line in succeeds("--share", "pid", *options, "--", PYTHON, "-c", OTHERS, str(outside.pid)).lines)
            done = [row for row, how in rows.items() if how == "done"]
            equal(done, [name + " its own" for name in ("prlimit", "nice", "ioprio", "affinity", "class", "parameter")], "what worked")
            equal({row: how for row, how in rows.items() if how not in ("done", "1")}, {}, "refused with another errno")
            free = subprocess.run([PYTHON, "-c", OTHERS, str(outside.pid)], capture_output=True, check=True, text=True)
            equal(free.stdout.count("of another: done"), 6, "control")
        finally:
            outside.kill()


def test_share_list():
    """A list of names shares them all."""
    outside, box = ours(), inodes("--share", "ipc,uts", "--share", "cgroup")
    for name in ("ipc", "uts", "cgroup"):
        equal(box[name], outside[name], name)
    check(box["net"] != outside["net"], "net is shared")


def test_unshare_time():
    """--unshare time makes that one new too."""
    check(inodes("--unshare", "time")["time"] != ours()["time"], "time is shared")


def test_unshare_undoes_share():
    """The last of --share and --unshare of a name wins, or the two are refused as a conflict."""
    got = sandbox("--share", "net", "--unshare", "net", "--", "readlink", "/proc/self/ns/net")
    if got.code == 125:
        matches(got.err, r"error\[E-CONFLICT\]", "stderr")
    else:
        check(got.out.strip() != ours()["net"], "net is shared")


def test_share_mnt():
    """--share mnt keeps the host's files, with the other protections."""
    got = sandbox("--share", "mnt", "--", "/bin/sh", "-c", "readlink /proc/self/ns/mnt; grep CapEff /proc/self/status")
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    equal(got.lines[0], ours()["mnt"], "mount namespace")
    equal(got.lines[1], "CapEff:\t0000000000000000", "capabilities")


@everywhere
def test_network_none():
    """By default there is loopback, up, and no way out."""
    py("""
import errno, socket, sys
assert [n for _, n in socket.if_nameindex()] == ['lo'], socket.if_nameindex()
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
try:
    socket.create_connection(('192.0.2.1', 80), 2); sys.exit('connected')
except OSError as error:
    assert error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH), error
""")


def test_network_none_hides_loopback_services():
    """A server on the host's loopback and an abstract socket of the host cannot be reached."""
    import socket
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0sandbox-test-%d" % os.getpid())
        abstract.listen()
        py("""
import socket, sys
for family, address in ((socket.AF_INET, %r), (socket.AF_UNIX, %r)):
    with socket.socket(family) as client:
        client.settimeout(2)
        try:
            client.connect(address); sys.exit('reached %%r' %% (address,))
        except OSError: pass
""" % (tcp.getsockname(), abstract.getsockname()))


def test_network_host():
    """--network host reaches the host's loopback."""
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        for option in (("--network", "host"), ("--share", "net")):
            py("import socket; socket.create_connection(%r, 5).close()" % (server.getsockname(),), *option)


@needs("unshare")
def test_network_ns():
    """--network ns:PATH joins the namespace that is there."""
    got = in_outer('unshare -n sh -ec \'readlink /proc/self/ns/net; "$SANDBOX" --network ns:/proc/self/ns/net -- readlink /proc/self/ns/net\'')
    if got.code == 0:
        equal(got.lines[0], got.lines[1], "namespace")
    else:
        matches(got.err, r"error\[E-NETNS\]: .*/proc/self/ns/net", "stderr\n%s" % got)


@needs("strace")
def test_network_ns_answer_comes_late():
    """The process that joins the namespace may say so after the box has begun to talk."""
    late = "strace -f -qqq -o /dev/null -e trace=clone3 -e signal=none -e inject=clone3:delay_exit=200000"
    got = in_outer('exec unshare -n %s "$SANDBOX" --network ns:/proc/self/ns/net -- echo in' % late, env={"ASAN_OPTIONS": "detect_leaks=0"})
    if got.code == 0:
        equal(got.out, "in\n", "stdout")
    else:
        matches(got.err, r"error\[E-NETNS\]: .*/proc/self/ns/net", "stderr\n%s" % got)


def test_network_ns_of_another():
    """A network namespace that may not be joined is refused by name."""
    if os.geteuid() == 0:
        raise Skip("root may join any")
    refused("--network", "ns:/proc/%d/ns/net" % os.getpid(), "--", "/bin/true", code="E-NETNS", text="/proc/%d/ns/net" % os.getpid())


@everywhere
def test_hostname():
    """The host name is "sandbox", or what --hostname says; the host's stays."""
    before = os.uname().nodename
    equal(sandbox("--", "hostname").out, "sandbox\n", "default")
    equal(sandbox("--hostname", "other", "--", "hostname").out, "other\n", "asked for")
    equal(os.uname().nodename, before, "the host's")


def test_ipc():
    """System V queues of the host are not seen inside."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.msgget(0x5b0c5, 0o1600)
    try:
        got = py("import ctypes; print(ctypes.CDLL(None).msgget(0x5b0c5, 0))")
        equal(got.out, "-1\n", "the host's queue inside")
    finally:
        libc.msgctl(queue, 0, None)


def test_cgroup_root():
    """Inside, the cgroup path does not tell where the box hangs on the host."""
    for line in sh("cat /proc/self/cgroup").lines:
        equal(line.split(":", 2)[2], "/", "cgroup path")


def test_share_net_has_no_host_sysfs_writes():
    """With the host's network /sys is empty or read-only, never writable."""
    sh("! (: >/sys/x) && ! (: >/sys/power/state)", "--network", "host")


def test_resolver_with_host_network():
    """With the host's network /etc/resolv.conf can be read, also when it is a link into /run."""
    if os.path.exists("/etc/resolv.conf"):
        sh("cat /etc/resolv.conf >/dev/null", "--network", "host")


# ---------------------------------------------------------------- user namespaces inside

UNSHARE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000): sys.exit(os.strerror(ctypes.get_errno()))
print('made')
"""


@everywhere
def test_no_nested_user_namespaces():
    """The command cannot make a user namespace."""
    got = sandbox("--", PYTHON, "-c", UNSHARE)
    lacks(got.out, "made", "stdout")
    check(got.code == 1, "exit status\n%s" % got)


@cases(root=("--root",), more=("--root", "--cap-add", "NET_ADMIN,MKNOD,SYS_NICE"))
def test_no_nested_user_namespaces_as_root(*options):
    """Root inside cannot either, nor raise the limit again."""
    got = sandbox(*options, "--", "/bin/sh", "-c", 'echo 100 >/proc/sys/user/max_user_namespaces; mount -o remount,rw /proc/sys; '
                  'echo 100 >/proc/sys/user/max_user_namespaces; exec %s -c "$1"' % PYTHON, "sh", UNSHARE)
    lacks(got.out, "made", "stdout\n%s" % got)


def test_nested():
    """--nested lets the command make user namespaces and mount a fresh /proc in them."""
    got = sandbox("--nested", "--", "unshare", "-Urpf", "--mount-proc", "/bin/sh", "-c", "echo made; ls -d /proc/[0-9]* | wc -l")
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    equal(got.lines[0], "made", "stdout")
