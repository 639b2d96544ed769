# SPDX-License-Identifier: MIT
"""Volumes of every kind, what they must never do to the host's tree, and what earlier runs may have planted."""

from box import *


def inside(root, script, *options, **keywords):
    return sandbox("--rootfs", root, *options, "--", "/bin/sh", "-c", script, **keywords)


@everywhere
def test_read_write():
    """-v SRC:DST is writable through; files made there are the caller's."""
    data = folder("data")
    sh("echo x >/data/made", "-v", data + ":/data", cwd=folder("work"))
    equal(read(data + "/made"), "x\n", "content")
    equal(os.stat(data + "/made").st_uid, os.getuid(), "owner")


@everywhere
def test_read_only():
    """-v SRC:DST:ro refuses writing with EROFS, in submounts too."""
    data = folder("data")
    got = sh("(: >/data/made) 2>&1; ls -A /data", "-v", data + ":/data:ro", cwd=folder("work"))
    contains(got.out, "Read-only file system", "stdout")
    equal(os.listdir(data), [], "the source")


@needs("unshare")
def test_submounts_of_a_volume():
    """A volume brings its submounts; with :ro they are read-only all the way down."""
    got = in_outer("""
mkdir data; mount -t tmpfs none data; mkdir data/a; mount -t tmpfs none data/a; echo deep >data/a/file; mkdir work; cd work
"$SANDBOX" -v ../data:/d:ro -v ../data:/w -- /bin/sh -c 'cat /d/a/file; (: >/d/a/x) 2>/dev/null && echo bad; : >/w/a/x && echo wrote'
""")
    equal(got.out, "deep\nwrote\n", "stdout\n%s\nvalue" % got)


def test_single_path():
    """-v PATH shows it at its own path."""
    data = folder("data")
    write(data + "/file", "x\n")
    equal(sh("cat '%s/file'" % data, "-v", data, cwd=folder("work")).out, "x\n", "stdout")


@cases(dot=("./data",), plain=("data/",), parent=("../@WORK@/data",), home=("~/data",))
def test_relative_source(source):
    """A relative source counts from the caller's directory, ~/ from the home."""
    write(folder("data") + "/file", "x\n")
    source = source.replace("@WORK@", os.path.basename(scratch()))
    equal(sh("cat /mnt/file", "-v", source + ":/mnt", env={"HOME": scratch()}, cwd=scratch()).out, "x\n", "stdout")


def test_file_volume():
    """A single file is a volume too, read-only or writable in place."""
    write(scratch() + "/conf", "one\n")
    work = folder("work")
    got = sh("cat /mnt/conf; (echo two >/mnt/conf) 2>/dev/null && echo bad; echo three >/mnt/rw", "-v", scratch() + "/conf:/mnt/conf:ro",
             "-v", scratch() + "/conf:/mnt/rw", cwd=work)
    equal(got.out, "one\n", "stdout")
    equal(read(scratch() + "/conf"), "three\n", "the file")


def test_noexec():
    """:noexec refuses execution from the volume."""
    data = folder("data")
    write(data + "/run", "#!/bin/sh\necho ran\n", 0o755)
    got = sandbox("-v", data + ":/d:noexec", "--", "/d/run", cwd=folder("work"))
    equal(got.code, 126, "exit status\n%s\nvalue" % got)
    equal(sandbox("-v", data + ":/d", "--", "/d/run", cwd=folder("work")).out, "ran\n", "stdout")


def test_optional():
    """:optional leaves a missing source out; without it the run is refused."""
    sh("test ! -e /d", "-v", scratch() + "/absent:/d:optional")
    refused("-v", scratch() + "/absent:/d", "--", "/bin/true", code="E-SOURCE", fix="optional|mkdir")


def test_escaped_colon():
    """A colon in a name is written \\:."""
    write(folder("a:b") + "/file", "x\n")
    equal(sh("cat /m:n/file", "-v", scratch() + "/a\\:b:/m\\:n", cwd=folder("work")).out, "x\n", "stdout")


@cases(spaces="a b  c", unicode="näïve ☃", quotes="a'b\"c", backslash="a\\b", percent="%s%n", dash="-rf", hash="#x")
def test_odd_names(name):
    """Odd characters in names are names."""
    write(folder(name) + "/file", "x\n")
    equal(succeeds("-v", scratch() + "/" + name + ":/mnt/" + name, "--", "cat", "/mnt/%s/file" % name, cwd=folder("work")).out, "x\n", "stdout")


def test_order_of_nested_volumes():
    """A volume inside a volume works in the order written, neither covering the other by accident."""
    outer, inner = folder("outer"), folder("inner")
    os.mkdir(outer + "/sub")
    write(inner + "/file", "inner\n")
    before = tree(outer)
    got = sh("cat /d/sub/file; (: >/d/sub/x) 2>/dev/null && echo bad; : >/d/y", "-v", outer + ":/d", "-v", inner + ":/d/sub:ro", cwd=folder("work"))
    equal(got.out, "inner\n", "stdout")
    equal([row for row in tree(outer) if row[0] != "y"], before, "the outer directory")


