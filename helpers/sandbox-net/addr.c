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
