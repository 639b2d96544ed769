# SPDX-License-Identifier: MIT
"""Limits of the whole box: CPU, memory, CPU time, CPUs, processes; who enforces them, and what the report says of it.
Where the kind of enforcement matters it is asked for by --limits soft, so that the tests mean the same with and without cgroups."""

from box import *

MIB = 1 << 20
SOFT = ("--limits", "soft")

BURN = """
import time
end = time.monotonic() + %s
while time.monotonic() < end: pass
print(time.process_time())
"""

# on its second line the time it waited for a processor, which others had, in ns (sched-stats.rst of the kernel)
WAITED = """
with open("/proc/self/schedstat") as file: print(int(file.read().split()[1]) / 1e9)
"""

# many short lives: what each has used is known to the kernel alone, and to whoever asks it in time
STORM = """
import os, time
end = time.monotonic() + %s
while time.monotonic() < end:
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            stop = time.process_time() + 0.003
            while time.process_time() < stop: pass
            os._exit(0)
        pids.append(pid)
    for pid in pids: os.waitpid(pid, 0)
used = os.times()
print(used.user + used.system + used.children_user + used.children_system)
"""

EAT = "kept = []\nwhile True: kept.append(b'x' * (1 << 20))"


def reported(*args, status=None, **keywords):
    """Runs with --report; returns the last event and the result."""
    path = os.path.join(scratch(), "report.json")
    got = sandbox("--report", path, *args, **keywords)
    if status is not None:
        check(got.code == status, "exit status should be %s\n%s" % (status, got))
    return json.loads(read(path)), got


def started(*args, **keywords):
    """Runs with --status-fd; returns the limits of the `started` event and the result."""
    reading, writing = pipe_pair()
    try:
        got = sandbox("--status-fd", str(writing), *args, pass_fds=(writing,), **keywords)
    finally:
        os.close(writing)
    rows = events(read_fd(reading))
    os.close(reading)
    check(rows and rows[0]["event"] == "started", "no started event: %s\n%s" % (rows, got))
    return rows[0]["limits"], got


def notices(got):
    return [line for line in got.err.splitlines() if line.startswith("sandbox: notice: ") and "running as root" not in line]


def idle():
    """Whether this machine has a whole CPU for a busy program now."""
    begin, used = time.monotonic(), time.process_time()
    while time.monotonic() - begin < 0.3:
        pass
    return time.process_time() - used > 0.3 * 0.9


def accurate(run, low, high):
    """A share of one CPU. Too much is a failure; too little only where nobody else wanted the CPU, and twice."""
    shares = []
    for _ in range(2):
        before = idle()
        shares.append(run())
        check(0 <= shares[-1] <= high, "share %.3f is above %.2f" % (shares[-1], high))
        if shares[-1] >= low or not (before and idle()):
            return
    raise Failure("shares %s on an idle machine, wanted %.2f to %.2f" % (shares, low, high))


# ---------------------------------------------------------------- values

HUGE = "1" + "0" * 30

GOOD = {
    "cpus_half": ("--cpus", "0.5"), "cpus_percent": ("--cpus", "50%"), "cpus_fraction_of_a_percent": ("--cpus", "12.5%"), "cpu": ("--cpu", "150%"),
    "cpus_least": ("--cpus", "1%"), "cpus_most": ("--cpus", "16384"), "cpus_most_percent": ("--cpus", "1638400%"), "cpus_last_wins": ("--cpus", "1%", "--cpu=2"),
    "memory_bytes": ("-m", "67108864"), "memory_short": ("-m64M",), "memory_units": ("--memory", "1GiB"), "memory_percent": ("--memory=50%",),
    "memory_all": ("-m", "100%"), "memory_least": ("-m", "1M"),
    "cpu_time": ("--cpu-time", "10"), "cpu_time_units": ("--cpu-time", "1m30s"), "cpu_time_none": ("--cpu-time", "0"),
    "pids": ("--pids-limit", "1"), "pids_unlimited": ("--pids-limit", "unlimited"), "background": ("--background",), "no_background": ("--background", "--no-background"),
}


@cases(**GOOD)
def test_accepted(*options):
    """Every form of a value that the manual names is taken."""
    got = sandbox(*SOFT, *options, "--", "/bin/true")
    equal((got.code, got.err), (0, ""), "result\n%s\nvalue" % got)