def test_mount_point_is_never_made_on_the_host():
    """A mount point inside a volume that is not there is refused, or made and removed, never left."""
    outer, inner = folder("outer"), folder("inner")
    got = sandbox("-v", outer + ":/d", "-v", inner + ":/d/missing", "--", "/bin/true", cwd=folder("work"))
    if got.code:
        matches(got.err, r"error\[E-DEST\]", "stderr\n%s" % got)
    equal(os.listdir(outer), [], "the outer directory")


def test_mount_point_in_current_directory():
    """No empty file or directory is left in the current directory by volumes, --tmpfs, --file or --hide below it."""
    here = folder("here")
    for args in (("-v", folder("src") + ":" + here + "/a"), ("--tmpfs", here + "/b"), ("--file", here + "/c=text"), ("--hide", here + "/d"),
                 ("--protect", here + "/e")):
        sandbox(*args, "--", "/bin/true", cwd=here)
        equal(os.listdir(here), [], "the current directory after %s" % (args,))


# ---------------------------------------------------------------- what an earlier run planted

@needs("busybox")
@cases(directory=("dir",), file=("file",))
def test_planted_symlink_parent(kind):
    """A symlink planted as a parent of a mount point does not lead out of the root (CVE-2026-87766)."""
    root, bait = busybox_root(), folder("bait")
    os.symlink(bait, root + "/link")
    os.symlink("/../../../../../../.." + bait, root + "/climb")
    source = folder("src") if kind == "dir" else write(scratch() + "/srcfile", "x")
    for link in ("link", "climb"):
        got = inside(root, "true", "-v", "%s:/%s/new/point" % (source, link))
        equal(os.listdir(bait), [], "the bait\n%s\nvalue" % got)


@cases(oldroot="/oldroot", proc="/proc/self/root", proc1="/proc/1/root", dots="../../../../../../../..")
def test_planted_symlink_in_volume(prefix):
    """A symlink planted in a writable volume leads nowhere on the host, by any of the known ways."""
    data, bait = folder("data"), folder("bait")
    os.symlink(prefix + bait, data + "/escape")
    for args in (("-v", folder("src") + ":/d/escape/new"), ("--tmpfs", "/d/escape/new"), ("--file", "/d/escape/new=text"),
                 ("--hide", "/d/escape"), ("-v", write(scratch() + "/f", "x") + ":/d/escape/f")):
        got = sandbox("-v", data + ":/d", *args, "--", "/bin/true", cwd=folder("work"))
        check(got.code in (0, 125), "exit status\n%s" % got)
        equal(os.listdir(bait), [], "the bait after %s\n%s\nvalue" % (args, got))
    equal(os.readlink(data + "/escape"), prefix + bait, "the planted link")


def test_planted_final_symlink():
    """A symlink at the very mount point does not redirect the mount to a path of the host."""
    here, bait = folder("here"), folder("bait")
    write(bait + "/file", "real")
    os.symlink(bait + "/file", here + "/config")
    got = sandbox("--file", here + "/config=mine", "--", "/bin/cat", here + "/config", cwd=here)
    equal(read(bait + "/file"), "real", "the bait\n%s\nvalue" % got)
    os.symlink(bait, here + "/dir")
    sandbox("--tmpfs", here + "/dir", "--", "/bin/sh", "-c", "touch %s/dir/x" % here, cwd=here)
    equal(os.listdir(bait), ["file"], "the bait")


def test_hidden_symlink():
    """--hide and --protect of a symlink that points elsewhere do not touch what it points at."""
    here, bait = folder("here"), folder("bait")
    write(bait + "/file", "real")
    os.symlink(bait, here + "/link")
    for option in ("--hide", "--protect"):
        got = sandbox(option, "link", "--", "/bin/true", cwd=here)
        check(got.code in (0, 125), "exit status\n%s" % got)
    equal(read(bait + "/file"), "real", "the bait")


