// SPDX-License-Identifier: MIT
#include "names.h"

#include <glib.h>

#include "dnsmsg.h"
#include "frame.h"
#include "rules.h"

enum { ALIASES_MAX = 16, HOST_TTL = 60, PEER_TTL = 1, TTL_MAX = RULES_TTL_MAX_MS / 1000 };

struct host {
	char *name;
	struct naddr addr;
	bool peer; /* another box of the network: it may go */
};

struct names {
	struct names_setup setup;
	GArray *hosts; /* struct host */
};

static void clear_host(void *host)
{
	g_free(((struct host *)host)->name);
}

static void add_host(struct names *names, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	struct host host = { .peer = false };

	if (g_strv_length(words) != 2 || !naddr_parse(words[1], &host.addr))
		return;
	host.name = g_ascii_strdown(words[0], -1);
	g_array_append_val(names->hosts, host);
	rules_learn_host(names->setup.rules, host.name, &host.addr);
}

struct names *names_new(const struct names_setup *setup)
{
	struct names *names = g_new0(struct names, 1);

	names->setup = *setup;
	names->hosts = g_array_new(FALSE, FALSE, sizeof(struct host));
	g_array_set_clear_func(names->hosts, clear_host);
	for (char *const *text = setup->hosts; text && *text; text++)
		add_host(names, *text);
	return names;
}

void names_free(struct names *names)
{
	g_array_free(names->hosts, TRUE);
	g_free(names);
}

/* ---- peers ---- */

static bool is_host(const struct names *names, const char *name);

static void add_peer(struct names *names, const char *name, const struct naddr *a)
{
	struct host host = { .name = g_strdup(name), .addr = *a, .peer = true };

	g_array_append_val(names->hosts, host);
}

bool names_add_peer(struct names *names, const char *name, const struct naddr *ipv4,
		    const struct naddr *ipv6)
{
	if (is_host(names, name))
		return false;
	add_peer(names, name, ipv4);
	if (ipv6->family)
		add_peer(names, name, ipv6);
	return true;
}

void names_remove_peer(struct names *names, const char *name)
{
	for (unsigned i = names->hosts->len; i-- > 0;) {
		const struct host *host = &g_array_index(names->hosts, struct host, i);

		if (host->peer && strcmp(host->name, name) == 0)
			g_array_remove_index(names->hosts, i);
	}
}

/* ---- queries ---- */

static bool has_ipv6(const struct names *names)
{
	return names->setup.filter->net6.family != 0;
}

static bool is_host(const struct names *names, const char *name)
{
	for (unsigned i = 0; i < names->hosts->len; i++)
		if (strcmp(g_array_index(names->hosts, struct host, i).name, name) == 0)
			return true;
	return false;
}

static size_t answer_host(const struct names *names, const struct dnsmsg_question *q, uint8_t *out)
{
	size_t len = dnsmsg_empty(out, q->end, DNSMSG_OK);

	for (unsigned i = 0; i < names->hosts->len; i++) {
		const struct host *host = &g_array_index(names->hosts, struct host, i);
		unsigned type = host->addr.family == 4 ? DNSMSG_A : DNSMSG_AAAA;

		if (type == q->type && q->class == DNSMSG_IN && strcmp(host->name, q->name) == 0 &&
		    (host->addr.family == 4 || has_ipv6(names)))
			len = dnsmsg_add(out, len, NAMES_ANSWER_MAX, &host->addr,
					 host->peer ? PEER_TTL : HOST_TTL);
	}
	return len;
}

static void tell(const struct names *names, const char *name, const struct naddr *a,
		 enum names_why why)
{
	if (names->setup.refused)
		names->setup.refused(names->setup.opaque, name, a, why);
}

/* A query whose question is known. */
static enum names_verdict by_name(struct names *names, const struct dnsmsg_question *q,
				  uint8_t *out, size_t *ret_len)
{
	if (is_host(names, q->name)) {
		*ret_len = answer_host(names, q, out);
		return NAMES_ANSWER;
	}
	if (!rules_name_allowed(names->setup.rules, q->name)) {
		tell(names, q->name, NULL, NAMES_BY_RULE);
		*ret_len = dnsmsg_empty(out, q->end, DNSMSG_REFUSED);
		return NAMES_ANSWER;
	}
	if (rules_by_name(names->setup.rules) &&
	    (q->type == DNSMSG_HTTPS || q->type == DNSMSG_SVCB)) {
		*ret_len = dnsmsg_empty(out, q->end, DNSMSG_OK);
		return NAMES_ANSWER;
	}
	return NAMES_FORWARD;
}

enum names_verdict names_query(struct names *names, const uint8_t *query, size_t len, uint8_t *out,
			       size_t *ret_len)
{
	struct dnsmsg_question q;

	if (len < DNSMSG_HEADER || dnsmsg_is_response(query))
		return NAMES_DROP;
	memcpy(out, query, MIN(len, NAMES_ANSWER_MAX));
	if (dnsmsg_question(query, len, &q))
		return by_name(names, &q, out, ret_len);
	/* The host's resolver takes us for one of its own: nothing but a question that was read goes there. */
	*ret_len = dnsmsg_empty(out, DNSMSG_HEADER,
				dnsmsg_opcode(query) ? DNSMSG_NOTIMP : DNSMSG_FORMERR);
	return NAMES_ANSWER;
}

