# SPDX-License-Identifier: MIT
"""The helper that asks systemd for a cgroup: helpers/sandbox-scope, by itself."""

import re

from box import HELPER, check, same

MANAGER = "/user.slice/user-%d.slice/user@%d.service"
SLICE = "/sandbox.slice/sandbox-t.scope"

# What the launcher will do: has itself moved, goes aside, hands the controllers down, sets a limit.
LAUNCHER = r"""
answer=$(env -i %s scope --name sandbox-t.scope --pid $$ %%s)
echo "answer $answer"
top=/sys/fs/cgroup${answer#ok }
echo "cgroup $(cat /proc/self/cgroup)"
echo "owner $(stat -c %%%%U $top)"
echo "controllers $(cat $top/cgroup.controllers)"
mkdir $top/sup $top/payload
echo $$ >$top/sup/cgroup.procs
for one in cpu memory pids; do echo +$one >$top/cgroup.subtree_control; done
echo "50000 100000" >$top/payload/cpu.max
echo 64M >$top/payload/memory.max
echo 10 >$top/payload/pids.max
echo "limits $(cat $top/payload/{cpu,memory,pids}.max | xargs)"
rmdir $top/payload
""" % HELPER

SHOW = "systemctl %s show --value -p Delegate -p CollectMode -p CPUQuotaPerSecUSec sandbox-t.scope | xargs"


def launch(guest, mode, uid, before="", where="", show="--user"):
    """Makes a scope in one situation, and looks at it from inside; `uid` is the manager's."""
    user = "XDG_RUNTIME_DIR=/run/user/%d " % uid if uid else ""
    out = guest.ok("%s\n%s\necho unit $(%s%s)" % (before, LAUNCHER % where, user, SHOW % show), mode)
    rows = dict(line.split(" ", 1) for line in out.splitlines())
    path = (MANAGER % (uid, uid) if uid else "") + SLICE
    same(rows["answer"], "ok " + path, "answer")
    same(rows["cgroup"], "0::" + path, "cgroup")
    same(rows["owner"], {0: "root", 1000: "tester", 1001: "guest"}[uid], "owner")
    check({"cpu", "memory", "pids"} <= set(rows["controllers"].split()), "controllers: " + rows["controllers"])
    same(rows["limits"], "50000 100000 67108864 10", "limits")
    same(sorted(rows["unit"].split()), ["inactive-or-failed", "infinity", "yes"], "unit")


def test_login_session(guest):
    """From a login session, where the way across is closed to all but systemd."""
    launch(guest, "user", 1000)


def test_user_service(guest):
    """From a service of the user manager."""
    launch(guest, "user-service", 1000)


def test_user_service_without_bus(guest):
    """Without a D-Bus daemon: over the manager's own socket."""
    launch(guest, "user-service", 1000, before="systemctl --user stop dbus.socket dbus.service")


def test_no_session(guest):
    """As cron would start it: no session, no variables."""
    launch(guest, "no-session", 1000)


def test_guest_session(guest):
    """A login session of a user who does not linger."""
    launch(guest, "guest-session", 1001)


def test_root(guest):
    """Root asks the system's manager."""
    launch(guest, "root", 0, where="--system", show="--system")


def test_root_without_bus(guest):
    """Root without the system's bus."""
    launch(guest, "root", 0, where="--system", show="--system", before="systemctl stop dbus.socket dbus.service 2>&1")


def test_other_runtime_directory(guest):
    """A runtime directory without sockets: the usual one is taken."""
    launch(guest, "user", 1000, where="--runtime /tmp")


def test_address_first(guest):
    """The address that was given is taken, with its escapes and its guid."""
    launch(guest, "user", 1000, where="--bus 'unix:path=/run/user/1000/%2562us,guid=00'", before="systemctl --user is-active dbus.socket >&2")


