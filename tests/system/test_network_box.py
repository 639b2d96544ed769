# SPDX-License-Identifier: MIT
"""--network box:NAME: boxes that reach one another, what they never do to one another, and what is
left of those that were killed."""

import contextlib
import json
import os
import random
import signal
import subprocess
import time

from box import PYTHON, cases, check, descendants, equal, eventually, folder, matches, modes, read, read_line, refused, sandbox, scratch, start, succeeds
from test_network import CLIENT
from world import World

# A server in a box: says when it listens, serves TCP and UDP on both families, until it is killed.
SERVER = """
import os, socket, sys, threading
def streams(s):
    while True:
        c, a = s.accept()
        def serve(c=c, a=a):
            try:
                c.sendall(('%s %s\\n' % (NAME, a[0])).encode())
                while True:
                    data = c.recv(65536)
                    if not data:
                        break
                    c.sendall(data)
            except OSError:
                pass
            c.close()
        threading.Thread(target=serve, daemon=True).start()
def datagrams(s):
    while True:
        data, a = s.recvfrom(65536)
        s.sendto(NAME.encode() + b' ' + data, a)
NAME = sys.argv[1]
for family, address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
    s = socket.socket(family)
    d = socket.socket(family, socket.SOCK_DGRAM)
    for x in (s, d):
        x.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            x.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        x.bind((address, 7000))
    s.listen(64)
    threading.Thread(target=streams, args=(s,), daemon=True).start()
    threading.Thread(target=datagrams, args=(d,), daemon=True).start()
print('up', flush=True)
threading.Event().wait()
"""


class Net:
    """with Net() as net: a network of boxes in a runtime directory of its own."""

    def __init__(self):
        self.runtime = folder("runtime")
        os.chmod(self.runtime, 0o700)
        self.env = {"XDG_RUNTIME_DIR": self.runtime}
        self.boxes = []
        self.world = World()

    def __enter__(self):
        self.world.__enter__()
        return self

    def __exit__(self, *_):
        for process in self.boxes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.boxes:
            process.wait(20)
            process.stdout.close()
        self.world.__exit__()

    def keywords(self):
        return {"via": self.world.via, "env": self.env}

    def server(self, name, *options, named=True):
        """A box with the server in it, which listens when this returns."""
        name_options = ("--hostname", name) if named else ()
        process = start("-q", "--network", "box:lab", *name_options, *options, "--", PYTHON, "-c", SERVER, name,
                        stdout=subprocess.PIPE, **self.keywords())
        self.boxes.append(process)
        equal(read_line(process.stdout.fileno(), 20), "up", "the server's first line")
        return process

    def client(self, script, *options):
        return succeeds("-q", "--network", "box:lab", *options, "--", PYTHON, "-c", CLIENT + script, **self.keywords())

    def left(self):
        return sorted(os.path.relpath(os.path.join(at, name), self.runtime)
                      for at, dirs, files in os.walk(self.runtime) for name in dirs + files)


def ended(process):
    process.send_signal(signal.SIGTERM)
    process.wait(20)


# ---------------------------------------------------------------- they reach one another

@modes("user", "root", "userns")
def test_by_name():
    """TCP and UDP by name and address, IPv4 and IPv6, ping; the source is the peer's own address; nothing is left."""
    with Net() as net:
        net.server("web")
        got = net.client("""
print(sorted(set(a[4][0] for a in socket.getaddrinfo('web', 7000))))
for host in ('web', '10.0.2.100', 'fd73:6e64:6278:2::100', 'WEB'):
    s = connect(host, 7000)
    print(s.recv(100).decode().strip())
    print(udp(host, 7000).decode())
s = connect('web', 7000)
s.recv(100)
block = os.urandom(1 << 20)
threading.Thread(target=lambda: (s.sendall(block), s.shutdown(socket.SHUT_WR))).start()
print(everything(s) == block)
print(udp('web', 7000, b'x' * 60000) == b'web ' + b'x' * 60000)
print(open('/etc/resolv.conf').read().splitlines()[-1])
os.execvp('ping', ['ping', '-c1', '-W5', 'web']) if os.path.exists('/usr/bin/ping') else 0
""", "--hostname", "client")
        lines = got.out.splitlines()
        equal(lines[0], "['10.0.2.100', 'fd73:6e64:6278:2::100']")
        check("web 10.0.2.101" in lines and "web fd73:6e64:6278:2::101" in lines, "sources\n%s" % got)
        equal(lines.count("web hello"), 4, "datagrams")
        equal(lines[9:12], ["True", "True", "options ndots:0"])
        ended(net.boxes[0])
        equal(net.left(), [], "left in the runtime directory")