def test_source_exchanged_during_start():
    """A source that is swapped for a symlink while the box starts shows the pinned directory or is refused."""
    work, good, secret = folder("work"), folder("good"), folder("secret")
    write(good + "/name", "good\n")
    write(secret + "/name", "secret\n")
    place = scratch() + "/place"
    os.mkdir(scratch() + "/a")
    write(scratch() + "/a/name", "good\n")
    os.rename(scratch() + "/a", place)
    stop = os.fork()
    if stop == 0:
        try:
            while True:   # good -> symlink to secret -> good ...
                os.rename(place, scratch() + "/a")
                os.symlink(secret, place)
                os.unlink(place)
                os.rename(scratch() + "/a", place)
        finally:
            os._exit(0)
    try:
        for _ in range(60):
            got = sandbox("-v", place + "/:/d:ro", "--", "/bin/cat", "/d/name", cwd=work)
            check(got.out in ("good\n", "secret\n", ""), "stdout\n%s" % got)
            if got.code == 125:
                matches(got.err, r"error\[E-(RACE|SOURCE|DEST|MOUNT)\]", "stderr\n%s" % got)
    finally:
        os.kill(stop, signal.SIGKILL)
        os.waitpid(stop, 0)


@cases(parent_0711=(0o711,), parent_0111=(0o111,))
def test_passable_directories(mode):
    """A source and a mount point below directories that may be passed but not listed work."""
    os.makedirs(scratch() + "/closed/data")
    write(scratch() + "/closed/data/file", "x\n")
    os.chmod(scratch() + "/closed", mode)
    try:
        equal(sh("cat /d/file", "-v", scratch() + "/closed/data:/d", cwd=folder("work")).out, "x\n", "stdout")
    finally:
        os.chmod(scratch() + "/closed", 0o755)


@needs("busybox")
def test_passable_directories_inside():
    """A mount point below a 0711 directory of a root directory works."""
    root = busybox_root()
    os.makedirs(root + "/closed/point")
    os.chmod(root + "/closed", 0o711)
    got = inside(root, "echo ok", "-v", folder("src") + ":/closed/point")
    equal(got.out, "ok\n", "stdout\n%s\nvalue" % got)


@needs("busybox")
def test_var_run_is_run():
    """A destination through the root's own symlink /var/run -> /run lands in its /run."""
    root = busybox_root()
    os.mkdir(root + "/run")
    os.symlink("/run", root + "/var/run")
    write(folder("src") + "/file", "x\n")
    got = inside(root, "cat /run/place/file; cat /var/run/place/file", "-v", folder("src") + ":/var/run/place")
    equal(got.out, "x\nx\n", "stdout\n%s\nvalue" % got)


def test_var_run_in_host_view():
    """The same in the host view."""
    write(folder("src") + "/file", "x\n")
    equal(sh("cat /run/place/file", "-v", folder("src") + ":/run/place", cwd=folder("work")).out, "x\n", "stdout")


@needs("unshare")
def test_locked_flags_are_kept():
    """A volume on a mount with nosuid,nodev,noexec,ro keeps all of them inside."""
    got = in_outer("""
mkdir data work; mount -t tmpfs -o nosuid,nodev,noexec none data; mkdir data/d; mount --bind data data; mount -o remount,bind,ro,nosuid,nodev,noexec data
cd work; "$SANDBOX" -v ../data:/d -- sh -c 'grep " /d " /proc/self/mountinfo | cut -d" " -f6; : >/d/x'
""")
    line = got.out.strip().splitlines()[0] if got.out.strip() else ""
    for flag in ("ro", "nosuid", "nodev", "noexec"):
        check(flag in line.split(","), "flag %s is lost\n%s" % (flag, got))


@needs("unshare")
def test_locked_mounts_stay():
    """What is covered by a mount outside cannot be uncovered inside, by root inside either."""
    got = in_outer("""
mkdir data work; echo covered >data/secret; mount -t tmpfs none data; cd work
"$SANDBOX" --root -v ../data:/d -- sh -c 'umount /d; umount -l /d; cat /d/secret; true'
""")
    lacks(got.out, "covered", "stdout\n%s" % got)


# ---------------------------------------------------------------- the other kinds

def test_tmpfs():
    """--tmpfs DST is empty, writable, with size and mode as asked."""
    got = py("import os; s = os.statvfs('/t'); print(s.f_blocks * s.f_frsize, oct(os.stat('/t').st_mode & 0o7777), os.listdir('/t')); "
             "open('/t/x', 'w')", "--tmpfs", "/t:size=1M,mode=0750")
    equal(got.out, "1048576 0o750 []\n", "size, mode, content")


def test_tmpfs_is_full():
    """A full --tmpfs answers ENOSPC."""
    got = sandbox("--tmpfs", "/t:size=64K", "--", "/bin/sh", "-c", "head -c 100000 /dev/zero >/t/x")
    check(got.code != 0, "exit status 0")
    contains(got.err, "No space left", "stderr")


def test_file_text():
    """--file DST=TEXT makes a file with that text, equals signs and newlines included."""
    equal(sh("cat /etc/made-here 2>/dev/null || cat /run/a/made", "--file", "/run/a/made=x=y\nz").out, "x=y\nz", "content")


