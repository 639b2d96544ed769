# SPDX-License-Identifier: MIT
"""A directory of cgroup v2 that is ours but has no controllers, as on hosts with cgroup v1 beside it: CPU is limited by
freezing the box."""

import json

from box import SANDBOX, check, same

BURN = "sh -c 'while :; do :; done'"

SETUP = r"""
here=/sys/fs/cgroup/boxes/ann
mkdir -p $here
chown guest $here $here/cgroup.procs $here/cgroup.subtree_control
echo $$ >$here/cgroup.procs
cd /home/guest
exec setpriv --reuid=guest --regid=guest --init-groups --reset-env bash /host/script
"""


def inside(guest, script, timeout=150):
    with open(guest.shared + "/script", "w", encoding="utf-8") as file:
        file.write('here=/sys/fs/cgroup/boxes/ann; S="%s -q"\n' % SANDBOX + script + '\nfind $here -mindepth 1 -type d; cat $here/cgroup.procs | wc -l\n')
    return guest.ok(SETUP, "root", timeout).splitlines()


def test_cpu(guest):
    """Half of a CPU, exactly, and by the kernel's own count; afterwards the directory is empty again, and nobody was moved."""
    *events, end = inside(guest, "$S --strict --cpus 50%% --timeout 6s --status-fd 1 -- %s" % BURN)
    started, ended = map(json.loads, events)
    same(started["limits"]["cpu"], {"asked": 0.5, "by": "freezer", "exact": True}, "the limit")
    check(ended["reason"] == "timeout" and 0.35 <= ended["share"] <= 0.65 and ended["throttled_s"] > 1, "the end: %s" % ended)
    check(int(end) >= 1, "processes: %s" % end)


def test_with_others(guest):
    """Other limits besides: memory is watched by the same process, CPU time is the kernel's count, and the first one that is reached ends it."""
    got = [json.loads(line) for line in inside(guest, """
$S --cpus 50%% -m 64M --status-fd 1 -- python3 -c 'a = []
while True: a.append(bytes(1000000))'
$S --cpus 50%% --cpu-time 400ms --status-fd 1 -- %s
$S --cpus 50%% --status-fd 1 -- sh -c 'exit 7'""" % BURN)[:-1]]
    same([event["limits"]["cpu"]["by"] for event in got[::2]], ["freezer"] * 3, "who limits CPU")
    same((got[0]["limits"]["memory"]["by"], got[2]["limits"]["cpu-time"]["by"]), ("soft", "cgroup"), "who limits the others")
    same([(event["code"], event["reason"]) for event in got[1::2]], [(137, "oom"), (124, "cpu-time"), (7, "exited")], "the ends")


def test_limiter_killed(guest):
    """When the process that freezes is killed, the box ends with an error: a limit never just goes away. When the launcher is, nothing stays frozen."""
    got = inside(guest, """
$S --cpus 20%% --ready-fd 3 -- %s 3>ready & p=$!; until [ -s ready ]; do sleep 0.1; done
pkill -9 -P $p -x sandbox-soft; wait $p; echo "status $?"
rm ready; $S --cpus 20%% --ready-fd 3 -- %s 3>ready & p=$!; until [ -s ready ]; do sleep 0.1; done
kill -9 $p; sleep 2; pgrep -x 'sandbox|sandbox-soft|sandbox-tidy' -u guest; find $here -mindepth 1 -type d""" % (BURN, BURN))
    same(got[:-1], ["status 125"], "the end")


COUNT = """python3 -c 'import os, time
n = 1
try:
    while n < 50:
        if os.fork() == 0: time.sleep(100)
        n += 1
except OSError: print("made", n)'
"""
WITH_PIDS = """
echo +pids >/sys/fs/cgroup/cgroup.subtree_control; mkdir -p /sys/fs/cgroup/boxes; echo +pids >/sys/fs/cgroup/boxes/cgroup.subtree_control
"""


def test_processes(guest):
    """As many processes as were asked for, whoever limits the rest: a limiter beside the box takes none, one in it is not counted."""
    script = "$S --limits auto --cpus 50%% --pids-limit 20 -- %s" % COUNT
    same(inside(guest, script)[0], "made 20", "beside the box")
    guest.ok(WITH_PIDS, "root")
    *got, made, _ = inside(guest, "$S -m 256M --pids-limit 20 --status-fd 1 -- %s" % COUNT + "$S -m 256M --pids-limit 1 -- echo made 1")
    limits = json.loads(got[0])["limits"]
    same((limits["memory"]["by"], limits["pids"]["by"]), ("soft", "cgroup"), "who limits")
    check("made 20" in got and made == "made 1", "in the box: %s" % got)
