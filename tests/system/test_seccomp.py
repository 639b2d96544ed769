# SPDX-License-Identifier: MIT
"""The system call filter: it is on everywhere, what it refuses and how, what widens it, and that
what ordinary programs do still works."""

import platform

from box import *

X86 = platform.machine() == "x86_64"
SOCKETS = {"af_alg": "EAFNOSUPPORT", "af_alg-high": "EAFNOSUPPORT", "af_vsock": "EAFNOSUPPORT", "af_packet": "EAFNOSUPPORT",
           "af_tipc-pair": "EAFNOSUPPORT", "netlink-audit": "EPROTONOSUPPORT", "netlink-netfilter": "EPROTONOSUPPORT"}
LIKE_MISSING = ("clone3", "unknown", "uselib")
ALLOWED = ("getpid", "netlink-route")
NESTED = ("clone3", "clone-newuser", "clone-newns", "unshare-newuser", "unshare-newtime", "setns", "mount", "umount2", "pivot_root",
          "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "sethostname")


def answers(*options):
    """{way: {call: errno}} of tests/tools/syscalls in a box."""
    out = succeeds("--show", TOOLS, *options, "--", TOOLS + "/syscalls").out
    ret = {}
    for line in out.splitlines():
        name, way, answer = line.split()
        ret.setdefault(way, {})[name] = answer
    return ret


# of another process that is not there: refused only where there is no PID namespace
OTHERS = {"other-" + name: how for how, names in (("ESRCH", ("prlimit", "priority", "ioprio")), ("EFAULT", ("affinity", "scheduler", "parameter", "attributes")))
          for name in names}


def expected(name):
    if name in SOCKETS or name in OTHERS:
        return {**SOCKETS, **OTHERS}[name]
    return "OK" if name in ALLOWED else "ENOSYS" if name in LIKE_MISSING else "EPERM"


BOXES = {"own": (), "root": ("--root",), "host_network": ("--network", "host"), "new_privs": ("--allow-new-privs",),
         "writable": ("--cwd", "none", "--home", "private"), "limited": ("--cpu-time", "1h", "--limits", "soft")}


@everywhere
@needs("tools")
@cases(**{name: options for name, options in BOXES.items()})
def test_refused(*options):
    """Every dangerous call is refused with the errno that says so, in every kind of box."""
    got = answers("-q", *options)["native"]
    want = {name: expected(name) for name in got}
    if "--root" in options:
        want["chroot"] = "EFAULT"   # root inside keeps CAP_SYS_CHROOT
    equal(got, want, "answers")


@everywhere
@needs("tools")
def test_other_architectures():
    """By int 0x80 and by x32's numbers nothing is there at all, not even getpid."""
    if not X86:
        raise Skip("no other architectures here")
    got = answers("-q")
    for way in ("int80", "x32"):
        equal({name: answer for name, answer in got[way].items() if answer != "ENOSYS"}, {}, way)


@needs("tools")
def test_control():
    """Without the filter the same calls are reached: the test can tell."""
    got = answers("--seccomp", "off")["native"]
    for name in ("clone3", "mount", "chroot", "add_key", "perf_event_open", "userfaultfd", "name_to_handle_at", "mbind", "tiocsti",
                 "personality", "setns", "af_tipc-pair"):
        check(got[name] not in (expected(name), "EPERM", "ENOSYS"), "%s: %s without the filter" % (name, got[name]))


@needs("tools")
def test_multiarch():
    """--multiarch opens the other architectures by the same list, and says what that costs."""
    if not X86:
        raise Skip("no other architectures here")
    got = answers("-q", "--multiarch")
    if got["int80"]["getpid"] == "ENOSYS":
        raise Skip("this kernel runs no 32-bit programs")
    own = ("modify_ldt",)   # allowed there: 16-bit programs
    for way in ("native", "int80"):
        equal({name: answer for name, answer in got[way].items() if answer != expected(name) and name not in own}, {}, way)
    matches(sandbox("--multiarch", "--", "/bin/true").err, r"--multiarch.*socket", "notice")


@needs("tools")
@cases(default=(), multiarch=("--multiarch",), open=("--seccomp", "off"))
def test_share_pid_narrows(*options):
    """With --share pid calls on other processes are refused, by whatever number that the box and the kernel have."""
    got = answers("-q", "--share", "pid", *options)
    for way, how in got.items():
        if way == "native" or how["getpid"] == "OK":
            equal({name: how[name] for name in OTHERS}, dict.fromkeys(OTHERS, "EPERM"), way)
    if not options:
        equal({name: how for name, how in got["native"].items() if name not in OTHERS and how != expected(name)}, {}, "the rest")


@everywhere
@needs("tools")
def test_nested_widens():
    """--nested allows namespaces and mounts, and nothing else."""
    got, plain = answers("-q", "--nested")["native"], answers("-q")["native"]
    for name in NESTED:
        check(got[name] != "ENOSYS", "%s is still refused" % name)
    equal((got["clone3"], got["setns"], got["mount"], got["chroot"]), ("EFAULT", "EBADF", "EFAULT", "EFAULT"), "what is reached")
    equal({name: got[name] for name in got if name not in NESTED}, {name: plain[name] for name in got if name not in NESTED}, "the rest")


@needs("tools")
@cases(chroot=("sys_chroot", "chroot"), clock=("sys_time", "clock_settime"), handles=("dac_read_search", "open_by_handle_at"),
       packets=("net_raw", "af_packet"), audit=("net_admin", "netlink-netfilter"), faults=("sys_ptrace", "userfaultfd"),
       memory=("sys_nice", "move_pages"), events=("perfmon", "perf_event_open"))
def test_capability_widens(cap, name):
    """A capability brings back what it is for."""
    got = answers("-q", "--root", "--cap-add", cap)["native"]
    check(got[name] not in ("EPERM", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENOSYS"), "%s with %s: %s" % (name, cap, got[name]))


@everywhere
@needs("tools")
@cases(own=(), root=("--root",), nested=("--nested",), new_privs=("--allow-new-privs",), multiarch=("--multiarch",))
def test_on(*options):
    """One filter, for the command and for PID 1 alike."""
    out = succeeds("-q", *options, "--", "grep", "-h", "Seccomp:", "/proc/1/status", "/proc/self/status").out
    equal(out.split(), ["Seccomp:", "2"] * 2, "status")


def test_limiter():
    """The soft limiter has one, too."""
    script = "until grep -l sandbox-soft /proc/[0-9]*/comm >name; do :; done; grep Seccomp: $(dirname $(cat name))/status"
    out = succeeds("-q", "--cpu-time", "1h", "--limits", "soft", "-w", "/tmp", "--", "/bin/sh", "-c", script).out
    equal(out.split(), ["Seccomp:", "2"], "its status")


def test_off():
    """--seccomp off: none is added, and the box works."""
    outside = status_of(read("/proc/self/status"))["Seccomp_filters"]
    equal(status_of(succeeds("--seccomp", "off", "--", "cat", "/proc/self/status").out)["Seccomp_filters"], outside, "filters")


@cases(word="maybe", empty="", number="1")
def test_value(value):
    """A filter that does not exist is refused."""
    refused("--seccomp", value, "--", "/bin/true", code="E-VALUE", text="--seccomp")


def test_explained():
    """--explain names the variant and its length."""
    out = succeeds("--explain", "--", "/bin/true").out
    found = re.search(r"^  seccomp +user, (\d+) instructions$", out, re.M)
    check(found and 50 < int(found.group(1)) < 500, out)


THREADS = """
import threading, os
ids = []
workers = [threading.Thread(target=lambda: ids.append(threading.get_native_id())) for _ in range(20)]
[w.start() for w in workers]; [w.join() for w in workers]
print(len(ids))
"""
SOCKET = """
import socket, struct
a, b = socket.socketpair()
a.send(b"x")
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
print(b.recv(1).decode(), socket.if_nameindex())
"""
TRACE = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
pid = os.fork()
if pid == 0:
    libc.ptrace(0, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(7)
os.waitpid(pid, 0)
assert libc.ptrace(7, pid, 0, 0) == 0
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@cases(threads=(THREADS, "20"), sockets=(SOCKET, "x \\[\\(1, 'lo'\\)\\]"), ptrace=(TRACE, "7"))
def test_works(script, want):
    """Threads (clone3 is not there, clone is), sockets, tracing."""
    matches(succeeds("--", PYTHON, "-c", script).out, "^%s\n$" % want, "output")


@needs("strace")
def test_strace():
    """strace follows a shell in the box."""
    out = succeeds("--", "strace", "-f", "-e", "trace=execve", "-o", "/dev/stdout", "/bin/sh", "-c", "/bin/true; :").out
    matches(out, r'execve\("/bin/true"', "trace")


def test_no_address_randomisation():
    """setarch -R works, as gdb and sanitizers need it."""
    equal(succeeds("--", "setarch", "-R", "cat", "/proc/self/personality").out, "00040000\n", "personality")


@modes("user")
def test_nested_three_deep():
    """A box in a box in a box, each with one more filter."""
    show = ("--show", os.path.dirname(os.path.dirname(SANDBOX)), "--cwd", "none", "-q")
    deep = [SANDBOX, "--nested", *show, "--"]
    out = succeeds("--nested", *show, "--", *deep, *deep, SANDBOX, *show, "--", "grep", "Seccomp_filters", "/proc/self/status").out
    equal(out.split(), ["Seccomp_filters:", "4"], "filters")


def test_launcher_does_not_link_it():
    """The launcher does not link libseccomp; the program that compiles filters does."""
    helper = os.path.join(os.path.dirname(SANDBOX), "../helpers/sandbox-seccomp/sandbox-seccomp")
    linked = {}
    for name, path in (("launcher", SANDBOX), ("helper", helper)):
        with open(path, "rb") as file:
            data = file.read()
        linked[name] = b"libseccomp.so" in data or b"seccomp_syscall_resolve_name" in data
    equal(linked, {"launcher": False, "helper": True}, "libseccomp")