CPUS = r"50%.*half of one CPU.*16384"
SIZE = r"512M.*25%"
BAD = {
    **{"cpus_" + name: ("--cpus", value, CPUS) for name, value in dict(
        zero="0", zero_percent="0%", negative="-1", word="abc", empty="", huge=HUGE, too_many="16385", too_many_percent="1638401%", too_few="0.009",
        four_digits="0.1234", sign="+1", blank=" 1", comma="0,5", hex="0x1", exponent="1e3", two_signs="50%%", nan="nan", inf="inf", trailing="1x").items()},
    **{"memory_" + name: ("-m", value, SIZE) for name, value in dict(
        zero="0", negative="-1", word="abc", empty="", huge=HUGE, kilobyte="1k", below=str(MIB - 1), overflow="9999999999T", zero_percent="0%",
        over_percent="101%", unit="1Q", fraction="1.5G", minus_percent="-5%").items()},
    **{"memory_high_" + name: ("--memory-high", value, SIZE) for name, value in dict(zero="0", word="x", kilobyte="1k", huge=HUGE).items()},
    **{"memory_swap_" + name: ("--memory-swap", value, "unlimited") for name, value in dict(zero="0", word="x", huge=HUGE, small="1k").items()},
    **{"weight_" + name: ("--cpu-weight", value, "1 to 10000") for name, value in dict(
        zero="0", negative="-5", word="abc", over="10001", fraction="1.5", huge=HUGE, empty="").items()},
    **{"cpuset_" + name: ("--cpuset", value, "0-3,5") for name, value in dict(
        empty="", word="a", backwards="3-1", open="0-", negative="-1", hole="0,,1", end="0,", huge=HUGE, too_many="16384", blank="0 1").items()},
    **{"cpu_time_" + name: ("--cpu-time", value, "500ms") for name, value in dict(negative="-1", word="abc", unit="1x", huge=HUGE, empty="").items()},
    **{"pids_" + name: ("--pids-limit", value, "1 to") for name, value in dict(zero="0", negative="-2", word="x", huge=HUGE, empty="").items()},
    **{"io_" + name: ("--io-read", value, "10M.*500iops") for name, value in dict(
        zero="0", negative="-1", word="abc", empty="", huge=HUGE, no_rate="/srv", no_path=":1M", percent="50%", no_iops="0iops").items()},
    **{"limits_" + name: ("--limits", value, "auto, cgroup, soft or off") for name, value in dict(word="hard", empty="", case="AUTO").items()},
}


@cases(**BAD)
def test_refused(option, value, fix):
    """Nonsense is refused before anything runs, and the mend names the forms there are."""
    name = {"-m": "--memory"}.get(option, option)
    refused("%s=%s" % (name, value), "--", "/bin/true", code="E-VALUE", fix=fix, origin=name)


@cases(swap_alone=("--memory-swap", "1G"), swap_below=("-m", "1G", "--memory-swap", "512M"), off_cpus=("--limits", "off", "--cpus", "1"),
       off_memory=("--limits", "off", "-m", "1G"), off_time=("--limits", "off", "--cpu-time", "1"), off_cpuset=("--limits", "off", "--cpuset", "0"))
def test_contradictions(*options):
    """Limits that contradict each other are refused."""
    refused(*options, "--", "/bin/true", code="E-CONFLICT")


@cases(read="--io-read", write="--io-write")
def test_io_without_a_cgroup(option):
    """Rates of a disk need the kernel: where it cannot be had, the run is refused, and never slower by us."""
    refused(*SOFT, option, "1M", "--", "/bin/true", code="E-LIMIT", text=option, origin=option)


@cases(weight=("--cpu-weight", "50"), high=("--memory-high", "64M"), swap=("-m", "64M", "--memory-swap", "128M"))
def test_soft_cannot(*options):
    """What only the kernel can do is refused without it, not ignored."""
    refused(*SOFT, *options, "--", "/bin/true", code="E-LIMIT", text="without a cgroup", origin="--" + options[-2].lstrip("-"))


@cases(weight=("--cpu-weight", "50"), high=("--memory-high", "64M"), rate=("--io-read", "1M"))
def test_no_false_mend(*options):
    """What only the kernel can do is not promised for another namespace: leaving --share pid out does not help it."""
    got = sandbox("--share", "pid", *options, "--", "/bin/true")
    lacks(got.err, "leave --share pid out", "stderr")
    if got.code != 0:
        contains(got.err, "E-LIMIT", "stderr")


def test_limits_off_alone():
    """--limits off without any limit is a plain run."""
    equal(sandbox("--limits", "off", "--", "/bin/true").err, "", "stderr")


# ---------------------------------------------------------------- who enforces

