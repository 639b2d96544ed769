# SPDX-License-Identifier: MIT
"""Bad input of every kind: one clear line, the right status, and nothing created first."""

import os

from box import *

USAGE = ("E-USAGE", "E-VALUE")
LONG = "x" * 5000
MARK = ("--", "/bin/sh", "-c", "echo ran >ran")   # in the scratch, which is the caller's directory


def never_ran(*args, **keywords):
    """The refusal leaves the caller's directory exactly as it was."""
    before = tree(scratch())
    got = refused(*args, **keywords)
    equal(tree(scratch()), before, "the caller's directory")
    return got


def test_nothing_at_all():
    """`sandbox` alone prints a short help on stderr and fails."""
    got = sandbox()
    equal(got.code, 125, "exit status")
    equal(got.out, "", "stdout")
    matches(got.err, r"sandbox.* -- ", "stderr")


def test_word_without_dashes():
    """A command is introduced by `--` only; the error shows the line that works."""
    never_ran("ls", code="E-USAGE", fix=r"sandbox -- ls")


def test_word_after_options():
    """An option followed by a bare word names the missing `--` too."""
    never_ran("-q", "ls", "-l", code="E-USAGE", fix=r"-- ls")


@cases(bare=("--",), run=("run",), run_dashes=("run", "--"), options_only=("--quiet",))
def test_missing_command(*args):
    """No command is a usage error."""
    never_ran(*args, code="E-USAGE")


@cases(long=("--nosuch", None), typo=("--rootf=/", "rootfs"), typo_value=("--hostnam=x", "hostname"),
       letter=("-Z", None), negated=("--no-nosuch", None), negated_scalar=("--no-hostname", None),
       escape=("--a\x1b[31mb", None), one_dash_long=("-quite", None), empty=("--=x", None))
def test_unknown_option(option, near):
    """An unknown option is named, quoted safely, with the nearest real one."""
    got = never_ran(option, *MARK, code=("E-OPTION-UNKNOWN", "E-USAGE", "E-VALUE"))
    if near:
        contains(got.err, "--" + near, "stderr")


@cases(rootfs=("--rootfs",), volume=("-v",), bundled=("-qv",), env=("-e",))
def test_missing_value(*args):
    """An option at the end of the line without its value is refused."""
    never_ran(*args, code=USAGE)


@cases(quiet=("--quiet=yes",), root=("--root=1",), negated=("--no-quiet=1",))
def test_flag_with_value(option):
    """A flag takes no value."""
    never_ran(option, *MARK, code=USAGE)


LATER = {
    "image": ("--image", "debian"), "overlay": ("--overlay",), "overlay_name": ("--overlay=x",),
    "security_opt": ("--security-opt", "a=b"),
    "detach": ("-d",), "name": ("--name", "x"),
    "cwd_overlay": ("--cwd", "overlay"),
    "volume_overlay": ("-v", "/usr:/x:overlay"),
}


@cases(**LATER)
def test_option_of_a_later_version(*args):
    """A planned option is refused by name, never ignored and never called unknown."""
    never_ran(*args, *MARK, code="E-OPTION-LATER", text=r"--?%s" % args[0].lstrip("-").split("=")[0].removeprefix("no-"))


VERBS = "shell ps inspect stats logs wait attach exec stop kill pause unpause update rm diff commit discard image boot oci"


@cases(**{verb: verb for verb in VERBS.split()})
def test_verb_of_a_later_version(verb):
    """A planned verb is refused by name."""
    never_ran(verb, "x", text="not part of this version")


IDS = {
    "letters": "1x", "sign": "+1", "minus": "-1", "space": " 1", "trailing": "1 ", "empty": "", "hex": "0x10", "octal": "010x",
    "name": "root", "pow32": "4294967296", "nobody32": "4294967295", "huge": "18446744073709551617", "empty_gid": "1:",
    "empty_uid": ":1", "three": "1:2:3", "gid_letters": "1:1x", "gid_pow32": "0:4294967296", "newline": "1\n", "float": "1.0",
}


