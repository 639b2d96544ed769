// SPDX-License-Identifier: MIT
/* The options of --network user. */
#include <string.h>

#include "build.h"

/* clang-format off */
static const struct word tristate_words[] = {
	{ "auto", TRI_AUTO }, { "on", TRI_ON }, { "off", TRI_OFF }, { NULL, 0 },
};
/* clang-format on */

int set_ipv6(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	const struct word *word = word_find(tristate_words, value, strlen(value));

	if (!word)
		return build_refuse(err, b, "it is none of auto, on and off");
	b->spec->ipv6 = (enum tristate)word->value;
	return 0;
}

static int read_port(struct build *b, const char *text, size_t len, unsigned *ret, struct err *err)
{
	uint64_t port;
	int r = value_u64(text, len, 65535, &port);

	if (r == 0 && port == 0)
		r = -ERANGE;
	if (r < 0)
		return build_refuse_number(err, b, r, text, len);
	*ret = (unsigned)port;
	return 0;
}

/* "80", "8000-8010" */
static int read_ports(struct build *b, const char *text, size_t len, struct host_port *ret,
		      struct err *err)
{
	const char *dash = memchr(text, '-', len);
	size_t head = dash ? (size_t)(dash - text) : len;
	int r = read_port(b, text, head, &ret->first, err);

	ret->last = ret->first;
	if (r == 0 && dash)
		r = read_port(b, dash + 1, len - head - 1, &ret->last, err);
	if (r == 0 && ret->last < ret->first)
		return build_refuse(err, b, "the range ends before it begins");
	return r;
}

int set_host_port(struct build *b, struct err *err)
{
	const char *value = b->occ->value, *slash = strchr(value, '/');
	struct host_port port = { .origin = b->origin };
	int r;

	port.udp = slash && strcmp(slash, "/udp") == 0;
	if (slash && !port.udp && strcmp(slash, "/tcp") != 0)
		return build_refuse(err, b, "'%s' is neither /tcp nor /udp", slash);
	r = read_ports(b, value, slash ? (size_t)(slash - value) : strlen(value), &port, err);
	if (r == 0)
		g_array_append_val(b->spec->host_ports, port);
	return r;
}
