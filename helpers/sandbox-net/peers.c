// SPDX-License-Identifier: MIT
#include "peers.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "filter.h"
#include "names.h"
#include "rules.h"

enum { BATCH = 16, SOCKET_ROOM = 1 << 20 };

struct queued {
	struct queued *next;
	size_t len;
	uint8_t data[];
};

struct peer {
	int fd; /* -1: this slot is free */
	int index;
	bool known;  /* its hello has come */
	bool named;  /* and its name is known to names and rules */
	bool closed; /* it takes nothing more; what it has sent is still to be read */
	struct peer_hello who;
	struct queued *head, **tail;
	size_t size; /* bytes queued */
};

struct peers {
	struct peers_setup setup;
	struct peer_table table;
	int listener, index;
	unsigned n;     /* slots beyond are free */
	unsigned first; /* whose turn it is to be read first */
	struct peer list[PEERS_MAX];
	uint8_t buf[FRAME_MAX + 1];
};

struct peers *peers_new(const struct peers_setup *setup, int listener)
{
	struct peers *peers = g_new0(struct peers, 1);

	peers->setup = *setup;
	peers->listener = listener;
	peers->index = -1;
	for (unsigned i = 0; i < PEERS_MAX; i++)
		peers->list[i] = (struct peer){ .fd = -1, .index = -1 };
	setup->filter->peers = &peers->table;
	return peers;
}

/* ---- one peer ---- */

static void pop(struct peer *peer)
{
	struct queued *frame = peer->head;

	peer->head = frame->next;
	peer->size -= frame->len;
	if (!peer->head)
		peer->tail = &peer->head;
	g_free(frame);
}

/* Nothing more can be sent to it. */
static void shut(struct peer *peer)
{
	peer->closed = true;
	while (peer->head)
		pop(peer);
}

static void forget(struct peers *peers, unsigned slot)
{
	struct peer *peer = &peers->list[slot];

	if (peer->named) {
		names_remove_peer(peers->setup.names, peer->who.name);
		rules_forget(peers->setup.rules, &peer->who.ipv4);
		if (peer->who.ipv6.family)
			rules_forget(peers->setup.rules, &peer->who.ipv6);
	}
	if (peer->known)
		peer_unset(&peers->table, slot);
	shut(peer);
	(void)close(peer->fd);
	*peer = (struct peer){ .fd = -1, .index = -1 };
	while (peers->n > 0 && peers->list[peers->n - 1].fd < 0)
		peers->n--;
}

static void take_name(struct peers *peers, struct peer *peer)
{
	const struct peer_hello *who = &peer->who;

	if (!who->name[0] || !names_add_peer(peers->setup.names, who->name, &who->ipv4, &who->ipv6))
		return;
	peer->named = true;
	rules_learn_host(peers->setup.rules, who->name, &who->ipv4);
	if (who->ipv6.family)
		rules_learn_host(peers->setup.rules, who->name, &who->ipv6);
}

/* Its place in the network; false: it has none. One that has the same address is the box that had
 * it before: addresses are leased, and its end has not been seen yet. */
static bool take_hello(struct peers *peers, unsigned slot, const char *text, size_t len)
{
	const struct filter *f = peers->setup.filter;
	struct peer *peer = &peers->list[slot];
	struct peer_hello who;
	int old;

	if (!peer_hello_parse(text, len, &who) || !peer_hello_fits(f, peers->setup.box, &who))
		return false;
	old = peer_find(&peers->table, &who.ipv4);
	if (old >= 0)
		forget(peers, (unsigned)old);
	if (who.ipv6.family && (old = peer_find(&peers->table, &who.ipv6)) >= 0)
		forget(peers, (unsigned)old);
	peer->who = who;
	peer->known = true;
	peer_set(&peers->table, slot, &who);
	take_name(peers, peer);
	return true;
}

