# SPDX-License-Identifier: MIT
"""--publish .../udp: datagrams from the host's side to a server in the box."""

import os
import resource
import selectors
import socket
import time

from box import Skip, cases, check, contains, equal, eventually, modes, read, refused, start
from test_publish import Server as TcpServer
from test_publish import ask as tcp_ask
from test_publish import free_port

# In the box: answers each datagram with "hello " and itself, or as its first word says.
SERVER = """
import os, socket, sys, threading
def serve(server):
    while True:
        data, peer = server.recvfrom(65536)
        if data == b'peer':
            data = str(peer[:2]).encode()
        elif data.startswith(b'burst'):
            for k in range(int(data[5:])):
                server.sendto(b'%d' % k, peer)
            continue
        elif data.startswith(b'echo') or not data:
            pass
        elif data == b'close':
            server.close()
            print('closed', flush=True)
            return
        elif data == b'exit':
            server.sendto(b'last words', peer)
            os._exit(0)
        else:
            data = b'hello ' + data
        server.sendto(data, peer)
def listen(address, port):
    server = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    server.bind((address, port))
    threading.Thread(target=serve, args=(server,), daemon=True).start()
def all():
    for place in sys.argv[1:]:
        listen(*(f(x) for f, x in zip((str, int), place.rsplit(':', 1))))
all()
print('ready', flush=True)
for line in sys.stdin:
    all()
    print('again', flush=True)
"""


def free_udp_port(count=1, host="127.0.0.1"):
    """The first of so many ports in a row that nobody has."""
    for port in range(20000 + os.getpid() % 20000, 60000, count):
        taken = []
        try:
            for k in range(count):
                taken.append(bound(host, port + k))
            return port
        except OSError:
            pass
        finally:
            for one in taken:
                one.close()
    raise Skip("free ports")


def bound(host, port):
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one


class Server:
    """with Server(["8080:80/udp"], ["0.0.0.0:80"]) as box: a box with these published and this listened to"""

    def __init__(self, publish, listen, *options, **how):
        flags = [word for text in publish for word in ("-p", text)]
        self.process = start(*flags, *options, "--", "/usr/bin/python3", "-c", SERVER, *listen, stdin=-1, stdout=-1, stderr=-1, text=True, **how)

    def word(self, expected):
        line = self.process.stdout.readline()
        equal(line, expected + "\n", "the server's word (%s)" % ("" if line else self.process.stderr.read()))

    def __enter__(self):
        self.word("ready")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        self.said = self.process.stderr.read()
        self.process.stderr.close()


def client(port, host="127.0.0.1", timeout=20):
    """Connected, so that it takes answers from the address it has written to and no other."""
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(timeout)
    one.connect((host, port))
    return one


def ask(port, data=b"x", host="127.0.0.1"):
    with client(port, host) as one:
        one.send(data)
        return one.recv(65536)


# ---------------------------------------------------------------- what works

@modes("user", "root", "userns")
def test_reached():
    """A client of the host's reaches a server in the box."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        equal(ask(port, b"world"), b"hello world")


@cases(loopback="127.0.0.1:53", interface="10.0.2.100:53", any="0.0.0.0:53", loopback6="::1:53", any6=":::53")
def test_wherever_it_listens(place):
    """Loopback, the interface's address, both: the server is found, by the first datagram of each client."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], [place]):
        for _ in range(3):
            equal(ask(port), b"hello x")


def test_every_address():
    """0.0.0.0 is every address of the host, and the answer comes from the one that was written to."""
    port = free_udp_port(host="0.0.0.0")
    with Server(["0.0.0.0:%d:53/udp" % port], ["0.0.0.0:53"]):
        for host in ("127.3.4.5", "127.0.0.1", "127.200.1.1"):
            equal(ask(port, host=host), b"hello x", host)


@cases(one="::1", every="::")
def test_ipv6_address(host):
    """An IPv6 address in brackets; [::] as well."""
    try:
        port = free_udp_port(host=host)
    except Skip:
        raise Skip("IPv6") from None
    with Server(["[%s]:%d:53/udp" % (host, port)], ["0.0.0.0:53"]):
        equal(ask(port, host="::1"), b"hello x")


def test_range():
    """Ranges of ports, one to one, beside the same ones of TCP."""
    port = free_udp_port(3)
    with Server(["%d-%d:8000-8002/udp" % (port, port + 2)], ["0.0.0.0:8000", "127.0.0.1:8001", "127.0.0.1:8002"]):
        for k in range(3):
            equal(ask(port + k), b"hello x")


def test_tcp_and_udp():
    """One number, two ports: TCP may lead into one box and UDP into another."""
    port = free_udp_port()
    with TcpServer(["%d:80" % port], ["0.0.0.0:80"]), Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        equal(tcp_ask(port, b"tcp"), b"hello tcp")
        equal(ask(port, b"udp"), b"hello udp")


