# SPDX-License-Identifier: MIT
"""SIGKILL for each process of a run, at fifty moments each: within two seconds no process is left, and
no file, or none that the next run does not take away."""

import random
import socket

from field import *

TIMES = 50
TRIES = 4 * TIMES    # of a helper that lives for a millisecond not each is hit
WITHIN = 2.0


def children(pid):
    return [int(word) for word in read("/proc/%d/task/%d/children" % (pid, pid), "").split()]


def name_of(pid):
    return read("/proc/%d/comm" % pid, "").strip()


def hit(pid):
    """Whether it was there to be hit; what has ended is, until its parent has seen that."""
    try:
        alive = state(pid) != "Z"
        os.kill(pid, signal.SIGKILL)
        return alive
    except (ProcessLookupError, FileNotFoundError):
        return False


def launcher(process):
    return process.pid


def first(process):
    """PID 1 of the box, by its number there."""
    return next((pid for pid in children(process.pid) if re.search(r"^NSpid:.*\t1$", read("/proc/%d/status" % pid, ""), re.M)), None)


def limiter(process):
    """PID 1's child that is a copy of it."""
    return next((pid for top in children(process.pid) for pid in children(top) if name_of(pid) == "sandbox-soft"), None)


def named(name):
    return lambda process: next((pid for pid in children(process.pid) if name_of(pid) == name), None)


def agent(process):
    """That of the published ports: a copy of the launcher in its own PID namespace, made after PID 1 and the network's helper."""
    names = {pid: name_of(pid) for pid in children(process.pid)}
    box = first(process)
    if box and "sandbox-net" in names.values():
        return next((pid for pid, name in names.items() if pid != box and name == name_of(process.pid)), None)
    return None


FATAL = (launcher, first, limiter)     # the box ends with them
LASTING = (*FATAL, agent)              # they live as long as it does


def find(process, which):
    """Looks as fast as it can, for what lives for a millisecond; None if the run has ended, or is past it."""
    deadline = time.monotonic() + (5 if which in LASTING else 0.05) * SLOW
    while time.monotonic() < deadline:
        pid = which(process)
        if pid:
            return pid
    return None


def everything(root):
    """Options under which as much as possible has to be cleaned up. In those of a row `N` is another
    number each time, so that no filter comes from the cache and there is a helper to hit, and `P` a free port."""
    return ("--rootfs", root, "-v", scratch() + ":/made/deep", "--file", "/made/file=x", "--pidfile", "pid", "--report", "report")


def look(root):
    return set(tree(root)) | {name for name in os.listdir(scratch()) if name != "report"}


