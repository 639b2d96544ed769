#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small world for the tests of the network, made by an ordinary user in namespaces of its own:

    host      where sandbox runs: loopback, 198.51.100.2 and 2001:db8:1::2 towards the net, 203.0.113.7 on a
              loopback interface, a resolv.conf of its own
    net       the outside, 198.51.100.1 and 2001:db8:1::1, with servers; 198.51.100.3 is another of its hosts,
              10.66.0.1 one in a private network beyond it, and fe80::1 on the link alone is a name server

Imported, it is the tests' side: World starts the other side, which is this file run as a program,
and talks to it by lines."""

import json
import mmap
import os
import select
import socket
import struct
import subprocess
import sys
import threading

HOST4, HOST6, HOST_LO = "198.51.100.2", "2001:db8:1::2", "203.0.113.7"
NET4, NET6 = "198.51.100.1", "2001:db8:1::1"
OTHER4, LAN4 = "198.51.100.3", "10.66.0.1"
LINK6, LINK4 = "fe80::1", "192.0.2.6"   # a name server on the link alone, and what it answers for server.example.test
METADATA4 = "169.254.169.254"   # of the net
PROGRAMS4 = "198.51.100.40"   # of the net, for the servers of a test: World.net
ECHO, COUNT, SOURCE, RESET, MUTE, KEEP, HTTP = 7000, 7001, 7002, 7003, 7004, 7005, 80
HTTPS, DOT = 443, 853
LOCAL, LOCAL_UDP, ANY = 5432, 5353, 9999     # of the host
GATEWAY, GATEWAY6, DNS = "10.0.2.2", "fd73:6e64:6278:2::2", "10.0.2.3"


# The tests' side: box.py is not there for the other one.
if __name__ != "__main__":
    import box


class World:
    """with World() as world: sandbox(..., via=world.via)"""

    def __init__(self, resolv="nameserver %s\n" % NET4, etc=False):
        """With `etc`, /etc is a copy in which the tests may exchange files: World.run()."""
        self.process = subprocess.Popen(
            ["unshare", "--user", "--map-current-user", "--keep-caps", "--net", "--mount", sys.executable, "-B",
             os.path.abspath(__file__), resolv, box.folder("world"), "etc" if etc else ""],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.via = self.net = None   # what puts a command on the host, or in the net

    def __enter__(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the world of the test could not be made")
        self.via, self.net = [("nsenter", "-t", str(json.loads(line)[name]), "-U", "--preserve-credentials", "-n", "-m", "--")
                              for name in ("pid", "net")]
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def ask(self, *words):
        """What the other side answers to a line."""
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def run(self, script):
        """A shell script on the host of the world."""
        subprocess.run([*self.via, "/bin/sh", "-ec", script], check=True, cwd="/")

    def hits(self):
        """Who has come to the host's own services since the last time."""
        return self.ask("hits")


# ---------------------------------------------------------------- the other side

