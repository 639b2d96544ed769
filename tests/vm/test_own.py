# SPDX-License-Identifier: MIT
"""A cgroup that was given to a user who has no systemd to ask: several boxes share it, whoever is in it is moved
aside and back, and nothing is left in it, whatever is killed."""

from box import SANDBOX, check, same

# `here` is the cgroup this shell was started in; `state` says where the shell is now, and what there is in `here`.
HEAD = r"""
S="%s -q"
cd /tmp
base=$(sed -n 's/^0:://p' /proc/self/cgroup)
here=/sys/fs/cgroup$base
state() {
	local now; now=$(sed -n 's/^0:://p' /proc/self/cgroup)
	echo "$1: at ${now#$base}/ controllers $(wc -w <$here/cgroup.subtree_control) boxes $(ls -d $here/sandbox-[0-9]* 2>/dev/null | wc -l) sup $(ls -d $here/sandbox-sup 2>/dev/null | wc -l)"
}
start() { # NAME OPTION...: in the background, until its command runs, which ends with the status it is told
	local name=$1; shift
	mkfifo /tmp/$name
	$S --status-fd 4 --ready-fd 3 "$@" -- sh -c 'read n; exit $n' <>/tmp/$name 3>/tmp/$name.ready 4>/tmp/$name.events &
	until [ -s /tmp/$name.ready ]; do sleep 0.05; done
}
stop() { echo "$2" >/tmp/$1; wait "$3"; echo "$1: $? $(by $1)"; }
by() { grep -o '"by":"[a-z]*"' /tmp/$1.events | sort | uniq -c | tr -s '\n ' ' ' | sed 's,^ ,,'; }
""" % SANDBOX
CLEAN = "at / controllers 0 boxes 0 sup 0"


def inside(guest, script, user="guest", timeout=150):
    """Runs a script in a service of that user's with a delegated cgroup; its lines by their first word."""
    with open(guest.shared + "/script", "w", encoding="utf-8") as file:
        file.write(HEAD + script)
    out = guest.ok("systemd-run -q --wait --pipe -p User=%s -p Delegate=yes -p KillMode=process bash /host/script" % user, "root", timeout)
    return dict(line.split(": ", 1) for line in out.splitlines() if ": " in line)


def test_with_a_shell_in_it(guest):
    """A shell is in the cgroup: its boxes have exact limits, and afterwards all is as it was; then once more."""
    got = inside(guest, """
state before
start a --cpus 50% -m 64M; stop a 4 $!; state between
start b --cpus 50% -m 64M; state during; stop b 5 $!; state after""")
    same([got["before"], got["between"], got["after"]], [CLEAN] * 3, "before, between and after")
    same(got["during"], "at /sandbox-sup/ controllers 3 boxes 1 sup 1", "during")
    same([got["a"].strip(), got["b"].strip()], ['4 3 "by":"cgroup"', '5 3 "by":"cgroup"'], "who enforces")


def test_several_at_once(guest):
    """Boxes that overlap each have their limits; the first one that ends takes nothing from the second, the last one tidies up."""
    got = inside(guest, """
start a -m 64M --cpuset 0; a=$!
start b --cpus 50%; b=$!
state both; stop a 0 $a; state one; stop b 3 $b; state none
for i in 1 2 3 4 5 6 7 8; do $S --cpus 50% -m 64M --status-fd 1 -- true & done >/tmp/eight; wait
echo "eight: $(grep -c '"memory":{"asked":67108864,"by":"cgroup"' /tmp/eight)"; state after""")
    check(got["both"].endswith("boxes 2 sup 1"), "both: %s" % got)
    check(got["one"].endswith("boxes 1 sup 1"), "one: %s" % got)
    same((got["none"], got["after"]), (CLEAN, CLEAN), "none, and after eight")
    same((got["a"].strip(), got["b"].strip(), got["eight"]), ('0 3 "by":"cgroup"', '3 2 "by":"cgroup"', "8"), "who enforces")


def test_beside(guest):
    """For limits of CPU and processes nobody is moved: boxes come beside the shell, and one with --cpu-time alone too."""
    got = inside(guest, """
start a --cpus 50%; a=$!
start b --cpus 50% --pids-limit 9 --userns auto; b=$!
start c --cpu-time 60; c=$!
state three; echo "types: $(cat $here/cgroup.type $here/sandbox-*/cgroup.type | sort | uniq -c | tr -s '\\n ' ' ')"
stop b 2 $b; stop a 1 $a; state one; stop c 3 $c; state none
python3 -c 'import os, sys; print("marks:", os.listxattr(sys.argv[1]))' $here
start d --cpus 50%; d=$!
$S --limits cgroup -m 64M -- true 2>/tmp/said; echo "strict: $? $(tr -s '\\n' ' ' </tmp/said)"
stop d 5 $d; $S --limits cgroup -m 64M -- true; echo "then: $?"; state after""")
    same(got["three"], "at / controllers 2 boxes 3 sup 0", "three boxes")
    same(got["types"].split(), ["1", "domain", "threaded", "3", "threaded"], "their types")
    same([got[name].split()[0] for name in "abcd"], ["1", "2", "3", "5"], "statuses")
    for name in "abcd":
        check("soft" not in got[name] and "cgroup" in got[name], "who enforces: %s" % got)
    check(got["one"].endswith("boxes 1 sup 0"), "one: %s" % got)
    same((got["none"], got["after"]), (CLEAN, CLEAN), "what is left")
    check("user.sandbox" not in got["marks"], "the mark is gone: %s" % got)
    check(got["strict"].startswith("125 ") and "threaded cgroups are in ours" in got["strict"], "memory beside it: %s" % got)
    same(got["then"], "0", "memory afterwards")


