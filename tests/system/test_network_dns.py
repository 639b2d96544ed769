# SPDX-License-Identifier: MIT
"""The name server of a box: the host's servers behind it, when they change, fail, cut answers short or lie."""

import contextlib
import subprocess

from box import PYTHON, cases, check, equal, read_line, start
import world
from test_network import CLIENT, NET, client
from world import World

# A query in so many bytes: its answer's code, flag of being cut short, addresses, and size.
ASK = CLIENT + """
def query(text, kind=1, size=0, ident=7):
    question = b''.join(bytes([len(l)]) + l.encode() for l in text.split('.')) + b'\\0' + struct.pack('>HH', kind, 1)
    edns = b'\\0' + struct.pack('>HHIH', 41, size, 0, 0) if size else b''
    return struct.pack('>HHHHHH', ident, 0x100, 1, 0, 0, 1 if size else 0) + question + edns
def read_answer(data):
    if isinstance(data, str): return data
    n, at, found = struct.unpack('>H', data[6:8])[0], data.index(b'\\0', 12) + 5, []
    for _ in range(n):
        while data[at] and data[at] < 192: at += data[at] + 1
        at += 2 if data[at] else 1
        kind, size = struct.unpack('>H', data[at:at + 2])[0], struct.unpack('>H', data[at + 8:at + 10])[0]
        if kind == 1: found.append(socket.inet_ntoa(data[at + 10:at + 14]))
        if kind == 28: found.append(socket.inet_ntop(socket.AF_INET6, data[at + 10:at + 26]))
        at += 10 + size
    return ({0: 'ok', 2: 'failed', 3: 'none', 5: 'refused'}.get(data[3] & 15), 'cut' if data[2] & 2 else 'whole', found, len(data))
def ask(text, kind=1, size=0, timeout=20):
    return read_answer(udp(%(DNS)r, 53, query(text, kind, size), timeout))
""" % vars(world)

# Answers a line with who answers the box, once it is that. (The box's own resolv.conf does not take part: in the host
# view it goes when the host's file is exchanged.)
FOLLOW = ASK + """
def server():
    got = ask('server.example.test')
    return got[2][0] if got[0] == 'ok' else got[0]
for line in sys.stdin:
    end = time.monotonic() + 15
    while (got := server()) != line.strip() and time.monotonic() < end:
        time.sleep(0.02)
    print(got, flush=True)
"""


