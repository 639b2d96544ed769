// SPDX-License-Identifier: MIT
/* A port, or a range of them, as all options of the network have them. */
#include <errno.h>
#include <string.h>

#include "build.h"

static int read_port(const struct build *b, const char *text, size_t len, unsigned *ret,
		     struct err *err)
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

int build_read_ports(const struct build *b, const char *text, size_t len, struct ports *ret,
		     struct err *err)
{
	const char *dash = memchr(text, '-', len);
	size_t head = dash ? (size_t)(dash - text) : len;
	struct ports ports = { 0 };
	int r = read_port(b, text, head, &ports.first, err);

	if (r < 0)
		return r;
	ports.last = ports.first;
	if (dash)
		r = read_port(b, dash + 1, len - head - 1, &ports.last, err);
	if (r == 0 && ports.last < ports.first)
		r = build_refuse(err, b, "the range of ports ends before it begins");
	if (r == 0)
		*ret = ports;
	return r;
}