@cases(**IDS)
def test_bad_user(value):
    """Ids are strict decimal numbers below 2^32-1; nothing is guessed."""
    never_ran("--user=" + value, *MARK, code="E-VALUE", text="--user|-u", origin="--user")


MAPS = {
    "word": "nonsense", "empty": "map:", "two": "map:0:1000", "four": "map:0:1:1:1", "zero_count": "map:0:1000:0",
    "overlap_inside": "map:0:1000:2,1:5000:1", "overlap_outside": "map:0:1000:2,5:1001:1", "past_end": "map:4294967290:0:10",
    "past_end_outside": "map:0:4294967290:10", "pow32": "map:4294967296:0:1", "letters": "map:a:0:1", "comma": "map:0:1:1,",
    "341_rows": "map:" + ",".join("%d:%d:1" % (i * 2, 100000 + i * 2) for i in range(341)),
}


@cases(**MAPS)
def test_bad_userns(value):
    """Id maps that are malformed, overlapping, empty, too long or past the end are refused."""
    never_ran("--userns", value, *MARK, code=("E-VALUE", "E-IDMAP"))


@cases(outside=("map:0:5:1",), root_of_host=("map:0:0:1",))
def test_foreign_ids(value):
    """Ids of the host that are not the caller's to give are refused before anything is made."""
    never_ran("--userns", value, *MARK, code=("E-IDMAP", "E-SUBID-HELPER", "E-SUBID-NONE", "E-VALUE"))


SIZES = {"unit": "12Q", "minus": "-1", "empty": "", "exponent": "1e9", "huge": "99999999999999999999", "overflow": "17179869184G",
         "space": "1 M", "two_units": "1MM", "plus": "+1M", "only_unit": "M", "newline": "1M\n"}


@cases(**SIZES)
def test_bad_size(value):
    """Sizes are checked whole."""
    never_ran("--tmpfs", "/mnt:size=" + value, *MARK, code="E-VALUE", origin="--tmpfs")


@cases(digit9="9", word="rwx", big="77777", empty="", minus="-1")
def test_bad_mode(value):
    """Modes are octal."""
    never_ran("--tmpfs", "/mnt:mode=" + value, *MARK, code="E-VALUE")


@cases(unit="5x", minus="-1", empty="", huge="99999999999999999999h", word="soon", order="1s1h", space="1 s")
def test_bad_time(value):
    """Times are checked whole."""
    never_ran("--timeout=" + value, *MARK, code="E-VALUE", origin="--timeout")


