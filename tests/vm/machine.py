#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The virtual machine itself: QEMU's arguments, its monitor, and the snapshot.

    tests/vm/machine.py IMAGE      boots the image once and keeps a snapshot beside it

The machine is emulated, so that it needs no /dev/kvm and is the same everywhere. Booting takes half
a minute; so it is done once. When the guest's agent says READY, the machine is stopped and its
device state saved (half a MiB), without its memory: that is a plain file (x-ignore-shared). A clone
maps that file privately and goes on from there, in less than 0.1 s; its disk is an overlay
that is thrown away. The shared directory (9p) is mounted by the clones alone, because a mounted one
forbids migration."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

QEMU = "qemu-system-x86_64"
MEMORY = "1024M"
KERNEL = ("root=/dev/vda rw rootfstype=ext4 console=ttyS0,115200 quiet loglevel=3 "
          "systemd.show_status=0 mitigations=off nokaslr tsc=unstable no_timer_check "
          "random.trust_cpu=on cgroup_no_v1=all")


class Trouble(Exception):
    """The machine, not the test, has failed."""


def arguments(folder, shared, memory, keep_memory, disk):
    return [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", "2", "-m", MEMORY,
            "-object", "memory-backend-file,id=ram,size=%s,mem-path=%s,share=%s" % (MEMORY, memory, "on" if keep_memory else "off"),
            "-machine", "pc,memory-backend=ram,hpet=off,usb=off,vmport=off,graphics=off",
            "-drive", "file=%s,if=none,id=disk,cache=unsafe,format=qcow2" % disk,
            "-device", "virtio-blk-pci,drive=disk",
            "-fsdev", "local,id=share,path=%s,security_model=none,multidevs=remap" % shared,
            "-device", "virtio-9p-pci,fsdev=share,mount_tag=host",
            "-device", "virtio-rng-pci",
            "-serial", "file:%s/console" % folder,
            "-chardev", "socket,id=agent,path=%s/agent,server=on,wait=off" % folder, "-serial", "chardev:agent",
            "-qmp", "unix:%s/monitor,server=on,wait=off" % folder]


def connect(path, process):
    end = time.monotonic() + 30
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(path)
            return link
        except OSError:
            link.close()
            if process.poll() is not None or time.monotonic() > end:
                raise Trouble("%s did not start" % QEMU)
            time.sleep(0.005)


class Monitor:
    def __init__(self, path, process):
        self.link = connect(path, process)
        self.file = self.link.makefile("rw")
        self.file.readline()
        self.do("qmp_capabilities")
        self.do("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])

    def do(self, command, **values):
        self.file.write(json.dumps({"execute": command, "arguments": values}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise Trouble("the monitor has gone during %s" % command)
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Trouble("%s: %s" % (command, answer["error"]["desc"]))

    def wait(self, command, states, wanted):
        while True:
            status = self.do(command).get("status")
            if status == wanted:
                return
            if status not in states:
                raise Trouble("%s: %s" % (command, status))
            time.sleep(0.01)

    def close(self):
        self.file.close()
        self.link.close()


class Agent:
    """Lines to and from the guest's agent."""

    def __init__(self, path, process):
        self.link = connect(path, process)
        self.rest = b""

    def say(self, text):
        self.link.sendall(text.encode() + b"\n")

    def hear(self, word, timeout):
        """The words of the next line, which must begin with `word`."""
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            self.link.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.link.recv(4096)
            except TimeoutError:
                raise Trouble("no %s from the guest within %d s" % (word, timeout)) from None
            if not data:
                raise Trouble("the guest has gone")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        words = line.decode(errors="replace").split()
        if words[:1] != [word]:
            raise Trouble("the guest says: %s" % line.decode(errors="replace"))
        return words

    def close(self):
        self.link.close()


def overlay(base, kind, path):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", base, path], check=True)


@contextlib.contextmanager
def machine(shared, memory, keep_memory, disk, *more):
    """A running QEMU: (process, monitor, agent). Nothing of it is left afterwards."""
    folder = tempfile.mkdtemp(prefix="sandbox-vm.")
    process = monitor = agent = None
    try:
        if disk is None:
            disk = folder + "/disk"
            overlay(more[0] + "/disk", "qcow2", disk)
            more = ("-incoming", "defer")
        process = subprocess.Popen(arguments(folder, shared or folder, memory, keep_memory, disk) + list(more),
                                   stdin=subprocess.DEVNULL)
        monitor = Monitor(folder + "/monitor", process)
        agent = Agent(folder + "/agent", process)
        yield process, monitor, agent
    except Trouble as trouble:
        with contextlib.suppress(OSError):
            with open(folder + "/console", errors="replace") as file:
                trouble.args += tuple(file.read().splitlines()[-20:])
        raise
    finally:
        for link in (monitor, agent):
            if link:
                link.close()
        if process:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def clone(image, shared):
    """A clone of the snapshot, with `shared` mounted on /host: its agent."""
    with machine(shared, image + "/memory", False, None, image) as (_, monitor, agent):
        monitor.do("migrate-incoming", uri="exec:cat '%s/state'" % image)
        monitor.wait("query-migrate", (None, "setup", "active"), "completed")
        monitor.do("cont")
        agent.say("GO %.3f" % time.time())
        agent.hear("UP", 60)
        yield agent


def snapshot(image):
    for name in ("memory", "disk", "state"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(image + "/" + name)
    overlay(image + "/root.ext4", "raw", image + "/disk")
    begin = time.monotonic()
    with machine(None, image + "/memory", True, image + "/disk",
                 "-kernel", image + "/vmlinuz", "-initrd", image + "/initrd.img", "-append", KERNEL) as (process, monitor, agent):
        agent.hear("READY", 400)
        time.sleep(1.5)  # what was started last comes to rest
        monitor.do("stop")
        monitor.do("migrate", uri="exec:cat >'%s/new'" % image)
        monitor.wait("query-migrate", ("none", "setup", "active"), "completed")
        monitor.do("quit")
        process.wait(60)
    os.rename(image + "/new", image + "/state")
    print("snapshot: %.0f s, %d KiB of state" % (time.monotonic() - begin, os.path.getsize(image + "/state") >> 10))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: machine.py IMAGE")
    snapshot(os.path.abspath(sys.argv[1]))
