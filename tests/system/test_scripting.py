# SPDX-License-Identifier: MIT
"""What scripts use: status and ready descriptors, reports, pidfile, --explain."""

from box import *

EXIT_KEYS = {"v", "event", "code", "signal", "reason", "cpu_s", "wall_s", "peak_rss"}
ERROR_KEYS = {"v", "event", "code", "errno", "stage", "what", "cause", "fix", "origin"}


@everywhere
def test_status_fd():
    """--status-fd: one JSON object a line, `started` then `exit`."""
    rows, got = with_status("--", "/bin/sh", "-c", "exit 3")
    equal([row["event"] for row in rows], ["started", "exit"], "events\n%s\nvalue" % got)
    for row in rows:
        equal(row["v"], 1, "version")
    check(rows[0]["pid"] > 0, "pid: %s" % rows[0])
    equal(rows[0]["backend"], "namespaces", "backend")
    check(EXIT_KEYS <= set(rows[1]), "keys: %s" % rows[1])
    equal((rows[1]["code"], rows[1]["signal"], rows[1]["reason"]), (3, 0, "exited"), "exit")


@cases(default=((), "default"), widened=(("--cap-add", "sys_time"), "default"), nested=(("--nested",), "default"),
       multiarch=(("--multiarch",), "default"), strict=(("--seccomp", "strict"), "own"), denied=(("--seccomp-deny", "swapon"), "own"),
       off=(("--seccomp", "off"), "off"), off_but=(("--seccomp", "off", "--seccomp-deny", "swapon"), "own"))
def test_started_filter(options, word):
    """The started event says which system call filter the command has."""
    os.mkdir(scratch() + "/cache")
    rows, got = with_status("-q", *options, "--", "/bin/true", env={"XDG_CACHE_HOME": scratch() + "/cache"})
    check(rows and rows[0].get("filter") == word, "filter: %s\n%s" % (rows, got))


@cases(signaled=(("--", "/bin/sh", "-c", "kill -TERM $$"), 143, 15, "signaled"), timeout=(("--timeout", "200ms", "--", "/bin/sleep", "100"), 124, None, "timeout"),
       zero=(("--", "/bin/true"), 0, 0, "exited"), own_125=(("--", "/bin/sh", "-c", "exit 125"), 125, 0, "exited"))
def test_exit_event(args, code, number, reason):
    """The exit event says code, signal and reason; a command's own 125 is told from ours."""
    rows, got = with_status(*args)
    last = rows[-1]
    equal(got.code, code, "exit status")
    equal((last["event"], last["code"], last["reason"]), ("exit", code, reason), "event")
    if number is not None:
        equal(last["signal"], number, "signal")


def test_error_event():
    """A refused run gives one `error` object with code, errno, stage, cause, fix and origin."""
    rows, _ = with_status("-v", "/nonexistent:/x", "--", "/bin/true")
    equal(len(rows), 1, "events")
    check(ERROR_KEYS <= set(rows[0]), "keys: %s" % rows[0])
    equal((rows[0]["event"], rows[0]["code"], rows[0]["errno"]), ("error", "E-SOURCE", 2), "event")
    contains(rows[0]["what"], "/nonexistent", "what")
    contains(str(rows[0]["origin"]), "--volume", "origin")


def test_error_event_of_a_missing_command():
    """A command that is not found is an error event too, with status 127."""
    rows, got = with_status("--", "nosuchcommand")
    equal(got.code, 127, "exit status")
    equal([row["event"] for row in rows if row["event"] != "started"], ["error"], "events")
    equal(rows[-1]["code"], "E-NOT-FOUND", "code")


def test_limits_in_started():
    """`started` lists each limit with what was asked, by what means, and whether it is exact."""
    rows, _ = with_status("--pids-limit", "50", "--", "/bin/true")
    limit = rows[0]["limits"]["pids"]
    equal((limit["asked"], limit["by"]), (50, "rlimit"), "pids")
    check(isinstance(limit["exact"], bool), "exact: %s" % limit)


def test_usage_is_counted():
    """CPU time of all the box's processes, wall time and peak memory are in the exit event."""
    rows, _ = with_status("--", "/bin/sh", "-c", "(x=0; while test $x -lt 200000; do x=$((x+1)); done) & wait")
    last = rows[-1]
    check(0.02 < last["cpu_s"] < 30, "cpu_s: %s" % last)
    check(last["wall_s"] >= last["cpu_s"] / 4, "wall_s: %s" % last)
    check(1 << 18 < last["peak_rss"] < 1 << 32, "peak_rss: %s" % last)


def test_status_fd_is_not_passed():
    """The command does not get the status descriptor."""
    rows, got = with_status("--", PYTHON, "-c", "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd')))")
    check(set(eval(got.out)) <= {0, 1, 2, 3}, "descriptors: %s" % got.out)
    equal(rows[-1]["code"], 0, "code")


