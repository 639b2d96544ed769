# SPDX-License-Identifier: MIT
"""Namespaces and mounts: what covers stays, what is read-only stays so, nobody leaves."""

from field import *
from test_links import Swapper

NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time")


@every_user
@without_nested
def test_namespaces(kind):
    """No namespace is made: by unshare, clone or clone3."""
    nothing_worked(boxed(kind, "namespaces"))
    equal(tried(control("namespaces"))["unshare user"], "ok", "control")


@both_users
@each_kind
def test_namespaces_of_others(kind):
    """No namespace of the host is entered."""
    here = ["/proc/self/ns/" + name for name in NAMESPACES]
    with victim() as process:
        others = ["/proc/%d/ns/%s" % (pid, name) for pid in (process.pid, 1) for name in NAMESPACES]
        got = boxed(kind, "enter", *others)
        nothing_worked(got)
    if os.geteuid() == 0:
        equal(tried(control("enter", *here))["/proc/self/ns/uts"], "ok", "control")


COVERED = ("/proc/sys", "/proc/keys", "/proc/interrupts", "/proc/irq", "/sys", "/sys/firmware")


@every_user
@mounts_without_nested
def test_mounts(kind):
    """No mount is made, changed or taken off."""
    places = COVERED + (("/volume",) if kind == "rootfs" else ("/usr", "/etc", os.path.realpath(scratch()) + "/hidden"))
    if kind != "rootfs":
        folder("hidden")
    options = ("-v", elsewhere() + ":/volume:ro") if kind == "rootfs" else ("--hide", "hidden")
    got = boxed(kind, "mounts", "/tmp", *places, options=options)
    nothing_worked(got)
    rows = tried(control("mounts", scratch(), "/proc"))
    equal((rows["own namespaces"], rows["mount tmpfs"], rows["bind"], rows["fsopen tmpfs"]), ("ok",) * 4, "control")


@every_user
def test_mounts_in_nested_namespaces():
    """With --nested a program has mounts of its own, and still takes nothing off and sees no file of the host."""
    path, word = secret()
    hidden = write(folder("hidden") + "/file", word)
    got = boxed("nested", "mounts", "/tmp", "/usr", "/etc", os.path.dirname(hidden), options=("--hide", "hidden"))
    rows = tried(got)
    for place in ("/usr", "/etc", os.path.dirname(hidden)):
        for way in ("umount", "remount the file system of"):
            check(rows["%s %s" % (way, place)] != "ok", "%s %s worked\n%s" % (way, place, got))
    script = 'unshare -Urm sh -c "mount --bind / /mnt; mount -o remount,bind,rw /usr; umount -l %s; umount -l /etc; : >/usr/planted; cat %s %s"' % (
        os.path.dirname(hidden), hidden, path)
    got = sandbox("--nested", "--hide", "hidden", "--", "/bin/sh", "-c", script)
    lacks(got.out, word, "what was read")
    check(not os.path.exists("/usr/planted"), "written into /usr")


@every_user
@each_kind
def test_chroot(kind):
    """The classic way out of a chroot leads to the box's own root."""
    path, word = secret()
    got = boxed(kind, "leave", path[1:])
    lacks(got.out, word, "what was read")
    equal(tried(got)["read"] != "ok", True, "reading\n%s\nvalue" % got)
    outside = control("leave", path[1:], via=("unshare", "-Ur"))
    contains(outside.out, word, "control\n%s\ntext" % outside)


@every_user
@mounts_without_nested
def test_masks(kind):
    """What is masked in /proc reads as empty. (With --nested nothing is masked, as the manual says.)"""
    names = [name for name in ("keys", "key-users", "interrupts", "timer_list", "sched_debug", "kcore", "latency_stats") if os.path.exists("/proc/" + name)]
    got = boxed(kind, "read", *("/proc/" + name for name in names))
    lines = [line for line in got.lines if not re.match(r"/proc/\S+: \w+$", line) and line.strip()]
    equal(lines, [], "what masked files say")
    equal(len(control("read", *("/proc/" + name for name in names)).lines) > len(names), True, "control")


@every_user
@cases(pid=("--share", "pid"), net=("--share", "net"), both=("--share", "pid,net"))
def test_masks_of_what_is_shared(*options):
    """The masks lie on /proc and /sys of the host, too, where these are shared."""
    probe()
    names = [name for name in ("keys", "key-users", "interrupts", "timer_list", "sched_debug", "kcore", "latency_stats") if os.path.exists("/proc/" + name)]
    got = sandbox(*options, "--", "./probe", "read", *("/proc/" + name for name in names))
    equal([line for line in got.lines if not re.match(r"/proc/\S+: \w+$", line) and line.strip()], [], "what masked files say")
    equal(len(tried(got)) >= len(names), True, "all were tried\n%s\nvalue" % got)
    folders = [path for path in ("/sys/firmware", "/sys/devices/virtual/powercap", "/proc/acpi", "/proc/scsi", "/proc/asound") if os.path.isdir(path)]
    for path in folders:
        equal(succeeds(*options, "--", "ls", "-A", path).out, "", "what is in " + path)
    check("/sys/firmware" in folders and os.listdir("/sys/firmware"), "control: nothing to be seen outside")


@every_user
@needs("busybox")
def test_masks_of_an_exchanged_proc():
    """Masks lie on the procfs and sysfs of the box, though another box exchanges the names in its root directory during the start."""
    root, other = attack_root(), ("proc", "sys")
    for name in other:
        os.mkdir(root + "/" + name)
        os.mkdir(root + "/other-" + name)
    script = "i=0; while [ $i -lt 10 ]; do i=$((i+1)); for p in /proc /other-proc; do cat $p/keys $p/interrupts $p/key-users; done; ls /sys/firmware /other-sys/firmware; done 2>/dev/null | grep -v '^$\\|^/'"
    runs, swaps = [], [Swapper("%s/%s" % (root, name), "%s/other-%s" % (root, name)) for name in other]
    with swaps[0], swaps[1]:
        for _ in range(40):
            runs.append(sandbox("--rootfs", root, "--userns", "root", "--", "/bin/sh", "-c", script + "; echo ran"))
    check(all(swap.count > 1000 for swap in swaps), "control: not exchanged")
    for got in runs:
        equal((got.code, got.lines[-1:]), (0, ["ran"]), "exit status and last line\n%s\nvalue" % got.err)
        check(len(got.lines) == 1, "masked files say %d lines, such as %r" % (len(got.lines) - 1, got.lines[0]))
    contains(read("/proc/interrupts"), "CPU0", "control")


def mounts_outside():
    return [line for line in read("/proc/self/mountinfo").splitlines() if "/mmdebstrap." not in line]


@every_user
@each_with_mounts
def test_host_sees_no_mount(kind):
    """Whatever is mounted for a box or in it, the host's mounts stay the same."""
    before = mounts_outside()
    place = elsewhere()
    boxed(kind, "mounts", "/tmp", "/proc", options=("-v", place + ":/tmp/v", "--tmpfs", "/tmp/t"))
    equal(mounts_outside(), before, "mounts")
    equal(os.listdir(place), [], "the volume")
