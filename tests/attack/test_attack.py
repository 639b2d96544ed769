# SPDX-License-Identifier: MIT
"""One regression test for each root cause by which other tools of this kind were escaped from or
misused, named after the advisory. Where a cause is the subject of a whole file here, the test says
which, and shows the advisory's own case."""


from field import *
from test_links import Swapper, sources, target


def plant(root, **links):
    """Replaces names of a root directory by links."""
    for name, where in links.items():
        path = os.path.join(root, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
        os.symlink(where, path)


def in_root(root, *words, options=(), userns="root"):
    return sandbox("--rootfs", root, "--userns", userns, *options, "--", *words)


# ---------------------------------------------------------------- paths and links during set-up

@every_user
def test_cve_2026_87766():
    """bubblewrap: mkdir and creat of a destination followed a parent link in a writable volume to the host."""
    place, volume = target(), elsewhere()
    before = tree(place)
    os.symlink(place, volume + "/link")
    for option in (("-v", sources() + ":/tmp/v/link/new/deep"), ("--file", "/tmp/v/link/made=x"), ("--tmpfs", "/tmp/v/link/tmpfs")):
        with untouched(place):
            ends("E-DEST", "-v", volume + ":/tmp/v", *option, "--", "true")
    equal(tree(place), before, "the directory outside")
    os.mkdir(volume + "/link/new")
    check(os.path.isdir(place + "/new"), "control")


@every_user
@cases(volumes=2, nested_volumes=3)
def test_cve_2021_30465(depth):
    """runc: a mount onto a directory that another container exchanged for a link."""
    place, volume = target(), elsewhere()
    os.makedirs(volume + "/at/a/b")
    os.symlink(place, volume + "/link")
    source = sources()
    before = tree(place)
    at = "/tmp/v/at" + "/a/b"[:2 * (depth - 1)]
    with Swapper(volume + "/at", volume + "/link") as swapper, untouched(place):
        runs = [sandbox("-v", volume + ":/tmp/v", "-v", source + ":" + at, "--", "/bin/sh", "-c", ": >%s/marker" % at) for _ in range(60)]
    check(swapper.count > 1000, "control: not exchanged")
    raced(("ran", "E-DEST"), runs)
    check(os.path.exists(source + "/marker"), "the volume was never there")
    left = {row for row in tree(place)} - set(before)
    equal(left, set(), "what was made outside")


@every_user
def test_cve_2019_19921():
    """runc: /proc of the root directory is a link (again in CVE-2023-27561 and CVE-2023-28642)."""
    for top in ("proc", "sys"):
        place, root = target(), attack_root()
        os.makedirs(place + "/self/attr", exist_ok=True)
        write(place + "/self/attr/exec", "before")
        plant(root, **{top: place})
        before = tree(place)
        with untouched(place):
            got = in_root(root, "/bin/cat", "/%s/file" % top)
        equal((outcome(got), got.out), ("E-DEST", ""), "outcome, and what was read")
        equal(tree(place), before, "the directory outside")
        shutil.rmtree(root)


@every_user
def test_cve_2025_31133():
    """runc: a mask taken from the root directory's own /dev/null uncovers or shows what that leads to."""
    path, word = secret()
    root = attack_root()
    os.makedirs(root + "/dev", exist_ok=True)
    for kind in ("link", "file"):
        if kind == "link":
            os.symlink(path, root + "/dev/null")
        else:
            os.unlink(root + "/dev/null")
            write(root + "/dev/null", word)
        got = in_root(root, "/bin/sh", "-c", "echo planted >/dev/null; cat /dev/null /proc/keys /proc/interrupts; stat -c %t:%T /dev/null")
        lacks(got.out, word, "what a masked file shows")
        contains(got.out, "1:3", "the null device")
        equal(read(path), word + "\n", "the file outside")


@every_user
@cases(console="console", null="null", ptmx="ptmx", pts="pts", tty="tty", shm="shm")
def test_cve_2025_52565(name):
    """runc, crun CVE-2026-88264 and CVE-2026-88265: /dev/console and others opened through a link in the root directory."""
    place, root = target(), attack_root()
    before = tree(place), read(place + "/file")
    os.makedirs(root + "/dev", exist_ok=True)
    os.symlink(place + ("/folder" if name in ("pts", "shm") else "/file"), root + "/dev/" + name)
    with Terminal(SANDBOX, "--rootfs", root, "--userns", "root", "--", "/bin/sh", "-c", "tty; echo planted >/dev/%s; : >/dev/%s/x" % (name, name)) as terminal:
        terminal.wait()
    contains(terminal.seen.decode(), "/dev/pts/", "the terminal inside")
    equal((tree(place), read(place + "/file")), before, "the directory outside")
    equal(oct(os.stat(place + "/file").st_mode & 0o777), "0o666", "its mode")


@every_user
def test_cve_2026_41579():
    """runc, crun CVE-2026-47766: /dev of the root directory is itself a link to a directory of the host."""
    place, root = target(), attack_root()
    before = tree(place)
    for where in (place, "../" * 20 + place[1:]):
        plant(root, dev=where)
        with untouched(place):
            equal(outcome(in_root(root, "/bin/true")), "E-DEST", "outcome")
        equal(tree(place), before, "the directory outside")


@every_user
def test_cve_2025_52881():
    """runc, CVE-2019-16884: what is written to /proc goes to a file that stands there instead."""
    place, root = elsewhere(), attack_root()
    os.makedirs(place + "/sys/user")
    os.makedirs(place + "/self/attr")
    for name in ("/sys/user/max_user_namespaces", "/self/attr/exec", "/self/setgroups", "/self/uid_map", "/self/oom_score_adj"):
        write(place + name, "before")
    before = tree(place)
    shutil.copytree(place, root + "/proc")
    inside = tree(root + "/proc")
    got = in_root(root, "/bin/cat", "/proc/sys/user/max_user_namespaces")
    equal(got.out.strip(), "0", "the real value\n%s\nvalue" % got)
    equal(tree(root + "/proc"), inside, "the planted files")
    for at in ("/proc", "/proc/self", "/proc/sys"):
        with untouched(place):
            ends("E-VALUE", "-v", place + ":" + at, "--", "true")
    equal(tree(place), before, "a volume over /proc")


@every_user
def test_cve_2024_45310():
    """runc: empty directories made outside by a race on the way to a volume's destination."""
    place, volume = target(), elsewhere()
    os.makedirs(volume + "/one")
    os.symlink(place, volume + "/two")
    before = tree(place)
    with Swapper(volume + "/one", volume + "/two"), untouched(place):
        for i in range(60):
            ends("E-DEST", "-v", volume + ":/tmp/v", "-v", volume + ":/tmp/v/one/deep%d/deeper" % i, "--", "true")
    equal(tree(place), before, "the directory outside")


@every_user
@cases(option="option", link="link")
def test_cve_2024_21626(way):
    """runc: the working directory lies in a descriptor that was left open, outside of the root."""
    path, word = secret()
    place = os.path.dirname(path)
    handle = os.dup2(os.open(place, os.O_RDONLY | os.O_DIRECTORY), 7, inheritable=True)
    ways = set()
    try:
        for number in (*range(3, 30), handle):
            if way == "option":
                got = sandbox("-w", "/proc/self/fd/%d" % number, "--", "/bin/sh", "-c", "cat secret; cat ../../../..%s; ls -A; : >planted" % path, pass_fds=(handle,))
            else:
                root = attack_root()
                plant(root, work="/proc/self/fd/%d" % number)
                got = sandbox("--rootfs", root, "--userns", "root", "-w", "/work", "--", "/bin/sh", "-c", "cat secret; cat ../../../..%s; : >planted" % path, pass_fds=(handle,))
            lacks(got.out, word, "what was read")
            ways.add(outcome(got))
        equal(ways, {"ran", "E-WORKDIR"}, "outcomes")   # numbers that stand for something of the box, and the others
        equal(os.listdir(place), ["secret"], "the directory outside")
        outside = subprocess.run(["/bin/sh", "-c", "cd /proc/self/fd/7 && cat secret"], pass_fds=(handle,), capture_output=True, text=True, check=False)
        contains(outside.out if hasattr(outside, "out") else outside.stdout, word, "control")
    finally:
        os.close(handle)


@every_user
def test_cve_2024_42472():
    """Flatpak, CVE-2021-21261 and CVE-2026-34078: the source of a bind, which the program may write, exchanged between check and mount."""
    path, word = secret()
    place = elsewhere()
    os.mkdir(place + "/given")
    write(place + "/given/secret", "harmless")
    os.symlink(os.path.dirname(path), place + "/link")
    with Swapper(place + "/given", place + "/link") as swapper:
        outcomes = [sandbox("-v", place + "/given:/tmp/v", "--", "/bin/sh", "-c", "cat /tmp/v/secret") for _ in range(60)]
    check(swapper.count > 1000, "control: not exchanged")
    for got in outcomes:
        # the link is the caller's own word when it stands there at the pin; never half of each
        check(got.out.strip() in ("harmless", word) or "E-RACE" in got.err or "E-SOURCE" in got.err, "neither one nor the other\n%s" % got)
        check(got.code == 0 or got.out == "", "refused, and yet read\n%s" % got)
    check({"ran"} <= {outcome(got) for got in outcomes}, "none ran")


def has_open(process, path):
    """Whether a process below this one holds a descriptor of that very path."""
    for pid in descendants(process.pid):
        try:
            if path in (os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)):
                return True
        except OSError:
            pass
    return False


