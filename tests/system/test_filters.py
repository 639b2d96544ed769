# SPDX-License-Identifier: MIT
"""System call filters of the user's own: lists, groups, numbers, docker's profiles, the strict filter,
what happens at a refused call, and the cache of what was made."""

import errno
import json
import os
import platform
import shutil
import signal
import stat
import subprocess

from box import (PYTHON, SANDBOX, Failure, cases, check, contains, equal, everywhere, folder, lacks, matches,
                 needs, py, read, refused, sandbox, scratch, sh, start, succeeds, write)

EXIT_SECCOMP = 128 + 31

BIND = """
import errno, socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 0))
    print("bound")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def cache(name="cache"):
    """A cache of this test alone, and the options' environment for it."""
    return {"XDG_CACHE_HOME": folder(name)}


def entries(env):
    base = env["XDG_CACHE_HOME"] + "/sandbox/seccomp"
    return sorted(os.path.join(base, name) for name in os.listdir(base)) if os.path.isdir(base) else []


def profile(rows, default="SCMP_ACT_ALLOW", name="profile.json", **more):
    return write(scratch() + "/" + name, json.dumps({"defaultAction": default, "syscalls": rows, **more}))


def number(name):
    return succeeds("seccomp", "resolve", name).out.split()[1]


# ---------------------------------------------------------------- lists

@everywhere
def test_default_allows_bind():
    """The control: without an option of the user's the call is executed."""
    equal(py(BIND).out, "bound\n")


@everywhere
@cases(name=("bind",), several=("getsockname,bind",), group=("@network-io",), nested=("@known-is-too-much", "refused"))
def test_deny(words, result="EPERM"):
    """--seccomp-deny refuses calls by name and by group."""
    if result == "refused":
        refused("--seccomp-deny", "@knwon", "--", "true", code="E-VALUE", text="no group", fix="did you mean @known",
                env=cache())
        return
    script = BIND if words != "@network-io" else BIND.replace("print(errno", "print(errno")
    equal(py(script, "--seccomp-deny", words, env=cache()).out, result + "\n")


def test_deny_numbers():
    """--seccomp-deny takes numbers of this architecture, as 49,51,47 are on x86-64."""
    numbers = ",".join(number(name) for name in ("bind", "getsockname", "recvmsg"))
    if platform.machine() == "x86_64":
        equal(numbers, "49,51,47")
    equal(py(BIND, "--seccomp-deny", numbers, env=cache()).out, "EPERM\n")
    script = BIND.replace('.bind(("127.0.0.1", 0))', ".getsockname()")
    equal(py(script, "--seccomp-deny", numbers, env=cache()).out, "EPERM\n")


def test_deny_beats_allow():
    """What is denied and allowed is denied, in either order."""
    for order in (("--seccomp-allow", "bind", "--seccomp-deny", "bind"), ("--seccomp-deny", "bind", "--seccomp-allow", "bind")):
        equal(py(BIND, *order, env=cache()).out, "EPERM\n")


def test_allow_widens_default():
    """--seccomp-allow gives back what the default filter refuses."""
    script = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n" \
             "print(libc.syscall(%s, 0, 0, 0, 0, 0) < 0 and ctypes.get_errno())" % number("keyctl")
    equal(py(script).out.strip(), str(errno.EPERM), "without")
    lacks(py(script, "--seccomp-allow", "keyctl", env=cache()).out, "1\n", "with")


def test_off_with_deny():
    """Without the default filter a list is a filter of its own: all else is allowed."""
    equal(py(BIND, "--seccomp", "off", "--seccomp-deny", "bind", env=cache()).out, "EPERM\n")
    seen = py("print(open('/proc/self/status').read())", "--seccomp", "off", "--seccomp-deny", "bind", env=cache()).out
    matches(seen, r"^Seccomp:\s+2$")
    matches(seen, r"^Seccomp_filters:\s+1$")


@cases(
    name=("bnid", "'bnid' is no system call", "did you mean bind"),
    group=("@mont", "'@mont' is no group", "did you mean @mount"),
    number=("99999999", "no number", "resolve"),
    empty=("bind,,mount", "no name", "a list of"),
    sign=("-5", "no name", "a list of"),
    blank=("bind, mount", "no name", "a list of"),
)
def test_bad_list(words, text, fix):
    """A list that makes no sense is refused with the item, the mend and the option."""
    refused("--seccomp-deny=bind", "--seccomp-deny=" + words, "--", "true", code="E-VALUE", text=text, fix=fix,
            origin="--seccomp-deny no. 2", env=cache())


