# SPDX-License-Identifier: MIT
"""What the command may do: capabilities, no_new_privs, securebits, keyring, limits, session."""

from box import *

DOCKER_LIKE = ("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "sys_chroot", "net_bind_service", "setfcap")
NUMBER = {"chown": 0, "dac_override": 1, "fowner": 3, "fsetid": 4, "kill": 5, "setgid": 6, "setuid": 7, "setpcap": 8, "net_bind_service": 10,
          "net_admin": 12, "net_raw": 13, "sys_chroot": 18, "sys_admin": 21, "mknod": 27, "setfcap": 31}
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
PRCTL = "import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.prctl(%d, 0, 0, 0, 0))"


def mask(*names):
    return sum(1 << NUMBER[name] for name in names)


def caps(*options, **keywords):
    status = status_of(succeeds(*options, "--", "cat", "/proc/self/status", **keywords).out)
    return {name: int(status[name], 16) for name in SETS}


@everywhere
def test_no_capabilities():
    """The command of an own-uid box has none, in any of the five sets."""
    if os.geteuid() == 0:
        options = ("-u", "1000")
    else:
        options = ()
    equal(caps(*options), dict.fromkeys(SETS, 0), "capabilities")


def test_root_has_the_working_set():
    """Root inside has the usual working set, and nothing is inheritable or ambient."""
    got = caps("--root")
    want = mask(*DOCKER_LIKE)
    equal(got, {"CapInh": 0, "CapPrm": want, "CapEff": want, "CapBnd": want, "CapAmb": 0}, "capabilities")


@cases(plain="net_raw", prefix="CAP_NET_RAW", mixed="Cap_Net_Raw", listed="net_raw,net_admin")
def test_cap_add(names):
    """--cap-add takes names with and without CAP_, in any case, and lists."""
    got = caps("--root", "--cap-add", names)
    extra = mask("net_raw", "net_admin") if "," in names else mask("net_raw")
    equal(got["CapEff"], mask(*DOCKER_LIKE) | extra, "CapEff")
    equal(got["CapBnd"], mask(*DOCKER_LIKE) | extra, "CapBnd")


def test_cap_add_as_own_user():
    """--cap-add in an own-uid box reaches the command, which is not root."""
    got = caps("--cap-add", "net_raw")
    equal(got["CapEff"], mask("net_raw"), "CapEff")
    equal(got["CapBnd"], mask("net_raw"), "CapBnd")


@cases(one=("kill", DOCKER_LIKE[:4] + DOCKER_LIKE[5:]), every=("ALL", ()))
def test_cap_drop(name, left):
    """--cap-drop takes away, from the bounding set too."""
    got = caps("--root", "--cap-drop", name)
    equal(got["CapEff"], mask(*left), "CapEff")
    equal(got["CapBnd"], mask(*left), "CapBnd")


def test_cap_drop_all_add_one():
    """--cap-drop ALL --cap-add NAME leaves exactly that one."""
    equal(caps("--root", "--cap-drop", "ALL", "--cap-add", "chown")["CapPrm"], mask("chown"), "CapPrm")


def test_cap_add_all():
    """--cap-add ALL gives every capability of the box's own user namespace."""
    got = caps("--root", "--cap-add", "ALL")
    check(got["CapEff"] & mask("sys_admin") and got["CapEff"] == got["CapBnd"], "capabilities: %s" % got)


def test_capabilities_mean_nothing_outside():
    """Even with all of them the box's root cannot write a file of the host's root."""
    sh("! (: >/etc/planted); mount -o remount,bind,rw /etc; ! (: >/etc/planted)", "--root", "--cap-add", "ALL")


@everywhere
def test_no_new_privs():
    """no_new_privs is set, always."""
    for options in ((), ("--root",)):
        equal(status_of(succeeds(*options, "--", "cat", "/proc/self/status").out)["NoNewPrivs"], "1", "NoNewPrivs")


def test_allow_new_privs():
    """--allow-new-privs, and only it, leaves no_new_privs off."""
    equal(status_of(succeeds("--allow-new-privs", "--", "cat", "/proc/self/status").out)["NoNewPrivs"], "0", "NoNewPrivs")


def test_securebits_locked():
    """An own-uid box locks its securebits: no process of it can become root with capabilities."""
    bits = int(py(PRCTL % 27).out)
    for bit in (0, 1):   # SECBIT_NOROOT and its lock
        check(bits & 1 << bit, "securebits: %#x" % bits)


def test_securebits_of_root():
    """Root inside keeps plain securebits, so that su and setuid programs work."""
    equal(int(py(PRCTL % 27, "--root").out), 0, "securebits")


@cases(dashes=("no-setuid-fixup,noroot",), underscores=("no_setuid_fixup,noroot",))
def test_securebits(words):
    """--securebits sets exactly the named bits."""
    equal(int(py(PRCTL % 27, "--root", "--securebits", words).out), 1 << 2 | 1, "securebits")


@modes("user", "root", "userns")   # a box refuses keyrings
def test_session_keyring():
    """The caller's session keyring is not the command's."""
    program = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(250, 0, -3, 1))