def test_client_is_kept():
    """All datagrams of a client come from one address and port in the box, those of another from another."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]), client(port) as a, client(port) as b:
        seen = []
        for one in (a, b, a, b):
            one.send(b"peer")
            seen.append(one.recv(100))
        equal(seen[:2], seen[2:])
        check(seen[0] != seen[1], "two clients look like one")


@cases(empty=0, one=1, frame=1472, large=9000, largest=65507)
def test_sizes(size):
    """From empty datagrams to the largest there are: not a byte more or less."""
    port = free_udp_port()
    data = (b"echo" + os.urandom(size))[:size]
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        for _ in range(3):
            check(ask(port, data) == (data if len(data) >= 4 or not data else b"hello " + data), "not what was sent")


def test_many_answers():
    """A datagram may have many answers, and they stay in order."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]), client(port) as one:
        one.send(b"burst100")
        equal([one.recv(100) for _ in range(100)], [b"%d" % k for k in range(100)])


def test_last_words():
    """What a server has sent before the command ends reaches the client."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]) as box:
        equal(ask(port, b"exit"), b"last words")
        equal(box.process.wait(20), 0)


# ---------------------------------------------------------------- nobody there

def test_nobody_listens():
    """It is said, once, and whoever listens later is found; the other ports go on."""
    port = free_udp_port(2)
    with Server(["%d-%d:53-54/udp" % (port, port + 1)], ["0.0.0.0:53"]) as box:
        with client(port + 1, timeout=0.2) as one:
            for _ in range(3):
                one.send(b"x")
                try:
                    one.recv(100)
                    raise AssertionError("an answer from nobody")
                except TimeoutError:
                    pass
        equal(ask(port), b"hello x")
    equal(box.said.count("nobody in the box listens on UDP port 54"), 1, box.said)


def test_server_comes_back():
    """A server that ends and starts again is found by the same client."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]) as box, client(port, timeout=1) as one:
        one.send(b"peer")
        one.recv(100)
        one.send(b"close")
        box.word("closed")
        one.send(b"lost")
        box.process.stdin.write("\n")
        box.process.stdin.flush()
        box.word("again")

        def answered():
            one.send(b"world")
            try:
                return one.recv(100) == b"hello world"
            except TimeoutError:
                return False
        eventually(answered, "an answer of the new server")


def test_taken():
    """A port that somebody has is one clear line; the command is not started."""
    with bound("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        refused("-p", "%d:53/udp" % port, "--", "true", code="E-PUBLISH", text="%d/udp" % port, origin="--publish no. 1")
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        refused("-p", "%d:53/udp" % port, "--", "true", code="E-PUBLISH", text="ss -lunp", origin="--publish no. 1")


# ---------------------------------------------------------------- many

def answers_of(clients):
    """What each gets, None for nothing in 20 s."""
    got = [None] * len(clients)
    end = time.monotonic() + 20
    with selectors.DefaultSelector() as selector:
        for k, one in enumerate(clients):
            selector.register(one, selectors.EVENT_READ, k)
        while None in got and time.monotonic() < end:
            for key, _ in selector.select(1):
                got[key.data] = key.fileobj.recv(100)
    return got


def test_parallel():
    """200 clients at once, each with its own answers."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        clients = [client(port) for _ in range(200)]
        for turn in range(3):
            for k, one in enumerate(clients):
                one.send(b"%d.%d" % (turn, k))
            equal(answers_of(clients), [b"hello %d.%d" % (turn, k) for k in range(200)])
        for one in clients:
            one.close()


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def test_full_table():
    """With more clients than the table takes, the one idle for longest makes room, and a line says so."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"], preexec_fn=few_descriptors) as box:
        clients = [client(port) for _ in range(100)]
        for k, one in enumerate(clients):
            one.send(b"%d" % k)
            equal(one.recv(100), b"hello %d" % k)
        for k, one in enumerate(clients):
            one.send(b"%d" % k)
            equal(one.recv(100), b"hello %d" % k)
            one.close()
    contains(box.said, "the limit of UDP clients is reached")
    check(box.said.count("the limit of UDP clients") < 20, "a flood of lines")


def test_in_a_row():
    """1000 clients one after the other."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        for k in range(1000):
            equal(ask(port, b"%d" % k), b"hello %d" % k)


def test_idle():
    """A client that is silent for a minute is forgotten: the next datagram comes from another port."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]), client(port) as one, client(port) as busy:
        before = []
        for peer in (one, busy):
            peer.send(b"peer")
            before.append(peer.recv(100))
        for _ in range(63):
            time.sleep(1)
            busy.send(b"peer")
            equal(busy.recv(100), before[1])
        one.send(b"peer")
        check(one.recv(100) != before[0], "kept for more than a minute")


def test_bound_to_loopback():
    """Unless an address is written, the port is there for this host's loopback and no other address."""
    port = free_udp_port()
    with Server(["%d:53/udp" % port], ["0.0.0.0:53"]):
        table = read("/proc/net/udp")
        contains(table, "0100007F:%04X " % port)
        check("00000000:%04X " % port not in table, "bound to every address")