def test_later_one_is_reached():
    """The box that was there before reaches the one that comes later, and its name goes with it."""
    with Net() as net:
        first = start("-q", "--network", "box:lab", "--", PYTHON, "-c", CLIENT + """
print('up', flush=True)
for line in sys.stdin:
    host = line.strip()
    try:
        print(connect(host, 7000).recv(100).decode().strip(), flush=True)
    except socket.gaierror:
        print('unknown', flush=True)
    except OSError as fault:
        print(errno.errorcode[fault.errno], flush=True)
""", stdin=subprocess.PIPE, stdout=subprocess.PIPE, **net.keywords())
        net.boxes.append(first)

        def ask(host):
            first.stdin.write(host.encode() + b"\n")
            first.stdin.flush()
            return read_line(first.stdout.fileno(), 20)

        equal(read_line(first.stdout.fileno(), 20), "up")
        equal(ask("late"), "unknown")
        late = net.server("late")
        equal(ask("late"), "late 10.0.2.100")
        late.kill()
        late.wait(20)
        eventually(lambda: ask("late") == "unknown", "the name of a killed box is gone")
        equal(ask("10.0.2.101"), "ECONNREFUSED")
        net.server("late")
        equal(ask("late"), "late 10.0.2.100")
        first.stdin.close()


def test_started_tells_the_address():
    """--status-fd names network and addresses."""
    with Net() as net:
        net.server("web")
        got = sandbox("-q", "--network", "box:lab", "--status-fd", "1", "--", "true", **net.keywords())
        started = json.loads(got.out.splitlines()[0])
        equal(started["network"], {"box": "lab", "address": "10.0.2.101", "address6": "fd73:6e64:6278:2::101"})


def test_other_networks_are_apart():
    """Boxes of another name are not there, by name or address; nor are they for a box with --network user."""
    script = """
print(open('/etc/hosts').read().split()[0])
try:
    print(socket.gethostbyname('web'))
except OSError:
    print('unknown')
for host in ('10.0.2.101', 'fd73:6e64:6278:2::101'):
    print(why(host, 7000) == 'connected', udp(host, 7000) == b'web hello')
"""
    with Net() as net:
        net.server("first")
        net.server("web")
        for network, own in (("box:other", "10.0.2.100"), ("user", "10.0.2.100"), ("box:lab", "10.0.2.102")):
            got = succeeds("-q", "--network", network, "--", PYTHON, "-c", CLIENT + script, **net.keywords()).out.splitlines()
            equal(got[0], own, "its own address")
            equal(got[1:], ["10.0.2.101"] + ["True True"] * 2 if network == "box:lab" else ["unknown"] + ["False False"] * 2, network)


def test_explain():
    """--explain joins nothing, and says that the address comes later."""
    runtime = folder("explain")
    os.chmod(runtime, 0o700)
    got = succeeds("--explain", "--network", "box:lab", "--", "true", env={"XDG_RUNTIME_DIR": runtime})
    matches(got.out, r"^  net-peers +'lab' \(network and address are chosen at the start\)")
    equal(os.listdir(runtime), [])


# ---------------------------------------------------------------- names and rules

