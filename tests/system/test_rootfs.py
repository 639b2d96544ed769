# SPDX-License-Identifier: MIT
"""--rootfs DIR: a root directory made of static busybox, on the file system the tests live on."""

from box import *


def inside(root, script, *options, **keywords):
    return sandbox("--rootfs", root, *options, "--", "/bin/sh", "-c", script, **keywords)


@modes("user", "root", "userns", "nested")
@needs("busybox")
def test_runs():
    """A command of the root directory runs, and the directory is the root."""
    root = busybox_root()
    write(root + "/marker", "here\n")
    got = inside(root, "pwd; cat /marker; test ! -e /usr/bin/env && echo alone")
    equal((got.code, got.out), (0, "/\nhere\nalone\n"), "result\n%s\nvalue" % got)


@needs("busybox")
def test_same_file_system():
    """The directory may lie on the file system of the current root."""
    root = busybox_root()
    equal(os.stat(root).st_dev, os.stat(scratch()).st_dev, "device")
    equal(inside(root, "echo x").out, "x\n", "stdout")


@needs("busybox")
def test_relative_path():
    """The directory may be named relative to the caller's."""
    busybox_root("r")
    equal(sandbox("--rootfs", "r", "--", "/bin/pwd").out, "/\n", "pwd")
    equal(sandbox("--rootfs", "./r/../r", "--", "/bin/pwd").out, "/\n", "pwd")


