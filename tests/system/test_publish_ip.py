# SPDX-License-Identifier: MIT
"""--ip: an address of the host for a box, and the way between a box and its host, both ways."""

import json
import os
import socket
import threading

from box import cases, check, contains, equal, modes, read_line, refused, start, succeeds
from test_publish import SERVER, Server, ask, free_port
from test_publish_udp import Server as UdpServer
from test_publish_udp import ask as udp_ask


class Auto:
    """A server in a box with --ip auto; `address` is what its `started` event says."""

    def __init__(self, port, *options, place="0.0.0.0:80"):
        r, w = os.pipe()
        self.process = start("-q", "--ip", "auto", "-p", "%d:80" % port, *options, "--status-fd", str(w), "--", "/usr/bin/python3",
                             "-c", SERVER, place, pass_fds=[w], stdin=-1, stdout=-1, stderr=-1, text=True)
        os.close(w)
        self.event = json.loads(read_line(r))
        os.close(r)
        self.address = self.event.get("ip")

    def __enter__(self):
        equal(self.process.stdout.readline(), "ready\n")
        return self

    def __exit__(self, *_):
        self.process.communicate("")


# ---------------------------------------------------------------- server in a box, client on the host; and the other way

@modes("user", "root", "userns")
def test_server_in_the_box():
    """A client on the host reaches a server in the box at the address the box was given."""
    port = free_port(host="127.83.4.9")
    with Server(["%d:80" % port], ["0.0.0.0:80"], "--ip", "127.83.4.9"):
        equal(ask(port, b"world", host="127.83.4.9"), b"hello world")


@modes("user", "root", "userns")
def test_client_in_the_box():
    """A client in the box reaches a server on the host's loopback that --host-port opens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            peer = server.accept()[0]
            with peer:
                peer.sendall(b"hello " + peer.recv(100))
        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        script = ("import socket; s = socket.create_connection(('10.0.2.2', %d), 10); s.sendall(b'box');"
                  "print(s.recv(100).decode())" % port)
        got = succeeds("-q", "--host-port", str(port), "--", "/usr/bin/python3", "-c", script)
        equal(got.out, "hello box\n")
        thread.join()


def test_two_boxes_one_port():
    """Two boxes with the same port at once, on two addresses; a third on an address in use is refused."""
    port = free_port(host="0.0.0.0")
    with Server(["%d:80" % port], ["0.0.0.0:80"], "--ip", "127.83.4.9"), Server(["%d:80" % port], ["0.0.0.0:80"], "--ip", "127.83.4.10"):
        equal(ask(port, b"one", host="127.83.4.9"), b"hello one")
        equal(ask(port, b"two", host="127.83.4.10"), b"hello two")
        refused("--ip", "127.83.4.9", "-p", "%d:80" % port, "--", "true", code="E-PUBLISH", text="127.83.4.9:%d" % port)


def test_own_name():
    """The name of the box resolves in it, to its own address there, where its server is found too."""
    port = free_port(host="127.83.4.9")
    script = ("import socket; a = socket.gethostbyname('web'); s = socket.create_server(('0.0.0.0', 80));"
              "c = socket.create_connection((a, 80)); print(a)")
    got = succeeds("-q", "--ip", "127.83.4.9", "--hostname", "web", "-p", "%d:80" % port, "--", "/usr/bin/python3", "-c", script)
    equal(got.out, "10.0.2.100\n")


# ---------------------------------------------------------------- auto

def test_auto():
    """Boxes get addresses of 127.83.0.0/16, each its own; the event and a notice say which."""
    port = free_port(host="0.0.0.0")
    with Auto(port, "--hostname", "one") as a, Auto(port, "--hostname", "one") as b:
        check(a.address.startswith("127.83.") and b.address.startswith("127.83."), (a.address, b.address))
        check(a.address != b.address, "one address for two boxes")
        for box in (a, b):
            equal(ask(port, host=box.address), b"hello x")
    got = succeeds("--ip", "auto", "--hostname", "one", "-p", "%d:80" % port, "--", "true")
    contains(got.err, "the box's address is %s\n" % a.address, "by the name the same address again, and a notice")


def test_auto_other_name():
    """Another name begins with another address."""
    port = free_port(host="0.0.0.0")
    with Auto(port, "--hostname", "one") as a:
        one = a.address
    with Auto(port, "--hostname", "two") as b:
        check(one != b.address, "one address for two names")


def test_auto_all_ports():
    """An address is taken only if all ports are free there, those of UDP too."""
    port = free_port(2, host="0.0.0.0")
    with Auto(port, "--hostname", "one") as a:
        first = a.address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((first, port + 1))
        with Auto(port, "--hostname", "one", "-p", "%d:80/udp" % (port + 1)) as b:
            check(b.address != first, "the address of a port that was taken")
            equal(ask(port, host=b.address), b"hello x")


def test_auto_beside_addresses():
    """Ports that name an address stay there."""
    port = free_port(2, host="0.0.0.0")
    with Auto(port, "-p", "127.0.0.1:%d:80" % (port + 1)) as box:
        equal(ask(port, host=box.address), b"hello x")
        equal(ask(port + 1), b"hello x")


def test_auto_nothing_free():
    """A port that is taken on every address is a clear error."""
    with socket.create_server(("0.0.0.0", 0)) as other:
        refused("--ip", "auto", "-p", "%d:80" % other.getsockname()[1], "--", "true", code="E-PUBLISH",
                text="cannot find an address of the host", origin="--ip")


def test_fixed_event():
    """The `started` event has a fixed address as well; --explain shows it where it is bound."""
    port = free_port(host="127.83.4.9")
    got = succeeds("-q", "--ip", "127.83.4.9", "-p", "%d:80" % port, "--status-fd", "1", "--", "true")
    equal(json.loads(got.out.splitlines()[0])["ip"], "127.83.4.9")
    contains(succeeds("-q", "--ip", "127.83.4.9", "-p", "%d:80" % port, "--explain", "--", "true").out, "127.83.4.9:%d -> box port 80" % port)


def test_udp():
    """UDP has the address as TCP has."""
    port = free_port(host="127.83.4.9")
    with UdpServer(["%d:53/udp" % port], ["0.0.0.0:53"], "--ip", "127.83.4.9"):
        equal(udp_ask(port, host="127.83.4.9"), b"hello x")


# ---------------------------------------------------------------- refusals

@cases(foreign=("192.0.2.99", "E-PUBLISH", "no interface of this host"), every=("0.0.0.0", "E-VALUE", "not the address of one host"),
       multicast=("224.0.0.1", "E-VALUE", "not the address of one host"), name=("localhost", "E-VALUE", "no address"),
       port=("127.0.0.1:80", "E-VALUE", "no address"))
def test_bad_address(address, code, text):
    """Only an address of this host."""
    refused("--ip", address, "-p", "8079:8079", "--", "true", code=code, text=text)


@cases(none=(), other=("-p", "127.0.0.1:8079:8079"))
def test_nothing_there(*options):
    """Without a port that is published there, the address would be nobody's."""
    refused("--ip", "127.83.4.9", *options, "--", "true", code="E-CONFLICT", text="nothing published there")


def test_other_network():
    """It is an option of a network of the box's own."""
    refused("--network", "host", "--ip", "127.83.4.9", "--", "true", code="E-CONFLICT")
