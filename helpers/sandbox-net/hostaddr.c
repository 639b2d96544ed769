// SPDX-License-Identifier: MIT
#include "hostaddr.h"

#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 32768, ADDRESSES_MAX = 65536 };

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct naddr));
}

static struct naddr *find(struct hostaddr *h, const struct naddr *a)
{
	return h->n ? bsearch(a, h->list, h->n, sizeof(*a), by_bytes) : NULL;
}

static void add(struct hostaddr *h, const struct naddr *a)
{
	if (find(h, a) || h->n == ADDRESSES_MAX)
		return;
	if (h->n == h->size) {
		h->size = h->size ? h->size * 2 : 32;
		h->list = g_realloc_n(h->list, h->size, sizeof(*h->list));
	}
	h->list[h->n++] = *a;
	qsort(h->list, h->n, sizeof(*h->list), by_bytes);
}

static void drop(struct hostaddr *h, const struct naddr *a)
{
	struct naddr *at = find(h, a);

	if (!at)
		return;
	h->n--;
	memmove(at, at + 1, (size_t)(h->list + h->n - at) * sizeof(*at));
}

/* On a point-to-point link IFA_ADDRESS is the other side; IFA_LOCAL is ours. */
static bool address_of(const struct nlmsghdr *msg, struct naddr *ret)
{
	const struct ifaddrmsg *m = NLMSG_DATA(msg);
	const struct rtattr *a = IFA_RTA(m), *best = NULL;
	int left = (int)IFA_PAYLOAD(msg);
	size_t size = m->ifa_family == AF_INET ? 4 : 16;

	if (msg->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return false;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && !best))
			best = a;
	if (!best || RTA_PAYLOAD(best) != size)
		return false;
	*ret = size == 4 ? naddr4(RTA_DATA(best)) : naddr6(RTA_DATA(best));
	return true;
}

/* One datagram. Returns 1 at the end of a dump. */
static int take(struct hostaddr *h, const void *buf, ssize_t n)
{
	const struct nlmsghdr *msg = buf;
	unsigned left = (unsigned)n;
	struct naddr a;

	for (; NLMSG_OK(msg, left); msg = NLMSG_NEXT(msg, left)) {
		if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR)
			return 1;
		if (msg->nlmsg_type == RTM_NEWADDR && address_of(msg, &a))
			add(h, &a);
		if (msg->nlmsg_type == RTM_DELADDR && address_of(msg, &a))
			drop(h, &a);
	}
	return 0;
}

static ssize_t receive(int sock, void *buf, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { buf, BUFFER };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	do
		n = recvmsg(sock, &msg, flags);
	while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0)); /* the kernel alone */
	return n < 0 ? -errno : n;
}

static int ask(int sock, uint8_t *buf, struct hostaddr *h)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
	} dump = { .h = { .nlmsg_len = sizeof(dump),
			  .nlmsg_type = RTM_GETADDR,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	ssize_t n;

	if (send(sock, &dump, sizeof(dump), 0) < 0)
		return -errno;
	do
		n = receive(sock, buf, 0);
	while (n >= 0 && take(h, buf, n) == 0);
	return n < 0 ? (int)n : 0;
}

int hostaddr_open(struct hostaddr *h)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[BUFFER];
	int r;

	*h = (struct hostaddr){ .index = -1 };
	h->sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (h->sock < 0 || bind(h->sock, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	r = ask(h->sock, buf, h);
	return r;
}

void hostaddr_fill(struct hostaddr *h, struct pollset *set)
{
	h->index = pollset_add(set, h->sock, POLLIN);
}

bool hostaddr_handle(struct hostaddr *h, const struct pollset *set)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[BUFFER];
	ssize_t n;

	if (!pollset_got(set, h->index))
		return false;
	while ((n = receive(h->sock, buf, MSG_DONTWAIT)) >= 0)
		(void)take(h, buf, n);
	/* news were lost: what is known is kept, and everything is asked for again */
	if (n == -ENOBUFS)
		(void)ask(h->sock, buf, h);
	return true;
}

void hostaddr_close(struct hostaddr *h)
{
	if (h->sock >= 0)
		(void)close(h->sock);
	g_free(h->list);
}