@cases(cpus=("cpu", "--cpus", "50%"), memory=("memory", "-m", "64M"), several=("memory", "--cpus", "50%", "-m", "64M"))
def test_kernel_or_not_at_all(kind, *options):
    """--limits cgroup and --strict: by the kernel and exactly, or refused with the reason and a mend."""
    for demand in (("--limits", "cgroup"), ("--strict",)):
        got = sandbox(*demand, *options, "--", "/bin/true")
        if got.code == 0:
            limits, _ = started(*demand, *options, "--", "/bin/true")
            equal((limits[kind]["by"], limits[kind]["exact"]), ("cgroup", True), "limit")
            equal(notices(got), [], "notices")
        else:
            refused(*demand, *options, "--", "/bin/true", code="E-LIMIT", fix="sandbox doctor", origin="--")
            matches(got.err, r"^  cause: .{10}", "stderr")


@cases(cpus=("cpu", "measuring and pausing", "--cpus", "50%"), memory=("memory", "measuring and killing", "-m", "64M"),
       both=("cpu", "measuring, pausing and killing", "--cpus", "50%", "-m", "64M"))
def test_notice(kind, how, *options):
    """Without the kernel there is one line that says so and how it is done, which -q takes away; with it there is none."""
    limits, got = started(*options, "--", "/bin/true")
    equal(len(notices(got)), 0 if limits[kind]["exact"] else 1, "notices\n%s\nvalue" % got)
    if not limits[kind]["exact"]:
        contains(notices(got)[0], options[0].replace("-m", "--memory"), "notice")
        contains(notices(got)[0], "enforced by %s, not exact" % how, "notice")
    equal(sandbox("-q", *options, "--", "/bin/true").err, "", "stderr with -q")


def test_no_notice_when_asked_for():
    """--limits soft is the user's word: no line is needed."""
    equal(sandbox(*SOFT, "--cpus", "50%", "-m", "64M", "--", "/bin/true").err, "", "stderr")


def test_started_event():
    """The started event has for each limit what was asked, who enforces it and whether exactly."""
    limits, _ = started(*SOFT, "--cpus", "50%", "-m", "64M", "--cpu-time", "90s", "--pids-limit", "64", "--cpuset", str(min(os.sched_getaffinity(0))),
                        "--", "/bin/true")
    equal({name: row["asked"] for name, row in limits.items()},
          {"cpu": 0.5, "memory": 64 * MIB, "cpu-time": 90, "pids": 64, "cpuset": str(min(os.sched_getaffinity(0)))}, "asked")
    equal({name: row["by"] for name, row in limits.items()},
          {"cpu": "soft", "memory": "soft", "cpu-time": "soft", "pids": "rlimit", "cpuset": "affinity"}, "by")
    equal([name for name, row in limits.items() if row["exact"]], ["pids"], "exact")


def test_part_of_the_memory():
    """A percentage is one of the host's memory."""
    limits, _ = started(*SOFT, "-m", "25%", "--", "/bin/true")
    total = int(matches(read("/proc/meminfo"), r"^MemTotal: +(\d+) kB").group(1)) * 1024
    check(abs(limits["memory"]["asked"] - total / 4) < total / 100, "%s of %d" % (limits, total))


def test_defaults_are_silent():
    """A plain run has 4096 processes as its one limit, and says nothing."""
    limits, got = started("--", "/bin/true")
    equal((list(limits), limits["pids"]["asked"], got.err), (["pids"], 4096, ""), "limits")


def test_explain():
    """--explain shows the limits and what takes the kernel's place."""
    got = succeeds("--explain", *SOFT, "--cpus", "50%", "-m", "64M", "--", "/bin/true")
    matches(got.out, r"^  cpu +500 .*soft", "plan")
    matches(got.out, r"^  memory +%d .*soft" % (64 * MIB), "plan")


# ---------------------------------------------------------------- CPU

def test_without_a_limit():
    """The control: a busy program without a limit gets clearly more than the tests below allow."""
    def run():
        return float(py(BURN % 1).out)
    accurate(run, 0.62, 1.1)


@cases(auto=(), soft=SOFT)
def test_half_a_cpu(*options):
    """A busy program at 50 % gets half of one CPU, as it sees itself and as the report says."""
    seconds = 4 if options else 3

    def run():
        last, got = reported("-q", *options, "--cpus", "50%", "--", PYTHON, "-c", BURN % seconds + WAITED, status=0)
        used, waited = map(float, got.lines)
        check(abs(last["share"] - last["cpu_s"] / last["wall_s"]) < 0.01, "share of %s" % last)
        check(abs(last["cpu_s"] - used) < 0.3, "cpu_s %.2f, the program says %s" % (last["cpu_s"], used))
        # it ran, or others did, or it was held
        held = seconds - used - waited
        check(held - 0.3 < last["throttled_s"] < last["wall_s"] - last["cpu_s"] + 0.3, "held for %.2f s, throttled_s of %s" % (held, last))
        return used / seconds
    accurate(run, 0.40, 0.60)


