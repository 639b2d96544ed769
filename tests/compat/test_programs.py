# SPDX-License-Identifier: MIT
"""Programs of the host in the default box, in a directory of their own."""

from box import *

NEEDS.update({name: (lambda program=program: shutil.which(program), program) for name, program in {
    "git": "git", "go": "go", "node": "node", "gdb": "gdb", "valgrind": "valgrind", "tmux": "tmux", "make": "make",
    "dpkg-buildpackage": "dpkg-buildpackage", "dh": "dh"}.items()})
NEEDS["testsuite"] = (lambda: any(os.path.exists("/usr/lib/python3.%d/test/test_os.py" % n) for n in range(9, 20)), "libpython3.*-testsuite")

LONG = 120 * SLOW


def confined(script, *options, **keywords):
    """A shell script in the default box, in the scratch directory; it must succeed. Its stdout."""
    got = sandbox("-q", *options, "--", "/bin/bash", "-ec", script, timeout=keywords.pop("timeout", LONG), **keywords)
    check(got.code == 0, "should succeed\n%s" % got)
    return got.out


def gives(script, out, *options, **keywords):
    equal(confined(script, *options, **keywords), out, "stdout")


LEAK = """#include <stdio.h>
#include <stdlib.h>
static char *keep(int n) { char *p = malloc(10); p[0] = (char)n; return p; }
int main(int argc, char **argv) { (void)argv; char *volatile p = keep(argc); printf("%d\\n", p[0]); p = NULL; return 0; }
"""


@needs("gcc", "make")
def test_gcc_and_make():
    """A program of several files is compiled in parallel, linked against a library of its own, and run."""
    write(scratch() + "/Makefile", "all: main\n\t./main\nmain: main.o libpart.so\n\t$(CC) -o $@ main.o -L. -lpart -Wl,-rpath,'$$ORIGIN'\n"
          "libpart.so: part.c\n\t$(CC) -shared -fPIC -o $@ $<\n")
    write(scratch() + "/main.c", "#include <stdio.h>\nint part(int);\nint main(void) { printf(\"%d\\n\", part(41)); return 0; }\n")
    write(scratch() + "/part.c", "int part(int n) { return n + 1; }\n")
    gives("make -s -j2; make -s", "42\n42\n")


@needs("gcc", "make")
def test_cxx_threads():
    """C++ with threads, exceptions and link-time optimisation."""
    write(scratch() + "/a.cc", """#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>
#include <atomic>
int main() {
	std::atomic<int> sum{0};
	std::vector<std::thread> all;
	for (int i = 1; i <= 8; i++) all.emplace_back([&sum, i] { sum += i; });
	for (auto &t : all) t.join();
	try { throw std::runtime_error("thrown"); } catch (const std::exception &e) { std::cout << e.what() << ' ' << sum << '\\n'; }
}
""")
    gives("g++ -O2 -flto=2 -pthread -o a a.cc; ./a", "thrown 36\n")


@needs("git")
def test_git():
    """A repository is made, cloned through a pipe, repacked, checked and merged."""
    gives("""git config --global user.name t; git config --global user.email t@example.org; git config --global init.defaultBranch main
git init -q a; cd a; echo one >f; git add f; git commit -qm first; git checkout -qb side; echo two >g; git add g; git commit -qm second
git checkout -q main; echo three >>f; git commit -qam third; git merge -q --no-edit side; git gc -q; git fsck --strict 2>&1
cd ..; git clone -q --no-local a b; cd b; git log --format=%s | sort; git show HEAD:g; git status --short --branch""",
          "Merge branch 'side'\nfirst\nsecond\nthird\ntwo\n## main...origin/main\n")


# They try ids that are nobody's in a namespace with one id, where the kernel says EINVAL and not EPERM.
OTHER_IDS = ("test_chown_without_permission", "test_user", "test_group")


def python_tests(names, patterns, flag, *options):
    words = " ".join("%s %s" % (flag, pattern) for pattern in patterns)
    out = confined("%s -m test -j3 %s %s 2>&1" % (PYTHON, words, names), *options, timeout=5 * LONG)
    matches(out, r"\nTests result: SUCCESS\n\Z", "stdout")
    for name in names.split():
        matches(out, r"\] %s passed" % name, "stdout")


@needs("testsuite")
def test_python():
    """Python's own tests of what it asks of the system all pass."""
    python_tests("test_os test_subprocess test_socket", OTHER_IDS, "-i")


@needs("testsuite", "subids")
def test_python_with_ids():
    """Those about other ids pass in a box that has some."""
    own, start = os.getuid(), int(re.search(r"^(?:%s|%d):(\d+):" % (re.escape(user_name()), os.getuid()), read("/etc/subuid"), re.M).group(1))
    ids = "map:0:%d:%d,%d:%d:1,%d:%d:%d" % (start, own, own, own, own + 1, start + own, 65535 - own)
    python_tests("test_os test_subprocess", OTHER_IDS, "-m", "--userns", ids)


