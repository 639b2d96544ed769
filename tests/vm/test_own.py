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
start a --cpus 50%; a=$!
start b -m 64M --pids-limit 9; b=$!
state both; stop a 0 $a; state one; stop b 3 $b; state none
for i in 1 2 3 4 5 6 7 8; do $S --cpus 50% -m 64M --status-fd 1 -- true & done >/tmp/eight; wait
echo "eight: $(grep -c '"memory":{"asked":67108864,"by":"cgroup"' /tmp/eight)"; state after""")
    check(got["both"].endswith("boxes 2 sup 1"), "both: %s" % got)
    check(got["one"].endswith("boxes 1 sup 1"), "one: %s" % got)
    same((got["none"], got["after"]), (CLEAN, CLEAN), "none, and after eight")
    same((got["a"].strip(), got["b"].strip(), got["eight"]), ('0 2 "by":"cgroup"', '3 2 "by":"cgroup"', "8"), "who enforces")


def test_alone(guest):
    """A program that is alone in its cgroup, as in a service of its own."""
    out = guest.ok("systemd-run -q --wait --pipe -p User=guest -p Delegate=yes %s -q --cpus 50%% --strict --status-fd 1 -- true" % SANDBOX, "root")
    check('"cpu":{"asked":0.500,"by":"cgroup","exact":true}' in out, out)


def test_launcher_killed(guest):
    """SIGKILL for the launcher at any moment: within two seconds no directory and no process of the box is left, and the shell is back."""
    got = inside(guest, """
left() { ls -d $here/sandbox-* 2>/dev/null; cat $here/cgroup.procs | xargs -r ps -o comm= -p | grep sandbox; }
for i in 0 1 2 3 4 5 6 7 8 9; do
	$S --cpus 50% -m 64M -- sleep 100 & pid=$!
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
start a --cpus 50%; a=$!
start b --cpus 50%; b=$!
pkill -9 -P $a -x sandbox-tidy; kill -9 $a; sleep 0.5; state left
$S --cpus 50% -- true; state swept
stop b 6 $b; state after""")
    check(got["left"].endswith("boxes 2 sup 1"), "left: %s" % got)
    check(got["swept"].endswith("boxes 1 sup 1"), "swept: %s" % got)
    same((got["b"][0], got["after"]), ("6", CLEAN), "the other box, and what is left")


def test_janitor_killed(guest):
    """The janitor's end disturbs nothing."""
    got = inside(guest, """start a --cpus 50%; pkill -9 -P $! -x sandbox-tidy; stop a 7 $!; state after""")
    same((got["a"][0], got["after"]), ("7", CLEAN), "the end")


def test_threaded(guest):
    """A cgroup that is threaded cannot be used: nothing in it is changed, and the limits are soft."""
    got = inside(guest, """
mkdir $here/x; echo threaded >$here/x/cgroup.type; echo "type: $(cat $here/cgroup.type)"
start a --cpus 50%; stop a 0 $!; rmdir $here/x; state after""")
    check("soft" in got["a"], "who enforces: %s" % got)
    same(got["after"], CLEAN, "what is left")


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
