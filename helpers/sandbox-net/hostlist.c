// SPDX-License-Identifier: MIT
#include "hostlist.h"

#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

void hostlist_init(struct hostlist *list)
{
	*list = (struct hostlist){ .stale = true };
}

void hostlist_clear(struct hostlist *list)
{
	g_clear_pointer(&list->now.list, g_free);
	g_clear_pointer(&list->fresh.list, g_free);
}

static void add(struct naddrs *to, const struct naddr *a)
{
	size_t low = 0, high = to->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = memcmp(&to->list[mid], a, sizeof(*a));

		if (order == 0)
			return;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (to->n == to->size) {
		to->size = to->size ? to->size * 2 : 32;
		to->list = g_realloc_n(to->list, to->size, sizeof(*to->list));
	}
	memmove(to->list + low + 1, to->list + low, (to->n - low) * sizeof(*a));
	to->list[low] = *a;
	to->n++;
}

void hostlist_asked(struct hostlist *list, uint32_t seq)
{
	list->seq = seq;
	list->asked = true;
	list->stale = false;
	list->fresh.n = 0;
}

void hostlist_lost(struct hostlist *list)
{
	list->stale = true;
}

static int end(struct hostlist *list, uint32_t seq, int error)
{
	struct naddrs old = list->now;

	if (!list->asked || seq != list->seq)
		return 0;
	list->asked = false;
	if (error < 0)
		list->stale = true;
	if (list->stale)
		return error;
	list->now = list->fresh;
	list->fresh = old;
	return 0;
}

/* On a point-to-point link IFA_ADDRESS is the other side; IFA_LOCAL is ours. */
static bool address_of(const struct nlmsghdr *msg, struct naddr *ret)
{
	const struct ifaddrmsg *m = NLMSG_DATA(msg);
	const struct rtattr *a, *best = NULL;
	size_t size;
	int left;

	if (msg->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return false;
	left = (int)IFA_PAYLOAD(msg);
	size = m->ifa_family == AF_INET ? 4 : 16;
	for (a = IFA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && !best))
			best = a;
	if (!best || RTA_PAYLOAD(best) != size)
		return false;
	*ret = size == 4 ? naddr4(RTA_DATA(best)) : naddr6(RTA_DATA(best));
	return true;
}

/* What NLMSG_DONE and NLMSG_ERROR begin with. */
static int error_of(const struct nlmsghdr *msg)
{
	int error = 0;

	if (msg->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(msg), sizeof(error));
	return error < 0 ? error : msg->nlmsg_type == NLMSG_ERROR ? -EPROTO : 0;
}

static int take(struct hostlist *list, const struct nlmsghdr *msg)
{
	struct naddr a;

	/* the kernel says that it may have left out some: they changed between two parts */
	if ((msg->nlmsg_flags & NLM_F_MULTI) && (msg->nlmsg_flags & NLM_F_DUMP_INTR))
		list->stale = true;
	switch (msg->nlmsg_type) {
	case NLMSG_DONE:
	case NLMSG_ERROR: return end(list, msg->nlmsg_seq, error_of(msg));
	case RTM_DELADDR: list->stale = true; return 0;
	case RTM_NEWADDR:
		if (address_of(msg, &a)) {
			add(&list->now, &a);
			if (list->asked)
				add(&list->fresh, &a);
		}
		return 0;
	default: return 0;
	}
}

int hostlist_take(struct hostlist *list, const void *buf, size_t len)
{
	const struct nlmsghdr *msg = buf;
	unsigned left = (unsigned)len;
	int r = 0;

	for (; NLMSG_OK(msg, left) && r == 0; msg = NLMSG_NEXT(msg, left))
		r = take(list, msg);
	return r;
}