VALUES = {
    "nice_high": ("--nice", "20"), "nice_low": ("--nice", "-21"), "nice_word": ("--nice", "low"), "nice_empty": ("--nice=",),
    "ulimit_name": ("--ulimit", "bogus=1"), "ulimit_bare": ("--ulimit", "nofile"), "ulimit_empty": ("--ulimit", "nofile="),
    "ulimit_order": ("--ulimit", "nofile=5:3"), "ulimit_minus": ("--ulimit", "nofile=-2"), "ulimit_three": ("--ulimit", "nofile=1:2:3"),
    "pids_word": ("--pids-limit", "many"), "pids_huge": ("--pids-limit", "99999999999999999999"),
    "cap_add": ("--cap-add", "CAP_NOSUCH"), "cap_drop": ("--cap-drop", "sys_admin,nosuch"), "cap_empty": ("--cap-add=",),
    "securebits": ("--securebits", "nosuch"), "signal_name": ("--stop-signal", "NOSUCH"), "signal_0": ("--stop-signal", "0"),
    "signal_99": ("--stop-signal", "99"), "network": ("--network", "bridge"), "network_empty": ("--network=",),
    "box_empty": ("--network", "box:"), "box_path": ("--network", "box:a/b"), "box_dots": ("--network", "box:.."),
    "box_capital": ("--network", "box:Web"), "box_long": ("--network", "box:" + "x" * 33), "box_dash": ("--network", "box:-a"),
    "box_space": ("--network", "box:a b"), "box_newline": ("--network", "box:a\n"),
    "ns_empty": ("--network", "ns:"), "share": ("--share", "bogus"), "unshare": ("--unshare", "net,bogus"),
    "home": ("--home", "nowhere"), "cwd": ("--cwd", "maybe"), "status_word": ("--status-fd", "x"), "status_minus": ("--status-fd", "-1"),
    "status_huge": ("--status-fd", "99999999999"), "preserve_word": ("--preserve-fds", "x"), "preserve_2": ("--preserve-fds", "2"),
    "volume_empty": ("-v", ""), "volume_no_source": ("-v", ":/x"), "volume_relative_dst": ("-v", "/usr:x"),
    "volume_option": ("-v", "/usr:/x:bogus"), "volume_both": ("-v", "/usr:/x:ro,rw"), "volume_fields": ("-v", "/usr:/x:ro:ro"),
    "volume_newline": ("-v", "/us\nr:/x"), "volume_newline_dst": ("-v", "/usr:/x\ny"), "volume_escape": ("-v", "/usr:/x\x1by"),
    "volume_root": ("-v", "/usr:/"), "rootfs_newline": ("--rootfs", "/a\nb"), "rootfs_empty": ("--rootfs=",),
    "tmpfs_relative": ("--tmpfs", "x"), "tmpfs_option": ("--tmpfs", "/x:bogus=1"), "tmpfs_empty": ("--tmpfs=",),
    "file_bare": ("--file", "/x"), "file_relative": ("--file", "x=y"), "file_fd_word": ("--file", "/x=@y"),
    "secret_bare": ("--secret", "name"), "secret_slash": ("--secret", "a/b=/etc/passwd"), "secret_dots": ("--secret", "..=/etc/passwd"),
    "secret_empty": ("--secret", "=/etc/passwd"), "env_no_name": ("-e", "=x"), "env_empty": ("-e", ""),
    "hostname_space": ("--hostname", "a b"), "hostname_empty": ("--hostname=",), "hostname_long": ("--hostname", "h" * 65),
    "hostname_newline": ("--hostname", "a\nb"), "show_newline": ("--show", "/us\nr"), "hide_relative_escape": ("--hide", "a\x07"),
    "workdir_newline": ("-w", "/us\nr"), "workdir_empty": ("-w", ""), "argv0_empty_ok_newline": ("--hostname", "\x7f"),
}


@cases(**VALUES)
def test_bad_value(*args):
    """A value of the wrong form or range names its option."""
    never_ran(*args, *MARK, code="E-VALUE", origin="--")


def test_bare_word_as_volume():
    """A bare name as a volume's source is refused with the spelling that means a directory."""
    never_ran("-v", "data:/x", *MARK, code="E-VALUE", fix=r"\./data")


def test_origin_counts():
    """The error says which of several occurrences is meant."""
    never_ran("-v", "/usr:/a", "-v", "/usr:/b", "-v", "/usr:/c:bogus", *MARK, code="E-VALUE", origin=r"--volume no\. 3")


SOURCES = {
    "rootfs": ("--rootfs", "/nonexistent/root"), "rootfs_file": ("--rootfs", "/etc/passwd"), "volume": ("-v", "/nonexistent:/x"),
    "volume_long": ("-v", "/" + LONG + ":/x"), "home_dir": ("--home", "/nonexistent/home"), "home_file": ("--home", "/etc/passwd"),
    "show": ("--show", "/nonexistent/show"), "component": ("-v", "/etc/passwd/x:/x"), "loop": ("-v", "@SCRATCH@/loop:/x"),
}


@cases(**SOURCES)
def test_bad_source(*args):
    """Sources that are missing or of the wrong kind are refused before anything is made."""
    os.symlink("loop", scratch() + "/loop")
    args = [word.replace("@SCRATCH@", scratch()) for word in args]
    never_ran(*args, *MARK, code=("E-SOURCE", "E-VALUE"), origin="--")


def test_rootfs_of_another():
    """A root directory the caller may not write is refused for its missing mount points, by name; nothing is made."""
    if os.geteuid() == 0:
        raise Skip("root may write anywhere")
    never_ran("--rootfs", "/usr/share", *MARK, code=("E-SOURCE", "E-DEST"))