@needs("busybox")
def test_root_inside():
    """Root by default, with a root's HOME and PATH; files made are the caller's outside."""
    root = busybox_root()
    got = inside(root, 'id -u; id -g; echo "$HOME"; echo "$PATH"; : >/made')
    equal(got.lines, ["0", "0", "/root", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "identity")
    equal(os.stat(root + "/made").st_uid, os.getuid(), "owner outside")


@needs("busybox", "subids")
def test_subordinate_ids():
    """With subordinate ids, root inside can give files away; outside they belong to the range."""
    root = busybox_root()
    got = inside(root, "touch /given && chown 1000:1000 /given && stat -c %u:%g /given; cat /proc/self/uid_map")
    contains(got.out, "1000:1000\n", "stdout\n%s" % got)
    check(os.stat(root + "/given").st_uid > 65535, "owner outside: %d" % os.stat(root + "/given").st_uid)
    equal(len(got.lines), 3, "lines of the map: 0 and the range\n%s\nvalue" % got)


@needs("busybox", "subids")
def test_other_user_inside():
    """-u N runs as that user of the map."""
    root = busybox_root()
    equal(inside(root, "id -u; id -g", "-u", "1000").lines, ["1000", "1000"], "ids")
    equal(inside(root, "id -u; id -g", "-u", "1000:5").lines, ["1000", "5"], "ids")


@needs("busybox")
def test_one_id_without_ranges():
    """--userns root maps one id and needs no helper."""
    root = busybox_root()
    got = inside(root, "cat /proc/self/uid_map; id -u", "--userns", "root")
    equal(got.out.split(), ["0", str(os.getuid()), "1", "0"], "map")


@needs("busybox", "unshare")
def test_fallback_to_one_id():
    """A user without subordinate ids gets one id and one notice, by default."""
    root = busybox_root()
    got = in_outer('"$SANDBOX" --rootfs "$1" -- /bin/sh -c "id -u; cat /proc/self/uid_map"', root)
    equal(got.lines[0], "0", "uid\n%s\nvalue" % got)
    equal(got.out.split()[-1], "1", "ids in the map\n%s\nvalue" % got)


@needs("busybox")
def test_writable():
    """The directory is written through by default, and stays."""
    root = busybox_root()
    inside(root, "echo data >/etc/new; mkdir /dir; mv /dir /moved")
    equal(read(root + "/etc/new"), "data\n", "content")
    check(os.path.isdir(root + "/moved"), "not moved")


@needs("busybox")
def test_read_only():
    """--read-only refuses every change of it, for root inside too."""
    root = busybox_root()
    for name in ("dev", "proc", "sys", "run"):
        os.mkdir(root + "/" + name)
    before = tree(root)
    got = inside(root, "(: >/new) 2>&1; (: >/etc/new) 2>&1; mkdir /d; chmod 777 /etc; mount -o remount,rw /; (: >/new2) 2>&1; echo end",
                 "--read-only")
    contains(got.out, "end", "stdout\n%s" % got)
    contains(got.out + got.err, "Read-only file system", "output")
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_read_only_with_missing_mount_points():
    """Under --read-only a missing mount point is refused with the mend, and not made."""
    root = busybox_root()
    before = tree(root)
    refused("--rootfs", root, "--read-only", "--", "/bin/true", code="E-DEST", fix="mkdir|--read-only")
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_mount_points_are_made_and_removed():
    """Missing /dev, /proc, /sys and a volume's destination are made, and gone again at the end."""
    root = busybox_root()
    before = tree(root)
    got = inside(root, "test -e /proc/self && test -c /dev/null && test -d /deep/er/point && ls /deep/er/point", "-v", folder("src") + ":/deep/er/point")
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_made_mount_point_in_use_stays():
    """A directory made for a mount point that the command filled beside it is kept."""
    root = busybox_root()
    inside(root, "echo keep >/deep/keep", "-v", folder("src") + ":/deep/point")
    equal(read(root + "/deep/keep"), "keep\n", "content")


@needs("busybox")
def test_mount_points_removed_after_kill():
    """Mount points made are removed after a timeout as well."""
    root = busybox_root()
    before = tree(root)
    got = inside(root, "sleep 100", "-v", folder("src") + ":/deep/point", "--timeout", "300ms")
    equal(got.code, 124, "exit status\n%s\nvalue" % got)
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_existing_content_is_not_touched():
    """Existing mount points keep their content and mode."""
    root = busybox_root()
    os.mkdir(root + "/proc", 0o555)
    os.mkdir(root + "/dev", 0o755)
    write(root + "/dev/kept", "x")
    before = tree(root)
    inside(root, "test ! -e /dev/kept")
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_symlinked_dev_is_refused():
    """A root directory whose /dev, /proc or /sys is a symlink gets nothing mounted elsewhere (CVE-2026-41579, CVE-2026-47766)."""
    for name in ("dev", "proc", "sys"):
        root = busybox_root("root-" + name)
        bait = folder("bait-" + name)
        os.symlink("../bait-" + name, root + "/" + name)
        got = inside(root, "echo ran; ls -A /%s | head -n 3" % name)
        if got.code:
            matches(got.err, r"error\[E-(DEST|MOUNT|RACE|SOURCE)\]", "stderr")
        equal(os.listdir(bait), [], "the bait")


@needs("busybox")
def test_absolute_symlinked_dev():
    """A root directory whose /dev is a symlink to the host's root reaches nothing of the host."""
    root = busybox_root()
    os.symlink("/../../../../etc", root + "/dev")
    got = inside(root, "ls /dev/; true")
    lacks(got.out, "apt", "stdout")


@needs("busybox")
def test_caller_directory_is_not_shown():
    """The caller's directory is not shown; relative volume sources are relative to it."""
    root = busybox_root()
    write(folder("data") + "/file", "x\n")
    got = inside(root, 'test ! -e "%s" && cat /data/file' % scratch(), "-v", "./data:/data:ro")
    equal((got.code, got.out), (0, "x\n"), "result\n%s\nvalue" % got)


@needs("busybox")
def test_whole_view_of_dev_proc():
    """Inside a root directory /dev, /proc, /tmp and /run are as safe as in the host view."""
    root = busybox_root()
    got = inside(root, "ls /dev; echo --; ls -d /proc/[0-9]* | wc -l; (: >/proc/sysrq-trigger) 2>/dev/null && echo bad; "
                 "(echo x >/proc/sys/kernel/hostname) 2>/dev/null && echo bad; true")
    lacks(got.out, "bad", "stdout")
    for name in ("sda", "mem", "kmsg", "kvm", "fuse"):
        check(name not in got.lines, "/dev/%s is there" % name)


@needs("busybox")
def test_root_cannot_leave():
    """Root inside cannot climb out by chroot, by .. or by a mount."""
    root = busybox_root()
    write(scratch() + "/outside", "leaked\n")
    got = inside(root, "cat /../outside /proc/1/root/../outside /../../../../../..%s/outside 2>/dev/null; ls /.. | sort | tr '\\n' ' '" % scratch())
    lacks(got.out, "leaked", "stdout")
    contains(got.out, "bin", "stdout")


@needs("busybox")
def test_setuid_bit_gives_nothing():
    """A set-user-id file of the root directory gives no privilege of the host."""
    root = busybox_root()
    shutil.copy(root + "/bin/busybox", root + "/bin/suid")
    os.chmod(root + "/bin/suid", 0o4755)
    got = inside(root, "/bin/suid id -u 2>&1; true", "-u", "1000") if have_subids() else inside(root, "true")
    lacks(got.out, "\n0\n", "stdout")


@needs("busybox")
def test_rootfs_is_the_hosts_root():
    """--rootfs / is refused or safe: either way nothing of the host can be changed by it."""
    got = sandbox("--rootfs", "/", "--", "/bin/true")
    check(got.code in (0, 125), "exit status\n%s" % got)


@needs("busybox")
def test_command_lookup_is_inside():
    """The command is looked up inside: the host's programs are not found."""
    refused("--rootfs", busybox_root(), "--", "python3", status=127, code="E-NOT-FOUND")


@needs("busybox")
def test_workdir():
    """-w is a path inside."""
    equal(sandbox("--rootfs", busybox_root(), "-w", "/usr/bin", "--", "/bin/pwd").out, "/usr/bin\n", "pwd")


@needs("busybox")
def test_mode_0711():
    """A root directory below directories one may pass but not list works."""
    root = busybox_root("closed/root")
    os.chmod(scratch() + "/closed", 0o111)
    try:
        equal(inside(root, "echo x").out, "x\n", "stdout")
    finally:
        os.chmod(scratch() + "/closed", 0o755)