@cases(
    off_allow=(("--seccomp", "off", "--seccomp-allow", "bind"),),
    action_alone=(("--seccomp-action", "kill"),),
    action_off=(("--seccomp", "off", "--seccomp-action", "kill"),),
)
def test_conflicts(options):
    """Options that would do nothing are refused."""
    refused(*options, "--", "true", code="E-CONFLICT")


@cases(word=("paranoid",), near=("strcit",), action=("default", "panic"))
def test_bad_words(value, action=None):
    """Unknown filters and actions are refused."""
    options = ("--seccomp", value) + (("--seccomp-deny", "bind", "--seccomp-action", action) if action else ())
    refused(*options, "--", "true", code="E-VALUE")


@cases(execve=("execve",), group=("@default",), exit=("exit_group",), known=("@known",))
def test_no_start(words):
    """A filter that does not let the command start or end is refused, and names the call."""
    refused("--seccomp-deny", words, "--", "true", code="E-SECCOMP", text="refuses '(execve|exit_group)'", env=cache())


# ---------------------------------------------------------------- what happens at a refused call

@everywhere
def test_kill_is_named():
    """A call that kills is named in one line; the exit status is 159."""
    got = sandbox("--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", BIND, env=cache())
    equal(got.code, EXIT_SECCOMP)
    matches(got.err, r"^sandbox: killed by the seccomp filter: system call 'bind' \(\d+\)$", "stderr")
    equal(got.out, "", "stdout")


def test_kill_in_report():
    """The report has the reason and the call."""
    report = scratch() + "/r.json"
    sandbox("--report", report, "--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", BIND, env=cache())
    seen = json.loads(read(report))
    equal((seen["event"], seen["code"], seen["signal"], seen["reason"], seen["syscall"], seen["syscall_nr"]),
          ("exit", EXIT_SECCOMP, 31, "seccomp", "bind", int(number("bind"))))


@everywhere
def test_kill_of_a_child():
    """Another process of the box that is killed is named too; its parent sees SIGSYS and goes on."""
    script = "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', %r]).returncode)" % BIND
    got = succeeds("--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", script, env=cache())
    equal(got.out, "-31\n")
    matches(got.err, r"^sandbox: process \d+ of the box was killed by the seccomp filter: system call 'bind' \(\d+\)$")


HANDLERS = {
    "ignored": "signal.signal(signal.SIGSYS, signal.SIG_IGN)",
    "blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSYS])",
    "caught": "signal.signal(signal.SIGSYS, lambda *a: print('caught', flush=True))",
}


@cases(**{name: (line,) for name, line in HANDLERS.items()})
def test_kill_cannot_be_put_off(line):
    """A process that blocks, ignores or catches SIGSYS is killed all the same, and does not make the call."""
    script = "import signal\n%s\n%s" % (line, BIND)
    got = sandbox("--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", script, env=cache())
    equal(got.code, EXIT_SECCOMP)
    lacks(got.out, "bound")
    contains(got.err, "system call 'bind'")


def test_kill_of_a_thread():
    """A call by a thread ends the whole process and counts as the command's."""
    script = "import threading, time\ndef f():\n    exec(%r)\nthreading.Thread(target=f).start()\ntime.sleep(30)" % BIND
    got = sandbox("--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", script, env=cache())
    equal(got.code, EXIT_SECCOMP)


def test_many_killed():
    """A box full of killed processes is told in a few lines."""
    script = "import subprocess, sys\nfor p in [subprocess.Popen([sys.executable, '-c', %r]) for i in range(12)]: p.wait()" % BIND
    got = succeeds("--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", script, env=cache())
    equal(got.err.count("was killed by the seccomp filter"), 4, "lines\n%s" % got)
    contains(got.err, "8 more processes")


