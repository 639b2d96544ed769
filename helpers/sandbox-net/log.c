// SPDX-License-Identifier: MIT
#include "log.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#include <sandbox/netctl.h>

enum { LINE = 512, LAST_WORDS_MS = 100 };

struct entry {
	char *text;
	uint64_t count;
};

struct log {
	int control;
	GPtrArray *entries; /* struct entry, in the order of their first time */
	GHashTable *known;  /* text -> entry */
	uint64_t more;      /* beyond LOG_DESTINATIONS */
	int64_t second;
	unsigned burst, skipped; /* lines in this second; not sent */
};

static void entry_free(void *p)
{
	struct entry *entry = p;

	g_free(entry->text);
	g_free(entry);
}

struct log *log_new(int control)
{
	struct log *log = g_new0(struct log, 1);

	log->control = control;
	log->entries = g_ptr_array_new_with_free_func(entry_free);
	log->known = g_hash_table_new(g_str_hash, g_str_equal);
	return log;
}

void log_free(struct log *log)
{
	g_hash_table_unref(log->known);
	g_ptr_array_unref(log->entries);
	g_free(log);
}

static const char *proto_name(uint8_t proto)
{
	return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" : "icmp";
}

static void count(struct log *log, const char *text)
{
	struct entry *entry = g_hash_table_lookup(log->known, text);

	if (!entry && log->entries->len == LOG_DESTINATIONS) {
		log->more++;
		return;
	}
	if (!entry) {
		entry = g_new0(struct entry, 1);
		entry->text = g_strdup(text);
		g_ptr_array_add(log->entries, entry);
		(void)g_hash_table_insert(log->known, entry->text, entry);
	}
	entry->count++;
}

/* What the last second had too much of. */
static void tell_skipped(struct log *log)
{
	char line[LINE];
	int n;

	if (log->skipped == 0)
		return;
	n = snprintf(line, sizeof(line), "-\t\t\t\t%u more within a second", log->skipped);
	log->skipped = 0;
	(void)netctl_send(log->control, NETCTL_REFUSED, 0, line, (size_t)n, -1);
}

static void refused(struct log *log, const char *text, int64_t now)
{
	count(log, text);
	if (now / 1000 != log->second) {
		tell_skipped(log);
		log->second = now / 1000;
		log->burst = 0;
	}
	if (log->burst++ >= LOG_BURST ||
	    netctl_send(log->control, NETCTL_REFUSED, 0, text, strlen(text), -1) < 0)
		log->skipped++;
}

void log_refused(struct log *log, uint8_t proto, const struct naddr *dst, uint16_t port,
		 const char *name, const char *why, int64_t now)
{
	char text[LINE], addr[INET6_ADDRSTRLEN], number[8] = "";

	if (port)
		(void)snprintf(number, sizeof(number), "%u", port);
	(void)snprintf(text, sizeof(text), "%s\t%s\t%s\t%.255s\t%.120s", proto_name(proto),
		       naddr_text(dst, addr, sizeof(addr)), number, name ? name : "", why);
	refused(log, text, now);
}

void log_refused_name(struct log *log, const char *name, const char *why, int64_t now)
{
	char text[LINE];

	(void)snprintf(text, sizeof(text), "dns\t\t\t%.255s\t%.120s", name, why);
	refused(log, text, now);
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
	struct pollfd p = { .fd = log->control, .events = POLLOUT };
	g_autoptr(GString) out = g_string_new(NULL);
	uint64_t more = log->more;

	tell_skipped(log);
	for (unsigned i = 0; i < log->entries->len; i++) {
		const struct entry *entry = g_ptr_array_index(log->entries, i);

		if (out->len < NETCTL_TEXT_MAX - LINE - 64)
			g_string_append_printf(out, "%" G_GUINT64_FORMAT "\t%s\n", entry->count,
					       entry->text);
		else
			more += entry->count;
	}
	if (more)
		g_string_append_printf(out, "%" G_GUINT64_FORMAT "\t\t\t\t\t\n", more);
	/* the launcher may have to read first what it has not read yet */
	if (netctl_send(log->control, NETCTL_SUMMARY, 0, out->str, out->len, -1) == -EAGAIN &&
	    poll(&p, 1, LAST_WORDS_MS) > 0)
		(void)netctl_send(log->control, NETCTL_SUMMARY, 0, out->str, out->len, -1);
}
