# SPDX-License-Identifier: MIT
"""Landlock on the distributions' own kernels: bookworm's has ABI 2, trixie's ABI 6."""

import json

from box import SANDBOX, same

# What the command changes in its writable places, in few processes: emulation is slow.
WRITES = r"""
set -e
for d in . /tmp /run /var/tmp /dev/shm "$HOME"; do
  mkdir "$d/a"; echo x >"$d/a/f"; mv "$d/a/f" "$d/g"; ln "$d/g" "$d/a/h"; : >"$d/g"; rm "$d/a/h" "$d/g"; rmdir "$d/a"
done
echo x >/dev/null; echo name >/proc/self/comm; echo 500 >/proc/self/oom_score_adj
! echo x 2>/dev/null >/usr/x
echo written
"""

ABSTRACT = """python3 -c "
import os, socket, subprocess, sys
listening = socket.socket(socket.AF_UNIX); listening.bind('\\0sandbox-vm'); listening.listen()
inside = 'import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + \\'sandbox-vm\\')'
for options in (['-q'], ['-q', '--landlock', 'off']):
    done = subprocess.run(['%s', *options, '--network', 'host', '--', 'python3', '-c', inside], stderr=subprocess.PIPE, text=True)
    print('connected' if done.returncode == 0 else done.stderr.strip().splitlines()[-1])
" """


def abi(guest):
    """What this image's kernel has."""
    release = guest.ok("uname -r").split(".")
    return 6 if (int(release[0]), int(release[1])) >= (6, 12) else 2


def started(guest, options, mode="user"):
    return json.loads(guest.ok("%s -q --status-fd 1 %s -- true" % (SANDBOX, options), mode).splitlines()[0])


def test_layer(guest):
    """The kernel's Landlock is on, the box uses its ABI, and all that is writable can be written."""
    assert "landlock" in guest.ok("cat /sys/kernel/security/lsm", "root")
    same(started(guest, "")["landlock"], abi(guest), "ABI")
    same(started(guest, "--landlock off")["landlock"], 0, "ABI with --landlock off")
    guest.ok("mkdir -p /tmp/w && cat >/tmp/w/script <<'END'\n%s\nEND" % WRITES)
    same(guest.ok("cd /tmp/w && %s -q --landlock on -- sh script" % SANDBOX), "written", "writes")
    fifo = "mkdir -p /tmp/v && { test -p /tmp/v/f || mkfifo /tmp/v/f; } && cd /tmp/w && %s -q %%s -v /tmp/v:/srv/v:ro -- sh -c 'echo x 1<>/srv/v/f'" % SANDBOX
    same(guest.run(fifo % "").status != 0, True, "a FIFO in a read-only volume is refused")
    same(guest.run(fifo % "--landlock off").status, 0, "control")


def test_abstract_sockets(guest):
    """With the host's network ABI 6 keeps the box from abstract sockets; without it one line says that nothing does."""
    refused = "PermissionError: [Errno 1] Operation not permitted" if abi(guest) >= 6 else "connected"
    same(guest.ok(ABSTRACT % SANDBOX).splitlines(), [refused, "connected"], "connections")
    result = guest.run("%s --network host -- true" % SANDBOX)
    same((result.status, "abstract sockets" in result.err), (0, abi(guest) < 6), "notice")
    same(guest.run("%s --strict --network host -- true" % SANDBOX).status, 0 if abi(guest) >= 6 else 125, "--strict")


def test_backend(guest):
    """--backend landlock where user namespaces are switched off; the plain run is refused there and names it."""
    guest.ok("sysctl -q user.max_user_namespaces=0", "root")
    result = guest.run("%s -- true" % SANDBOX)
    same((result.status, "--backend landlock" in result.err), (125, True), "a plain run")
    event = started(guest, "--backend landlock")
    same((event["backend"], event["landlock"]), ("landlock", abi(guest)), "event")
    guest.ok("mkdir -p /tmp/b && echo secret >/tmp/b/secret && echo own >~/own")
    script = ("echo x >f && mv f $HOME/ && cat $HOME/f; cat /tmp/b/secret; cat ~tester/own; echo y >/tmp/b/secret; "
              "python3 -c \"import os; os.truncate(\\\"/tmp/b/secret\\\", 0)\"; setsid -f sleep 1000; true")
    result = guest.run("mkdir -p /tmp/c && cd /tmp/c && %s -q --backend landlock -- sh -c '%s'" % (SANDBOX, script))
    same((result.status, result.out), (0, "x\n"), "what it read: %s" % result.err)
    same(guest.ok("cat /tmp/b/secret"), "secret", "the file outside")
    same(guest.run("pgrep -x sleep").out, "", "what is left")
    same(guest.run("ls -d $XDG_RUNTIME_DIR/sandbox /tmp/sandbox-*").out, "", "private directories")


def test_backend_and_systemd(guest):
    """The user's systemd, which starts programs outside, cannot be reached from --backend landlock; a limit by its cgroup holds."""
    call = "systemd-run --user --wait --quiet -- touch /tmp/escaped-%s"
    guest.ok(call % "control")
    inside = guest.run("cd /tmp && %s -q --backend landlock --env-all -- %s" % (SANDBOX, call % "inside"))
    same(inside.status != 0, True, "systemd-run inside: %s" % inside.err)
    same(guest.ok("ls /tmp/escaped-*"), "/tmp/escaped-control", "what it started")
    event = started(guest, "--backend landlock -m 200M --pids-limit 100")
    same([event["limits"][name]["by"] for name in ("memory", "pids")], ["cgroup", "cgroup"], "who enforces")
