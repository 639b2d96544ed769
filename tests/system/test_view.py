# SPDX-License-Identifier: MIT
"""The host view: what is there, what is not, and what can be written."""

from box import *

ALLOWED_IN_ROOT = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "nix", "gnu", "home", "root", "tmp", "var",
                   "run", "dev", "proc", "sys"}
LIST = "import os; print('\\n'.join(sorted(os.listdir(%r))))"

# Prints "ro|rw TARGET FSTYPE" for every mount; mountinfo(5): fields 5 and 6.
MOUNTS = """
for line in open('/proc/self/mountinfo'):
    left, right = line.split(' - ')
    field = left.split()
    print(field[5], field[4], right.split()[0], field[3])
"""


def mounts(*options, **keywords):
    rows = {}
    for line in py(MOUNTS, *options, **keywords).lines:
        attributes, target, kind, origin = line.split(" ")
        rows[target.replace("\\040", " ")] = (set(attributes.split(",")), kind, origin)
    return rows


@everywhere
def test_command_runs():
    """`sandbox -- CMD` runs a program of the host and passes its output on."""
    equal(succeeds("--", "/bin/echo", "hello").out, "hello\n", "stdout")


@everywhere
def test_stderr_is_clean():
    """A plain run from an ordinary directory says nothing of its own."""
    got = sandbox("--", "/bin/true")
    equal(got.code, 0, "exit status")
    if MODE == "user":
        equal(got.err, "", "stderr")


@everywhere
def test_root_listing():
    """The root holds only what the view names: nothing of /mnt, /srv, /boot, /media or an unknown top directory."""
    names = set(py(LIST % "/").lines)
    home, here = environment()["HOME"].split("/")[1], scratch().split("/")[1]
    check(names <= ALLOWED_IN_ROOT | {home, here}, "unexpected: %s" % (names - ALLOWED_IN_ROOT - {home, here}))
    check({"usr", "etc", "dev", "proc", "tmp"} <= names, "missing: %s" % names)


@everywhere
def test_absent_means_absent():
    """What is not shown answers ENOENT, not EACCES: names cannot be probed."""
    secret = write(folder("other") + "/secret", "s3cret", 0o644)
    inside = folder("work")
    py("""
import errno, os, sys
for path in %r:
    try:
        os.stat(path)
        sys.exit('visible: ' + path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            sys.exit('%%s: %%s' %% (path, error))
""" % [secret, "/boot", "/srv", "/mnt", "/var/lib", "/var/log", "/root/.bashrc", "/run/user"], cwd=inside)


@everywhere
def test_system_directories_are_read_only():
    """Nothing of /usr, /etc, /opt, /bin or the root itself can be changed; the kernel says so (EROFS)."""
    py("""
import errno, os, sys
for place in ('/', '/usr', '/usr/bin', '/etc', '/opt', '/bin', '/sys', '/proc'):
    if not os.path.isdir(place):
        continue
    try:
        os.close(os.open(place + '/planted', os.O_CREAT | os.O_WRONLY, 0o644))
        sys.exit('writable: ' + place)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.ENOENT, errno.EACCES, errno.EPERM):
            sys.exit('%s: %s' % (place, error))
""")


@everywhere
def test_every_mount_is_read_only_or_ours():
    """Every mount that can be written is one the view promises writable."""
    for target, (attributes, kind, _) in mounts().items():
        if "ro" in attributes:
            continue
        ours = kind in ("tmpfs", "proc", "devpts", "mqueue") or target == scratch() or target.startswith("/dev/")
        ours = ours or kind == "devtmpfs" and target.startswith(("/proc/", "/sys/"))   # /dev/null over a file
        check(ours, "writable: %s (%s)" % (target, kind))
        check(not target.startswith(("/usr", "/etc", "/opt", "/lib", "/bin", "/sbin")), "writable: %s" % target)