def test_nested_kill():
    """Inside a box with such a filter a second one cannot name the call; it says so, and kills."""
    inner = ["--seccomp-deny", "bind", "--seccomp-action", "kill", "--", PYTHON, "-c", BIND]
    show = ["--show", os.path.dirname(os.path.dirname(SANDBOX))]
    got = sandbox("--nested", *show, "--seccomp-deny", "listen", "--seccomp-action", "kill", "--", SANDBOX, *inner, env=cache())
    equal(got.code, EXIT_SECCOMP, "exit status\n%s" % got)
    contains(got.err, "cannot be known")


def test_plain_sigsys_is_no_kill():
    """Without a filter that kills, SIGSYS is a signal like any other."""
    report = scratch() + "/r.json"
    got = sandbox("--report", report, "--", "sh", "-c", "kill -SYS $$")
    equal((got.code, json.loads(read(report))["reason"]), (EXIT_SECCOMP, "signaled"))


def test_log_executes():
    """--seccomp-action log lets calls through, and says so."""
    got = succeeds("--seccomp-deny", "bind", "--seccomp-action", "log", "--", PYTHON, "-c", BIND, env=cache())
    equal(got.out, "bound\n")
    contains(got.err, "are executed")


def test_pid_1_is_not_hit():
    """What PID 1 needs may be denied to the command: it has a filter of its own."""
    denied = "poll,ppoll,wait4,waitid,read,recvmsg,sendmsg,kill,nanosleep,clock_nanosleep,close,dup3,fcntl,rt_sigprocmask"
    write(scratch() + "/t.c", "int main(void) { return 7; }")
    binary = scratch() + "/t"
    if not shutil.which("gcc") or subprocess.run(["gcc", "-static", "-o", binary, scratch() + "/t.c"], check=False).returncode:
        raise Failure("gcc is needed")
    equal(sandbox("--seccomp-deny", denied, "--", "./t", env=cache()).code, 7)


# ---------------------------------------------------------------- strict

def test_strict_computes():
    """The strict filter lets programs read, compute and write, also when refused calls kill."""
    for action in ((), ("--seccomp-action", "kill")):
        got = succeeds("--seccomp", "strict", *action, "--", "sort", "-r", stdin="a\nc\nb\n", env=cache())
        equal(got.out, "c\nb\na\n")
        got = succeeds("--seccomp", "strict", *action, "--", PYTHON, stdin="print(sum(range(10)))\n", env=cache())
        equal(got.out, "45\n")
        got = succeeds("--seccomp", "strict", *action, "--", PYTHON, env=cache(),
                       stdin="import threading\nt = threading.Thread(target=print, args=('t',)); t.start(); t.join()\n")
        equal(got.out, "t\n")


@cases(
    write=("open('new', 'w')",),
    append=("open('there', 'a')",),
    remove=("__import__('os').unlink('there')",),
    fork=("__import__('os').fork()",),
    socket=("__import__('socket').socket()",),
    signal=("__import__('os').kill(1, 0)",),
    group=("__import__('os').killpg(0, 0)",),
    queue=("__import__('ctypes').CDLL(None).sigqueue(__import__('os').getpid(), 0, None) == 0 or 1/0",),
    owner=("__import__('fcntl').fcntl(0, 8, __import__('os').getpid())",),
    owner_ex=("__import__('fcntl').fcntl(0, 15, __import__('struct').pack('ii', 1, __import__('os').getpid()))",),
    mode=("__import__('os').chmod('there', 0o777)",),
    namespace=("__import__('ctypes').CDLL(None).unshare(0x10000000) == 0 or 1/0",),
)
def test_strict_refuses(expression):
    """The strict filter refuses what changes names or files, starts processes, opens sockets or signals by number."""
    write(scratch() + "/there", "x")
    got = sandbox("--seccomp", "strict", "--", PYTHON, "-c", expression, env=cache())
    equal(got.code, 1, "exit status\n%s" % got)
    equal(sorted(name for name in os.listdir(scratch()) if name in ("new", "there")), ["there"])
    control = sandbox("--", PYTHON, "-c", expression)
    if "unshare" not in expression:
        equal(control.code, 0, "the control\n%s" % control)


