# SPDX-License-Identifier: MIT
"""--allow, --deny, --dns and --add-host: what a box reaches by name and by address. Each refusal has its
positive control beside it, the same client with the rule that opens it."""

from box import cases, contains, equal, refused, scratch, succeeds, write
import world
from test_network import client
from world import World

LOOK_UP = """
def name(text):
    try:
        return socket.gethostbyname(text)
    except socket.gaierror as fault:
        return {socket.EAI_NONAME: 'none', socket.EAI_AGAIN: 'again', socket.EAI_NODATA: 'nodata'}.get(fault.errno, str(fault))
"""


def rules(script, *options, **keywords):
    """A client in a box of a world of its own."""
    with World() as w:
        return client(LOOK_UP + script, *options, via=w.via, **keywords)


def test_allow_name():
    """An allowed name is resolved and reached; nothing else is, neither by name nor by the same port elsewhere."""
    got = rules("""
print(why(%(OTHER4)r, %(ECHO)d))
print(name('b.example.test'), why(%(OTHER4)r, %(ECHO)d), udp(%(OTHER4)r, %(ECHO)d))
print(name('a.example.test'), why(%(NET4)r, %(ECHO)d), udp(%(NET4)r, %(ECHO)d))
print(why(%(OTHER4)r, %(COUNT)d), why(%(NET6)r, %(ECHO)d))
""" % vars(world), "--allow", "b.example.test:%d" % world.ECHO)
    equal(got.out, "ECONNREFUSED\n198.51.100.3 connected b'hello'\nagain ECONNREFUSED EHOSTUNREACH\nECONNREFUSED ECONNREFUSED\n")


def test_allow_below():
    """*.NAME is what is below it, an alias what it leads to."""
    got = rules("""
print(name('example.test'), name('alias.example.test'), why(%(OTHER4)r, %(ECHO)d))
print(name('end.example.net'), why(%(NET4)r, %(ECHO)d))
""" % vars(world), "--allow", "*.example.test")
    equal(got.out, "again 198.51.100.3 connected\nagain ECONNREFUSED\n")


def test_allow_over_tcp():
    """The server of the box knows the rules over TCP as well: an answer too long for UDP is learned from."""
    got = rules("""
print(len(socket.gethostbyname_ex('much.example.test')[2]), why(%(OTHER4)r, %(ECHO)d))
def ask(text):
    s = connect(%(DNS)r, 53)
    question = b''.join(bytes([len(l)]) + l.encode() for l in text.split('.')) + b'\\0\\0\\1\\0\\1'
    s.sendall(struct.pack('>HHHHHHH', 12 + len(question), 7, 0x100, 1, 0, 0, 0) + question)
    answer = s.recv(4096)
    return answer[5] & 15, answer[9]
print(ask('b.example.test'), ask('a.example.test'))
""" % vars(world), "--allow", "much.example.test", "--allow", "b.example.test")
    equal(got.out, "100 connected\n(0, 1) (5, 0)\n")


@cases(name=("b.example.test",), below=("*.example.test",), denied=("*.example.test", "--deny", "a.example.test"))
def test_other_resolvers(*options):
    """Other name servers, DNS over TLS and QUIC are refused under a name, at the allowed address too."""
    got = rules("""
print(name('b.example.test'), why(%(OTHER4)r, %(HTTP)d))
for host in (%(OTHER4)r, %(NET4)r):
    print(why(host, 53), udp(host, 53), why(host, %(DOT)d), udp(host, %(HTTPS)d))
""" % vars(world), "--allow", *options)
    equal(got.out, "198.51.100.3 connected\n" + "ECONNREFUSED EHOSTUNREACH ECONNREFUSED EHOSTUNREACH\n" * 2)


@cases(network=("--allow", "*.example.test", "--allow", "198.51.100.0/24"), all=("--allow", "b.example.test", "--allow", "*"),
       denied=("--deny", "a.example.test", "--allow", "*"))
def test_other_resolvers_by_address(*options):
    """Beside a rule with a name, one for addresses opens other name servers and DNS over TLS by their ports alone."""
    script = """
for host in (%(OTHER4)r, %(NET4)r):
    print(why(host, %(ECHO)d), why(host, 53), why(host, %(DOT)d), udp(host, 53))
""" % vars(world)
    equal(rules(script, *options).out, "connected ECONNREFUSED ECONNREFUSED EHOSTUNREACH\n" * 2)
    script = "print(why(%(OTHER4)r, 53), why(%(NET4)r, %(DOT)d))" % vars(world)
    equal(rules(script, *options[:2], "--allow", "198.51.100.0/24:53,853").out, "connected connected\n")
    equal(rules(script, *options[2:]).out, "connected connected\n")   # no rule with a name