@needs("unshare")
def test_submounts_are_read_only():
    """A submount below a system directory is there and read-only too, however deep."""
    got = in_outer("""
mount -t tmpfs none /opt; mkdir /opt/sub; mount -t tmpfs none /opt/sub; echo data >/opt/sub/file
mkdir /opt/sub/deep; mount -t tmpfs none /opt/sub/deep
"$SANDBOX" -- /bin/sh -c 'cat /opt/sub/file; for d in /opt /opt/sub /opt/sub/deep; do : >$d/x && echo "writable $d"; done; true' 2>/dev/null
""")
    equal(got.out, "data\n", "stdout\n%s\nvalue" % got)


def test_mounts_are_nosuid_and_nodev():
    """No mount honours set-user-id bits, and none but /dev's nodes honours devices."""
    for target, (attributes, kind, _) in mounts().items():
        if target == "/" or kind in ("proc", "sysfs") or kind == "devtmpfs" and target.startswith(("/proc/", "/sys/")):
            continue   # the last: /dev/null over a file
        check("nosuid" in attributes, "no nosuid on %s (%s)" % (target, attributes))
        if not target.startswith(("/dev", "/proc/", "/sys/")):
            check("nodev" in attributes, "no nodev on %s (%s)" % (target, attributes))


@everywhere
def test_home_is_private():
    """The home is an empty writable place of its own; nothing written there survives."""
    home = folder("me")
    write(home + "/.profile", "secret")
    got = sh('cd && pwd && ls -A && echo x >"$HOME/new" && cat "$HOME/new"', env={"HOME": home}, cwd=folder("work"))
    equal(got.lines, [home, "x"], "home")
    equal(os.listdir(home), [".profile"], "the real home")


@cases(ro=("ro", False), rw=("rw", True))
def test_home_shown(mode, writable):
    """--home ro and rw show the real home, read-only or not."""
    home = folder("me")
    write(home + "/file", "mine\n")
    got = sh('cat "$HOME/file"; (echo y >"$HOME/new") 2>/dev/null && echo wrote; true', "--home", mode, env={"HOME": home},
             cwd=folder("work"))
    equal(got.lines, ["mine", "wrote"] if writable else ["mine"], "home")
    equal(os.path.exists(home + "/new"), writable, "written through")


def test_home_of_another_directory():
    """--home DIR makes that directory the home, at the home's path."""
    home, other = folder("me"), folder("other")
    write(home + "/secret", "x")
    sh('test ! -e "$HOME/secret" && echo kept >"$HOME/kept" && pwd', "--home", other, env={"HOME": home}, cwd=folder("work"))
    equal(read(other + "/kept"), "kept\n", "the directory")
    equal(os.listdir(home), ["secret"], "the real home")


@everywhere
def test_current_directory_is_writable():
    """The caller's directory is at its own path, writable, and files made there are the caller's."""
    sh("pwd; echo data >made", cwd=folder("a b"))
    info = os.stat(scratch() + "/a b/made")
    equal((info.st_uid, info.st_gid), (os.getuid(), os.getgid()), "owner")
    equal(read(scratch() + "/a b/made"), "data\n", "content")


@everywhere
def test_start_is_current_directory():
    """The command starts where the caller stands."""
    equal(sandbox("--", "pwd").out, scratch() + "\n", "pwd")


def test_siblings_of_current_directory_are_absent():
    """Beside and above the current directory there is nothing else to see."""
    folder("beside")
    equal(sandbox("--", "ls", "-A", "..", cwd=folder("here")).out, "here\n", "listing")


def test_cwd_below_home():
    """A current directory below the home is writable while the rest of the home stays private."""
    home = folder("me")
    write(home + "/secret", "x")
    os.makedirs(home + "/project/sub")
    got = sh('ls -A "$HOME"; echo x >made; pwd', env={"HOME": home}, cwd=home + "/project")
    equal(got.lines, ["project", home + "/project"], "home")
    check(os.path.exists(home + "/project/made"), "not written through")