@needs("node")
def test_node():
    """Files, a child, a worker thread, ciphers, and a server that answers its own client."""
    write(scratch() + "/a.js", """
const fs = require('fs'), http = require('http'), { execFileSync } = require('child_process'), crypto = require('crypto');
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) { parentPort.postMessage('worker'); return; }
fs.writeFileSync('f', 'file'); console.log(fs.readFileSync('f', 'utf8'));
console.log(execFileSync('echo', ['child']).toString().trim());
console.log(crypto.createHash('sha256').update('x').digest('hex').slice(0, 8));
new Worker(__filename).on('message', m => { console.log(m);
  const server = http.createServer((q, s) => s.end('served ' + q.url)).listen(0, '127.0.0.1', () =>
    http.get({ host: '127.0.0.1', port: server.address().port, path: '/p' }, r => r.on('data', d => { console.log(d.toString()); server.close(); }))); });
""")
    gives("node a.js", "file\nchild\n2d711642\nworker\nserved /p\n")


@needs("go")
def test_go():
    """A module is built, tested and run: goroutines, a child, a server and its client."""
    write(scratch() + "/go.mod", "module example.org/a\n\ngo 1.19\n")
    write(scratch() + "/a.go", """package main

import ("fmt"; "io"; "net"; "os/exec"; "sync")

func Sum(n int) int {
	var m sync.Mutex
	var w sync.WaitGroup
	sum := 0
	for i := 1; i <= n; i++ {
		w.Add(1)
		go func(i int) { defer w.Done(); m.Lock(); sum += i; m.Unlock() }(i)
	}
	w.Wait()
	return sum
}

func main() {
	out, err := exec.Command("echo", "child").Output()
	fmt.Printf("%s%v %d\\n", out, err, Sum(100))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	go func() { c, _ := l.Accept(); fmt.Fprint(c, "served"); c.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil { panic(err) }
	body, _ := io.ReadAll(c)
	fmt.Println(string(body))
}
""")
    write(scratch() + "/a_test.go", "package main\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) { if Sum(10) != 55 { t.Fatal() } }\n")
    out = confined("go vet ./...; go test ./... | cut -f1,2; go build -o a .; ./a", timeout=5 * LONG)
    equal(out, "ok  \texample.org/a\nchild\n<nil> 5050\nserved\n", "stdout")


@needs("gcc", "gdb")
def test_gdb():
    """A breakpoint, a backtrace, a changed variable; without a word on what it may not do."""
    write(scratch() + "/a.c", "#include <stdio.h>\nint twice(int n)\n{\n\treturn 2 * n;\n}\nint main(void)\n{\n\tprintf(\"%d\\n\", twice(4));\n\treturn 0;\n}\n")
    out = confined("gcc -g -O0 -o a a.c; gdb -q -batch -ex 'break twice' -ex run -ex 'bt' -ex 'set var n = 21' -ex continue ./a 2>&1")
    matches(out, r"Breakpoint 1, twice \(n=4\) at a\.c:4\n4\t\treturn 2 \* n;\n#0  twice \(n=4\) at a\.c:4\n#1  0x[0-9a-f]+ in main \(\) at a\.c:8\n42\n", "stdout")
    lacks(out, "not permitted", "stdout")


@needs("gcc", "gdb")
def test_gdb_attach():
    """A process that runs already is attached to, by its pid."""
    write(scratch() + "/a.c", "#include <unistd.h>\nint main(void)\n{\n\tfor (;;)\n\t\tpause();\n}\n")
    out = confined("gcc -g -O0 -o a a.c; ./a & gdb -q -batch -p $! -ex 'frame function main' 2>&1; kill $!")
    matches(out, r"main \(\) at a\.c:5", "stdout")


@needs("strace")
def test_strace():
    """Calls of a program and of its children are told."""
    out = confined("strace -f -qq -e trace=write -e signal=none -o log sh -c 'echo one; (echo two)'; sed 's/^[0-9]* *//; s/ *= .*//' log")
    equal(out, 'one\ntwo\nwrite(1, "one\\n", 4)\nwrite(1, "two\\n", 4)\n', "stdout")


@needs("gcc", "valgrind")
def test_valgrind():
    """A leak is found, and where it came from."""
    write(scratch() + "/a.c", LEAK)
    out = confined("gcc -g -O0 -o a a.c; valgrind --leak-check=full --error-exitcode=9 ./a 2>&1 || echo status $?")
    matches(out, r"10 bytes in 1 blocks are definitely lost", "stdout")
    matches(out, r"keep \(a\.c:3\)", "stdout")
    matches(out, r"ERROR SUMMARY: 1 errors from 1 contexts .*\nstatus 9\n\Z", "stdout")


