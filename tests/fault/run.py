#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes one system call of a run fail and looks at what comes of it.

    tests/fault/run.py [--sandbox FILE] [--failed-only] [PATTERN...]

For every row of the tables: either the run goes on by a documented fallback, and then the command
finds itself as confined as ever; or it is refused with 125 and one error that carries the errno
and names the stage, and the command never started. In both cases nothing is left behind.

Two ways of failing: `deny` (a seccomp filter; every use of the call fails, no privilege needed) and
strace's injection (the N-th use in each process fails). A case is named WAY.VIEW.CALL.ERRNO[.N].

A call that is skipped while success is claimed for it is refused: see FEIGNED."""

import ctypes
import os
import re
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(here, "../system"), os.path.join(here, "..")]

import harness  # noqa: E402

# Which call, with which errnos. "@": only where an argument has that value (see tests/tools/deny.c).
COMMON = ("EPERM", "ENOSYS", "ENOMEM")
SPACE = COMMON + ("ENOSPC",)
DENIED = {
    # namespaces
    "clone3": SPACE + ("EINVAL", "EUSERS", "EAGAIN"), "unshare": SPACE, "setns": COMMON, "clone@newns": SPACE,
    # the tree
    "openat2": ("EPERM", "ENOSYS", "ENOMEM", "EAGAIN"), "open_tree": SPACE, "move_mount": COMMON, "mount_setattr": COMMON, "fsopen": COMMON,
    "fsconfig": COMMON, "fsmount": SPACE, "fspick": COMMON, "mount": SPACE, "umount2": COMMON, "pivot_root": COMMON,
    "mkdirat": SPACE, "symlinkat": SPACE, "mknodat": SPACE, "chdir": ("ENOMEM", "EACCES"), "fchdir": ("ENOMEM", "EACCES"),
    "memfd_create": SPACE, "fchmod": COMMON, "fchmodat": COMMON, "statx": COMMON, "fstatfs": COMMON,
    # identity and lock-down
    "setresuid": COMMON, "setresgid": COMMON, "setgroups": COMMON, "setsid": COMMON, "keyctl": COMMON, "keyctl@1": COMMON, "capset": COMMON, "capget": COMMON,
    "prctl@1": COMMON, "prctl@4": COMMON, "prctl@8": COMMON, "prctl@24": COMMON + ("EINVAL",), "prctl@28": COMMON, "prctl@38": COMMON, "prctl@47": COMMON,
    "prlimit64@1:4": COMMON, "prlimit64@1:6": COMMON, "setrlimit": COMMON, "sethostname": COMMON, "close_range": COMMON, "setpriority": COMMON,
    # the two processes
    "socketpair": COMMON + ("EMFILE",), "signalfd4": COMMON + ("EMFILE",), "timerfd_create": COMMON, "pidfd_open": COMMON, "pidfd_send_signal": COMMON,
    "sendmsg": COMMON, "recvmsg": COMMON, "socket@16": COMMON, "ppoll": ("ENOMEM",), "poll": ("ENOMEM",), "waitid": ("ENOMEM",), "setpgid": ("EPERM",),
    "getrandom": ("ENOSYS",), "landlock_create_ruleset": COMMON, "landlock_create_ruleset@2:0": COMMON,
    "landlock_add_rule": COMMON, "landlock_restrict_self": COMMON + ("E2BIG",),
    "seccomp": COMMON + ("EINVAL", "EACCES"),
}
# Skipped while success is claimed, as filters do that feign root: the run is refused. In the views
# named: in the others nothing makes the call.
BOXES = ("host", "full", "rootfs", "identity")
FEIGNED = {
    "capset": BOXES + ("caps",), "setresuid": ("identity",), "setresgid": ("identity",), "setgroups": ("identity",), "prctl@8": ("identity",),
    "setsid": BOXES, "keyctl": BOXES + ("open",), "keyctl@1": BOXES + ("open",), "prctl@1": BOXES, "prctl@24": BOXES,
    "prctl@28": ("host", "full", "identity"),
    "prctl@4": ("host", "full", "rootfs"),   # a change of user has done it already
    "prctl@38": ("identity", "bare"),   # elsewhere `deny` itself has
    "prctl@47": BOXES + ("caps",),
    "openat2": BOXES, "open_tree": BOXES, "move_mount": BOXES, "fsopen": BOXES, "fsconfig": BOXES, "fsmount": BOXES,
    "pivot_root": BOXES, "umount2": BOXES,
    "mount_setattr": BOXES, "landlock_restrict_self": BOXES, "seccomp": BOXES + ("own", "kill"),
    # as some filters look at more: with a listener or without, with the submounts or for one mount
    "seccomp@1:0": BOXES + ("own",), "seccomp@1:8": ("kill",), "mount_setattr@2:0x1000": BOXES, "mount_setattr@2:0x9000": BOXES,
}
# Only these go on, and then the command finds itself as confined as ever.
HARMLESS = dict.fromkeys((("prctl@47", view) for view in BOXES),
                         "nothing is to be ambient, and capset(2) alone makes that so; what it did is read back")
INJECTED = {
    "openat2": ("EPERM", "ENOMEM"), "open_tree": ("EPERM", "ENOMEM"), "move_mount": ("EPERM", "EBUSY"), "mount_setattr": ("EPERM", "EINVAL"),
    "fsopen": ("EPERM",), "fsconfig": ("EPERM", "ENOMEM"), "fsmount": ("EPERM", "ENOSPC"), "mkdirat": ("ENOSPC",), "symlinkat": ("ENOSPC",),
    "prctl": ("EPERM", "EINVAL"), "prlimit64": ("EPERM",), "openat": ("EMFILE", "EACCES"), "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOMEM"),
    "vfork": ("EAGAIN",), "fork": ("EAGAIN",), "sendmsg": ("ENOMEM", "EINTR"), "recvmsg": ("ENOMEM", "EINTR"), "socketpair": ("EMFILE",),
    "signalfd4": ("EMFILE",), "keyctl": ("ENOMEM",), "capset": ("EPERM",), "close_range": ("EPERM",), "dup3": ("EBUSY", "EMFILE"), "dup2": ("EBUSY",),
    "fcntl": ("EMFILE",), "setsid": ("EPERM",), "sethostname": ("EPERM",), "pivot_root": ("EINVAL",), "umount2": ("EBUSY",),
    "mmap": ("ENOMEM",), "write": ("ENOSPC", "EINTR"), "read": ("EIO", "EINTR"), "ppoll": ("EINTR",), "poll": ("EINTR",),
    "waitid": ("EINTR",), "landlock_add_rule": ("ENOMEM",), "landlock_restrict_self": ("EPERM",),
}
TIMES = (1, 2, 3, 5, 8)

# Calls whose failure nothing makes up for, and that the command cannot notice by itself: how many layers of
# Landlock it has it finds out by the calls that fail.
NO_FALLBACK = ("seccomp", "mount_setattr", "keyctl@1", "landlock_restrict_self", "landlock_add_rule", "landlock_create_ruleset@2:0")

# Where the other side tells of it: it sees the wire closed, and no more.
WIRE = ("sendmsg", "recvmsg", "poll", "ppoll")
# Where PID 1 ends without a word, since its descriptors are being put in order.
INIT = ("dup2", "dup3")
# Before the first stage the launcher prepares itself: the object is named, a stage there is none.
LAUNCHER = ("prctl@4", "socketpair", "signalfd4")
# Before the options are known there is no status descriptor to write to.
EARLY = ("close_range", "fcntl")

# What the command checks of its own confinement. "confined" is printed only at the end. The arguments
# are those of wanted_inside().
INSIDE = r"""
import ctypes, errno, os, re, sys
open('ran', 'w').close()
outside, caps, filters, securebits, keyring, layers, *full = sys.argv[1:]
problems = []
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    result = libc.syscall(*map(ctypes.c_long, args))
    return result if result >= 0 else -ctypes.get_errno()
