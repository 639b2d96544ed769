# SPDX-License-Identifier: MIT
"""What the system tests share: starting the real binary, judging what it said, a pseudo-terminal
to drive it, and the hunt for what it left behind. Python's standard library only."""

import ctypes
import errno
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import harness  # noqa: E402
from harness import Failure, Skip, doc  # noqa: E402,F401

SANDBOX = os.environ.get("SANDBOX", "")       # the binary under test
MODE = os.environ.get("SANDBOX_MODE", "user")  # user, root, userns or nested
TOOLS = os.environ.get("SANDBOX_TOOLS", "")   # folder with deny and other helpers of the tests
WORK = os.environ.get("SANDBOX_WORK", "")     # scratch of this run
DEBIAN = os.environ.get("SANDBOX_DEBIAN", "")  # a tar of a small Debian root
SLOW = float(os.environ.get("SANDBOX_SLOW", "1"))  # factor for deadlines (sanitizers)
TIMEOUT = 20 * SLOW

PYTHON = "/usr/bin/python3"
PR_SET_CHILD_SUBREAPER = 36


# ---------------------------------------------------------------- what a test declares

def modes(*names):
    """The ways a test is run in; without it: as an ordinary user only."""
    def mark(function):
        function.modes = names
        return function
    return mark


everywhere = modes("user", "root", "userns", "nested")


def needs(*names):
    """What the machine must have; see NEEDS."""
    def mark(function):
        function.needs = names
        return function
    return mark


def cases(**table):
    """Makes one test a case: the function is called with the row's values."""
    def mark(function):
        function.cases = table
        return function
    return mark


def have_subids():
    name = user_name()
    return all(re.search(r"^(%s|%d):" % (re.escape(name), os.getuid()), read(f, ""), re.M)
               for f in ("/etc/subuid", "/etc/subgid")) and shutil.which("newuidmap")


def have_submounts():
    done = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def landlock_abi():
    """What the kernel has; 0: none."""
    return max(0, ctypes.CDLL(None, use_errno=True).syscall(444, None, ctypes.c_size_t(0), 1))


NEEDS = {
    "landlock": (lambda: landlock_abi() > 1, "Landlock, ABI 2 (Linux 5.19)"),
    "landlock6": (lambda: landlock_abi() > 5, "Landlock, ABI 6 (Linux 6.12)"),
    "subids": (have_subids, "subordinate ids and newuidmap"),
    "busybox": (lambda: busybox() is not None, "busybox-static"),
    "debian": (lambda: DEBIAN and os.path.exists(DEBIAN), "the tar of a Debian root (tests/run makes it)"),
    "tools": (lambda: TOOLS and os.path.exists(TOOLS + "/syscalls"), "tests/tools, built"),
    "deny": (lambda: TOOLS and os.path.exists(TOOLS + "/deny"), "tests/tools/deny, built"),
    "unshare": (have_submounts, "unshare(1) and user namespaces"),
    "bwrap": (lambda: shutil.which("bwrap"), "bubblewrap"),
    "bash": (lambda: shutil.which("bash"), "bash"),
    "strace": (lambda: shutil.which("strace"), "strace"),
    "gcc": (lambda: shutil.which("gcc"), "gcc"),
}


# ---------------------------------------------------------------- small things

def read(path, default=None):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        if default is None:
            raise
        return default


def write(path, text="", mode=None):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    with open(path, "wb") as file:
        file.write(data)
    if mode is not None:
        os.chmod(path, mode)
    return path


def user_name():
    for line in read("/etc/passwd", "").splitlines():
        field = line.split(":")
        if len(field) > 2 and field[2] == str(os.getuid()):
            return field[0]
    return str(os.getuid())


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    return None


def eventually(condition, what, seconds=10.0):
    """Polls until the condition holds; the deadline makes a hang a failure."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure("not within %.0f s: %s" % (seconds * SLOW, what))
        select.select([], [], [], 0.005)


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(got, want, what="value"):
    check(got == want, "%s: got %r, wanted %r" % (what, got, want))


def contains(text, part, what="text"):
    check(part in text, "%s lacks %r:\n%s" % (what, part, text))


def lacks(text, part, what="text"):
    check(part not in text, "%s has %r:\n%s" % (what, part, text))


def matches(text, pattern, what="text"):
    found = re.search(pattern, text, re.M)
    check(found, "%s does not match %r:\n%s" % (what, pattern, text))
    return found


# ---------------------------------------------------------------- starting the binary

class Result:
    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err

    def __str__(self):
        return "command: %s\nexit status: %s\nstdout: %s\nstderr: %s" % (
            " ".join(map(repr, self.args)), self.code, self.out, self.err)

    @property
    def lines(self):
        return self.out.splitlines()


def environment(extra=None):
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "USER": user_name(), "LOGNAME": user_name(), "SHELL": "/bin/sh", "TERM": "dumb", "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": WORK + "/runtime",
        "TMPDIR": WORK + "/tmp",
    }
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    for name, value in (extra or {}).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def start(*args, env=None, cwd=None, via=(), **options):
    """A Popen of the binary. `via`: words put in front of it."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if os.geteuid() == 0:
        options.setdefault("stderr", subprocess.DEVNULL)   # the notice about root's rights
    return subprocess.Popen([*via, SANDBOX, *args], env=environment(env), cwd=cwd or scratch(), **options)


