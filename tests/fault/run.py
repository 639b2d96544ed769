#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes one system call of a run fail and looks at what comes of it.

    tests/fault/run.py [--sandbox FILE] [--failed-only] [PATTERN...]

For every row of the tables: either the run goes on by a documented fallback, and then the command
finds itself as confined as ever; or it is refused with 125 and one error that carries the errno
and names the stage, and the command never started. In both cases nothing is left behind.

Two ways of failing: `deny` (a seccomp filter; every use of the call fails, no privilege needed) and
strace's injection (the N-th use in each process fails). A case is named WAY.VIEW.CALL.ERRNO[.N]."""

import os
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
    "setresuid": COMMON, "setresgid": COMMON, "setgroups": COMMON, "setsid": COMMON, "keyctl": COMMON, "capset": COMMON, "capget": COMMON,
    "prctl@1": COMMON, "prctl@4": COMMON, "prctl@24": COMMON + ("EINVAL",), "prctl@28": COMMON, "prctl@38": COMMON, "prctl@47": COMMON,
    "prlimit64@1:4": COMMON, "prlimit64@1:6": COMMON, "setrlimit": COMMON, "sethostname": COMMON, "close_range": COMMON, "setpriority": COMMON,
    # the two processes
    "socketpair": COMMON + ("EMFILE",), "signalfd4": COMMON + ("EMFILE",), "timerfd_create": COMMON, "pidfd_open": COMMON, "pidfd_send_signal": COMMON,
    "sendmsg": COMMON, "recvmsg": COMMON, "socket@16": COMMON, "ppoll": ("ENOMEM",), "poll": ("ENOMEM",), "waitid": ("ENOMEM",), "setpgid": ("EPERM",),
    "getrandom": ("ENOSYS",), "landlock_create_ruleset": COMMON, "landlock_create_ruleset@2:0": COMMON,
    "landlock_add_rule": COMMON, "landlock_restrict_self": COMMON + ("E2BIG",),
    "seccomp": COMMON + ("EINVAL", "EACCES"),
}
# Skipped while success is claimed, as filters do that feign root: the state is read back.
FEIGNED = ("capset", "setresuid", "setresgid", "setgroups", "setsid", "keyctl", "prctl@24", "prctl@28", "prctl@38", "prctl@4", "prctl@47")
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

# Where the other side tells of it: it sees the wire closed, and no more.
WIRE = ("sendmsg", "recvmsg", "poll", "ppoll")
# Where PID 1 ends without a word, since its descriptors are being put in order.
INIT = ("dup2", "dup3")
# Before the first stage the launcher prepares itself: the object is named, a stage there is none.
LAUNCHER = ("prctl@4", "socketpair", "signalfd4")
# Before the options are known there is no status descriptor to write to.
EARLY = ("close_range", "fcntl")

# What the command checks of its own confinement. "confined" is printed only at the end.
INSIDE = r"""
import errno, os, re, sys
open('ran', 'w').close()
problems = []
status = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())
for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
    if int(status[name], 16) & ~int(sys.argv[2], 16): problems.append(name + status[name])
if status['NoNewPrivs'].strip() != '1': problems.append('no_new_privs is off')
for line in sys.argv[1].split():
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
    if len(sys.argv) > 3 and not os.path.exists(volume): problems.append('missing: ' + volume)
print('; '.join(problems) or 'confined')
"""

# The same without Python, for the busybox root directory.
INSIDE_SMALL = r"""
: >/ran; p=
grep -q '^NoNewPrivs:.1' /proc/self/status || p="$p no_new_privs;"
for line in $1; do test "$(readlink /proc/self/ns/${line%%=*})" = "${line#*=}" && p="$p shared ${line%%=*};"; done
eff=$(sed -n 's/^CapEff:.//p' /proc/self/status); case $eff in 00000000800405fb) ;; *) p="$p CapEff $eff;"; esac
bnd=$(sed -n 's/^CapBnd:.//p' /proc/self/status); case $bnd in 00000000800405fb) ;; *) p="$p CapBnd $bnd;"; esac
(: >/proc/sys/kernel/hostname) 2>/dev/null && p="$p /proc/sys is writable;"
test "$(cat /proc/sys/user/max_user_namespaces)" = 0 || p="$p user namespaces;"
for f in /made/volume/file /made/text /run/secrets/key; do test -e $f || p="$p missing $f;"; done
test -e /tm/x && p="$p tmpfs;"
echo "${p:-confined}"
"""


def view_host():
    import box
    return ["--", box.PYTHON, "-c", INSIDE, namespaces(), "0"], None


def view_full():
    """Everything a plain user can ask for at once."""
    import box
    write_sources()
    outside = box.scratch() + "/outside"
    return ["-v", outside + ":/made/volume:ro", "--file", "/made/text=text", "--secret", "key=" + outside + "/file", "--tmpfs", "/tm:size=1M",
            "--hide", "hidden", "--protect", "kept", "--timeout", "60s", "--nice", "5", "--ulimit", "nofile=100",
            "--", box.PYTHON, "-c", INSIDE, namespaces(), "0", "full"], None


def view_rootfs():
    """A root directory in which every mount point is missing."""
    import box
    write_sources()
    root = box.busybox_root()
    outside = box.scratch() + "/outside"
    return ["--rootfs", root, "--userns", "root", "-v", outside + ":/made/volume:ro", "--file", "/made/text=text", "--secret",
            "key=" + outside + "/file", "--tmpfs", "/tm:size=1M", "--", "/bin/sh", "-c", INSIDE_SMALL, "sh", namespaces()], root


VIEWS = {"host": view_host, "full": view_full, "rootfs": view_rootfs}


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
    for call, numbers in DENIED.items():
        for number in numbers:
            for view in VIEWS:
                yield "deny.%s.%s.%s" % (view, call, number), view, "deny", call, number, 0
    for call in FEIGNED:
        for view in VIEWS:
            yield "feign.%s.%s" % (view, call), view, "deny", call, "OK", 0
    for call, numbers in INJECTED.items():
        for number in numbers:
            for nth in TIMES:
                yield "inject.full.%s.%s.%d" % (call, number, nth), "full", "inject", call, number, nth


def wrapper(way, call, number, nth):
    import box
    if way == "deny":
        return (box.TOOLS + "/deny", rule(call, number), "--")
    return ("strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=%s" % call, "-e", "signal=none", "-e",
            "inject=%s:error=%s:when=%d" % (call, number, nth))


def attempt(view, way, call, number, nth):
    """One case; raises box.Failure."""
    import box
    args, root = VIEWS[view]()
    before = box.tree(root) if root else None
    reading, writing = box.pipe_pair()
    started = box.scratch() + "/ran" if root is None else root + "/ran"
    try:
        got = box.sandbox("--status-fd", str(writing), *args, via=wrapper(way, call, number, nth), pass_fds=(writing,), timeout=30 * box.SLOW)
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
    elif got.code in (125, 126, 127) and "error[" in got.err:
        judge_refusal(got, rows, ran, way, call, number)
    else:
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
        if name in ("deny", "strace", "busybox") and not present():
            print("needs " + what)
            return 77
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
