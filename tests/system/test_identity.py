# SPDX-License-Identifier: MIT
"""Who the command is inside, and to whom its files belong outside."""

from box import *

IDS = "import os; print(os.getresuid(), os.getresgid())"
MAP = "cat /proc/self/uid_map; cat /proc/self/gid_map"


@everywhere
def test_own_ids():
    """By default the command has the caller's own user and group ids, real, effective and saved."""
    uid, gid = os.getuid(), os.getgid()
    equal(py(IDS).out, "(%d, %d, %d) (%d, %d, %d)\n" % (uid, uid, uid, gid, gid, gid), "ids")


@cases(user=("-u", "1234"), keep=("--userns", "keep-id", "-u", "1234"))
def test_user(*options):
    """-u N: that number inside, the caller outside."""
    equal(py(IDS, *options).out, "(1234, 1234, 1234) (1234, 1234, 1234)\n", "ids")
    sh(": >made", *options)
    equal(os.stat(scratch() + "/made").st_uid, os.getuid(), "owner outside")


def test_user_and_group():
    """-u N:M sets both."""
    equal(py(IDS, "-u", "12:34").out, "(12, 12, 12) (34, 34, 34)\n", "ids")


@cases(zero="0", largest="4294967294", common="65534")
def test_edge_ids(value):
    """The smallest and the largest id work."""
    equal(sandbox("-u", value, "--", "id", "-u").out, value + "\n", "uid")


@everywhere
def test_root_option():
    """--root: 0 inside with a map of one id."""
    got = sh("id -u; id -g; " + MAP, "--root")
    equal(got.out.split(), ["0", "0", "0", str(os.getuid()), "1", "0", str(os.getgid()), "1"], "ids and maps")


def test_keep_id_map():
    """The default map is one id: nobody else can be inside."""
    uid, gid = os.getuid(), os.getgid()
    equal(sh(MAP).out.split(), [str(n) for n in (uid, uid, 1, gid, gid, 1)], "maps")


@needs("subids")
def test_auto_map():
    """--userns auto: 0 is the caller, 1 and up the subordinate range."""
    lines = [line.split() for line in sh(MAP, "--userns", "auto").lines]
    equal(lines[0], ["0", str(os.getuid()), "1"], "first line")
    start, count = matches(read("/etc/subuid"), r"^(?:%s|%d):(\d+):(\d+)$" % (user_name(), os.getuid())).groups()
    equal(lines[1][:2], ["1", start], "second line")
    check(int(lines[1][2]) >= int(count) - 1, "length of the range: %s" % lines[1])


@needs("subids")
def test_explicit_map():
    """--userns map:... is taken as written when the caller may."""
    start = matches(read("/etc/subuid"), r"^(?:%s|%d):(\d+):" % (user_name(), os.getuid())).group(1)
    spec = "map:0:%d:1,10:%s:5" % (os.getuid(), start)
    if os.getuid() != os.getgid() or read("/etc/subuid") != read("/etc/subgid"):
        raise Skip("user and group ids differ")
    lines = [line.split() for line in sh("cat /proc/self/uid_map", "--userns", spec, "-u", "10", "-w", "/").lines]
    equal(lines, [["0", str(os.getuid()), "1"], ["10", start, "5"]], "map")


def test_user_outside_of_map():
    """-u N that is not in the map is refused before anything is made."""
    refused("--userns", "map:0:%d:1" % os.getuid(), "-u", "7", "--", "/bin/true", code=("E-IDENTITY", "E-IDMAP", "E-CONFLICT", "E-VALUE"))


@everywhere
def test_supplementary_groups():
    """The caller's supplementary groups give nothing by name inside: one group, or unmapped ones."""
    got = py("import os; print(sorted(set(os.getgroups()) - {os.getgid(), 65534}))")
    equal(got.out, "[]\n", "supplementary groups")


def test_setgroups_is_denied():
    """With one id, setgroups is denied: a group that denies access cannot be dropped (CVE-2018-7169)."""
    equal(sh("cat /proc/self/setgroups", "--root").out, "deny\n", "setgroups")


@needs("subids", "deny")
def test_ranges_without_privilege():
    """Where no_new_privs is already set newuidmap cannot work: one id and a notice by default, refused when asked."""
    if not busybox():
        raise Skip("needs busybox-static")
    deny = (TOOLS + "/deny", "--")
    got = sandbox("--rootfs", busybox_root(), "--", "/bin/cat", "/proc/self/uid_map", via=deny)
    equal(got.out.split(), ["0", str(os.getuid()), "1"], "map\n%s\nvalue" % got)
    equal(len(re.findall(r"^sandbox: notice: ", got.err, re.M)), 1, "notices\n%s\nvalue" % got)
    refused("--userns", "auto", "--", "/bin/true", via=deny, code=("E-SUBID-NONE", "E-SUBID-HELPER"))