def sandbox(*args, stdin=None, env=None, cwd=None, timeout=TIMEOUT, via=(), **options):
    """Runs the binary to its end with pipes and returns what came of it."""
    process = start(*args, env=env, cwd=cwd, via=via, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    **({"stdin": subprocess.PIPE} if stdin is not None else {}), **options)
    try:
        out, err = process.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
    except subprocess.TimeoutExpired as late:
        process.kill()
        out, err = process.communicate()
        raise Failure("no end within %.0f s\n%s" % (timeout, Result(
            process.args, "killed", out.decode(errors="replace"), err.decode(errors="replace")))) from late
    return Result(process.args, process.returncode, out.decode("utf-8", "surrogateescape"),
                  err.decode("utf-8", "surrogateescape"))


def sh(script, *options, **keywords):
    """Runs a shell script confined; it must succeed. Returns the result."""
    return succeeds(*options, "--", "/bin/sh", "-c", script, **keywords)


def py(script, *options, **keywords):
    """Runs a Python program confined; it must succeed. Returns the result."""
    return succeeds(*options, "--", PYTHON, "-c", script, **keywords)


def succeeds(*args, **keywords):
    got = sandbox(*args, **keywords)
    check(got.code == 0, "should succeed\n%s" % got)
    return got


ERROR = re.compile(r"^sandbox: error\[(E-[A-Z-]+)\]: (.+)$", re.M)


def refused(*args, code=None, status=125, text=None, fix=None, origin=None, stdout_empty=True, **keywords):
    """The run must be refused as DESIGN says: one error with a stable code on stderr, nothing on
    stdout, the exit status of its class. `code` is one code or a tuple of them."""
    got = sandbox(*args, **keywords)
    check(got.code == status, "exit status should be %d\n%s" % (status, got))
    found = ERROR.findall(got.err)
    check(len(found) == 1, "one error should be on stderr, there are %d\n%s" % (len(found), got))
    name, what = found[0]
    if code is not None:
        wanted = (code,) if isinstance(code, str) else code
        check(name in wanted, "error should be %s\n%s" % (" or ".join(wanted), got))
    check(what.strip(), "the error says nothing\n%s" % got)
    matches(got.err, r"^  see: sandbox-errors\(7\)$", "stderr")
    for line in got.err.splitlines():
        check(re.match(r"sandbox: (error|notice)|  (cause|fix|from|see): \S", line),
              "stray line on stderr: %r\n%s" % (line, got))
    check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", got.err), "control characters on stderr\n%s" % got)
    if stdout_empty:
        check(got.out == "", "stdout should be empty\n%s" % got)
    if text is not None:
        matches(got.err, text, "stderr")
    if fix is not None:
        matches(got.err, r"^  fix: .*" + fix, "stderr")
    if origin is not None:
        matches(got.err, r"^  from: .*" + origin, "stderr")
    got.error = name
    return got


# ---------------------------------------------------------------- places

_current = {"scratch": None}


def scratch():
    """A directory of this test alone; removed, and checked, at its end. Also the caller's current
    directory unless a test says otherwise."""
    return _current["scratch"]


def folder(name):
    path = os.path.join(scratch(), name)
    os.makedirs(path, exist_ok=True)
    return path


APPLETS = ("sh ls cat echo id touch mkdir rm ln true false sleep mount umount chown chmod stat env pwd ps "
           "hostname readlink head grep sed test tty wc sort tr kill find dd nice printf su").split()