WITH_A_BUS = r"""
here=/sys/fs/cgroup$(sed 's/^0:://' /proc/self/cgroup)
for o in "--cpus 50%%" "-m 64M"; do
	rm -f /tmp/ready /tmp/wait; mkfifo /tmp/wait
	%s -q --cwd none --strict $o --ready-fd 3 -- sh -c 'read n' 3>/tmp/ready <>/tmp/wait & pid=$!
	until [ -s /tmp/ready ]; do sleep 0.1; done
	echo $(ls -d $here/sandbox-[0-9]* 2>/dev/null | wc -l) $(systemctl --user list-units --plain --no-legend 'sandbox-*.scope' | wc -l)
	echo >/tmp/wait; wait $pid
done
cat $here/cgroup.type
""" % SANDBOX


def test_beside_with_a_bus(guest):
    """A shell in a user's service with Delegate=: limits of CPU need no scope, memory asks for one."""
    with open(guest.shared + "/script", "w", encoding="utf-8") as file:
        file.write(WITH_A_BUS)
    out = guest.ok("systemd-run --user --wait --pipe -q -p Delegate=yes bash /host/script", "user", 150)
    same(out.splitlines(), ["1 0", "0 1", "domain"], "boxes beside the shell, scopes")


def test_controllers_taken(guest):
    """What somebody switches off, as systemd does in a unit without Delegate=, is on again soon; where that cannot be, the box ends and says so."""
    got = inside(guest, """
again() { for n in {1..100}; do grep -qsx "$2" $here/sandbox-[0-9]*/$1 && break; sleep 0.1; done; echo "$3: $(cat $here/sandbox-[0-9]*/$1)"; }
start a --cpus 50%; a=$!
echo -cpu >$here/cgroup.subtree_control; again cpu.max '50000 100000' cpu; stop a 4 $a; state between
start b -m 64M; b=$!
echo -memory >$here/cgroup.subtree_control; again memory.max 67108864 memory; again memory.oom.group 1 group; stop b 5 $b; state after
mkdir $here/x.scope; echo $$ >$here/x.scope/cgroup.procs; echo '+cpu +pids' >$here/cgroup.subtree_control
mkfifo /tmp/c; $S --cpus 50% --ready-fd 3 -- sleep 100 3>/tmp/c.ready 2>/tmp/said & c=$!
until [ -s /tmp/c.ready ]; do sleep 0.05; done
until echo -cpu >$here/x.scope/cgroup.subtree_control; echo -cpu >$here/cgroup.subtree_control; do :; done 2>/dev/null
wait $c; echo "gone: $? $(tr -s '\\n' ' ' </tmp/said)"; echo "left: $(ls -d $here/x.scope/*/ 2>/dev/null)"
echo -pids >$here/cgroup.subtree_control; echo $$ >$here/cgroup.procs; rmdir $here/x.scope""")
    same((got["cpu"], got["memory"], got["group"]), ("50000 100000", "67108864", "1"), "the limits")
    same((got["a"][0], got["b"][0], got["between"], got["after"]), ("4", "5", CLEAN, CLEAN), "the ends")
    check(got["gone"].startswith("125 ") and "E-LIMIT" in got["gone"] and "no longer hold" in got["gone"], got)
    same(got["left"], "", "what is left")


def test_end_of_a_threaded_one(guest):
    """The kernel kills no threaded cgroup as a whole: what is left of a box in one ends all the same."""
    got = inside(guest, """
$S --cpus 50% --cpu-time 500ms -- sh -c 'sleep 100 & while :; do :; done'; echo "status: $?"; state spent
$S --share pid --cpus 50% -- sh -c 'setsid sleep 987 >/dev/null 2>&1 & exit 3'; echo "shared: $? $(pgrep -f '^sleep 987' | wc -l)"; state after""")
    same((got["status"], got["shared"]), ("124", "3 0"), "the ends")
    same((got["spent"], got["after"]), (CLEAN, CLEAN), "what is left")


def test_alone(guest):
    """A program that is alone in its cgroup, as in a service of its own."""
    out = guest.ok("systemd-run -q --wait --pipe -p User=guest -p Delegate=yes %s -q --cpus 50%% --strict --status-fd 1 -- true" % SANDBOX, "root")
    check('"cpu":{"asked":0.500,"by":"cgroup","exact":true}' in out, out)