@needs("gcc")
def test_address_sanitizer():
    """AddressSanitizer finds a read past the end, and LeakSanitizer, which traces its own process, a leak."""
    write(scratch() + "/a.c", LEAK)
    write(scratch() + "/b.c", "#include <stdlib.h>\nint main(int c, char **v) { (void)v; char *volatile p = malloc(4); int r = p[3 + c]; free(p); return r; }\n")
    out = confined("gcc -g -O0 -fsanitize=address -o a a.c; gcc -g -fsanitize=address -o b b.c; ./a 2>&1 || echo status $?; ./b 2>&1 || echo status $?")
    matches(out, r"ERROR: LeakSanitizer: detected memory leaks", "stdout")
    matches(out, r"SUMMARY: AddressSanitizer: 10 byte\(s\) leaked in 1 allocation\(s\)\.\nstatus 1\n", "stdout")
    matches(out, r"ERROR: AddressSanitizer: heap-buffer-overflow", "stdout")
    lacks(out, "LeakSanitizer has encountered a fatal error", "stdout")


@needs("gcc")
def test_thread_sanitizer():
    """ThreadSanitizer, which wants its addresses in place, tells a race."""
    write(scratch() + "/a.c", "#include <pthread.h>\nint n;\nstatic void *f(void *p) { n++; return p; }\n"
          "int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); n++; pthread_join(t, 0); return 0; }\n")
    out = confined("gcc -g -fsanitize=thread -o a a.c; ./a 2>&1 || echo status $?")
    matches(out, r"WARNING: ThreadSanitizer: data race", "stdout")
    matches(out, r"status 66\n\Z", "stdout")


@needs("tmux")
def test_tmux():
    """A server with two windows: what is typed into one is seen there, and both end with it."""
    out = confined("""tmux -f /dev/null -L t new-session -d -x 80 -y 24 "sh -c 'echo re''ady; read line; echo got \\$line; tmux -L t wait-for -S done; sleep 100'"
tmux -L t new-window -d "sleep 1000"; tmux -L t list-windows -F '#{window_index}'
tmux -L t send-keys -t :0 typed Enter; tmux -L t wait-for done; tmux -L t capture-pane -p -t :0 | sed '/^$/d'; tmux -L t kill-server""",
                   "-e", "TERM=xterm", "-e", "SHELL=/bin/sh")
    equal(out, "0\n1\nready\ntyped\ngot typed\n", "stdout")


@needs("dpkg-buildpackage", "dh", "gcc")
def test_dpkg_buildpackage():
    """A Debian package is built with debhelper, and holds what it should, owned by root. dpkg's list of
    what is installed lies in /var, which is not shown unless one asks."""
    source = folder("packed-1.0")
    os.makedirs(source + "/debian/source")
    write(source + "/a.c", "#include <stdio.h>\nint main(void) { return puts(\"packaged\") < 0; }\n")
    write(source + "/Makefile", "all: a\ninstall: a\n\tinstall -D a $(DESTDIR)/usr/bin/a\nclean:\n\trm -f a\n")
    write(source + "/debian/control", "Source: packed\nMaintainer: T <t@example.org>\nBuild-Depends: debhelper-compat (= 13)\nRules-Requires-Root: no\n"
          "Standards-Version: 4.6.2\n\nPackage: packed\nArchitecture: any\nDepends: ${shlibs:Depends}, ${misc:Depends}\nDescription: a test\n For a test.\n")
    write(source + "/debian/rules", "#!/usr/bin/make -f\n%:\n\tdh $@\n", 0o755)
    write(source + "/debian/changelog", "packed (1.0) unstable; urgency=low\n\n  * Test.\n\n -- T <t@example.org>  Mon, 02 Jan 2023 00:00:00 +0000\n")
    write(source + "/debian/source/format", "3.0 (native)\n")
    out = confined("cd packed-1.0; dpkg-buildpackage -us -uc -b >../log 2>&1 || { cat ../log; exit 1; }; cd ..; dpkg-deb -f packed_1.0_*.deb Package Version Depends; "
                   "dpkg-deb -c packed_1.0_*.deb | awk '/bin.a$/ { print $1, $2, $6 }'; dpkg-deb -x packed_1.0_*.deb out; out/usr/bin/a",
                   "--show", "/var/lib/dpkg")
    matches(out, r"\APackage: packed\nVersion: 1\.0\nDepends: libc6 \(>= 2\.\d+\)\n-rwxr-xr-x root/root \./usr/bin/a\npackaged\n\Z", "stdout")


@needs("dpkg-buildpackage", "dh", "gcc")
def test_fakeroot():
    """fakeroot, whose server talks SysV messages, gives files owners that tar believes."""
    out = confined("mkdir d; fakeroot sh -c 'chown 12:34 d; mknod d/null c 1 3; tar -cf - --numeric-owner d' | tar -tvf - | awk '{ print $1, $2, $NF }'")
    matches(out, r"\Adrwxr-xr-x 12/34 d/\ncrw-r--r-- \S+ d/null\n\Z", "stdout")