def test_threads_share():
    """Four busy processes at 50 % have half of one CPU together."""
    def run():
        last, _ = reported("-q", *SOFT, "--cpus", "50%", "--", "/bin/sh", "-c",
                           "for i in 1 2 3 4; do %s -c '%s' & done; wait" % (PYTHON, BURN % 2), status=0)
        check(last["pids_peak"] >= 4, "pids_peak of %s" % last)
        return last["cpu_s"] / last["wall_s"]
    accurate(run, 0.38, 0.62)


def test_fork_storm():
    """Many short lives at 50 % are held as well: the time of children counts."""
    def run():
        last, got = reported("-q", *SOFT, "--cpus", "50%", "--", PYTHON, "-c", STORM % 3, status=0)
        return max(float(got.out), last["cpu_s"]) / last["wall_s"]
    accurate(run, 0.36, 0.65)


ONE_CPU = "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); os.execv(sys.argv[1], sys.argv[1:])"


def test_affinity_of_the_start():
    """One CPU is held also where the caller has only one, and the command takes others."""
    check((os.cpu_count() or 1) > 1, "this needs two CPUs")
    program = "import os\nos.sched_setaffinity(0, range(os.cpu_count()))\nfor _ in range(3): os.fork()\n" + BURN % 3
    last, _ = reported("-q", *SOFT, "--cpus", "1", "--", PYTHON, "-c", program + "\nwhile True:\n    try: os.wait()\n    except ChildProcessError: break",
                       via=(PYTHON, "-c", ONE_CPU), status=0)
    check(last["share"] < 1.2 and last["pids_peak"] > 1, "measured, and held: %s" % last)


@needs("busybox", "subids")
def test_other_ids():
    """With ranges of ids a process under another id is held too."""
    root = busybox_root()
    last, _ = reported("-q", *SOFT, "--rootfs", root, "--cpus", "30%", "--timeout", "1500ms", "--", "su", "worker", "-c", "while :; do :; done", status=124)
    check(last["share"] < 0.5, "share of %s" % last)


@cases(timeout=(("--timeout", "300ms"), None, 124), term=((), signal.SIGTERM, 143), kill=((), signal.SIGKILL, -9))
def test_ends_during_a_pause(options, number, status):
    """A box that is paused nearly all the time still ends at once when it is told to."""
    process = start("-q", *SOFT, "--cpus", "2%", *options, "--", "/bin/sh", "-c", "echo ready; while :; do :; done", stdout=subprocess.PIPE)
    equal(read_line(process.stdout.fileno()), "ready", "line")
    begin = time.monotonic()
    if number:
        process.send_signal(number)
    equal(process.wait(TIMEOUT), status, "exit status")
    check(time.monotonic() - begin < 2.5 * SLOW, "took %.1f s" % (time.monotonic() - begin))
    process.stdout.close()


@cases(timeout=(("--timeout", "6s"), None, 124), term=((), signal.SIGTERM, 3))
def test_handler_during_a_pause(options, number, status):
    """What ends a box that is paused for seconds does not wait for the end of the pause: handlers run, also those of other processes of it."""
    process = start("-q", *SOFT, "--cpus", "2%", *options, "--", PYTHON, "-c", """
import os, signal, sys
child = os.fork()
if child == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'handled\\n'), os._exit(0)))
    os.write(1, b'ready\\n')
else:
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(child, signal.SIGTERM), os.waitpid(child, 0), os._exit(3)))
while True: pass""", stdout=subprocess.PIPE)
    equal(read_line(process.stdout.fileno()), "ready", "line")
    time.sleep(1)  # into a debt of seconds
    begin = time.monotonic()
    if number:
        process.send_signal(number)
    equal(process.wait(TIMEOUT), status, "exit status")
    check("handled" in process.stdout.read().decode(), "the handler has run")
    check(time.monotonic() - begin < (2.5 if number else 8) * SLOW, "took %.1f s" % (time.monotonic() - begin))
    process.stdout.close()


def test_stopped_stays_stopped():
    """A process the command has stopped is not set going again by the pauses."""
    got = py("""
import os, signal, time
child = os.fork()
if child == 0:
    while True: pass
def used():
    row = open('/proc/%d/stat' % child).read().rsplit(')', 1)[1].split()
    return row[0], int(row[11]) + int(row[12])
time.sleep(0.1)
os.kill(child, signal.SIGSTOP)
os.waitpid(child, os.WUNTRACED)
before, end = used(), time.monotonic() + 1.2
while time.monotonic() < end: pass
print(before == used(), used()[0])
os.kill(child, signal.SIGCONT)
while used()[1] == before[1]: pass
print(True)
os.kill(child, signal.SIGKILL)
""", "-q", *SOFT, "--cpus", "30%")
    equal(got.out, "True T\nTrue\n", "the stopped child")