def test_said_in_so_many_words():
    """What a rule names by its port is allowed: DNS over TLS, QUIC."""
    got = rules("print(name('b.example.test'), why(%(OTHER4)r, %(DOT)d), udp(%(OTHER4)r, %(HTTPS)d))" % vars(world),
                "--allow", "b.example.test:%d" % world.DOT, "--allow", "udp://b.example.test:443")
    equal(got.out, "198.51.100.3 connected b'hello'\n")


def test_rebinding():
    """A name that leads into a private network, to the host or its loopback, is refused, and reached with a rule for
    the address."""
    script = """
print(name('lan.example.test'), name('host.example.test'), name('local.example.test'), why(%(LAN4)r, %(ECHO)d))
""" % vars(world)
    equal(rules(script, "--allow", "*.example.test").out, "again again again ECONNREFUSED\n")
    equal(rules(script, "--allow", "*.example.test", "--allow", "10.66.0.0/16").out, "10.66.0.1 again again connected\n")


def test_deny_lan():
    """--deny lan leaves the rest; a rule before it opens a part."""
    script = "print(why(%(LAN4)r, %(ECHO)d), udp(%(LAN4)r, %(ECHO)d), why(%(NET4)r, %(ECHO)d), name('b.example.test'))" % vars(world)
    equal(rules(script).out, "connected b'hello' connected 198.51.100.3\n")
    equal(rules(script, "--deny", "lan").out, "ECONNREFUSED EHOSTUNREACH connected 198.51.100.3\n")
    equal(rules(script, "--allow", "tcp://10.66.0.1", "--deny", "lan", "--allow", "*").out,
          "connected EHOSTUNREACH connected 198.51.100.3\n")


def test_networks():
    """Rules for networks, ports and protocols, IPv6 as well; the first that matches decides."""
    got = rules("""
print(why(%(NET4)r, %(ECHO)d), why(%(NET4)r, %(COUNT)d), udp(%(NET4)r, %(ECHO)d), why(%(OTHER4)r, %(ECHO)d))
print(why(%(NET6)r, %(COUNT)d), why(%(NET6)r, %(ECHO)d))
""" % vars(world), "--deny", world.OTHER4, "--allow", "tcp://198.51.100.0/24:7000,7003-7004", "--allow", "[2001:db8::/32]:7001")
    equal(got.out, "connected ECONNREFUSED EHOSTUNREACH ECONNREFUSED\nconnected ECONNREFUSED\n")


def test_host_stays_out_of_reach():
    """No rule opens the host."""
    with World() as w:
        got = client("print(why(%(HOST4)r, %(ANY)d), why('127.0.0.1', %(ANY)d), why(%(GATEWAY)r, %(ANY)d))" % vars(world),
                     "--allow", "*", "--allow", "lan", "--allow", world.HOST4, via=w.via)
        equal(w.hits(), [], "connections to the host")
    equal(got.out, "ECONNREFUSED ECONNREFUSED ECONNREFUSED\n")


SPEAK = LOOK_UP + """
import ssl
def hello(server):
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_bio(come, go, server_hostname=server).do_handshake()
    except ssl.SSLWantReadError:
        return go.read()
def request(server):
    return b'GET / HTTP/1.1\\r\\nHost: ' + server.encode() + b'\\r\\n\\r\\n'
def speak(host, port, data, step=100000):
    s = connect(host, port)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    got = b''
    try:
        for at in range(0, len(data), step):
            s.sendall(data[at:at + step])
            if step < len(data): time.sleep(0.01)
        while len(got) < len(data) and not got.endswith(b'hello\\n'):
            part = s.recv(65536)
            if not part: return 'end'
            got += part
        return 'answer' if got == data or got.endswith(b'hello\\n') else 'other'
    except OSError as fault:
        return errno.errorcode.get(fault.errno, str(fault))
"""


def speaks(script, *options):
    with World() as w:
        return client(SPEAK + script, *options, via=w.via)


def test_server_name():
    """TLS on 443 and HTTP on 80 name a server that is allowed and was resolved to this address, else they are reset."""
    got = speaks("""
print(name('b.example.test'))
for server in ('b.example.test', 'a.example.test', None):
    print(speak(%(OTHER4)r, %(HTTPS)d, hello(server)), speak(%(OTHER4)r, %(HTTP)d, request(server or '')))
print(speak(%(OTHER4)r, %(HTTPS)d, hello('b.example.test'), 20), speak(%(OTHER4)r, %(HTTP)d, request('b.example.test'), 5))
print(speak(%(OTHER4)r, %(HTTPS)d, hello('b.example.test') + b'x' * 1000000))
print(speak(%(OTHER4)r, %(HTTPS)d, b'SSH-2.0-x'), speak(%(OTHER4)r, %(ECHO)d, b'SSH-2.0-x'))
""" % vars(world), "--allow", "*.example.test")
    equal(got.out, "198.51.100.3\nanswer answer\n" + "ECONNRESET ECONNRESET\n" * 2 + "answer answer\nanswer\nECONNRESET answer\n")


