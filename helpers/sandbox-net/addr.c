// SPDX-License-Identifier: MIT
#include "addr.h"

#include <arpa/inet.h>

bool naddr_parse(const char *text, struct naddr *ret)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret = naddr4(bytes);
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	*ret = naddr6(bytes);
	return true;
}

const char *naddr_text(const struct naddr *a, char *out, size_t size)
{
	if (!inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, out, (socklen_t)size))
		out[0] = '\0';
	return out;
}

static struct naddr unmapped(const struct in6_addr *in6)
{
	return IN6_IS_ADDR_V4MAPPED(in6) ? naddr4(in6->s6_addr + 12) : naddr6(in6);
}

bool naddr_from(const struct sockaddr *sa, socklen_t len, struct naddr *ret, uint16_t *ret_port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (!sa || len < sizeof(sa->sa_family))
		return false;
	if (sa->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, sa, sizeof(in));
		*ret = naddr4(&in.sin_addr);
		*ret_port = ntohs(in.sin_port);
		return true;
	}
	if (sa->sa_family != AF_INET6 || len < sizeof(in6))
		return false;
	memcpy(&in6, sa, sizeof(in6));
	*ret = unmapped(&in6.sin6_addr);
	*ret_port = ntohs(in6.sin6_port);
	return true;
}

socklen_t naddr_to(const struct naddr *a, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->bytes, 16);
	return sizeof(*in6);
}

/* RFC 6052, 2.2: where an address of IPv4 stands behind a prefix of so many bits; byte 8 is zero. */
static struct naddr translated(const struct naddr *a, unsigned prefix)
{
	struct naddr v4 = { .family = 4 };

	for (unsigned i = 0, at = prefix / 8; i < 4; i++, at++) {
		if (at == 8)
			at++;
		v4.bytes[i] = a->bytes[at];
	}
	return v4;
}

unsigned naddr_within(const struct naddr *a, struct naddr ret[NADDR_WITHIN])
{
	/* clang-format off */
	static const struct { struct naddr net; unsigned prefix; uint8_t at[NADDR_WITHIN]; } rows[] = {
		{ { 6, { 0x00, 0x64, 0xff, 0x9b } }, 96, { 96 } },
		{ { 6, { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 } }, 48, { 48, 56, 64, 96 } },
		{ { 6, { [8] = 0xff, 0xff } }, 96, { 96 } },
		{ { 6, { 0x20, 0x02 } }, 16, { 16 } },
	};
	/* clang-format on */
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!naddr_in(a, &rows[i].net, rows[i].prefix))
			continue;
		for (unsigned k = 0; k < NADDR_WITHIN && rows[i].at[k]; k++) {
			struct naddr v4 = translated(a, rows[i].at[k]);

			/* 0.0.0.0/8 is what zeros elsewhere look like; no translator sends there */
			if (v4.bytes[0])
				ret[n++] = v4;
		}
		break;
	}
	return n;
}
