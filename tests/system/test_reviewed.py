# SPDX-License-Identifier: MIT
"""What reviews found: forged reports, moved parents of protected files, boxes that share a root directory, odd limits and sources."""

from box import *


def alive(pid):
    return process_table().get(pid, (0, "X"))[1] not in "ZX"


def line_of(process, seconds=10):
    return read_line(process.stdout.fileno(), seconds)


def finish(process):
    """Ends what still runs, whatever state it is in."""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def report(name="r.json"):
    return json.loads(read(os.path.join(scratch(), name)))


# ---------------------------------------------------------------- descriptors

@everywhere
@cases(preserve=("--preserve-fds", "%d"), preserve_range=("--preserve-fds", "%d-%d"), block=("--block-fd", "%d"), file=("--file", "/run/made=@%d"),
       status=("--status-fd", "%d"), ready=("--ready-fd", "%d"))
def test_descriptor_that_is_not_open(option, form):
    """A number that is not open in the caller is E-FD and names it, though a descriptor of ours would have got it."""
    for number in (3, 4, 5, 6, 7, 8, 12):
        refused(option, form.replace("%d", str(number)), "--", "/bin/sh", "-c", ": >ran", code="E-FD", text=r"\b%d\b.*%s" % (number, option))
    check(not os.path.exists(scratch() + "/ran"), "the command ran")


def test_descriptor_that_is_open():
    """The same numbers are fine where the caller has them open."""
    null = os.open("/dev/null", os.O_RDWR)
    for args in (("--preserve-fds", str(null)), ("--block-fd", str(null)), ("--file", "/run/made=@%d" % null)):
        succeeds(*args, "--", "/bin/true", pass_fds=(null,))
    os.close(null)


# ---------------------------------------------------------------- stopping

def stopped(process):
    return [pid for pid in descendants(process.pid) if process_table().get(pid, (0, ""))[1] == "T"]


def test_command_stops_itself():
    """A command that stops itself, without a terminal of ours, does not stop the launcher; it goes on after SIGCONT."""
    process = start("--", "/bin/sh", "-c", "echo ready; kill -STOP $$; echo again", stdout=subprocess.PIPE)
    try:
        equal(line_of(process), "ready", "first line")
        pids = eventually(lambda: stopped(process), "the command stops")
        select.select([], [], [], 0.2)
        lacks("T", process_table()[process.pid][1], "state of the launcher")
        os.kill(pids[0], signal.SIGCONT)
        equal(line_of(process), "again", "line after CONT")
        equal(process.wait(TIMEOUT), 0, "exit status")
    finally:
        finish(process)


@everywhere
@cases(itself="kill -STOP $$; sleep 1000", with_its_children="sleep 1000 & kill -STOP 0; sleep 1000", ignoring="trap '' TERM CONT; kill -STOP $$; sleep 1000; sleep 1000")
def test_timeout_of_a_stopped_command(script):
    """--timeout ends a box whose command has stopped itself: 124, two seconds after the deadline at the latest."""
    begin = time.monotonic()
    equal(sandbox("--timeout", "200ms", "--", "/bin/sh", "-c", script).code, 124, "exit status")
    check(time.monotonic() - begin < 3.5 * SLOW, "took %.2f s" % (time.monotonic() - begin))


def test_timeout_with_a_stopped_launcher():
    """The deadline holds for the box though its launcher is stopped; the launcher then says 124."""
    process = start("--timeout", "200ms", "--", "/bin/sh", "-c", "trap '' TERM; echo ready; sleep 1000; sleep 1000", stdout=subprocess.PIPE)
    try:
        equal(line_of(process), "ready", "line")
        inside = descendants(process.pid)
        process.send_signal(signal.SIGSTOP)
        check(inside, "no process of the box was seen")
        eventually(lambda: not any(map(alive, inside)), "the box ends by itself", 6)
        process.send_signal(signal.SIGCONT)
        equal(process.wait(TIMEOUT), 124, "exit status")
    finally:
        finish(process)


# ---------------------------------------------------------------- several boxes on one root directory

INTACT = 'test -e /proc/self/stat && test -c /dev/null && test -d /sys/kernel && cat /deep/point/file && cat /etc/given'


