# SPDX-License-Identifier: MIT
"""Other people's clients and servers over --network user, in the world of tests/system/world.py: by
name, by address, and through a port of the host's loopback."""

import contextlib
import hashlib
import socket

from box import *
import world
from test_services import services
from world import World, PROGRAMS4

NEEDS.update({name: (lambda name=name: shutil.which(name), name) for name in (
    "curl", "git", "ssh", "openssl", "wrk", "dpkg-deb", "dpkg-scanpackages")})
NEEDS["services"] = (lambda: DEBIAN and os.path.exists(DEBIAN), "the tar of a Debian root with services (tests/run makes it)")

NET = ("-q", "--network", "user")
LONG = 60 * SLOW
PORT = 5433          # of the host's loopback; 5432 is the world's own
_shared = {}

# Files, and programs below /cgi; a certificate makes it TLS.
WEB = """
import http.server, os, ssl, sys
class Handler(http.server.CGIHTTPRequestHandler):
    cgi_directories = ['/cgi']
    def log_message(self, *_):
        pass
os.chdir(sys.argv[1])
server = http.server.ThreadingHTTPServer((sys.argv[2], int(sys.argv[3])), Handler)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def plain_root():
    """The Debian root again, its files the user's own: its programs serve outside of any box too, and in
    a world, where there is one id, it is a root directory."""
    if "root" not in _shared:
        root = os.path.join(box_work(), "plain")
        os.mkdir(root)
        subprocess.run(["tar", "-C", root, "-xf", DEBIAN, "--no-same-owner", "--no-same-permissions", "--exclude=./dev/*", "--exclude=./usr/share/doc",
                        "--exclude=./usr/share/locale", "--exclude=*/libLLVM*", "--exclude=*/bitcode"], check=True)
        _shared["root"] = root
    return _shared["root"]


def box_work():
    return os.path.dirname(scratch())


def listens(process, address, port):
    """Whether somebody does, in the network namespace of that process."""
    check(process.poll() is None, "the server has ended: %d\n%s" % (process.returncode or 0, read(scratch() + "/server.log", "")))
    number = "".join("%02X" % int(part) for part in reversed(address.split(".")))
    return " %s:%04X 00000000:0000 0A " % (number, port) in read("/proc/%d/net/tcp" % process.pid, "")


@contextlib.contextmanager
def serving(via, address, port, *command):
    """A server in the world, until it has been asked to end."""
    root = _shared.get("root", "nowhere")
    libraries = {"LD_LIBRARY_PATH": root + "/usr/lib/x86_64-linux-gnu"} if command[0].startswith(root) else {}
    with open(scratch() + "/server.log", "ab") as log:
        process = subprocess.Popen([*via, *command], env=environment(libraries), cwd=scratch(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        eventually(lambda: listens(process, address, port), "a server on port %d" % port, 20)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20 * SLOW)


def web(w, folder, port=80, *certificate):
    return serving(w.net, PROGRAMS4, port, PYTHON, "-c", WEB, folder, PROGRAMS4, str(port), *certificate)


def ssh_server(via, address, port):
    """By keys of this test alone, as the user. What a client needs is in the current directory."""
    place = scratch()
    for name in ("hostkey", "key"):
        if not os.path.exists(place + "/" + name):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place + "/" + name], check=True)
    kind, key = read(place + "/hostkey.pub").split()[:2]
    for name in ("git.example.test", "[%s]:%d" % (world.GATEWAY, port)):
        write(place + "/known", read(place + "/known", "") + "%s %s %s\n" % (name, kind, key))
    write(place + "/sshd_config", "ListenAddress %s:%d\nHostKey %s/hostkey\nAuthorizedKeysFile %s/key.pub\nStrictModes no\nUsePAM no\n"
          "PidFile none\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n" % (address, port, place, place))
    return serving(via, address, port, plain_root() + "/usr/sbin/sshd", "-D", "-e", "-f", place + "/sshd_config")


SSH = "ssh -F none -i key -o UserKnownHostsFile=known -o BatchMode=yes"


def repository():
    """A bare repository with one commit."""
    path = folder("www/git") + "/project.git"
    script = "git init -q tmp; cd tmp; git config user.name a; git config user.email a@example.test; seq 10000 >numbers; git add .; " \
        "git commit -qm first; git clone -q --bare . %s; cd ..; rm -rf tmp" % path
    subprocess.run(["/bin/sh", "-ec", script], env=environment(), cwd=scratch(), check=True)
    return path


def here(via):
    """Whoever joins a mount namespace is in its root directory."""
    return (*via, "env", "-C", scratch())


def gives(w, script, out, *options):
    got = sandbox(*options, "--", "/bin/bash", "-ec", script, via=here(w.via), timeout=LONG)
    check(got.code == 0, "should succeed\n%s\n%s" % (got, read(scratch() + "/server.log", "")))
    equal(got.out, out, "stdout")


# ---------------------------------------------------------------- clients

@needs("curl", "openssl")
def test_curl():
    """Over HTTP, and over HTTPS with an authority of its own; under a rule by name that one alone."""
    data = bytes(range(256)) * 20000
    write(folder("www") + "/data", data)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=www.example.test", "-keyout", "both",
                    "-out", "ca", "-addext", "subjectAltName=DNS:www.example.test,DNS:git.example.test"], cwd=scratch(), check=True, stderr=subprocess.DEVNULL)
    write(scratch() + "/both", read(scratch() + "/both") + read(scratch() + "/ca"))
    sum_of = "%s  -\n" % hashlib.sha256(data).hexdigest()
    with World() as w, web(w, folder("www")), web(w, folder("www"), 443, scratch() + "/both"):
        gives(w, "curl -sS http://git.example.test/data | sha256sum; curl -sS --cacert ca https://git.example.test/data | sha256sum", sum_of * 2, *NET)
        gives(w, "curl -sS --cacert ca https://git.example.test/data | sha256sum; for u in http://git.example.test/ https://www.example.test/; "
              "do curl -sS --cacert ca --max-time 5 $u >&2 || echo $?; done", sum_of + "7\n6\n", "-q", "--allow", "git.example.test:443")


@needs("git", "curl")
def test_git_over_http():
    """A clone and a fetch with git's own protocol, allowed by name."""
    path = repository()
    script = "#!/bin/sh\nGIT_PROJECT_ROOT=%s GIT_HTTP_EXPORT_ALL=1 exec git http-backend\n" % os.path.dirname(path)
    write(folder("www/cgi") + "/git", script, 0o755)
    with World() as w, web(w, folder("www")):
        gives(w, "git clone -q http://git.example.test/cgi/git/project.git; cd project; wc -l <numbers; git fetch -q; git log --format=%s",
              "10000\nfirst\n", "-q", "--allow", "git.example.test:80")


