# SPDX-License-Identifier: MIT
"""--publish: connections from the host's side to a server in the box."""

import os
import signal
import socket
import struct
import threading
import time

from box import MODE, Skip, cases, check, contains, descendants, equal, eventually, modes, read, refused, start, succeeds

NET = ("-q", "--network", "user")

# In the box: says "ready" when it listens; what a client sends first decides what it gets.
SERVER = """
import socket, sys, threading
def serve(peer):
    try:
        data = peer.recv(65536)
        if data.startswith(b'echo'):
            while data:
                peer.sendall(data)
                data = peer.recv(65536)
        elif data.startswith(b'count'):
            n = 0
            while data:
                n += len(data)
                data = peer.recv(1 << 20)
            peer.sendall(b'%d' % n)
        elif data.startswith(b'source'):
            block = bytes(range(256)) * 256
            for _ in range(int(data[6:]) // len(block)):
                peer.sendall(block)
        elif data.startswith(b'reset'):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\\1\\0\\0\\0\\0\\0\\0\\0')
        else:
            peer.sendall(b'hello ' + data)
    except OSError:
        pass
    peer.close()
def listen(address, port):
    server = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(1024)
    def accept():
        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
for place in sys.argv[1:]:
    listen(*(f(x) for f, x in zip((str, int), place.rsplit(':', 1))))
print('ready', flush=True)
sys.stdin.read()
"""


def free_port(count=1, host="127.0.0.1"):
    """The first of so many ports in a row that nobody has."""
    for port in range(20000 + os.getpid() % 20000, 60000, count):
        taken = []
        try:
            for k in range(count):
                taken.append(socket.create_server((host, port + k), family=socket.AF_INET6 if ":" in host else socket.AF_INET))
            return port
        except OSError:
            pass
        finally:
            for server in taken:
                server.close()
    raise Skip("free ports")


