// SPDX-License-Identifier: MIT
/* From the request to the spec: defaults, each option's forms and refusals, what wins over what,
 * and every row of the conflict table. Volumes and capabilities have tests of their own. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <sandbox/spec.h>

#include "request-of.h"

struct built {
	struct request request;
	struct spec spec;
};

static const struct spec *build(struct built *b, const char *const *pairs)
{
	struct err err;

	request_of(&b->request, pairs);
	if (spec_build(&b->spec, &b->request, &err) < 0)
		fail_msg("%s '%s': %s: %s", pairs[0], pairs[1] ? pairs[1] : "", err.what,
			 err.cause);
	return &b->spec;
}

static void built_clear(struct built *b)
{
	spec_clear(&b->spec);
	spec_clear(&b->spec);
	request_of_clear(&b->request);
}

static void test_defaults(void **state)
{
	const char *const pairs[] = { NULL, NULL };
	struct built b;
	const struct spec *s = build(&b, pairs);

	(void)state;
	assert_int_equal(s->view, VIEW_HOST);
	assert_int_equal(s->home, HOME_DEFAULT);
	assert_int_equal(s->cwd, CWD_DEFAULT);
	assert_int_equal(s->net, NET_NONE);
	assert_int_equal(s->userns, USERNS_DEFAULT);
	assert_int_equal(s->tty, TTY_AUTO);
	assert_int_equal(s->stop_signal, SIGTERM);
	assert_true(s->uid == SPEC_ID_NONE && s->gid == SPEC_ID_NONE && !s->user_set);
	assert_int_equal(s->status_fd, -1);
	assert_int_equal(s->block_fd, -1);
	assert_int_equal(s->ready_fd, -1);
	assert_int_equal(s->pids_limit, 0);
	assert_int_equal(s->timeout_ms, 0);
	assert_int_equal(s->share | s->unshare, 0);
	assert_int_equal(s->volumes->len + s->env->len + s->ulimits->len + s->preserve_fds->len, 0);
	assert_true(!s->rootfs && !s->workdir && !s->hostname && !s->report && !s->pidfile);
	assert_false(s->strict || s->quiet || s->read_only || s->nested || s->env_all ||
		     s->clear_env || s->nice_set || s->securebits_set || s->allow_new_privs);
	assert_string_equal(s->command[0], "true");
	built_clear(&b);
}

static bool keep_published(const struct spec *s)
{
	return s->publish->len && g_array_index(s->publish, struct publish, 0).keep;
}

static bool udp_published(const struct spec *s)
{
	return s->publish->len && g_array_index(s->publish, struct publish, 0).udp;
}

static bool published(const struct spec *s, unsigned row, const char *address, unsigned first,
		      unsigned last, unsigned inner)
{
	const struct publish *p = &g_array_index(s->publish, struct publish, row);
	char text[INET6_ADDRSTRLEN];

	return s->publish->len > row &&
	       g_str_equal(inet_ntop(p->ipv6 ? AF_INET6 : AF_INET, p->address, text, sizeof(text)),
			   address) &&
	       p->first == first && p->last == last && p->inner == inner;
}
#define RULE(n, text) (s->net_rules->len > (n) && g_str_equal(s->net_rules->pdata[n], text))

/* What each option does, as an expression over the spec. */
/* clang-format off */
#define ACCEPTED(F) \
	F(s->strict, "strict", NULL) \
	F(!s->strict, "strict", NULL, "no-strict", NULL) \
	F(s->quiet && s->read_only && s->nested, "quiet", NULL, "read-only", NULL, "nested", NULL) \
	F(s->allow_new_privs, "allow-new-privs", NULL) \
	F(s->view == VIEW_ROOTFS && g_str_equal(s->rootfs, "debian"), "rootfs", "debian") \
	F(s->view == VIEW_HOST && !s->rootfs, "rootfs", "/r", "host", NULL) \
	F(s->view == VIEW_ROOTFS, "host", NULL, "rootfs", "/r") \
	F(s->view == VIEW_ROOTFS, "no-host", NULL, "rootfs", "/r") \
	F(s->home == HOME_PRIVATE, "home", "private") \
	F(s->home == HOME_RO, "home", "ro") \
	F(s->home == HOME_RW, "home", "rw") \
	F(s->home == HOME_DIR && g_str_equal(s->home_dir, "./h"), "home", "./h") \
	F(s->home == HOME_DIR && g_str_equal(s->home_dir, "~/h"), "home", "~/h") \
	F(s->home == HOME_RO && !s->home_dir, "home", "/h", "home", "ro") \
	F(s->cwd == CWD_RW, "cwd", "rw") \
	F(s->cwd == CWD_RO, "cwd", "ro") \
	F(s->cwd == CWD_NONE, "cwd", "none") \
	F(s->cwd == CWD_NONE, "cwd", "none", "rootfs", "/r") \
	F(g_str_equal(s->workdir, "/w"), "workdir", "/v", "workdir", "/w") \
	F(s->user_set && s->uid == 0 && s->gid == SPEC_ID_NONE, "user", "0") \
	F(s->uid == 1000 && s->gid == 50, "user", "1000:50") \
	F(s->uid == 4294967294 && s->gid == 4294967294, "user", "4294967294:4294967294") \
	F(s->uid == 7 && s->gid == SPEC_ID_NONE, "user", "1:2", "user", "7") \
	F(s->user_set && s->uid == 0 && s->userns == USERNS_ROOT, "root", NULL) \
	F(s->uid == 0 && s->userns == USERNS_ROOT, "root", NULL, "user", "0:0") \
	F(s->uid == 0 && s->userns == USERNS_AUTO, "root", NULL, "userns", "auto") \
	F(!s->user_set && s->userns == USERNS_DEFAULT, "root", NULL, "no-root", NULL) \
	F(s->userns == USERNS_KEEP_ID, "userns", "keep-id") \
	F(s->userns == USERNS_ROOT, "userns", "root") \
	F(s->userns == USERNS_MAP && s->map.n == 2, "userns", "map:0:1000:1,1:100000:5") \
	F(s->userns == USERNS_MAP && s->map.n == 1, "userns", "map:0:1:1,1:2:1", "userns", "map:0:1000:1") \
	F(s->userns == USERNS_AUTO && !s->map.rows, "userns", "map:0:1:1", "userns", "auto") \
	F(s->userns == USERNS_MAP && s->uid == 5, "userns", "map:0:1000:6", "user", "5:4") \
	F(g_str_equal(s->hostname, "box.example"), "hostname", "box.example") \
	F(s->share == (CLONE_NEWPID | CLONE_NEWIPC), "share", "pid", "share", "ipc") \
	F(s->share == (CLONE_NEWUTS | CLONE_NEWCGROUP), "share", "uts,cgroup") \
	F(s->share == CLONE_NEWNS, "share", "mnt") \
	F(s->unshare == CLONE_NEWTIME, "unshare", "time") \
	F(s->share == 0 && s->unshare == CLONE_NEWPID, "share", "pid", "unshare", "pid") \
	F(s->share == CLONE_NEWPID && s->unshare == 0, "unshare", "pid", "share", "pid") \
	F(s->net == NET_NONE, "network", "none") \
	F(s->net == NET_HOST && s->share == CLONE_NEWNET, "network", "host") \
	F(s->net == NET_USER && !s->share, "network", "user") \
	F(s->net == NET_USER && s->host_ports->len == 1, "host-port", "5432") \
	F(s->net == NET_USER && published(s, 0, "127.0.0.1", 8080, 8080, 80), "publish", "8080:80") \
	F(published(s, 0, "0.0.0.0", 80, 80, 8080), "publish", "0.0.0.0:80:8080/tcp") \
	F(published(s, 0, "::1", 8080, 8080, 80), "publish", "[::1]:8080:80") \
	F(s->ip.kind == OWN_IP_FIXED && !s->ip.ipv6 && s->ip.address[1] == 83, "publish", "1:1", "ip", "127.83.4.9") \
	F(s->ip.kind == OWN_IP_FIXED && s->ip.ipv6 && s->ip.address[15] == 1, "publish", "1:1", "ip", "::1") \
	F(s->ip.kind == OWN_IP_AUTO && s->net == NET_USER, "publish", "1:1", "ip", "auto") \
	F(keep_published(s) && published(s, 0, "0.0.0.0", 80, 80, 80), "publish", "0.0.0.0:80:80,src=keep") \
	F(keep_published(s) && published(s, 0, "::", 80, 80, 80), "publish", "[::]:80:80/tcp,src=keep") \
	F(udp_published(s) && published(s, 0, "127.0.0.1", 53, 54, 5353), "publish", "53-54:5353-5354/udp") \
	F(published(s, 1, "::", 80, 89, 8080), "publish", "1:1", "publish", "[::]:80-89:8080-8089") \
	F(s->net == NET_USER && s->ipv6 == TRI_OFF, "ipv6", "off") \
	F(s->net == NET_USER && s->net_allow && RULE(0, "allow any example.org *"), "allow", "Example.org.") \
	F(s->net == NET_USER && !s->net_allow && RULE(0, "deny any lan *"), "deny", "lan") \
	F(RULE(0, "allow tcp *.example.org 443-443,8000-8010"), "allow", "tcp://*.example.org:443,8000-8010") \
	F(RULE(0, "allow udp 10.1.0.0/16 53-53"), "allow", "udp://10.1.0.0/16:53") \
	F(RULE(0, "allow any 192.0.2.1/32 *"), "allow", "192.0.2.1") \
	F(RULE(0, "allow any 2001:db8::1/128 *"), "allow", "2001:db8::1") \
	F(RULE(0, "allow any 2001:db8::/32 22-22"), "allow", "[2001:db8::/32]:22") \
	F(RULE(0, "allow any 0.0.0.0/0 80-80") && RULE(1, "allow any ::/0 80-80"), "allow", "*:80") \
	F(RULE(0, "allow any a.b 443-443 plain"), "allow", "a.b:443,plain") \
	F(RULE(0, "allow any a.b * plain"), "allow", "a.b,plain") \
	F(RULE(0, "deny any a.b *") && RULE(1, "allow any b *"), "deny", "a.b", "allow", "b") \
	F(s->net == NET_USER && s->dns->len == 2, "dns", "9.9.9.9", "dns", "2620:fe::fe") \
	F(s->net == NET_USER && g_str_equal(s->hosts->pdata[0], "db 10.1.2.3"), "add-host", "DB:10.1.2.3") \
	F(g_str_equal(s->hosts->pdata[0], "db fd00::1"), "add-host", "db:[fd00::1]") \
	F(g_str_equal(s->hosts->pdata[0], "db fd00::1"), "add-host", "db:fd00::1") \
	F(s->net == NET_HOST && s->share == CLONE_NEWNET, "share", "net") \
	F(s->net == NET_HOST, "share", "net", "network", "host") \
	F(s->net == NET_NONE, "network", "none", "unshare", "net") \
	F(s->net == NET_USER && g_str_equal(s->net_box, "web-1.a_b"), "network", "box:web-1.a_b") \
	F(s->net == NET_USER && !s->net_box, "network", "box:web", "network", "user") \
	F(s->net == NET_NS && g_str_equal(s->netns_path, "/run/netns/x"), "network", "ns:/run/netns/x") \
	F(s->net == NET_NONE && !s->netns_path, "network", "ns:/x", "network", "none") \
	F(s->env_all && !s->clear_env, "env-all", NULL) \
	F(s->clear_env && !s->env_all, "env-all", NULL, "no-env-all", NULL, "clear-env", NULL) \
	F(s->pids_limit == 1, "pids-limit", "1") \
	F(s->pids_limit == 4194304, "pids-limit", "4194304") \
	F(s->pids_limit == UINT64_MAX, "pids-limit", "unlimited") \
	F(s->pids_limit == UINT64_MAX, "pids-limit", "-1") \
	F(s->timeout_ms == 90000, "timeout", "1m30s") \
	F(s->timeout_ms == 0, "timeout", "5s", "timeout", "0") \
	F(s->nice_set && s->nice == -20, "nice", "-20") \
	F(s->nice_set && s->nice == 0, "nice", "0") \
	F(s->tty == TTY_ON, "tty", NULL) \
	F(s->tty == TTY_OFF, "tty", NULL, "no-tty", NULL) \
	F(s->stop_signal == SIGINT, "stop-signal", "sigint") \
	F(s->stop_signal == 15, "stop-signal", "15") \
	F(g_str_equal(s->argv0, "-sh"), "argv0", "-sh") \
	F(s->status_fd == 1 && s->ready_fd == 2 && s->block_fd == 0, \
	  "status-fd", "1", "ready-fd", "2", "block-fd", "0") \
	F(s->block_fd == 3, "block-fd", "3") \
	F(g_str_equal(s->report, "-"), "report", "-") \
	F(g_str_equal(s->report, "r.json") && g_str_equal(s->pidfile, "p"), "report", "r.json", "pidfile", "p") \
	F(s->origin[OPT_QUIET] == 3 && s->origin[OPT_NICE] == 2 && s->origin[OPT_TTY] == 0, \
	  "quiet", NULL, "nice", "1", "no-quiet", NULL) \
	F(s->origin[OPT_EXPLAIN] == 1, "explain", NULL, "profile", "x", "no-profile", NULL, \
	  "env-file", "f", "help", NULL, "version", NULL)