def test_launcher_killed(guest):
    """SIGKILL for the launcher at any moment: within two seconds no directory and no process of the box is left, and the shell is back."""
    got = inside(guest, """
left() { ls -d $here/sandbox-* 2>/dev/null; cat $here/cgroup.procs | xargs -r ps -o comm= -p | grep sandbox; }
for i in 0 1 2 3 4 5 6 7 8 9; do
	o=; [ $((i % 2)) = 0 ] || o="-m 64M"
	$S --cpus 50% $o -- sleep 100 & pid=$!
	sleep 0.0$((i * 4 % 10))$i; [ $i -lt 7 ] || sleep 0.5
	kill -9 $pid; wait $pid 2>/dev/null
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -z "$(left)" ] && break; sleep 0.1; done
	[ -z "$(left)" ] || echo "left$i: $(left | tr '\\n' ' ')"
done
state after""")
    same(got, {"after": CLEAN}, "what is left")


def test_both_killed(guest):
    """Launcher and janitor killed at once: the next run sweeps what they left, but not the box that lives."""
    got = inside(guest, """
for o in "-m 64M" "--pids-limit 9 --userns auto"; do
start a --cpus 50% $o; a=$!
start b --cpus 50% $o; b=$!
janitor=$(pgrep -P $a -x sandbox-tidy); kill -9 $janitor $a; wait $a 2>/dev/null
while [ -e /proc/$janitor ]; do sleep 0.05; done; state "left ${o%% *}"
$S --cpus 50% -- true; state "swept ${o%% *}"
stop b 6 $b; state "after ${o%% *}"; rm -f /tmp/[ab] /tmp/[ab].*
done""")
    for way, sup in (("-m", 1), ("--pids-limit", 0)):
        check(got["left " + way].endswith("boxes 2 sup %d" % sup), "left: %s" % got)
        check(got["swept " + way].endswith("boxes 1 sup %d" % sup), "swept: %s" % got)
        same(got["after " + way], CLEAN, "what is left")
    same(got["b"][0], "6", "the other box")


def test_others_of_that_name(guest):
    """Directories that somebody else has named like ours are left alone, with all that is in them, and so is the one we are started in."""
    got = inside(guest, """
mkdir $here/sandbox-1 $here/sandbox-2 $here/sandbox-3-6e0c2a5b0123456
for n in sandbox-2 sandbox-3-6e0c2a5b0123456; do sleep 987 & echo $! >$here/$n/cgroup.procs; done
echo $$ >$here/sandbox-1/cgroup.procs
$S --strict -m 64M -- sh -c 'exit 4'; echo "leaf: $?"; $S --strict --cpus 50% -- sh -c 'exit 5'; echo "again: $?"
echo "sleeps: $(pgrep -c -f '^sleep 987')"; echo "dirs: $(ls -d $here/*/ | wc -l)"
pkill -f '^sleep 987'; wait; echo $(for c in $(cat $here/cgroup.subtree_control); do echo -$c; done) >$here/cgroup.subtree_control
echo $$ >$here/cgroup.procs; rmdir $here/sandbox-1 $here/sandbox-2 $here/sandbox-3-6e0c2a5b0123456""")
    same(got, {"leaf": "4", "again": "5", "sleeps": "2", "dirs": "3"}, "what was run, and what is left")


def test_janitor_killed(guest):
    """The janitor's end disturbs nothing."""
    got = inside(guest, """start a --cpus 50%; pkill -9 -P $! -x sandbox-tidy; stop a 7 $!; state after""")
    same((got["a"][0], got["after"]), ("7", CLEAN), "the end")


def test_threaded(guest):
    """A cgroup that holds threaded ones of somebody else's limits CPU and processes, not memory; nothing of it is changed."""
    got = inside(guest, """
mkdir $here/x; echo threaded >$here/x/cgroup.type; echo "type: $(cat $here/cgroup.type)"
start a --cpus 50%; stop a 0 $!; start b -m 64M; stop b 0 $!
echo "x: $(cat $here/x/cgroup.type)"; rmdir $here/x; state after""")
    check("cgroup" in got["a"] and "soft" in got["b"], "who enforces: %s" % got)
    same((got["x"], got["after"]), ("threaded", CLEAN), "what is left")


def test_in_a_leaf(guest):
    """In a leaf of a directory that is ours nobody has to be moved: a box comes beside it, and takes no notice of units of systemd around it."""
    got = inside(guest, """
mkdir $here/main; echo $$ >$here/main/cgroup.procs
start a --cpus 50% -m 64M; state during; stop a 4 $!; echo "own: $(ls -d $here/*/)"
echo $$ >$here/cgroup.procs 2>/dev/null; echo "back: $?"
echo '-cpu -memory -pids' >$here/cgroup.subtree_control; echo $$ >$here/cgroup.procs; rmdir $here/main; state after""")
    same(got["during"], "at /main/ controllers 3 boxes 1 sup 0", "during")
    same(got["a"].strip(), '4 3 "by":"cgroup"', "who enforces")
    check(got["own"].endswith("/main/"), "what is left: %s" % got)
    same(got["after"], CLEAN, "after")
