# SPDX-License-Identifier: MIT
"""How limits are written into cgroups: controllers that an administrator has to delegate, and cgroups that are ours
already, with whoever is in them."""

import json

from box import SANDBOX, check, same

BURN = "sh -c 'while :; do :; done'"
# A disk with one partition, from 1 to 33 MiB.
PARTITION = r"""
truncate -s 64M /tmp/disk
printf '\0\0\0\0\203\0\0\0\0\10\0\0\0\0\1\0' | dd of=/tmp/disk bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of=/tmp/disk bs=1 seek=510 conv=notrunc status=none
losetup -P /dev/loop0 /tmp/disk
until [ -b /dev/loop0p1 ]; do sleep 0.1; done
"""
DROP_IN = """
mkdir -p /etc/systemd/system/user@.service.d
printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >/etc/systemd/system/user@.service.d/delegate.conf
systemctl daemon-reload
systemctl restart user@1000
"""


def run(guest, options, command, mode="no-session"):
    """The exit status, the started event and the final one."""
    done = guest.run("%s -q --report /host/r.json --status-fd 3 %s -- %s 3>/host/events; s=$?; cat /host/events; exit $s"
                     % (SANDBOX, options, command), mode)
    events = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    check(len(events) == 2, "two events\n%s" % (done,))
    return done.status, events[0], events[1]


def refused(guest, options, *texts, mode="no-session"):
    done = guest.run("%s %s -- touch /host/ran" % (SANDBOX, options), mode)
    same(done.status, 125, "exit status\n%s" % (done,))
    for text in ("E-LIMIT",) + texts:
        check(text in done.err, "%r in the error\n%s" % (text, done))


def test_io_not_delegated(guest):
    """Rates of a disk are refused where the controller is not delegated, with what mends that."""
    refused(guest, "--io-write 1M", "controller io is not delegated", "user@.service.d/delegate.conf", "systemctl daemon-reload", "--io-write no. 1", mode="user")


def test_io(guest):
    """Rates of a disk hold, in each direction, in bytes and in operations; for a directory on it, and by default for the caller's."""
    guest.ok(DROP_IN, "root")
    write = "cd /home/tester; dd if=/dev/zero of=f bs=512k count=%d oflag=direct 2>/dev/null; true"
    _, started, end = run(guest, "-v /home/tester --io-write /home/tester:1M", "sh -c '%s'" % (write % 6))
    same(started["limits"]["io-write"], {"asked": "/home/tester:1048576", "by": "cgroup", "exact": True}, "the limit")
    check(end["wall_s"] > 2, "three MiB at one a second: %s" % end)
    slow = end["wall_s"]
    _, _, end = run(guest, "-v /home/tester --io-write /dev/vda:100M --io-read /:100M --io-read /dev/vda:1000iops", "sh -c '%s'" % (write % 6))
    check(end["wall_s"] < slow, "with room, not within %s: %s" % (slow, end))
    done = guest.run("mkdir /home/tester/w; cd /home/tester/w; %s -q --io-read 1M --io-write 20iops -- sh -c 'date +%%s%%N; dd if=/dev/zero of=g bs=4k count=60 oflag=direct 2>/dev/null; date +%%s%%N'"
                     % SANDBOX, "no-session")
    first, last = map(int, done.out.split())
    check(last - first > 2 * 10**9, "sixty operations at twenty a second\n%s" % (done,))


def test_io_disks(guest):
    """The disk of a partition is limited as a whole; a file system without one is refused by name."""
    guest.ok(DROP_IN, "root")
    guest.ok(PARTITION, "root")
    script = r"""
%s -q --io-read /dev/loop0p1:7M --io-read /dev/loop0:9iops --ready-fd 3 -- sleep 3 3>/host/ready &
until [ -s /host/ready ]; do sleep 0.1; done
cat /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/sandbox.slice/*/payload/io.max""" % SANDBOX
    same(guest.ok(script, "no-session"), "7:0 rbps=7340032 wbps=max riops=9 wiops=max", "io.max")
    refused(guest, "--io-read /run:1M", "'/run'", "not on one disk", "/dev/sda:RATE")
    done = guest.run("%s --io-read /nowhere:1M -- true" % SANDBOX, "no-session")
    check(done.status == 125 and "/nowhere" in done.err, "a missing path\n%s" % (done,))