@needs("git", "ssh", "services")
def test_git_over_ssh():
    """A clone and a push by name, which no proxy for HTTP would pass; scp and a forwarded port the same way. Only
    that name and port are open."""
    path = repository()
    write(folder("www") + "/page", "page\n")
    with World() as w, ssh_server(w.net, PROGRAMS4, 22), web(w, folder("www"), 8080):
        gives(w, """export GIT_SSH_COMMAND=%r
git clone -q ssh://git.example.test%s; cd project; wc -l <numbers; git config user.name a; git config user.email a@example.test
git commit -q --allow-empty -m second; git push -q; git log --format=%%s origin; cd ..
head -c 3000000 /dev/urandom >sent; scp -q %s sent git.example.test:%s/come; cmp sent come && echo copied
%s -f -N -o ExitOnForwardFailure=yes -L 8000:%s:8080 git.example.test; curl -sS http://127.0.0.1:8000/page
curl -sS --max-time 5 http://git.example.test:8080/page 2>/dev/null || echo $?""" % (
            SSH.replace(" key", " %s/key" % scratch()).replace("=known", "=%s/known" % scratch()), path, SSH[4:], scratch(), SSH, PROGRAMS4),
              "10000\nsecond\nfirst\ncopied\npage\n7\n", "-q", "--allow", "git.example.test:22")


@needs("git", "ssh", "services")
def test_git_from_the_host():
    """A server on the host's loopback, through the one port that is opened."""
    path = repository()
    with World() as w, ssh_server(w.via, "127.0.0.1", 2222):
        gives(w, "GIT_SSH_COMMAND=%r git clone -q ssh://%s:2222%s; wc -l <project/numbers" % (SSH, world.GATEWAY, path), "10000\n",
              *NET, "--host-port", "2222")
        got = sandbox(*NET, "--host-port", "2223", "--", "/bin/sh", "-c", "%s -p 2222 %s true" % (SSH, world.GATEWAY), via=here(w.via), timeout=LONG)
        contains(got.err, "Connection refused")


def database():
    """A cluster of the user's, which trusts everybody: (server, its directory)."""
    bin_folder = plain_root() + "/usr/lib/postgresql/15/bin"
    subprocess.run([bin_folder + "/initdb", "-D", "data", "-A", "trust", "-U", "me", "--no-sync", "-L", plain_root() + "/usr/share/postgresql/15"],
                   env=environment({"LD_LIBRARY_PATH": plain_root() + "/usr/lib/x86_64-linux-gnu"}), cwd=scratch(), check=True, stdout=subprocess.DEVNULL)
    write(scratch() + "/data/pg_hba.conf", "host all all all trust\n")
    return bin_folder + "/postgres", scratch() + "/data"