"""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    outside = libc.syscall(250, 0, -3, 1)
    if outside < 0:
        raise Skip("no keyrings here")
    # without the filter, which would refuse to tell
    inside = int(py(program, "--seccomp", "off").out)
    check(inside > 0 and inside != outside, "the session keyring: %d, outside %d" % (inside, outside))


def test_secret_in_session_keyring():
    """A key the caller holds in its session keyring cannot be found inside."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(250, 1, None)   # KEYCTL_JOIN_SESSION_KEYRING
    key = libc.syscall(248, b"user", b"sandbox-test", b"s3cret", 6, -3)
    if ring < 0 or key < 0:
        raise Skip("no keyrings here")
    got = py("import ctypes; libc = ctypes.CDLL(None); print(libc.syscall(249, b'user', b'sandbox-test', None, 0), libc.syscall(250, 11, %d, None, 0))" % key)
    equal(got.out, "-1 -1\n", "request_key, keyctl read")


@everywhere
def test_core_dumps_are_off():
    """The limit on core files is 0, hard, whatever the caller's was."""
    equal(py("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))").out, "(0, 0)\n", "RLIMIT_CORE")


@everywhere
def test_own_session():
    """The command is in a session of the box's own: kill(0) and setpriority cannot reach the caller."""
    got = py("import os; print(os.getsid(0), os.getpgid(0), os.getpgrp())")
    session, group, _ = map(int, got.out.split())
    check(session > 0 and group > 0, "session %d, group %d lead outside" % (session, group))


def test_kill_zero_stays_inside():
    """kill(0, KILL) inside ends the box and nobody outside."""
    got = sandbox("--", "/bin/sh", "-c", "kill -KILL 0")
    equal(got.code, 137, "exit status\n%s\nvalue" % got)


def test_kill_all_stays_inside():
    """kill(-1, KILL) inside, as root too, ends at most the box."""
    for options in ((), ("--root",)):
        got = sandbox(*options, "--", PYTHON, "-c", "import os, signal\nfor n in (signal.SIGTERM, signal.SIGKILL):\n"
                      "    try: os.kill(-1, n)\n    except ProcessLookupError: pass\nprint('alive')")
        equal(got.code, 0, "exit status\n%s\nvalue" % got)


def test_init_cannot_be_traced():
    """PID 1 gives nothing away: its memory, descriptors, environment and root are closed to the command."""
    for options in ((), ("--root",)):
        got = sandbox(*options, "--", PYTHON, "-c", """
import ctypes, os, sys
for name in ('mem', 'environ', 'maps'):
    try:
        data = open('/proc/1/' + name, 'rb').read(1)
        if data: sys.exit('readable: ' + name)
    except OSError: pass
for name in ('cwd', 'root', 'exe', 'fd/0'):
    try:
        os.readlink('/proc/1/' + name); sys.exit('readable: ' + name)
    except OSError: pass
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, 1, 0, 0) == 0: sys.exit('attached')
""")
        equal(got.code, 0, "exit status with %s\n%s\nvalue" % (options, got))


def test_init_command_line_is_scrubbed():
    """PID 1 shows no path of the host and no argument of the launcher."""
    got = sandbox("-v", folder("telltale") + ":/d", "--", "cat", "/proc/1/cmdline", cwd=folder("work"))
    lacks(got.out, "telltale", "command line of PID 1")


@cases(bpf=(321, (0, 0, 0)), reboot=(169, (0xfee1dead, 672274793, 0)), swapon=(167, (0, 0)),
       settimeofday=(164, (0, 0)), mount=(165, (0, 0, 0, 0, 0)), pivot_root=(155, (0, 0)), setns=(308, (0, 0)))
def test_privileged_calls_fail(number, args):
    """Calls that need privilege fail for the command as they do for an ordinary user."""
    got = py("import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.syscall(%d, %s))" % (number, ", ".join(map(str, args))))
    equal(got.out, "-1\n", "result")


def test_pids_limit():
    """4096 processes at most by default: a fork bomb stays in the box; --pids-limit sets another number."""
    hard = py("import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)[1])").out.strip()
    check(0 < int(hard) <= 4096 + 8, "RLIMIT_NPROC: %s" % hard)
    got = sandbox("--pids-limit", "10", "--", PYTHON, "-c", """
import os, time
n = 0
try:
    while n < 100:
        if os.fork() == 0:
            time.sleep(1000)
        n += 1
except OSError as error:
    print(n, error.errno)
""")
    count, number = map(int, got.out.split())
    check(5 <= count <= 12, "processes: %d" % count)
    equal(number, 11, "errno")


def test_pids_limit_unlimited():
    """--pids-limit unlimited leaves the caller's own limit."""
    import resource
    equal(int(py("import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)[1])", "--pids-limit", "unlimited").out),
          resource.getrlimit(resource.RLIMIT_NPROC)[1], "RLIMIT_NPROC")
