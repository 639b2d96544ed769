# SPDX-License-Identifier: MIT
"""Files of the host: read, written, reached by descriptors, handles and device nodes."""

from field import *


@every_user
@each_kind
def test_read(kind):
    """A file that is not shown is not read: by name, by /proc of any process, by `..`."""
    path, word = secret()
    contains(control("read", path).out, word, "control")
    climbing = "../" * 12 + path[1:]
    for words in (("read", path, climbing, "/proc/1/root" + path, "/proc/self/cwd/" + climbing, "/proc/self/root" + path, "/dev/fd/0/" + climbing),
                  ("by-proc", path[1:]), ("by-proc", climbing)):
        got = boxed(kind, *words)
        lacks(got.out, word, "what %s printed" % words[0])


def test_read_control():
    """Without a box the ways by /proc lead to the file."""
    path, word = secret()
    contains(control("by-proc", path[1:]).out, word, "control")


@every_user
@each_kind
def test_write(kind):
    """A file that is not shown is neither changed nor made."""
    path, word = secret()
    new = os.path.dirname(path) + "/new"
    boxed(kind, "write", "planted", path, new, "/proc/1/root" + path, "../" * 12 + path[1:], "/proc/self/root" + new)
    boxed(kind, "by-proc", new[1:], "plant")
    equal(read(path), word + "\n", "the file")
    equal(os.listdir(os.path.dirname(path)), ["secret"], "its directory")
    control("write", "planted", path, new)
    equal((read(path), read(new)), (word + "\nplanted", "planted"), "control")


@every_user
@each_with_mounts
def test_write_to_what_is_read_only(kind):
    """The system, read-only volumes and protected files stay as they are."""
    place = elsewhere()
    write(place + "/file", "before")
    write(scratch() + "/kept", "before", 0o666)
    at = "/volume" if kind == "rootfs" else "/opt/volume"
    options = ["-v", place + ":/volume:ro"] if kind == "rootfs" else ["-v", place + ":" + place + ":ro", "--protect", "kept"]
    at = "/volume" if kind == "rootfs" else place
    got = boxed(kind, "write", "planted", at + "/file", at + "/new", "kept" if kind != "rootfs" else at + "/x", "/proc/self/root" + at + "/file", options=options)
    nothing_worked(got)
    equal((read(place + "/file"), os.listdir(place), read(scratch() + "/kept")), ("before", ["file"], "before"), "files")
    control("write", "planted", place + "/file", scratch() + "/kept")
    equal((read(place + "/file"), read(scratch() + "/kept")), ("beforeplanted", "beforeplanted"), "control")


TUNABLES = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug", "/proc/sys/vm/overcommit_memory",
            "/proc/sys/fs/binfmt_misc/register", "/proc/sys/kernel/randomize_va_space", "/proc/sys/net/ipv4/ip_forward",
            "/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/cgroup/cgroup.procs")


@every_user
@each_kind
def test_tunables(kind):
    """What steers the kernel cannot even be opened for writing. (Real root with --nested can: the notice says so.)"""
    if kind == "nested" and os.geteuid() == 0:
        kind = "own"
    nothing_worked(boxed(kind, "open-for-writing", *TUNABLES), but=[path for path in TUNABLES if "/proc/sys/net" in path and os.geteuid() != 0])
    write(scratch() + "/tunable", "")
    equal(list(tried(control("open-for-writing", "tunable")).values()), ["ok"], "control")


@both_users
@each_kind
def test_handles(kind):
    """A handle taken outside opens nothing inside."""
    path, word = secret()
    taken = control("take-handle", path)
    equal(taken.code, 0, "taking a handle")
    if os.geteuid() == 0:
        contains(control("by-handle", os.path.dirname(path), *taken.out.split()).out, word, "control")
    got = boxed(kind, "by-handle", "." if kind != "rootfs" else "/", *taken.out.split())
    nothing_worked(got)
    lacks(got.out, word, "what it printed")


@both_users
@each_kind
def test_devices(kind):
    """No device node can be made that works, and none of the host's but the harmless is there."""
    got = boxed(kind, "devices", ".")
    opened = [what for what, outcome in tried(got).items() if what.startswith("open ") and outcome in ("ok", "EBUSY", "ENXIO", "EIO")]
    equal(opened, [], "devices that could be opened")
    if os.geteuid() == 0:
        equal(tried(control("devices", elsewhere()))["make mem"], "ok", "control")


@every_user
@each_kind
def test_inherited_descriptors(kind):
    """No descriptor of the caller's reaches the command, however high or marked."""
    path, word = secret()
    place = os.open(os.path.dirname(path), os.O_RDONLY)
    high = os.dup2(os.open(path, os.O_RDWR), 777, inheritable=True)
    low = os.dup2(place, 9, inheritable=True)
    try:
        kept = control("descriptors", pass_fds=(low, high))
        contains(kept.out, "777 " + path, "control")
        contains(control("by-proc", "secret", pass_fds=(low, high)).out, word, "control")
        got = boxed(kind, "descriptors", pass_fds=(low, high))
        equal(sorted(line.split()[0] for line in got.lines), ["0", "1", "2"], "descriptors inside")
        lacks(boxed(kind, "by-proc", "secret", pass_fds=(low, high)).out, word, "what it read")
    finally:
        os.close(high)
        os.close(low)


@each_kind
def test_standard_descriptors_are_no_way_out(kind):
    """A directory of the host as standard input is the caller's own gift; nothing else comes with it."""
    path, word = secret()
    lacks(boxed(kind, "by-proc", "../" * 12 + path[1:]).out, word, "what it read")


@each_with_mounts
def test_fill(kind):
    """The trees in memory are bounded."""
    equal(tried(control("fill", scratch() + "/big", "12"))["write"], "ok", "control")
    os.unlink(scratch() + "/big")
    got = boxed(kind, "fill", "/t/big", "12", options=("--tmpfs", "/t:size=5M"))
    equal(int(matches(got.out, r"^mib (\d+)$").group(1)) <= 5, True, "what fitted into five MiB\n%s\nvalue" % got)
    got = boxed(kind, "fill", "/dev/big", "2")
    equal(tried(got)["write"] != "ok", True, "/dev\n%s\nvalue" % got)


def here_go_cores():
    return re.match(r"[^|/]*$", read("/proc/sys/kernel/core_pattern").strip())


@each_kind
def test_core_files(kind):
    """A command that dies leaves no core file, in its directory or where the kernel would put one."""
    with_core = ("prlimit", "--core=unlimited")
    probe()
    before = set(os.listdir(scratch()))
    got = boxed(kind, "core", via=with_core)
    equal(got.code, 134, "exit status\n%s\nvalue" % got)
    equal(set(os.listdir(scratch())) - before - {"root"}, set(), "files that were left")
    if kind == "rootfs":
        lacks(" ".join(os.listdir(scratch() + "/root")), "core", "the root directory")
    control("core", via=with_core)
    # else cores go to a program or another place
    check(not here_go_cores() or any("core" in name for name in os.listdir(scratch())), "control: no core file outside")
