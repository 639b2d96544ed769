# SPDX-License-Identifier: MIT
"""--network user on the distributions' own kernels: by a TAP, as everybody may open /dev/net/tun there, and
by a veth pair with that closed."""

import json

from box import SANDBOX, check, same

# The outside, 198.51.100.1, a network namespace with a server that says hello; and a name server on the
# host's loopback, as systemd-resolved is: everything is net.example.test.
WORLD = r"""
set -e
cp /host/lib/libslirp.so.0 /usr/lib/x86_64-linux-gnu/
ip netns add net
ip link add host0 type veth peer name net0 netns net
ip addr add 198.51.100.2/24 dev host0; ip link set host0 up; ip route replace default via 198.51.100.1
ip -n net addr add 198.51.100.1/24 dev net0; ip -n net link set net0 up; ip -n net link set lo up
umount /etc/resolv.conf 2>/dev/null || :
rm -f /etc/resolv.conf; echo nameserver 127.0.0.53 >/etc/resolv.conf
cat >/tmp/serve.py <<'END'
import os, socket, sys
if sys.argv[1] == 'names':
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.53', 53))
else:
    s = socket.create_server(('198.51.100.1', 7000))
if os.fork():
    os._exit(0)
while sys.argv[1] == 'names':
    data, peer = s.recvfrom(4096)
    end = data.index(b'\0', 12) + 5
    a = data[end - 4:end - 2] == b'\0\1'
    s.sendto(data[:2] + b'\x81\x80\0\1\0' + (b'\1' if a else b'\0') + b'\0\0\0\0' + data[12:end] +
             (b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\1' if a else b''), peer)
while True:
    peer, _ = s.accept()
    peer.sendall(b'hello')
    peer.close()
END
python3 /tmp/serve.py names </dev/null >/dev/null 2>&1
ip netns exec net python3 /tmp/serve.py hello </dev/null >/dev/null 2>&1
"""

CLIENT = """python3 -c "
import os, socket
def get(host, port):
    try:
        return socket.create_connection((host, port), 20).recv(9).decode()
    except socket.gaierror:
        return 'no name'
    except OSError as fault:
        return os.strerror(fault.errno)
print('tap' if os.path.exists('/sys/class/net/eth0/tun_flags') else 'veth', get('net.example.test', 7000), '/', get('other.test', 7000), '/', get('127.0.0.53', 53))
" """

# A server in the box, met from the host.
PUBLISHED = """cd /tmp && %s -q --network user -p 127.0.0.1:18080:80 -- python3 -c "
import socket
s = socket.create_server(('', 80))
peer = s.accept()[0]
peer.sendall(b'from the box')
peer.close()
" & python3 -c "
import socket, time
while True:
    try:
        text = socket.create_connection(('127.0.0.1', 18080), 20).recv(99).decode()
        if text:
            break
    except OSError:
        time.sleep(0.02)
print(text)
"; wait""" % SANDBOX


def by(guest, link):
    """All of it, by one kind of interface."""
    command = "cd /tmp && %s -q %%s -- %s" % (SANDBOX, CLIENT)
    same(guest.ok(command % "--network user"), link + " hello / hello / Connection refused", "a network")
    same(guest.ok(command % "--allow net.example.test:7000"), link + " hello / no name / Connection refused", "rules by name")
    same(guest.ok(PUBLISHED), "from the box", "a published port")
    rows = {row["id"]: row for row in json.loads(guest.ok(SANDBOX + " doctor --json"))["checks"]}
    check(rows["network"]["detail"].endswith("by a TAP" if link == "tap" else "by a veth pair"), rows["network"])
    same(rows["dns"]["detail"], "names are asked of 127.0.0.53", "doctor's name servers")


def test_tap(guest):
    """Out by name through 127.0.0.53, a rule by name, a published port, by a TAP."""
    guest.ok(WORLD, "root")
    by(guest, "tap")


def test_veth(guest):
    """The same with /dev/net/tun closed."""
    guest.ok(WORLD + "chmod 600 /dev/net/tun\n", "root")
    by(guest, "veth")