@cases(ro="ro", none="none")
def test_cwd_option(mode):
    """--cwd ro shows it read-only, --cwd none not at all."""
    here = folder("here")
    write(here + "/file", "x")
    got = sandbox("--cwd", mode, "--", "/bin/sh", "-c", 'test -e "$1/file" && echo seen; (echo y >"$1/new") 2>/dev/null && echo wrote; true',
                  "sh", here, cwd=here)
    lacks(got.out, "wrote", "stdout")
    equal("seen" in got.out, mode == "ro", "visible")


@cases(home="@HOME@", above="@HOME@/..", root="/", tmp="/tmp", vartmp="/var/tmp", proc="/proc", sysfs="/sys", run="/run", dev="/dev")
def test_cwd_that_is_not_shown(place):
    """Home, its parents, / and the private directories are never shown; one notice; the start is the home."""
    home = folder("above/me")
    write(home + "/secret", "x")
    place = place.replace("@HOME@", home)
    got = sh('pwd; ls -A "$HOME"; test -w /usr/bin && echo bad; true', env={"HOME": home}, cwd=os.path.realpath(place))
    equal(got.lines, [home], "start and home")
    equal(len(re.findall(r"^sandbox: notice: ", got.err, re.M)), 1, "notices\n%s\nvalue" % got)
    matches(got.err, r"notice: .*(--cwd|directory)", "stderr")


def test_cwd_through_a_symlink():
    """A home reached through a symlink is still a home."""
    home = folder("me")
    write(home + "/secret", "x")
    os.symlink("me", scratch() + "/link")
    got = sh('ls -A "$HOME/."; test ! -e secret', env={"HOME": scratch() + "/link"}, cwd=home)
    lacks(got.out, "secret", "stdout")


@everywhere
def test_private_temporary_directories():
    """/tmp and /var/tmp are private, writable, sticky, and gone afterwards."""
    name = "sandbox-test-%d" % os.getpid()
    got = py("""
import os, sys
for place in ('/tmp', '/var/tmp'):
    extra = [n for n in os.listdir(place) if not %r.startswith(place + '/' + n)]
    if extra: sys.exit('%%s is not empty: %%s' %% (place, extra))
    open(place + '/' + %r, 'w').close()
    print(oct(os.stat(place).st_mode & 0o7777))
""" % (scratch(), name))
    equal(got.lines, ["0o1777", "0o1777"], "modes")
    for place in ("/tmp/", "/var/tmp/"):
        check(not os.path.exists(place + name), "left behind: " + place + name)


def test_private_run():
    """/run is private: no socket of the host is in it."""
    py("""
import os, stat, sys
for base, _, files in os.walk('/run'):
    for name in files:
        if stat.S_ISSOCK(os.lstat(os.path.join(base, name)).st_mode):
            sys.exit('socket: ' + os.path.join(base, name))
open('/run/x', 'w').close()
""")


def test_no_socket_is_reachable():
    """No unix socket of the host can be found in the whole tree."""
    import socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(folder("elsewhere") + "/socket")
        listener.listen()
        got = sh('find / -xdev -type s 2>/dev/null; find /tmp /run /dev /var -type s 2>/dev/null; true', cwd=folder("here"))
    equal(got.out, "", "sockets")


@everywhere
def test_minimal_dev():
    """/dev holds only the harmless nodes, which work."""
    names = set(py(LIST % "/dev").lines)
    allowed = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout", "stderr", "mqueue",
               "console", "core"}
    check(names <= allowed, "unexpected in /dev: %s" % (names - allowed))
    check({"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout", "stderr"} <= names,
          "missing in /dev: %s" % names)
    py("""
import errno, os, sys, stat
open('/dev/null', 'w').write('x')
assert open('/dev/zero', 'rb').read(3) == bytes(3)
assert len(open('/dev/urandom', 'rb').read(8)) == 8
assert (os.major(os.stat('/dev/null').st_rdev), os.minor(os.stat('/dev/null').st_rdev)) == (1, 3)
try:
    os.write(os.open('/dev/full', os.O_WRONLY), b'x'); sys.exit('/dev/full took it')
except OSError as error:
    assert error.errno == errno.ENOSPC, error
open('/dev/shm/x', 'w').close()
master, slave = os.openpty()
assert os.ttyname(slave).startswith('/dev/pts/'), os.ttyname(slave)
""")