@needs("landlock6")
def test_strict_tgkill():
    """tgkill() is what the strict filter leaves to abort() and raise(): it reaches the program itself, and no process outside."""
    program = """
import ctypes, os, signal, sys
libc, me = ctypes.CDLL(None, use_errno=True), os.getpid()
def reached(pid): return libc.tgkill(pid, pid, 0) == 0
signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
signal.raise_signal(signal.SIGUSR1)
print(reached(me), [pid for pid in map(int, sys.argv[1:]) if reached(pid)], flush=True)
os.abort()
"""
    with subprocess.Popen(["sleep", "1000"]) as outside:
        try:
            pids = [str(pid) for pid in (os.getpid(), outside.pid)]
            for options in ((), ("--share", "pid")):
                got = sandbox(*options, "--seccomp", "strict", "--", PYTHON, "-c", program, *pids, env=cache())
                equal((got.code, got.out), (134, "handled\nTrue []\n"), "%s\n%s\nvalue" % (options, got))
        finally:
            outside.kill()


def test_strict_widened():
    """--seccomp-allow adds to the strict filter."""
    refused_at = sandbox("--seccomp", "strict", "--", "sh", "-c", "true | true", env=cache())
    check(refused_at.code != 0, "fork is refused\n%s" % refused_at)
    succeeds("--seccomp", "strict", "--seccomp-allow", "clone,wait4", "--", "sh", "-c", "true | true", env=cache())


# ---------------------------------------------------------------- profiles

def test_profile_denies():
    """A profile in JSON is in force: action, errno, arguments."""
    rows = [{"names": ["bind"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EHOSTDOWN}]
    equal(py(BIND, "--seccomp", profile(rows), env=cache()).out, "EHOSTDOWN\n")


def test_profile_kills():
    """A profile's kill is named as well."""
    rows = [{"names": ["bind"], "action": "SCMP_ACT_KILL_PROCESS"}]
    got = sandbox("--seccomp", profile(rows), "--", PYTHON, "-c", BIND, env=cache())
    equal(got.code, EXIT_SECCOMP)
    contains(got.err, "system call 'bind'")


DUP = "import os\nfor fd in (40, 41, 42, 43):\n    try:\n        os.dup2(1, fd); print(fd, end=' ')\n" \
      "    except OSError: pass\n"


@cases(
    eq=([("EQ", 41)], "40 42 43"), ne=([("NE", 41)], "41"), lt=([("LT", 42)], "42 43"), le=([("LE", 42)], "43"),
    gt=([("GT", 41)], "40 41"), ge=([("GE", 41)], "40"),
    masked=([("MASKED_EQ", 1, 1)], "40 42"),
    wide=([("LT", (1 << 63) + 5)], ""), widest=([("MASKED_EQ", (1 << 64) - 1, 41)], "40 42 43"),
    either=([("EQ", 40), ("EQ", 42)], "41 43"),
)
def test_profile_args(conditions, left):
    """Every comparison; two of one argument are alternatives, as runc has them."""
    args = [{"index": 1, "op": "SCMP_CMP_" + c[0], "value": c[1], "valueTwo": c[2] if len(c) > 2 else 0} for c in conditions]
    rows = [{"names": ["dup2"], "action": "SCMP_ACT_ERRNO", "args": args}]
    write(scratch() + "/x", "")
    equal(py(DUP, "--seccomp", profile(rows), env=cache()).out.strip(), left)


@cases(
    includes_caps=({"includes": {"caps": ["CAP_SYS_TIME"]}}, "bound"),
    excludes_caps=({"excludes": {"caps": ["CAP_SYS_TIME"]}}, "EPERM"),
    includes_kernel=({"includes": {"minKernel": "99.1"}}, "bound"),
    excludes_kernel=({"excludes": {"minKernel": "4.8"}}, "bound"),
    includes_arch=({"includes": {"arches": ["s390x"]}}, "bound"),
    includes_own=({"includes": {"arches": ["amd64", "arm64", "riscv64"]}}, "EPERM"),
    nothing=({"includes": {}, "excludes": None, "comment": "", "args": None}, "EPERM"),
)
def test_profile_conditions(more, result):
    """Docker's includes and excludes decide whether an entry counts."""
    rows = [{"name": "bind", "action": "SCMP_ACT_ERRNO", **more}]
    equal(py(BIND, "--seccomp", profile(rows), env=cache()).out, result + "\n")


def test_profile_capability_held():
    """With the capability the entry counts."""
    rows = [{"name": "bind", "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_SYS_TIME"]}}]
    equal(py(BIND, "--cap-add", "SYS_TIME", "--seccomp", profile(rows), env=cache()).out, "EPERM\n")


