# SPDX-License-Identifier: MIT
"""As root, inside a container without privileges, inside itself: it runs, or is refused with the reason."""

from box import *


@modes("root")
def test_root_notice():
    """As root it says once that the command acts with root's file rights."""
    got = sandbox("--", "/bin/true")
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    equal(len([line for line in got.err.splitlines() if re.search(r"notice: .*root", line)]), 1, "notices\n%s\nvalue" % got)
    equal(sandbox("-q", "--", "/bin/true").err, "", "stderr with -q")


@modes("root")
def test_root_mounts_in_its_own_namespace():
    """As root no mount reaches the caller's mount namespace, not even by a shared mount."""
    before = read("/proc/self/mountinfo")
    succeeds("--tmpfs", "/mnt", "-v", folder("d") + ":/opt", "--", "/bin/true")
    equal(read("/proc/self/mountinfo"), before, "the caller's mounts")


@modes("root")
def test_root_never_shares_mnt_with_mounts():
    """As root --share mnt with any view is refused."""
    refused("--share", "mnt", "--tmpfs", "/mnt", "--", "/bin/true", code="E-CONFLICT")


@modes("root")
def test_root_has_no_capabilities_outside():
    """Started by root, the command still has no capability outside of the box's user namespace."""
    got = sandbox("--", "/bin/sh", "-c", "cat /proc/self/uid_map; readlink /proc/self/ns/user; grep CapEff /proc/self/status; : >/proc/sys/kernel/hostname; true")
    check(os.readlink("/proc/self/ns/user") not in got.out, "the user namespace is shared\n%s" % got)


@modes("root")
@needs("busybox")
def test_root_with_a_root_directory():
    """As root --rootfs works, and the standard streams' owner is not changed."""
    root = busybox_root()
    with open(scratch() + "/out", "w+", encoding="ascii") as out:
        os.fchown(out.fileno(), 12345, 12345)
        process = start("--rootfs", root, "--", "/bin/id", "-u", stdout=out, stderr=subprocess.DEVNULL)
        process.wait(TIMEOUT)
        equal((os.fstat(out.fileno()).st_uid, os.fstat(out.fileno()).st_gid), (12345, 12345), "owner of stdout")
    equal(read(scratch() + "/out"), "0\n", "stdout")


@modes("root", "userns")
def test_user_option_as_root():
    """As root -u N runs as that user inside."""
    got = sandbox("-u", "1000", "--", "id", "-u")
    equal((got.code, got.out), (0, "1000\n"), "result\n%s\nvalue" % got)


def test_inside_itself():
    """A box inside a box (--nested) works three levels deep."""
    if not os.access(SANDBOX, os.X_OK):
        raise Skip("no binary")
    home = os.path.dirname(SANDBOX)
    show = ("--show", home)
    inner = [SANDBOX, "-q", *show, "--", "/bin/sh", "-c", "echo deepest; grep CapEff /proc/self/status"]
    middle = [SANDBOX, "-q", "--nested", *show, "--", *inner]
    got = sandbox("-q", "--nested", *show, "--", *middle)
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    equal(got.lines, ["deepest", "CapEff:\t0000000000000000"], "stdout")


def test_inside_itself_without_nested():
    """Inside a box without --nested a run is refused with the reason."""
    home = os.path.dirname(SANDBOX)
    got = sandbox("--show", home, "--", SANDBOX, "--", "/bin/true")
    equal(got.code, 125, "exit status\n%s\nvalue" % got)
    matches(got.err, r"error\[E-USERNS-(QUOTA|DENIED|SYSCTL)\]", "stderr")
    matches(got.err, r"^  fix: .*--nested", "stderr")


@needs("deny")
@cases(eperm="EPERM", enosys="ENOSYS")
def test_container_that_refuses_namespaces(number):
    """In a container whose seccomp filter refuses namespaces the run is refused and names that cause."""
    got = refused("--", "/bin/sh", "-c", ": >ran", via=(TOOLS + "/deny", "clone3=" + number, "clone=%s@newns" % number, "unshare=" + number, "--"))
    matches(got.err, r"error\[E-(USERNS-[A-Z]+|NAMESPACE|KERNEL)\]", "stderr")
    matches(got.err, r"seccomp|container|kernel", "stderr")
    check(not os.path.exists(scratch() + "/ran"), "the command ran")


@needs("unshare")
def test_container_with_masked_proc():
    """Where /proc is covered in part a fresh one cannot be mounted: it runs with what there is, or says E-PROC-MASKED."""
    got = in_outer("""
mount -t tmpfs none /proc/scsi 2>/dev/null || mount -t tmpfs none /proc/tty
exec unshare -Urm "$SANDBOX" -- /bin/sh -c 'echo ran; ls -d /proc/[0-9]* | wc -l'
""")
    if got.code == 125:
        matches(got.err, r"error\[E-PROC-MASKED\]", "stderr\n%s" % got)
        matches(got.err, r"^  fix: ", "stderr")
        lacks(got.out, "ran", "stdout")
    else:
        equal((got.code, got.lines[0]), (0, "ran"), "result\n%s\nvalue" % got)


@needs("unshare")
def test_chroot():
    """From inside a chroot user namespaces cannot be made; that is said."""
    got = in_outer("""
mkdir r; mount --rbind / r; exec chroot r unshare -U true 2>/dev/null || exec chroot r "$SANDBOX" -- /bin/true
""")
    if "error[" in got.err:
        matches(got.err, r"error\[E-USERNS-CHROOT\]", "stderr\n%s" % got)


@modes("userns")
def test_root_of_a_user_namespace():
    """As root of a user namespace it runs without newuidmap and without a word about real root's rights."""
    got = sandbox("--", "/bin/sh", "-c", "id -u; grep CapEff /proc/self/status")
    equal(got.code, 0, "exit status\n%s\nvalue" % got)


@everywhere
def test_no_runtime_directory():
    """Without XDG_RUNTIME_DIR, HOME or any other variable it runs."""
    done = subprocess.run([SANDBOX, "--", "/bin/echo", "x"], env={k: v for k, v in environment().items() if k.endswith("SAN_OPTIONS")}, cwd=scratch(),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
    equal(done.stdout, b"x\n", "stdout\n%s\nvalue" % done.stderr.decode())


@modes("user")
def test_low_limits():
    """With few descriptors and processes allowed it runs or says what is short."""
    for limit in ("-n 20", "-n 8", "-u 1"):
        got = subprocess.run(["/bin/sh", "-c", 'ulimit %s; exec "$0" -- /bin/echo x' % limit, SANDBOX], env=environment(), cwd=scratch(),
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
        text = got.stderr.decode()
        check(got.returncode == 0 and got.stdout == b"x\n" or got.returncode == 125 and ERROR.search(text), "%s: %d %s" % (limit, got.returncode, text))