@everywhere
def test_no_device_can_be_made():
    """Device nodes cannot be made, and /dev cannot be filled up."""
    py("""
import errno, os, stat, sys
for place in ('/dev/x', '/tmp/x', 'x'):
    try:
        os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 1)); sys.exit('made ' + place)
    except OSError as error:
        assert error.errno in (errno.EPERM, errno.EROFS, errno.EACCES), error
""")


def test_tmpfs_is_bounded():
    """The writable tmpfs mounts are bounded: a quarter of the memory at most."""
    py("""
import os, sys
ram = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
for place in ('/tmp', '/run', os.environ['HOME']):
    info = os.statvfs(place)
    size = info.f_blocks * info.f_frsize
    if not 0 < size <= ram // 4 + (1 << 20):
        sys.exit('%s: %d of %d' % (place, size, ram))
info = os.statvfs('/dev')
if info.f_blocks * info.f_frsize > (1 << 24): sys.exit('/dev: %d' % (info.f_blocks * info.f_frsize))
""", env={"HOME": folder("me")}, cwd=folder("work"))


@everywhere
def test_fresh_proc():
    """/proc shows only the box: PID 1 is ours, no process of the host is listed."""
    got = py("""
import os
print(os.getpid(), sorted(int(n) for n in os.listdir('/proc') if n.isdigit()))
print(os.readlink('/proc/self'), open('/proc/1/comm').read().strip())
""")
    pids = eval(got.lines[0].split(" ", 1)[1])
    check(1 in pids and len(pids) <= 3, "processes in /proc: %s" % pids)


def test_proc_is_masked():
    """The dangerous files of /proc are covered, and what steers the kernel is read-only."""
    py("""
import errno, os, sys
for name in ('kcore', 'keys', 'timer_list', 'sched_debug', 'latency_stats', 'interrupts', 'acpi', 'scsi', 'asound', 'key-users'):
    path = '/proc/' + name
    if not os.path.exists(path): continue
    if os.path.isdir(path):
        if os.listdir(path): sys.exit('not covered: ' + path)
    else:
        try:
            if open(path, 'rb').read(1): sys.exit('readable: ' + path)
        except OSError: pass
for path in ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sys/vm/drop_caches', '/proc/sys/user/max_user_namespaces'):
    try:
        os.close(os.open(path, os.O_WRONLY)); sys.exit('writable: ' + path)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT): sys.exit('%s: %s' % (path, error))
""")


def test_masks_cannot_be_taken_off():
    """Root inside cannot uncover a masked file of /proc or get to the old root."""
    got = sandbox("--root", "--", "/bin/sh", "-c", "umount /proc/kcore /proc/keys /proc/sys; umount -l /proc; umount -l /usr; ls /usr/bin/env; "
                  "mount -o remount,rw /usr; (: >/usr/planted); head -c 1 /proc/kcore | wc -c")
    contains(got.out, "/usr/bin/env", "stdout")
    matches(got.out, r"^0$", "stdout")


def test_sys_is_read_only():
    """/sys is fresh or empty, read-only, and without the firmware's tables."""
    py("""
import errno, os, sys
attributes = [l.split()[5].split(',') for l in open('/proc/self/mountinfo') if l.split()[4] == '/sys']
if not attributes or 'ro' not in attributes[-1]: sys.exit('mount of /sys: %s' % attributes)
for path in ('/sys/firmware', '/sys/devices/virtual/powercap'):
    if os.path.isdir(path) and os.listdir(path): sys.exit('not covered: ' + path)
""")