class Server:
    """with Server(["8080:80"], ["0.0.0.0:80"]) as box: a box with these published and this listened to"""

    def __init__(self, publish, listen, *options):
        flags = [word for text in publish for word in ("-p", text)]
        self.process = start("-q", *flags, *options, "--", "/usr/bin/python3", "-c", SERVER, *listen, stdin=-1, stdout=-1, stderr=-1, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        equal(line, "ready\n", "the server's word (%s)" % ("" if line else self.process.stderr.read()))
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()


def connect(port, host="127.0.0.1", timeout=20):
    return socket.create_connection((host, port), timeout=timeout)


def everything(peer):
    parts = []
    while data := peer.recv(1 << 20):
        parts.append(data)
    return b"".join(parts)


def ask(port, data=b"x", host="127.0.0.1"):
    with connect(port, host) as peer:
        peer.sendall(data)
        return everything(peer)


def is_reset(port, data=b"x"):
    """Whether the connection ends with RST; a clean end is none."""
    try:
        ask(port, data)
    except ConnectionError:
        return True
    return False


# ---------------------------------------------------------------- what works

@modes("user", "root", "userns")   # in a box: network.box_in_a_box
def test_reached():
    """A client of the host's reaches a server in the box; with --publish alone there is a network."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]):
        equal(ask(port, b"world"), b"hello world")


@cases(loopback="127.0.0.1:80", interface="10.0.2.100:80", any="0.0.0.0:80", loopback6="::1:80", any6=":::80")
def test_wherever_it_listens(place):
    """Loopback, the interface's address, both: the server is found; again and again."""
    port = free_port()
    with Server(["%d:80" % port], [place]):
        for _ in range(3):
            equal(ask(port), b"hello x")


def test_loopback_only():
    """Unless an address is written, the port is there for this host's loopback and no other address."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]):
        table = read("/proc/net/tcp")
        contains(table, "0100007F:%04X 00000000:0000 0A" % port)
        check("00000000:%04X 00000000:0000 0A" % port not in table, "bound to every address")


def test_every_address():
    """0.0.0.0 is every address of the host."""
    port = free_port(host="0.0.0.0")
    with Server(["0.0.0.0:%d:80" % port], ["0.0.0.0:80"]):
        equal(ask(port, host="127.3.4.5"), b"hello x")


def test_ipv6_address():
    """An IPv6 address in brackets."""
    try:
        port = free_port(host="::1")
    except Skip:
        raise Skip("IPv6") from None
    with Server(["[::1]:%d:80/tcp" % port], ["0.0.0.0:80"]):
        equal(ask(port, host="::1"), b"hello x")


def test_range():
    """Ranges of ports, one to one; several options."""
    port = free_port(4)
    with Server(["%d-%d:8000-8002" % (port, port + 2), "%d:80" % (port + 3)], ["0.0.0.0:8000", "127.0.0.1:8002", "127.0.0.1:80"]):
        for k in (0, 2, 3):
            equal(ask(port + k), b"hello x")
        check(is_reset(port + 1), "nobody listens there")


def test_bytes_are_kept():
    """Both directions, much of it, and a half-close: all that was sent arrives, then the end."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]):
        size = 64 << 20
        equal(len(ask(port, b"source%d" % size)), size)
        with connect(port) as peer:
            peer.sendall(b"count")
            block = b"y" * (1 << 20)
            for _ in range(32):
                peer.sendall(block)
            peer.shutdown(socket.SHUT_WR)
            equal(everything(peer), b"%d" % (5 + (32 << 20)))


def test_both_ways_at_once():
    """An echo of more than all buffers hold."""
    port = free_port()
    data = b"echo" + os.urandom(8 << 20)
    with Server(["%d:80" % port], ["0.0.0.0:80"]), connect(port) as peer:
        def send():
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        check(everything(peer) == data, "not what was sent")
        sender.join()


def test_slow_reader():
    """A client that does not read holds itself up and nobody else, and gets all of it later."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]), connect(port) as slow:
        slow.sendall(b"source%d" % (32 << 20))
        time.sleep(0.3)
        for _ in range(20):
            equal(ask(port), b"hello x")
        equal(len(everything(slow)), 32 << 20)


def test_last_words():
    """What a server has sent before the command ends reaches the client."""
    port = free_port()
    script = ("import socket; s = socket.create_server(('', 80)); print('ready', flush=True); c, _ = s.accept();"
              "c.sendall(b'x' * 100000); c.close()")
    process = start("-q", "-p", "%d:80" % port, "--", "/usr/bin/python3", "-c", script, stdout=-1, text=True)
    equal(process.stdout.readline(), "ready\n")
    with connect(port) as peer:
        equal(len(everything(peer)), 100000)
    equal(process.wait(20), 0)


# ---------------------------------------------------------------- refusals

def test_refused_is_reset():
    """Nobody listens inside, or the server breaks off: RST, never a clean end."""
    port = free_port(2)
    with Server(["%d-%d:80-81" % (port, port + 1)], ["0.0.0.0:80"]):
        check(is_reset(port + 1), "a clean end")
        check(is_reset(port, b"reset"), "a clean end")
        equal(ask(port), b"hello x")


def test_client_breaks_off():
    """A client that resets leaves nothing behind: the next ones are served."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]):
        for _ in range(50):
            peer = connect(port)
            peer.sendall(b"source%d" % (8 << 20))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        equal(ask(port), b"hello x")


def test_taken():
    """A port that somebody has is one clear line; the command is not started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused("-p", "%d:80" % port, "--", "true", code="E-PUBLISH", text="in use already", origin="--publish no. 1")


def test_privileged():
    """A port for root names the setting that says so."""
    if MODE != "user" or int(read("/proc/sys/net/ipv4/ip_unprivileged_port_start")) <= 79:
        raise Skip("ports that are for root")
    refused("-p", "8079:79", "-p", "79:79", "--", "true", code="E-PUBLISH", text="net.ipv4.ip_unprivileged_port_start=", origin="--publish no. 2")


def test_no_such_address():
    """An address that the host has not."""
    refused("-p", "192.0.2.99:8079:79", "--", "true", code="E-PUBLISH", text="no interface of this host has that address")


@cases(none=("--network", "none"), host=("--network", "host"), namespace=("--network", "ns:/proc/self/ns/net"))
def test_other_network(*network):
    """Only a network of the box's own has published ports."""
    refused(*network, "-p", "8079:79", "--", "true", code="E-CONFLICT", origin="--publish")


# ---------------------------------------------------------------- many

def test_parallel():
    """200 clients at once, each with its own answer."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]):
        peers = [connect(port) for _ in range(200)]
        for k, peer in enumerate(peers):
            peer.sendall(b"%d" % k)
        for k, peer in enumerate(peers):
            equal(everything(peer), b"hello %d" % k)
            peer.close()


def test_in_a_row():
    """2000 connections one after the other, none of them lost or slow."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]):
        begin = time.monotonic()
        for _ in range(2000):
            equal(ask(port), b"hello x")
        check(time.monotonic() - begin < 60, "it took %.1f s" % (time.monotonic() - begin))


# ---------------------------------------------------------------- the helpers

def test_helper_killed():
    """The box ends with the network's helper, and the port is free again."""
    port = free_port()
    with Server(["%d:80" % port], ["0.0.0.0:80"]) as server:
        pids = [pid for pid in descendants(server.process.pid) if "sandbox-net" in read("/proc/%d/cmdline" % pid, "")]
        equal(len(pids), 1)
        os.kill(pids[0], signal.SIGKILL)
        equal(server.process.wait(20), 125)
        contains(server.process.stderr.read(), "E-NET-HELPER")
    socket.create_server(("127.0.0.1", port)).close()


def test_nothing_is_left():
    """After a box, after its launcher's death: no process of it, and the port is free."""
    for kill in (False, True):
        port = free_port()
        with Server(["%d:80" % port], ["0.0.0.0:80"]) as server:
            pids = descendants(server.process.pid)
            check(len(pids) >= 4, "launcher's children: the helper, the agent, the box")
            if kill:
                server.process.kill()
        eventually(lambda: not set(pids) & set(descendants()), "all have ended")
        socket.create_server(("127.0.0.1", port)).close()


def test_unseen():
    """The box sees no process but PID 1 and its own, and holds no socket of ours."""
    port = free_port()
    got = succeeds(*NET, "-p", "%d:80" % port, "--", "/bin/sh", "-c", "for p in /proc/[0-9]*; do echo $p; done; ls -l /proc/self/fd")
    equal([line for line in got.lines if line.startswith("/proc/")], ["/proc/1", "/proc/2"])
    check("socket:" not in got.out, got.out)