def again(function, *args):  # one failure may have been injected
    return next((result for result in (function(*args) for _ in range(3)) if result >= 0), -1)
status = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())
for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
    if int(status[name], 16) != int(caps, 16): problems.append(name + status[name])
if status['NoNewPrivs'].strip() != '1': problems.append('no_new_privs is off')
if status.get('Seccomp_filters', filters).strip() != filters: problems.append('filters:' + status['Seccomp_filters'])
if again(libc.prctl, 27, 0, 0, 0, 0) != int(securebits, 16): problems.append('securebits')
if keyring != '-':
    ring = call(KEYCTL, 0, -3, 0)
    if ring == int(keyring) or ring < 0 and ring != -errno.ENOSYS: problems.append('session keyring: %d' % ring)
for line in outside.split():
    kind, inode = line.split('=')
    if os.readlink('/proc/self/ns/' + kind) == inode: problems.append('shared: ' + kind)
for target in ('/usr', '/etc', '/proc/sys', '/sys'):
    if os.path.isdir(target):
        try:
            os.close(os.open(target + '/planted', os.O_CREAT | os.O_WRONLY)); problems.append('writable: ' + target)
        except OSError: pass
if os.path.exists('/boot') or os.path.exists('/mnt'): problems.append('the host is visible')
import resource
if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0): problems.append('core files')
if not 0 < resource.getrlimit(resource.RLIMIT_NPROC)[1] <= 5000: problems.append('processes: %r' % (resource.getrlimit(resource.RLIMIT_NPROC),))
if os.getsid(0) <= 0 or os.getpgrp() <= 0: problems.append('session of the caller')
if os.getppid() != 1: problems.append('not below PID 1')
if os.uname().nodename != 'sandbox': problems.append('host name')
try:
    limit = open('/proc/sys/user/max_user_namespaces').read().strip()
    if limit != '0': problems.append('user namespaces: ' + limit)