# Whom; the options; the longest wait before the blow, in milliseconds.
ROWS = {
    "launcher": (launcher, ("--userns", "root"), 25),
    "launcher_with_ranges": (launcher, (), 40),
    "launcher_with_a_limiter": (launcher, ("--userns", "root", "--limits", "soft", "--cpus", "90%"), 40),
    "launcher_on_host_network": (launcher, ("--userns", "root", "--network", "host"), 25),
    "first": (first, ("--userns", "root"), 20),
    "first_with_ranges": (first, (), 20),
    "limiter": (limiter, ("--userns", "root", "--limits", "soft", "--cpus", "90%"), 20),
    "launcher_with_a_network": (launcher, ("--userns", "root", "--network", "user"), 40),
    "first_with_a_network": (first, ("--userns", "root", "--network", "user"), 30),
    "port_agent": (agent, ("--userns", "root", "--publish", "127.0.0.1:P:80"), 30),
    "network_helper": (named("sandbox-net"), ("--userns", "root", "--network", "user"), 30),
    "filter_helper": (named("sandbox-seccomp"), ("--userns", "root", "--seccomp-deny", "N"), 8),
    "launcher_with_a_filter": (launcher, ("--userns", "root", "--seccomp-deny", "N", "--seccomp-action", "kill"), 40),
    "newuidmap": (named("newuidmap"), (), 2),
    "newgidmap": (named("newgidmap"), (), 2),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@cases(**ROWS)
def test_matrix(which, options, longest):
    """Nobody is left within two seconds, and the next run finds nothing in its way and leaves nothing."""
    root, chance, hits, tries, wait, cache = attack_root(), random.Random(longest), 0, 0, longest, {"XDG_CACHE_HOME": elsewhere()}
    before, port = look(root), free_port()
    while hits < TIMES:
        check(tries < TRIES, "only %d were hit in %d tries" % (hits, tries))
        tries += 1
        words = [word.replace("N", str(600 + tries)).replace("P", str(port)) for word in options]
        process = start(*everything(root), *words, "--", "/bin/sh", "-c", "sleep 1000 & sleep 1000", env=cache, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
        pid = find(process, which)
        select.select([], [], [], chance.random() * wait / 1000 * SLOW)
        was_hit = bool(pid and hit(pid))
        hits += was_hit
        # what ends too soon for the longest wait is hit sooner the next time; the moments stay spread over its life
        wait = min(longest, wait * (1.1 if was_hit else 0.7))
        begin = time.monotonic()
        if not was_hit:
            process.terminate()
        try:
            process.wait(WITHIN * SLOW if which in FATAL or not was_hit else 0.1 * SLOW)
        except subprocess.TimeoutExpired:
            check(which not in FATAL, "the launcher waits for a box that is dead")
            process.terminate()     # a map helper that had done its work, or the ports' agent: the run went on
            process.wait(TIMEOUT)
        eventually(lambda: not descendants(), "everybody is gone", WITHIN)
        check(time.monotonic() - begin < 2 * WITHIN * SLOW, "too slow")
        # (-15: SIGTERM of this test came before the launcher had begun to look after signals)
        if which is not launcher and process.returncode != -signal.SIGTERM:
            check(process.returncode in (125, 137, 143), "exit status %d" % process.returncode)
            equal(look(root) ^ before, set(), "what is left or missing after the launcher has cleaned up")
    # after SIGKILL for the launcher its pidfile and mount points may be there: the next run takes them away
    got = sandbox(*everything(root), *words, "--", "/bin/true", env=cache)
    equal(got.code, 0, "the next run\n%s\nvalue" % got)
    equal(look(root) ^ before, set(), "what is left or missing after the next run")


def test_a_marked_place_in_use_stays():
    """What somebody has put something into is not taken for a left mount point, then or later."""
    root = attack_root()
    first_run = sandbox("--rootfs", root, "--userns", "root", "--tmpfs", "/deep/point", "--", "/bin/sh", "-c", "echo keep >/deep/keep")
    equal((first_run.code, os.listdir(root + "/deep")), (0, ["keep"]), "after the first")
    os.unlink(root + "/deep/keep")
    succeeds("--rootfs", root, "--userns", "root", "--tmpfs", "/deep", "--", "/bin/true")
    check(os.path.isdir(root + "/deep"), "the directory is gone")


def test_left_mount_points_in_use_elsewhere():
    """A box that finds left mount points beside a box that uses them leaves them alone; the last one takes them."""
    root = attack_root()
    before = tree(root)
    first_box = start("--rootfs", root, "--userns", "root", "--tmpfs", "/deep/point", "--", "/bin/sleep", "1000")
    try:
        eventually(lambda: os.path.isdir(root + "/deep/point"), "the mount point")
        first_box.kill()
        first_box.wait()
        check(os.path.isdir(root + "/deep/point"), "control: nothing was left")
        user = start("--rootfs", root, "--userns", "root", "--tmpfs", "/deep/point", "--", "/bin/sh", "-c", ": >/deep/point/x; echo ready; read x; ls /deep/point",
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        equal(user.stdout.readline(), "ready\n", "the second box")
        succeeds("--rootfs", root, "--userns", "root", "--tmpfs", "/deep/point", "--", "/bin/true")
        check(os.path.isdir(root + "/deep/point"), "taken away from a box that lives")
        equal(user.communicate("\n", TIMEOUT)[0], "x\n", "what the second box sees")
    finally:
        first_box.kill()
    equal(tree(root), before, "the root directory in the end")


@cases(foreign="12345678901\n", text="hello\n", alive="%d\n", padded=" 1\n", long="1" * 40 + "\n")
def test_pidfile_that_is_not_left(content):
    """A pidfile that no killed run has left is refused and stays as it is."""
    content = content % os.getpid() if "%" in content else content
    write(scratch() + "/pid", content)
    refused("--pidfile", "pid", "--", "true", code="E-FILE")
    equal(read(scratch() + "/pid"), content, "the file")


def test_pidfile_in_use():
    """The pidfile of a box that lives is refused, also while its first process is stopped."""
    with start("--pidfile", "pid", "--", "sleep", "1000") as process:
        try:
            eventually(lambda: read(scratch() + "/pid", ""), "the pidfile")
            refused("--pidfile", "pid", "--", "true", code="E-FILE")
            write_again = read(scratch() + "/pid")
            check(int(write_again) in descendants(process.pid), "the file has changed")
        finally:
            process.terminate()
