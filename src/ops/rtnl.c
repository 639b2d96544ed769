// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtnl.h"

static void put(struct rtnl *b, const void *data, size_t len)
{
	size_t room = NLMSG_ALIGN(len);

	if (b->len + room <= sizeof(b->buf)) {
		memset(b->buf + b->len, 0, room);
		if (len)
			memcpy(b->buf + b->len, data, len);
	}
	b->len += room;
}

/* Lengths are kept up to date with every addition. */
static void settle(struct rtnl *b)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->buf + b->begin);

	if (b->len <= sizeof(b->buf))
		h->nlmsg_len = (uint32_t)(b->len - b->begin);
}

void rtnl_begin(struct rtnl *b, const char *what, uint16_t type, uint16_t flags, const void *head,
		size_t size)
{
	struct nlmsghdr h = { .nlmsg_type = type,
			      .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
			      .nlmsg_seq = b->n };

	b->begin = b->len;
	if (b->n < RTNL_MAX)
		b->what[b->n] = what;
	else
		b->len = sizeof(b->buf) + 1;
	b->n++;
	put(b, &h, sizeof(h));
	put(b, head, size);
	settle(b);
}

void rtnl_raw(struct rtnl *b, const void *data, size_t len)
{
	put(b, data, len);
	settle(b);
}

void rtnl_attr(struct rtnl *b, uint16_t type, const void *data, size_t len)
{
	struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };

	put(b, &a, sizeof(a));
	rtnl_raw(b, data, len);
}

void rtnl_u32(struct rtnl *b, uint16_t type, uint32_t value)
{
	rtnl_attr(b, type, &value, sizeof(value));
}

void rtnl_str(struct rtnl *b, uint16_t type, const char *text)
{
	rtnl_attr(b, type, text, strlen(text) + 1);
}

size_t rtnl_nest(struct rtnl *b, uint16_t type)
{
	size_t at = b->len;

	rtnl_attr(b, (uint16_t)(type | NLA_F_NESTED), NULL, 0);
	return at;
}

void rtnl_nest_end(struct rtnl *b, size_t nest)
{
	struct rtattr *a = (struct rtattr *)(void *)(b->buf + nest);

	if (b->len <= sizeof(b->buf))
		a->rta_len = (uint16_t)(b->len - nest);
}

int rtnl_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* The answers of one datagram; counts them in *got. */
static int take(const struct rtnl *b, const void *buf, ssize_t n, unsigned *got,
		const char **ret_what)
{
	const struct nlmsghdr *h = buf;
	unsigned left = (unsigned)n;
	int r = 0;

	for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		const struct nlmsgerr *e = NLMSG_DATA(h);

		if (h->nlmsg_type != NLMSG_ERROR)
			continue;
		++*got;
		if (e->error < 0 && r == 0) {
			r = e->error;
			*ret_what = h->nlmsg_seq < b->n ? b->what[h->nlmsg_seq] : "?";
		}
	}
	return r;
}

int rtnl_commit(struct rtnl *b, int sock, const char **ret_what)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[8192];
	unsigned got = 0;
	ssize_t n;
	int r = 0;

	*ret_what = b->n && b->n <= RTNL_MAX ? b->what[0] : "a request";
	if (b->len > sizeof(b->buf))
		return -EMSGSIZE;
	if (send(sock, b->buf, b->len, 0) < 0)
		return -errno;
	while (got < b->n) {
		int one;

		n = recv(sock, buf, sizeof(buf), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		one = take(b, buf, n, &got, ret_what);
		r = r == 0 ? one : r;
	}
	return r;
}