/* A slot for a new socket; -1: it was closed. */
static int place(struct peers *peers, int fd)
{
	static const int room = SOCKET_ROOM;

	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (peers->list[i].fd < 0) {
			struct peer *peer = &peers->list[i];

			(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
			peer->fd = fd;
			peer->tail = &peer->head;
			peers->n = MAX(peers->n, i + 1);
			return (int)i;
		}
	(void)close(fd);
	return -1;
}

void peers_add(struct peers *peers, int fd, const char *hello)
{
	int slot = place(peers, fd);

	if (slot >= 0 && !take_hello(peers, (unsigned)slot, hello, strlen(hello)))
		forget(peers, (unsigned)slot);
}

/* ---- to them ---- */

/* 1: it has it, or never will; 0: it takes no more for now. */
static int try_send(struct peer *peer, const uint8_t *p, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)p, len };
	const struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do /* not send(2), which is the outlet's */
		n = sendmsg(peer->fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return 0;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		peer->closed = true;
	return 1;
}

static void push(struct peer *peer, const uint8_t *p, size_t len)
{
	struct queued *frame;

	if (peer->size + len > PEERS_QUEUE_MAX)
		return;
	frame = g_malloc(sizeof(*frame) + len);
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->data, p, len);
	*peer->tail = frame;
	peer->tail = &frame->next;
	peer->size += len;
}

void peers_send(struct peers *peers, const uint8_t *p, const struct frame *frame)
{
	int slot = peer_find(&peers->table, &frame->dst);
	struct peer *peer;

	if (slot < 0)
		return;
	peer = &peers->list[slot];
	if (!peer->closed && (peer->head || !try_send(peer, p, frame->end)))
		push(peer, p, frame->end);
}

static void flush(struct peer *peer)
{
	while (peer->head && !peer->closed && try_send(peer, peer->head->data, peer->head->len))
		pop(peer);
	if (peer->closed)
		shut(peer);
}

/* ---- from them ---- */

/* One packet. False: there is none, or the peer is gone. */
static bool take(struct peers *peers, unsigned slot)
{
	struct peer *peer = &peers->list[slot];
	struct frame frame;
	ssize_t n;

	do
		n = recv(peer->fd, peers->buf, sizeof(peers->buf), MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0 && !peer->known && n < (ssize_t)sizeof(peers->buf) &&
	    take_hello(peers, slot, (const char *)peers->buf, (size_t)n))
		return true;
	if (n <= 0 || !peer->known) {
		forget(peers, slot);
		return false;
	}
	if (n < (ssize_t)sizeof(peers->buf) &&
	    peer_accept(&peers->table, peers->setup.filter, peers->setup.box, slot, peers->buf,
			(size_t)n, &frame))
		link_write(peers->setup.link, peers->buf, frame.end);
	return true;
}

/* Several at a time, and each peer as many as the others; none while the box does not take them. */
static void take_all(struct peers *peers, const struct pollset *set)
{
	unsigned n = peers->n;

	for (unsigned i = 0; i < n; i++) {
		unsigned slot = (peers->first + i) % n;
		const struct peer *peer = &peers->list[slot];

		if (peer->fd < 0 || !(pollset_got(set, peer->index) & ~POLLOUT))
			continue;
		for (int k = 0; k < BATCH && !link_is_full(peers->setup.link); k++)
			if (!take(peers, slot))
				break;
	}
	peers->first++;
}

static void accept_all(struct peers *peers)
{
	for (;;) {
		int fd = accept4(peers->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			break;
		(void)place(peers, fd);
	}
}

/* ---- the loop ---- */

void peers_fill(struct peers *peers, struct pollset *set)
{
	bool hold;

	if (!peers)
		return;
	hold = peers->setup.link->fd < 0 || link_is_full(peers->setup.link);
	peers->table.now = set->now;
	peers->index = pollset_add(set, peers->listener, POLLIN);
	for (unsigned i = 0; i < peers->n; i++) {
		struct peer *peer = &peers->list[i];
		short events = (short)((hold ? 0 : POLLIN) | (peer->head ? POLLOUT : 0));

		/* without events its end would wake us up again and again */
		peer->index = peer->fd >= 0 && events ? pollset_add(set, peer->fd, events) : -1;
	}
}

void peers_handle(struct peers *peers, const struct pollset *set)
{
	if (!peers)
		return;
	for (unsigned i = 0; i < peers->n; i++)
		if (peers->list[i].head)
			flush(&peers->list[i]);
	take_all(peers, set);
	if (pollset_got(set, peers->index))
		accept_all(peers);
}

bool peers_is_busy(const struct peers *peers)
{
	for (unsigned i = 0; peers && i < peers->n; i++)
		if (peers->list[i].head)
			return true;
	return false;
}
