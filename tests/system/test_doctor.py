# SPDX-License-Identifier: MIT
"""`sandbox doctor`: every prerequisite, and the exact mend."""

from box import *
from world import World

TOPICS = ("user", "newuidmap", "subordinate|subuid", "cgroup", "tun", "landlock", "openat2|mount_setattr|kernel")


@everywhere
def test_text():
    """It names each prerequisite in words."""
    got = sandbox("doctor")
    check(got.code in (0, 1, 125), "exit status\n%s" % got)
    for topic in TOPICS:
        check(re.search(topic, got.out, re.I), "nothing about %s\n%s" % (topic, got))


@everywhere
def test_json():
    """--json gives the same as one JSON document."""
    got = sandbox("doctor", "--json")
    data = json.loads(got.out)
    text = json.dumps(data).lower()
    for topic in TOPICS:
        check(re.search(topic, text), "nothing about %s\n%s" % (topic, got))
    equal(got.err, "", "stderr")


def test_is_quiet_about_the_machine():
    """It starts nothing that stays and writes no file."""
    before = tree(scratch())
    sandbox("doctor")
    equal(tree(scratch()), before, "the directory")


@needs("unshare")
def test_no_user_namespaces():
    """Where the quota of user namespaces is 0 it says so, with the sysctl that mends it."""
    got = in_outer('echo 0 >/proc/sys/user/max_user_namespaces; "$SANDBOX" doctor || true; echo; "$SANDBOX" -- /bin/true || echo $?')
    contains(got.out, "max_user_namespaces", "stdout")
    contains(got.out, "\n125\n", "exit status of the run")
    matches(got.err, r"error\[E-USERNS-(QUOTA|DENIED)\]", "stderr\n%s" % got)
    matches(got.err, r"^  fix: .*(max_user_namespaces|--nested)", "stderr")


@modes("root")
def test_no_subordinate_ids():
    """A user without subordinate ids is told the line that gives them."""
    got = subprocess.run(["unshare", "-m", "/bin/sh", "-c",
               'mount --bind /dev/null /etc/subuid && mount --bind /dev/null /etc/subgid && '
               'exec setpriv --reuid=65530 --regid=65530 --clear-groups "$0" doctor', SANDBOX],
                         capture_output=True, text=True)
    matches(got.stdout, r"usermod|/etc/subuid", "stdout\n%s" % got)


@everywhere
def test_tun_is_no_problem():
    """A missing /dev/net/tun is told, not counted as a fault: there is another way."""
    row = [check for check in json.loads(sandbox("doctor", "--json").out)["checks"] if check["id"] == "tun"][0]
    check(row["status"] in ("ok", "info") and row["fix"] is None, row)


@needs("unshare")
def test_root_of_a_user_namespace():
    """Root of a user namespace is nobody's root outside: no notice, and the process limit is exact."""
    got = in_outer('"$SANDBOX" --status-fd 1 --pids-limit 50 -- /bin/true; "$SANDBOX" doctor | grep " user "')
    equal(got.err, "", "stderr")
    contains(got.out, '"pids":{"asked":50,"by":"rlimit","exact":true}', "the event")
    contains(got.out, "root of a user namespace", "doctor")


@needs("bwrap")
def test_disable_userns():
    """Inside bwrap --disable-userns the quota is one further out: the mend is bwrap's, not a sysctl's."""
    got = sandbox("doctor", via=("bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/"))
    equal(got.code, 125, "exit status\n%s" % got)
    contains(got.out, "--disable-userns", "the mend")
    lacks(got.out, "sysctl -p", "the mend")


def test_unknown_option():
    """An unknown option of doctor is refused."""
    refused("doctor", "--nosuch")


@everywhere
def test_limits():
    """For each limit: who would enforce it, as a run says that asks for it."""
    rows = {row["id"]: row for row in json.loads(sandbox("doctor", "--json").out)["checks"]}
    for name, option in (("cpu", "--cpus=50%"), ("memory", "-m64M"), ("pids", "--pids-limit=64"), ("cpuset", "--cpuset=0"),
                         ("memory-high", "--memory-high=48M"), ("cpu-time", "--cpu-time=60")):
        row = rows["limit-" + name]
        got = sandbox("-q", "--no-profile", "--status-fd", "1", option, "--", "/bin/true")
        event = json.loads(got.out.splitlines()[0])
        if row["by"] == "nobody":
            equal((event["event"], event["code"]), ("error", "E-LIMIT"), name)
            contains(row["detail"], event["cause"], name)
        else:
            limit = event["limits"][name]
            equal((row["by"], row["exact"]), (limit["by"], limit["exact"]), name)


def rows_of(via=()):
    """doctor's rows by their id."""
    return {row["id"]: row for row in json.loads(sandbox("doctor", "--json", via=via, timeout=60 * SLOW).out)["checks"]}


def test_network():
    """By which interface a box gets its network, whose servers are asked for names, and from which port on a
    port can be published; where there is no server, that and the mend."""
    with World(resolv="nameserver 127.0.0.53\\nsearch example.test\\nnameserver 198.51.100.1\\n") as w:
        rows = rows_of(w.via)
    matches(rows["network"]["detail"], r"\(--network user\), by a (TAP|veth pair)$")
    equal((rows["dns"]["status"], rows["dns"]["detail"]), ("ok", "names are asked of 127.0.0.53 198.51.100.1"))
    check(rows["low-ports"]["status"] in ("ok", "info") and re.search(r"ports? (from 1024 on )?can be published", rows["low-ports"]["detail"]),
          rows["low-ports"])
    with World(resolv="search example.test\\n") as w:
        row = rows_of(w.via)["dns"]
    equal(row["status"], "warn", "without a server")
    contains(row["detail"], "no nameserver in /etc/resolv.conf:")
    contains(row["fix"], "--dns")


@cases(link=("fe80::1%host0", "ok", "names are asked of fe80::1%host0"),
       beside=("fe80::1%none 198.51.100.1 x", "ok", "names are asked of 198.51.100.1; not of fe80::1%none (there is no such interface), x (it is no address)"),
       none=("fe80::1", "warn", "no nameserver in /etc/resolv.conf that can be asked, not fe80::1 (it names no interface): --network user resolves no names"))
def test_name_servers(servers, status, detail):
    """The servers that the box's own one asks, and those that it cannot."""
    with World(resolv="".join("nameserver %s\\n" % s for s in servers.split())) as w:
        row = rows_of(w.via)["dns"]
    equal((row["status"], row["detail"]), (status, detail))
