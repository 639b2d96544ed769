# SPDX-License-Identifier: MIT
"""--network user: what a box reaches, what it never reaches, and what becomes of the helper. The
servers are the tests' own, in namespaces that they make (world.py)."""

import json
import os
import re
import signal
import time

from box import (MODE, PYTHON, SANDBOX, Failure, cases, check, contains, descendants, equal, eventually, folder, lacks, matches, modes,
                 needs, py, read, refused, sandbox, scratch, sh, start, succeeds, write)
import box
import world
from world import World

NET = ("-q", "--network", "user")
CHANNEL = os.environ.get("SANDBOX_CHANNEL", "")   # "tap" or "veth" where the runner has seen to it

# What every client in a box begins with.
CLIENT = """
import errno, os, socket, struct, sys, threading, time
def connect(host, port, timeout=10):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    s.settimeout(timeout)
    s.connect((host, port))
    return s
def why(host, port, timeout=10):
    begin = time.monotonic()
    try:
        connect(host, port, timeout).close()
        return 'connected'
    except socket.timeout:
        return 'timeout'
    except OSError as fault:
        name = errno.errorcode[fault.errno]
        return name if time.monotonic() - begin < 2 else name + ' late'
def udp(host, port, data=b'hello', timeout=3):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(timeout)
    try:
        s.connect((host, port))
        s.send(data)
        return s.recv(65536)
    except socket.timeout:
        return 'timeout'
    except OSError as fault:
        return errno.errorcode[fault.errno]
def everything(s):
    parts = []
    while True:
        data = s.recv(1 << 20)
        if not data:
            return b''.join(parts)
        parts.append(data)
"""


def client(script, *options, via, **keywords):
    """Runs a client in a box of the world; it must succeed."""
    return py(CLIENT + script, *NET, *options, via=via, **keywords)


# ---------------------------------------------------------------- the interface

def test_interface():
    """eth0 with the address plan of the manual, static, without link-local addresses; loopback is up."""
    with World() as w:
        got = sh("cat /sys/class/net/eth0/mtu /sys/class/net/eth0/address; ls /sys/class/net; cat /proc/net/route /proc/net/if_inet6;"
                 "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv6/conf/eth0/accept_ra;"
                 "test -e /sys/class/net/eth0/tun_flags && echo tap || echo veth", *NET, via=w.via)
    contains(got.out, "65520\n5a:53:0a:00:02:64\n")
    matches(got.out, r"^eth0\s+00000000\s+0202000A\b", "default route")
    matches(got.out, r"^fd736e64627800020000000000000100 .. 40 00 82 +eth0$", "IPv6 address without detection of duplicates")
    check(len([l for l in got.lines if l.startswith("fe80")]) == 0, "a link-local address\n%s" % got)
    matches(got.out, r"^0\n0\n(tap|veth)$")
    if CHANNEL:
        matches(got.out, "^%s$" % CHANNEL)


def test_names_of_the_box():
    """/etc/hosts has the box's own name; resolv.conf names our server and keeps the search list."""
    with World(resolv="nameserver 127.0.0.53\\noptions edns0 trust-ad\\nsearch lan example.test\\n") as w:
        got = sh("cat /etc/hosts /etc/resolv.conf; getent hosts blue", *NET, "--hostname", "blue", via=w.via)
    matches(got.out, r"^10\.0\.2\.100\tblue$")
    contains(got.out, "nameserver 10.0.2.3\noptions edns0\nsearch lan example.test\n")
    matches(got.out, r"^(10\.0\.2\.100|fd73\S+) +blue$")


def test_low_port():
    """An ordinary user in the box binds port 80; nobody outside is asked."""
    with World() as w:
        client("s = socket.socket(); s.bind(('', 80)); s.listen(); c = connect('127.0.0.1', 80)", via=w.via)


def test_subnet_avoids_the_host():
    """A box takes the next network where the host has the first one, and a box in a box does so too."""
    with World() as w:
        equal(w.ask("ip", "route", "add", "10.0.2.0/24", "via", world.NET4), "done")
        got = sh("cat /etc/hosts", *NET, via=w.via)
        matches(got.out, r"^10\.0\.3\.100\t")