def test_profile_oci():
    """The seccomp part of an OCI bundle's config.json is found."""
    inner = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
             "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [{"names": ["bind"], "action": "SCMP_ACT_ERRNO"}]}
    path = write(scratch() + "/config.json", json.dumps({"ociVersion": "1.0", "linux": {"seccomp": inner}}))
    equal(py(BIND, "--seccomp", path, env=cache()).out, "EPERM\n")


def test_profile_and_lists():
    """Lists stand in front of a profile."""
    path = profile([{"names": ["bind"], "action": "SCMP_ACT_ERRNO"}])
    equal(py(BIND, "--seccomp", path, "--seccomp-allow", "bind", env=cache()).out, "bound\n")


def test_profile_by_pipe():
    """A profile may come by a pipe."""
    text = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO"}]}'
    got = succeeds("--seccomp", "/dev/stdin", "--", PYTHON, "-c", BIND, stdin=text, env=cache())
    equal(got.out, "EPERM\n")


@cases(
    action=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_FOO"}]}',
            r"syscalls\[0\]\.action: 'SCMP_ACT_FOO' is no action"),
    notify=('{"defaultAction":"SCMP_ACT_NOTIFY"}', "defaultAction: 'SCMP_ACT_NOTIFY' is no action"),
    key=('{"defaultAction":"SCMP_ACT_ALLOW","syscals":[]}', "the key 'syscals' is not known"),
    deep_key=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","action":"SCMP_ACT_ALLOW"},{"nmaes":[]}]}',
              r"syscalls\[1\]: the key 'nmaes' is not known"),
    no_default=('{"syscalls":[]}', "defaultAction: it is missing"),
    both_names=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","names":["bind"],"action":"SCMP_ACT_ERRNO"}]}',
                "both name and names"),
    errno=('{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":70000}', "defaultErrnoRet: a number from 0 to 4095"),
    index=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}',
           r"syscalls\[0\]\.args\[0\]\.index: a number from 0 to 5"),
    too_wide=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":18446744073709551616,'
              '"op":"SCMP_CMP_EQ"}]}]}', "line 1, column"),
    wide_index=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","args":[{"index":18446744073709551615,'
                '"op":"SCMP_CMP_EQ"}]}]}', r"index: a number from 0 to 5"),
    op=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"EQ"}]}]}',
        "'EQ' is no comparison"),
    capability=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_X"]}}]}',
                "'CAP_X' is no capability"),
    kernel=('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","includes":{"minKernel":"new"}}]}',
            "'new' is no version"),
    flag=('{"defaultAction":"SCMP_ACT_ALLOW","flags":["X"]}', "flags: 'X' is no flag"),
    arch=('{"defaultAction":"SCMP_ACT_ALLOW","architectures":["amd64"]}', "a name such as SCMP_ARCH_X86_64"),
    twice=('{"defaultAction":"SCMP_ACT_ALLOW","defaultAction":"SCMP_ACT_ALLOW"}', "line 1, column"),
    syntax=('{"defaultAction":\n "SCMP_ACT_ALLOW",,}', "line 2, column"),
    empty=("", "line 1"), array=("[]", "an object"), number=("7", "line 1"),
    deep=("[" * 5000, "line 1"), nul=('{"defaultAction":"SCMP_ACT_ALLOW\\u0000"}', "line 1"),
)
def test_bad_profile(text, cause):
    """A profile that cannot be used is refused with file and place; nothing is stored."""
    env = cache()
    path = write(scratch() + "/bad.json", text)
    refused("--seccomp", path, "--", "true", code="E-SECCOMP", text=cause, origin="--seccomp", env=env)
    equal(entries(env), [])


@cases(missing=("./none.json", "E-FILE"), folder=("./", "E-FILE"), word=("none", "E-VALUE"))
def test_no_profile(name, code):
    """A profile that is not there is named."""
    refused("--seccomp", name, "--", "true", code=code, env=cache())


