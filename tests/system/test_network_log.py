# SPDX-License-Identifier: MIT
"""What the box's network has refused, as its user learns of it: --net-log, the report, a notice."""

import fcntl
import json
import os
import re
import subprocess

from box import PYTHON, cases, check, contains, equal, lacks, matches, py, read, refused, sandbox, scratch, start, succeeds, write
import world
from test_network import CLIENT
from test_network_rules import LOOK_UP, SPEAK
from world import World

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


def run(script, *options, resolv=None):
    """A client in a box of a world of its own, with a log and a report; returns its result, the log's lines and the
    report's part about the network."""
    log, report = scratch() + "/log", scratch() + "/report"
    with (World(resolv) if resolv else World()) as w:
        got = py(CLIENT + script, "--network", "user", "--net-log", log, "--report", report, *options, via=w.via)
    lines = read(log).splitlines()
    for line in lines:
        matches(line, "^" + TIME)
    return got, [line.split(" ", 1)[1] for line in lines], json.loads(read(report))["network"]


def test_reasons():
    """Each refusal is a line with protocol, destination, name and reason."""
    got, lines, network = run(LOOK_UP + """
name('b.example.test'), name('c.example.test'), name('lan.example.test'), name('host.example.test'), name('evil.net')
why(%(OTHER4)r, %(COUNT)d), why(%(NET4)r, %(ECHO)d), udp(%(OTHER4)r, %(HTTPS)d), udp(%(NET4)r, 53), why(%(HOST4)r, %(ANY)d)
why('169.254.169.254', 80), why(%(LAN4)r, %(ECHO)d), why(%(GATEWAY)r, 22), why(%(NET6)r, %(ECHO)d)
""" % vars(world), "--deny", "tcp://10.66.0.0/16:7000,7003-7004", "--allow", "*.example.test:80,443,%d" % world.ECHO, "--deny", "lan")
    for line in ("tcp 198.51.100.3:7001 b.example.test no --allow for it", "tcp 198.51.100.1:7000 - no --allow for it",
                 "udp 198.51.100.3:443 b.example.test QUIC, under a rule with a name",
                 "udp 198.51.100.1:53 - another name server than the box's, under rules with names",
                 "tcp 198.51.100.2:9999 - an address of the host",
                 "tcp 169.254.169.254:80 - loopback, link-local, metadata, multicast or reserved",
                 "tcp 10.66.0.1:7000 - --deny tcp://10.66.0.0/16:7000,7003-7004",
                 "tcp 10.0.2.2:22 - a port of the host that --host-port does not name",
                 "tcp [2001:db8:1::1]:7000 - no --allow for it",
                 "dns - lan.example.test the name leads to 10.66.0.1: a private network",
                 "dns - host.example.test the name leads to 198.51.100.2: an address of the host",
                 "dns - evil.net no --allow for this name"):
        check(line in lines, "not in the log: %s\n%s" % (line, "\n".join(lines)))
    lacks(got.err, "refused")
    rows = {(row["to"], row.get("port")): row for row in network["refused"]}
    equal(rows["198.51.100.3", 7001], {"to": "198.51.100.3", "proto": "tcp", "port": 7001, "name": "b.example.test", "count": 1,
                                       "why": "no --allow for it"})
    equal((rows["evil.net", None]["proto"], network["more"]), ("dns", 0))


def test_other_server():
    """A connection that asks for another server is told by the name that it asked for."""
    _, lines, _ = run(SPEAK + """
name('b.example.test')
speak(%(OTHER4)r, %(HTTPS)d, hello('a.example.test')), speak(%(OTHER4)r, %(HTTP)d, request('c.example.test')), speak(%(OTHER4)r, %(HTTPS)d, b'SSH-2.0-x')
""" % vars(world), "--allow", "b.example.test")
    equal(lines, ["tcp 198.51.100.3:443 a.example.test it asks for this server, which is not allowed at this address",
                  "tcp 198.51.100.3:80 c.example.test it asks for this server, which is not allowed at this address",
                  "tcp 198.51.100.3:443 b.example.test it names no server, in TLS or HTTP"])


def test_flood():
    """A flood of refusals becomes twenty lines a second and one that counts the rest; the report counts them all, and is
    bounded by destinations."""
    _, lines, network = run("""
for n in range(3000):
    why(%(NET4)r, 20000 + n %% 1500)
time.sleep(1.1)
why(%(NET4)r, 19999)
""" % vars(world), "--deny", "198.51.100.1")
    check(len(lines) < 500, "%d lines" % len(lines))
    more = sum(int(re.search(r"(\d+) more within a second$", line)[1]) for line in lines if line.startswith("- - - "))
    equal(more + len([l for l in lines if not l.startswith("-")]), 3001, "lines, and those that were not written")
    check(len(network["refused"]) == 100, "%d rows" % len(network["refused"]))
    equal(sum(row["count"] for row in network["refused"]) + network["more"], 3001)