# As the first user but root of a namespace with more ids than one, where the two programs that set maps are
# of root's and may be anybody's: "$1" is one of the two, and "$2" to "$4" say what becomes of it; the rest is
# its owner, its mode and what it does, with the one of the host's as /mnt/real.
MAPPERS = """
mount -t tmpfs none /mnt
chmod 755 /mnt
printf '1000:2000:500\n' >/mnt/ranges
for file in /etc/subuid /etc/subgid; do mount --bind /mnt/ranges "$file"; done
for name in newuidmap newgidmap; do
	cp "/usr/bin/$name" "/mnt/real-$name"
	chmod 4755 "/mnt/real-$name"
	cp "/mnt/real-$name" "/mnt/$name"
	if test "$name" = "$1"; then
		printf '#!/bin/sh\nreal=/mnt/real-%s\n%s\n' "$name" "$4" >"/mnt/$name"
		chown "$2:$2" "/mnt/$name"
	fi
	chmod 4755 "/mnt/$name"
	test "$name" != "$1" || chmod "$3" "/mnt/$name"
	mount --bind "/mnt/$name" "/usr/bin/$name"
done
cd /
exec setpriv --reuid 1000 --regid 1000 --clear-groups "$SANDBOX" --userns auto -- cat /proc/self/uid_map /proc/self/gid_map
"""


def with_mapper(name, owner, mode, script):
    done = subprocess.run([*"unshare --map-root-user --map-auto -m /bin/sh -ec".split(), MAPPERS, "sh", name, owner, mode, script],
                          env=environment({"SANDBOX": SANDBOX, "XDG_RUNTIME_DIR": None, "TMPDIR": None}), cwd="/", stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT, check=False)
    return Result([name, owner, mode, script], done.returncode, done.stdout.decode(), done.stderr.decode())


HONEST = 'exec "$real" "$@"'
FEWER = 'exec "$real" "$1" "$2" "$3" "$4" "$5" "$6" 499'


@needs("subids", "unshare")
@cases(newuidmap="newuidmap", newgidmap="newgidmap")
def test_mapper(name):
    """What newuidmap and newgidmap are asked for is what the box has."""
    got = with_mapper(name, "0", "4755", HONEST)
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    equal(got.out.split(), "0 1000 1 1 2000 500".split() * 2, "maps")


@needs("subids", "unshare")
@cases(nothing=("newuidmap", "exit 0"), fewer=("newuidmap", FEWER), nothing_groups=("newgidmap", "exit 0"), fewer_groups=("newgidmap", FEWER))
def test_mapper_that_lies(name, script):
    """A map that is not the one asked for is refused, whatever the program that set it says."""
    got = with_mapper(name, "0", "4755", script)
    equal(got.code, 125, "exit status\n%s\nvalue" % got)
    contains(got.err, "error[E-IDMAP]: the id map of the box is not the one asked for", "stderr")
    contains(got.err, name[3:6] + "_map has: ", "stderr")
    equal(got.out, "", "stdout")


@needs("subids", "unshare")
@cases(newuidmap="newuidmap", newgidmap="newgidmap")
def test_mapper_that_fails(name):
    """A program that says it has not set the map is believed, even if it has."""
    got = with_mapper(name, "0", "4755", '"$real" "$@"; echo no >&2; exit 3')
    equal(got.code, 125, "exit status\n%s\nvalue" % got)
    contains(got.err, "error[E-SUBID-HELPER]: '/usr/bin/%s' did not set the id map" % name, "stderr")
    contains(got.err, "it ended with status 3: no", "stderr")


@needs("subids", "unshare")
@cases(owner=("newuidmap", "1000", "4755", "is not owned by root"), owner_groups=("newgidmap", "1000", "4755", "is not owned by root"),
       mode=("newuidmap", "0", "755", "is neither setuid root nor has file capabilities"))
def test_mapper_of_others(name, owner, mode, fault):
    """newuidmap and newgidmap are not run unless they are root's and have root's rights."""
    got = with_mapper(name, owner, mode, HONEST)
    equal(got.code, 125, "exit status\n%s\nvalue" % got)
    contains(got.err, "error[E-SUBID-NONE]: ", "stderr")
    contains(got.err, "/usr/bin/%s %s" % (name, fault), "stderr")


def test_name_inside():
    """The user's name is known inside."""
    equal(sandbox("--", "id", "-un").out, user_name() + "\n", "name")
