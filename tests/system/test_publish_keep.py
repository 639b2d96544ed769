# SPDX-License-Identifier: MIT
"""--publish ...,src=keep: the server in the box sees who its client is. The host and its addresses are the
tests' own (world.py)."""

import json

from box import PYTHON, cases, check, contains, equal, refused, start
from box import sandbox as run
from world import HOST4, HOST6, HOST_LO, World

PORT = 7080

# In the box: answers with the address and port of its client.
SERVER = """
import socket, sys, threading
def listen(address, port):
    server = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ':' in address:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((address, port))
    server.listen(1024)
    def serve(peer, name):
        data = peer.recv(100)
        peer.sendall(('%s %d' % name[:2]).encode())
        if data == b'all':
            peer.recv(1)
        peer.close()
    def accept():
        while True:
            threading.Thread(target=serve, args=server.accept(), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
for place in sys.argv[1:]:
    listen(*(f(x) for f, x in zip((str, int), place.rsplit(':', 1))))
print('ready', flush=True)
sys.stdin.read()
"""

# Outside: connects from an address; what the server saw, and what was true.
CLIENT = """
import socket, sys
def ask(source, to, port, own=0):
    s = socket.socket(socket.AF_INET6 if ':' in to else socket.AF_INET)
    s.settimeout(10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if source:
        s.bind((source, own))
    s.connect((to, port))
    s.sendall(b'x')
    said = b''
    while data := s.recv(100):
        said += data
    name = s.getsockname()
    s.close()
    return said.decode(), '%s %d' % name[:2]
"""


class Server:
    """A box of the world with these published and this listened to."""

    def __init__(self, world, publish, listen, *options):
        flags = [word for text in publish for word in ("-p", text)]
        self.process = start("-q", *flags, *options, "--", PYTHON, "-c", SERVER, *listen, via=world.via, stdin=-1, stdout=-1, stderr=-1,
                             text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        equal(line, "ready\n", "the server's word (%s)" % ("" if line else self.process.stderr.read()))
        return self

    def __exit__(self, *_):
        self.process.communicate("")


def client(world, script):
    """Runs on the world's host."""
    import subprocess
    done = subprocess.run([*world.via, PYTHON, "-c", CLIENT + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def seen(world, source, to, port=PORT):
    said, true = json.loads(client(world, "import json; print(json.dumps(ask(%r, %r, %d)))" % (source, to, port)))
    return said, true


@cases(any="0.0.0.0:80", loopback="127.0.0.1:80", interface="10.0.2.100:80", any6=":::80")
def test_kept(place):
    """Address and port of the client, wherever the server listens."""
    with World() as world, Server(world, ["0.0.0.0:%d:80,src=keep" % PORT], [place]):
        for source, to in ((HOST_LO, HOST4), (HOST4, HOST4), (HOST4, HOST_LO)):
            said, true = seen(world, source, to)
            equal(said.replace("::ffff:", ""), true)


def test_kept_ipv6():
    """The same by IPv6."""
    with World() as world, Server(world, ["[::]:%d:80,src=keep" % PORT], [":::80"]):
        said, true = seen(world, HOST6, HOST6)
        equal(said, true)


def test_without():
    """Without src=keep a server sees loopback."""
    with World() as world, Server(world, ["0.0.0.0:%d:80" % PORT], ["0.0.0.0:80"]):
        contains(seen(world, HOST4, HOST4)[0], "127.0.0.1 ")


def test_loopback_client():
    """A client on the host's loopback is as ever: the address would be the box's own."""
    with World() as world, Server(world, ["0.0.0.0:%d:80,src=keep" % PORT], ["0.0.0.0:80"]):
        said, true = seen(world, "127.0.0.1", "127.0.0.1")
        contains(said, "127.0.0.1 ")
        check(said != true, "the port of a client that is not to be seen")


def test_other_family():
    """A client of IPv6 reaches a server that has IPv4 alone, and is seen as from inside."""
    with World() as world, Server(world, ["[::]:%d:80,src=keep" % PORT], ["0.0.0.0:80"]):
        contains(seen(world, HOST6, HOST6)[0], "127.0.0.1 ")


def test_port_in_use():
    """Two published ports that lead to one: the same client port at both keeps its address."""
    with World() as world, Server(world, ["0.0.0.0:%d:80,src=keep" % PORT, "0.0.0.0:%d:80,src=keep" % (PORT + 1)], ["0.0.0.0:80"]):
        script = ("a = socket.socket(); a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); a.bind((%r, 6543)); a.connect((%r, %d)); a.sendall(b'all');"
                  "first = a.recv(100).decode(); print(first); print(ask(%r, %r, %d, 6543)[0])" % (HOST4, HOST4, PORT, HOST4, HOST4, PORT + 1))
        got = client(world, script).splitlines()
        equal(got[0], HOST4 + " 6543")
        check(got[1].startswith(HOST4 + " "), got)


def test_many():
    """300 connections in a row, of one client port too."""
    with World() as world, Server(world, ["0.0.0.0:%d:80,src=keep" % PORT], ["0.0.0.0:80"]):
        got = client(world, "for _ in range(300):\n    said, true = ask(%r, %r, %d)\n    assert said == true, (said, true)\nprint('done')" % (HOST4, HOST4, PORT))
        equal(got, "done\n")


def test_refused_is_reset():
    """Where nobody listens, the client is reset, at once."""
    with World() as world, Server(world, ["0.0.0.0:%d:81,src=keep" % PORT], ["0.0.0.0:80"]):
        script = ("import time; begin = time.monotonic()\ntry:\n    print(ask(%r, %r, %d))\nexcept ConnectionError:\n"
                  "    print('reset', time.monotonic() - begin < 5)" % (HOST4, HOST4, PORT))
        equal(client(world, script), "reset True\n")


def test_no_way_out():
    """The mark leads back into the box: root there with every right reaches nothing of the host's by it."""
    script = """
import errno, socket
def why(address, port, mark):
    s = socket.socket()
    s.settimeout(3)
    if mark:
        s.setsockopt(socket.SOL_SOCKET, 36, 0x53425831)
    try:
        s.connect((address, port))
        return 'connected'
    except TimeoutError:
        return 'timeout'
    except OSError as fault:
        return errno.errorcode[fault.errno]
for address in ('%s', '%s', '10.0.2.2', '198.51.100.1'):
    print(why(address, 5432, True))
""" % (HOST4, HOST_LO)
    with World() as world:
        got = run("-q", "-p", "0.0.0.0:%d:80,src=keep" % PORT, "--host-port", "5432", "--root", "--cap-add", "NET_ADMIN,NET_RAW", "--",
                  PYTHON, "-c", script, via=world.via)
        equal(len(got.lines), 4, str(got))
        check("connected" not in got.out, str(got))
        equal(world.hits(), [])


@cases(udp=("8079:79/udp,src=keep", "is for TCP"), word=("8079:79,src=lose", "not src=keep"), empty=("8079:79,", "not src=keep"),
       other=("8079:79,keep", "not src=keep"))
def test_refused(value, text):
    """UDP cannot, and other words are none."""
    refused("-p", value, "--", "true", code="E-VALUE", text=text, origin="--publish")