class Held:
    """A box on a root directory, with volumes whose mount points are missing; it does what it is told."""

    def __init__(self, root, *options):
        self.process = start("--rootfs", root, *volumes(), *options, "--", "/bin/sh", "-c", 'echo ready; while read -r line; do eval "$line"; done',
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(line_of(self.process), "ready", "line")

    def ask(self, script, lines=1):
        self.process.stdin.write((script + " || echo lost\n").encode())
        self.process.stdin.flush()
        return [line_of(self.process) for _ in range(lines)]

    def end(self):
        self.process.stdin.close()
        equal(self.process.wait(TIMEOUT), 0, "exit status")
        finish(self.process)


def volumes():
    write(folder("src") + "/file", "data\n")
    return ("-v", scratch() + "/src:/deep/point", "-v", scratch() + "/src/file:/etc/given:ro")


def check_leftovers(root, before):
    """Nothing is gone, and what was left is empty."""
    after = tree(root)
    check(set(before) - {row for row in before if row[0] in ("deep", "etc")} <= set(after), "gone: %s" % (set(before) - set(after)))
    for name, _, size in set(after) - set(before):
        full = os.path.join(root, name)
        check(not size if os.path.isfile(full) else all((os.path.join(name, sub) not in [r[0] for r in before]) for sub in os.listdir(full)) or
              name in [r[0] for r in before], "left behind: %s" % name)


@needs("busybox")
@cases(first_ends=(0,), second_ends=(1,), first_is_killed=(2,))
def test_two_boxes_on_one_root_directory(how):
    """The end of one box takes no mount from another on the same root directory."""
    root = busybox_root()
    before = tree(root)
    boxes = [Held(root), Held(root)]
    try:
        one, other = boxes if how != 1 else boxes[::-1]
        if how == 2:
            inside = descendants(one.process.pid)
            one.process.kill()
            one.process.wait()
            eventually(lambda: not any(map(alive, inside)), "the killed box is gone", 3)
        else:
            one.end()
        equal(other.ask(INTACT, 2), ["data", "data"], "what the other box sees")
        other.end()
    finally:
        for box in boxes:
            finish(box.process)
    check_leftovers(root, before)
    equal(sandbox("--rootfs", root, *volumes(), "--", "/bin/sh", "-c", INTACT).out, "data\ndata\n", "a box afterwards")


@needs("busybox")
def test_box_that_is_alone_cleans_up():
    """The control: a box that is alone on its root directory leaves none of the mount points it made."""
    root = busybox_root()
    before = tree(root)
    box = Held(root)
    check(os.path.isdir(root + "/deep/point") and os.path.exists(root + "/etc/given"), "no mount point was made: the test shows nothing")
    box.end()
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_parallel_starts_on_one_root_directory():
    """24 boxes started at once on one root directory without mount points all work, and leave nothing but empty ones."""
    root = busybox_root()
    before, given = tree(root), volumes()
    for turn in range(2):
        processes = [start("--rootfs", root, *given, "-v", "%s/src:/own/%d" % (scratch(), i % 5), "--", "/bin/sh", "-c", INTACT + " && cat /own/*/file",
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for i in range(24)]
        for i, process in enumerate(processes):
            out = process.communicate(timeout=TIMEOUT * 2)[0].decode()
            equal((process.returncode, out), (0, "data\n" * 3), "turn %d, box %d" % (turn, i))
    check_leftovers(root, before)


@needs("busybox", "subids")
@cases(user=("-u", "1000"), user_and_group=("-u", "1000:5"), root=())
def test_owner_of_made_mount_points(*options):
    """Mount points made in a root directory are the caller's, whoever the command is, and are removed."""
    root = busybox_root()
    before = tree(root)
    box = Held(root, *options)
    try:
        for name in ("proc", "deep", "deep/point", "etc/given"):
            equal(os.stat(root + "/" + name).st_uid, os.getuid(), "owner of " + name)
        box.end()
    finally:
        finish(box.process)
    equal(tree(root), before, "the directory")


# ---------------------------------------------------------------- --protect, --hide, --file

def repository():
    """What git makes of a directory, as far as it matters here."""
    here = folder("project")
    for sub in (".git/hooks", ".git/objects", ".git/refs/heads", "src/deep/down"):
        os.makedirs(here + "/" + sub)
    write(here + "/.git/HEAD", "ref: refs/heads/main\n")
    write(here + "/.git/config", "[core]\n\tbare = false\n")
    write(here + "/.git/hooks/pre-commit", "#!/bin/sh\nexit 0\n", 0o755)
    write(here + "/.envrc", "use nothing\n")
    write(here + "/src/deep/down/file", "real\n")
    return here


ATTACKS = {
    "moved": "mv .git g",
    "moved_and_made_again": "mv .git g && cp -r g .git && echo evil >.git/hooks/pre-commit",
    "exchanged": PYTHON + """ -c 'import ctypes, os
os.makedirs("new/hooks"); open("new/hooks/pre-commit", "w").write("evil")
e = ctypes.CDLL(None, use_errno=True); r = e.syscall(316, -100, b"new", -100, b".git", 2); print(os.strerror(ctypes.get_errno())); raise SystemExit(r != 0)'""",
    "hooks_moved": "mv .git/hooks .git/h",
    "removed": "rm -rf .git/hooks; test ! -e .git/hooks",
    "replaced": "echo evil >x; mv -f x .git/hooks/pre-commit",
    "linked": "rm -rf .git && ln -s evil .git",
    "config": "echo evil >>.git/config",
    "config_replaced": "echo evil >x; mv -f x .git/config",
    "envrc": "echo evil >x; mv -f x .envrc",
}


@cases(**ATTACKS)
def test_agent_profile_in_a_repository(attack):
    """The profile `agent` keeps git's hooks and configuration, though .git itself is moved, replaced or exchanged."""
    here = repository()
    watched = (".git/hooks/pre-commit", ".git/config", ".envrc")
    before = [read(here + "/" + name) for name in watched]
    got = sandbox("--profile", "agent", "--", "/bin/sh", "-c", attack, cwd=here)
    equal([read(here + "/" + name, "gone") for name in watched], before, "files after the run\n%s\nvalue" % got)
    check(got.code not in (0, 125), "the attack reports success, or the run was refused\n%s" % got)
    matches(got.out + got.err, "busy|Read-only", "what it met")


def test_agent_profile_lets_work():
    """The control: with it, commits can be written, sources changed and renamed."""
    here = repository()
    sandbox_says = sh("echo x >.git/index; echo x >.git/refs/heads/main; mkdir .git/objects/aa; mv src sources; echo new >sources/deep/down/file; echo ok",
                      "--profile", "agent", cwd=here)
    equal(sandbox_says.out, "ok\n", "stdout")
    equal(read(here + "/sources/deep/down/file"), "new\n", "the changed source")


@cases(parent="mv src/deep src/d", grandparent="mv src s", itself="mv src/deep/down/file x", inside="mv src/deep/down src/deep/x")
def test_protected_parents_stay(attack):
    """Every writable directory above what --protect names is held in place; beside it one can work."""
    here = repository()
    got = sandbox("--protect", "src/deep/down/file", "--", "/bin/sh", "-c", "echo x >src/beside && echo x >src/deep/down/beside || exit 9; " + attack, cwd=here)
    check(got.code not in (0, 9, 125), "the protected file or a parent could be moved\n%s" % got)
    matches(got.err, "busy", "stderr")
    equal(read(here + "/src/deep/down/file"), "real\n", "the file")
    check(os.path.exists(here + "/src/deep/down/beside"), "nothing can be made beside it")


def test_protect_of_a_symlink():
    """--protect of a symbolic link is refused, and says to protect what it points to; that works."""
    here = repository()
    os.symlink("src/deep/down/file", here + "/link")
    refused("--protect", "link", "--", "/bin/sh", "-c", "rm link", cwd=here, code="E-DEST", fix="protect")
    equal(os.readlink(here + "/link"), "src/deep/down/file", "the link")
    sh("test ! -w src/deep/down/file && cat link", "--protect", "src/deep/down/file", cwd=here)


def test_protect_below_a_symlink():
    """A path through a symbolic link the command can replace is refused, or nothing else can come to stand there."""
    here = repository()
    os.rename(here + "/.git", here + "/real")
    os.symlink("real", here + "/.git")
    got = sandbox("--protect", ".git/hooks", "--", "/bin/sh", "-c", "rm .git && mkdir -p .git/hooks && echo evil >.git/hooks/pre-commit", cwd=here)
    if got.code == 125:
        matches(got.err, r"error\[E-DEST\]", "stderr")
    equal(read(here + "/.git/hooks/pre-commit", "gone"), "#!/bin/sh\nexit 0\n", "the hook\n%s\nvalue" % got)


def test_protect_of_what_does_not_exist():
    """What does not exist is not protected: it can be made, and no placeholder is left."""
    here = repository()
    sh("test ! -e .husky && mkdir .husky && echo x >.husky/made", "--protect", ".husky", "--protect", "absent/below", cwd=here)
    equal(read(here + "/.husky/made"), "x\n", "what was made")
    check(not os.path.exists(here + "/absent"), "a placeholder")


@everywhere
@cases(own=(), root=("--root",))
def test_hidden_file(*options):
    """--hide FILE: it reads as empty, cannot be written, replaced or made larger; by root inside neither; outside it is whole."""
    write(scratch() + "/key", "s3cret\n")
    got = sh("test -f key && cat key && echo read; (echo x >key) 2>&1 | grep -o Read-only; mv key k 2>&1 | grep -o busy; rm -f key 2>&1 | grep -o busy; wc -c <key",
             "--hide", "key", *options)
    equal(got.lines, ["read", "Read-only", "busy", "busy", "0"], "what it can do")
    equal(read(scratch() + "/key"), "s3cret\n", "the file")


def test_hidden_directory():
    """--hide DIR: it is empty and nothing can be made in it; its content outside is whole."""
    write(folder("keys") + "/key", "s3cret\n")
    got = sh("ls -A keys | wc -l; (: >keys/x) 2>/dev/null || echo refused", "--hide", "keys")
    equal(got.lines, ["0", "refused"], "stdout")
    equal(os.listdir(scratch() + "/keys"), ["key"], "the directory")


@needs("busybox")
def test_hidden_file_of_a_root_directory():
    """The same for a file of a root directory, with root inside."""
    root = busybox_root()
    got = sandbox("--rootfs", root, "--hide", "/etc/passwd", "--", "/bin/sh", "-c", "cat /etc/passwd; (echo x >/etc/passwd) 2>/dev/null || echo refused")
    equal((got.code, got.out), (0, "refused\n"), "result\n%s\nvalue" % got)
    contains(read(root + "/etc/passwd"), "root:x:0", "the real file")


@everywhere
@cases(own=(), root=("--root",))
def test_given_files_are_read_only(*options):
    """What --file and --secret put into the box cannot be changed there, by root inside neither."""
    script = "for f in /run/made /run/secrets/key; do cat $f; (echo x >$f) 2>/dev/null && echo written; chmod 666 $f 2>/dev/null && echo chmod; rm -f $f 2>/dev/null && echo removed; done; true"
    equal(sh(script, "--file", "/run/made=one\n", "--secret", "key=env:KEY", *options, env={"KEY": "two\n"}).out, "one\ntwo\n", "stdout")


# ---------------------------------------------------------------- sources

def climbing(path, extra=0):
    """A symbolic link to an absolute place, by way of `..`."""
    os.symlink("../" * (len(folder("links").split("/")) - 1 + extra) + path.lstrip("/"), scratch() + "/links/link")
    return scratch() + "/links/link"


@everywhere
@cases(exact=(0, ()), beyond=(5, ()))
def test_source_is_a_climbing_symlink(extra, options):
    """-v of a symbolic link that climbs by .. to the root shows what it points to."""
    write(folder("srv/d/f") + "/file", "x\n")
    equal(sh("cat /mnt/file", "-v", climbing(scratch() + "/srv/d/f", extra) + ":/mnt:ro", *options, cwd=folder("work")).out, "x\n", "stdout")


@needs("busybox")
def test_source_is_a_climbing_symlink_in_a_root_directory():
    """The same with --rootfs, and for the root directory itself."""
    root = busybox_root("boxes/root")
    write(folder("srv/d/f") + "/file", "x\n")
    link = climbing(scratch() + "/srv/d/f")
    equal(sandbox("--rootfs", root, "-v", link + ":/mnt:ro", "--", "/bin/cat", "/mnt/file").out, "x\n", "stdout")
    os.unlink(link)
    equal(sandbox("--rootfs", climbing(root, 3), "-v", scratch() + "/srv/d/f:/mnt:ro", "--", "/bin/cat", "/mnt/file").out, "x\n", "stdout")


@needs("busybox")
@cases(host=(False,), root_directory=(True,))
def test_source_is_a_relative_link_of_the_system(in_root):
    """-v /etc/os-release, which is a link to ../usr/lib/os-release, works in both views."""
    if not os.path.islink("/etc/os-release"):
        raise Skip("/etc/os-release is no link")
    view = ("--rootfs", busybox_root()) if in_root else ()
    got = sandbox(*view, "-v", "/etc/os-release:/run/given:ro", "--", "/bin/cat", "/run/given")
    equal((got.code, got.out), (0, read("/etc/os-release")), "result\n%s\nvalue" % got)


@needs("busybox")
@cases(host=(False,), root_directory=(True,))
def test_source_is_the_root(in_root):
    """-v /:/host:ro shows the host's root, not the one of the box."""
    write(scratch() + "/marker", "outside\n")
    view = ("--rootfs", busybox_root()) if in_root else ("--cwd", "none")
    got = sandbox(*view, "-v", "/:/host:ro", "--", "/bin/sh", "-c", 'cat "/host$1/marker"; (: >"/host$1/x") 2>/dev/null || echo refused', "sh", scratch())
    equal((got.code, got.out), (0, "outside\nrefused\n"), "result\n%s\nvalue" % got)


@cases(one=("project",), deep=("a/b/c",))
def test_home_with_the_current_directory_below(below):
    """--home DIR where the current directory lies below the home: both are shown, and nothing is left in DIR."""
    me, other, here = folder("me"), folder("other"), folder("me/" + below)
    write(other + "/kept", "kept\n")
    got = sh("pwd; cat ~/kept; echo x >made; ls ~", "--home", other, env={"HOME": me}, cwd=here)
    equal(got.lines, [here, "kept", *sorted(["kept", below.split("/")[0]])], "stdout\n%s\nvalue" % got)
    equal(read(here + "/made"), "x\n", "what was made")
    equal(os.listdir(other), ["kept"], "the directory given as home")


def test_home_with_a_mount_point_of_its_own():
    """The same where DIR has such a directory already: it stays, with its content."""
    me, other, here = folder("me"), folder("other"), folder("me/project")
    write(folder("other/project") + "/kept", "kept\n")
    equal(sh("ls; pwd", "--home", other, env={"HOME": me}, cwd=here).out, here + "\n", "stdout")
    equal(read(other + "/project/kept"), "kept\n", "what lies below")


@everywhere
@cases(usr="/usr", etc="/etc", opt="/opt", bin="/bin")
def test_home_is_a_directory_of_the_view(home):
    """A HOME that is a directory of the view is no home: one notice, HOME is /tmp, programs are there."""
    if not os.path.isdir(home):
        raise Skip("no " + home)
    got = succeeds("--", "/bin/sh", "-c", 'echo "$HOME"; test -w "$HOME" && ls /usr/bin/env /etc/passwd', env={"HOME": home})
    equal(got.lines, ["/tmp", "/etc/passwd", "/usr/bin/env"], "stdout\n%s\nvalue" % got)
    equal(len(re.findall(r"notice: .*home", got.err)), 1, "notices\n%s\nvalue" % got)


@cases(root="/", sbin="/usr/sbin", games="/usr/games", dev="/dev", proc="/proc", tmp="/tmp", nonexistent="/nonexistent")
def test_odd_homes(home):
    """Homes of system users, and worse, keep no command from running."""
    got = succeeds("--", "/bin/sh", "-c", "test -c /dev/null && test -e /proc/self/stat && echo ran", env={"HOME": home})
    equal(got.out, "ran\n", "stdout\n%s\nvalue" % got)


# ---------------------------------------------------------------- --share pid

@everywhere
@cases(daemon="setsid /bin/sh -c 'trap \"\" TERM HUP INT; echo $$ >>pids; sleep 1000; sleep 1000' >/dev/null 2>&1 &",
       child="/bin/sh -c 'echo $$ >>pids; sleep 1000; sleep 1000' &", orphan="(/bin/sh -c 'echo $$ >>pids; sleep 1000; sleep 1000' &) ;")
def test_shared_pid_namespace_ends_with_the_command(script):
    """--share pid: the box ends at once when the command ends, and what it left within two seconds."""
    ready = "until test -s pids; do sleep 0.01; done; "
    process = start("--share", "pid", "--", "/bin/sh", "-c", script + ready + "echo ready; read x; exit 5", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        equal(line_of(process), "ready", "line")
        pids = [int(n) for n in read(scratch() + "/pids").split()]
        check(pids and all(map(alive, pids)), "nothing runs: the test shows nothing")
        begin = time.monotonic()
        process.stdin.close()
        equal(process.wait(TIMEOUT), 5, "exit status")
        check(time.monotonic() - begin < 2.5 * SLOW, "the end took %.2f s" % (time.monotonic() - begin))
        eventually(lambda: not any(map(alive, pids)), "what the command left is killed", 2.5)
    finally:
        finish(process)


def test_shared_pid_namespace_without_launcher():
    """--share pid: SIGKILL of the launcher ends everything of the box within two seconds."""
    process = start("--share", "pid", "--", "/bin/sh", "-c", "trap '' HUP TERM; setsid sleep 1000 & (setsid sleep 1000 &) ; echo ready; sleep 1000; sleep 1000",
                    stdout=subprocess.PIPE)
    equal(line_of(process), "ready", "line")
    inside = eventually(lambda: len(descendants(process.pid)) >= 4 and descendants(process.pid), "the box's processes")
    finish(process)
    eventually(lambda: not any(map(alive, inside)), "all of the box ends", 2.5)


# ---------------------------------------------------------------- reports

def test_report_cannot_be_forged():
    """A command that may write where the report goes finds no file to forge it with."""
    sandbox("--report", "r.json", "--", "/bin/sh", "-c", """
echo "$(ls -A)" >/tmp/list; cp /tmp/list seen
for f in .* *; do case $f in .|..|seen) ;; *) rm -f "$f"; echo '{"v":1,"event":"exit","code":0,"reason":"exited"}' >"$f";; esac; done
echo '{"v":1,"event":"exit","code":0}' >r.json; exit 7""")
    equal(read(scratch() + "/seen").strip(), "", "files beside the report during the run")
    equal((report()["event"], report()["code"]), ("exit", 7), "report")
    equal(sorted(os.listdir(scratch())), ["r.json", "seen"], "files")


@cases(symlink="ln -s ../precious r.json", hard_link="ln spare r.json", fifo="mkfifo r.json", file="echo forged >r.json", dangling="ln -s ../new r.json")
def test_report_cannot_be_redirected(plant):
    """Whatever the command puts in the report's place is replaced, neither followed nor waited for."""
    precious = write(scratch() + "/precious", "kept\n")
    work = folder("work")
    write(work + "/spare", "kept\n")
    got = sandbox("--report", "r.json", "--", "/bin/sh", "-c", plant + " && exit 6", cwd=work)
    equal(got.code, 6, "exit status\n%s\nvalue" % got)
    check(not os.path.islink(work + "/r.json") and os.path.isfile(work + "/r.json"), "the report is no file of its own")
    equal(report("work/r.json")["code"], 6, "report")
    equal((read(precious), read(work + "/spare")), ("kept\n", "kept\n"), "the other files")
    check(not os.path.exists(scratch() + "/new"), "a file was made where the link leads")


def test_report_through_a_link_of_the_user():
    """A symbolic link that was there before the run is followed and stays; what it led to is replaced."""
    os.mkdir(scratch() + "/kept")
    os.symlink("kept/real.json", scratch() + "/r.json")
    write(scratch() + "/kept/real.json", "old\n")
    write(scratch() + "/precious", "kept\n")
    sandbox("--report", "r.json", "--", "/bin/sh", "-c", "ln -sf ../precious kept/real.json; exit 4")
    equal(os.readlink(scratch() + "/r.json"), "kept/real.json", "the user's link")
    check(not os.path.islink(scratch() + "/kept/real.json"), "the planted link is still there")
    equal(report("kept/real.json")["code"], 4, "report")
    equal(read(scratch() + "/precious"), "kept\n", "the other file")


UNDER_LIMIT = ("/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh")


def test_report_under_a_file_size_limit():
    """A report that may not grow (ulimit -f 0) is E-FILE, with words, and leaves no file."""
    got = refused("--report", "r.json", "--", "/bin/true", via=UNDER_LIMIT, code="E-FILE", text="r.json")
    equal(os.listdir(scratch()), [], "files\n%s\nvalue" % got)


def test_pidfile_under_a_file_size_limit():
    """The same for a pidfile; the command is not run."""
    got = refused("--pidfile", "pid", "--", "/bin/mkdir", "ran", via=UNDER_LIMIT, code="E-FILE", text="pid")
    equal(os.listdir(scratch()), [], "files\n%s\nvalue" % got)


@needs("strace")
def test_pidfile_that_is_written_late():
    """The command waits for its pidfile, however late that is written: it may be refused."""
    got = sandbox("--pidfile", "pid", "--", "/bin/mkdir", "ran", env={"ASAN_OPTIONS": "detect_leaks=0"},
                  via=(*UNDER_LIMIT, "strace", "-qqq", "-o", "/dev/null", "-e", "trace=write", "-e", "signal=none", "-e", "inject=write:delay_enter=300000"))
    matches(got.err, r"error\[E-FILE\]: .*pid", "stderr")
    equal(os.listdir(scratch()), [], "files\n%s\nvalue" % got)


def test_plain_run_under_a_file_size_limit():
    """The control: a run that writes no file works under such a limit."""
    equal(sandbox("--", "/bin/echo", "x", via=UNDER_LIMIT).out, "x\n", "stdout")


@needs("unshare")
def test_pidfile_on_a_full_file_system():
    """A pidfile that cannot be written is E-FILE and is removed; the command is not run."""
    got = in_outer("""
mkdir m work; mount -t tmpfs -o size=4k none m; head -c 4096 /dev/zero >m/fill; cd work
"$SANDBOX" --pidfile ../m/pid -- mkdir ran && echo "no error"; echo "status $?"; ls ../m; ls
""")
    equal(got.lines, ["status 125", "fill"], "what was left\n%s\nvalue" % got)
    matches(got.err, r"error\[E-FILE\]: .*pid", "stderr")


# ---------------------------------------------------------------- a network with a root directory

@needs("busybox")
@cases(missing=None, dangling="../run/none/resolv.conf", climbing="../../../../none", absolute="/nonexistent/resolv.conf", no_etc="")
def test_resolver_of_a_root_directory(target):
    """--network host with a root directory without resolv.conf, or with a dangling link there, is no error."""
    root = busybox_root()
    if target == "":
        shutil.rmtree(root + "/etc")
    elif target:
        os.symlink(target, root + "/etc/resolv.conf")
    before = tree(root)
    got = sandbox("--rootfs", root, "--network", "host", "--", "/bin/echo", "ran")
    equal((got.code, got.out), (0, "ran\n"), "result\n%s\nvalue" % got)
    equal(tree(root), before, "the directory")


@needs("busybox")
def test_resolver_that_is_there():
    """The control: a file at that place shows the host's."""
    root = busybox_root()
    write(root + "/etc/resolv.conf", "nameserver 192.0.2.1\n")
    wanted = read("/etc/resolv.conf", "") or "nameserver 192.0.2.1\n"
    equal(sandbox("--rootfs", root, "--network", "host", "--", "/bin/cat", "/etc/resolv.conf").out, wanted, "content")
    equal(sandbox("--rootfs", root, "--", "/bin/cat", "/etc/resolv.conf").out, "nameserver 192.0.2.1\n", "content without a network")


# ---------------------------------------------------------------- kernels and filters that say no

@needs("deny")
@cases(enosys="ENOSYS", eperm="EPERM")
def test_without_pidfd_send_signal(error):
    """Where pidfd_send_signal(2) is refused --timeout works all the same."""
    begin = time.monotonic()
    got = sandbox("--timeout", "200ms", "--", "/bin/sh", "-c", "trap '' TERM; sleep 1000; sleep 1000", via=(TOOLS + "/deny", "pidfd_send_signal=" + error, "--"))
    equal(got.code, 124, "exit status\n%s\nvalue" % got)
    check(time.monotonic() - begin < 5 * SLOW, "took %.2f s" % (time.monotonic() - begin))


# ---------------------------------------------------------------- secrets and many of everything

def test_secret_from_a_fifo():
    """--secret NAME=FIFO is read to its end, however it comes."""
    os.mkfifo(scratch() + "/pipe")
    writer = subprocess.Popen([PYTHON, "-c", """
import sys, time
with open(sys.argv[1], 'w') as file:
    for i in range(10):
        file.write('x' * 20000); file.flush(); time.sleep(0.005)
""", scratch() + "/pipe"])
    try:
        equal(sh("wc -c </run/secrets/key; tr -d x </run/secrets/key | wc -c", "--secret", "key=" + scratch() + "/pipe", cwd=folder("work")).out.split(),
              ["200000", "0"], "bytes")
    finally:
        writer.kill()
        writer.wait()


@needs("bash")
@cases(host=(False,), root_directory=(True,))
def test_secret_from_a_process_substitution(in_root):
    """--secret NAME=<(command) gives what the command prints, and no descriptor."""
    if in_root and not busybox():
        raise Skip("busybox-static is missing")
    view = ("--rootfs", busybox_root(), "--userns", "root") if in_root else ()
    done = subprocess.run(["/bin/bash", "-c", '"$0" "$@" --secret key=<(echo one; sleep 0.05; echo two) -- /bin/sh -c "cat /run/secrets/key; ls /proc/self/fd | wc -l"',
                           SANDBOX, *view], env=environment(), cwd=scratch(), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
    equal((done.returncode, done.stdout.decode().split()), (0, ["one", "two", "4"]), "result\n%s\nvalue" % done.stderr.decode())


def test_many_files_and_secrets():
    """200 files, 200 secrets and some of their directories work in one box."""
    args = []
    for i in range(200):
        args += ["--file", "/run/made/%d/%d=%d\n" % (i % 7, i, i), "--secret", "s%d=env:VALUE" % i]
    equal(sh("cat /run/made/*/* | sort -n | tail -n 1; cat /run/made/*/* | wc -l; cat /run/secrets/* | wc -l", *args, env={"VALUE": "v\n"}).out.split(),
          ["199", "200", "200"], "lines")


def test_many_tmpfs():
    """1000 private file systems work in one box."""
    args = [word for i in range(1000) for word in ("--tmpfs", "/run/t/%d" % i)]
    equal(sh("grep -c ' /run/t/' /proc/self/mountinfo; touch /run/t/999/x", *args).out, "1000\n", "file systems")


def test_deep_destination():
    """A destination deeper than 256 names is E-DEST; one of 200 works."""
    equal(sh("echo ok", "--tmpfs", "/run" + "/d" * 199).out, "ok\n", "stdout")
    for option, value in (("--tmpfs", "/run%s"), ("-v", folder("src") + ":/run%s"), ("--file", "/run%s=x")):
        refused(option, value % ("/d" * 256), "--", "/bin/true", code="E-DEST", text="File name too long")


# ---------------------------------------------------------------- limits and environment

@everywhere
@cases(nofile=("nofile=5", "ulimit -n", "5"), fsize=("fsize=0", "ulimit -f", "0"), cpu=("cpu=1", "ulimit -t", "1"), nofile_pair=("nofile=5:9", "ulimit -Hn", "9"))
def test_limits_are_the_commands(limit, script, value):
    """--ulimit holds for the command and not for PID 1, which could not start it under some."""
    got = sh(script + "; grep -E '^Max (open files|file size|cpu time)' /proc/1/limits", "--ulimit", limit, "--report", "r.json")
    equal(got.lines[0], value, "the command's limit\n%s\nvalue" % got)
    for line in got.lines[1:]:
        check(not re.search(r"  %s  " % value, line), "PID 1 has the limit too: %s" % line)
    equal(report()["code"], 0, "report")


@needs("busybox")
def test_few_descriptors_with_a_root_directory():
    """The same with a root directory, volumes and files."""
    got = sandbox("--rootfs", busybox_root(), *volumes(), "--file", "/tmp/f=x", "--ulimit", "nofile=5", "--", "/bin/sh", "-c", "ulimit -n; " + INTACT)
    equal((got.code, got.out), (0, "5\ndata\ndata\n"), "result\n%s\nvalue" % got)


def test_many_variables():
    """100,000 environment variables are passed on by --env-all, in well under two seconds."""
    program = "import os, sys\nos.execve(sys.argv[1], sys.argv[1:], {**os.environ, **{'v%x' % i: '' for i in range(100000)}})"
    shell = 'ulimit -s 65536 2>/dev/null; exec "$@"'
    begin = time.monotonic()
    got = sandbox("--env-all", "--", PYTHON, "-c", "import os; print(sum(n.startswith('v') for n in os.environ))",
                  via=("/bin/sh", "-c", shell, "sh", PYTHON, "-c", program))
    equal(got.out, "100000\n", "variables\n%s\nvalue" % got.err[-500:])
    check(time.monotonic() - begin < 2 * SLOW, "took %.2f s" % (time.monotonic() - begin))


# ---------------------------------------------------------------- the end by a key

@cases(int=signal.SIGINT, quit=signal.SIGQUIT)
def test_death_by_the_interrupt_signal(number):
    """On a terminal, where the command dies of SIGINT or SIGQUIT, sandbox dies of the same; the report says it, and there is no core."""
    with Terminal("/bin/sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$0" --report r.json -- /bin/sh -c "$1"', SANDBOX, "kill -%d $$" % number) as terminal:
        equal(terminal.wait(), -number, "exit status as wait(2) tells it")
        equal(terminal.settings(), terminal.before, "terminal settings")
    equal((report()["code"], report()["signal"], report()["reason"]), (128 + number, number, "signaled"), "report")
    equal(os.listdir(scratch()), ["r.json"], "files")


@cases(int=("INT", 130), quit=("QUIT", 131))
def test_status_after_the_interrupt_signal(name, status):
    """A shell has 128+N in $? either way: on a terminal and with pipes."""
    script = '"$0" -q -- /bin/sh -c "kill -%s \\$\\$"; echo "status $?"' % name
    with Terminal("/bin/sh", "-c", script, SANDBOX) as terminal:
        terminal.expect(r"^status %d\r" % status)
        terminal.wait()
    done = subprocess.run(["/bin/sh", "-c", script, SANDBOX], env=environment(), cwd=scratch(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    equal(done.stdout.decode(), "status %d\n" % status, "stdout")


@cases(term=("kill -TERM $$", 143), kill=("kill -KILL $$", 137), exit=("exit 130", 130))
def test_other_ends_are_exit_statuses(script, status):
    """The control: other signals, and a command that exits with 130 by itself, give an ordinary status on a terminal."""
    with Terminal(SANDBOX, "--", "/bin/sh", "-c", script) as terminal:
        equal(terminal.wait(), status, "exit status")


@needs("bash")
def test_interrupt_key_ends_a_shell_loop():
    """^C ends the command and the loop of the shell around it."""
    with Terminal("/bin/bash", "--norc", "--noprofile", "-i") as terminal:
        terminal.send("PS1='box''> '\n")
        terminal.expect(r"box> $")
        terminal.send('while :; do "%s" -- /bin/sh -c "echo sta\'\'rted; exec sleep 1000"; done\n' % SANDBOX)
        terminal.expect(r"^started\r")
        terminal.send("\x03")
        terminal.expect(r"box> $", 4)
        terminal.send("echo status $?\n")
        terminal.expect(r"^status 130\r", 4)
        terminal.send("exit\n")
        terminal.wait()


# ---------------------------------------------------------------- what it says

def test_doctor_in_a_nested_box():
    """doctor inside a --nested box finds nothing to mend, at /sys neither."""
    got = sandbox("-q", "--nested", "--show", os.path.dirname(SANDBOX), "--", SANDBOX, "doctor")
    equal(got.code, 0, "exit status\n%s\nvalue" % got)
    lacks("\n".join(line for line in got.lines if "/sys" in line and "fail" in line.lower()), "/sys", "failures")


@modes("root", "userns")
@cases(sys_admin="SYS_ADMIN", among_others="chown,cap_sys_admin", all_of_them="ALL")
def test_notice_about_powerful_capabilities(names):
    """As root --cap-add of a capability that undoes masks and read-only mounts says so, once."""
    got = succeeds("--cap-add", names, "--", "/bin/true")
    equal(len(re.findall(r"^sandbox: notice: .*(?:undo|undone)", got.err, re.M)), 1, "notices\n%s\nvalue" % got)
    lacks(sandbox("--cap-add", "CHOWN", "--", "/bin/true").err, "und", "stderr without such a capability")
    lacks(sandbox("-q", "--cap-add", names, "--", "/bin/true").err, "notice", "stderr with -q")


MISTAKES = {
    "unknown": (("--nosuch", "--", "/bin/true"), "E-OPTION-UNKNOWN"), "value": (("--nice", "99", "--", "/bin/true"), "E-VALUE"),
    "later": (("--name", "a", "--", "/bin/true"), "E-OPTION-LATER"), "no_command": ((), "E-USAGE"), "word": (("ls",), "E-USAGE"),
    "conflict": (("--clear-env", "--env-all", "--", "/bin/true"), "E-CONFLICT"), "profile": (("--profile", "nosuch", "--", "/bin/true"), "E-PROFILE"),
    "env_file": (("--env-file", "nosuch", "--", "/bin/true"), "E-FILE"),
}


@everywhere
@cases(**MISTAKES)
def test_mistakes_in_options_are_events(args, code):
    """A mistake in the options reaches --status-fd and --report where these stand before it, at the stage `none`."""
    rows, got = with_status("--report", "r.json", *args)
    equal(got.code, 125, "exit status\n%s\nvalue" % got)
    equal(len(rows), 1, "events\n%s\nvalue" % got)
    equal((rows[0]["event"], rows[0]["code"], rows[0]["stage"]), ("error", code, "none"), "event")
    contains(got.err, rows[0]["what"], "stderr")
    equal(report(), rows[0], "report")
    equal(os.listdir(scratch()), ["r.json"], "files")


def test_mistakes_with_a_wrong_descriptor():
    """Where the status descriptor is not open the mistake is still the only error."""
    refused("--status-fd", "9", "--nosuch", "--", "/bin/true", code="E-OPTION-UNKNOWN")


@needs("busybox", "subids")
@cases(flag=("--strict",), profile=("--profile", "strict"))
def test_strict_with_ranges(*options):
    """Strict mode with ranges of ids, where processes cannot be counted exactly, is refused with two mends that work."""
    root = busybox_root()
    for name in ("dev", "proc", "sys", "run"):
        os.mkdir(root + "/" + name)
    args = ("--rootfs", root, *options, "--pids-limit", "50")
    refused(*args, "--", "/bin/true", fix=r"--userns.* root.*--no-strict")
    for mend in ("--userns=root", "--no-strict"):
        got = sandbox(*args, mend, "--", "/bin/true")
        equal(got.code, 0, "exit status with %s\n%s\nvalue" % (mend, got))


# ---------------------------------------------------------------- what is no program

@everywhere
@cases(dot=".", dots="..", absolute="/usr", relative="./sub", slash="sub/")
def test_command_is_a_directory(name):
    """A command that is a directory is 126, and the cause says so."""
    folder("here/sub")
    refused("--cwd", "rw", "--", name, cwd=scratch() + "/here", status=126, code="E-NOT-EXECUTABLE", text="Is a directory|[Ii]t is a directory")


@everywhere
@cases(nulls=b"\0\1\2\3garbage\xff", truncated_elf=b"\x7fELF\2\1\1" + bytes(40), other_machine=b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xf3\0" + bytes(100))
def test_command_is_garbage(data):
    """An executable file that is no program is 126, and no shell tries to read it."""
    write(scratch() + "/garbage", data + b"\necho ran >made\n", 0o755)
    refused("--", "./garbage", status=126, code="E-NOT-EXECUTABLE")
    check(not os.path.exists(scratch() + "/made"), "a shell has read it")


@everywhere
def test_command_is_a_text():
    """A text without #! is run by /bin/sh, with its arguments; found in PATH too; an empty file succeeds."""
    write(scratch() + "/text", 'echo "ran $0 $1"; exit 3\n', 0o755)
    got = sandbox("--", "./text", "a b")
    equal((got.code, got.out), (3, "ran ./text a b\n"), "result\n%s\nvalue" % got)
    got = sandbox("--", "text", "x", env={"PATH": scratch() + ":/usr/bin:/bin"})
    equal((got.code, got.out.split()[-1]), (3, "x"), "result\n%s\nvalue" % got)