except OSError: pass
fds = sorted(int(n) for n in os.listdir('/proc/self/fd'))
if len(fds) > 4: problems.append('descriptors: %s' % fds)
for volume in ('/made/volume/file', '/made/text', '/run/secrets/key'):
    if full and not os.path.exists(volume): problems.append('missing: ' + volume)
if layers != '-' and LAYERS != int(layers): problems.append('room for layers of Landlock: %d, not %s' % (LAYERS, layers))
print('; '.join(problems) or 'confined')
"""

# How many layers of Landlock may still be put on a process; a kernel stacks 16 (landlock(7)).
COUNT = r"""
def count_layers(call, prctl):
    prctl(38, 1, 0, 0, 0)
    rights = (ctypes.c_uint64 * 1)(1)
    for _ in range(3):
        ruleset = call(444, ctypes.addressof(rights), 8, 0)
        if ruleset >= 0: break
    else: return -1
    count = 0
    for _ in range(40):
        result = call(446, ruleset, 0)
        if result == 0: count += 1
        if result == -errno.E2BIG: return count
    return -1
"""
KEYCTL = {"x86_64": 250}.get(os.uname().machine, 219)
INSIDE = (INSIDE.replace("problems = []", COUNT.strip() + "\nproblems = []", 1).replace("KEYCTL", str(KEYCTL))
          .replace("if layers != '-' and LAYERS", "room = -1 if layers == '-' else count_layers(call, libc.prctl)\nif layers != '-' and room")
          .replace("LAYERS", "room"))

# The same without Python, for the busybox root directory.
INSIDE_SMALL = r"""
: >/ran; p=
grep -q '^NoNewPrivs:.1' /proc/self/status || p="$p no_new_privs;"
for line in $1; do test "$(readlink /proc/self/ns/${line%%=*})" = "${line#*=}" && p="$p shared ${line%%=*};"; done
sets=$(sed -n 's/^Cap[A-Z][a-z]*:.//p' /proc/self/status | tr '\n' ' ')
all=00000000$2; test "$sets" = "0000000000000000 $all $all $all 0000000000000000 " || p="$p capabilities $sets;"
n=$(sed -n 's/^Seccomp_filters:.//p' /proc/self/status); test "${n:-$3}" = "$3" || p="$p filters $n;"
(: >/proc/sys/kernel/hostname) 2>/dev/null && p="$p /proc/sys is writable;"
test "$(cat /proc/sys/user/max_user_namespaces)" = 0 || p="$p user namespaces;"
for f in /made/volume/file /made/text /run/secrets/key; do test -e $f || p="$p missing $f;"; done
test -e /tm/x && p="$p tmpfs;"
echo "${p:-confined}"
"""

# NOROOT, NO_SETUID_FIXUP, KEEP_CAPS and NO_CAP_AMBIENT_RAISE, all locked, and all on but KEEP_CAPS
SECUREBITS, SECUREBITS_AMBIENT = "ef", "2f"
OUTSIDE = {}   # facts(): what this process has


def facts():
    """Before the first case: a session keyring of this process's own, and what else is compared."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(KEYCTL, 1, None)
    OUTSIDE["keyring"] = str(ring) if ring > 0 else "-"
    found = re.search(r"^Seccomp_filters:\s*(\d+)$", open("/proc/self/status", encoding="utf-8").read(), re.M)
    OUTSIDE["filters"] = int(found.group(1)) if found else 0
    reading, writing = os.pipe()
    if os.fork() == 0:   # it is confined by counting
        os.write(writing, b"%d" % room_for_layers(libc))
        os._exit(0)
    os.wait()
    OUTSIDE["layers"] = int(os.read(reading, 16))
    for fd in (reading, writing):
        os.close(fd)