class Following:
    """A box that waits for its name server to change."""

    def __init__(self, via, *options):
        self.process = start(*NET, *options, "--", PYTHON, "-c", FOLLOW, via=via, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def expect(self, what):
        self.process.stdin.write(what.encode() + b"\n")
        self.process.stdin.flush()
        equal(read_line(self.process.stdout.fileno(), 30), what, "who answers in the box")

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@contextlib.contextmanager
def following(etc, *options, resolv="nameserver %s\\n" % world.NET4):
    with World(resolv, etc=etc) as w, contextlib.closing(Following(w.via, *options)) as box:
        box.expect(world.NET4)
        yield w, box


def test_resolv_rename():
    """The host's resolv.conf is exchanged by rename, as NetworkManager does it, more than once."""
    with following(True) as (w, box):
        for address in (world.OTHER4, "127.0.0.53", world.NET4):
            w.run("echo nameserver %s >/etc/resolv.conf.new; mv /etc/resolv.conf.new /etc/resolv.conf" % address)
            box.expect(address)


@cases(copy=(True,), mounted=(False,))
def test_resolv_in_place(etc):
    """It is written in place; also where it is a mount, as in a container."""
    with following(etc) as (w, box):
        for address in (world.OTHER4, world.NET4):
            w.run("echo nameserver %s >/etc/resolv.conf" % address)
            box.expect(address)


def test_resolv_slow_writer():
    """A writer that keeps the file open and writes in pieces."""
    with following(True) as (w, box):
        w.run("exec 3>/etc/resolv.conf; printf 'nameserver 198.51.' >&3; sleep 0.5; echo 100.3 >&3; sleep 0.5; echo '# end' >&3")
        box.expect(world.OTHER4)


def test_resolv_links():
    """It becomes a link to another place, whose file is exchanged, whose directory comes later, and which is turned
    elsewhere."""
    with following(True) as (w, box):
        w.run("mkdir -p /etc/one; echo nameserver %s >/etc/one/real; ln -s /etc/one/real /etc/link.new; mv -T /etc/link.new /etc/resolv.conf" % world.OTHER4)
        box.expect(world.OTHER4)
        w.run("echo nameserver 127.0.0.53 >/etc/one/new; mv /etc/one/new /etc/one/real")
        box.expect("127.0.0.53")
        w.run("ln -s two/deep/real /etc/link.new; mv -T /etc/link.new /etc/resolv.conf")
        box.expect("failed")
        w.run("mkdir -p /etc/two/deep; sleep 0.3; echo nameserver %s >/etc/two/deep/real" % world.NET4)
        box.expect(world.NET4)


def test_resolv_on_a_link():
    """A server on a link of the host's, with the interface's name or number behind its address, over UDP and TCP; also one that
    comes later. The name is looked up whenever the file is written, whether or not its text is the same."""
    with World(resolv="nameserver %s%%host0\\n" % world.LINK6) as w:
        got = client(ASK + """
print(ask('server.example.test')[2], len(socket.gethostbyname_ex('many.example.test')[2]))
""", via=w.via)
    equal(got.out, "['%s'] 100\n" % world.LINK4)
    with following(True) as (w, box):
        for scope in ("host0", "$(ip -o link show host0 | cut -d: -f1)"):
            w.run("echo nameserver %s%%%s >/etc/resolv.conf" % (world.LINK6, scope))
            box.expect(world.LINK4)
            w.run("echo nameserver %s%%none >/etc/resolv.conf; echo nameserver %s >>/etc/resolv.conf" % (world.LINK6, world.OTHER4))
            box.expect(world.OTHER4)
        for change, want in ((), "failed"), (("add", "host0"), world.LINK4), (("del", "host0"), "failed"):
            if change:
                equal(w.ask("ip", "link", "property", change[0], "dev", change[1], "altname", "later"), "done")
            w.run("echo nameserver %s%%later >/etc/resolv.conf" % world.LINK6)   # the same text
            box.expect(want)


def test_resolv_removed():
    """Without it the server is 127.0.0.1, as resolv.conf(5) has it, and so it is for one that names none; it may come
    again."""
    with following(True) as (w, box):
        w.run("rm /etc/resolv.conf")
        box.expect("failed")
        w.run("echo nameserver %s >/etc/resolv.conf" % world.OTHER4)
        box.expect(world.OTHER4)
        w.run("head -c 20000 /dev/urandom >/etc/resolv.conf")
        box.expect("failed")
        w.run("printf 'nameserver one\\nnameserver\\n\\0nameserver 198.51.100.1\\n' >/etc/resolv.conf")
        w.run("echo nameserver %s >/etc/resolv.conf" % world.OTHER4)
        box.expect(world.OTHER4)


def test_resolv_not_followed():
    """With --dns the host's file does not matter."""
    with following(True, "--dns", world.NET4, resolv="nameserver %s\\n" % world.OTHER4) as (w, box):
        w.run("echo nameserver 127.0.0.53 >/etc/resolv.conf; sleep 0.5")
        box.expect(world.NET4)


def test_restart_of_the_resolver():
    """The host's resolver stops and comes again: names fail at once meanwhile, and then do not."""
    with following(False) as (w, box):
        w.run("echo nameserver 127.0.0.53 >/etc/resolv.conf")
        for _ in range(2):
            box.expect("127.0.0.53")
            w.ask("resolver", "off")
            box.expect("failed")
            w.ask("resolver", "on")
        box.expect("127.0.0.53")


# ---------------------------------------------------------------- answers

def asks(script, *options, **keywords):
    with World(**keywords) as w:
        return client(ASK + script, *options, via=w.via)


@cases(free=(), rules=("--allow", "*.example.test"))
def test_sizes(*options):
    """An answer over UDP is no larger than the box has said, and than 1232 bytes; else it is cut short, and comes whole
    over TCP."""
    got = asks("""
for size in 0, 400, 1100, 4096:
    print(*[(cut, len(found), n <= max(size, 512)) for _, cut, found, n in (ask(name, 1, size) for name in ('big.example.test', 'huge.example.test'))])
print(len(socket.gethostbyname_ex('huge.example.test')[2]), ask('many.example.test', 1, 4096)[1:3])
""", *options, resolv="nameserver %s\\n" % world.NET4)
    small = "('cut', 0, True) ('cut', 0, True)\n"
    equal(got.out, small * 2 + small + "('cut', 0, True) ('cut', 0, True)\n" + "100 ('cut', [])\n")


def test_chains():
    """An alias of an alias counts as what was asked for, in any order; a ring of them leads nowhere, and what stands beside a
    chain was not asked for."""
    got = asks("""
for name in 'chain.example.test', 'mixed.example.test', 'ring.example.test', 'one.example.net':
    print(ask(name)[::2], why(%(OTHER4)r, %(ECHO)d))
""" % vars(world), "--allow", "chain.example.test:1", "--allow", "mixed.example.test:%d" % world.ECHO, "--allow", "ring.example.test")
    equal(got.out, "('ok', ['198.51.100.3']) ECONNREFUSED\n('ok', ['198.51.100.3']) connected\n('ok', []) connected\n('refused', []) connected\n")


@cases(failed=("50",), refused=("51",), unknowing=("52",), mute=("53",), garbage=("54",), closed=("77",), several=("50", "51", "54", "52"))
def test_failing_servers(*last):
    """Servers that fail, refuse, do not know how, say nothing, or something else, are passed over, over UDP and TCP."""
    servers = [w for n in last for w in ("--dns", "127.0.0.77" if n == "77" else "198.51.100." + n)]
    got = asks("""
print(ask('b.example.test')[::2])
s = connect(%(DNS)r, 53, 40)
q = query('b.example.test')
s.sendall(struct.pack('>H', len(q)) + q)
print(read_answer(s.recv(4096)[2:])[::2])
""" % vars(world), *servers, "--dns", world.OTHER4)
    equal(got.out, "('ok', ['198.51.100.3'])\n" * 2)


@cases(failed=("failed", "50"), refused=("refused", "51"), silent=("failed", "53"), last=("refused", "53", "50", "51"))
def test_no_server(what, *last):
    """Where no server knows, the box hears what the last one says, or of the failure."""
    got = asks("print(ask('b.example.test', timeout=30)[0], flush=True)", *[w for n in last for w in ("--dns", "198.51.100." + n)])
    equal(got.out, what + "\n")


REBINDING = ("lan", "host", "local")
REBINDING6 = ("nat64", "local64", "mapped", "tunnel", "host64")


def test_rebinding():
    """Answers that lead into private networks or to the host are refused, in IPv6 by whatever translation."""
    script = """
for name in %r: print(ask(name + '.example.test')[0])
for name in %r: print(ask(name + '.example.test', 28)[0])
print(ask('good64.example.test', 28)[2], ask('b.example.test', 28)[2])
""" % (REBINDING, REBINDING6)
    good = "['64:ff9b::c633:6401'] ['2001:db8:1::1']\n"
    equal(asks(script, "--allow", "*.example.test").out, "refused\n" * 8 + good)
    equal(asks(script, "--allow", "*.example.test", "--allow", "10.66.0.0/16", "--allow", "lan").out,
          "ok\nrefused\nrefused\n" + "ok\n" * 4 + "refused\n" + good)
    equal(asks(script).out, "ok\n" * 8 + good)   # without rules by name nothing is hidden


def test_translated():
    """No translation leads to the host or to what is never reached, and --deny lan holds for it."""
    got = asks("print(*[why(a, %(ECHO)d, 1) for a in ('64:ff9b::%(HOST4)s', '64:ff9b:1::169.254.169.254', '2002:7f00:1::1', '64:ff9b::10.66.0.1')])"
               % vars(world), "--deny", "lan")
    equal(got.out, "ECONNREFUSED " * 3 + "ECONNREFUSED\n")


def test_flood():
    """A flood of queries is passed on at a bounded rate, and names work after it."""
    with World() as w:
        got = client(ASK + """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((%(DNS)r, 53))
begin = time.monotonic()
for n in range(4000):
    s.send(query('flood.example.test', ident=n))
    if n %% 50 == 49: time.sleep(0.005)
took = time.monotonic() - begin
time.sleep(0.5)
end = time.monotonic() + 20
while ask('b.example.test', timeout=1)[0] != 'ok' and time.monotonic() < end: pass
print(ask('b.example.test')[2])
print(took)
""" % vars(world), via=w.via)
        first, took = got.out.splitlines()
        asked = w.ask("asked")
    equal(first, "['198.51.100.3']")
    check(200 <= asked <= 500 + 100 * (float(took) + 1), "%d queries passed on in %s s" % (asked, took))


def test_pending():
    """As many queries wait as there is place for; the others fail at once, and the place comes free again."""
    got = asks("""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((%(DNS)r, 53))
s.settimeout(1)
for n in range(400):
    s.send(query('b.example.test', ident=n))
    if n %% 20 == 19: time.sleep(0.002)
failed = 0
try:
    while s.recv(512)[3] & 15 == 2: failed += 1
except socket.timeout: pass
print(failed)
time.sleep(4)
print(ask('b.example.test', timeout=30)[0])
""" % vars(world), "--dns", "198.51.100.53")
    equal(got.out, "144\nfailed\n")


# Tells of each message the operation, and answers it with itself.
OPERATIONS = """
import select, socket, sys
listeners = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
for s in listeners: s.bind((sys.argv[1], 53))
udp, tcp = listeners
tcp.listen()
print('up', flush=True)
while True:
    if udp in select.select(listeners, [], [])[0]:
        data, peer = udp.recvfrom(4096)
        udp.sendto(data[:2] + bytes([data[2] | 0x80]) + data[3:], peer)
    else:
        stream = tcp.accept()[0]
        data = stream.recv(4096)[2:]
        stream.sendall(len(data).to_bytes(2, 'big') + data[:2] + bytes([data[2] | 0x80]) + data[3:])
    print(data[2] >> 3 & 15, flush=True)
"""


@cases(free=(), rules=("--allow", "*.example.test"), denied=("--deny", "lan"))
def test_operations(*options):
    """Questions are passed on, and nothing else: neither an update nor a notice, over UDP or TCP, nor what cannot be read."""
    with World("nameserver %s\\n" % world.PROGRAMS4) as w:
        server = subprocess.Popen([*w.net, PYTHON, "-c", OPERATIONS, world.PROGRAMS4], stdout=subprocess.PIPE, text=True)
        server.stdout.readline()
        try:
            got = client(ASK + """
def over_udp(q):
    got = udp(%(DNS)r, 53, q, 5)
    return got if isinstance(got, str) else (got[3] & 15, got[:2] == q[:2])
def over_tcp(q):
    s = connect(%(DNS)r, 53)
    s.sendall(struct.pack('>H', len(q)) + q)
    got = s.recv(4096)[2:]
    return (got[3] & 15, got[:2] == q[:2])
q = query('www.example.test')
for way in over_udp, over_tcp:
    print(*[way(q[:2] + bytes([op << 3 | 1]) + q[3:]) for op in range(16)])
    print(*[way(bad) for bad in (q[:-1], q[:4] + b'\\0\\2' + q[6:], q[:4] + b'\\0\\0' + q[6:])])
# an update as nsupdate(1) sends it
zone, name = b'\\7example\\4test\\0', b'\\3www\\7example\\4test\\0'
print(over_udp(struct.pack('>HHHHHH', 9, 5 << 11, 1, 0, 1, 0) + zone + struct.pack('>HH', 6, 1) + name + struct.pack('>HHIH4s', 1, 1, 60, 4, b'1234')))
""" % vars(world), *options, via=w.via)
        finally:
            server.kill()
            heard = server.communicate()[0].split()
    equal(got.out, ("(0, True)" + " (4, True)" * 15 + "\n" + " ".join(["(1, True)"] * 3) + "\n") * 2 + "(4, True)\n", "answers")
    equal(heard, ["0", "0"], "what was passed on")