@needs("bash")
def test_shell_under_a_limit():
    """An interactive shell at 30 % notices nothing: its jobs run, stop, go on, and no pause is told as `Stopped`."""
    with Terminal(SANDBOX, "-q", *SOFT, "--cpus", "30%", "--", "/bin/bash", "--norc", "--noprofile", "-i") as terminal:
        terminal.send("PS1='box''> '\n")
        terminal.expect(r"box> $")
        terminal.send("%s -c 'import time; e = time.process_time() + 0.3\nwhile time.process_time() < e: pass'; echo status $?\n" % PYTHON)
        quiet = terminal.expect(r"(?s).*^status (\d+)\r.*box> $")
        equal(quiet.group(1), b"0", "status")
        lacks(quiet.group(0).decode(), "Stopped", "terminal")
        terminal.send("sh -c 'while :; do :; done'\n")
        terminal.expect(r"done'\r\n")
        eventually(lambda: in_foreground(terminal.process.pid, "sh -c while"), "the job runs in the foreground")
        terminal.send("\x1a")
        terminal.expect(r"Stopped")
        terminal.expect(r"box> $")
        terminal.send("bg; sleep 0.4; jobs\n")
        terminal.expect(r"Running +sh -c")
        terminal.expect(r"box> $")
        terminal.send("fg\n")
        terminal.expect(r"^sh -c.*\r")
        eventually(lambda: in_foreground(terminal.process.pid, "sh -c while"), "the job is in the foreground again")
        terminal.send("\x03")
        terminal.expect(r"box> $")
        terminal.send("echo status $?\n")
        terminal.expect(r"^status 130\r")
        terminal.expect(r"box> $")
        terminal.send("exit 3\n")
        equal(terminal.wait(), 3, "exit status")
        lacks(terminal.seen.decode(errors="replace"), "Stopped", "terminal")


FIND = """
import os
others = [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]
"""


@cases(named="[os.kill(p, 9) for p in others]", all="os.kill(-1, 9)")
def test_limiter_killed(kill):
    """A command that kills the process which limits it, where Landlock does not keep it from that, ends its own box: a limit never just goes away."""
    got = refused("-q", "--landlock", "off", *SOFT, "--cpus", "50%", "-m", "1G", "--", PYTHON, "-c", FIND + kill + "\nwhile True: pass", code="E-LIMIT", text="limit")
    lacks(got.err, "sandbox(1)", "stderr")   # the page of limits is another


@cases(cpu=("--cpus", "20%"), memory=("-m", "1G"), time=("--cpu-time", "100s"), root=("--cpus", "20%", "--userns", "root"))
def test_limiter_blinded(*options):
    """A command that keeps the process which limits it from opening files ends its own box: nobody runs uncounted."""
    got = refused("-q", *SOFT, *options, "--", PYTHON, "-c", FIND + "import resource\n[resource.prlimit(p, resource.RLIMIT_NOFILE, (0, 0)) for p in others]\nwhile True: pass",
                  code="E-LIMIT", text="cannot look at the box")
    contains(got.err, "cause: ", "stderr")


@cases(plain=(), root=("--userns", "root"))
def test_limiter_not_starved(*options):
    """The command can give the process which limits it no other CPUs, class or priority, also where both hold CAP_KILL."""
    got = py(FIND + """
for p in others:
    for name, act in (("affinity", lambda: os.sched_setaffinity(p, {min(os.sched_getaffinity(0))})), ("class", lambda: os.sched_setscheduler(p, os.SCHED_IDLE, os.sched_param(0))),
                      ("nice", lambda: os.setpriority(os.PRIO_PROCESS, p, 19))):
        try: act(); print(name, "was set")
        except OSError as error: print(name, error.errno)
""", "-q", *SOFT, *options, "--cpus", "80%")
    equal(got.out, "affinity 1\nclass 1\nnice 1\n", "what the command could do")


@needs("landlock6")
def test_limiter_out_of_reach():
    """The limiter stands outside of the box's Landlock domain: the command can neither kill nor stop it."""
    def run():
        return float(py(FIND + """
for number in (9, 19, 15):
    for p in others:
        try: os.kill(p, number); raise SystemExit('signalled')
        except PermissionError: pass
    signal = __import__('signal'); signal.signal(15, signal.SIG_IGN)
    if number == 15: os.kill(-1, number)
""" + BURN % 1.5, "-q", *SOFT, "--cpus", "30%").out) / 1.5
    accurate(run, 0, 0.55)