def test_status_fd_with_a_closed_reader():
    """A reader that went away does not kill the run."""
    reading, writing = pipe_pair()
    os.close(reading)
    got = sandbox("--status-fd", str(writing), "--", "/bin/sh", "-c", "exit 4", pass_fds=(writing,))
    os.close(writing)
    check(got.code in (4, 125), "exit status\n%s" % got)


def test_odd_names_are_valid_json():
    """Names with quotes, backslashes and raw bytes make no invalid JSON."""
    name = '/nonexistent/"q\\b\udcff\u263a'
    reading, writing = pipe_pair()
    got = sandbox("--status-fd", str(writing), "--rootfs", name, "--", "/bin/true", pass_fds=(writing,))
    os.close(writing)
    data = read_fd(reading)
    os.close(reading)
    rows = events(data)
    equal(rows[-1]["event"], "error", "event\n%s\nvalue" % got)


@everywhere
def test_report():
    """--report FILE holds the final event, whole and alone."""
    sandbox("--report", "report.json", "--", "/bin/sh", "-c", "exit 9")
    report = json.loads(read(scratch() + "/report.json"))
    equal((report["event"], report["code"], report["reason"]), ("exit", 9, "exited"), "report")
    equal(os.listdir(scratch()), ["report.json"], "files")


def test_report_of_an_error():
    """A refused run is reported as well."""
    sandbox("--report", "report.json", "-v", "/nonexistent:/x", "--", "/bin/true")
    report = json.loads(read(scratch() + "/report.json"))
    equal((report["event"], report["code"]), ("error", "E-SOURCE"), "report")


def test_report_replaces():
    """An older report is replaced as a whole; it is there until the end."""
    write(scratch() + "/report.json", '{"old": true}\n')
    got = sandbox("--report", "report.json", "--", "cat", "report.json")
    contains(got.out, "old", "the report during the run")
    equal(json.loads(read(scratch() + "/report.json"))["event"], "exit", "report")


def test_report_to_stderr():
    """--report - writes to stderr."""
    got = sandbox("--report", "-", "--", "/bin/true")
    equal(json.loads(got.err.strip().splitlines()[-1])["event"], "exit", "stderr")
    equal(got.out, "", "stdout")


def test_report_does_not_follow_the_command():
    """The command cannot make the launcher write through a symlink it put in the report's place."""
    write(scratch() + "/precious", "kept\n")
    work = folder("work")
    sandbox("--report", "r.json", "--", "/bin/sh", "-c", "ln -s ../precious r.json; ln -s ../precious r.json.tmp; true", cwd=work)
    equal(read(scratch() + "/precious"), "kept\n", "the other file")


@everywhere
def test_ready_fd():
    """--ready-fd gets `1` once the command has been started, then end of file."""
    reading, writing = pipe_pair()
    process = start("--ready-fd", str(writing), "--", "/bin/cat", stdin=subprocess.PIPE, pass_fds=(writing,))
    os.close(writing)
    equal(read_fd(reading), "1\n", "what came")
    check(process.poll() is None, "the command has ended")
    process.stdin.close()
    equal(process.wait(TIMEOUT), 0, "exit status")
    os.close(reading)


def test_ready_fd_of_a_failure():
    """Where the command cannot be started the ready descriptor gives end of file alone."""
    reading, writing = pipe_pair()
    got = sandbox("--ready-fd", str(writing), "--", "nosuchcommand", pass_fds=(writing,))
    os.close(writing)
    equal(read_fd(reading), "", "what came")
    equal(got.code, 127, "exit status")
    os.close(reading)


@everywhere
@cases(byte=(b"x",), end_of_file=(b"",))
def test_block_fd(data):
    """--block-fd holds the command back until a byte or end of file comes."""
    reading, writing = pipe_pair()
    status, tell = pipe_pair()
    process = start("--block-fd", str(reading), "--status-fd", str(tell), "--", "/bin/sh", "-c", ": >ran", pass_fds=(reading, tell))
    os.close(reading)
    os.close(tell)
    eventually(lambda: descendants(process.pid), "the box is there")
    select.select([], [], [], 0.2)
    check(not os.path.exists(scratch() + "/ran"), "the command ran before it was allowed to")
    if data:
        os.write(writing, data)
    os.close(writing)
    equal(process.wait(TIMEOUT), 0, "exit status")
    check(os.path.exists(scratch() + "/ran"), "the command did not run")
    equal(events(read_fd(status))[-1]["code"], 0, "code")
    os.close(status)


