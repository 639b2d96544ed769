// SPDX-License-Identifier: MIT
/* What the network helper reads of a box's connections and of name servers: DNS messages, TLS and HTTP
 * beginnings; resolv.conf; and what the launcher reads of its refusals. The first byte says which; a DNS answer follows its query, whose length comes first. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include <sandbox/resolv.h>

#include "dnsmsg.h"
#include "fuzz.h"
#include "hello.h"
#include "names.h"
#include "rules.h"
#include "watch/refused.h"

static void ask(const uint8_t *p, size_t len)
{
	char *texts[] = { (char *)"allow any *.org *", (char *)"allow any a 443-443", NULL };
	char *hosts[] = { (char *)"db 10.1.2.3", NULL };
	const char *fault;
	struct filter filter = { .nhost = 0 };
	struct rules *rules = rules_new(texts, &fault);
	const struct names_setup setup = { .hosts = hosts, .rules = rules, .filter = &filter };
	struct names *names = names_new(&setup);
	uint8_t out[NAMES_ANSWER_MAX];
	size_t n = len ? MIN(p[0], len - 1) : 0, ret;

	if (len) {
		g_autofree uint8_t *query = g_memdup2(p + 1, n);
		g_autofree uint8_t *answer = g_memdup2(p + 1 + n, len - 1 - n);

		(void)names_query(names, query, n, out, &ret);
		(void)names_failure(query, n, out);
		(void)dnsmsg_room(query, n);
		dnsmsg_lower(query, n);
		ret = names_answer(names, query, n, answer, len - 1 - n);
		if (ret >= DNSMSG_HEADER)
			(void)dnsmsg_cut(answer, ret);
	}
	names_free(names);
	rules_free(rules);
}

static void summary(const uint8_t *p, size_t len)
{
	g_autofree char *text = g_strndup((const char *)p, len);
	g_autoptr(GString) out = g_string_new(NULL);
	struct refused refused = { .fd = -1, .summary = text };

	refused_json(out, text);
	/* one line, and nothing in it that a terminal obeys */
	for (const char *c = out->str; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			abort();
	refused_log(&refused, text);
}

static unsigned index_of(const char *name)
{
	return name[0] == 'e' ? 2 : 0;
}

/* Whether the launcher looks names up or the helper gets its numbers, the servers are the same. */
static void servers(const uint8_t *p, size_t len)
{
	g_autofree char *text = g_strndup((const char *)p, len);
	g_autofree char *numbered = resolv_number(text, index_of);
	const char *at = text, *other = numbered;
	struct resolv_server a, b;

	while (resolv_next(&at, index_of, &a))
		if (!resolv_next(&other, NULL, &b) || !a.why != !b.why ||
		    (!a.why && (a.scope != b.scope || strcmp(a.address, b.address) != 0)))
			abort();
	if (resolv_next(&other, NULL, &b))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[HELLO_NAME];

	if (size == 0)
		return 0;
	if (data[0] == 't')
		(void)hello_tls(data + 1, size - 1, name);
	else if (data[0] == 'h')
		(void)hello_http(data + 1, size - 1, name);
	else if (data[0] == 'r')
		servers(data + 1, size - 1);
	else if (data[0] == 's')
		summary(data + 1, size - 1);
	else
		ask(data + 1, size - 1);
	return 0;
}