@cases(on=("on", "fd73"), off=("off", None))
def test_ipv6_option(value, part):
    """--ipv6 on and off, whatever the host has."""
    with World() as w:
        got = sh("cat /proc/net/if_inet6 /etc/hosts", *NET, "--ipv6", value, via=w.via)
        if part:
            contains(got.out, part)
        else:
            lacks(got.out, "fd73")


def test_ipv6_auto():
    """Without an IPv6 route of the host's there is none in the box."""
    with World() as w:
        equal(w.ask("ip", "-6", "route", "del", "default"), "done")
        lacks(sh("cat /proc/net/if_inet6", *NET, via=w.via).out, "fd73")


# ---------------------------------------------------------------- the outside

def test_reaches_the_net():
    """TCP and UDP over IPv4 and IPv6."""
    with World() as w:
        got = client("""
for host in (%r, %r):
    s = connect(host, %d)
    s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
    print(everything(s).endswith(b'hello\\n'), udp(host, %d))
""" % (world.NET4, world.NET6, world.HTTP, world.ECHO), via=w.via)
    equal(got.out, "True b'hello'\n" * 2)


def test_closed_and_unreachable():
    """A closed port is refused at once, and so is what nobody has."""
    with World() as w:
        got = client("print(why(%r, 81), why(%r, 81), udp(%r, 81))" % (world.NET4, world.NET6, world.NET4), via=w.via)
    equal(got.out, "ECONNREFUSED ECONNREFUSED ECONNREFUSED\n")


def test_half_close():
    """The end of one direction leaves the other open."""
    with World() as w:
        got = client("""
s = connect(%r, %d)
s.sendall(b'x' * 1000000)
s.shutdown(socket.SHUT_WR)
print(everything(s))
""" % (world.NET4, world.COUNT), via=w.via)
    equal(got.out, "b'1000000'\n")


def test_last_words():
    """What the command has sent arrives, although it ends at once; a slow peer is waited for."""
    with World() as w:
        client("connect(%r, %d).sendall(b'x' * 60000)" % (world.NET4, world.KEEP), via=w.via)
        eventually(lambda: w.ask("kept") == 60000, "the end of the stream", 5)


def test_reset():
    """A reset of the server is a reset in the box."""
    with World() as w:
        got = client("""
s = connect(%r, %d)
s.sendall(b'x')
try:
    print(s.recv(1))
except ConnectionResetError:
    print('reset')
""" % (world.NET4, world.RESET), via=w.via)
    equal(got.out, "reset\n")


def test_bulk():
    """20 MB each way, byte for byte."""
    with World() as w:
        got = client("""
import hashlib
n = 20000000
s = connect(%r, %d)
s.sendall(b'%%d\\n' %% n)
data = everything(s)
want = (bytes(range(256)) * (n // 256 + 1))[:n]
print(len(data), data == want)
s = connect(%r, %d)
s.sendall(data)
s.shutdown(socket.SHUT_WR)
print(everything(s))
""" % (world.NET4, world.SOURCE, world.NET6, world.COUNT), via=w.via, timeout=60 * box.SLOW)
    equal(got.out, "20000000 True\nb'20000000'\n")


def test_many_streams():
    """500 streams at once, both ways, none lost."""
    with World() as w:
        got = client("""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048)) if resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 2048 else None
N, SIZE = 500, 20000
done = []
def one(n):
    s = connect(%r, %d, 60)
    data = bytes([n %% 256]) * SIZE
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
    done.append(everything(s) == data)
threads = [threading.Thread(target=one, args=(n,)) for n in range(N)]
for t in threads: t.start()
for t in threads: t.join()
print(len(done), all(done))
""" % (world.NET4, world.ECHO), "--pids-limit", "2000", via=w.via, timeout=90 * box.SLOW)
    equal(got.out, "500 True\n")