def test_name_taken():
    """A second box with the same --hostname is refused; nothing of it is left, and the first lives on."""
    with Net() as net:
        net.server("web")
        before = net.left()
        refused("--network", "box:lab", "--hostname", "WEB", "--", "true", code="E-NET-BOX", text="'WEB' is taken",
                fix="--hostname", **net.keywords())
        equal(net.left(), before)
        matches(net.client("print(connect('web', 7000).recv(99).decode())").out, "^web ")


def test_rules():
    """Default deny holds for peers; a name with a port opens that; lan says nothing about them."""
    with Net() as net:
        net.server("db")
        script = "print(why('db', 7000), why('10.0.2.100', 7000), udp('db', 7000))"
        closed = "ECONNREFUSED ECONNREFUSED EACCES"
        for options, want in ((("--allow", "example.org"), closed), (("--allow", "lan"), closed), (("--allow", "db:7001"), closed),
                              (("--allow", "tcp://db:7000"), "connected connected EACCES"),
                              (("--allow", "10.0.2.100"), "connected connected b'db hello'"),
                              (("--deny", "lan"), "connected connected b'db hello'"), (("--deny", "10.0.2.0/24"), closed)):
            got = net.client(script, *options).out.strip()
            equal(got.replace("EHOSTUNREACH", "EACCES"), want, "%s" % (options,))


@cases(lan=("--deny", "lan", "--allow", "db:7001", "no --allow for it"), network=("--deny", "10.0.2.0/24", "--deny 10.0.2.0/24"))
def test_why_refused(*values):
    """The log names the rule that has refused a box: never lan, which says nothing about boxes."""
    *options, why = values
    with Net() as net:
        net.server("db")
        log = scratch() + "/log"
        equal(net.client("print(why('db', 7000))", *options, "--net-log", log).out, "ECONNREFUSED\n")
        equal(read(log).partition(" ")[2], "tcp 10.0.2.100:7000 db %s\n" % why)


def test_rules_of_the_server():
    """A box under default deny answers what others begin, by TCP and UDP."""
    with Net() as net:
        net.server("db", "--allow", "example.org")
        equal(net.client("print(why('db', 7000), udp('db', 7000))").out.strip(), "connected b'db hello'")


def test_host_is_closed():
    """What --network user keeps out is kept out here."""
    with Net() as net:
        net.server("web")
        script = "print(why('203.0.113.7', 9999), why('10.0.2.2', 5432))"
        equal(net.client(script).out, "ECONNREFUSED ECONNREFUSED\n")
        equal(net.client(script + "\nprint(everything(connect('10.0.2.2', 5432)))", "--host-port", "5432").out, "ECONNREFUSED connected\nb'host'\n")
        equal(net.world.hits(), ["tcp 5432"] * 2, "connections to the host")


def test_spoofing():
    """Frames with another's source, made by root inside, do not arrive at a peer; one with the box's own does."""
    with Net() as net:
        got = start("-q", "--network", "box:lab", "--hostname", "web", "--", PYTHON, "-c", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 7000))
print('up', flush=True)
while True:
    data, a = s.recvfrom(100)
    print(data.decode(), a[0], flush=True)
    if data == b'end':
        break
""", stdout=subprocess.PIPE, **net.keywords())
        net.boxes.append(got)
        equal(read_line(got.stdout.fileno(), 20), "up")
        net.server("third")
        succeeds("-q", "--root", "--cap-add", "NET_RAW", "--network", "box:lab", "--", PYTHON, "-c", """
import socket, struct
def checksum(data):
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
own = open('/etc/hosts').read().split()[0]
mac = bytes.fromhex(open('/sys/class/net/eth0/address').read().strip().replace(':', ''))
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
raw.bind(('eth0', 0))
def send(src, dst, data, source=mac):
    udp = struct.pack('>HHHH', 9, 7000, 8 + len(data), 0) + data
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(src), socket.inet_aton(dst))
    head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
    raw.send(b'\\x52\\x55\\x0a\\x00\\x02\\x64' + source + b'\\x08\\x00' + head + udp)
