# SPDX-License-Identifier: MIT
"""--network user as root of the box with every right over its own network: no route and no frame leads to
the host, in any way of asking for a network. What is opened is the control beside it."""

from box import PYTHON, cases, check, equal, sh
import box
import world
from test_network import CLIENT, NET, UNREACHED, client
from world import World

# What root in the box tries, with every capability over its own network: routes first, then frames
# made by hand. `sent` is the control: the same frame to the net is answered.
ROUTES = """
ip addr flush dev lo
sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
ip route add 127.0.0.0/8 via 10.0.2.2 dev eth0
ip route add 0.0.0.0/8 via 10.0.2.2 dev eth0 || :
ip route add 169.254.0.0/16 via 10.0.2.2
ip addr add 198.51.100.9/32 dev eth0
ip neigh replace 10.0.2.77 lladdr 52:55:0a:00:02:02 dev eth0
"""

# By hand: an interface to write frames to, and what they are made of.
RAW = """
def checksum(data):
    data += b'\\0' * (len(data) & 1)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.bind(('eth0', 0))
MAC, GATE = bytes.fromhex('5a530a000264'), bytes.fromhex('52550a000202')
def v4(dst, proto, data, src='10.0.2.100', ihl=5, frag=0, options=b''):
    head = struct.pack('>BBHHHBBH4s4s', 0x40 | ihl, 0, 20 + len(options) + len(data), 1, frag, 64, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst)) + options
    head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
    return GATE + MAC + b'\\x08\\0' + head + data
def v6(dst, proto, data, src='fd73:6e64:6278:2::100'):
    return GATE + MAC + b'\\x86\\xdd' + struct.pack('>IHBB', 6 << 28, len(data), proto, 64) + socket.inet_pton(socket.AF_INET6, src) + \\
        socket.inet_pton(socket.AF_INET6, dst) + data
def pseudo(src, dst, proto, data):
    family = socket.AF_INET6 if ':' in dst else socket.AF_INET
    return socket.inet_pton(family, src) + socket.inet_pton(family, dst) + struct.pack('>II', len(data), proto)
"""

FRAMES = RAW + """
def syn(dst, port, src='10.0.2.100', flags=2, urgent=0, sport=40000):
    head = struct.pack('>HHIIBBHHH', sport, port, 1000, 0, 5 << 4, flags, 65535, 0, urgent)
    return head[:16] + struct.pack('>H', checksum(pseudo(src, dst, 6, head) + head)) + head[18:]
def dgram(dst, port, src='10.0.2.100', data=b'crafted'):
    head = struct.pack('>HHHH', 40001, port, 8 + len(data), 0) + data
    return head[:6] + struct.pack('>H', checksum(pseudo(src, dst, 17, head) + head)) + head[8:]
TARGETS4 = ['127.0.0.1', '127.0.0.53', '0.0.0.0', %(HOST4)r, %(HOST_LO)r, %(GATEWAY)r, '10.0.2.3', '255.255.255.255', '10.0.2.255',
            '198.51.100.255']
TARGETS6 = ['::1', '::', %(HOST6)r, '::ffff:127.0.0.1', '::ffff:%(HOST4)s', '::127.0.0.1', %(GATEWAY6)r]
SIX = 'fd73:6e64:6278:2::100'
frames = []
for port in (%(ANY)d, %(LOCAL)d, %(LOCAL_UDP)d):
    for dst in TARGETS4:
        for src in ('10.0.2.100', '127.0.0.1', dst, %(HOST4)r, '10.0.2.2'):
            frames.append(v4(dst, 6, syn(dst, port, src), src))
            frames.append(v4(dst, 17, dgram(dst, port, src), src))
        frames.append(v4(dst, 6, syn(dst, port, urgent=0xffff, flags=0x22)))
        frames.append(v4(dst, 6, syn(dst, port), ihl=6, options=b'\\x01\\x01\\x01\\0'))                   # no-operation
        frames.append(v4(%(NET4)r, 6, syn(%(NET4)r, port), ihl=7, options=b'\\x83\\x07\\x04' + socket.inet_aton(dst) + b'\\0'))   # source route
        packet = dgram(dst, port)
        frames += [v4(dst, 17, packet[:8], frag=0x2000), v4(dst, 17, packet[8:], frag=1)]
        frames += [v4(%(NET4)r, 4, v4(dst, 17, packet)[14:]), v4(%(NET4)r, 41, v6('::1', 17, dgram('::1', port, SIX))[14:])]
    for dst in TARGETS6:
        for src in (SIX, '::1', dst):
            frames.append(v6(dst, 6, syn(dst, port, src), src))
            frames.append(v6(dst, 17, dgram(dst, port, src), src))
        frames.append(v6(%(NET6)r, 43, bytes([17, 2, 0, 1, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, dst) + dgram(dst, port, SIX)))
        frames.append(v6(dst, 0, bytes([17, 0, 1, 4, 0, 0, 0, 0]) + dgram(dst, port, SIX)))
        frames.append(v6(dst, 44, bytes([17, 0, 0, 0, 0, 0, 0, 1]) + dgram(dst, port, SIX)))
for frame in frames:
    raw.send(frame)
    for cut in (14, 15, 20, 33, 34, 40, 53, len(frame) - 1):   # and all of them cut short
        raw.send(frame[:cut])
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
listener.bind(('eth0', 0))
listener.settimeout(5)
raw.send(v4(%(NET4)r, 17, dgram(%(NET4)r, %(ECHO)d)))
while b'crafted' not in (frame := listener.recv(65536)) or frame[6:12] == MAC:
    pass
print(len(frames) > 500, 'sent')
""" % vars(world)