def test_large_profile():
    """More than 1 MiB is refused."""
    path = write(scratch() + "/large.json", "[" + " " * (1 << 20) + "]")
    refused("--seccomp", path, "--", "true", code="E-FILE", text="1 MiB", env=cache())


def test_unknown_call_slips():
    """A call that a profile would refuse, but nobody here knows, is told."""
    path = profile([{"names": ["bind", "from_the_future"], "action": "SCMP_ACT_ERRNO"}])
    for _ in range(2):   # made, and from the cache
        got = succeeds("--seccomp", path, "--", "true", env=cache())
        contains(got.err, "from_the_future")


# ---------------------------------------------------------------- the cache

def test_cache_is_used():
    """One entry a filter, private, and not made again."""
    env = cache()
    equal(py(BIND, "--seccomp-deny", "bind", env=env).out, "EPERM\n")
    first = entries(env)
    equal(len(first), 1)
    info = os.stat(first[0])
    equal(stat.S_IMODE(info.st_mode), 0o600)
    equal(stat.S_IMODE(os.stat(os.path.dirname(first[0])).st_mode), 0o700)
    equal(py(BIND, "--seccomp-deny", "bind", env=env).out, "EPERM\n")
    equal((entries(env), os.stat(first[0]).st_ino), (first, info.st_ino))
    py(BIND, "--seccomp-deny", "bind,listen", env=env)
    equal(len(entries(env)), 2)


DAMAGE = {
    "empty": lambda data: b"",
    "short": lambda data: data[:-8],
    "long": lambda data: data + b"\0" * 8,
    "magic": lambda data: b"X" + data[1:],
    "length": lambda data: data[:8] + b"\xff" * 8 + data[16:],
    "key": lambda data: data[:16] + b"0" * 64 + data[80:],
    "digest": lambda data: data[:80] + b"0" * 64 + data[144:],
    "program": lambda data: data[:-4] + b"\x00\x00\xff\x7f",
    "text": lambda data: b"hello\n",
}


@cases(**{name: (name,) for name in DAMAGE})
def test_cache_damaged(kind):
    """A damaged entry is made again, and never used."""
    env = cache()
    py(BIND, "--seccomp-deny", "bind", env=env)
    path, = entries(env)
    with open(path, "rb") as file:
        good = file.read()
    with open(path, "wb") as file:
        file.write(DAMAGE[kind](good))
    equal(py(BIND, "--seccomp-deny", "bind", env=env).out, "EPERM\n")
    with open(path, "rb") as file:
        check(file.read() == good, "the entry is whole again")


def test_cache_of_another():
    """An entry under the wrong key is not taken, whole as it is."""
    env = cache()
    py(BIND, "--seccomp-deny", "listen", env=env)
    other, = entries(env)
    py(BIND, "--seccomp-deny", "bind", env=env)
    path, = (p for p in entries(env) if p != other)
    shutil.copy(other, path)
    equal(py(BIND, "--seccomp-deny", "bind", env=env).out, "EPERM\n")


@cases(entry=("entry",), writable=("writable",), folder=("folder",), parent=("parent",), base=("base",), fifo=("fifo",))
def test_cache_not_ours(kind):
    """Links, directories others may write to, and what is no file are not used; the run works."""
    env = cache()
    options = ("--seccomp-deny", "bind")
    py(BIND, *options, env=env)
    path, = entries(env)
    base, elsewhere = os.path.dirname(path), folder("elsewhere")
    if kind == "entry":
        os.rename(path, elsewhere + "/x")
        os.symlink(elsewhere + "/x", path)
    elif kind == "writable":
        os.chmod(path, 0o666)
    elif kind == "fifo":
        os.unlink(path)
        os.mkfifo(path)
    elif kind == "folder":
        os.rename(base, elsewhere + "/d")
        os.symlink(elsewhere + "/d", base)
    elif kind == "parent":
        os.chmod(base, 0o777)
    else:
        shutil.rmtree(env["XDG_CACHE_HOME"])
        write(env["XDG_CACHE_HOME"], "a file")
    equal(py(BIND, *options, env=env).out, "EPERM\n")
    if kind == "entry":
        check(os.path.isfile(path) and not os.path.islink(path), "a file is in the link's place")