for src in ('10.0.2.101', '10.0.2.2', '10.0.2.3', '10.0.2.100', '192.0.2.1', '127.0.0.1', '10.0.2.200'):
    send(src, '10.0.2.100', b'forged')
send(own, '10.0.2.100', b'mac', b'\\x5a\\x53\\x0a\\x00\\x02\\x65')
send(own, '10.0.2.255', b'broadcast')
send(own, '198.51.100.2', b'through')
send(own, '10.0.2.100', b'own')
send(own, '10.0.2.100', b'end')
""", **net.keywords())
        equal(read_line(got.stdout.fileno(), 20), "own 10.0.2.102")
        equal(read_line(got.stdout.fileno(), 20), "end 10.0.2.102")


# ---------------------------------------------------------------- comings and goings

@cases(launcher=(False,), helper=(True,))
def test_killed(helper):
    """A box that was killed: the others live on and are reached, and what it left goes with the next one."""
    with Net() as net:
        net.server("one")
        killed = net.server("two")
        net.server("three")
        if helper:
            pid = next(int(p) for p in descendants(killed.pid) if comm(p) == "sandbox-net")
            os.kill(pid, signal.SIGKILL)
        else:
            killed.kill()
        killed.wait(20)
        got = net.client("""
print(open('/etc/hosts').read().split()[0], connect('one', 7000).recv(99).decode(), connect('three', 7000).recv(99).decode())
try:
    print(socket.gethostbyname('two'))
except OSError:
    print('unknown')
""")
        equal(got.out, "10.0.2.101 one 10.0.2.101\n three 10.0.2.101\n\nunknown\n", "from the killed one's place")
        again = net.server("two")
        matches(net.client("print(connect('two', 7000).recv(99).decode())").out, "^two ")
        check(again.poll() is None, "the second of its name")
        for process in net.boxes:
            if process.poll() is None:
                ended(process)
        equal(net.left(), [])


def comm(pid):
    try:
        with open("/proc/%s/comm" % pid, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


@cases(again="box:lab", other="box:other")
def test_all_killed(network):
    """Nobody is left who could tidy up: the next run does, of this network or another, and may pick other addresses."""
    with Net() as net:
        for name in ("one", "two"):
            net.server(name)
        for process in net.boxes:
            process.kill()
            process.wait(20)
        check(net.left() != [], "a killed box tidied up")
        eventually(lambda: sandbox("-q", "--network", network, "--hostname", "one", "--", "true", **net.keywords()).code == 0 and
                   net.left() == [], "the next run tidies up")


def test_parallel_joins():
    """Ten that come at once all reach one another, and all leave nothing."""
    with Net() as net:
        count = 10
        boxes = [start("-q", "--network", "box:lab", "--hostname", "b%d" % i, "--", PYTHON, "-c", SERVER.replace(
            "threading.Event().wait()", """
import time
def reach(i):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            s = socket.create_connection(('b%d' % i, 7000), 5)
            return s.recv(99).split()[0].decode() == 'b%d' % i
        except OSError:
            time.sleep(0.05)
    return False
print(all(reach(i) for i in range(10)), flush=True)
sys.stdin.read()
"""), "b%d" % i, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **net.keywords()) for i in range(count)]
        net.boxes += boxes
        for process in boxes:
            equal(read_line(process.stdout.fileno(), 60), "up")
        for process in boxes:
            equal(read_line(process.stdout.fileno(), 90), "True")
        for process in boxes:
            process.stdin.close()
        for process in boxes:
            equal(process.wait(30), 0, "status")
        equal(net.left(), [])


def test_slow_peer():
    """One that does not read holds up nobody: neither the sender's other connections nor the network."""
    with Net() as net:
        slow = net.server("slow")
        net.server("fast")
        helper = next(int(p) for p in descendants(slow.pid) if comm(p) == "sandbox-net")
        os.kill(helper, signal.SIGSTOP)
        try:
            got = net.client("""
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(2000):
    u.sendto(b'x' * 60000, ('10.0.2.100', 7000))
s = connect('fast', 7000)
print(s.recv(99).decode().strip())
""")
            matches(got.out, r"^fast 10\.0\.2\.102")
        finally:
            os.kill(helper, signal.SIGCONT)


