# SPDX-License-Identifier: MIT
"""doctor: who would enforce each limit in each kind of session, and what an administrator does."""

import json

from box import SANDBOX, check, same

CGROUP = ("cpu", "cpu-weight", "memory", "memory-high", "memory-swap", "pids", "cpu-time")
ALONE = ("cpu-weight", "memory-high", "memory-swap", "io-read", "io-write")  # what only a controller can do
DELEGATE = """sudo mkdir -p /etc/systemd/system/user@.service.d
printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf
sudo systemctl daemon-reload
then log out and in again"""


def doctor(guest, mode, before=""):
    """The rows by their id, in one kind of session."""
    done = guest.run("%s\n%s doctor --json" % (before, SANDBOX), mode)
    same((done.status, done.err), (0, ""), mode)
    return {row["id"]: row for row in json.loads(done.out)["checks"]}


def by(rows, names):
    return {name: (rows["limit-" + name]["by"], rows["limit-" + name]["exact"]) for name in names}


def test_with_systemd(guest):
    """Wherever the user's systemd answers, and for root, the kernel enforces by a cgroup; no scope stays."""
    for mode in ("user", "user-service", "no-session", "root"):
        rows = doctor(guest, mode)
        same(by(rows, CGROUP), dict.fromkeys(CGROUP, ("cgroup", True)), mode)
        same((mode, rows["bus"]["status"]), (mode, "ok"), "the bus")
        # what a scope has counts, too, where the session's own cgroup has less
        have = rows["cgroup"]["detail"].partition(";")[0].split()
        check({"cpu", "memory", "pids"} <= set(have), "%s: %s" % (mode, rows["cgroup"]))


def test_drop_in(guest):
    """The administrator's drop-in is printed where cpuset and io are not delegated, and it mends that."""
    rows = doctor(guest, "user")
    same(rows["cgroup"]["fix"], DELEGATE, "the mend")
    names = ("cpuset", "io-read", "io-write")
    same(by(rows, names), {"cpuset": ("affinity", False), "io-read": ("nobody", False), "io-write": ("nobody", False)}, "without")
    # as root has no sudo here, and needs none
    commands = [line.replace("sudo ", "") for line in rows["cgroup"]["fix"].splitlines()[:-1]]
    guest.ok("\n".join(commands) + "\nsystemctl restart user@1000.service", "root")
    rows = doctor(guest, "no-session")
    same((rows["cgroup"]["status"], rows["cgroup"]["fix"]), ("ok", None), rows["cgroup"]["detail"])
    same(by(rows, names), dict.fromkeys(names, ("cgroup", True)), "with the drop-in")


def test_without_systemd(guest):
    """Without a manager that answers: soft, or refused with the reason, and the mend is to log in or to linger."""
    for mode, before in (("guest", ""), ("user", "export DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere; cd /run/user/1000 && mv bus away && mv systemd/private private; cd /host")):
        rows = doctor(guest, mode, before)
        same(by(rows, ("cpu", "memory", "cpu-time")), dict.fromkeys(("cpu", "memory", "cpu-time"), ("soft", False)), mode)
        same(by(rows, ["pids"]), {"pids": ("rlimit", True)}, mode)
        same(by(rows, ALONE), dict.fromkeys(ALONE, ("nobody", False)), mode)
        check("no systemd of the user" in rows["limit-memory-high"]["detail"], rows["limit-memory-high"])
        check("enable-linger" in rows["bus"]["fix"], rows["bus"])