def room_for_layers(libc):
    space = {}
    exec("import ctypes, errno\n" + COUNT, space)

    def call(*args):
        result = libc.syscall(*map(ctypes.c_long, args))
        return result if result >= 0 else -ctypes.get_errno()
    return space["count_layers"](call, libc.prctl)


def wanted_inside(way, called, caps="0", filters=1, securebits=SECUREBITS, keyring=False):
    """The arguments of INSIDE: the namespaces outside, the one mask of all five sets, how many filters there
    are, the securebits, the keyring outside (told only where no filter of ours keeps it to itself), and how
    many layers of Landlock fit in beside the one of the box."""
    layers = str(OUTSIDE["layers"] - 1)
    # a kernel that seems to have no Landlock, or the calls by which it is looked for
    if OUTSIDE["layers"] < 0 or way == "deny" and called.startswith("landlock_"):
        layers = "-"
    return [namespaces(), caps, str(OUTSIDE["filters"] + (way == "deny") + filters), securebits,
            OUTSIDE["keyring"] if keyring else "-", layers]


def view_host(way, called):
    import box
    return ["--", box.PYTHON, "-c", INSIDE, *wanted_inside(way, called)], None


def view_full(way, called):
    """Everything a plain user can ask for at once."""
    import box
    write_sources()
    outside = box.scratch() + "/outside"
    return ["-v", outside + ":/made/volume:ro", "--file", "/made/text=text", "--secret", "key=" + outside + "/file", "--tmpfs", "/tm:size=1M",
            "--hide", "hidden", "--protect", "kept", "--timeout", "60s", "--nice", "5", "--ulimit", "nofile=100",
            "--", box.PYTHON, "-c", INSIDE, *wanted_inside(way, called), "full"], None


def view_rootfs(way, called):
    """A root directory in which every mount point is missing."""
    import box
    write_sources()
    root = box.busybox_root()
    outside = box.scratch() + "/outside"
    return ["--rootfs", root, "--userns", "root", "-v", outside + ":/made/volume:ro", "--file", "/made/text=text", "--secret",
            "key=" + outside + "/file", "--tmpfs", "/tm:size=1M", "--", "/bin/sh", "-c", INSIDE_SMALL, "sh",
            *wanted_inside(way, called, caps="800405fb")], root