@cases(read_only=("read-only",), relative=("relative",), nowhere=("nowhere",))
def test_no_cache(kind):
    """Without a cache the filter is made each time; that is no failure."""
    base = folder("cache")
    env = {"XDG_CACHE_HOME": base}
    if kind == "read-only":
        os.chmod(base, 0o500)
    elif kind == "relative":
        env = {"XDG_CACHE_HOME": "cache", "HOME": folder("home")}
    else:
        env = {"XDG_CACHE_HOME": "/proc/none", "HOME": "/nonexistent"}
    equal(py(BIND, "--seccomp-deny", "bind", env=env).out, "EPERM\n")
    os.chmod(base, 0o700)
    if kind != "relative":
        equal(os.listdir(base), [])
    else:
        equal(os.listdir(scratch() + "/home/.cache/sandbox"), ["seccomp"])


def test_cache_concurrent():
    """Many at once: each has the filter, one entry is left, and no part of one."""
    env = cache()
    runs = [start("--seccomp-deny", "bind", "--", PYTHON, "-c", BIND, env=env, stdout=subprocess.PIPE,
                  stderr=subprocess.PIPE) for _ in range(8)]
    for run in runs:
        out, err = run.communicate(timeout=60)
        equal((run.returncode, out), (0, b"EPERM\n"), err)
    equal([os.path.basename(p).startswith(".") for p in entries(env)], [False])


def test_cache_bounded():
    """The cache does not grow without end."""
    env = cache()
    base = env["XDG_CACHE_HOME"] + "/sandbox/seccomp"
    os.makedirs(base, mode=0o700)
    os.chmod(os.path.dirname(base), 0o700)
    for i in range(80):
        write("%s/%064d" % (base, i), "x")
        os.utime("%s/%064d" % (base, i), (i, i))
    write(base + "/.tmp-1-00000000", "left by a killed run")
    os.utime(base + "/.tmp-1-00000000", (1, 1))
    py(BIND, "--seccomp-deny", "bind", env=env)
    left = [os.path.basename(p) for p in entries(env)]
    check(len(left) <= 64, "%d entries are left" % len(left))
    lacks(" ".join(left), ".tmp")


def test_helper_missing():
    """Without the helper a filter of one's own is refused with the mend; what the cache has works, and so
    does the default filter."""
    binary = folder("alone") + "/sandbox"
    shutil.copy(SANDBOX, binary)
    got = subprocess.run([binary, "--seccomp-deny", "bind", "--", "true"], capture_output=True, text=True, check=False,
                         cwd=scratch(), env={"PATH": "/usr/bin:/bin", "HOME": scratch(), **cache()})
    if "is not installed" not in got.stderr and got.returncode == 0:
        return   # one is installed where this build looks last
    equal(got.returncode, 125)
    matches(got.stderr, r"error\[E-SECCOMP\]")
    contains(got.stderr, "sandbox-seccomp is not installed")
    equal(subprocess.run([binary, "--cwd", "none", "--", "true"], check=False, cwd=scratch(),
                         env={"PATH": "/usr/bin:/bin", "HOME": scratch()}).returncode, 0)


@cases(hangs=("exec sleep 60", "more than 5 seconds"), nonsense=("echo hello", "makes no sense"),
       dies=("kill -9 $$", "without an answer"),
       lies=("printf 'sandbox-seccomp 1 1 0\\nlibrary 1 1 1 1 /x\\n\\n12345678'", "makes no sense"))
def test_helper_bad(script, cause):
    """A helper that hangs, dies or answers nonsense is an error, in bounded time."""
    root = folder("tree")
    os.makedirs(root + "/bin")
    os.makedirs(root + "/libexec/sandbox")
    shutil.copy(SANDBOX, root + "/bin/sandbox")
    write(root + "/libexec/sandbox/sandbox-seccomp", "#!/bin/sh\n" + script + "\n", 0o755)
    got = subprocess.run([root + "/bin/sandbox", "--seccomp-deny", "bind", "--", "true"], capture_output=True, text=True,
                         check=False, cwd=scratch(), timeout=60, env={"PATH": "/usr/bin:/bin", "HOME": scratch(), **cache()})
    equal(got.returncode, 125, "exit status\n%s" % got.stderr)
    matches(got.stderr, r"error\[E-SECCOMP\]")
    contains(got.stderr, cause)