size_t names_failure(const uint8_t *query, size_t len, uint8_t *out)
{
	struct dnsmsg_question q;
	bool whole = dnsmsg_question(query, len, &q);

	memcpy(out, query, MIN(len, NAMES_ANSWER_MAX));
	return dnsmsg_empty(out, whole ? q.end : DNSMSG_HEADER, DNSMSG_SERVFAIL);
}

/* ---- answers ---- */

/* One answer while it is looked at. */
struct look {
	struct names *names;
	uint8_t *p;
	size_t len, first; /* `first` record of the answer section */
	const struct dnsmsg_question *q;
	char end[DNSMSG_NAME]; /* of the chain of aliases */
};

typedef bool (*look_at)(struct look *look, const struct dnsmsg_record *record);

/* All records of the answer section, until one says stop. False: one cannot be read. */
static bool each(struct look *look, look_at visit)
{
	struct dnsmsg_record record;
	size_t at = look->first;

	for (unsigned i = 0; i < dnsmsg_answers(look->p); i++, at = record.end) {
		if (!dnsmsg_record(look->p, look->len, at, &record))
			return dnsmsg_is_truncated(look->p);
		if (!visit(look, &record))
			break;
	}
	return true;
}

static bool follow(struct look *look, const struct dnsmsg_record *record)
{
	char to[DNSMSG_NAME];

	if (record->type != DNSMSG_CNAME || record->class != DNSMSG_IN ||
	    strcmp(record->owner, look->end) != 0 ||
	    dnsmsg_name(look->p, look->len, record->data, to) == 0)
		return true;
	g_strlcpy(look->end, to, sizeof(look->end));
	return false;
}

/* To the end of the chain: aliases may stand in any order. */
static bool follow_all(struct look *look)
{
	char before[DNSMSG_NAME];
	int n = 0;

	g_strlcpy(look->end, look->q->name, sizeof(look->end));
	do {
		g_strlcpy(before, look->end, sizeof(before));
		if (!each(look, follow))
			return false;
	} while (strcmp(before, look->end) != 0 && ++n < ALIASES_MAX);
	return true;
}

/* An address that leads where no public name has a business. */
static bool is_rebinding(const struct names *names, const struct naddr *a)
{
	return filter_is_special(a) || filter_is_host(names->setup.filter, a) ||
	       rules_rebinds(names->setup.rules, a);
}

static bool find_rebinding(struct look *look, const struct dnsmsg_record *record)
{
	struct naddr a;

	if (!dnsmsg_address(look->p, record, &a) || !is_rebinding(look->names, &a))
		return true;
	tell(look->names, look->q->name, &a, NAMES_BY_REBINDING);
	look->len = 0;
	return false;
}

static bool learn(struct look *look, const struct dnsmsg_record *record)
{
	uint8_t *ttl = look->p + record->ttl;
	struct naddr a;

	/* what the box keeps longer than we do is refused later on */
	if (get32(ttl) > TTL_MAX)
		put32(ttl, TTL_MAX);
	if (dnsmsg_address(look->p, record, &a) && strcmp(record->owner, look->end) == 0)
		(void)rules_learn(look->names->setup.rules, look->q->name, &a, get32(ttl));
	return true;
}

static size_t by_rules(struct names *names, const struct dnsmsg_question *q, uint8_t *p, size_t len)
{
	struct look look = { .names = names, .p = p, .len = len, .first = q->end, .q = q };

	if (!each(&look, find_rebinding))
		return dnsmsg_empty(p, q->end, DNSMSG_SERVFAIL);
	if (look.len == 0)
		return dnsmsg_empty(p, q->end, DNSMSG_REFUSED);
	if (!follow_all(&look))
		return dnsmsg_empty(p, q->end, DNSMSG_SERVFAIL);
	(void)each(&look, learn);
	return len;
}

size_t names_answer(struct names *names, const uint8_t *query, size_t query_len, uint8_t *answer,
		    size_t len)
{
	struct dnsmsg_question asked, q;

	if (len < DNSMSG_HEADER || !dnsmsg_is_response(answer) ||
	    !dnsmsg_question(query, query_len, &asked))
		return 0;
	if (get16(answer + 4) == 0 && dnsmsg_rcode(answer) != DNSMSG_OK)
		return dnsmsg_empty(answer, DNSMSG_HEADER, dnsmsg_rcode(answer));
	if (!dnsmsg_question(answer, len, &q) || strcmp(q.name, asked.name) != 0 ||
	    q.type != asked.type || q.class != asked.class)
		return 0;
	if (q.type == DNSMSG_AAAA && !has_ipv6(names))
		return dnsmsg_empty(answer, q.end, dnsmsg_rcode(answer));
	return rules_by_name(names->setup.rules) ? by_rules(names, &q, answer, len) : len;
}