def test_killed_while_blocked():
    """A run that is killed while it waits on --block-fd leaves nothing and never runs the command."""
    reading, writing = pipe_pair()
    process = start("--block-fd", str(reading), "--", "/bin/sh", "-c", ": >ran", pass_fds=(reading,))
    os.close(reading)
    eventually(lambda: descendants(process.pid), "the box is there")
    process.kill()
    process.wait()
    eventually(lambda: (reap(), not descendants())[1], "the box is gone", 3)
    os.close(writing)
    check(not os.path.exists(scratch() + "/ran"), "the command ran")


def test_terminated_while_blocked():
    """TERM while it waits on --block-fd ends it in an orderly way."""
    reading, writing = pipe_pair()
    process = start("--block-fd", str(reading), "--", "/bin/sh", "-c", ": >ran", pass_fds=(reading,), stderr=subprocess.DEVNULL)
    os.close(reading)
    eventually(lambda: descendants(process.pid), "the box is there")
    process.terminate()
    check(process.wait(TIMEOUT) in (143, 125, -15), "exit status %s" % process.returncode)
    os.close(writing)
    check(not os.path.exists(scratch() + "/ran"), "the command ran")


@everywhere
def test_pidfile():
    """--pidfile holds the host's number of PID 1 while the box lives, and is gone afterwards."""
    ready, tell = pipe_pair()
    process = start("--pidfile", "pid", "--ready-fd", str(tell), "--", "/bin/cat", stdin=subprocess.PIPE, pass_fds=(tell,))
    os.close(tell)
    equal(read_line(ready), "1", "ready")
    text = read(scratch() + "/pid")
    check(text.endswith("\n") and int(text) in descendants(process.pid), "pidfile: %r" % text)
    process.stdin.close()
    equal(process.wait(TIMEOUT), 0, "exit status")
    check(not os.path.exists(scratch() + "/pid"), "the pidfile is left")
    os.close(ready)


@cases(plain=("--", "/bin/echo", "hi"), options=("--root", "-v", "/usr:/x:ro", "--timeout", "5s", "--network", "host", "--", "sh"))
def test_explain(*args):
    """--explain prints the plan stage by stage, runs nothing, and is 0."""
    got = succeeds("--explain", *args)
    for word in ("CLONE", "BUILD", "LOCKDOWN"):
        check(word.lower() in got.out.lower(), "no stage %s\n%s" % (word, got))
    lacks(got.out, "hi\nhi", "stdout")


def test_explain_runs_nothing():
    """--explain starts no process and makes no file."""
    before = tree(scratch())
    succeeds("--explain", "--pidfile", "pid", "--report", "report", "--", "/bin/sh", "-c", ": >ran")
    equal(tree(scratch()), before, "the directory")


def test_explain_is_stable():
    """The same line gives the same plan."""
    equal(succeeds("--explain", "--", "sh").out, succeeds("--explain", "--", "sh").out, "plan")


def test_explain_names_origins():
    """The plan says which option asked for a row."""
    contains(succeeds("--explain", "-v", "/usr:/x", "--", "sh").out, "--volume", "plan")


def test_explain_refuses_too():
    """--explain refuses what a run would refuse by its options."""
    refused("--explain", "--nice", "99", "--", "sh", code="E-VALUE")


def test_plain_run_writes_no_file():
    """A plain run writes no file: not in /tmp, not in the runtime directory, not in the home."""
    home = folder("me")
    sh("true", env={"HOME": home, "XDG_RUNTIME_DIR": None}, cwd=folder("work"))
    equal(tree(home), [], "the home")
    equal(os.listdir(WORK + "/runtime"), [], "the runtime directory")
    check(not os.path.exists("/tmp/sandbox-%d" % os.getuid()), "/tmp/sandbox-%d" % os.getuid())


@needs("strace")
def test_plain_run_starts_no_helper():
    """A plain run starts no other program: one exec of ours, one of the command."""
    log = scratch() + "/log"
    sh("true", env={"ASAN_OPTIONS": "detect_leaks=0"}, via=("strace", "-f", "-qq", "-e", "trace=execve,execveat", "-e", "signal=none", "-o", log))
    programs = re.findall(r'exec\w+\(.*= 0$', read(log), re.M)   # a non-dumpable process hides its strings
    equal(len(programs), 2, "programs executed:\n%s\nnumber" % read(log))


def test_version_of_helper_lookup():
    """The binary works from the build folder, through a symlink and from another directory."""
    os.symlink(SANDBOX, scratch() + "/link")
    done = subprocess.run([scratch() + "/link", "--", "/bin/echo", "x"], env=environment(), cwd=folder("work"), capture_output=True,
                          stdin=subprocess.DEVNULL, check=False, timeout=TIMEOUT)
    equal(done.stdout, b"x\n", "stdout")