def test_bus_without_systemd(guest):
    """A bus of its own, as dbus-run-session makes, has no systemd: the next place is tried."""
    launch(guest, "user", 1000, before=r"""
exec 8< <(exec dbus-daemon --session --nofork --print-address=1 2>/dev/null); daemon=$!
read -r bus <&8
trap 'kill $daemon' EXIT
""", where='--bus "$bus"')


def helper(guest, arguments, mode="user", before=""):
    """(exit status, words of the one line) of the helper."""
    result = guest.run("%s\nenv -i %s %s" % (before, HELPER, arguments), mode)
    check(re.fullmatch(r"[^\n]+\n", result.out) is not None and not result.err, "not one line: %r %r" % (result.out, result.err))
    return result.status, result.out.split()


def refused(got, code, *words):
    status, line = got
    same((status, line[:2]), (1, ["err", code]), " ".join(line))
    for word in words:
        check(word in " ".join(line), "%r is not in %r" % (word, " ".join(line)))


def test_no_manager(guest):
    """Neither session nor linger: no bus, and each place that was looked at is named."""
    refused(helper(guest, "scope --name sandbox-t.scope --pid $$", "guest"), "nobus", "/run/user/1001/bus", "/run/user/1001/systemd/private")
    refused(helper(guest, "probe", "guest"), "nobus")


def test_foreign_socket(guest):
    """A socket that belongs to another user is not spoken to."""
    listen = "python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(\"/tmp/other/bus\"); s.listen(); time.sleep(60)' & disown"
    guest.ok("mkdir /tmp/other; %s; until [ -S /tmp/other/bus ]; do sleep 0.05; done" % listen, "root")
    refused(helper(guest, "probe --runtime /tmp/other", "guest"), "nobus", "belongs to uid 0")


def test_probe(guest):
    """Tells systemd's version and the manager's cgroup."""
    version = guest.ok("systemctl --version").split()[1]
    for mode, options, cgroup in (("no-session", "", MANAGER % (1000, 1000)), ("root", "--system", "/")):
        status, line = helper(guest, "probe " + options, mode)
        same((status, line[0], line[1].split(".")[0].split("-")[0], line[2]), (0, "ok", version, cgroup), "probe")


PIDFD = r"""
import os, subprocess, sys
fd = os.pidfd_open(os.getpid())
os.set_inheritable(fd, True)
answer = subprocess.run([sys.argv[1], "scope", "--name", "sandbox-t.scope", "--pid", str(os.getpid()), "--pidfd", str(fd)],
                        env={}, close_fds=False, stdout=subprocess.PIPE, text=True).stdout
print(answer + open("/proc/self/cgroup").read())
"""


def test_pidfd(guest):
    """With a pidfd, whether systemd knows them (257) or not (252)."""
    out = guest.ok("python3 - %s <<'END'%sEND" % (HELPER, PIDFD))
    same(out.split(), ["ok", MANAGER % (1000, 1000) + SLICE, "0::" + MANAGER % (1000, 1000) + SLICE], "answer and cgroup")


def test_name_in_use(guest):
    """A scope of that name that lives is not touched: refused, with systemd's own error."""
    guest.ok("sleep 60 & %s scope --name sandbox-t.scope --pid $!" % HELPER, "user")
    refused(helper(guest, "scope --name sandbox-t.scope --pid $$"), "refused", "org.freedesktop.systemd1.UnitExists")
    status, line = helper(guest, "stop --name sandbox-t.scope")
    same((status, line), (0, ["ok", "sandbox-t.scope"]), "stop")
    check(guest.run("pgrep -x sleep").status == 1, "the process outlived its scope")


def test_stop_of_nothing(guest):
    """A scope that does not exist is stopped already."""
    same(helper(guest, "stop --name sandbox-none.scope"), (0, ["ok", "sandbox-none.scope"]), "stop")


def test_dead_process(guest):
    """A process that has ended: an error, and no unit stays in the list of failed ones."""
    status, line = helper(guest, "scope --name sandbox-t.scope --pid $pid", before="true & pid=$!; wait")
    check(status == 1 and line[1] in ("refused", "jobfailed"), " ".join(line))