def test_sys_shows_own_network_only():
    """/sys/class/net belongs to the box's own network: loopback alone."""
    got = sh("ls /sys/class/net 2>/dev/null || echo lo")
    equal(got.out.split(), ["lo"], "interfaces")


@everywhere
def test_old_root_is_gone():
    """No mount of the box leads to the host's root, and the parent of the root is the root."""
    for target, (_, kind, origin) in mounts().items():
        check(not (origin == "/" and kind in ("ext4", "xfs", "btrfs", "overlay", "9p", "virtiofs") and target in ("/", "/oldroot")),
              "the host's root is at %s" % target)
        lacks(target, "oldroot", "mount point")
    sh('cd / && test "$(ls -A /..)" = "$(ls -A /)"')


@everywhere
def test_no_descriptor_leaks():
    """The command has 0, 1 and 2 and nothing else, whatever the caller had open."""
    outside = os.open("/etc/passwd", os.O_RDONLY)
    top = os.open("/", os.O_RDONLY)
    high = fcntl.fcntl(top, fcntl.F_DUPFD, 200)
    for fd in (outside, top, high):
        os.set_inheritable(fd, True)
    try:
        got = py("import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd')))", close_fds=False)
    finally:
        for fd in (outside, top, high):
            os.close(fd)
    numbers = eval(got.out)
    check(set(numbers) <= {0, 1, 2, 3}, "descriptors: %s" % numbers)   # 3: the listing itself


def test_init_has_no_leaked_descriptors():
    """PID 1 keeps no descriptor of the caller and no directory of the host."""
    top = os.open("/", os.O_RDONLY)
    os.set_inheritable(top, True)
    ready, tell = pipe_pair()
    process = start("--ready-fd", str(tell), "--", "/bin/cat", close_fds=False, stdin=subprocess.PIPE)
    try:
        os.close(tell)
        read_line(ready)
        init = box_pid(process)
        left = []
        for fd in os.listdir("/proc/%d/fd" % init) if os.access("/proc/%d/fd" % init, os.R_OK) else []:
            target = os.readlink("/proc/%d/fd/%s" % (init, fd))
            if target == "/" or target.startswith(("/etc", "/home", "/usr")):
                left.append((fd, target))
        equal(left, [], "descriptors of PID 1")
    finally:
        process.stdin.close()
        process.wait(TIMEOUT)
        os.close(ready)
        os.close(top)


def test_show():
    """--show PATH makes one more path visible, read-only, at its own place."""
    other = folder("other")
    write(other + "/file", "shown\n")
    got = succeeds(
        "--show", other, "--", "/bin/sh", "-c", 'cat "$1/file"; (: >"$1/new") 2>/dev/null && echo wrote; true', "sh", other, cwd=folder("work"))
    equal(got.out, "shown\n", "stdout")


def test_hide():
    """--hide PATH covers a file or directory with nothing, inside the current directory too."""
    here = folder("here")
    os.mkdir(here + "/secrets")
    write(here + "/secrets/key", "x")
    write(here + "/.env", "TOKEN=x")
    got = sh("ls -A secrets; cat .env; true", "--hide", "secrets", "--hide", here + "/.env", cwd=here)
    lacks(got.out, "key", "stdout")
    lacks(got.out, "TOKEN", "stdout")
    equal(read(here + "/.env"), "TOKEN=x", "the real file")


def test_hide_cannot_be_undone():
    """Root inside cannot uncover what --hide covers."""
    here = folder("here")
    write(here + "/.env", "TOKEN=x")
    got = sandbox("--root", "--hide", here + "/.env", "--", "/bin/sh", "-c", "umount .env; umount -l .env; mv .env e2; cat .env e2; true", cwd=here)
    lacks(got.out, "TOKEN", "stdout")