FILES = {
    "env_missing": ("--env-file", "/nonexistent/env"), "env_directory": ("--env-file", "/usr"),
    "secret_missing": ("--secret", "s=/nonexistent/secret"), "secret_directory": ("--secret", "s=/usr"),
    "secret_variable": ("--secret", "s=env:NOSUCHVARIABLE"), "report_missing": ("--report", "/nonexistent/dir/report"),
    "report_directory": ("--report", "/usr"), "pidfile": ("--pidfile", "/nonexistent/dir/pid"), "pidfile_directory": ("--pidfile", "/usr"),
}


@cases(**FILES)
def test_bad_file(*args):
    """Files that cannot be read or written are refused before the command starts."""
    never_ran(*args, *MARK, code=("E-FILE", "E-SOURCE", "E-VALUE"), origin="--")


def test_nul_in_env_file():
    """A NUL in an environment file is refused with its place, not cut off."""
    write(scratch() + "/env", b"A=1\nB=x\0y\n")
    never_ran("--env-file", "env", *MARK, code=("E-FILE", "E-VALUE"), text="env")


def test_bad_line_in_env_file():
    """A line that is no variable is refused with file and line."""
    write(scratch() + "/env", "A=1\n\n# fine\n=x\n")
    never_ran("--env-file", "env", *MARK, code=("E-FILE", "E-VALUE"), text=r"env:4|line 4")


def test_endless_env_file():
    """An endless environment file is refused, not read for ever."""
    never_ran("--env-file", "/dev/zero", *MARK, code=("E-FILE", "E-VALUE"))


DESCRIPTORS = {
    "status": ("--status-fd", "77"), "ready": ("--ready-fd", "77"), "block": ("--block-fd", "77"),
    "preserve": ("--preserve-fds", "77"), "file": ("--file", "/x=@77"),
}


@cases(**DESCRIPTORS)
def test_closed_descriptor(*args):
    """A descriptor that is not open is refused by number."""
    never_ran(*args, *MARK, code="E-FD", text="77", origin="--")


CONFLICTS = {
    "share_mnt_rootfs": ("--share", "mnt", "--rootfs", "/"), "share_mnt_volume": ("--share", "mnt", "-v", "/usr:/x"),
    "rootfs_home": ("--rootfs", "/usr", "--home", "rw"), "rootfs_cwd": ("--rootfs", "/usr", "--cwd", "rw"),
    "root_user": ("--root", "-u", "5"), "share_net_ns": ("--network", "ns:/proc/self/ns/net", "--share", "net"),
    "env_all_clear": ("--env-all", "--clear-env"),
}


@cases(**CONFLICTS)
def test_conflict(*args):
    """Options that contradict each other are refused; both are named."""
    got = never_ran(*args, *MARK, code="E-CONFLICT")
    named = [word for word in args if word.startswith("--")][:2]
    for word in named:
        contains(got.err, word, "stderr")


@cases(name="nosuchcommand", path="/nonexistent/command", empty="", below_file="/etc/passwd/x", long="/" + LONG,
       relative="./nosuch")
def test_command_not_found(command):
    """A command that does not exist: 127, or 126 where the path is no path."""
    got = sandbox("--", command)
    check(got.code in (126, 127), "exit status should be 126 or 127\n%s" % got)
    matches(got.err, r"^sandbox: error\[E-NOT-(FOUND|EXECUTABLE)\]: ", "stderr")
    if command in ("nosuchcommand", "/nonexistent/command", "./nosuch"):
        equal(got.code, 127, "exit status")


@cases(file="/etc/passwd", directory="/usr", device="/dev/null")
def test_command_not_executable(command):
    """A command that cannot be executed: 126."""
    refused("--", command, status=126, code="E-NOT-EXECUTABLE", text=command)


def test_command_of_foreign_format():
    """A file that is executable but no program: 126, with the kernel's reason."""
    write(scratch() + "/garbage", b"\x7fELFgarbage", 0o755)
    refused("--", "./garbage", status=126, code="E-NOT-EXECUTABLE")


def test_command_with_missing_interpreter():
    """A script whose interpreter is missing says so."""
    write(scratch() + "/script", "#!/nonexistent/interpreter\n", 0o755)
    got = sandbox("--", "./script")
    check(got.code in (126, 127), "exit status should be 126 or 127\n%s" % got)