SOURCES = {"volume": ("given", "-v", "{}:/tmp/v"), "file": ("given/secret", "-v", "{}:/tmp/v"), "secret": ("given/secret", "--secret", "key={}"),
           "home": ("given", "--home", "{}"), "rootfs": ("given", "--rootfs", "{}")}


@every_user
@needs("strace")
@cases(**{name: row for name, row in SOURCES.items()})
def test_source_exchanged_after_its_pin(which, option, value):
    """The same at the one moment that counts, with the start held between the pin and the namespaces: refused as E-RACE."""
    model = busybox_root()
    for exchange in (False, True):
        place = elsewhere()
        for name in ("given", "other"):
            shutil.copytree(model, place + "/" + name, symlinks=True)
            write(place + "/" + name + "/secret", name)
        source, other = place + "/" + which, place + "/" + which.replace("given", "other")
        held = ("strace", "-qqq", "-o", "/dev/null", "-e", "trace=clone3", "-e", "signal=none", "-e", "inject=clone3:delay_enter=%d" % (400000 * SLOW))
        process = start(option, value.format(source), "--userns", "root", "--", "/bin/sh", "-c", "echo ran", via=held, env={"ASAN_OPTIONS": "detect_leaks=0"},
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        eventually(lambda: has_open(process, source), "the pin")
        if exchange:
            equal(ctypes.CDLL(None).renameat2(-100, source.encode(), -100, other.encode(), 2), 0, "renameat2")
        out, err = (text.decode() for text in process.communicate(timeout=TIMEOUT))
        got = Result(process.args, process.returncode, out, err)
        equal((outcome(got), got.out), ("E-RACE", "") if exchange else ("ran", "ran\n"), "outcome, and what was said\n%s\nvalue" % got)


@every_user
def test_cve_2026_34079():
    """Flatpak's second half: descriptors that name sources are not left open in the command."""
    place = elsewhere()
    got = boxed("own", "descriptors", options=("-v", place + ":/tmp/v", "--file", "/tmp/f=x", "--secret", "s=" + secret()[0], "--hide", "x", "--tmpfs", "/tmp/t"))
    equal([line.split()[0] for line in got.lines], ["0", "1", "2"], "descriptors")


@every_user
@cases(resolv="etc/resolv.conf", hosts="etc/hosts", hostname="etc/hostname", env="run/.containerenv", docker=".dockerenv", krun=".krun_config.json", mtab="etc/mtab", passwd="etc/passwd")
def test_cve_2025_24965(name):
    """crun: a file of the tool's own written through a link in the root directory."""
    place, root = target(), attack_root()
    before = tree(place), read(place + "/file")
    os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
    plant(root, **{name: place + "/file"})
    for options in ((), ("--network", "host"), ("--hostname", "planted")):
        with untouched(place):
            equal(outcome(in_root(root, "/bin/true", options=options)), "ran", "outcome with %s" % (options,))
    with untouched(place), Terminal(SANDBOX, "--rootfs", root, "--userns", "root", "-t", "--", "/bin/true") as terminal:
        equal(terminal.wait(), 0, "exit status on a terminal")
    equal((tree(place), read(place + "/file")), before, "the directory outside")


@every_user
def test_cve_2015_1335():
    """LXC: the target of a mount is a link to a place of the container that must not be covered, or climbs out."""
    place, root = target(), attack_root()
    before = tree(place)
    os.makedirs(root + "/data", exist_ok=True)
    source = sources()
    for where, want in (("/proc", "ran"), ("/proc/sys", "ran"), ("../../../../../../.." + place, "E-DEST"), ("/proc/1/root" + place, "E-DEST")):
        plant(root, **{"data/mount": where})
        with untouched(place):
            got = in_root(root, "/bin/cat", "/proc/self/status", options=("-v", source + ":/data/mount"))
        equal(outcome(got), want, "outcome\n%s\nvalue" % got)
        if where == "/proc":   # the caller's own volume, where the root directory wants it: it is what is seen there
            check(got.code == 1 and "No such file" in got.err, "neither the volume nor procfs stands at /proc\n%s" % got)
        elif want == "ran":
            contains(got.out, "NoNewPrivs:\t1", "procfs")
        equal(tree(place), before, "the directory outside")


@every_user
def test_cve_2022_31214():
    """firejail: joining something that an attacker made to look like a sandbox. A network namespace to join must be one."""
    place = elsewhere()
    os.mkfifo(place + "/fifo")
    for path in (write(place + "/file"), place + "/fifo", place, "/proc/self/ns/mnt", "/proc/self/ns/user", "/proc/1/ns/pid"):
        refused("--network", "ns:" + path, "--", "true")


# ---------------------------------------------------------------- handles that leak, the program itself

EXE = ("script", "link", "direct", "argument", "chain", "environment")


@every_user
@cases(**{way: way for way in EXE})
def test_cve_2019_5736(way):
    """runc, LXC: the command is made to be the launcher's own program, by /proc/self/exe, and that file is changed."""
    place = elsewhere()
    own = shutil.copy(SANDBOX, place + "/sandbox")
    os.chmod(own, 0o755)
    before = read_bytes(own), os.stat(own).st_mode
    root = attack_root()
    command = ["/bin/evil", "--", "/bin/true"]
    if way == "link":
        plant(root, **{"bin/evil": "/proc/self/exe"})
    elif way == "script":
        write(root + "/bin/evil", "#!/proc/self/exe --version\n", 0o755)
    elif way == "chain":
        write(root + "/bin/evil", "#!/bin/between\n", 0o755)
        write(root + "/bin/between", "#! /proc/thread-self/exe --version\n", 0o755)
    elif way == "argument":
        command = ["/proc/self/exe", "--version"]
    elif way == "direct":
        plant(root, bin2="/proc/1/exe", **{"bin/evil": "/bin2"})
    else:
        plant(root, **{"usr/local": "/proc/self", "bin/exe": "/proc/self/exe"})
        command = ["exe", "--version"]
    got = subprocess.run([own, "--rootfs", root, "--userns", "root", "-e", "PATH=/usr/local:/bin", "--", *command], env=environment(), cwd=scratch(),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    lacks(got.stdout, "sandbox 0", "what ran")
    lacks(got.stdout + got.stderr, "user namespaces", "what ran")
    check(got.returncode in (126, 127), "the launcher's own program was executed in the box: %d\n%s%s" % (got.returncode, got.stdout, got.stderr))
    boxed_other = subprocess.run([own, "--rootfs", root, "--userns", "root", "--", "/probe", "overwrite", "1", "planted"], env=environment(), cwd=scratch(),
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    lacks(boxed_other.stdout, ": ok", "what the probe achieved")
    equal((read_bytes(own), os.stat(own).st_mode), before, "the program outside")


def test_cve_2019_5736_control():
    """The same program changes the file of a process of its own user."""
    own = shutil.copy("/bin/sleep", scratch() + "/sleep")
    with subprocess.Popen([own, "1000"]) as process:
        got = control("overwrite", str(process.pid), "planted")
        process.kill()
    equal(tried(got)["chmod exe"], "ok", "control")
    equal(os.stat(own).st_mode & 0o777, 0o777, "mode")


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


@every_user
def test_cve_2016_9962():
    """runc: a process of the tool that is being set up is traced by those inside, and its descriptors taken."""
    got = boxed("root", "trace", "1", "3", options=("--cap-add", "sys_ptrace"))
    nothing_worked(got)
    nothing_worked(boxed("own", "trace", "1", "4"))


@every_user
def test_cve_2020_15257():
    """containerd: an abstract socket of the host, protected by the user id alone. (All of processes.abstract_sockets.)"""
    import test_processes
    test_processes.test_abstract_sockets("root")


def test_cve_2026_41163():
    """bubblewrap, LXC CVE-2022-47952: a set-user-id program traced, or asked what exists where its user may not look. None here is."""
    folder_of = os.path.dirname(os.path.dirname(SANDBOX))
    for base, _, names in os.walk(folder_of):
        for name in names:
            mode = os.lstat(os.path.join(base, name)).st_mode
            check(not mode & 0o6000, "%s is set-user-id" % name)
    shut = "/root" if not os.access("/root", os.X_OK) else "/proc/1/fd"
    told = [re.sub(r"'[^']*'", "PATH", sandbox("-v", shut + name + ":/tmp/v", "--", "true").err) for name in ("/.bashrc", "/.profile", "/no-such-file-at-all", "/0")]
    contains(told[0], "error[E-SOURCE]", "what is told")
    equal(len(set(told)), 1, "what is told of files that may not be seen: %s" % told)


@cases(cve_2017_5226="0", cve_2019_10063="0x1", cve_2023_28100="0x80000000")
def test_typing(high):
    """Flatpak: TIOCSTI; TIOCSTI with high bits set; TIOCLINUX. (All of processes.typing.)"""
    import test_processes
    probe()
    for options in ((), ("--no-tty",), ("--root", "--no-tty")):
        equal(test_processes.typed(SANDBOX, *words_of("own", "type", "planted", high, options=options)), 0, "bytes in the caller's terminal")


# ---------------------------------------------------------------- identity and privilege

def test_cve_2018_7169():
    """shadow: a group that takes rights away is dropped in a user namespace."""
    groups = [group for group in os.getgroups() if group != os.getgid()]
    script = "cat /proc/self/setgroups; grep ^Groups: /proc/self/status"
    got = sh(script)
    equal(got.lines[0], "deny", "setgroups")
    equal(len(got.lines[1].split()) - 1, len(os.getgroups()), "groups inside, as many as outside (%s)" % groups)
    got = sandbox("--root", "--", PYTHON, "-c", "import os; os.setgroups([])")
    check(got.code != 0, "a group was dropped\n%s" % got)


@every_user
def test_cve_2022_29162():
    """runc, crun CVE-2022-27650, moby CVE-2022-24769: capabilities stay inheritable."""
    import test_kernel
    for kind in ("own", "root"):
        test_kernel.test_capabilities_of_the_caller(kind)


@cases(empty="", sign="-1", plus="+1", blank=" 1", after="1 ", hexadecimal="0x1", large="4294967296", minus_one="4294967295", name="root", word="1x",
       double="1:", colon=":1", fraction="1.0", octal_like="01x", newline="1\n")
def test_cve_2026_30892(value):
    """crun: `-u 1` was taken for 0. A number is a number or refused."""
    refused("-u", value, "--", "true")


def test_cve_2026_30892_control():
    """Numbers that are numbers mean themselves."""
    for uid in (1, 10, 65534):
        equal(succeeds("-u", str(uid), "--", "id", "-u").out.strip(), str(uid), "uid")


def test_cve_2020_5291():
    """bubblewrap, CVE-2016-8659: rights kept, or traced, before no_new_privs is set. PID 1 ends without any."""
    with start("--", "sleep", "1000") as process:
        try:
            first = box_pid(process)
            eventually(lambda: descendants(first), "the command")
            eventually(lambda: status_of(read("/proc/%d/status" % first))["CapEff"] == "0" * 16, "PID 1 without capabilities")
            for pid in (first, descendants(first)[0]):
                status = status_of(read("/proc/%d/status" % pid))
                equal([status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")], ["0" * 16] * 5 + ["1"], "of %d" % pid)
            equal(status_of(read("/proc/%d/status" % process.pid))["CapEff"], "0" * 16, "of the launcher")
        finally:
            process.kill()


@every_user
@cases(own=(), root=("--root",), nested=("--nested",), powerful=("--root", "--cap-add", "sys_admin"))
def test_cve_2022_0492(*options):
    """Linux: release_agent of a cgroup v1 runs a program as the host's root."""
    probe()
    mark = elsewhere() + "/mark"
    agent = write(scratch() + "/agent", "#!/bin/sh\n: >%s\n" % mark, 0o755)
    got = sandbox(*options, "--tmpfs", "/tmp/c", "--", "./probe", "release-agent", agent, "/tmp/c")
    rows = tried(got)
    check(rows, "the probe says nothing\n%s" % got)
    equal([what for what, outcome in rows.items() if what.startswith("/") and outcome == "ok"], [], "what was written\n%s\nvalue" % got)
    check(not os.path.exists(mark), "the agent ran")


@every_user
def test_cve_2022_0185():
    """Linux, CVE-2023-32233, CVE-2024-1086: faults behind capabilities of a new user namespace (fsconfig, nftables)."""
    for kind in ("own", "root", "host_network"):
        rows = tried(boxed(kind, "namespaces"))
        check(rows["unshare user+mnt"] != "ok" and rows["unshare user+net"] != "ok" and rows["clone3 user"] != "ok", "user namespaces: %s" % rows)
        rows = tried(boxed(kind, "mounts", "/tmp"))
        check(all(outcome != "ok" for what, outcome in rows.items() if what.startswith("fsopen")), "fsopen: %s" % rows)
    equal(tried(control("mounts", scratch()))["fsopen tmpfs"], "ok", "control")


def test_cve_2023_30549():
    """Apptainer: file systems of a user's making mounted by the kernel. Nothing here mounts one."""
    image = write(scratch() + "/image.ext4", b"\0" * 4096)
    refused("--image", image, "--", "true")
    refused("--rootfs", image, "--", "true")


# ---------------------------------------------------------------- filters, life

@every_user
def test_bubblewrap_633():
    """bubblewrap#633: the launcher is killed before the box is tied to it."""
    for delay in range(40):
        process = start("--", "sleep", "1000")
        select.select([], [], [], delay / 4000)
        process.kill()
        process.wait()
        eventually(lambda: not descendants(), "nobody is left after %.2f ms" % (delay / 4), 2)
