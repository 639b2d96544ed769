// SPDX-License-Identifier: MIT
/*
 * sandbox-net: the network of one box. It lives in the host's network namespace with the caller's
 * uid and no right but to open sockets there; the box's frames come in by one descriptor, and what
 * they may reach is decided here, where nobody in the box can change it.
 *
 *   box --frames--> link.c --> filter.c --> slirp.c (libslirp) --> outlet.c --> the host's sockets
 *                                 |                                   |
 *                                 +--> dns.c <------------------------+
 *                                 +--> reject.c, log.c
 *                                 +--> peers.c <--> the helpers of other boxes (--network box:NAME)
 *
 * main.c: the arguments, the order of the start, the one line of the answer. See netctl.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>
#include <sandbox/sys.h>

#include "confine.h"
#include "net.h"
#include "outlet.h"
#include "rules.h"

#ifdef __SANITIZE_ADDRESS__
/* Leaks are looked for by a process that the confinement forbids. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:abort_on_error=0";
}
#endif

struct arguments {
	int config, ready, exit, control;
};

/* ---- the answer ---- */

static void answer(int ready, const char *line)
{
	(void)fd_write_all(ready, line, strlen(line));
}

static int fail(int ready, const char *code, const char *text)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "error %s %.400s\n", code, text);
	answer(ready, line);
	return EXIT_FAILURE;
}

static int fail_errno(int ready, const char *code, const char *what, int num)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "it cannot %s: %s", what, g_strerror(-num));
	return fail(ready, code, text);
}

/* ---- the arguments ---- */

static bool take_argument(struct arguments *a, const char *text)
{
	/* clang-format off */
	const struct { const char *name; int *to; } rows[] = {
		{ "--config-fd=", &a->config }, { "--ready-fd=", &a->ready },
		{ "--exit-fd=", &a->exit },     { "--control-fd=", &a->control },
	};
	/* clang-format on */

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint64 fd;

		if (!g_str_has_prefix(text, rows[i].name))
			continue;
		if (!g_ascii_string_to_unsigned(text + strlen(rows[i].name), 10, 3, 1024, &fd,
						NULL) ||
		    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
			return false;
		*rows[i].to = (int)fd;
		return true;
	}
	return false;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){ -1, -1, -1, -1 };
	for (int i = 1; i < argc; i++)
		if (!take_argument(a, argv[i]))
			return false;
	return a->config >= 0 && a->ready >= 0 && a->exit >= 0 && a->control >= 0;
}

/* ---- the start ---- */

static struct naddr network_of(const struct naddr *a, unsigned prefix)
{
	struct naddr net = *a;

	for (unsigned bit = prefix; bit < (a->family == 4 ? 32U : 128U); bit++)
		net.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return net;
}

/* ICMP sockets are for those whose group is in net.ipv4.ping_group_range: icmp(7). */
static bool can_ping(void)
{
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	return fd >= 0;
}

static void make_filter(struct net *net)
{
	const struct config *c = &net->config;
	struct filter *f = &net->filter;

	f->mtu = c->mtu;
	f->gateway4 = c->gateway4;
	f->dns4 = c->dns4;
	f->prefix4 = c->prefix4;
	f->net4 = network_of(&c->box.ipv4, c->prefix4);
	if (c->box.ipv6.family) {
		f->gateway6 = c->gateway6;
		f->dns6 = c->dns6;
		f->prefix6 = c->prefix6;
		f->net6 = network_of(&c->box.ipv6, c->prefix6);
	}
	for (size_t i = 0; i < c->nhost_ports; i++)
		for (unsigned port = c->host_ports[i].first; port <= c->host_ports[i].last; port++)
			portset_add(c->host_ports[i].udp ? &f->host_udp : &f->host_tcp, port);
	f->any_host_port = c->nhost_ports > 0;
	f->host = net->hostaddr.list;
	f->nhost = net->hostaddr.n;
	f->rules = net->rules;
	f->talks = &net->talks;
	f->ping = can_ping();
}

static void make_names(struct net *net)
{
	const struct names_setup names = { .hosts = net->config.dns_hosts,
					   .rules = net->rules,
					   .filter = &net->filter,
					   .refused = loop_refused_name,
					   .opaque = net };
	struct dns_setup dns = { .resolv = net->config.resolv,
				 .servers = net->config.dns_servers,
				 .reply = loop_reply,
				 .flooded = loop_flooded,
				 .opaque = net };

	net->names = names_new(&names);
	dns.names = net->names;
	net->dns = dns_new(&dns);
}

static int make_rooms(struct net *net, int ready)
{
	const char *fault = NULL;

	net->rules = rules_new(net->config.rules, &fault);
	if (!net->rules && fault)
		return fail(ready, "rule", fault);
	net->log = log_new(net->control);
	make_filter(net);
	make_names(net);
	net->relay = relay_new(&net->config, net->log, &fault);
	if (!net->relay)
		return fail(ready, "publish", fault);
	net->slirp = slirp_open(net);
	if (!net->slirp)
		return fail(ready, "slirp", "libslirp refuses its configuration");
	if (!outlet_is_bound())
		return fail(ready, "slirp", "libslirp's sockets are out of the filter's reach");
	return 0;
}

static void quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
	(void)domain;
	(void)level;
	(void)message;
	(void)data;
}

static int start(struct net *net, const struct arguments *a)
{
	const char *what;
	char fault[256];
	int r = config_read(&net->config, a->config, fault, sizeof(fault));

	if (r < 0)
		return fail(a->ready, "config", fault);
	(void)close(a->config);
	r = hostaddr_open(&net->hostaddr);
	if (r < 0)
		return fail_errno(a->ready, "addresses", "read the host's addresses", r);
	r = confine_enter(a->control, &what);
	if (r < 0)
		return fail_errno(a->ready, "userns", what, r);
	r = make_rooms(net, a->ready);
	if (r)
		return r;
	r = confine_lock(relay_keeps_source(net->relay), &what);
	return r < 0 ? fail_errno(a->ready, "confine", what, r) : 0;
}

int main(int argc, char **argv)
{
	struct net *net;
	struct arguments a;
	char line[32];
	int r;

	if (!parse(argc, argv, &a)) {
		(void)fputs("sandbox-net: a helper of sandbox(1); it is not started by hand\n",
			    stderr);
		return EXIT_FAILURE;
	}
	net = g_new0(struct net, 1);
	(void)sys_close_from((unsigned)MAX(MAX(a.config, a.ready), MAX(a.exit, a.control)) + 1,
			     true);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)g_log_set_default_handler(quiet, NULL);
	/* nobody reads what libraries write there before we have ended */
	(void)fcntl(STDERR_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
	net->link.fd = -1;
	net->exit = a.exit;
	net->control = a.control;
	r = start(net, &a);
	if (r)
		return r;
	(void)snprintf(line, sizeof(line), "ready %d\n", NETCTL_VERSION);
	answer(a.ready, line);
	(void)close(a.ready);
	loop_run(net);
	_exit(EXIT_SUCCESS);
}
