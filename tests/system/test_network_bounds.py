# SPDX-License-Identifier: MIT
"""--network user: how much a box may have of it at once, that whoever takes more harms nobody but
himself, and who may answer."""

import subprocess

from box import PYTHON, cases, contains, equal, lacks, py, start
import world
from test_network import CLIENT, NET, client
from test_network_contained import RAW
from world import World

# At the address that the box asks; then others send to the port that the question came from: one of
# the same net, one of a private network beyond it, and, when told to, the one who was asked.
ASKED = """
import socket
def bound(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    return s
server = bound(%r, 7777)
print('ready', flush=True)
_, peer = server.recvfrom(100)
print(peer[1], flush=True)
input()
for address in (%r, %r): bound(address, 1111).sendto(b'stranger', peer)
bound(%r, 7778).sendto(b'another port', peer)
server.sendto(b'answer', peer)
""" % (world.PROGRAMS4, world.OTHER4, world.LAN4, world.PROGRAMS4)

ASKS = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'question', (%r, 7777))
s.settimeout(20)
print(s.recv(100).decode())
""" % world.PROGRAMS4

SEND = "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'stranger', (sys.argv[1], int(sys.argv[2])))"


def test_strangers():
    """By UDP answers come from whom the box has asked, by address and port, and from nobody else, the host neither."""
    with World() as w:
        server = subprocess.Popen([*w.net, PYTHON, "-c", ASKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        equal(server.stdout.readline(), "ready\n")
        process = start(*NET, "--allow", "udp://%s:7777" % world.PROGRAMS4, "--", PYTHON, "-c", ASKS, via=w.via, stdout=subprocess.PIPE)
        port = server.stdout.readline().strip()
        for address in (world.HOST4, "127.0.0.1"):
            subprocess.run([*w.via, PYTHON, "-c", SEND, address, port], check=True)
        server.communicate("\n", timeout=20)
        equal(process.communicate(timeout=20)[0], b"answer\n", "what came first")


# ---------------------------------------------------------------- ping

PING = """
def ping(host, timeout):
    six = ':' in host
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM, 58 if six else 1)
    s.settimeout(timeout)
    try:
        s.connect((host, 0))
        s.send(struct.pack('>BBHHH', 128 if six else 8, 0, 0, 1, 1) + b'x' * 8)
        return 'answer' if s.recv(100)[0] == (129 if six else 0) else 'what?'
    except socket.timeout:
        return 'timeout'
    except OSError as fault:
        return errno.errorcode[fault.errno]
"""


def test_ping():
    """Ping goes out where the host lets its users ping; where it does not, and over IPv6, that is told at once."""
    script = PING + "print(*[ping(a, 10) for a in (%r, %r, %r, %r)])" % (world.GATEWAY, world.GATEWAY6, world.NET4, world.NET6)
    with World() as w:
        equal(client(script, via=w.via).out, "answer answer EHOSTUNREACH EACCES\n", "from a host that does not let")
        equal(w.ask("ping"), "done")
        equal(client(script, via=w.via).out, "answer answer answer EACCES\n", "from a host that lets")


@cases(let=(True,), not_let=(False,))
def test_echoes(let):
    """Twenty thousand echoes without an answer: everything else goes on."""
    with World() as w:
        if let:
            equal(w.ask("ping"), "done")
        got = client("""
s = connect(%r, 7000)
ping = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
for k in range(20000):
    try: ping.sendto(struct.pack('>BBHHH', 8, 0, 0, 1, k & 0xffff) + b'x' * 8, ('198.51.100.77', 0))
    except OSError: pass
    if k %% 500 == 499: time.sleep(0.02)
s.sendall(b'old')
print(s.recv(10), why(%r, 7000), udp(%r, 7000))
""" % (world.NET4, world.NET4, world.NET4), via=w.via, timeout=60)
        equal(got.out, "b'old' connected b'hello'\n")


# ---------------------------------------------------------------- connections

PORTS = """
def send_from(ports):
    for port in ports:
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.bind(('', port))
        u.sendto(b'x', (%r, 7004))
        u.close()
        if port %% 50 == 0: time.sleep(0.01)
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.settimeout(10)
a.connect((%r, 7000))
a.send(b'first')
a.recv(10)
""" % (world.NET4, world.NET4)


def test_datagram_ports():
    """Two thousand ports of UDP: those beyond the limit are refused, TCP and what goes on already are not."""
    with World() as w:
        got = py(CLIENT + PORTS + """
send_from(range(20000, 20900))
print(udp(%r, 7000))
send_from(range(21000, 22100))
a.send(b'again')
print(a.recv(10), why(%r, 7000), udp(%r, 7000))
""" % (world.NET4, world.NET4, world.NET4), "--network", "user", via=w.via, timeout=60)
        equal(got.out, "b'hello'\nb'again' connected EHOSTUNREACH\n")
        contains(got.err, "too many connections at once", "stderr")


def test_streams():
    """Eleven hundred connections by TCP: those beyond the limit are refused, UDP is not; then there is room again."""
    with World() as w:
        got = client("""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
kept = [connect(%r, 7004) for _ in range(1000)]
print(why(%r, 7000))
more = []
try:
    for _ in range(100): more.append(connect(%r, 7004))
except OSError as fault:
    print(fault.errno == errno.ECONNREFUSED, 20 <= len(more) <= 24)
print(udp(%r, 7000))
for s in kept: s.close()
end = time.monotonic() + 10
while why(%r, 7000) != 'connected' and time.monotonic() < end: time.sleep(0.1)
print(why(%r, 7000))
""" % (6 * (world.NET4,)), "--ulimit", "nofile=4096:4096", via=w.via, timeout=60)
        equal(got.out, "connected\nTrue True\nb'hello'\nconnected\n")


# ---------------------------------------------------------------- memory

# One byte in two of each connection's window, never the first: libslirp keeps them all.
EARLY = RAW + """
os.system('ip route add blackhole %(to)s')
def drain():
    raw.settimeout(0.05)
    try:
        while True: raw.recv(65536)
    except socket.timeout: pass
    raw.settimeout(3)
def segment(sport, seq, ack, flags, data=b''):
    head = struct.pack('>HHIIBBHHH', sport, 7004, seq, ack, 5 << 4, flags, 65535, 0, 0) + data
    sum = checksum(pseudo('10.0.2.100', %(to)r, 6, head) + head)
    raw.send(v4(%(to)r, 6, head[:16] + struct.pack('>H', sum) + head[18:]))
def answered(sport):
    while True:
        f = raw.recv(65536)
        if f[12:14] == b'\\x08\\0' and f[23] == 6 and f[36:38] == struct.pack('>H', sport):
            return struct.unpack('>I', f[38:42])[0]
for sport in range(41000, 41024):
    drain()   # each segment is acknowledged, and the buffer is small
    segment(sport, 1000, 0, 2)
    try: seq = answered(sport)
    except socket.timeout: break   # no more is taken
    segment(sport, 1001, seq + 1, 16)
    for k in range(1000):
        segment(sport, 1003 + 2 * k, seq + 1, 16, b'x')
        if k %% 100 == 99: time.sleep(0.005)
time.sleep(0.5)
print('over')
""" % {"to": world.NET4}


def test_early_segments():
    """Root in the box who fills the helper's memory with what has come too early: it loses packets, and stays."""
    with World() as w:
        got = py(CLIENT + EARLY, "--network", "user", "--root", "--cap-add", "NET_ADMIN,NET_RAW", via=w.via, timeout=90)
        equal(got.out, "over\n")
        lacks(got.err, "E-NET-HELPER", "stderr")
