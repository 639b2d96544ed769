# SPDX-License-Identifier: MIT
"""A real Debian root directory, as an ordinary user with subordinate ids: packages, users, owners."""

from box import *

_shared = {}


def debian():
    """The unpacked root, one for all tests of this file; its files belong to the user's ids."""
    if "root" not in _shared:
        root = os.path.join(WORK, "debian")
        os.mkdir(root)
        as_subroot("tar", "-C", root, "-xpf", DEBIAN, "--exclude=./dev/*", check_it=True)
        _shared["root"] = root
    return _shared["root"]


def run(script, *options, timeout=120 * SLOW, **keywords):
    got = sandbox("--rootfs", debian(), *options, "--", "/bin/bash", "-ec", script, timeout=timeout, **keywords)
    check(got.code == 0, "should succeed\n%s" % got)
    return got


@needs("debian", "subids")
def test_runs():
    """The root's own programs run, as its root."""
    got = run("id -un; . /etc/os-release; echo $ID; ls -l /etc/shadow")
    matches(got.out, r"\Aroot\ndebian\n-rw-r----- 1 root shadow ", "stdout")


@needs("debian", "subids")
def test_package_installation():
    """apt-get installs a local package: its files, owners and scripts; dpkg removes it again."""
    package = folder("package/DEBIAN")
    write(package + "/control", "Package: confined\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: a test\n")
    write(package + "/postinst", "#!/bin/sh\nset -e\nadduser --system --group confined\nchown confined:confined /var/lib/confined\n", 0o755)
    os.makedirs(scratch() + "/package/var/lib/confined")
    os.makedirs(scratch() + "/package/usr/bin")
    write(scratch() + "/package/usr/bin/confined", "#!/bin/sh\necho installed and running\n", 0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", "package", "local.deb"], cwd=scratch(), check=True,
                   stdout=subprocess.DEVNULL)
    got = run("cp /in/local.deb /tmp/; cd /tmp; apt-get install -y ./local.deb; confined; stat -c %U:%G /var/lib/confined; dpkg -s confined",
              "-v", scratch() + ":/in:ro", "-e", "DEBIAN_FRONTEND=noninteractive")
    contains(got.out, "installed and running\n", "stdout")
    contains(got.out, "confined:confined\n", "stdout")
    contains(got.out, "Status: install ok installed", "stdout")
    run("dpkg --purge confined; ! command -v confined")


@needs("debian", "subids")
def test_su():
    """su becomes another user, who then lacks root's rights."""
    got = run("useradd -m walker; su walker -c 'id -un; touch /etc/x 2>/dev/null || echo refused; cd; pwd'; userdel -r walker 2>/dev/null")
    equal(got.lines, ["walker", "refused", "/home/walker"], "stdout")


@needs("debian", "subids")
def test_chown():
    """chown gives files to ids of the range, and says no beyond it."""
    got = run("touch /tmp/f; chown 33:33 /tmp/f; stat -c %u:%g /tmp/f; chown 65534 /tmp/f; stat -c %u /tmp/f; "
              "chown 70000 /tmp/f 2>/dev/null || echo refused")
    equal(got.lines, ["33:33", "65534", "refused"], "stdout")


@needs("debian", "subids")
def test_adduser():
    """adduser makes a user with a home that is theirs."""
    got = run("adduser --disabled-password --gecos '' visitor >/dev/null; stat -c %U /home/visitor; su visitor -c 'id -un'; deluser visitor >/dev/null")
    equal(got.lines[:2], ["visitor", "visitor"], "stdout")


@needs("debian", "subids")
def test_setgroups():
    """Supplementary groups of the root's own users work."""
    got = run("groupadd crew; useradd -G crew sailor; su sailor -c 'id -Gn'; userdel sailor; groupdel crew")
    contains(got.out, "crew", "stdout")


@needs("debian", "subids")
def test_hard_links_and_modes():
    """Setuid bits, hard links and modes survive in the root directory."""
    got = run("stat -c %a /usr/bin/passwd; cd /var/tmp; echo x >a; ln a b; stat -c %h a; rm a b; mkdir -m 2775 d; stat -c %a d; rmdir d")
    equal(got.lines, ["4755", "2", "2775"], "stdout")


@needs("debian", "subids")
def test_read_only_root():
    """--read-only keeps the whole system unchanged while a --tmpfs can be used."""
    got = run("touch /tmp/fine; touch /etc/x /usr/x /var/lib/dpkg/x 2>/dev/null || echo refused", "--read-only", "--tmpfs", "/tmp")
    equal(got.out, "refused\n", "stdout")


@needs("debian", "subids")
def test_ordinary_user_inside():
    """-u N in the root directory is an ordinary user there, without capabilities."""
    got = run("id -u; grep CapEff /proc/self/status; cat /etc/shadow 2>/dev/null || echo refused", "-u", "1000")
    equal(got.lines, ["1000", "CapEff:\t0000000000000000", "refused"], "stdout")


@needs("debian", "subids")
def test_left_as_it_was():
    """A run that changes nothing leaves the root directory's top level as it was."""
    before = sorted(os.listdir(debian()))
    run("true", "-v", scratch() + ":/made/point")
    equal(sorted(os.listdir(debian())), before, "the top level")
