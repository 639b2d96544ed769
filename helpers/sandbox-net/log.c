// SPDX-License-Identifier: MIT
#include "log.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

#include <sandbox/netctl.h>

struct log {
	int control;
	GHashTable *counts; /* "tcp 192.0.2.1:80 (name)" -> number */
	uint64_t more;      /* beyond LOG_DESTINATIONS */
	int64_t second;
	unsigned burst;
};

struct log *log_new(int control)
{
	struct log *log = g_new0(struct log, 1);

	log->control = control;
	log->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return log;
}

void log_free(struct log *log)
{
	g_hash_table_unref(log->counts);
	g_free(log);
}

static const char *proto_name(uint8_t proto)
{
	return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" : "icmp";
}

static void destination(char *out, size_t size, uint8_t proto, const struct naddr *dst,
			uint16_t port, const char *name)
{
	char addr[INET6_ADDRSTRLEN];
	bool v6 = dst->family == 6;

	(void)naddr_text(dst, addr, sizeof(addr));
	(void)snprintf(out, size, "%s %s%s%s:%u%s%.200s%s", proto_name(proto), v6 ? "[" : "", addr,
		       v6 ? "]" : "", port, name ? " (" : "", name ? name : "", name ? ")" : "");
}

static void count(struct log *log, const char *what)
{
	gpointer key, value;

	if (g_hash_table_lookup_extended(log->counts, what, &key, &value))
		g_hash_table_replace(log->counts, g_strdup(what),
				     GUINT_TO_POINTER(GPOINTER_TO_UINT(value) + 1));
	else if (g_hash_table_size(log->counts) < LOG_DESTINATIONS)
		g_hash_table_insert(log->counts, g_strdup(what), GUINT_TO_POINTER(1));
	else
		log->more++;
}

static void refused(struct log *log, const char *what, const char *why, int code, int64_t now)
{
	char line[400];
	int n;

	count(log, what);
	if (now / 1000 != log->second) {
		log->second = now / 1000;
		log->burst = 0;
	}
	if (log->burst++ >= LOG_BURST)
		return;
	n = snprintf(line, sizeof(line), "%s: %s", what, why);
	(void)netctl_send(log->control, NETCTL_REFUSED, code, line, (size_t)n, -1);
}

void log_refused(struct log *log, uint8_t proto, const struct naddr *dst, uint16_t port,
		 const char *name, enum filter_reason why, int64_t now)
{
	char what[320];

	destination(what, sizeof(what), proto, dst, port, name);
	refused(log, what, filter_reason_text(why), (int)why, now);
}

void log_refused_name(struct log *log, const char *name, const char *why, int64_t now)
{
	char what[280];

	(void)snprintf(what, sizeof(what), "name %.255s", name);
	refused(log, what, why, FILTER_BY_RULE, now);
}

void log_notice(struct log *log, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)netctl_send(log->control, NETCTL_NOTICE, 0, line, strlen(line), -1);
}

void log_end(struct log *log)
{
	g_autoptr(GString) out = g_string_new(NULL);
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, log->counts);
	while (g_hash_table_iter_next(&iter, &key, &value) && out->len < NETCTL_TEXT_MAX - 400)
		g_string_append_printf(out, "%u %s\n", GPOINTER_TO_UINT(value), (char *)key);
	if (log->more)
		g_string_append_printf(out, "%" G_GUINT64_FORMAT " others\n", log->more);
	if (out->len)
		(void)netctl_send(log->control, NETCTL_SUMMARY, 0, out->str, out->len, -1);
}