def view_identity(way, called):
    """A map of ranges and another user than its root, so that the first process has to become one. The caller
    is root of a user namespace (IN_RANGES): newuidmap has no rights where `deny` has set no_new_privs."""
    import box
    os.chmod(box.scratch(), 0o777)   # the user inside is none who owns it
    return ["--userns", "map:0:0:1,1:1:2000", "-u", "1000", "--", box.PYTHON, "-c", INSIDE, *wanted_inside(way, called)], None


def view_bare(way, called):
    """The same without what the kernel itself refuses where no_new_privs is off."""
    args, root = view_identity(way, called)
    at = args.index("--")
    inside = wanted_inside(way, called, filters=0, keyring=True)
    inside[-1] = str(OUTSIDE["layers"]) if OUTSIDE["layers"] >= 0 else "-"
    return ["--seccomp", "off", "--landlock", "off", *args[:at + 4], *inside], root


def view_open(way, called):
    """No filter of ours, so that the command can tell which session keyring it has."""
    import box
    return ["--seccomp", "off", "--", box.PYTHON, "-c", INSIDE, *wanted_inside(way, called, filters=0, keyring=True)], None


def view_own(way, called, *more):
    """A filter of the user's own, for the command alone."""
    import box
    return ["--seccomp-deny", "sethostname", *more, "--", box.PYTHON, "-c", INSIDE, *wanted_inside(way, called)], None


def view_kill(way, called):
    """One that kills, of which PID 1 is told first where the kernel gives it a listener."""
    return view_own(way, called, "--seccomp-action", "kill")


def view_caps(way, called):
    """A capability for an ordinary user, which takes the ambient set."""
    import box
    return ["--cap-add", "chown", "--", box.PYTHON, "-c", INSIDE, *wanted_inside(way, called, caps="1", securebits=SECUREBITS_AMBIENT)], None


VIEWS = {"host": view_host, "full": view_full, "rootfs": view_rootfs, "identity": view_identity, "bare": view_bare, "open": view_open, "caps": view_caps,
         "own": view_own, "kill": view_kill}
# Calls that something more is asked of than in BOXES.
MORE_VIEWS = {"keyctl": ("open",), "keyctl@1": ("open",), "capset": ("caps",), "prctl@47": ("caps",), "seccomp": ("own", "kill")}
ROOT_VIEWS = ("identity", "bare")   # in a user namespace of the test's own, with more ids than one
IN_RANGES = ("unshare", "--map-root-user", "--map-auto")


def write_sources():
    import box
    outside = box.folder("outside")
    box.write(outside + "/file", "x")
    box.write(box.scratch() + "/hidden", "x")
    box.folder("kept")