def test_replaced_outside():
    """A directory stays hidden or protected whatever is replaced in it outside, a file while it is written in place."""
    here = folder("here")
    for name in ("hidden", "protected"):
        os.mkdir(here + "/" + name)
        write(here + "/" + name + "/file", "old")
    write(here + "/written", "old")
    script = "echo ready; read -r go; cat hidden/file written protected/file; echo bad >protected/file"
    process = start("--hide", "hidden", "--hide", "written", "--protect", "protected", "--", "/bin/sh", "-c", script, cwd=here,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(process.stdout.readline(), b"ready\n", "line")
    for name in ("hidden", "protected"):
        os.rename(write(here + "/new", "new"), here + "/" + name + "/file")
    write(here + "/written", "new")
    out, _ = process.communicate(b"go\n", timeout=TIMEOUT)
    equal(out, b"new", "what the box reads: of the protected one alone")
    equal(read(here + "/protected/file"), "new", "the protected file")


def test_protect():
    """--protect PATH is read-only inside the writable directory; one that is not there is no error."""
    here = folder("here")
    os.mkdir(here + "/.git")
    got = sh("(: >.git/hook) 2>/dev/null && echo wrote; mv .git x 2>/dev/null && echo moved; echo ok >fine; cat fine",
             "--protect", ".git", "--protect", here + "/absent", cwd=here)
    equal(got.out, "ok\n", "stdout")
    equal(sorted(os.listdir(here)), [".git", "fine"], "the directory")


def test_read_only():
    """--read-only takes the write bit from the current directory's neighbours but leaves /tmp usable."""
    sh("echo x >/tmp/x && ! (: >/usr/x)", "--read-only")


def test_workdir():
    """-w DIR starts there."""
    equal(sandbox("-w", "/usr/bin", "--", "pwd").out, "/usr/bin\n", "pwd")


def test_shadow_is_unreadable():
    """Password hashes stay unreadable while /etc/passwd is readable."""
    sh("head -n 1 /etc/passwd >/dev/null; ! cat /etc/shadow 2>/dev/null")


@needs("unshare")
def test_mounts_made_meanwhile():
    """What is mounted on a shared mount of the host while a box runs does not appear in it, nor the other way round."""
    got = in_outer("""
mkdir m w; mount -t tmpfs none m; mount --make-rshared m; mkdir m/outer m/inner; mkfifo up down; cd w
"$SANDBOX" -q --root --cap-add sys_admin -v ../m:/m -- /bin/sh -c '
    mount -t tmpfs none /m/inner && : >/m/inner/made; echo ready; read line; echo box: $(ls -A /m/outer) $(ls -A /m/inner)' <../down >../up &
exec 3>../down 4<../up; read line <&4; test "$line" = ready
mount -t tmpfs none ../m/outer; : >../m/outer/made; echo go >&3; cat <&4; echo host: $(ls -A ../m/outer) $(ls -A ../m/inner)
grep -c "/m .* shared:" /proc/self/mountinfo
""")
    equal(got.lines, ["box: made", "host: made", "1"], "what is seen\n%s\nvalue" % got)


@needs("unshare")
@cases(null=("/dev/null", "/dev/zero", "1:3"), zero=("/dev/zero", "/dev/full", "1:5"), random=("/dev/urandom", "/dev/zero", "1:9"), file=("/dev/random", "plain", "1:8"))
def test_devices_that_are_others(name, other, number):
    """A node of the host's /dev that is another device, or none, is refused by its number."""
    got = in_outer(": >plain; mount --bind %s %s; mkdir w; cd w; exec \"$SANDBOX\" -- /bin/echo ran" % (other, name))
    equal((got.code, got.out), (125, ""), "exit status and stdout\n%s\nvalue" % got)
    matches(got.err, r"error\[E-MOUNT\]: .*%s" % name, "stderr")
    matches(got.err, r"^  cause: .*character device %s " % number, "stderr")