def test_limiter_stopped():
    """Stopping the limiter does not take the limit away."""
    def run():
        return float(py(FIND + "[os.kill(p, 19) for p in others]" + BURN % 1.5, "-q", "--landlock", "off", *SOFT, "--cpus", "30%").out) / 1.5
    accurate(run, 0, 0.55)


@needs("unshare")
@cases(cpus=("--cpus", "5%"), memory=("-m", "32M"), time=("--cpu-time", "300ms"))
def test_nobody_else(*options):
    """With --share pid no process outside of the box is paused or killed: there the soft limiter is refused. (In a PID namespace of its own.)"""
    program = "import time\ne = time.monotonic() + 1\nx = []\nwhile time.monotonic() < e: x.append(b'x' * 100000); x = x[:1000]"
    script = """
%s -c 'import time
e = time.monotonic() + 1.2
while time.monotonic() < e: pass
print("bystander", time.process_time() > 0.2)' & b=$!
"$SANDBOX" -q --cwd none --share pid %s -- %s -c "$1"; echo "status $?"
wait $b; echo "bystander's $?" """ % (PYTHON, " ".join(options), PYTHON)
    done = subprocess.run(["unshare", "-Urmpf", "--kill-child", "--mount-proc", "/bin/sh", "-c", script, "sh", program], cwd=scratch(),
                          env=environment({"SANDBOX": SANDBOX}), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
    out = done.stdout.decode()
    contains(out, "bystander's 0\n", "output (and %r)" % done.stderr)
    if "status 125" not in out:   # not refused: then it must have been held alone
        contains(out, "bystander True\n", "output (and %r)" % done.stderr)


STUBBORN = "trap '' TERM; while :; do :; done"


@everywhere
@cases(alone=(), soft=(*SOFT, "--cpus", "10%", "-m", "64M"))
def test_figures_of_a_killed_box(*options):
    """A box that --timeout has to kill has its figures all the same: of the command, and of what it has left in the background."""
    last, _ = reported("-q", *options, "--timeout", "500ms", "--", "/bin/sh", "-c", "(%s) & %s" % (STUBBORN, STUBBORN), status=124)
    equal((last["reason"], last["signal"]), ("timeout", 9), "the end %s" % last)
    check(last["cpu_s"] > 0.03, "cpu_s of %s" % last)   # it was at it for two seconds, perhaps on a busy machine; the start has 0.01
    if options:
        check(last["memory_peak"] > 0 and last["pids_peak"] >= 2, "figures of %s" % last)
        check(last["throttled_s"] > 0 or last["share"] < 0.1, "throttled_s of %s" % last)


def test_figures_of_a_killed_box_whose_launcher_is_stopped():
    """The same where the launcher was stopped meanwhile, and PID 1 had to hold --timeout itself."""
    path = os.path.join(scratch(), "report.json")
    process = start("-q", "--report", path, *SOFT, "-m", "64M", "--timeout", "300ms", "--", "/bin/sh", "-c", "echo ready; " + STUBBORN, stdout=subprocess.PIPE)
    equal(read_line(process.stdout.fileno()), "ready", "line")
    process.send_signal(signal.SIGSTOP)
    process.stdout.close()
    box = read("/proc/%d/task/%d/children" % (process.pid, process.pid)).split()[0]
    eventually(lambda: read("/proc/%s/stat" % box).rsplit(")", 1)[1].split()[0] == "Z", "the box has ended")
    process.send_signal(signal.SIGCONT)
    equal(process.wait(TIMEOUT), 124, "exit status")
    last = json.loads(read(path))
    equal(last["reason"], "timeout", "reason")
    check(last["cpu_s"] > 0.03 and last["memory_peak"] > 0, "figures of %s" % last)


# ---------------------------------------------------------------- CPU time

@everywhere
def test_cpu_time():
    """--cpu-time ends the box with 124, one line and the reason."""
    last, got = reported("-q", "--cpu-time", "500ms", "--", "/bin/sh", "-c", "while :; do :; done", status=124)
    equal((last["reason"], last["code"]), ("cpu-time", 124), "report\n%s\nvalue" % got)
    check(0.45 <= last["cpu_s"] <= 0.9 * SLOW, "cpu_s %s" % last)
    lines = [line for line in got.err.splitlines() if "running as root" not in line]
    equal(len(lines), 1, "lines\n%s\nvalue" % got)
    matches(lines[0], r"^sandbox: out of CPU time: .*--cpu-time", "stderr")


def test_cpu_time_of_all():
    """It is the time of all processes together, those that have ended included."""
    last, _ = reported("-q", "--cpu-time", "600ms", "--", PYTHON, "-c", STORM % 1000, status=124)
    check(0.5 <= last["cpu_s"] <= 1.2 * SLOW, "cpu_s %s" % last)


def test_cpu_time_does_not_count_waiting():
    """Sleeping costs nothing."""
    equal(sandbox("--cpu-time", "300ms", "--", "/bin/sleep", "0.6").code, 0, "exit status")


# ---------------------------------------------------------------- memory

def untouched():
    """A process of the same user outside that holds more than the limit."""
    program = "import os\nx = b'x' * (96 << 20)\nos.write(1, b'ready\\n')\nos.read(0, 1)\nprint(len(x))"
    other = subprocess.Popen([PYTHON, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    equal(read_line(other.stdout.fileno()), "ready", "line")
    return other


@everywhere
@cases(auto=(), soft=SOFT)
def test_memory_eater(*options):
    """A program that wants ever more is killed by its limit: 137, reason oom, one line even with -q, and nobody else is."""
    other = untouched()
    try:
        last, got = reported("-q", *options, "-m", "64M", "--", PYTHON, "-c", EAT, status=137)
    finally:
        held = other.communicate(b"\n", TIMEOUT)[0]
    equal((last["reason"], last["code"], last["signal"]), ("oom", 137, 9), "report\n%s\nvalue" % got)
    check(60 * MIB <= last["memory_peak"] <= 256 * MIB, "memory_peak %s" % last)
    lines = [line for line in got.err.splitlines() if "running as root" not in line]
    equal(len(lines), 1, "lines\n%s\nvalue" % got)
    matches(lines[0], r"^sandbox: out of memory: .*\b64(\.0)?\sMiB .*peak \d+.*--memory", "stderr")
    equal(held, b"%d\n" % (96 * MIB), "the other process")


def test_memory_report_is_whole():
    """The figures of a box that was killed for its memory are those of the box, not of what was left of it."""
    last, _ = reported("-q", *SOFT, "-m", "64M", "--", PYTHON, "-c", EAT, status=137)
    check(last["cpu_s"] >= 0.005, "cpu_s %s" % last)


def test_memory_within():
    """What stays within is left alone, and its peak is told."""
    program = "import os, time\nx = b'x' * (40 << 20)\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass"
    last, _ = reported("-q", *SOFT, "-m", "96M", "--", PYTHON, "-c", program, status=0)
    check(40 * MIB <= last["memory_peak"] <= 70 * MIB, "memory_peak %s" % last)


def test_memory_of_all():
    """The limit is for all processes together."""
    program = "import os, time\nfor _ in range(3):\n    if os.fork() == 0:\n        x = b'x' * (30 << 20)\n        time.sleep(1000)\ntime.sleep(1000)"
    last, _ = reported("-q", *SOFT, "-m", "64M", "--", PYTHON, "-c", program, status=137)
    equal(last["reason"], "oom", "reason")


def test_memory_shared_counts_once():
    """Memory that processes share after a fork counts once."""
    program = "import os, time\nx = b'x' * (40 << 20)\nfor _ in range(6):\n    if os.fork() == 0:\n        time.sleep(0.5)\n        os._exit(0)\nwhile True:\n" \
              "    try: os.wait()\n    except ChildProcessError: break"
    last, _ = reported("-q", *SOFT, "-m", "96M", "--", PYTHON, "-c", program, status=0)
    equal(last["reason"], "exited", "reason")


@needs("busybox", "subids")
@cases(fits=("echo ok", 0), too_much=("dd if=/dev/zero of=/dev/null bs=1100M count=1000", 137))
def test_rootfs(script, status):
    """`--rootfs DIR --memory 1G -- sh`: a root directory with its ranges of ids under a limit; one line at most for what was asked."""
    root = busybox_root()
    got = sandbox("--rootfs", root, "--memory", "1G", "--", "sh", "-c", script)
    equal(got.code, status, "exit status\n%s\nvalue" % got)
    for line in notices(got):
        contains(line, "--memory", "notice")   # the number of processes was not asked for
    check(len(notices(got)) <= 1, "more than one notice\n%s" % got)
    if status == 0:
        equal(got.out, "ok\n", "stdout")


# ---------------------------------------------------------------- which CPUs, and when

def test_cpuset():
    """--cpuset: the command and its children run on these CPUs alone."""
    cpu = max(os.sched_getaffinity(0))
    got = py("import os, subprocess; print(os.sched_getaffinity(0), flush=True); os.system('nproc')", "-q", "--cpuset", str(cpu))
    equal(got.out.split(), ["{%d}" % cpu, "1"], "CPUs")


def test_cpuset_list():
    """A list with ranges is taken as it is."""
    have = sorted(os.sched_getaffinity(0))
    got = py("import os; print(sorted(os.sched_getaffinity(0)))", "-q", "--cpuset", ",".join("%d-%d" % (n, n) for n in have))
    equal(got.out, "%r\n" % have, "CPUs")


def test_cpuset_absent():
    """CPUs that are not here are refused."""
    refused("-q", *SOFT, "--cpuset", "1000", "--", "/bin/true", code="E-LIMIT", text="1000", origin="--cpuset")


def test_background():
    """--background: the command and its children have the scheduling class SCHED_IDLE; the caller keeps its own."""
    got = py("import os; print(os.sched_getscheduler(0), flush=True); os.fork() or os._exit(print(os.sched_getscheduler(0), flush=True) or 0); os.wait()", "--background")
    equal(got.out, "5\n5\n", "scheduling class")
    equal(os.sched_getscheduler(0), 0, "our own class")


def test_no_background():
    """Without it the class is the caller's."""
    equal(py("import os; print(os.sched_getscheduler(0))").out, "%d\n" % os.sched_getscheduler(0), "scheduling class")


# ---------------------------------------------------------------- processes

@cases(alone=(), cpu=(*SOFT, "--cpus", "80%"), memory=(*SOFT, "-m", "512M"))
def test_fork_bomb_stops(*options):
    """A bounded fork bomb gets exactly as many processes as asked for, whoever else is in the box to watch it."""
    got = sandbox("-q", *options, "--pids-limit", "20", "--", PYTHON, "-c", """
import os, time
n = 1
try:
    while n < 200:
        if os.fork() == 0:
            time.sleep(1000)
        n += 1
except OSError as error:
    print(n, error.errno)
""")
    equal(got.out, "20 11\n", "processes\n%s\nvalue" % got)


@everywhere
def test_processes_of_root():
    """The kernel counts none of root's processes: a number that was asked for is refused without a cgroup, the default claims nothing. Anybody else is counted."""
    if MODE == "root":
        refused(*SOFT, "--pids-limit", "20", "--", "/bin/true", code="E-LIMIT", text="without a cgroup", fix="--limits soft", origin="--pids-limit")
        got = sandbox("--pids-limit", "20", "--", "/bin/true")   # by a cgroup, if there is one
        check(got.code == 0 or "fix: run it as an ordinary user" in got.err, "the mend\n%s" % got)
        wanted = ("nobody", False)
    else:
        wanted = ("rlimit", True)
    limits, _ = started("-q", *SOFT, "--", "/bin/true")
    equal((limits["pids"]["by"], limits["pids"]["exact"]), wanted, "the default")


# ---------------------------------------------------------------- several at once

def test_all_at_once():
    """Every limit at once: all hold, and none is in another's way."""
    cpu = max(os.sched_getaffinity(0))
    last, got = reported("-q", *SOFT, "--cpus", "50%", "-m", "256M", "--cpu-time", "100", "--cpuset", str(cpu), "--pids-limit", "8", "--nice", "5",
                         "--ulimit", "nofile=64", "--timeout", "60", "--", PYTHON, "-c", """
import os, resource
print(sorted(os.sched_getaffinity(0)), os.nice(0), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
n = 1
try:
    while n < 50:
        if os.fork() == 0: os.read(os.pipe()[0], 1)
        n += 1
except OSError: print(n, flush=True)
""" + BURN % 1.5, status=0)
    equal(got.out.splitlines()[:2], ["[%d] 5 64" % cpu, "8"], "what the command saw")
    check(last["share"] < 0.7, "share of %s" % last)
    check(7 <= last["pids_peak"] <= 9, "pids_peak of %s" % last)


@cases(memory=(("--cpu-time", "100s"), EAT, 137, "oom"), time=(("--cpu-time", "200ms"), "while True: pass", 124, "cpu-time"),
       timeout=(("--timeout", "400ms"), "while True: pass", 124, "timeout"), itself=((), "raise SystemExit(9)", 9, "exited"))
def test_first_one_wins(options, program, status, reason):
    """Of several limits the one that was reached is told."""
    last, _ = reported("-q", *SOFT, "--cpus", "90%", "-m", "64M", *options, "--", PYTHON, "-c", program, status=status)
    equal(last["reason"], reason, "reason of %s" % last)


def test_boxes_do_not_meet():
    """Six boxes with limits of their own at once: each ends by its own."""
    running = [start("-q", *SOFT, "--cpus", "20%", "-m", "48M", "--", PYTHON, "-c", "import sys; print('up', flush=True)\n" + (EAT if i % 2 else "sys.exit(%d)" % i),
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for i in range(6)]
    equal([process.wait(TIMEOUT) for process in running], [0, 137, 2, 137, 4, 137], "exit status")