def namespaces():
    return " ".join("%s=%s" % (kind, os.readlink("/proc/self/ns/" + kind)) for kind in ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user"))


def rule(call, number):
    name, at, when = call.partition("@")
    return "%s=%s%s%s" % (name, number, at, when)


def all_cases():
    for view in VIEWS:   # the control: nothing fails
        yield "plain.%s" % view, view, "plain", "", "", 0
    for call, numbers in DENIED.items():
        for number in numbers:
            for view in BOXES + MORE_VIEWS.get(call, ()):
                yield "deny.%s.%s.%s" % (view, call, number), view, "deny", call, number, 0
    for call, views in FEIGNED.items():
        for view in views:
            yield "feign.%s.%s" % (view, call), view, "deny", call, "OK", 0
    for call, numbers in INJECTED.items():
        for number in numbers:
            for nth in TIMES:
                yield "inject.full.%s.%s.%d" % (call, number, nth), "full", "inject", call, number, nth


def wrapper(view, way, call, number, nth):
    import box
    if way == "deny":
        tool = box.TOOLS + "/deny"
        return (*IN_RANGES, tool, "--new-privs", rule(call, number), "--") if view in ROOT_VIEWS else (tool, rule(call, number), "--")
    if way == "plain":
        return IN_RANGES if view in ROOT_VIEWS else ()
    return ("strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=%s" % call, "-e", "signal=none", "-e",
            "inject=%s:error=%s:when=%d" % (call, number, nth))


def attempt(view, way, call, number, nth):
    """One case; raises box.Failure."""
    import box
    args, root = VIEWS[view](way, call)
    before = box.tree(root) if root else None
    reading, writing = box.pipe_pair()
    started = box.scratch() + "/ran" if root is None else root + "/ran"
    try:
        got = box.sandbox("--status-fd", str(writing), *args, via=wrapper(view, way, call, number, nth), pass_fds=(writing,), timeout=30 * box.SLOW)
    finally:
        os.close(writing)
        text = box.read_fd(reading)
        os.close(reading)
    ran = os.path.exists(started)
    if ran:
        os.unlink(started)
    rows = box.events(text) if way == "deny" or call != "write" else []
    command_was_hit = way == "inject" and [row["event"] for row in rows] == ["started", "exit"] and got.code != 0 and "confined" not in got.out
    told_later = way == "inject" and ran and got.code in (125, 137) and rows and rows[0]["event"] == "started"
    if command_was_hit or told_later:
        box.lacks(got.err, "E-NONE", "stderr")   # the injection hit the command itself, or the end of a run that had begun
    elif call == "write" and got.code == 125:
        box.check(not ran, "refused, and yet the command ran\n%s" % got)   # the message itself may be what was hit
    elif way != "plain" and got.code in (125, 126, 127) and "error[" in got.err:
        judge_refusal(got, rows, ran, way, call, number)
    else:
        box.check(way != "deny" or call not in NO_FALLBACK, "there is nothing to fall back on\n%s" % got)
        box.check(number != "OK" or (call, view) in HARMLESS, "a success that is only claimed is to be refused\n%s" % got)
        box.check(got.code == 0, "neither done nor refused\n%s\n%s" % (got, text))
        box.equal(got.out.replace("\r", "").strip(), "confined", "what the command found\n%s\nvalue" % got)
    if root:
        box.equal(box.tree(root), before, "the root directory")


def judge_refusal(got, rows, ran, way, call, number):
    import box
    import errno
    box.check(not ran, "refused, and yet the command ran\n%s" % got)
    if call not in WIRE + INIT:
        box.lacks(got.err, "E-INTERNAL", "stderr")
    box.lacks(got.err, "E-NONE", "stderr")
    if call in EARLY and not rows:
        return
    box.check(number != "OK" or rows[0]["event"] != "started", "refused when the command had been started\n%s" % got)
    rows = [row for row in rows if row["event"] != "started"]
    box.check(len(rows) == 1 and rows[0]["event"] == "error", "one error event is due: %s\n%s" % (rows, got))
    row = rows[0]
    box.check(row["what"] and row["cause"], "the error explains nothing: %s" % row)
    if call in WIRE + INIT:
        return
    box.check(row["stage"] not in ("", "none") or call in LAUNCHER or way == "inject", "no stage is named: %s" % row)
    if way == "deny" and number != "OK":
        box.equal(errno.errorcode.get(row["errno"]), number, "errno in %s" % row)


def main():
    parser = harness.parser("Make system calls fail.")
    parser.add_argument("--sandbox")
    args = parser.parse_args()
    if args.list:
        for row in all_cases():
            print(row[0])
        return 0
    if os.geteuid() == 0:
        print("fault: to be run as an ordinary user (tests/run makes one)")
        return 77
    binary = os.path.abspath(args.sandbox or os.environ.get("SANDBOX") or os.path.join(here, "../../build/src/sandbox"))
    os.environ["SANDBOX"] = binary
    os.environ.setdefault("SANDBOX_TOOLS", os.path.abspath(os.path.join(os.path.dirname(binary), "../tests/tools")))
    import box
    for name, (present, what) in box.NEEDS.items():
        if name in ("deny", "strace", "busybox", "subids") and not present():
            print("needs " + what)
            return 77
    facts()
    report = harness.Report(args)
    with box.Place("fault"):
        for name, *values in all_cases():
            if harness.wanted(name, args.pattern):
                begin = time.monotonic()
                verdict, text = box.judge(attempt, values)
                report.add(name, "", verdict, text, time.monotonic() - begin)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
