# SPDX-License-Identifier: MIT
"""Services as root of a Debian root directory, in the default box of --rootfs: their own users, forks,
shared memory, sockets."""

from box import *

NEEDS["services"] = (lambda: DEBIAN and os.path.exists(DEBIAN), "the tar of a Debian root with services (tests/run makes it)")

_shared = {}


def services():
    """The unpacked root, one for all tests of this file; its files belong to the user's ids."""
    if "root" not in _shared:
        root = os.path.join(WORK, "services")
        os.mkdir(root)
        as_subroot("tar", "-C", root, "-xpf", DEBIAN, "--exclude=./dev/*", "--exclude=./usr/share/doc", "--exclude=./usr/share/locale", check_it=True)
        _shared["root"] = root
    return _shared["root"]


def gives(script, out, *options):
    got = sandbox("-q", "--rootfs", services(), *options, "--", "/bin/bash", "-ec", script, timeout=120 * SLOW)
    check(got.code == 0, "should succeed\n%s" % got)
    equal(got.out, out, "stdout")


@needs("services", "subids")
def test_postgresql():
    """initdb, a server, pgbench with four clients, a query in parallel, a stop."""
    gives("""install -d -o postgres /run/postgresql /pg; cat >/job <<'END'
set -e; PATH=/usr/lib/postgresql/15/bin:$PATH; initdb -D /pg/data >/pg/log 2>&1; echo made
pg_ctl -D /pg/data -w -l /pg/server start >>/pg/log; psql -Atc 'create database bench' -c "select 'listening on ' || count(*) from pg_stat_activity where backend_type = 'client backend'"
pgbench -i -q bench >>/pg/log 2>&1; pgbench -c 4 -j 2 -t 50 bench 2>>/pg/log | grep 'actually processed'
psql -At bench -c 'set parallel_setup_cost = 0' -c 'set min_parallel_table_scan_size = 0' -c 'set parallel_tuple_cost = 0' -c 'select count(*) from pgbench_accounts'
pg_ctl -D /pg/data -m fast stop >>/pg/log; tail -n 1 /pg/server | sed 's/.*LOG: *//'
END
su postgres -c 'bash /job' || { cat /pg/log /pg/server; exit 1; }""",
          "made\nCREATE DATABASE\nlistening on 1\nnumber of transactions actually processed: 200/200\nSET\nSET\nSET\n100000\ndatabase system is shut down\n")


@needs("services", "subids")
def test_redis():
    """A server on loopback: values, a script, a snapshot by a forked child, a benchmark, a shutdown."""
    gives("""cd /var/lib/redis; setpriv --reuid=redis --regid=redis --clear-groups redis-server --dir /var/lib/redis --daemonize yes --pidfile /tmp/pid --logfile /var/lib/redis/log >/dev/null
until redis-cli ping 2>/dev/null | grep -qx PONG; do :; done
redis-cli set k v; redis-cli get k; redis-cli eval 'return redis.call("incrby", KEYS[1], 41) + 1' 1 n; redis-cli bgsave
until redis-cli info persistence | grep -q rdb_bgsave_in_progress:0; do :; done; redis-cli info persistence | tr -d '\\r' | grep rdb_last_bgsave_status
redis-benchmark -q -n 2000 -c 20 -t set,get | tr '\\r' '\\n' | sed -n 's/^\\([A-Z]*\\): .*requests per second.*/\\1/p' | sort -u
redis-cli shutdown nosave; redis-check-rdb dump.rdb | grep -o 'RDB looks OK'""",
          "OK\nv\n42\nBackground saving started\nrdb_last_bgsave_status:ok\nGET\nSET\nRDB looks OK\n")


@needs("services", "subids")
def test_nginx():
    """A master of root, workers of www-data on port 80: a page by sendfile, a reload, an end."""
    gives("""echo 'the page' >/var/www/html/page; nginx; get() { exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$1" >&3; tr -d '\\r' <&3; }
get /page | sed -n '1p;$p'; get /none | head -n 1; workers() { for p in /proc/[0-9]*; do grep -qs '^nginx: worker' $p/cmdline && echo $p; done; }
old=$(workers); stat -c %U $old | sort -u; nginx -s reload; for p in $old; do while [ -e $p ]; do :; done; done; get /page | tail -n 1; nginx -s quit; while [ -e /run/nginx.pid ]; do :; done; cat /var/log/nginx/error.log | grep -v notice || echo quiet""",
          "HTTP/1.1 200 OK\nthe page\nHTTP/1.1 404 Not Found\nwww-data\nthe page\nquiet\n")
