# SPDX-License-Identifier: MIT
"""The command line as it should be used: every spelling of an option means the same."""

from box import *


@cases(equals=("--hostname=box7",), space=("--hostname", "box7"), last_wins=("--hostname", "a", "--hostname=box7"))
def test_scalar(*args):
    """--x=y and --x y are the same, and the last one wins."""
    equal(sandbox(*args, "--", "hostname").out, "box7\n", "hostname")


@cases(joined=("-eA=1",), space=("-e", "A=1"), long=("--env", "A=1"), equals=("--env=A=1",))
def test_letter(*args):
    """-xVALUE, -x VALUE and the long name are the same."""
    equal(sh('echo "$A"', *args).out, "1\n", "A")


def test_lists_append():
    """A repeated list option adds."""
    equal(sh('echo "$A$B"', "-e", "A=1", "-e", "B=2").out, "12\n", "variables")


def test_bundled_flags():
    """Flags of one letter can be bundled; -h wins."""
    got = sandbox("-qh")
    equal(got.code, 0, "exit status")
    contains(got.out, "--rootfs", "help")


def test_flag_is_undone():
    """--no-x undoes --x, the last one wins."""
    equal(sandbox("--root", "--no-root", "--", "id", "-u").out, "%d\n" % os.getuid(), "uid")


@cases(dashes=("run", "--", "echo", "-n", "x"), bare=("run", "echo", "-n", "x"), option=("run", "-q", "echo", "-n", "x"))
def test_run_verb(*args):
    """`run` takes a command with and without `--`; its options stay its own."""
    equal(sandbox(*args).out, "x", "stdout")


def test_dashes_end_options():
    """Everything after `--` belongs to the command, another `--` too."""
    equal(succeeds("--", "echo", "--", "--hostname").out, "-- --hostname\n", "stdout")


def test_help():
    """--help goes to stdout, names every group, and is 0."""
    for args in (("--help",), ("-h",), ("help",)):
        got = succeeds(*args)
        equal(got.err, "", "stderr")
        for word in ("--rootfs", "--volume", "--network", "--timeout", "--status-fd", "--profile"):
            contains(got.out, word, "help")


def test_help_on_a_group():
    """`help GROUP` prints its options, by the name that the heading has too."""
    contains(succeeds("help", "limits").out, succeeds("help", "Limits").out, "an option and a group")
    contains(succeeds("help", "LIMITS").out, "--pids-limit", "stdout")


def test_version():
    """--version, -V and `version` print one line with the number."""
    for args in (("--version",), ("-V",), ("version",)):
        matches(succeeds(*args).out, r"\Asandbox \d+\.\d+\.\d+\S*\n", "version")


def test_help_on_a_full_disk():
    """Help that cannot be written is a failure, not silence."""
    with open("/dev/full", "w", encoding="ascii") as full:
        process = start("--help", stdout=full, stderr=subprocess.PIPE)
        process.communicate(timeout=TIMEOUT)
    check(process.returncode != 0, "exit status is 0 though nothing was written")


@cases(bash="bash", zsh="zsh", fish="fish")
def test_completion(shell):
    """`completion SHELL` prints a completion that knows the options."""
    out = succeeds("completion", shell).out
    for word in ("rootfs", "network", "keep-id"):
        contains(out, word, "completion")


def test_completion_of_unknown_shell():
    """An unknown shell is refused with the known ones."""
    refused("completion", "tcsh", text="bash")


def test_alias():
    """--chdir is --workdir."""
    equal(sandbox("--chdir", "/usr", "--", "pwd").out, "/usr\n", "pwd")


def test_quiet():
    """-q silences notices, never errors."""
    noisy = sandbox("--", "/bin/true", cwd="/")
    contains(noisy.err, "notice", "stderr")
    equal(sandbox("-q", "--", "/bin/true", cwd="/").err, "", "stderr")
    refused("-q", "--nosuch", "--", "/bin/true")


def test_command_options_pass_untouched():
    """Arguments reach the command byte for byte, empty and non-UTF-8 ones too."""
    got = succeeds(
        "--", PYTHON, "-c", "import sys, os; print([os.fsencode(a) for a in sys.argv[1:]])", "", "a b", "\n", "\udcff", "*")
    equal(got.out, "%r\n" % [b"", b"a b", b"\n", b"\xff", b"*"], "argv")