def test_flood():
    """One box begins thousands of flows with a box that has rules: a third one's connection, which was idle meanwhile, goes on."""
    with Net() as net:
        net.server("db", "--allow", "example.org")
        third = start("-q", "--network", "box:lab", "--", PYTHON, "-c", CLIENT + """
s = connect('db', 7000)
s.settimeout(20)
print(s.recv(100).decode().strip(), flush=True)
sys.stdin.readline()
s.sendall(b'hello')
print(s.recv(100).decode(), flush=True)
""", stdin=subprocess.PIPE, stdout=subprocess.PIPE, **net.keywords())
        net.boxes.append(third)
        equal(read_line(third.stdout.fileno(), 20), "db 10.0.2.101")
        got = net.client("""
for n in range(30):
    for s in [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]:
        for port in range(10000 + n * 200, 10200 + n * 200):
            s.sendto(b'x', ('10.0.2.100', port))
    print(udp('10.0.2.100', 7000))   # those before have arrived
""")
        equal(got.out, "b'db hello'\n" * 30)
        third.stdin.write(b"\n")
        third.stdin.flush()
        equal(read_line(third.stdout.fileno(), 30), "hello")
        third.stdin.close()


def test_directory_of_somebody_else():
    """A runtime directory that others may enter is refused."""
    runtime = folder("open")
    os.chmod(runtime, 0o700)
    os.makedirs(runtime + "/sandbox/network", mode=0o755)
    os.chmod(runtime + "/sandbox", 0o755)
    refused("--network", "box:lab", "--", "true", code="E-NET-BOX", text="directory", env={"XDG_RUNTIME_DIR": runtime})


def test_leftovers_are_no_danger():
    """Files that are not of a box's making are left alone, and do not stop anybody."""
    with Net() as net:
        place = net.runtime + "/sandbox/network/lab"
        os.makedirs(place, mode=0o700)
        for at in (net.runtime + "/sandbox", net.runtime + "/sandbox/network", place):
            os.chmod(at, 0o700)
        for name, text in (("subnet", "203.0.113.0\n"), ("100", "garbage"), ("foreign", "mine")):
            with open(place + "/" + name, "w", encoding="utf-8") as file:
                file.write(text)
        succeeds("-q", "--network", "box:lab", "--", "true", **net.keywords())
        equal(net.left(), ["sandbox", "sandbox/network", "sandbox/network/lab", "sandbox/network/lab/foreign"])


def test_killed_at_random_moments():
    """SIGKILL of launchers and helpers at any moment of their start and life: two that stay are reached all the time, and nothing is
    left in the end."""
    numbers = random.Random(5)
    with Net() as net:
        net.server("one")
        for i in range(30):
            process = start("-q", "--network", "box:lab", "--hostname", "victim", "--", "sleep", "60", stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, **net.keywords())
            time.sleep(numbers.random() * 0.08)
            helpers = [int(p) for p in descendants(process.pid) if comm(p) == "sandbox-net"]
            os.kill(helpers[0] if i % 3 == 0 and helpers else process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):   # the process that makes the helper may be done with that
                process.wait(2)
            process.kill()
            process.wait(20)
        net.server("two")
        matches(net.client("print(connect('one', 7000).recv(99).decode(), connect('two', 7000).recv(99).decode())").out,
                r"^one \S+\n two \S+$")
        for process in net.boxes:
            ended(process)
        equal(net.left(), [])