def test_cpuset(guest):
    """CPUs are set by their controller where it is delegated, so that --strict is content and the command cannot change them."""
    refused(guest, "--strict --cpuset 0", "controller cpuset is not delegated")
    guest.ok(DROP_IN, "root")
    status, started, _ = run(guest, "--strict --cpuset 1", "python3 -c 'import os; os.sched_setaffinity(0, {1})\ntry: os.sched_setaffinity(0, {0})\nexcept OSError: raise SystemExit(9)'")
    same(status, 9, "what the command may do")
    same(started["limits"]["cpuset"], {"asked": "1", "by": "cgroup", "exact": True}, "the limit")
    for absent in ("0,7", "7", "900"):
        refused(guest, "--cpuset " + absent, absent, "0-1")


def test_cpu_time(guest):
    """CPU time is counted by the kernel where there is a cgroup: children too, and to some milliseconds."""
    status, started, end = run(guest, "--strict --cpu-time 700ms", "sh -c 'while :; do (i=0; while [ $i -lt 200 ]; do i=$((i+1)); done); done'", "user-service")
    same(started["limits"]["cpu-time"], {"asked": 0.7, "by": "cgroup", "exact": True}, "the limit")
    same((status, end["reason"]), (124, "cpu-time"), "the end")
    check(0.7 <= end["cpu_s"] <= 1.3, "what was used, the set-up included: %s" % end)


STOPPED = """
%s -q --report /host/r.json --pidfile /host/pid --limits cgroup --cpu-time 500ms --ready-fd 3 -- %s 3>/host/ready & p=$!
until [ -s /host/ready ]; do sleep 0.1; done
kill -STOP $p; box=$(cat /host/pid)
for i in 1 2 3 4 5 6 7 8; do read -r row </proc/$box/stat; [[ $row != *") Z "* ]] || break; sleep 1; done
kill -CONT $p; wait $p; cat /host/r.json""" % (SANDBOX, BURN)


def test_cpu_time_of_a_stopped_launcher(guest):
    """CPU time that the kernel counts is held while the launcher is stopped, too."""
    end = json.loads(guest.ok(STOPPED, "user-service", 120))
    same((end["reason"], end["code"]), ("cpu-time", 124), "the end")
    check(end["cpu_s"] <= 2, "what was used: %s" % end)


def test_pids_denied(guest):
    """A process that could not be made is told in the report, and in one line when the command failed."""
    done = guest.run("%s --report /host/r.json --userns auto --pids-limit 3 -- sh -c 'sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait'; cat /host/r.json" % SANDBOX, "user-service")
    check(json.loads(done.out)["pids_denied"] > 0, "pids_denied\n%s" % (done,))
    same(json.loads(done.out)["reason"], "pids", "the reason")
    check("--pids-limit was reached" in done.err, "the line\n%s" % (done,))


def test_killed_from_outside(guest):
    """A box that is killed from outside says that it was not its limit."""
    done = guest.run("""%s --report /host/r.json --pidfile /host/pid -m 64M --ready-fd 3 -- sleep 60 3>/host/ready & until [ -s /host/ready ]; do sleep 0.1; done
kill -9 $(cat /host/pid); wait $!; echo "status $?"; cat /host/r.json""" % SANDBOX, "user-service")
    check("status 137" in done.out and '"reason":"killed"' in done.out, "the end\n%s" % (done,))
    check("killed from outside by signal 9" in done.err, "the line\n%s" % (done,))