def test_names_are_quoted():
    """Names that a box makes up forge no line, neither of the log nor of the terminal."""
    _, lines, network = run(r"""
label = b'x\n\x1b[2J" y\xff'
question = bytes([len(label)]) + label + b'\4evil\0\0\1\0\1'
udp(%(DNS)r, 53, struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + question)
""" % vars(world), "--allow", "b.example.test")
    equal(lines, ['dns - x??[2j"?y?.evil no --allow for this name'])
    equal(network["refused"][0]["to"], 'x??[2j"?y?.evil')


def test_notice():
    """Without a log one notice at the end tells of it, unless -q; none where nothing was refused."""
    with World() as w:
        def err(script, *options):
            got = py(script, "--cwd", "none", *options, via=w.via)
            return got.err

        refuses, allowed = (CLIENT + "why(%r, %d)\nwhy(%r, %d)\n" % (world.LAN4, port, world.LAN4, port) for port in (world.ECHO, world.COUNT))
        equal(err(refuses, "--deny", "lan:%d" % world.ECHO), "sandbox: notice: the box's network refused 2 times: tcp 10.66.0.1:7000: --deny lan:7000\n")
        equal(err(allowed, "--deny", "lan:%d" % world.ECHO), "")
        equal(err(refuses, "-q", "--deny", "lan"), "")
        equal(err(refuses + "why(%r, 1)" % world.LAN4, "--deny", "lan"),
              "sandbox: notice: the box's network refused 3 times: tcp 10.66.0.1:7000: --deny lan; and 1 other (--net-log FILE has it)\n")


def test_where():
    """The log is appended to, is the caller's standard error with -, and follows a link of his; what cannot be written is
    told before the command starts."""
    script = CLIENT + "why(%r, %d)" % (world.LAN4, world.ECHO)
    log = scratch() + "/log"
    write(log, "before\n")
    os.symlink(log, scratch() + "/link")
    with World() as w:
        py(script, "--cwd", "none", "--deny", "lan", "--net-log", scratch() + "/link", via=w.via)
        matches(read(log), r"^before\n%stcp 10\.66\.0\.1:7000 - --deny lan\n$" % TIME)
        matches(py(script, "--cwd", "none", "--deny", "lan", "--net-log", "-", via=w.via).err, "^%stcp 10" % TIME)
    os.mkfifo(scratch() + "/pipe")
    for path, says in (("/nonexistent/log", "No such file"), ("/usr", "Is a directory"), (scratch() + "/pipe", "nobody reads")):
        contains(refused("--network", "user", "--net-log", path, "--", "true", code="E-FILE").err, says)


@cases(none=("--network", "none"), host=("--network", "host"), unsaid=())
def test_without_a_network(*options):
    """Where nothing is refused by anybody there is no log."""
    refused(*options, "--net-log", "-", "--", "true", code="E-CONFLICT")


def test_report_without_refusals():
    """The report says so where nothing was refused, and has no such part without a network of the box's own."""
    report = scratch() + "/report"
    with World() as w:
        succeeds("--network", "user", "--report", report, "--", "true", via=w.via)
    equal(json.loads(read(report))["network"], {"refused": [], "more": 0})
    sandbox("--report", report, "--", "true")
    check("network" not in json.loads(read(report)), "a network in the report")


@cases(stderr="-", descriptor="/dev/fd/%d")
def test_reader_that_does_not_read(log):
    """A log that nobody reads costs its lines, and not the time that the box was given; the descriptor's flags stay."""
    there, here = os.pipe()
    fcntl.fcntl(here, fcntl.F_SETPIPE_SZ, 4096)
    with World() as w:
        process = start("-q", "--timeout", "3s", "--deny", "198.51.100.1", "--net-log", log % here if "%" in log else log, "--", PYTHON, "-c",
                        CLIENT + "while True: why(%r, %d)" % (world.NET4, world.ECHO), via=w.via, pass_fds=(here,),
                        stdout=subprocess.DEVNULL, stderr=here if log == "-" else subprocess.DEVNULL)
        try:
            equal(process.wait(20), 124, "exit status")
        finally:
            process.kill()
    check(not fcntl.fcntl(here, fcntl.F_GETFL) & os.O_NONBLOCK, "the caller's descriptor does not block")
    os.close(here)
    with open(there, encoding="utf-8") as pipe:
        lines = pipe.read().splitlines()
    check(len(lines) > 20, "%d lines" % len(lines))
    for line in lines:
        matches(line, "^" + TIME + "(tcp 198.51.100.1:7000 - --deny 198.51.100.1/32|- - - [0-9]+ more .*)$")