@needs("services")
def test_psql():
    """PostgreSQL on the host's loopback through --host-port, and in the net by a name of --add-host: rows by
    COPY both ways, two sessions at once, a cancelled query."""
    server, data = database()
    script = """export PGUSER=me PGDATABASE=postgres
psql -qc 'drop table if exists t' -c 'create table t (n int)' 2>/dev/null; seq 100000 | psql -qc 'copy t from stdin'
psql -qc 'copy t to stdout' | sha256sum | cut -c 1-8; psql -Atc 'select sum(n) from t' & wait $!
psql -qc 'select pg_sleep(100)' 2>&1 & p=$!
until [ "$(psql -Atc "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'")" = 1 ]; do :; done
kill -INT $p; wait $p || echo cancelled"""
    out = subprocess.run("seq 100000 | sha256sum | cut -c 1-8", shell=True, capture_output=True, text=True, check=True).stdout + \
        "5000050000\n"
    for place, address, where, options in (("via", "127.0.0.1", world.GATEWAY, ("--host-port", str(PORT))),
                                           ("net", PROGRAMS4, "db", ("--add-host", "db:" + PROGRAMS4, "--allow", "db:%d" % PORT))):
        with World() as w, serving(getattr(w, place), address, PORT, server, "-D", data, "-h", address, "-p", str(PORT), "-k", scratch(), "-c", "fsync=off"):
            got = sandbox("-q", *options, "--rootfs", plain_root(), "-e", "PGHOST=" + where, "-e", "PGPORT=%d" % PORT, "--", "/bin/bash", "-mc", script,
                          via=w.via, timeout=LONG)
            check(got.out.startswith(out) and got.out.endswith("cancelled\n"), "%s\n%s" % (got, read(scratch() + "/server.log", "")))


@needs("services", "dpkg-deb", "dpkg-scanpackages")
def test_apt():
    """apt-get update and install in a Debian root, from an archive that one rule allows by its name."""
    write(folder("pkg/DEBIAN") + "/control", "Package: hello-box\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.test>\nDescription: says it\n")
    write(folder("pkg/usr/bin") + "/hello-box", "#!/bin/sh\necho hello from the archive\n", 0o755)
    os.chmod(scratch() + "/pkg/DEBIAN", 0o755)
    subprocess.run("dpkg-deb --root-owner-group -b pkg www/hello.deb && cd www && dpkg-scanpackages . >Packages", shell=True, cwd=os.path.dirname(folder("www")),
                   check=True, capture_output=True)
    script = """echo 'deb [trusted=yes] http://debian.example.test/ ./' >/etc/apt/sources.list; rm -f /etc/apt/sources.list.d/*
apt-get -q update >/log 2>&1; apt-get -qy install hello-box >>/log 2>&1 || { cat /log >&2; exit 1; }; hello-box
echo 'deb [trusted=yes] http://www.example.test/ ./' >/etc/apt/sources.list
apt-get -q update 2>&1 | grep -o 'Could not resolve .*\\|Temporary failure resolving .*\\|Unable to connect .*' | sort -u | head -n 1"""
    with World() as w, web(w, folder("www")):
        # In a world there is one id: nobody whom apt could become.
        write(plain_root() + "/etc/apt/apt.conf.d/one-id", 'APT::Sandbox::User "root";\n')
        gives(w, script, "hello from the archive\nTemporary failure resolving 'www.example.test'\n", "-q", "--allow", "debian.example.test:80",
              "--rootfs", plain_root())


# ---------------------------------------------------------------- servers

@needs("services", "subids", "wrk")
def test_nginx_published():
    """A published nginx under 100 clients: every answer is whole, none is lost; then it is told to end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]   # free a moment ago
    page = "x" * 5000
    process = start("-q", "--rootfs", services(), "-p", "%d:80" % port, "--", "/bin/sh", "-c",
                    "printf %%s %s >/var/www/html/page; exec nginx -g 'daemon off;'" % page)
    try:
        url = "http://127.0.0.1:%d/page" % port
        get = lambda: subprocess.run(["curl", "-sf", url], capture_output=True, text=True, check=False).stdout  # noqa: E731
        eventually(lambda: get() == page or check(process.poll() is None, "the box has ended"), "the page", 20)
        done = subprocess.run(["wrk", "-t", "2", "-c", "100", "-d", "1", "--timeout", "%d" % (20 * SLOW), url], capture_output=True, text=True, check=True)
        lacks(done.stdout, "Socket errors", "wrk")
        lacks(done.stdout, "Non-2xx", "wrk")
        check(int(matches(done.stdout, r"(\d+) requests in").group(1)) > 100, done.stdout)
        lacks(subprocess.run(["wrk", "-t", "1", "-c", "20", "-d", "1", "-H", "Connection: close", url], capture_output=True, text=True, check=True).stdout,
              "Socket errors", "wrk, a connection each")
        equal(get(), page, "the page afterwards")
    finally:
        process.terminate()
        process.wait(20 * SLOW)