def test_many_connections():
    """2000 connections one after the other."""
    with World() as w:
        got = client("""
for n in range(2000):
    s = connect(%r, %d)
    s.sendall(b'%%d' %% n)
    assert s.recv(16) == b'%%d' %% n
    s.close()
print('done')
""" % (world.NET4, world.ECHO), via=w.via, timeout=90 * box.SLOW)
    equal(got.out, "done\n")


def test_slow_reader():
    """A stream that nobody reads stops its writer, and nobody else."""
    with World() as w:
        got = client("""
s = connect(%r, %d)
s.settimeout(1)
sent = 0
try:
    while True:
        sent += s.send(b'x' * 65536)
except socket.timeout:
    pass
t = connect(%r, %d)
t.sendall(b'hello')
print(sent < 64 << 20, t.recv(16))
""" % (world.NET4, world.MUTE, world.NET4, world.ECHO), via=w.via, timeout=60 * box.SLOW)
    equal(got.out, "True b'hello'\n")


def test_stopped_box():
    """The box does not take what comes: it is kept or held back, not lost, and the helper stays small."""
    with World() as w:
        got = client("""
socks = []
for n in range(20):
    s = connect(%r, %d)
    s.sendall(b'2000000\\n')
    socks.append(s)
time.sleep(1)
print(sum(len(everything(s)) for s in socks))
""" % (world.NET4, world.SOURCE), via=w.via, timeout=60 * box.SLOW)
    equal(got.out, "40000000\n")


def test_large_datagrams():
    """Datagrams up to what the MTU holds come through whole."""
    with World() as w:
        got = client("""
for size in (1, 1472, 9000, 60000, 65492):
    data = os.urandom(size)
    print(udp(%r, %d, data) == data)
""" % (world.NET4, world.ECHO), via=w.via)
    equal(got.out, "True\n" * 5)


# ---------------------------------------------------------------- names

def test_resolves():
    """By the host's server, over UDP and, where the answer is too long for it, over TCP."""
    with World() as w:
        got = client("""
print(socket.gethostbyname('www.example.test'))
print(len(socket.gethostbyname_ex('many.example.test')[2]))
try:
    socket.gethostbyname('nosuch.example.test')
except socket.gaierror as fault:
    print(fault.errno == socket.EAI_NONAME)
""", via=w.via)
    equal(got.out, world.NET4 + "\n100\nTrue\n")


def test_resolver_on_the_hosts_loopback():
    """127.0.0.53 answers the box by way of the helper; the box itself does not reach it."""
    with World(resolv="nameserver 127.0.0.53\\n") as w:
        got = client("""
print(socket.gethostbyname('www.example.test'))
print(udp('127.0.0.53', 53))
""", via=w.via)
    equal(got.out, world.NET4 + "\nECONNREFUSED\n")


def test_dead_resolver():
    """A server that refuses and one that says nothing are passed over."""
    with World(resolv="nameserver 127.0.0.99\\nnameserver %s\\nnameserver %s\\n" % ("198.51.100.77", world.NET4)) as w:
        got = client("print(socket.gethostbyname('www.example.test'))", via=w.via, timeout=40)
    equal(got.out, world.NET4 + "\n")


# ---------------------------------------------------------------- the host

UNREACHED = """
tcp = [('127.0.0.1', %(LOCAL)d), ('127.0.0.1', %(ANY)d), (%(GATEWAY)r, %(LOCAL)d), (%(GATEWAY)r, %(ANY)d), (%(GATEWAY6)r, %(ANY)d),
       (%(HOST4)r, %(ANY)d), (%(HOST6)r, %(ANY)d), (%(HOST_LO)r, %(ANY)d), ('0.0.0.0', %(ANY)d), ('::', %(ANY)d), ('::1', %(ANY)d),
       ('::ffff:127.0.0.1', %(ANY)d), ('::ffff:%(HOST4)s', %(ANY)d), ('169.254.169.254', 80), ('10.0.2.3', %(ANY)d),
       ('10.0.2.4', %(ANY)d)]
for host, port in tcp:
    print('tcp', host, port, why(host, port))
for host in ('127.0.0.1', %(GATEWAY)r, %(HOST4)r, %(HOST6)r, %(HOST_LO)r, '10.0.2.3'):
    for port in (%(ANY)d, %(LOCAL_UDP)d):
        print('udp', host, port, udp(host, port, timeout=1))
""" % vars(world)