/* clang-format on */

static void test_accepted(void **state)
{
	(void)state;
#define F(expr, ...)                                                  \
	{                                                             \
		const char *const pairs[] = { __VA_ARGS__, NULL };    \
		struct built b;                                       \
		const struct spec *s = build(&b, pairs);              \
                                                                      \
		if (!(expr))                                          \
			fail_msg("%s", #expr " after " #__VA_ARGS__); \
		built_clear(&b);                                      \
	}
	ACCEPTED(F)
#undef F
}

static void refused(const char *const *pairs, enum err_code code, uint32_t origin, const char *says)
{
	struct request request;
	struct spec spec = { .uid = 12345 };
	struct err err;
	int r;

	request_of(&request, pairs);
	r = spec_build(&spec, &request, &err);
	if (r == 0)
		fail_msg("--%s '%s' was accepted", pairs[0], pairs[1] ? pairs[1] : "");
	assert_true(r < 0);
	assert_true(spec.uid == 12345 && !spec.arena);
	if (err.code != code || err.origin != origin || !err.cause[0] || !err.fix[0] ||
	    strchr(err.what, '\n') || strchr(err.cause, '\n') || strchr(err.fix, '\n') ||
	    (!strstr(err.what, says) && !strstr(err.cause, says) && !strstr(err.fix, says)))
		fail_msg("--%s '%s': %s %s: %s (%s), from %u", pairs[0], pairs[1] ? pairs[1] : "",
			 err_code_name(err.code), err.what, err.cause, err.fix, err.origin);
	request_of_clear(&request);
}

static void test_refused_values(void **state)
{
	static const char *const rows[][3] = {
		{ "rootfs", "", "empty" },
		{ "rootfs", "/a\nb", "control" },
		{ "home", "", "empty" },
		{ "home", "privat", "./privat" },
		{ "home", "/h\x01", "control" },
		{ "cwd", "", "none" },
		{ "cwd", "yes", "none" },
		{ "workdir", "w", "absolute" },
		{ "workdir", "", "empty" },
		{ "user", "", "UID[:GID]" },
		{ "user", "1x", "UID[:GID]" },
		{ "user", "-1", "UID[:GID]" },
		{ "user", "4294967295", "4294967294" },
		{ "user", "4294967296", "range" },
		{ "user", "1000000000000000000000000000000", "range" },
		{ "user", "root", "decimal" },
		{ "user", "+1", "UID[:GID]" },
		{ "user", " 1", "UID[:GID]" },
		{ "user", "0x1", "UID[:GID]" },
		{ "user", ":1", "missing" },
		{ "user", "1:", "missing" },
		{ "user", "1:4294967295", "range" },
		{ "user", "1:2:3", "form" },
		{ "user", "1\n2", "\\x0a" },
		{ "userns", "", "keep-id" },
		{ "userns", "host", "keep-id" },
		{ "hostname", "", "empty" },
		{ "hostname", "a_b", "letters" },
		{ "share", "", "not a namespace" },
		{ "share", "pid,", "not a namespace" },
		{ "share", "user", "always new" },
		{ "share", "PID", "not a namespace" },
		{ "unshare", "mount", "not a namespace" },
		{ "network", "", "ns:PATH" },
		{ "network", "bridge", "none, user, host, box:NAME or ns:PATH" },
		{ "publish", "", "names one port" },
		{ "publish", "80", "names one port" },
		{ "publish", "80:", "number is missing" },
		{ "publish", ":80", "number is missing" },
		{ "publish", "127.0.0.1::80", "number is missing" },
		{ "publish", "0:80", "out of range" },
		{ "publish", "80:65536", "out of range" },
		{ "publish", "http:80", "expected form" },
		{ "publish", "80-81:80", "not of one length" },
		{ "publish", "81-80:80-81", "range of ports ends before" },
		{ "publish", "80-:80-81", "number is missing" },
		{ "publish", "::1:80:80", "in brackets" },
		{ "publish", "localhost:80:80", "'localhost' is no address" },
		{ "publish", "127.1:80:80", "'127.1' is no address" },
		{ "publish", "[127.0.0.1]:80:80", "is no address" },
		{ "publish", "[]:80:80", "is no address" },
		{ "publish", ":80:80", "is no address" },
		{ "publish", "[fe80::1%eth0]:80:80", "is no address" },
		{ "publish", "80:80/sctp", "neither /tcp nor /udp" },
		{ "publish", "80:80/", "neither /tcp nor /udp" },
		{ "publish", "80:80/udp,src=keep", "src=keep is for TCP" },
		{ "publish", "80:80,src=lose", "not src=keep" },
		{ "publish", "80:80,", "not src=keep" },
		{ "publish", "80:80,/tcp", "not src=keep" },
		{ "publish", "1000-1256:1000-1256", "more than 256" },
		{ "ip", "", "is no address" },
		{ "ip", "localhost", "is no address" },
		{ "ip", "0.0.0.0", "not the address of one host" },
		{ "ip", "224.0.0.1", "not the address of one host" },
		{ "ip", "[::]", "not the address of one host" },
		{ "ip", "ff02::1", "not the address of one host" },
		{ "ip", "127.0.0.1:80", "is no address" },
		{ "allow", "", "no destination" },
		{ "allow", "tcp://", "no destination" },
		{ "allow", "a.b:", "no port after" },
		{ "allow", "a.b:0", "out of range" },
		{ "allow", "a.b:65536", "out of range" },
		{ "allow", "a.b:80-79", "range of ports ends before" },
		{ "allow", "a.b:80,-81", "number is missing" },
		{ "allow", "a.b:http", "expected form" },
		{ "allow", "https://a.b", "" },
		{ "allow", "a.b/path", "no network" },
		{ "allow", "10.1.2.3/16", "beyond its /16" },
		{ "allow", "10.1.0.0/33", "out of range" },
		{ "allow", "10.1.0", "neither an address nor a name" },
		{ "allow", "300.1.1.1", "neither an address nor a name" },
		{ "allow", "localhost", "--host-port" },
		{ "allow", "x.localhost:80", "--host-port" },
		{ "allow", "*.*.b", "once" },
		{ "allow", "a*.b", "no name of a host" },
		{ "allow", "a..b", "empty label" },
		{ "allow", "a b", "no name of a host" },
		{ "allow", "a;b", "no name of a host" },
		{ "allow", "b\xc3\xbc.de", "xn--" },
		{ "deny", "a.b,plain", "for --allow alone" },
		{ "deny", "tcp://10.0.0.0/8:80,plain", "[:PORTS] after" },
		{ "deny",
		  "a.b:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33",
		  "32 ports" },
		{ "dns", "dns.example", "no address" },
		{ "dns", "", "no address" },
		{ "add-host", "db", "no ':'" },
		{ "add-host", "db:", "no address" },
		{ "add-host", ":10.0.0.1", "empty label" },
		{ "add-host", "a b:10.0.0.1", "no name of a host" },
		{ "host-port", "", "number is missing" },
		{ "host-port", "0", "out of range" },
		{ "host-port", "65536", "out of range" },
		{ "host-port", "80/sctp", "neither /tcp nor /udp" },
		{ "host-port", "80-79", "range of ports ends before" },
		{ "host-port", "80-", "number is missing" },
		{ "host-port", "http", "expected form" },
		{ "ipv6", "yes", "none of auto, on and off" },
		{ "network", "ns:", "empty" },
		{ "network", "ns:/a\n", "control" },
		{ "env", "", "empty" },
		{ "env", "=x", "empty" },
		{ "env", "A\nB=x", "control" },
		{ "pids-limit", "", "missing" },
		{ "pids-limit", "0", "range" },
		{ "pids-limit", "4194305", "range" },
		{ "pids-limit", "-2", "form" },
		{ "pids-limit", "10 ", "form" },
		{ "ulimit", "nofile", "'='" },
		{ "ulimit", "=1", "not a resource limit" },
		{ "ulimit", "nofiles=1", "did you mean nofile?" },
		{ "ulimit", "RLIMIT_CPU=1", "not a resource limit" },
		{ "ulimit", "nofile=", "missing" },
		{ "ulimit", "nofile=1:", "missing" },
		{ "ulimit", "nofile=2:1", "above" },
		{ "ulimit", "nofile=unlimited:1", "above" },
		{ "ulimit", "nofile=1k", "form" },
		{ "ulimit", "nofile=-2", "form" },
		{ "ulimit", "nofile=1:2:3", "form" },
		{ "ulimit", "nofile=18446744073709551615", "range" },
		{ "ulimit", "as=8E", "range" },
		{ "timeout", "", "missing" },
		{ "timeout", "5x", "form" },
		{ "timeout", "-5", "form" },
		{ "timeout", "99999999999", "range" },
		{ "nice", "", "missing" },
		{ "nice", "20", "range" },
		{ "nice", "-21", "range" },
		{ "nice", "+5", "form" },
		{ "stop-signal", "", "name" },
		{ "stop-signal", "0", "number" },
		{ "stop-signal", "65", "number" },
		{ "stop-signal", "FOO", "TERM" },
		{ "preserve-fds", "", "missing" },
		{ "preserve-fds", "2", "below 3" },
		{ "preserve-fds", "0-5", "below 3" },
		{ "preserve-fds", "5-3", "backwards" },
		{ "preserve-fds", "3,", "missing" },
		{ "preserve-fds", "3-", "form" },
		{ "preserve-fds", "-3", "form" },
		{ "preserve-fds", "3-4-5", "form" },
		{ "preserve-fds", "2147483648", "range" },
		{ "preserve-fds", "3-2147483646", "4096" },
		{ "status-fd", "", "missing" },
		{ "status-fd", "0", "standard input" },
		{ "status-fd", "-1", "range" },
		{ "status-fd", "3x", "form" },
		{ "status-fd", "2147483648", "range" },
		{ "ready-fd", "0", "standard input" },
		{ "block-fd", "1", "output" },
		{ "block-fd", "2", "output" },
		{ "report", "", "empty" },
		{ "report", "a\nb", "control" },
		{ "pidfile", "", "empty" },
		{ "user", NULL, "missing" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const pairs[] = { "strict", NULL, rows[i][0], rows[i][1], NULL };

		refused(pairs, ERR_VALUE, 2, rows[i][2]);
	}
}

static void test_refused_map(void **state)
{
	static const char *const pairs[] = { "quiet", NULL, "userns", "map:0:1000:0", NULL };
	static const char *const empty[] = { "userns", "map:", NULL };

	(void)state;
	refused(pairs, ERR_IDMAP, 2, "count is zero");
	refused(empty, ERR_IDMAP, 1, "three");
}

static void test_io(void **state)
{
	/* clang-format off */
	static const struct { const char *option, *value, *path; bool write, ops; uint64_t rate; } rows[] = {
		{ "io-read",  "10M",              NULL,       false, false, 10 << 20 },
		{ "io-write", "/dev/sda:1k",      "/dev/sda", true,  false, 1024     },
		{ "io-read",  "a:b:500iops",      "a:b",      false, true,  500      },
		{ "io-write", "1iops",            NULL,       true,  true,  1        },
	};
	static const char *const bad[] = { "0", "-1", "", "x", "/srv", "/srv:", ":1M", "0iops", "iops", "50%",
					   "1Miops", "5000000000iops", "99999999999999999999" };
	/* clang-format on */
	struct built b;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const pairs[] = { rows[i].option, rows[i].value, NULL };
		const struct spec *spec = build(&b, pairs);
		const struct io_rate *got = &g_array_index(spec->io, struct io_rate, 0);

		assert_int_equal(spec->io->len, 1);
		if (rows[i].path)
			assert_string_equal(got->path, rows[i].path);
		else
			assert_null(got->path);
		assert_int_equal(got->write, rows[i].write);
		assert_int_equal(got->ops, rows[i].ops);
		assert_int_equal(got->rate, rows[i].rate);
		built_clear(&b);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *const pairs[] = { "io-read", bad[i], NULL };

		refused(pairs, ERR_VALUE, 1, "--io-read");
	}
}

/* The last one for the same disk, direction and unit counts. */
static void test_io_again(void **state)
{
	static const char *const pairs[] = { "io-read", "1M", "io-read", "5iops", "io-write", "1M",
					     "io-read", "2M", "io-read", "/d:9M", NULL };
	struct built b;
	const struct spec *spec = build(&b, pairs);

	(void)state;
	assert_int_equal(spec->io->len, 4);
	assert_int_equal(g_array_index(spec->io, struct io_rate, 0).rate, 2 << 20);
	built_clear(&b);
}

static void test_refused_later(void **state)
{
	static const char *const rows[][3] = {
		{ "image", "debian", "--image is not part" },
		{ "detach", NULL, "--detach is not part" },
		{ "cwd", "overlay", "--cwd overlay is not part" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const pairs[] = { "quiet", NULL, rows[i][0], rows[i][1], NULL };

		refused(pairs, ERR_OPTION_LATER, 2, rows[i][2]);
	}
}

/* Every option is either understood or of a later version: none is passed over. */
static void test_every_option_has_a_setter(void **state)
{
	(void)state;
	for (unsigned id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);
		const char *const pairs[] = { opt->name, NULL, NULL };
		struct request request;
		struct spec spec;
		struct err err = { 0 };
		int r;

		request_of(&request, pairs);
		r = spec_build(&spec, &request, &err);
		if ((opt->flags & OPT_LATER ? 1 : 0) != (r < 0 && err.code == ERR_OPTION_LATER))
			fail_msg("--%s: %s", opt->name, r < 0 ? err.what : "accepted");
		if (r == 0)
			spec_clear(&spec);
		request_of_clear(&request);
	}
}

/* clang-format off */
#define CONFLICTS(F) \
	F(2, "--share mnt", "share", "mnt", "rootfs", "/r") \
	F(2, "--share mnt", "home", "ro", "share", "mnt") \
	F(2, "--share mnt", "share", "mnt", "cwd", "none") \
	F(2, "--share mnt", "share", "mnt", "read-only", NULL) \
	F(2, "--share mnt", "share", "mnt", "tmpfs", "/t") \
	F(2, "--share mnt", "secret", "k=/a", "share", "mnt") \
	F(2, "--timeout", "share", "pid", "timeout", "5") \
	F(2, "--hostname", "share", "uts", "hostname", "x") \
	F(2, "--network none", "share", "net", "network", "none") \
	F(2, "--network ns:", "network", "ns:/x", "share", "net") \
	F(2, "--network host", "network", "host", "unshare", "net") \
	F(2, "--network ns:", "network", "ns:/x", "unshare", "net") \
	F(1, "--rootfs DIR", "no-host", NULL) \
	F(2, "--home", "rootfs", "/r", "home", "private") \
	F(2, "--cwd", "cwd", "ro", "rootfs", "/r") \
	F(2, "--no-root", "root", NULL, "user", "1") \
	F(2, "--no-root", "user", "0:5", "root", NULL) \
	F(2, "--userns root", "userns", "root", "user", "1") \
	F(2, "outside the map", "userns", "map:0:1000:1", "user", "1") \
	F(2, "outside the map", "userns", "map:0:1000:6", "user", "5:6") \
	F(2, "outside the map", "root", NULL, "userns", "map:1:1000:1") \
	F(2, "--env-all", "env-all", NULL, "clear-env", NULL) \
	F(2, "--pids-limit", "pids-limit", "5", "ulimit", "nproc=5") \
	F(2, "descriptor 5", "status-fd", "5", "preserve-fds", "3-7") \
	F(2, "descriptor 1", "status-fd", "1", "ready-fd", "1") \
	F(3, "descriptor 4", "file", "/a=@4", "quiet", NULL, "file", "/b=@4") \
	F(2, "--file", "block-fd", "0", "file", "/b=@0")
/* clang-format on */

static void test_conflicts(void **state)
{
	(void)state;
#define F(origin, says, ...)                                       \
	{                                                          \
		const char *const pairs[] = { __VA_ARGS__, NULL }; \
                                                                   \
		refused(pairs, ERR_CONFLICT, origin, says);        \
	}
	CONFLICTS(F)
#undef F
}

static void test_env_rows(void **state)
{
	static const char *const pairs[] = { "env", "A=1", "env",      "B", "env",
					     "C=",  "env", "A=x=y\nz", NULL };
	static const char *const names[] = { "A", "B", "C", "A" };
	static const char *const values[] = { "1", NULL, "", "x=y\nz" };
	struct built b;
	const struct spec *s = build(&b, pairs);

	(void)state;
	assert_int_equal(s->env->len, 4);
	for (guint i = 0; i < 4; i++) {
		const struct env_row *row = &g_array_index(s->env, struct env_row, i);

		assert_string_equal(row->name, names[i]);
		assert_int_equal(g_strcmp0(row->value, values[i]), 0);
		assert_int_equal(row->origin, i + 1);
	}
	built_clear(&b);
}

static void test_ulimit_rows(void **state)
{
	static const char *const pairs[] = { "ulimit",         "nofile=1", "ulimit",
					     "core=unlimited", "ulimit",   "nofile=1024:4096",
					     "ulimit",         "as=1G:-1", NULL };
	static const struct ulimit_row rows[] = {
		{ RLIMIT_NOFILE, "nofile", 1024, 4096, 3 },
		{ RLIMIT_CORE, "core", UINT64_MAX, UINT64_MAX, 2 },
		{ RLIMIT_AS, "as", 1 << 30, UINT64_MAX, 4 },
	};
	struct built b;
	const struct spec *s = build(&b, pairs);

	(void)state;
	assert_int_equal(s->ulimits->len, 3);
	for (guint i = 0; i < 3; i++) {
		const struct ulimit_row *row = &g_array_index(s->ulimits, struct ulimit_row, i);

		assert_int_equal(row->resource, rows[i].resource);
		assert_string_equal(row->name, rows[i].name);
		assert_true(row->soft == rows[i].soft && row->hard == rows[i].hard);
		assert_int_equal(row->origin, rows[i].origin);
	}
	built_clear(&b);
}

static void test_preserve_fds(void **state)
{
	static const char *const pairs[] = { "preserve-fds", "9,5-7", "preserve-fds", "3,6,9-10",
					     NULL };
	static const int fds[] = { 3, 5, 6, 7, 9, 10 };
	struct built b;
	const struct spec *s = build(&b, pairs);

	(void)state;
	assert_int_equal(s->preserve_fds->len, G_N_ELEMENTS(fds));
	assert_memory_equal(s->preserve_fds->data, fds, sizeof(fds));
	built_clear(&b);
}

static void test_too_many(void **state)
{
	g_autofree char *big = g_strnfill(131071, 'x');
	const char *pairs[] = { "env", big, NULL };
	struct request request;
	struct spec spec;
	struct err err;

	(void)state;
	big[1] = '=';
	request_of(&request, pairs);
	for (unsigned i = 1; i < 16384; i++)
		request_of_add(&request, "env", "A=1");
	assert_int_equal(spec_build(&spec, &request, &err), 0);
	spec_clear(&spec);
	request_of_add(&request, "env", "A=1");
	assert_true(spec_build(&spec, &request, &err) < 0);
	assert_int_equal(err.code, ERR_VALUE);
	assert_int_equal(err.origin, 16385);
	request_of_clear(&request);

	g_free(big);
	big = g_strnfill(131072, 'x');
	big[1] = '=';
	pairs[1] = big;
	refused(pairs, ERR_VALUE, 1, "131071");
}

static void check_command(char **command, enum err_code code)
{
	struct request request;
	struct spec spec;
	struct err err = { 0 };
	int r;

	request_of(&request, NULL);
	request.command = command;
	r = spec_build(&spec, &request, &err);
	assert_int_equal(err.code, code);
	assert_int_equal(r == 0, code == ERR_NONE);
	if (r == 0)
		spec_clear(&spec);
	else
		assert_string_equal(err.fix[0] ? "fix" : "", "fix");
	request_of_clear(&request);
}

static void test_command(void **state)
{
	static char word[] = "x", nothing[] = "";
	g_autofree char **many = g_new0(char *, 32770);
	char *none[] = { NULL };
	char *empty[] = { nothing, NULL };
	char *empty_argument[] = { word, nothing, NULL };

	(void)state;
	check_command(NULL, ERR_USAGE);
	check_command(none, ERR_USAGE);
	check_command(empty, ERR_NOT_FOUND);
	check_command(empty_argument, ERR_NONE);
	for (unsigned i = 0; i < 32768; i++)
		many[i] = word;
	check_command(many, ERR_NONE);
	many[32768] = word;
	check_command(many, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused_values),
		cmocka_unit_test(test_refused_map),
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_io_again),
		cmocka_unit_test(test_refused_later),
		cmocka_unit_test(test_every_option_has_a_setter),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_env_rows),
		cmocka_unit_test(test_ulimit_rows),
		cmocka_unit_test(test_preserve_fds),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