ROOT = ("--root", "--cap-add", "NET_ADMIN,NET_RAW")


# Each way of asking for a network beside the plain one; what is opened is the control.
WAYS = {"closed": ((), []), "opened": (("--host-port", str(world.LOCAL)), ["tcp 5432"]),
        "rules": (("--allow", "*", "--allow", "lan", "--allow", world.HOST4, "--allow", "127.0.0.0/8"), []),
        "names": (("--allow", "*.example.test", "--allow", "tcp://198.51.100.0/24", "--allow", "udp://%s" % world.NET4), []),
        "published": (("--ip", "auto", "-p", "18080:80", "-p", "18053:53/udp"), []),
        "all": (("--allow", "*", "-p", "18080:80", "--host-port", str(world.LOCAL)), ["tcp 5432"])}


@cases(**WAYS)
def test_root_with_routes(options, hits):
    """Root in the box with CAP_NET_ADMIN and CAP_NET_RAW routes the host's loopback into its interface: nothing is
    reached but what is opened. Both slirp4netns --disable-host-loopback and pasta --no-map-gw fail here."""
    with World() as w:
        got = sh(ROUTES + "exec %s -c '%s'" % (PYTHON, (CLIENT + UNREACHED.replace("why(host, port)", "why(host, port, 1)") + "print(udp(%r, %d))" % (world.NET4, world.ECHO)).replace("'", '"')),
                 *NET, *ROOT, *options, "--unshare", "net", via=w.via, timeout=90)
        equal(sorted(set(w.hits())), hits, "connections to the host")
    equal(got.lines[-1], "b'hello'", "the control")
    for line in got.lines[:-1]:
        check(not line.endswith(("connected", "b'hello'")) or hits and line == "tcp %s %d connected" % (world.GATEWAY, world.LOCAL),
              "reached: %s\n%s" % (line, got))


@cases(**WAYS)
def test_root_with_frames(options, hits):
    """Frames made by hand: every shape of an address of the host, options, source routes, fragments,
    tunnels, forged sources, each cut short too. With a port opened, that port is all they find."""
    with World() as w:
        got = client(FRAMES, *ROOT, *options, via=w.via, timeout=90)
        equal(got.out, "True sent\n")
        equal(sorted(set(w.hits())), hits, "connections to the host")


@cases(plain=(), rules=("--allow", "*", "--allow", "169.254.0.0/16"))
def test_metadata(*options):
    """The metadata service of a cloud, which the host reaches, answers no box; nor do libslirp's TFTP and BOOTP."""
    discover = "struct.pack('>BBBBIHH', 1, 1, 6, 0, 7, 0, 0) + bytes(16) + MAC + bytes(202) + bytes.fromhex('63825363350101ff')"
    with World() as w:
        outside = box.subprocess.run([*w.via, PYTHON, "-c", CLIENT + "print(why(%r, 80))" % world.METADATA4], capture_output=True, text=True, check=True)
        equal(outside.stdout, "connected\n", "the control")
        got = client(FRAMES.replace("for frame in frames:", "frames = [v4(dst, 17, dgram(dst, 67, src, %s)[:0] + struct.pack('>HHHH', 68, 67, 8 + 250, 0) + %s, src)\n"
                                    "    for dst, src in (('255.255.255.255', '0.0.0.0'), (%r, '10.0.2.100'))] * 300\nfor frame in frames:" % (discover, discover, world.GATEWAY), 1)
                     + """
listener.settimeout(0.5)
try:
    while True:
        frame = listener.recv(65536)
        assert frame[6:12] == MAC or frame[12:14] != b'\\x08\\0' or frame[23] != 17 or frame[34:36] != b'\\0\\x43', 'BOOTP'
except socket.timeout:
    pass
print(why(%r, 80), udp(%r, 69, b'\\0\\1/etc/passwd\\0octet\\0') in ('timeout', 'EHOSTUNREACH'))
""" % (world.METADATA4, world.GATEWAY), *ROOT, *options, via=w.via, timeout=60)
    equal(got.out, "True sent\nECONNREFUSED True\n")