def test_host_is_out_of_reach():
    """Neither the host's loopback nor any of its addresses, in whatever form, and quickly so."""
    with World() as w:
        got = client(UNREACHED, via=w.via, timeout=60)
        equal(w.hits(), [], "connections to the host")
    for line in got.lines:
        check(not line.endswith(("connected", "b'hello'")) and (" late" not in line or "10.0.2.4 " in line), "reached: %s\n%s" % (line, got))


def test_refused_at_once():
    """A refused connection is answered, not dropped; so is a datagram."""
    with World() as w:
        got = client("print(why(%r, 80), why(%r, 80), why('127.1.1.1', 80), why(%r, 80), udp(%r, 80))" % (
            world.HOST4, world.HOST6, world.GATEWAY, world.HOST4), via=w.via)
    equal(got.out, "ECONNREFUSED ECONNREFUSED ECONNREFUSED ECONNREFUSED EHOSTUNREACH\n")


def test_new_address_of_the_host():
    """An address that the host gets while the box runs is refused from then on; it was allowed before."""
    with World() as w:
        process = start(*NET, "--", PYTHON, "-c", CLIENT + """
print(udp('198.51.100.60', %d, timeout=0.3), flush=True)
sys.stdin.readline()
print(why('198.51.100.60', %d), flush=True)
""" % (world.ANY, world.ANY), via=w.via, stdin=-1, stdout=-1, text=True)
        equal(process.stdout.readline() in ("timeout\n", "EHOSTUNREACH\n"), True, "answer of nobody")
        equal(w.ask("ip", "addr", "add", "198.51.100.60/32", "dev", "lo"), "done")
        process.stdin.write("\n")
        process.stdin.flush()
        equal(process.stdout.readline(), "ECONNREFUSED\n", "answer")
        process.communicate()
        equal(w.hits(), [], "connections to the host")


OF_THE_NET, OF_THE_HOST = "ECONNREFUSED connected", "ECONNREFUSED ECONNREFUSED"


def asking(w, address):
    """A box that tells of an address at each line whether it gets to the host's server there, and to the net's. Returns it
    and the question."""
    process = start(*NET, "--", PYTHON, "-c", CLIENT + "for _ in sys.stdin: print(*[why(%r, p, 2) for p in (%d, %d)], flush=True)"
                    % (address, world.ANY, world.ECHO), via=w.via, stdin=-1, stdout=-1, text=True)

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        return process.stdout.readline().strip()
    return process, ask


def test_address_twice():
    """An address that the host has on two interfaces is refused until the last of them loses it, and not longer."""
    with World() as w:
        process, ask = asking(w, world.OTHER4)
        equal(ask(), OF_THE_NET, "one of the net's")
        for device in ("host0", "lo"):
            equal(w.ask("ip", "addr", "add", world.OTHER4 + "/32", "dev", device), "done")
            equal(ask(), OF_THE_HOST, "on " + device)
        equal(w.ask("ip", "addr", "del", world.OTHER4 + "/32", "dev", "lo"), "done")
        for _ in range(20):   # while the helper asks the kernel for what is left, and after it
            equal(ask(), OF_THE_HOST, "on host0 alone")
        equal(w.ask("ip", "addr", "del", world.OTHER4 + "/32", "dev", "host0"), "done")
        eventually(lambda: ask() == OF_THE_NET, "the net's again")
        process.communicate()
        equal(w.hits(), [], "connections to the host")


