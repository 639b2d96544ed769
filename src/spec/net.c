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

int set_host_port(struct build *b, struct err *err)
{
	const char *value = b->occ->value, *slash = strchr(value, '/');
	bool udp = slash && strcmp(slash, "/udp") == 0;
	struct host_port port;
	struct ports ports;
	int r;

	if (slash && !udp && strcmp(slash, "/tcp") != 0)
		return build_refuse(err, b, "'%s' is neither /tcp nor /udp", slash);
	r = build_read_ports(b, value, slash ? (size_t)(slash - value) : strlen(value), &ports,
			     err);
	if (r < 0)
		return r;
	port = (struct host_port){
		.first = ports.first, .last = ports.last, .udp = udp, .origin = b->origin
	};
	g_array_append_val(b->spec->host_ports, port);
	return 0;
}