def test_nonexistent_workdir():
    """A working directory that is not there is E-WORKDIR and the command does not run."""
    never_ran("-w", "/nonexistent/dir", *MARK, code="E-WORKDIR", origin="--workdir")


def test_missing_netns():
    """A network namespace that is not there, or is none, is refused by name."""
    never_ran("--network", "ns:/nonexistent/ns", *MARK, code=("E-NETNS", "E-SOURCE"), text="/nonexistent/ns")
    never_ran("--network", "ns:/etc/passwd", *MARK, code=("E-NETNS", "E-SOURCE"), text="/etc/passwd")


def test_nothing_is_created_first():
    """A late error among good options leaves no mount point, pidfile, report or marker behind."""
    if not busybox():
        raise Skip("needs busybox-static")
    root = busybox_root()
    never_ran("--rootfs", root, "-v", "/usr:/made/for/nothing", "--pidfile", scratch() + "/pid", "--nice", "99", *MARK)
    never_ran("--rootfs", root, "-v", "/usr:/made/for/nothing", "-v", "/nonexistent:/x", "--pidfile", scratch() + "/pid", *MARK,
              code="E-SOURCE")


@needs("busybox")
def test_failing_command_leaves_no_mount_point():
    """Mount points made in a root directory are gone again when the command was not found."""
    root = busybox_root()
    before = tree(root)
    refused("--rootfs", root, "-v", "/usr:/made/deep/point", "--", "/bin/nosuch", status=127, code="E-NOT-FOUND")
    equal(tree(root), before, "the root directory")


def test_many_options():
    """Some thousands of options are taken or refused in one line, never a crash."""
    many = [word for i in range(3000) for word in ("-e", "V%d=x" % i)]
    sh('test "$V2999" = x', *many)
    got = sandbox(*[word for i in range(3000) for word in ("--tmpfs", "/t%d" % i)], "--", "/bin/true")
    check(got.code in (0, 125), "either it works or it is refused\n%s" % got.err[:2000])
    if got.code:
        equal(len(ERROR.findall(got.err)), 1, "errors on stderr")


def test_overlong_values():
    """Values of 100 kB are refused without a crash and with a short message."""
    huge = "x" * 100000
    for option in ("--hostname", "--user", "--userns", "--timeout", "--profile", "--cap-add", "--share", "--volume", "--tmpfs"):
        got = refused(option, huge, *MARK)
        check(len(got.err) < 4000, "%s: the message has %d bytes" % (option, len(got.err)))


def test_error_cannot_be_forged():
    """A newline in an argument cannot make a second line on stderr."""
    got = sandbox("--profile", "x\nsandbox: error[E-FAKE]: forged", *MARK)
    equal(got.code, 125, "exit status")
    equal(len([line for line in got.err.splitlines() if line.startswith("sandbox: error")]), 1, "error lines")


def test_no_argv_at_all():
    """An empty argument vector (argc 0) ends in an orderly way."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 2)
        empty = (ctypes.c_char_p * 1)(None)
        libc.execve(SANDBOX.encode(), empty, empty)
        os._exit(77)
    status = os.waitpid(pid, 0)[1]
    check(os.WIFEXITED(status), "ended by signal %d" % (status & 127))
    check(os.WEXITSTATUS(status) in (125, 1), "exit status %d" % os.WEXITSTATUS(status))


def test_unreadable_current_directory():
    """A current directory that was removed does not stop the run; the start is elsewhere."""
    gone = folder("gone")
    got = sandbox("--", "/bin/sh", "-c", "cd .. 2>/dev/null; echo alive", via=(
        "/bin/sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", gone))
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    contains(got.out, "alive", "stdout")


def test_every_error_is_documented_as_shown():
    """The first line is `sandbox: error[CODE]: ...`, then indented cause, fix, from, see."""
    got = refused("-v", "/nonexistent/thing:/x", "--", "/bin/true", code="E-SOURCE")
    matches(got.err, r"\Asandbox: error\[E-SOURCE\]: .*'/nonexistent/thing'.*\n  cause: ", "stderr")