def test_addresses_lost():
    """News of addresses that the helper was too slow for are made up for, of those that came and of those that went."""
    batch = scratch() + "/batch"
    write(batch, "".join("addr %s 10.99.%d.%d/32 dev lo\n" % (what, n // 250, n % 250 + 1) for what in ("add", "del") for n in range(2500)))
    with World() as w:
        process, ask = asking(w, world.OTHER4)
        equal(w.ask("ip", "addr", "add", world.OTHER4 + "/32", "dev", "lo"), "done")
        equal(ask(), OF_THE_HOST)
        for change, want in (("del", OF_THE_NET), ("add", OF_THE_HOST)):
            helper = helper_of(process)
            os.kill(helper, signal.SIGSTOP)
            equal(w.ask("ip", "-batch", batch), "done")
            equal(w.ask("ip", "addr", change, world.OTHER4 + "/32", "dev", "lo"), "done")
            os.kill(helper, signal.SIGCONT)
            eventually(lambda: ask() == want, want)   # pylint: disable=cell-var-from-loop
        process.communicate()
        equal(w.hits(), [], "connections to the host")


def test_host_port():
    """--host-port opens one port of the host's loopback at the gateway, and nothing beside it."""
    with World() as w:
        got = client("""
print(everything(connect(%(GATEWAY)r, %(LOCAL)d)), everything(connect(%(GATEWAY6)r, %(LOCAL)d)), udp(%(GATEWAY)r, %(LOCAL_UDP)d))
print(why(%(GATEWAY)r, %(ANY)d), why(%(GATEWAY)r, %(LOCAL_UDP)d), udp(%(GATEWAY)r, %(ANY)d))
""" % vars(world) + UNREACHED.replace("(%r, %d), " % (world.GATEWAY, world.LOCAL), "").replace("%r, %r, " % (world.GATEWAY, world.HOST4), "%r, " % world.HOST4),
                     "--host-port", str(world.LOCAL), "--host-port", "%d/udp" % world.LOCAL_UDP, via=w.via, timeout=60)
        equal(w.hits(), ["tcp 5432", "tcp 5432", "udp 5353"], "connections to the host")
    equal(got.lines[:2], ["b'host' b'host' b'hello'", "ECONNREFUSED ECONNREFUSED EHOSTUNREACH"])


def test_host_port_alone():
    """It means --network user by itself."""
    with World() as w:
        got = py(CLIENT + "print(everything(connect(%r, %d)))" % (world.GATEWAY, world.LOCAL), "-q", "--host-port", str(world.LOCAL), via=w.via)
    equal(got.out, "b'host'\n")


# ---------------------------------------------------------------- the helper

def helper_of(process):
    """The host pid of the network helper of a launcher."""
    def find():
        for pid in descendants(process.pid):
            if read("/proc/%d/comm" % pid, "").strip() == "sandbox-net" and "NSpid:" in read("/proc/%d/status" % pid, ""):
                return pid
        return None
    return eventually(find, "the network helper")


def running(*options, via=()):
    """A box that has started and waits; and its launcher."""
    process = start(*NET, *options, "--", "sh", "-c", "echo up; exec sleep 1000", via=via, stdout=-1, stderr=-1, text=True)
    equal(process.stdout.readline(), "up\n", "first line")
    return process


def status_of(pid):
    return dict(line.split(":\t", 1) for line in read("/proc/%d/status" % pid).splitlines() if ":\t" in line)


@modes("user", "root")
def test_helper_is_confined():
    """No capability, no new privileges, a filter, PID 1 of a PID namespace of its own, no dumps, and closed to its own
    user. Root sees that its root directory is empty, and takes nothing, and which descriptors it has."""
    process = running()
    pid = helper_of(process)
    got = status_of(pid)
    equal(got["CapEff"], "0" * 16)
    equal(got["CapPrm"], "0" * 16)
    equal(got["CapBnd"], "0" * 16)
    equal(got["CapAmb"], "0" * 16)
    equal(got["NoNewPrivs"], "1")
    equal(got["Seccomp"], "2")
    equal(got["NSpid"].split()[-1], "1")
    limits = read("/proc/%d/limits" % pid)
    matches(limits, r"^Max core file size +0 +0 ")
    matches(limits, r"^Max processes +0 +0 ")
    matches(limits, r"^Max file size +0 +0 ")
    place = "/proc/%d/" % pid
    if MODE == "user":
        for name in ("root", "fd", "cwd"):
            try:
                os.listdir(place + name)
                raise Failure("the helper can be looked into: %s" % name)
            except PermissionError:
                pass
    else:
        equal([os.listdir(place + name) for name in ("root", "cwd")], [[], []])
        matches(read(place + "mountinfo"), r"\A\d+ \d+ \S+ / / ro,nosuid,nodev,noexec,\S+ - tmpfs .*\n\Z")
        open_files = [os.readlink(place + "fd/" + name) for name in os.listdir(place + "fd")]
        equal([link for link in open_files if not re.match(r"(/dev/null|(/dev)?/net/tun|(pipe|socket):.*)$", link)], [])
        check(len(open_files) < 12, "descriptors: %s" % open_files)
    process.terminate()
    process.communicate()


def test_helper_killed():
    """Its end ends the box, with a message and nothing left."""
    with World() as w:
        process = running(via=w.via)
        os.kill(helper_of(process), signal.SIGKILL)
        _, err = process.communicate(timeout=20)
        equal(process.returncode, 125)
        contains(err, "error[E-NET-HELPER]: the network helper ended")
        matches(err, r"^  cause: it was killed by signal 9")


def test_helper_ends_with_the_box():
    """No helper is left by a box that ends, however it ends; nor by a launcher that is killed."""
    with World() as w:
        for number in (signal.SIGTERM, signal.SIGKILL):
            process = running(via=w.via)
            pid = helper_of(process)
            process.send_signal(number)
            process.communicate(timeout=20)
            eventually(lambda: not os.path.exists("/proc/%d" % pid) or status_of(pid)["State"][0] in "ZX", "the end of the helper")
        succeeds(*NET, "--", "true", via=w.via)
        equal([p for p in descendants() if read("/proc/%d/comm" % p, "").strip() == "sandbox-net"], [], "helpers")


def install(helper):
    """A copy of the binary with another helper beside it: the text of a script, or None."""
    home = folder("bin")
    binary = os.path.join(home, "sandbox")
    os.link(SANDBOX, binary) if os.stat(SANDBOX).st_dev == os.stat(home).st_dev and os.access(SANDBOX, os.W_OK) else write(
        binary, open(SANDBOX, "rb").read(), 0o755)
    if helper is not None:
        os.makedirs(os.path.join(scratch(), "libexec/sandbox"))
        write(os.path.join(scratch(), "libexec/sandbox/sandbox-net"), "#!/bin/sh\n" + helper, 0o755)
    return binary


@cases(version=("echo ready 99 >&4; sleep 1", "of another version"), silent_end=("exit 3", "ended during its start"),
       last_words=("echo no library >&2; exit 1", "it said: no library"), error=("echo error config bad key >&4", "bad key"),
       userns=("echo error userns it cannot make namespaces >&4", "sandbox doctor"), nonsense=("echo hello >&4", "another version"),
       no_newline=("printf ready >&4", "ended during"), endless=("exec cat /dev/zero >&4", "ended during"))
def test_helper_that_fails(script, text):
    """What a helper may do instead of starting is one clear error."""
    binary = install(script)
    with World() as w:
        done = box.subprocess.run([*w.via, binary, *NET, "--", "true"], capture_output=True, text=True, check=False, cwd=scratch(),
                                  env=box.environment(), timeout=30)
    equal(done.returncode, 125)
    matches(done.stderr, r"error\[E-NET-HELPER\]")
    contains(done.stderr, text)


def test_helper_missing():
    """Said by name, before anything is made."""
    binary = install(None)
    done = box.subprocess.run([binary, *NET, "--", "true"], capture_output=True, text=True, check=False, cwd=scratch(), env=box.environment(), timeout=30)
    if os.path.exists("/usr/local/libexec/sandbox/sandbox-net"):
        return   # installed on this machine
    equal(done.returncode, 125)
    contains(done.stderr, "error[E-NET-HELPER]: cannot find the helper sandbox-net")


def test_helper_that_hangs():
    """5 s and no more."""
    binary = install("exec sleep 1000")
    with World() as w:
        begin = time.monotonic()
        done = box.subprocess.run([*w.via, binary, *NET, "--", "true"], capture_output=True, text=True, check=False, cwd=scratch(),
                                  env=box.environment(), timeout=60)
    check(time.monotonic() - begin < 20, "too late")
    equal(done.returncode, 125)
    contains(done.stderr, "was not ready within 5 s")


# ---------------------------------------------------------------- refusals

@cases(none=("--network", "none"), host=("--network", "host"), share=("--share", "net"), namespace=("--network", "ns:/proc/self/ns/net"))
def test_options_of_user(*network):
    """Options of --network user beside another network contradict it."""
    refused(*network, "--host-port", "80", "--", "true", code="E-CONFLICT", origin="--")
    refused(*network, "--ipv6", "on", "--", "true", code="E-CONFLICT", origin="--")


def test_no_interface():
    """No way to make an interface: both ways are named with their reasons."""
    deny = box.TOOLS + "/deny"
    if not os.path.exists(deny):
        raise box.Skip("tests/tools/deny, built")
    got = sandbox(*NET, "--share", "cgroup", "--", "true", via=(deny, "unshare=EPERM", "--"))
    if got.code == 0:
        return   # by TAP, which does not need it
    equal(got.code, 125)
    contains(got.err, "E-NET-LINK")
    contains(got.err, "/dev/net/tun: ")


# ---------------------------------------------------------------- elsewhere

@modes("user", "root", "userns", "nested")
def test_everywhere():
    """A box with a network of its own starts wherever sandbox does, and has its interface and server."""
    script = "cat /sys/class/net/eth0/mtu; grep nameserver /etc/resolv.conf"
    if MODE == "nested":   # whose outer box lets nobody have a packet socket
        refused(*NET, "--", "sh", "-c", script, code="E-NET-LINK", fix=".*--cap-add NET_RAW")
        return
    got = sh(script, *NET)
    matches(got.out, r"^65520\nnameserver 10\.0\.\d+\.3$")


def test_box_in_a_box():
    """With packet sockets a box in a box has a network of its own, on the next addresses."""
    got = succeeds("-q", "--network", "user", "--nested", "--cap-add", "NET_RAW", "--show", os.path.dirname(os.path.dirname(SANDBOX)), "--",
                   SANDBOX, *NET, "--", "cat", "/etc/hosts")
    contains(got.out, "10.0.3.100\tsandbox\n")


@needs("busybox")
def test_root_directory():
    """In a root directory with root inside: names, and an address to reach."""
    root = box.busybox_root()
    with World() as w:
        got = succeeds(*NET, "--rootfs", root, "--", "/bin/sh", "-c", "cat /etc/hosts /etc/resolv.conf", via=w.via)
        contains(got.out, "10.0.2.100\tsandbox\n")
        contains(got.out, "nameserver 10.0.2.3\n")
    check(not os.path.exists(root + "/etc/resolv.conf") and not os.path.exists(root + "/etc/hosts"), "left in the root directory")


def test_explain():
    """--explain shows what the helper is told; nothing is started."""
    got = succeeds(*NET, "--host-port", "5432", "--explain", "--", "true")
    contains(got.out, "ports=5432-5432/tcp;")
    json.dumps(MODE)


def test_doctor():
    """`sandbox doctor` tries a network, and says what refuses it in the words of the run."""
    def row(binary):
        done = box.subprocess.run([binary, "doctor", "--json"], capture_output=True, text=True, check=False, env=box.environment(),
                                  cwd=scratch(), timeout=120 * box.SLOW)
        return [r for r in json.loads(done.stdout)["checks"] if r["id"] == "network"][0]
    equal(row(SANDBOX)["status"], "ok")
    found = row(install("echo error userns it cannot make namespaces >&4"))
    equal(found["status"], "warn")
    contains(found["detail"], "it cannot make namespaces")
    check(found["fix"], found)
