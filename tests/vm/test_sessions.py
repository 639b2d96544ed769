# SPDX-License-Identifier: MIT
"""Limits in every situation a user may be in: alone and together, twenty boxes at once, services, logout."""

import json

from box import SANDBOX, check, same

TOGETHER = "--cpus 50% --cpu-weight 50 --cpuset 0 -m 64M --memory-high 48M --memory-swap 96M --pids-limit 20 --cpu-time 9"
# what asks for it, and who enforces it: with the user's systemd, and without any
ALONE = {
    "cpu": ("--cpus 50%", "cgroup", "soft"),
    "cpu-weight": ("--cpu-weight 50", "cgroup", None),
    "cpuset": ("--cpuset 0", "affinity", "affinity"),
    "memory": ("-m 64M", "cgroup", "soft"),
    "memory-high": ("--memory-high 48M", "cgroup", None),
    "memory-swap": ("-m 64M --memory-swap 96M", "cgroup", None),
    "pids": ("--pids-limit 20", "rlimit", "rlimit"),
    "cpu-time": ("--cpu-time 9", "cgroup", "soft"),
}
KERNEL = ("cpu", "cpu-weight", "memory", "memory-high", "memory-swap", "pids", "cpu-time")


def events(guest, script, mode, timeout=90):
    """The first event of each run of a script that prints them."""
    done = guest.run(script, mode, timeout)
    got = [json.loads(line) for line in done.out.splitlines() if '"event":"started"' in line or '"event":"error"' in line]
    check(got, "%s: %s" % (mode, done))
    return got


def started(guest, options, mode, via=""):
    return events(guest, "%s %s -q --cwd none --status-fd 1 %s -- true" % (via, SANDBOX, options), mode)[0]


def by(event, names):
    check(event["event"] == "started", event)
    return {name: event["limits"][name]["by"] for name in names}


def each_alone(guest, mode, column):
    script = "\n".join("%s -q --cwd none --status-fd 1 %s -- true" % (SANDBOX, row[0]) for row in ALONE.values())
    for (name, row), event in zip(ALONE.items(), events(guest, script, mode)):
        if row[column] is None:
            same((event["event"], event.get("code")), ("error", "E-LIMIT"), "%s: %s" % (mode, name))
        else:
            same(by(event, [name]), {name: row[column]}, mode)


def test_each_alone(guest):
    """Each limit by itself: by the kernel in a login session; without a manager in another way, or refused."""
    each_alone(guest, "user", 1)
    each_alone(guest, "guest", 2)


def test_together(guest):
    """All limits together, in a login session with and without linger, in a service, from cron, and as root."""
    for mode in ("user", "user-service", "no-session", "guest-session", "root"):
        same(by(started(guest, TOGETHER, mode), KERNEL), dict.fromkeys(KERNEL, "cgroup"), mode)


def test_service_without_bus(guest):
    """In a user service whose bus has gone, with an empty environment: the manager's own socket is asked."""
    stop = "systemctl --user stop dbus.socket dbus.service; rm -f /run/user/1000/bus"
    guest.ok(stop, "user-service")
    same(by(started(guest, TOGETHER, "user-service", "env -i"), KERNEL), dict.fromkeys(KERNEL, "cgroup"), "the limits")


def test_hardened_services(guest):
    """In services with RestrictSUIDSGID= (openat2 answers ENOSYS) and ProtectSystem=strict: plain, and with limits."""
    hard = "-p RestrictSUIDSGID=yes -p ProtectSystem=strict -p NoNewPrivileges=yes -p PrivateTmp=yes"
    run = "systemd-run --wait --pipe -q -p User=%s %s " + SANDBOX
    for user in ("tester", "guest"):
        same(guest.ok(run % (user, hard) + " -q --cwd none -- sh -c 'echo inside; touch ~/f /tmp/f && echo writes'", "root"), "inside\nwrites", user)
    event = started(guest, TOGETHER.replace("--cpuset 0", ""), "root", "systemd-run --wait --pipe -q -p User=tester " + hard)
    same(by(event, KERNEL), dict.fromkeys(KERNEL, "cgroup"), "a lingering user")
    event = started(guest, "--cpus 50%", "root", "systemd-run --wait --pipe -q -p User=guest " + hard)
    same(by(event, ["cpu"]), {"cpu": "soft"}, "a user without a manager")


