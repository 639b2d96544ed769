// SPDX-License-Identifier: MIT
/* --publish [IP:]HOST:BOX[/tcp|/udp][,src=keep]: which ports of the host lead into the box; --ip. */
#include <arpa/inet.h>
#include <string.h>

#include "build.h"

/* A part of the value; not terminated. */
struct part {
	const char *text;
	size_t len;
};

/* The last ':' in a part; a shortens it to what is in front. False: there is none. */
static bool split_last(struct part *a, struct part *ret)
{
	const char *colon = a->len ? memrchr(a->text, ':', a->len) : NULL;

	if (!colon)
		return false;
	*ret = (struct part){ colon + 1, a->len - (size_t)(colon + 1 - a->text) };
	a->len = (size_t)(colon - a->text);
	return true;
}

/* "127.0.0.1" or "[::1]"; nothing written means loopback: what is published is for this host until
 * the user says otherwise. */
static int read_address(struct build *b, const struct part *part, struct publish *ret,
			struct err *err)
{
	bool brackets =
		part && part->len >= 2 && part->text[0] == '[' && part->text[part->len - 1] == ']';
	char text[INET6_ADDRSTRLEN] = "127.0.0.1";

	if (part) {
		size_t len = brackets ? part->len - 2 : part->len;

		if (len >= sizeof(text))
			return build_refuse(err, b, "'%.*s' is no address", (int)part->len,
					    part->text);
		memcpy(text, part->text + brackets, len);
		text[len] = '\0';
	}
	ret->ipv6 = brackets;
	if (inet_pton(brackets ? AF_INET6 : AF_INET, text, ret->address) == 1)
		return 0;
	if (part && !brackets && memchr(part->text, ':', part->len))
		return build_refuse(err, b, "an IPv6 address is written in brackets, as in [::1]");
	return build_refuse(err, b, "'%.*s' is no address", part ? (int)part->len : 0,
			    part ? part->text : "");
}

/* What comes after the ports: "/udp", ",src=keep". */
static int read_tail(struct build *b, const char *tail, struct publish *ret, struct err *err)
{
	const char *comma = strchr(tail, ',');
	const size_t len = comma ? (size_t)(comma - tail) : strlen(tail);

	ret->udp = len == 4 && memcmp(tail, "/udp", 4) == 0;
	if (len && !ret->udp && (len != 4 || memcmp(tail, "/tcp", 4) != 0))
		return build_refuse(err, b, "'%.*s' is neither /tcp nor /udp", (int)len, tail);
	ret->keep = comma && strcmp(comma, ",src=keep") == 0;
	if (comma && !ret->keep)
		return build_refuse(err, b, "'%s' is not src=keep", comma + 1);
	if (ret->udp && ret->keep)
		return build_refuse(err, b,
				    "src=keep is for TCP: a server's answers by UDP could not be "
				    "told from what it sends by itself");
	return 0;
}

static unsigned count_ports(const GArray *list)
{
	unsigned n = 0;

	for (unsigned i = 0; i < list->len; i++) {
		const struct publish *p = &g_array_index(list, struct publish, i);

		n += p->last - p->first + 1;
	}
	return n;
}

int set_publish(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	struct part rest = { value, strcspn(value, "/,") };
	struct publish row = { .origin = b->origin };
	struct ports host = { 0 }, box = { 0 };
	struct part part;
	bool address;
	int r = read_tail(b, value + rest.len, &row, err);

	if (r < 0)
		return r;
	if (!split_last(&rest, &part))
		return build_refuse(err, b, "it names one port, not the host's and the box's");
	r = build_read_ports(b, part.text, part.len, &box, err);
	if (r < 0)
		return r;
	address = split_last(&rest, &part);
	if (!address)
		part = rest;
	r = build_read_ports(b, part.text, part.len, &host, err);
	if (r == 0)
		r = read_address(b, address ? &rest : NULL, &row, err);
	if (r < 0)
		return r;
	if (host.last - host.first != box.last - box.first)
		return build_refuse(err, b, "the two ranges are not of one length");
	row.unaddressed = !address;
	row.first = host.first;
	row.last = host.last;
	row.inner = box.first;
	g_array_append_val(b->spec->publish, row);
	return count_ports(b->spec->publish) > PUBLISH_MAX
		       ? build_refuse(err, b, "more than %d ports would be published", PUBLISH_MAX)
		       : 0;
}

/* One of a host's own: what is bound there has to be found there. */
static bool is_single(const struct publish *p)
{
	static const uint8_t none[16];

	if (p->ipv6)
		return memcmp(p->address, none, 16) != 0 && p->address[0] != 0xff;
	return p->address[0] != 0 && p->address[0] < 224;
}

int set_ip(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	const bool bare = strchr(value, ':') && value[0] != '[';
	g_autofree char *text = g_strdup_printf(bare ? "[%s]" : "%s", value);
	const struct part part = { text, strlen(text) };
	struct publish at = { .ipv6 = false };
	int r;

	if (strcmp(value, "auto") == 0) {
		b->spec->ip.kind = OWN_IP_AUTO;
		return 0;
	}
	r = read_address(b, &part, &at, err);
	if (r < 0)
		return r;
	if (!is_single(&at))
		return build_refuse(err, b, "'%s' is not the address of one host", value);
	b->spec->ip.kind = OWN_IP_FIXED;
	b->spec->ip.ipv6 = at.ipv6;
	memcpy(b->spec->ip.address, at.address, sizeof(at.address));
	return 0;
}