# ---------------------------------------------------------------- with other options

def test_allow_new_privs():
    """With --allow-new-privs the filter is loaded as well, and no capability is left over."""
    script = BIND + "print([l for l in open('/proc/self/status') if l.startswith(('CapPrm', 'CapEff', 'Seccomp:'))])"
    got = py(script, "--allow-new-privs", "--seccomp-deny", "bind", env=cache())
    matches(got.out, r"^EPERM$")
    contains(got.out, "CapPrm:\\t0000000000000000")
    contains(got.out, "CapEff:\\t0000000000000000")
    contains(got.out, "Seccomp:\\t2")


def test_capability_precise():
    """A capability widens the default filter by what belongs to it alone."""
    script = "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n" \
             "libc.syscall(%s, -1, 0, 0); print(ctypes.get_errno())\n" \
             "libc.syscall(%s, -1, 0); print(ctypes.get_errno())" % (number("bpf"), number("clock_settime"))
    got = py(script, "--cap-add", "SYS_TIME", env=cache()).lines
    equal(got[0], str(errno.EPERM), "bpf")
    check(got[1] != str(errno.EPERM), "clock_settime reaches the kernel: %s" % got)


def test_profile_key():
    """The options are keys of profiles."""
    path = write(scratch() + "/p.conf", "[sandbox]\nseccomp-deny=bind;@mount\nseccomp-action=kill\n")
    got = sandbox("--profile", path, "--", PYTHON, "-c", BIND, env=cache())
    equal(got.code, EXIT_SECCOMP)


def test_not_found_under_filter():
    """A command that is not there is told as ever; nothing of looking for it is hit by the filter."""
    denied = "access,faccessat,faccessat2,stat,newfstatat,open,openat,read,close"
    refused("--seccomp-deny", denied, "--seccomp-action", "kill", "--", "no-such-command", code="E-NOT-FOUND", status=127,
            env=cache())
    write(scratch() + "/script", "echo from a shell\n", 0o755)
    equal(succeeds("--seccomp-deny", "mount", "--", "./script", env=cache()).out, "from a shell\n")


# ---------------------------------------------------------------- the verb

def test_list():
    """`sandbox seccomp list` prints groups, and their members."""
    groups = succeeds("seccomp", "list").lines
    check(any(line.startswith("@mount ") for line in groups), groups)
    members = succeeds("seccomp", "list", "@mount").out
    matches(members, r"^\d+ +pivot_root$")
    for line in groups:
        check(succeeds("seccomp", "list", line.split()[0]).lines, line)


def test_resolve():
    """`sandbox seccomp resolve` goes both ways."""
    for name in ("bind", "openat", "futex"):
        back = succeeds("seccomp", "resolve", number(name)).out.split()
        equal(back, [number(name), name])
    refused("seccomp", "resolve", "bnid", code="E-SECCOMP", fix="did you mean bind")


def test_check():
    """`sandbox seccomp check` says what a filter means, and starts nothing."""
    got = succeeds("seccomp", "check", "bind,@mount").out
    matches(got, r"^default action +errno")
    contains(got, "refused, but allowed by the default filter:\n    bind\n")
    path = profile([{"names": ["nonsense"], "action": "SCMP_ACT_ALLOW"}, {"name": "execve", "action": "SCMP_ACT_ERRNO"}],
                   default="SCMP_ACT_ERRNO")
    got = succeeds("seccomp", "check", path).out
    contains(got, "nonsense")
    contains(got, "warning: execve is refused")
    got = succeeds("seccomp", "check", "--seccomp", "strict").out
    contains(got, "fork")
    refused("seccomp", "check", "bnid", code="E-SECCOMP")


@cases(nothing=((),), unknown=(("nonsense",),), short=(("resolve",),), file=(("check", "./none.json"),))
def test_verb_misused(words):
    """Misuse of the verb is told."""
    refused("seccomp", *words, code=("E-USAGE", "E-FILE"))


def test_explain():
    """--explain shows which filter, and from where."""
    got = succeeds("--explain", "--seccomp", "strict", "--seccomp-deny", "bind", "--", "true", env=cache()).out
    matches(got, r"^  filter +--base strict --deny bind cache='.*/cache'")
    matches(got, r"^  seccomp +strict, as made")
