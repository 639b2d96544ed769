# SPDX-License-Identifier: MIT
"""Profiles: shipped ones, the user's, their keys, and what is never read."""

from box import *


def profile(name, text):
    """A profile of the user; returns the environment that finds it."""
    os.makedirs(scratch() + "/config/sandbox/profiles", exist_ok=True)
    write("%s/config/sandbox/profiles/%s.conf" % (scratch(), name), text)
    return {"XDG_CONFIG_HOME": scratch() + "/config"}


@everywhere
@cases(default="default", strict="strict", agent="agent", build="build")
def test_shipped(name):
    """Every shipped profile runs a command."""
    got = sandbox("--profile", name, "--", "/bin/echo", "x", cwd=folder("work"))
    if name == "strict" and MODE == "root":   # what cannot be exact for root is refused, with the reason
        matches(got.err, r"error\[E-LIMIT\]", "stderr")
        return
    equal((got.code, got.out), (0, "x\n"), "result\n%s\nvalue" % got)


def test_list():
    """`profile list` names the shipped ones and the user's."""
    out = succeeds("profile", "list", env=profile("mine", "[sandbox]\n")).out
    for name in ("default", "strict", "agent", "build", "mine"):
        contains(out, name, "list")


def test_show():
    """`profile show NAME` prints what it sets; `profile check FILE` accepts it."""
    out = succeeds("profile", "show", "strict").out
    contains(out, "[sandbox]", "profile")
    write(scratch() + "/copy.conf", out)
    succeeds("profile", "check", "./copy.conf")


def test_options_in_a_profile():
    """Keys are the long option names; lists repeat by `;`; flags are true and false."""
    env = profile("mine", "[sandbox]\nhostname=fromprofile\nenv=A=1;B=2\nroot=true\n")
    equal(sh('hostname; echo "$A$B"; id -u', "--profile", "mine", env=env).lines, ["fromprofile", "12", "0"], "values")


def test_command_line_wins():
    """The command line comes after the profile."""
    env = profile("mine", "[sandbox]\nhostname=fromprofile\nroot=true\n")
    equal(sh("hostname; id -u", "--profile", "mine", "--hostname", "mine", "--no-root", env=env).lines, ["mine", str(os.getuid())], "values")


def test_default_of_the_user():
    """A user's `default` is read on every run; --no-profile leaves it out."""
    env = profile("default", "[sandbox]\nhostname=fromdefault\n")
    equal(sandbox("--", "hostname", env=env).out, "fromdefault\n", "host name")
    equal(sandbox("--no-profile", "--", "hostname", env=env).out, "sandbox\n", "host name without profile")


def test_named_file():
    """--profile ./FILE reads that file."""
    write(scratch() + "/here.conf", "[sandbox]\nhostname=here\n")
    equal(sandbox("--profile", "./here.conf", "--", "hostname").out, "here\n", "host name")


def test_inherit():
    """inherit= takes another profile first."""
    env = profile("base", "[sandbox]\nhostname=base\nenv=A=1\n")
    profile("top", "[sandbox]\ninherit=base\nhostname=top\n")
    equal(sh('hostname; echo "$A"', "--profile", "top", env=env).lines, ["top", "1"], "values")


def test_inherit_loop():
    """A loop of inherit= is refused."""
    env = profile("a", "[sandbox]\ninherit=b\n")
    profile("b", "[sandbox]\ninherit=a\n")
    refused("--profile", "a", "--", "/bin/true", env=env, code="E-PROFILE")


def test_current_directory_is_never_read():
    """A profile in the current directory is not read on its own, by any name."""
    for name in ("default.conf", "sandbox.conf", ".sandbox.conf", "mine.conf", "mine", "default"):
        write(scratch() + "/" + name, "[sandbox]\nhostname=trap\n")
    equal(sandbox("--", "hostname").out, "sandbox\n", "host name")
    refused("--profile", "mine", "--", "/bin/true", code="E-PROFILE")


BROKEN = {
    "unknown_key": ("[sandbox]\nhostnam=x\n", r"hostname", "2"), "no_group": ("hostname=x\n", "", "1"), "other_group": ("[other]\nhostname=x\n", "", ""),
    "no_value": ("[sandbox]\nhostname\n", "", "2"), "bad_flag": ("[sandbox]\nroot=maybe\n", "root", "2"), "cli_only": ("[sandbox]\nexplain=true\n", "explain", "2"),
    "binary": ("[sandbox]\nhostname=a\0b\n", "", ""), "later": ("[sandbox]\nname=a\n", "name", ""),
}


@cases(**BROKEN)
def test_broken(text, near, line):
    """A broken profile is refused with its file, the line and the nearest key."""
    env = profile("broken", text)
    got = refused("--profile", "broken", "--", "/bin/true", env=env, code=("E-PROFILE", "E-OPTION-UNKNOWN", "E-OPTION-LATER", "E-VALUE"))
    contains(got.err, "broken", "stderr")
    if near:
        contains(got.err, near, "stderr")
    if line:
        matches(got.err, r"(:|line )%s\b" % line, "stderr")
    refused("profile", "check", scratch() + "/config/sandbox/profiles/broken.conf", env=env)


def test_bad_value_names_the_line():
    """A bad value from a profile names file and line as its origin."""
    env = profile("mine", "[sandbox]\n# comment\nnice=99\n")
    refused("--profile", "mine", "--", "/bin/true", env=env, code="E-VALUE", origin=r"mine\.conf:3")


@cases(missing="nosuch", dots="../x", directory="./", empty="")
def test_missing(name):
    """A profile that is not there is refused; a shipped near name is offered."""
    refused("--profile=" + name, "--", "/bin/true", code=("E-PROFILE", "E-VALUE"))


def test_missing_name_tells_where_to_look():
    """The mend of a wrong name is the list of the right ones."""
    refused("--profile", "strct", "--", "/bin/true", code="E-PROFILE", fix="strict|profile list")


def test_expansion():
    """`~`, ${HOME}, ${CWD} and ${UID} are expanded in paths."""
    home = folder("me")
    write(home + "/shown", "x\n")
    env = profile("mine", "[sandbox]\nshow=~/shown;${CWD}/other\n")
    env["HOME"] = home
    write(folder("work") + "/other", "y\n")
    sh('test -e "$HOME/shown" && test -e other', "--profile", "mine", env=env, cwd=scratch() + "/work")


def test_strict_is_stricter():
    """`strict` shows the current directory read-only or not at all and keeps the network off."""
    got = sandbox("--profile", "strict", "--", "/bin/sh", "-c", "(: >made) 2>/dev/null && echo wrote; ls /sys/class/net 2>/dev/null; true", cwd=folder("work"))
    lacks(got.out, "wrote", "stdout")
    equal(os.listdir(scratch() + "/work"), [], "the directory")
