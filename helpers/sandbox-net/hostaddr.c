// SPDX-License-Identifier: MIT
#include "hostaddr.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 32768, AGAIN_MS = 100, ROUNDS = 4 };

/* -ENOBUFS: something was lost. */
static ssize_t receive(int sock, void *buf, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { buf, BUFFER };
	struct msghdr msg;
	ssize_t n;

	do {
		msg = (struct msghdr){ .msg_name = &from,
				       .msg_namelen = sizeof(from),
				       .msg_iov = &iov,
				       .msg_iovlen = 1 };
		n = recvmsg(sock, &msg, flags);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0)); /* the kernel alone */
	if (n < 0)
		return -errno;
	return msg.msg_flags & MSG_TRUNC ? -ENOBUFS : n;
}

static int ask(struct hostaddr *h)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
	} dump = { .h = { .nlmsg_len = sizeof(dump),
			  .nlmsg_type = RTM_GETADDR,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			  .nlmsg_seq = h->known.seq + 1 } };

	if (send(h->sock, &dump, sizeof(dump), MSG_DONTWAIT) < 0)
		return -errno;
	hostlist_asked(&h->known, dump.h.nlmsg_seq);
	return 0;
}

/* Everything that is there, or with no MSG_DONTWAIT one datagram. 0, -EAGAIN: nothing more; else the
 * socket has failed, or the answer. */
static int take(struct hostaddr *h, int flags)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[BUFFER];
	ssize_t n;
	int r;

	do {
		n = receive(h->sock, buf, flags);
		if (n == -ENOBUFS)
			hostlist_lost(&h->known);
		else if (n < 0)
			return (int)n;
		r = n < 0 ? 0 : hostlist_take(&h->known, buf, (size_t)n);
	} while (r == 0 && (flags & MSG_DONTWAIT));
	return r;
}

static void show(struct hostaddr *h)
{
	h->list = h->known.now.list;
	h->n = h->known.now.n;
}

int hostaddr_open(struct hostaddr *h)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int r = 0;

	*h = (struct hostaddr){ .index = -1 };
	hostlist_init(&h->known);
	h->sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (h->sock < 0 || bind(h->sock, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	while (r == 0 && (h->known.asked || hostlist_must_ask(&h->known)))
		r = h->known.asked ? take(h, 0) : ask(h);
	show(h);
	return r;
}

/* Asks for all addresses if that has to be, but not at once after a failure. */
static void renew(struct hostaddr *h, int64_t now)
{
	if (hostlist_must_ask(&h->known) && now >= h->again_ms && ask(h) < 0)
		h->again_ms = now + AGAIN_MS;
}

void hostaddr_fill(struct hostaddr *h, struct pollset *set)
{
	h->index = pollset_add(set, h->sock, POLLIN);
	renew(h, set->now);
	if (hostlist_must_ask(&h->known))
		pollset_until(set, h->again_ms);
}

bool hostaddr_handle(struct hostaddr *h, const struct pollset *set)
{
	int r;

	if (!pollset_got(set, h->index))
		return false;
	/* the kernel answers as fast as it is read: before the next frame is looked at */
	for (int i = 0; i < ROUNDS && (i == 0 || h->known.asked); i++) {
		r = take(h, MSG_DONTWAIT);
		if (r != -EAGAIN)
			h->again_ms = set->now + AGAIN_MS;
		renew(h, set->now);
	}
	show(h);
	return true;
}

void hostaddr_close(struct hostaddr *h)
{
	if (h->sock >= 0)
		(void)close(h->sock);
	hostlist_clear(&h->known);
}