def busybox_root(name="root"):
    """A tiny root directory: static busybox, passwd and group; no /proc, /dev or the like."""
    root = folder(name)
    for sub in ("bin", "etc", "tmp", "root", "home", "usr/bin", "var"):
        os.makedirs(os.path.join(root, sub), exist_ok=True)
    shutil.copy(busybox(), root + "/bin/busybox")
    for applet in APPLETS:
        os.symlink("busybox", root + "/bin/" + applet)
    write(root + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000::/home:/bin/sh\n")
    write(root + "/etc/group", "root:x:0:\nworker:x:1000:\n")
    return root


def tree(path):
    """Every name below a directory, with its kind: to show that nothing was made or removed."""
    rows = []
    for base, folders, files in os.walk(path):
        for name in sorted(folders + files):
            full = os.path.join(base, name)
            info = os.lstat(full)
            rows.append((os.path.relpath(full, path), oct(info.st_mode), info.st_size if name in files else 0))
    return sorted(rows)


def in_outer(script, *args, env=None, timeout=TIMEOUT, cwd=None):
    """Runs a shell script in a user and mount namespace of its own, where it may mount; there
    "$SANDBOX" is the binary and "$1"... are args."""
    done = subprocess.run(["unshare", "-Urm", "/bin/sh", "-ec", script, "sh", *args],
                          env=environment({"SANDBOX": SANDBOX, **(env or {})}), cwd=cwd or scratch(),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    return Result(["unshare", script], done.returncode, done.stdout.decode(errors="replace"),
                  done.stderr.decode(errors="replace"))


# ---------------------------------------------------------------- processes

def process_table():
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            text = read("/proc/%s/stat" % name)
        except OSError:
            continue
        rest = text[text.rindex(")") + 2:].split()
        table[int(name)] = (int(rest[1]), rest[0])
    return table


def descendants(of=None):
    """Living processes below a process; orphans of the tests come to the runner (a subreaper)."""
    top = of or os.getpid()
    table = process_table()
    found, queue = [], [top]
    while queue:
        parent = queue.pop()
        for pid, (ppid, state) in table.items():
            if ppid == parent:
                queue.append(pid)
                if state not in "ZX":
                    found.append(pid)
    return found


def reap():
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def command_line(pid):
    return read("/proc/%d/cmdline" % pid, "?").replace("\0", " ").strip() or read("/proc/%d/comm" % pid, "?").strip()


def in_foreground(of, command):
    """The descendants of a process whose command line begins so and whose group is the foreground of
    their terminal: only then a key typed there is theirs. A shell's job is that after its own start."""
    found = []
    for pid in descendants(of):
        _, _, rest = read("/proc/%d/stat" % pid, "").rpartition(")")
        field = rest.split()   # state ppid pgrp session tty_nr tpgid
        if command_line(pid).startswith(command) and len(field) > 5 and field[2] == field[5]:
            found.append(pid)
    return found


def box_pid(process, seconds=10):
    """The host pid of the box's PID 1: the only child of the launcher."""
    return eventually(lambda: descendants(process.pid), "the box's first process", seconds)[0]


# ---------------------------------------------------------------- a terminal

class Terminal:
    """A program on a pseudo-terminal of its own, as a session leader with it as controlling tty."""

    def __init__(self, *command, rows=24, columns=80, env=None, cwd=None, stdout=None, stdin=None):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.seen = b""
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)

        def become_leader():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command, stdin=slave if stdin is None else stdin, stdout=slave if stdout is None else stdout,
            stderr=slave, preexec_fn=become_leader, env=environment({"TERM": "dumb", **(env or {})}),
            cwd=cwd or scratch())
        os.set_blocking(self.master, False)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def pump(self, wait=0.05):
        ready, _, _ = select.select([self.master], [], [], wait)
        if ready:
            try:
                data = os.read(self.master, 65536)
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EAGAIN):
                    raise
                return False
            self.seen += data
            return bool(data)
        return False

    def expect(self, pattern, seconds=10):
        """Reads until the pattern is seen, and forgets what stood before its end."""
        regex = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.M)
        deadline = time.monotonic() + seconds * SLOW
        while True:
            found = regex.search(self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            if time.monotonic() > deadline:
                raise Failure("terminal: %r not seen within %.0f s; there was %r"
                              % (pattern, seconds * SLOW, self.seen.decode(errors="replace")))
            self.pump()

    def send(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def wait(self, seconds=10):
        deadline = time.monotonic() + seconds * SLOW
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise Failure("terminal: no end within %.0f s; there was %r"
                              % (seconds * SLOW, self.seen.decode(errors="replace")))
            self.pump()
        while self.pump(0):
            pass
        return self.process.returncode

    def settings(self):
        return termios.tcgetattr(self.slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


# ---------------------------------------------------------------- the hunt for leftovers

class Leaks:
    """Compares the world before and after a test: mounts, processes, files."""

    def __init__(self):
        self.mounts = self._mounts()
        self.files = self._files()

    @staticmethod
    def _mounts():
        return {line.split()[0]: line for line in read("/proc/self/mountinfo").splitlines()}

    @staticmethod
    def _files():
        return {place: set(os.listdir(place)) for place in (WORK + "/runtime", WORK + "/tmp") if os.path.isdir(place)}

    def problems(self):
        found = []
        deadline = time.monotonic() + 3 * SLOW
        while True:
            reap()
            left = descendants()
            if not left or time.monotonic() > deadline:
                break
            select.select([], [], [], 0.01)
        for pid in left:
            found.append("process left alive: %d %s" % (pid, command_line(pid)))
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if os.geteuid() == 0:   # nobody else could; and mmdebstrap may be at work beside us
            found += ["mount left behind: " + line for key, line in self._mounts().items()
                      if key not in self.mounts and "/mmdebstrap." not in line]
        files = self._files()
        for place, names in self.files.items():
            found += ["file left behind: %s/%s" % (place, name) for name in files.get(place, set()) - names]
        return found


def become_subreaper():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def remove_tree(path):
    """Removes a test's scratch, also what belongs to subordinate ids."""
    for base, folders, _ in os.walk(path):
        for name in folders:
            try:
                if not os.path.islink(os.path.join(base, name)):
                    os.chmod(os.path.join(base, name), 0o700)
            except OSError:
                pass
    shutil.rmtree(path, ignore_errors=True)
    if os.path.exists(path) and have_subids():
        as_subroot("rm", "-rf", "--one-file-system", path)
    shutil.rmtree(path, ignore_errors=True)


def as_subroot(*command, check_it=False, **keywords):
    """As root of a user namespace with the subordinate ids, by util-linux: not by what is tested."""
    return subprocess.run(["unshare", "--map-root-user", "--map-auto", *command], stdin=subprocess.DEVNULL,
                          check=check_it, **keywords)


def pipe_pair():
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    os.set_inheritable(writing, True)
    return reading, writing


def read_fd(fd, seconds=10):
    """Everything until end of file."""
    deadline, data = time.monotonic() + seconds * SLOW, b""
    while True:
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        check(ready, "descriptor %d: no end of file within %.0f s; there was %r" % (fd, seconds * SLOW, data))
        part = os.read(fd, 65536)
        if not part:
            return data.decode()
        data += part


def read_line(fd, seconds=10):
    """One line."""
    deadline, data = time.monotonic() + seconds * SLOW, b""
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        check(ready, "descriptor %d: no line within %.0f s; there was %r" % (fd, seconds * SLOW, data))
        part = os.read(fd, 1)
        check(part, "descriptor %d: end of file after %r" % (fd, data))
        data += part
    return data.decode().rstrip("\n")


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def with_status(*args, **keywords):
    """Runs with a status descriptor; returns the events and the result."""
    reading, writing = pipe_pair()
    try:
        got = sandbox("--status-fd", str(writing), *args, pass_fds=(writing,), **keywords)
    finally:
        os.close(writing)
    text = read_fd(reading)
    os.close(reading)
    return events(text), got


def status_of(text):
    """The `Name: value` lines of /proc/PID/status."""
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


# ---------------------------------------------------------------- for the runners

def ignore_nothing():
    """What nohup, or & in a script, has had this process ignore, what it starts would ignore, too: a
    handler in its place is not inherited (execve(2))."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


class Place:
    """Scratch for a run of the tests, with this process as the one that gets its orphans."""

    def __init__(self, name):
        global WORK
        WORK = tempfile.mkdtemp(prefix="sandbox-%s." % name, dir=os.environ.get("SANDBOX_SCRATCH") or "/var/tmp")
        os.chmod(WORK, 0o755)
        os.mkdir(WORK + "/runtime", 0o700)
        os.mkdir(WORK + "/tmp", 0o700)
        become_subreaper()
        ignore_nothing()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        remove_tree(WORK)


def judge(function, values):
    """Runs one test with a scratch of its own and looks for what it left: (verdict, text)."""
    for need in getattr(function, "needs", ()):
        present, what = NEEDS[need]
        if not present():
            return "skip", "needs " + what
    _current["scratch"] = tempfile.mkdtemp(prefix="t.", dir=WORK)
    leaks = Leaks()
    verdict, text = harness.judge(function, *values)
    problems = leaks.problems()
    if problems:
        verdict, text = "FAIL", "\n".join(filter(None, [text, *problems]))
    remove_tree(_current["scratch"])
    return verdict, text


__all__ = [name for name in globals() if not name.startswith("_")]