HITS = []
KEPT = mmap.mmap(-1, 16)   # of both sides


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def serve(kind, address, port, handler):
    """A listener and a thread for each connection; for datagrams one thread."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port) if address != LINK6 else (address, port, 0, socket.if_nametoindex("net0")))
    if kind == socket.SOCK_DGRAM:
        threading.Thread(target=handler, args=(server,), daemon=True).start()
        return
    server.listen(4096)

    def accept():
        while True:
            peer, _ = server.accept()
            threading.Thread(target=guard, args=(handler, peer), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def guard(handler, peer):
    try:
        handler(peer)
    except OSError:
        pass
    finally:
        peer.close()


def echo(peer):
    while data := peer.recv(65536):
        peer.sendall(data)


def echo_datagrams(server):
    while True:
        data, peer = server.recvfrom(65536)
        try:
            server.sendto(data, peer)
        except OSError:
            pass


def count(peer):
    """Reads to the end of the stream, then tells how much it was: needs a half-close that works."""
    total = 0
    while data := peer.recv(1 << 20):
        total += len(data)
    peer.sendall(b"%d" % total)


def source(peer):
    """A number and a newline: that many bytes."""
    text = b""
    while not text.endswith(b"\n"):
        text += peer.recv(64)
    left = int(text)
    block = bytes(range(256)) * 256
    while left > 0:
        left -= peer.send(block[:min(left, len(block))])


def keep(peer):
    """Reads to the end, and tells World.ask("kept") how much it was."""
    total = 0
    while data := peer.recv(1 << 20):
        total += len(data)
    KEPT[:8] = struct.pack("q", total)


def reset(peer):
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def mute(peer):
    """Never reads; ends when the other side does."""
    waiter = select.poll()
    waiter.register(peer, select.POLLRDHUP | select.POLLHUP)
    waiter.poll()


def http(peer):
    text = b""
    while b"\r\n\r\n" not in text:
        data = peer.recv(4096)
        if not data:
            return
        text += data
    peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")


def local(peer):
    HITS.append("tcp %d" % peer.getsockname()[1])
    peer.sendall(b"host")


def local_datagrams(server):
    while True:
        data, peer = server.recvfrom(65536)
        HITS.append("udp %d" % server.getsockname()[1])
        try:
            server.sendto(data, peer)
        except OSError:
            pass


def question(data):
    at, labels = 12, []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    kind = struct.unpack(">H", data[at + 1:at + 3])[0]
    return ".".join(labels), kind, data[12:at + 5]


FAILING = {"198.51.100.50": 2, "198.51.100.51": 5, "198.51.100.52": 4, "198.51.100.53": "mute", "198.51.100.54": "garbage"}
NAMES = {"www.example.test": NET4, "host.example.test": HOST4, "local.example.test": "127.0.0.1",
         "a.example.test": NET4, "b.example.test": OTHER4, "lan.example.test": LAN4, "git.example.test": PROGRAMS4,
         "debian.example.test": PROGRAMS4, "end.example.net": OTHER4,
         "flood.example.test": NET4, "mixed.example.net": OTHER4}
NAMES6 = {"nat64.example.test": ["64:ff9b::10.66.0.1"], "local64.example.test": ["64:ff9b:1::10.66.0.1"], "mapped.example.test": ["::ffff:10.66.0.1"],
          "tunnel.example.test": ["2002:a42:1::1"], "host64.example.test": ["64:ff9b::" + HOST4], "b.example.test": [NET6],
          "good64.example.test": ["64:ff9b::" + NET4]}
ALIASES = {"alias.example.test": "end.example.net", "chain.example.test": "one.example.net", "one.example.net": "two.example.org",
           "two.example.org": "end.example.net", "ring.example.test": "ring.example.net", "ring.example.net": "ring.example.test",
           "mixed.example.test": "mixed.example.org", "mixed.example.org": "mixed.example.net"}


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(owner, kind, data):
    return encode(owner) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def resolve(data, stream, own):
    """Records of NAMES, NAMES6 and ALIASES; "server.example.test" is who answers; "many" and "much.example.test" are cut
    short over UDP, "big" and "huge.example.test" are 60 and 100 addresses that are not; so is what is below the latter."""
    name, kind, asked = question(data)
    records = []
    while name in ALIASES and len(records) < 8:
        records.append(record(name, 5, encode(ALIASES[name])))
        name = ALIASES[name]
    addresses = ["198.51.100.%d" % n for n in range(1, 101)] if name == "many.example.test" else \
        ["198.51.100.%d" % n for n in range(3, 103)] if name == "much.example.test" else \
        ["198.51.101.%d" % n for n in range(60)] if name == "big.example.test" else \
        ["198.51.101.%d" % n for n in range(100)] if name.endswith("huge.example.test") else \
        [LINK4 if own.startswith(LINK6) else own] if name == "server.example.test" else [NAMES[name]] if name in NAMES else []
    if kind == 1:
        records += [record(name, 1, socket.inet_aton(a)) for a in addresses]
    if kind == 28:
        records += [record(name, 28, socket.inet_pton(socket.AF_INET6, a)) for a in NAMES6.get(name, [])]
    if name.startswith("mixed"):
        records.reverse()
    if name == "flood.example.test":
        KEPT[8:] = struct.pack("q", struct.unpack("q", KEPT[8:])[0] + 1)
    truncated = not stream and name in ("many.example.test", "much.example.test")
    flags = 0x8180 | (0x0200 if truncated else 0) | (0 if addresses or name in NAMES6 or name in ALIASES else 3)
    return data[:2] + struct.pack(">HHHHH", flags, 1, 0 if truncated else len(records), 0, 0) + asked + \
        (b"" if truncated else b"".join(records))


def names(server):
    while True:
        data, peer = server.recvfrom(4096)
        server.sendto(resolve(data, False, server.getsockname()[0]), peer)


def names_stream(peer):
    while head := peer.recv(2):
        size = struct.unpack(">H", head)[0]
        data = b""
        while len(data) < size:
            data += peer.recv(size - len(data))
        answer = resolve(data, True, peer.getsockname()[0])
        peer.sendall(struct.pack(">H", len(answer)) + answer)


def fail(data, how):
    """What a server of FAILING answers, None: nothing."""
    if how == "garbage":   # to another question
        return data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + encode("other.test") + b"\0\1\0\1" + record("other.test", 1, b"1234")
    return None if how == "mute" else data[:2] + struct.pack(">HHHHH", 0x8180 | how, 1, 0, 0, 0) + question(data)[2]


def fails(server):
    while True:
        data, peer = server.recvfrom(4096)
        answered = fail(data, FAILING[server.getsockname()[0]])
        if answered:
            server.sendto(answered, peer)


def fails_stream(peer):
    data = peer.recv(4096)[2:]
    answered = fail(data, FAILING[peer.getsockname()[0]])
    if answered:
        peer.sendall(struct.pack(">H", len(answered)) + answered)
    peer.recv(1)


def be_the_net(ready, go):
    """The outside, in a network namespace of its own."""
    os.write(ready, b"1")
    os.read(go, 1)   # the interface has been moved here
    ip("link", "set", "lo", "up")
    ip("addr", "add", NET4 + "/24", "dev", "net0")
    ip("addr", "add", NET6 + "/64", "dev", "net0", "nodad")
    ip("link", "set", "net0", "addrgenmode", "none")
    ip("addr", "add", LINK6 + "/64", "dev", "net0", "nodad")
    ip("link", "set", "net0", "up")
    ip("addr", "add", OTHER4 + "/24", "dev", "net0")
    ip("addr", "add", LAN4 + "/32", "dev", "lo")
    ip("addr", "add", PROGRAMS4 + "/24", "dev", "net0")
    ip("addr", "add", METADATA4 + "/32", "dev", "lo")
    serve(socket.SOCK_STREAM, METADATA4, HTTP, http)
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as file:
        file.write("0")
    for address in FAILING:
        ip("addr", "add", address + "/32", "dev", "lo")
        serve(socket.SOCK_DGRAM, address, 53, fails)
        serve(socket.SOCK_STREAM, address, 53, fails_stream)
    for address in (NET4, NET6, OTHER4, LAN4):
        for port, handler in ((ECHO, echo), (COUNT, count), (SOURCE, source), (RESET, reset), (MUTE, mute), (KEEP, keep),
                              (HTTP, http), (HTTPS, echo), (DOT, echo), (53, names_stream)):
            serve(socket.SOCK_STREAM, address, port, handler)
        serve(socket.SOCK_DGRAM, address, ECHO, echo_datagrams)
        serve(socket.SOCK_DGRAM, address, HTTPS, echo_datagrams)
        serve(socket.SOCK_DGRAM, address, 53, names)
    serve(socket.SOCK_DGRAM, LINK6, 53, names)
    serve(socket.SOCK_STREAM, LINK6, 53, names_stream)
    os.write(ready, b"2")
    os.read(go, 1)
    os._exit(0)


def host_interfaces(pid):
    ip("link", "set", "lo", "up")
    ip("link", "add", "host0", "type", "veth", "peer", "name", "net0", "netns", str(pid))
    ip("addr", "add", HOST_LO + "/32", "dev", "lo")
    ip("addr", "add", HOST4 + "/24", "dev", "host0")
    ip("addr", "add", HOST6 + "/64", "dev", "host0", "nodad")
    ip("link", "set", "host0", "addrgenmode", "none")
    ip("addr", "add", "fe80::2/64", "dev", "host0", "nodad")
    ip("link", "set", "host0", "up")
    ip("route", "add", "default", "via", NET4)
    ip("-6", "route", "add", "default", "via", NET6)


def host_services():
    serve(socket.SOCK_STREAM, "127.0.0.1", LOCAL, local)
    serve(socket.SOCK_STREAM, "::1", LOCAL, local)
    serve(socket.SOCK_DGRAM, "127.0.0.1", LOCAL_UDP, local_datagrams)
    for address in ("0.0.0.0", "::"):
        serve(socket.SOCK_STREAM, address, ANY, local)
        serve(socket.SOCK_DGRAM, address, ANY, local_datagrams)
    RESOLVER.set(True)


def own_etc(folder):
    """/etc as a copy of what can be read there."""
    copy = os.path.join(folder, "etc")
    os.mkdir(copy)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", copy], check=True)
    subprocess.run(["cp", "-a", "--no-preserve=ownership", "/etc/.", copy], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["rm", "-f", copy + "/resolv.conf"], check=True)
    subprocess.run(["mount", "--bind", copy, "/etc"], check=True)


def set_resolv(text, folder, etc):
    """Over the real one, in this mount namespace."""
    if etc:
        own_etc(folder)
    ours = "/etc/resolv.conf" if etc else os.path.join(folder, "resolv.conf")
    with open(ours, "w", encoding="utf-8") as file:
        file.write(text.replace("\\n", "\n"))
    if not etc:
        subprocess.run(["mount", "--bind", ours, os.path.realpath("/etc/resolv.conf")], check=True)


class Resolver:
    """The host's own, which may be stopped and started again: then its port is closed meanwhile."""

    def __init__(self):
        self.stop, self.server, self.thread = threading.Event(), None, None

    def set(self, on):
        if not on:
            self.stop.set()
            self.thread.join()
            self.server.close()
            return
        self.stop.clear()
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.53", 53))
        self.server.settimeout(0.02)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            try:
                names(self.server)
            except OSError:
                pass