def test_foreign_process(guest):
    """Somebody else's process is not moved."""
    status, line = helper(guest, "scope --name sandbox-t.scope --pid 1")
    check(status == 1 and line[1] in ("refused", "jobfailed"), " ".join(line))


def test_bound(guest):
    """A bus that never answers: the answer comes after 5 s all the same."""
    mute = "python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(\"/tmp/mute\"); s.listen(); time.sleep(30)' & mute=$!; " \
           "trap 'kill $mute' EXIT; until [ -S /tmp/mute ]; do sleep 0.05; done"
    begin, end = "start=$EPOCHREALTIME", "echo $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) >/host/took"
    result = guest.run("%s\n%s\nenv -i %s probe --bus unix:path=/tmp/mute; status=$?\n%s\nexit $status" % (mute, begin, HELPER, end))
    same((result.status, result.out.split()[:3]), (1, ["err", "timeout", "-"]), "answer")
    took = int(guest.ok("cat /host/took"))
    check(4900 <= took <= 6500, "it took %d ms" % took)


BAD = r"""

start
scope
scope --name sandbox-t.scope
scope --pid 1
stop
probe extra
probe --nothing
probe --runtime tmp
scope --pid $$ --name sandbox-t
scope --pid $$ --name .scope
scope --pid $$ --name 'a b.scope'
scope --pid $$ --name a/b.scope
scope --pid $$ --name $'a\nb.scope'
scope --pid $$ --name sandbox-é.scope
scope --pid $$ --name $(printf 'x%.0s' {1..250}).scope
scope --pid 0 --name sandbox-t.scope
scope --pid -1 --name sandbox-t.scope
scope --pid 1x --name sandbox-t.scope
scope --pid 99999999999 --name sandbox-t.scope
scope --pid $$ --slice user.scope --name sandbox-t.scope
scope --pid $$ --slice ../x.slice --name sandbox-t.scope
scope --pid $$ --name sandbox-t.scope --slice
""".splitlines()[1:]


def test_strict_arguments(guest):
    """Names and numbers are taken strictly; every answer is one line."""
    lines = guest.ok("\n".join("env -i %s %s; echo $?" % (HELPER, words) for words in BAD)).splitlines()
    same(len(lines), 2 * len(BAD), "lines")
    for words, answer, status in zip(BAD, lines[::2], lines[1::2]):
        check(answer.startswith("err usage - ") and status == "1", "%s: %s, %s" % (words, answer, status))


def test_killed_helper(guest):
    """Killed at any moment, it leaves nothing once the process it was for has ended."""
    guest.ok(r"""
for delay in 0 0.01 0.02 0.03 0.05 0.07 0.1 0.15; do
	sleep 2 &
	%s scope --name sandbox-k$delay.scope --pid $! >/dev/null & helper=$!
	sleep $delay
	kill -9 $helper
done 2>/dev/null
wait 2>/dev/null
true
""" % HELPER)


def test_twenty_at_once(guest):
    """Twenty scopes that live at the same time, four of them in the making at once."""
    # All twenty at once would starve each other beyond the bound on an emulated processor.
    out = guest.ok(r"""
mkfifo /tmp/end
one() {
	local me=$BASHPID
	[ "$(%s scope --name sandbox-m$1.scope --pid $me)" = "ok $(cut -c4- /proc/self/cgroup)" ] && echo same
	echo >&7
	read -r _ </tmp/end
}
exec 7> >(cat >/tmp/made)
for round in {1..5}; do
	for i in {1..4}; do one $round$i & done
	until [ "$(wc -l </tmp/made)" -ge $((round * 4)) ]; do sleep 0.05; done
done
ls -d /sys/fs/cgroup%s/sandbox.slice/sandbox-m*.scope | wc -l
exec 8<>/tmp/end
for i in {1..20}; do echo >&8; done
wait $(jobs -p)
""" % (HELPER, MANAGER % (1000, 1000)))
    same(out.split(), ["same"] * 20 + ["20"], "scopes")
