// SPDX-License-Identifier: MIT
/* doctor: what a network of its own needs. */
#include <glib.h>
#include <net/if.h>
#include <string.h>

#include <sandbox/err.h>
#include <sandbox/resolv.h>
#include <sandbox/spawn.h>

#include "doctor.h"

enum { TRIAL_MS = 30000 };

/* Which of the two ways the box has got: said by the trial itself. */
static const char link_of[] = "test -e /sys/class/net/eth0/tun_flags && echo TAP || echo veth";

/* No fault where it is missing: a veth pair with a packet socket does the same as fast. */
void doctor_tun(struct facts *facts, struct result *ret)
{
	int r = host_tun_probe();

	(void)facts;
	if (r == 0)
		doctor_say(ret, MARK_OK, "/dev/net/tun can be opened");
	else
		doctor_say(ret, MARK_INFO, "no /dev/net/tun (%s): a veth pair does the same",
			   g_strerror(-r));
}

/* A text of the file's, on one line of a terminal. */
static void add_server(const struct resolv_server *server, GString *servers, GString *others)
{
	char quoted[2 * sizeof(server->text)];

	(void)err_quote(quoted, sizeof(quoted), server->text);
	if (!server->why)
		g_string_append_printf(servers, " %s", quoted);
	else
		g_string_append_printf(others, "%s %s (%s)", others->len ? "," : "", quoted,
				       server->why);
}

/* Whose servers the box's own name server asks: the launcher reads this file too. */
void doctor_dns(struct facts *facts, struct result *ret)
{
	g_autofree char *text = NULL;
	g_autoptr(GString) servers = g_string_new(NULL);
	g_autoptr(GString) others = g_string_new(NULL);
	struct resolv_server server;

	(void)facts;
	(void)g_file_get_contents("/etc/resolv.conf", &text, NULL, NULL);
	for (const char *at = text ? text : ""; resolv_next(&at, if_nametoindex, &server);)
		add_server(&server, servers, others);
	if (servers->len > 0) {
		doctor_say(ret, MARK_OK, "names are asked of%s%s%s", servers->str,
			   others->len ? "; not of" : "", others->str);
		return;
	}
	doctor_say(ret, MARK_WARN, "%s%s: --network user resolves no names",
		   !text         ? "no /etc/resolv.conf"
		   : others->len ? "no nameserver in /etc/resolv.conf that can be asked, not"
				 : "no nameserver in /etc/resolv.conf",
		   others->str);
	doctor_mend(ret, "sandbox --dns ADDRESS, or a nameserver line in /etc/resolv.conf");
}

/* Published ports are bound with the user's rights. */
void doctor_low_ports(struct facts *facts, struct result *ret)
{
	g_autofree char *text = NULL;
	guint64 first = 1024;

	if (g_file_get_contents("/proc/sys/net/ipv4/ip_unprivileged_port_start", &text, NULL, NULL))
		first = g_ascii_strtoull(text, NULL, 10);
	if (first == 0)
		doctor_say(ret, MARK_OK, "every port can be published (-p)");
	else if (facts->confinement.sys_admin && facts->host.uid == 0)
		doctor_say(ret, MARK_OK, "every port can be published (-p), by root");
	else
		doctor_say(ret, MARK_INFO,
			   "ports from %" G_GUINT64_FORMAT " on can be published (-p); for lower "
			   "ones: sysctl net.ipv4.ip_unprivileged_port_start",
			   first);
}

/* The rest of the line that begins with `key`; NULL: there is none. Freed by the caller. */
static char *line_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at)
		return NULL;
	at += strlen(key);
	return g_strndup(at, strcspn(at, "\n"));
}

/* What refused the trial, in its own words. */
static void explain(const char *said, struct result *ret)
{
	g_autofree char *what = line_of(said, "]: ");
	g_autofree char *cause = line_of(said, "  cause: ");
	g_autofree char *fix = line_of(said, "  fix: ");

	doctor_say(ret, MARK_WARN, "%s%s%s", what ? what : "the trial ended without a word",
		   cause ? ": " : "", cause ? cause : "");
	doctor_mend(ret, "%s", fix ? fix : "see sandbox-errors(7)");
}

/* Tried as a user would: helper, interface, confinement, all of it. */
void doctor_network(struct facts *facts, struct result *ret)
{
	const char *const argv[] = {
		"/proc/self/exe", "run", "-q",      "--no-profile", "--cwd", "none", "--network",
		"user",           "--",  "/bin/sh", "-c",           link_of, NULL
	};
	char said[4096] = "";
	int r;

	if (!facts->namespaces) {
		doctor_say(ret, MARK_INFO, "not tried: it needs namespaces");
		return;
	}
	r = spawn_run((char *const *)(uintptr_t)argv, said, sizeof(said), TRIAL_MS);
	if (r == 0)
		doctor_say(ret, MARK_OK,
			   "a box gets a network of its own (--network user), by a %s",
			   g_str_has_prefix(said, "TAP") ? "TAP" : "veth pair");
	else
		explain(said, ret);
}