RESOLVER = Resolver()


def answer(line):
    global HITS   # pylint: disable=global-statement
    words = line.split()
    if words[0] == "hits":
        found, HITS = HITS, []
        return found
    if words[0] == "kept":
        return struct.unpack("q", KEPT[:8])[0]
    if words[0] == "asked":   # how often for flood.example.test
        return struct.unpack("q", KEPT[8:])[0]
    if words[0] == "resolver":
        RESOLVER.set(words[1] == "on")
        return "done"
    if words[0] == "ip":
        ip(*words[1:])
        return "done"
    if words[0] == "ping":   # the host's users may, from here on
        with open("/proc/sys/net/ipv4/ping_group_range", "w", encoding="ascii") as file:
            file.write("%d %d" % (os.getgid(), os.getgid()))
        return "done"
    return "what?"


def main():
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        import ctypes
        os.close(ready[0])
        os.close(go[1])
        if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) < 0:   # CLONE_NEWNET
            os._exit(1)
        be_the_net(ready[1], go[0])
    os.close(ready[1])
    os.close(go[0])
    os.read(ready[0], 1)
    host_interfaces(pid)
    set_resolv(*sys.argv[1:])
    os.write(go[1], b"1")
    host_services()
    os.read(ready[0], 1)
    print(json.dumps({"pid": os.getpid(), "net": pid}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
    os.close(go[1])
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