def test_server_name_plain():
    """,plain: what the connection says is not looked at."""
    got = speaks("""
print(name('b.example.test'))
print(speak(%(OTHER4)r, %(HTTPS)d, hello('a.example.test')), speak(%(OTHER4)r, %(HTTPS)d, b'SSH-2.0-x'))
""" % vars(world), "--allow", "b.example.test,plain")
    equal(got.out, "198.51.100.3\nanswer answer\n")


def test_long_connection():
    """A connection stays when its name is forgotten, here for want of place: the rules are asked at its begin."""
    got = rules("""
print(name('b.example.test'))
s = connect(%(OTHER4)r, %(ECHO)d)
print(all(len(socket.gethostbyname_ex('%%d.huge.example.test' %% n)[2]) == 100 for n in range(83)))   # of 8192 addresses
print(why(%(OTHER4)r, %(ECHO)d))
s.sendall(b'x'); print(s.recv(1))
""" % vars(world), "--allow", "*.example.test", timeout=60)
    equal(got.out, "198.51.100.3\nTrue\nECONNREFUSED\nb'x'\n")


def test_dns():
    """--dns in place of the host's servers, the first that answers."""
    with World(resolv="nameserver 198.51.100.77\\n") as w:
        got = client(LOOK_UP + "print(name('b.example.test'))", "--dns", "127.0.0.99", "--dns", world.OTHER4, via=w.via)
    equal(got.out, "198.51.100.3\n")


def test_add_host():
    """A name given an address, in the file and by the server; with --allow it is reached, in a private network too."""
    got = rules("""
print(name('db'), why('db', %(ECHO)d), why(%(NET4)r, %(ECHO)d))
import subprocess
question = b'\\2db\\0\\0\\1\\0\\1'
answer = udp(%(DNS)r, 53, struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + question)
print(socket.inet_ntoa(answer[-4:]))
print(open('/etc/hosts').read().count('10.66.0.1\\tdb\\n'))
""" % vars(world), "--add-host", "db:" + world.LAN4, "--allow", "db:%d" % world.ECHO)
    equal(got.out, "10.66.0.1 connected ECONNREFUSED\n10.66.0.1\n1\n")


def test_own_name():
    """The box's own name is answered by its server, under rules as well."""
    got = rules("""
answer = udp(%(DNS)r, 53, struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + b'\\4blue\\0\\0\\1\\0\\1')
print(socket.inet_ntoa(answer[-4:]))
""" % vars(world), "--hostname", "blue", "--allow", "b.example.test")
    equal(got.out, "10.0.2.100\n")


def test_bad_rules():
    """A rule that cannot be read is one line that names it, and nothing runs."""
    for option, value, says in (("--allow", "10.1.2.3/16", "bits set beyond its /16"), ("--deny", "a.b:0", "out of range"),
                                ("--deny", "a.b,plain", "for --allow alone"),
                                ("--allow", "localhost:80", "--host-port"), ("--dns", "one", "no address"),
                                ("--add-host", "db", "no ':'")):
        contains(refused(option, value, "--", "true", code="E-VALUE").err, says)
    refused("--network", "host", "--allow", "a.b", "--", "true", code="E-CONFLICT")


@cases(address=("10.1.2.3/16", "bits set beyond its /16"), number=("a.org;10.0.0", "neither an address nor a name"), port=("a.org:0", "out of range"),
       wide=("a.org:9-8", "ends before it begins"), ascii=("b\u00fccher.example", "not ASCII"), host=("localhost:80", "the box itself"),
       star=("a.*.org", "no name of a host"), plain=("a.org,plian", "no name of a host"), nothing=("tcp://", "no destination"))
def test_bad_rule_in_a_profile(value, says):
    """A rule of a profile that cannot be read is named with its line."""
    profile = scratch() + "/agent.conf"
    write(profile, "[sandbox]\n# rules\nallow = b.example.test;%s\n" % value)
    got = refused("--profile", profile, "--", "true", code="E-VALUE")
    contains(got.err, says)
    contains(got.err, "from: %s:3" % profile)


def test_explain():
    """--explain shows the rules as the helper gets them."""
    got = succeeds("--allow", "b.example.test:443", "--deny", "lan", "--explain", "--", "true")
    contains(got.out, "allow any b.example.test 443-443;deny any lan *;")
