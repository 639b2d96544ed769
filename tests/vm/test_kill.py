# SPDX-License-Identifier: MIT
"""SIGKILL at any moment: of the launcher, of PID 1, of the helper that asks systemd."""

from box import check

MOMENTS = 50

# Five boxes at a time. A victim gets its signal some time after it has appeared, from at once until later than a
# start takes. Two seconds later nothing may be left: no process of a box, no cgroup of one, in either manager.
KILLER = r"""
import glob, os, signal, subprocess, sys, time

SANDBOX, VICTIM, MOMENTS = "%s", "%s", %d
MARK = "31.5"  # the command sleeps so long: its processes are known by it
COMMAND = [SANDBOX, "-q", "--cwd", "none", "--cpus", "50%%", "-m", "64M", "--", "sh", "-c"]


def children(pid):
    try:
        with open("/proc/%%d/task/%%d/children" %% (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def is_victim(pid):
    try:
        with open("/proc/%%d/comm" %% pid) as file:
            if VICTIM == "scope":
                return file.read() == "sandbox-scope\n"
        with open("/proc/%%d/status" %% pid) as file:
            row = [line for line in file if line.startswith("NSpid:")][0].split()
        return row[-1] == "1" and len(row) > 2
    except (OSError, IndexError):
        return False


def victim(launcher, end):
    while VICTIM != "launcher" and time.monotonic() < end and launcher.poll() is None:
        for pid in children(launcher.pid):
            if is_victim(pid):
                return pid
    return launcher.pid if VICTIM == "launcher" else None


def left():
    found = glob.glob("/sys/fs/cgroup/**/sandbox-*.scope", recursive=True)
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0] in (SANDBOX.encode(), b"sandbox-scope") or MARK.encode() in words:
            found.append(path + " " + repr(words))
    return found


def start_time():
    begin = time.monotonic()
    subprocess.run(COMMAND + ["true"], stdin=subprocess.DEVNULL, check=False)
    return time.monotonic() - begin


def one_round(number, most):
    run = COMMAND + ["sleep %%s & sleep %%s; :" %% (MARK, MARK) if VICTIM != "scope" else "sleep 0.2"]
    boxes = [subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(5)]
    hit = 0
    for box in boxes:
        pid = victim(box, time.monotonic() + 20)
        time.sleep(most * int.from_bytes(os.urandom(2), "little") / 65536)
        try:
            if pid and box.poll() is None:
                os.kill(pid, signal.SIGKILL)
                hit += 1
        except ProcessLookupError:
            pass
    for box in boxes:
        try:
            box.wait(40)
        except subprocess.TimeoutExpired:
            print("round", number, "a launcher that does not end", box.pid)
            box.kill()
    end = time.monotonic() + 2
    while left() and time.monotonic() < end:
        time.sleep(0.05)
    for line in left():
        print("round", number, line)
    return hit


most = {"launcher": 1.5, "pid1": 0.5, "scope": 1.0}[VICTIM] * start_time() / 5
hits = sum(one_round(number, most) for number in range(MOMENTS // 5))
print("hits", hits)
"""


def matrix(guest, victim):
    out = guest.ok("python3 - <<'END'\n%s\nEND" % (KILLER % ("/host/bin/sandbox", victim, MOMENTS)), "user", 300)
    check(out.startswith("hits "), "left behind:\n" + out)
    check(int(out.split()[1]) >= MOMENTS // 2, "how many were hit: " + out)


def test_launcher(guest):
    """The launcher: systemd's scope and everything in it goes with it."""
    matrix(guest, "launcher")


def test_pid1(guest):
    """PID 1 of the box."""
    matrix(guest, "pid1")


def test_scope(guest):
    """The helper: the box runs on with the limits that can be had, and leaves nothing."""
    matrix(guest, "scope")
