# SPDX-License-Identifier: MIT
"""What the attacks share: the probe, inside each kind of box and outside of any."""

import contextlib
import tempfile

import box
from box import *

PROBE = os.path.abspath(os.path.join(os.path.dirname(SANDBOX), "../tests/attack/probe"))

# Kinds of box. A root directory has its options made by boxed().
KINDS = {"own": (), "root": ("--root",), "rootfs": (), "nested": ("--nested",), "host_network": ("--network", "host"),
         "user_network": ("-q", "--network", "user"), "landlock": ("-q", "--backend", "landlock")}
each_kind = cases(**{kind: (kind,) for kind in KINDS})
# What is about mounts, or a limit by namespaces, has no meaning without them.
each_with_mounts = cases(**{kind: (kind,) for kind in KINDS if kind != "landlock"})
without_nested = cases(**{kind: (kind,) for kind in KINDS if kind != "nested"})
mounts_without_nested = cases(**{kind: (kind,) for kind in KINDS if kind not in ("nested", "landlock")})
both_users = modes("user", "root")
# Those whose control works for a root of its own namespace, too. (Inside of a box that has a filter itself few controls would.)
every_user = modes("user", "root", "userns")


def elsewhere():
    """A directory that no box shows."""
    place = tempfile.mkdtemp(prefix="elsewhere.", dir=box.WORK)
    os.chmod(place, 0o777)
    return place


def token():
    """A word that nothing else prints."""
    return "token-%s" % os.urandom(8).hex()


def secret():
    """(path, token) of a file that no box shows."""
    word = token()
    return write(elsewhere() + "/secret", word + "\n", 0o666), word


def probe():
    """The probe in this test's directory, which a box shows as its current one."""
    path = scratch() + "/probe"
    if not os.path.exists(path):
        shutil.copy(PROBE, path)
        os.chmod(path, 0o755)
    return path


def attack_root():
    """A root directory with the probe as /probe."""
    root = scratch() + "/root"
    if not os.path.isdir(root):
        busybox_root("root")
        shutil.copy(probe(), root + "/probe")
    return root


def words_of(kind, *words, options=()):
    """The arguments of sandbox that run the probe in a box of a kind."""
    if kind == "rootfs":
        return ["--rootfs", attack_root(), *options, "--", "/probe", *words]
    probe()
    return [*KINDS[kind], *options, "--", "./probe", *words]


def boxed(kind, *words, options=(), **keywords):
    """The probe inside. It must have run; what it achieved is for the caller to judge."""
    got = sandbox(*words_of(kind, *words, options=options), **keywords)
    check(got.code not in (99, 125, 126, 127), "the attack should have been run\n%s" % got)
    return got


def control(*words, via=(), timeout=TIMEOUT, stdin=None, **keywords):
    """The probe without a box."""
    done = subprocess.run([*via, probe(), *words], env=environment(), cwd=scratch(), stdin=subprocess.DEVNULL if stdin is None else stdin,
                          capture_output=True, timeout=timeout, check=False, **keywords)
    return Result([*via, "probe", *words], done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def tried(result):
    """{what: outcome} of a probe's lines."""
    return dict(line.rsplit(": ", 1) for line in result.lines if re.search(r": ([A-Z0-9]+|ok)$", line))


def nothing_worked(result, but=()):
    """Every line of the probe is a refusal."""
    rows = tried(result)
    check(rows, "the probe says nothing\n%s" % result)
    worked = [what for what, outcome in rows.items() if outcome == "ok" and what not in but]
    check(not worked, "these worked: %s\n%s" % (", ".join(worked), result))


# ---------------------------------------------------------------- what became of a run, and of the host meanwhile

def outcome(got):
    """"ran", or the code of the one error the run was refused with."""
    if got.code not in (125, 126, 127):
        return "ran"
    found = ERROR.findall(got.err)
    check(len(found) == 1, "refused, with one error\n%s" % got)
    return found[0][0]


def ends(want, *args, **keywords):
    """The run must end in that way: the command runs, or it is refused with that code."""
    got = sandbox(*args, **keywords)
    equal(outcome(got), want, "outcome\n%s\nvalue" % got)
    return got


def raced(want, runs):
    """Of starts during which something is exchanged each ends in one of these ways, and each way comes about."""
    equal({outcome(got) for got in runs}, set(want), "outcomes")


IN_MODIFY, IN_ATTRIB, IN_MOVED, IN_CREATE, IN_DELETE, IN_NONBLOCK = 0x2, 0x4, 0xc0, 0x100, 0x200, 0o4000


@contextlib.contextmanager
def untouched(*places):
    """Nothing in these directories is made, changed, moved or removed meanwhile (inotify(7)): what comes and is
    gone again before somebody looks counts too."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(IN_NONBLOCK | os.O_CLOEXEC)
    check(watch >= 0, "inotify_init1")
    try:
        for place in places:
            for base, _, _ in os.walk(place):
                check(libc.inotify_add_watch(watch, base.encode(), IN_MODIFY | IN_ATTRIB | IN_MOVED | IN_CREATE | IN_DELETE) > 0, "inotify_add_watch")
        yield
        try:
            events = os.read(watch, 65536)
        except BlockingIOError:
            return
        seen, at = [], 0
        while at < len(events):
            _, what, _, length = struct.unpack_from("iIII", events, at)
            seen.append("%#x %s" % (what, events[at + 16:at + 16 + length].rstrip(b"\0").decode()))
            at += 16 + length
        raise Failure("touched outside meanwhile: " + ", ".join(seen))
    finally:
        os.close(watch)


def state(pid):
    return read("/proc/%d/stat" % pid).rsplit(") ", 1)[1].split()[0]


@contextlib.contextmanager
def victim(**options):
    """A process of ours, a leader of its group."""
    process = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.setpgid(0, 0), **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


__all__ = [name for name in globals() if not name.startswith("_")]