TWENTY = r"""
for i in {1..20}; do
	%s --cwd none --cpus 50%% -m 64M --status-fd 3 -- sleep 1 3>/tmp/events.$i 2>/tmp/said.$i &
	pids="$pids $!"
done
for pid in $pids; do wait $pid || echo "status $?"; done
for i in {1..20}; do
	grep -q '"cpu":{"asked":0.500,"by":"cgroup","exact":true}' /tmp/events.$i && echo kernel && continue
	grep -q '"cpu":{"asked":0.500,"by":"soft"' /tmp/events.$i && grep -q 'no cgroup for --cpus --memory (.*)' /tmp/said.$i && echo said && continue
	cat /tmp/events.$i /tmp/said.$i
done
""" % SANDBOX


def test_twenty_at_once(guest):
    """Twenty boxes started in the same moment: each has its limits; those a starved systemd had no time for say so."""
    words = guest.ok(TWENTY, "user", 240).split()
    check(len(words) == 20 and set(words) <= {"kernel", "said"}, "the boxes: %s" % words)
    check(words.count("kernel") >= 15, "by the kernel: %s" % words)


LOGOUT = """
nohup %s -q --cwd none --cpus 50%% --ready-fd 3 -- sleep 1000 3>/tmp/ready >/dev/null 2>&1 &
until [ -s /tmp/ready ]; do sleep 0.1; done
""" % SANDBOX


def test_logout(guest):
    """The box of a user who does not linger ends soon after the last logout; one of a user who does goes on."""
    guest.ok(LOGOUT, "guest-session")
    guest.ok(LOGOUT.replace("/tmp/ready", "/tmp/mine"), "no-session")
    guest.ok("for i in {1..300}; do pgrep -u guest -x sleep >/dev/null || exit 0; sleep 0.1; done; exit 1", "root")
    guest.ok("pgrep -u tester -f '^sleep 1000' && pkill -u tester -f '^sleep 1000'", "no-session")


BURNER = r"mkdir /tmp/w; cd /tmp/w; printf '#!/bin/sh\nwhile :; do :; done\n' >burner.sh; chmod +x burner.sh"
EATER = "import time\nkept = []\nwhile True: kept.append(bytearray(1 << 20))"


def test_seeds(guest):
    """A burner script at half of a CPU; a shell in a root directory with 1 GiB; an eater dies, the host's processes do not."""
    done = guest.run(BURNER + "\n%s -q --report /host/r.json --cpus 50%% --timeout 4s -- ./burner.sh; cat /host/r.json" % SANDBOX)
    check(0.35 <= json.loads(done.out)["share"] <= 0.7, "the burner: %s" % (done,))
    guest.ok("""mkdir -p /tmp/root/bin; for file in /bin/bash /bin/cat $(ldd /bin/bash /bin/cat | grep -o '/[^ ]*'); do
mkdir -p /tmp/root${file%/*}; cp -L $file /tmp/root$file; done 2>/dev/null; [ -x /tmp/root/bin/bash ]""")
    got = guest.ok("%s -q --rootfs /tmp/root --memory 1G --status-fd 1 -- /bin/bash -c 'echo $UID'" % SANDBOX)
    check('"memory":{"asked":1073741824,"by":"cgroup","exact":true}' in got and "\n0\n" in got, got)
    done = guest.run("sleep 60 & other=$!; %s --cwd none -m 64M -- python3 -c '%s'; echo $?; kill -0 $other && echo lives; kill $other" % (SANDBOX, EATER))
    same(done.out.split(), ["137", "lives"], "the eater: %s" % (done,))
    check("out of memory: limit 64.0" in done.err and "Raise it with --memory" in done.err, "the line: %s" % (done,))