def test_file_descriptor():
    """--file DST=@FD takes its text from a descriptor, which the command does not get."""
    reading, writing = pipe_pair()
    os.write(writing, b"from fd")
    os.close(writing)
    got = py("import os; print(open('/run/made').read(), len(os.listdir('/proc/self/fd')))", "--file", "/run/made=@%d" % reading, pass_fds=(reading,))
    os.close(reading)
    equal(got.out, "from fd 4\n", "content and descriptors")


@needs("busybox")
def test_file_in_a_root_directory():
    """--file over an existing file of a root directory covers it and leaves it alone."""
    root = busybox_root()
    got = inside(root, "cat /etc/passwd", "--file", "/etc/passwd=covered")
    equal(got.out, "covered", "content\n%s\nvalue" % got)
    contains(read(root + "/etc/passwd"), "root:x:0", "the real file")


def test_secret_file():
    """--secret NAME=FILE is /run/secrets/NAME with mode 0400, in memory, read-only."""
    write(scratch() + "/key", "s3cret")
    got = py("""
import os
path = '/run/secrets/key'
print(open(path).read(), oct(os.stat(path).st_mode & 0o7777))
kinds = [l.split(' - ')[1].split()[0] for l in open('/proc/self/mountinfo') if l.split()[4] in ('/run', '/run/secrets', path)]
print(kinds[-1])
""", "--secret", "key=" + scratch() + "/key", cwd=folder("work"))
    equal(got.out, "s3cret 0o400\ntmpfs\n", "secret")


def test_secret_variable():
    """--secret NAME=env:VAR hands a variable over as a file and not in the environment."""
    got = sh('cat /run/secrets/token; echo; env | grep -c TOKEN_OUTSIDE; true', "--secret", "token=env:TOKEN_OUTSIDE",
             env={"TOKEN_OUTSIDE": "t0ken"})
    equal(got.lines, ["t0ken", "0"], "stdout")


def test_secret_is_not_in_arguments():
    """A secret is in no process's arguments, plan or environment."""
    write(scratch() + "/key", "s3cret-content")
    got = succeeds("--explain", "--secret", "key=" + scratch() + "/key", "--secret", "v=env:TOKEN_OUTSIDE", "--", "/bin/true",
                   env={"TOKEN_OUTSIDE": "t0ken-content"})
    lacks(got.out, "s3cret-content", "plan")
    lacks(got.out, "t0ken-content", "plan")
    got = sh("cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n'", "--secret", "v=env:TOKEN_OUTSIDE", env={"TOKEN_OUTSIDE": "t0ken-content"})
    lacks(got.out, "t0ken-content", "arguments and environments")


def test_device_volume():
    """A device file is usable only with :dev, and only what the caller could open."""
    if sandbox("-v", "/dev/null:/run/n", "--", "/bin/sh", "-c", "echo x >/run/n").code == 0:
        raise Failure("a device was usable without :dev")
    sh("echo x >/run/n", "-v", "/dev/null:/run/n:dev")


def test_fifo_volume():
    """A FIFO is passed without being opened by the launcher."""
    os.mkfifo(scratch() + "/pipe")
    sh("test -p /run/pipe", "-v", scratch() + "/pipe:/run/pipe", cwd=folder("work"))


def test_many_volumes():
    """A hundred volumes work."""
    args = []
    for i in range(100):
        write(folder("src/%d" % i) + "/n", "%d\n" % i)
        args += ["-v", "%s/src/%d:/m/%d:ro" % (scratch(), i, i)]
    equal(sh("cat /m/*/n | wc -l", *args, cwd=folder("work")).out.strip(), "100", "files")


def test_source_is_home_or_root():
    """Showing the whole home or / as a volume is what the user asked for, and works read-only."""
    home = folder("me")
    write(home + "/file", "x\n")
    equal(sh("cat /h/file", "-v", home + ":/h:ro", env={"HOME": home}, cwd=folder("work")).out, "x\n", "stdout")


@needs("deny", "busybox")
def test_without_openat2():
    """Where openat2 answers ENOSYS the walk by hand finds the same places, and a planted link leads nowhere."""
    deny = (TOOLS + "/deny", "openat2=ENOSYS", "--")
    root, bait = busybox_root(), folder("bait")
    os.mkdir(root + "/run")
    os.symlink("/run", root + "/var/run")
    os.symlink("/../../../../.." + bait, root + "/planted")
    write(folder("src") + "/file", "x\n")
    # deny sets no_new_privs, with which newuidmap cannot work: one id
    got = inside(root, "cat /run/place/file", "--userns", "root", "-v", folder("src") + ":/var/run/place", via=deny)
    equal(got.out, "x\n", "stdout\n%s\nvalue" % got)
    inside(root, "true", "--userns", "root", "-v", folder("src") + ":/planted/new", via=deny)
    equal(os.listdir(bait), [], "the bait")
    sh("pwd >made", via=deny, cwd=folder("work"))
