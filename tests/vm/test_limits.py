# SPDX-License-Identifier: MIT
"""Limits by the kernel: a scope of the user's systemd, and the figures at the end."""

import json

from box import SANDBOX, check, same

BURN = "sh -c 'while :; do :; done'"


def run(guest, options, command, mode="user"):
    """The exit status, the final event and the started event of one run."""
    done = guest.run("%s -q --report /host/r.json --status-fd 3 %s -- %s 3>/host/events; s=$?; cat /host/events; exit $s"
                     % (SANDBOX, options, command), mode)
    events = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    check(len(events) == 2, "two events\n%s" % (done,))
    return done.status, events[0], events[1]


def half_of_a_cpu(guest, mode):
    status, started, end = run(guest, "--cpus 50% --timeout 4s", BURN, mode)
    same(status, 124, "exit status")
    same(started["limits"]["cpu"], {"asked": 0.5, "by": "cgroup", "exact": True}, "the limit")
    check(0.35 <= end["share"] <= 0.7, "share of a CPU, emulated on a busy machine: %s" % end)
    check(end["throttled_s"] > 0.5, "it was throttled: %s" % end)


def test_cpu_in_a_session(guest):
    """In a login session half of a CPU is half of a CPU, by the kernel."""
    half_of_a_cpu(guest, "user")


def test_cpu_in_a_user_service(guest):
    """Inside a service of the user manager too."""
    half_of_a_cpu(guest, "user-service")


def test_cpu_without_a_session(guest):
    """Without session variables the bus is found by its place."""
    half_of_a_cpu(guest, "no-session")


def test_cpu_as_root(guest):
    """Root uses the system's systemd."""
    half_of_a_cpu(guest, "root")


def test_memory(guest):
    """Memory is limited exactly: the box dies whole, 137, with the reason and the peak."""
    status, started, end = run(guest, "-m 64M", "python3 -c 'a = bytearray(200 << 20)'")
    same(started["limits"]["memory"]["by"], "cgroup", "who enforces it")
    same(status, 137, "exit status")
    same(end["reason"], "oom", "reason")
    same(end["memory_peak"], 64 << 20, "peak")


def test_processes_of_a_range(guest):
    """With ranges of ids the process limit is exact as well, by the cgroup."""
    status, started, end = run(guest, "--userns auto --pids-limit 10",
                               "sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do sleep 1 & done; wait'")
    same(started["limits"]["pids"], {"asked": 10, "by": "cgroup", "exact": True}, "the limit")
    check(end["pids_peak"] <= 11, "at most ten and PID 1: %s" % end)


def test_several(guest):
    """Several limits at once share one cgroup."""
    status, started, end = run(guest, "--cpus 1.5 -m 256M --memory-swap 256M --cpu-weight 50 --pids-limit 100 --cpuset 0", "true")
    same(status, 0, "exit status")
    for name in ("cpu", "memory", "memory-swap", "cpu-weight", "pids"):
        same(started["limits"][name]["by"], "cgroup", name)
    same(started["limits"]["memory-swap"]["asked"], 256 << 20, "memory and swap, as it was asked for")


def test_no_user_manager(guest):
    """A user without a manager gets the soft limiter, and one line says so."""
    done = guest.run("%s --cpus 50%% --timeout 2s -- %s" % (SANDBOX, BURN), "guest")
    same(done.status, 124, "exit status\n%s" % (done,))
    check("notice: no cgroup for --cpus" in done.err, "the notice\n%s" % (done,))


def test_strict_without_a_manager(guest):
    """--limits cgroup refuses there, before anything runs."""
    done = guest.run("%s --limits cgroup --cpus 50%% -- touch /host/ran" % SANDBOX, "guest")
    same(done.status, 125, "exit status\n%s" % (done,))
    check("E-LIMIT" in done.err, "the error\n%s" % (done,))


def test_not_seen(guest):
    """The payload sees no cgroup file system of its own accord."""
    done = guest.run("%s -q --root --cpus 50%% -- sh -c 'ls -A /sys/fs/cgroup; cat /proc/self/cgroup'" % SANDBOX, "user")
    same(done.out.strip(), "0::/", "what it sees\n%s" % (done,))


# What a box does that may mount: its own part of the tree, first as it is, then from a namespace further below, which
# nsdelegate does not guard.
RAISE = r"""
mkdir -p /tmp/c && mount -t cgroup2 none /tmp/c || exit 9
cat /tmp/c/cgroup.type >/dev/null || exit 8
raise() { for f in memory.max memory.high cpu.max pids.max; do echo max >/tmp/c/$f; done; echo 0 >/tmp/c/cgroup.freeze; }
raise
mkdir /tmp/c/sub /tmp/c/sub/deeper || exit 7
echo threaded >/tmp/c/sub/cgroup.type
echo $$ >/tmp/c/sub/cgroup.procs || echo 0 >/tmp/c/sub/cgroup.threads
export -f raise
unshare -C bash -c raise
mkdir -p /tmp/c/sub$(printf /%s {1..40})
ls /tmp/c/*.max /tmp/c/*.high /tmp/c/cgroup.procs; echo reached
"$@"
"""
OPEN = "mount -o remount,rw,nsdelegate /sys/fs/cgroup", "mount --options-mode ignore -o remount,rw /sys/fs/cgroup"
EAT = "python3 -c 'x = bytearray(300 << 20); print(len(x))'"
FORK = """python3 -c '
import os, time
try:
    for n in range(60):
        if os.fork() == 0:
            time.sleep(99)
except BlockingIOError:
    end = time.monotonic() + 3
    while time.monotonic() < end:
        pass
    os._exit(5)
os._exit(4)'"""


def raised(guest, mode, wrap="%s"):
    """What comes of a box that tries to raise its limits, in every way it could."""
    with open(guest.shared + "/raise", "w", encoding="utf-8") as file:
        file.write(RAISE)
    for guard in OPEN:
        guest.ok(guard, "root")
        same(guest.ok("grep -c nsdelegate /proc/self/mounts || :", "root"), "01"["nsdelegate" in guard], guard)
        for limit, command, wanted in (("-m 64M", EAT, (137, "oom")), ("--cpus 50% --pids-limit 20", FORK, (5, "pids"))):
            with open(guest.shared + "/line", "w", encoding="utf-8") as file:
                file.write("%s -q --cwd none -v /host/raise:/host/raise:ro --strict --nested %s --status-fd 1 -- "
                           "unshare -Urm -C bash /host/raise %s 2>&1\ntrue\n" % (SANDBOX, limit, command))
            done = guest.run(wrap % "bash /host/line", mode, 150)
            what = "%s, %s\n%s" % (guard, limit, done.out)
            end = json.loads([line for line in done.out.splitlines() if line.startswith("{")][-1])
            check("reached" in done.out, what)
            same((end["code"], end["reason"]), wanted, what)
            if command != EAT:
                check(end["throttled_s"] > 0.5 and end["pids_peak"] <= 21, what)


def test_cannot_be_raised(guest):
    """A box that may mount reaches no file with a limit: in a scope, with and without nsdelegate."""
    raised(guest, "user")


def test_cannot_be_raised_in_a_service(guest):
    """Nor in a cgroup that is the caller's own: beside the shell, as a threaded one, and with memory."""
    raised(guest, "root", "systemd-run -q --wait --pipe -p User=guest -p Delegate=yes %s")
