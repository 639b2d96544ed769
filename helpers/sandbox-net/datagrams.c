// SPDX-License-Identifier: MIT
/*
 * A datagram from outside goes out again from a socket in the box that stands for its client; what
 * comes back there is sent to the client from the address it had written to.
 *
 * Whether somebody listens in the box is known only by what the kernel answers to a datagram: on
 * loopback, where all this happens, mostly before the call that sends it has returned. So the first
 * one of a client is kept, and sent to the next address when the one before refuses it.
 */
#include "datagrams.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "outlet.h"

enum {
	BATCH = 16,      /* datagrams a call */
	ROUNDS = 8,      /* calls a turn and socket */
	LARGEST = 65536, /* more than UDP has */
	NOTICE_MS = 1000,
};

struct door {
	int fd;
	int index;
	uint16_t port;  /* inside */
	uint8_t target; /* which address has answered last: the first to be tried */
	bool any;       /* bound to every address: answers have to say which one they come from */
	bool told;      /* that nobody listens */
};

/* Compared as bytes: made by memset. */
struct key {
	struct door *door;
	struct sockaddr_in6 client; /* of both families: sockaddr_in is the smaller */
	struct in6_pktinfo local;   /* what it has written to; of IPv4 in the last four bytes */
};

struct peer {
	struct key key;
	GList link; /* in `order` */
	int box, index;
	uint8_t first, tried;
	bool aimed;
	void *probe; /* the first datagram, until it is known that somebody has got it */
	size_t probe_len;
	int64_t used;
};

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct datagrams {
	struct datagrams_setup setup;
	GPtrArray *doors;  /* struct door */
	GHashTable *peers; /* struct key -> struct peer */
	GQueue order;      /* the same, longest idle first */
	int64_t now, noticed;
	/* the batch at hand */
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in6 names[BATCH];
	union control controls[BATCH];
	uint8_t *data;
};

/* ---- the table ---- */

static guint key_hash(gconstpointer data)
{
	const uint8_t *p = data;
	guint hash = 2166136261U;

	for (size_t i = 0; i < sizeof(struct key); i++)
		hash = (hash ^ p[i]) * 16777619U;
	return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct key)) == 0;
}

static void peer_free(void *data)
{
	struct peer *peer = data;

	(void)close(peer->box);
	g_free(peer->probe);
	g_free(peer);
}

static void door_free(void *data)
{
	struct door *door = data;

	(void)close(door->fd);
	g_free(door);
}

static void drop(struct datagrams *d, struct peer *peer)
{
	g_queue_unlink(&d->order, &peer->link);
	g_hash_table_remove(d->peers, &peer->key);
}

static void touch(struct datagrams *d, struct peer *peer)
{
	peer->used = d->now;
	g_queue_unlink(&d->order, &peer->link);
	g_queue_push_tail_link(&d->order, &peer->link);
}

struct datagrams *datagrams_new(const struct datagrams_setup *setup)
{
	struct datagrams *d = g_new0(struct datagrams, 1);

	d->setup = *setup;
	d->doors = g_ptr_array_new_with_free_func(door_free);
	d->peers = g_hash_table_new_full(key_hash, key_equal, NULL, peer_free);
	g_queue_init(&d->order);
	return d;
}

void datagrams_free(struct datagrams *d)
{
	g_hash_table_unref(d->peers);
	g_ptr_array_free(d->doors, TRUE);
	g_free(d->data);
	g_free(d);
}

static bool is_any(int fd, int *ret_family)
{
	struct sockaddr_in6 in6 = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&in6;
	socklen_t len = sizeof(in6);

	if (getsockname(fd, (struct sockaddr *)&in6, &len) < 0)
		return false;
	*ret_family = in6.sin6_family;
	return in6.sin6_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr)
					   : in->sin_addr.s_addr == INADDR_ANY;
}

void datagrams_listen(struct datagrams *d, uint16_t port, int fd)
{
	struct door *door = g_new0(struct door, 1);
	int family = 0;
	const int one = 1, room = 1 << 20;

	*door = (struct door){ .fd = fd, .index = -1, .port = port, .any = is_any(fd, &family) };
	if (door->any && family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	else if (door->any)
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)); /* as far as it may */
	g_ptr_array_add(d->doors, door);
	if (!d->data) /* what is never touched takes no memory */
		d->data = g_malloc((size_t)BATCH * LARGEST);
}

/* ---- batches ---- */

static void prepare(struct datagrams *d, bool names)
{
	for (unsigned i = 0; i < BATCH; i++) {
		d->iov[i] = (struct iovec){ d->data + (size_t)i * LARGEST, LARGEST };
		d->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &d->iov[i], .msg_iovlen = 1 };
		if (!names)
			continue;
		memset(&d->names[i], 0, sizeof(d->names[i]));
		d->msgs[i].msg_hdr.msg_name = &d->names[i];
		d->msgs[i].msg_hdr.msg_namelen = sizeof(d->names[i]);
		d->msgs[i].msg_hdr.msg_control = &d->controls[i];
		d->msgs[i].msg_hdr.msg_controllen = sizeof(d->controls[i]);
	}
}

static int receive(struct datagrams *d, int fd, unsigned n, bool names)
{
	int r;

	prepare(d, names);
	do
		r = recvmmsg(fd, d->msgs, n, MSG_DONTWAIT, NULL);
	while (r < 0 && errno == EINTR);
	for (int i = 0; i < r; i++)
		d->iov[i].iov_len = d->msgs[i].msg_len;
	return r < 0 ? -errno : r;
}

/* A datagram that cannot be sent is lost, as on the way everywhere; the others are not. */
static unsigned send_all(int fd, struct mmsghdr *msgs, unsigned n)
{
	while (n) {
		int sent = sendmmsg(fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == ECONNREFUSED)
			return n;
		sent = sent < 0 ? 1 : sent;
		msgs += sent;
		n -= (unsigned)sent;
	}
	return 0;
}

/* ---- into the box ---- */

static int error_of(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

static const struct naddr *target_of(const struct datagrams *d, const struct peer *peer)
{
	return &d->setup.targets[(peer->first + peer->tried) % DATAGRAMS_TARGETS];
}

/* The one socket is for both families: an address of IPv4 is written as IPv6 has it. What it was
 * connected to before is undone first, with the address that came of it: connect(2), AF_UNSPEC. */
static int aim(const struct datagrams *d, struct peer *peer)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	const struct naddr *to = target_of(d, peer);
	struct sockaddr_storage address;
	struct naddr mapped = { .family = 6, .bytes = { [10] = 0xff, [11] = 0xff } };
	int domain = 0;
	socklen_t len = sizeof(domain);

	if (to->family == 0 || getsockopt(peer->box, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -EAFNOSUPPORT;
	if (to->family == 4 && domain == AF_INET6) {
		memcpy(mapped.bytes + 12, to->bytes, 4);
		to = &mapped;
	}
	(void)outlet_raw_connect(peer->box, &none, sizeof(none));
	len = naddr_to(to, peer->key.door->port, &address);
	return outlet_raw_connect(peer->box, (struct sockaddr *)&address, len) < 0 ? -errno : 0;
}

static void keep(struct peer *peer, const void *data, size_t len)
{
	void *copy = g_malloc(len + 1); /* empty ones are datagrams, too */

	memcpy(copy, data, len);
	g_free(peer->probe);
	peer->probe = copy;
	peer->probe_len = len;
}

/* One datagram to each address of the box until one does not refuse it. False: all do. */
static bool probe(const struct datagrams *d, struct peer *peer, const void *data, size_t len)
{
	for (; peer->tried < DATAGRAMS_TARGETS; peer->tried++) {
		if (aim(d, peer) < 0)
			continue;
		peer->aimed = true;
		(void)outlet_raw_send(peer->box, data, len);
		if (error_of(peer->box) != ECONNREFUSED)
			return true;
	}
	return false;
}

/* The address at hand has refused what was sent before. */
static bool probe_others(const struct datagrams *d, struct peer *peer)
{
	peer->tried++;
	return peer->probe && probe(d, peer, peer->probe, peer->probe_len);
}

/* Nobody can tell the client: only the kernel sends ICMP, and for the host's port there is a socket. */
static void refused(struct datagrams *d, struct peer *peer)
{
	struct door *door = peer->key.door;

	if (!door->told)
		log_notice(d->setup.log,
			   "published ports: nobody in the box listens on UDP port %u", door->port);
	door->told = true;
	drop(d, peer);
}

/* The first one of a client, or the first since its server has gone: that may be back. */
static bool pass_first(const struct datagrams *d, struct peer *peer, const struct mmsghdr *msg)
{
	const struct iovec *iov = msg->msg_hdr.msg_iov;

	peer->first = (peer->first + peer->tried) % DATAGRAMS_TARGETS;
	peer->tried = 0;
	keep(peer, iov->iov_base, iov->iov_len);
	return probe(d, peer, iov->iov_base, iov->iov_len);
}

/* A run of datagrams of one client. */
static void pass_in(struct datagrams *d, struct peer *peer, struct mmsghdr *msgs, unsigned n)
{
	unsigned left = peer->aimed ? send_all(peer->box, msgs, n) : n;
	bool found = true;

	msgs += n - left;
	if (left == 0) { /* and what went before was not refused */
		g_clear_pointer(&peer->probe, g_free);
	} else if (peer->probe) {
		found = probe_others(d, peer);
	} else {
		found = pass_first(d, peer, msgs++);
		left--;
	}
	if (!found) {
		refused(d, peer);
		return;
	}
	(void)send_all(peer->box, msgs, left);
	touch(d, peer);
}

static void notice(struct datagrams *d, const char *what)
{
	if (d->noticed && d->now - d->noticed < NOTICE_MS)
		return;
	d->noticed = d->now;
	log_notice(d->setup.log, "published ports: %s", what);
}

static struct peer *make_peer(struct datagrams *d, const struct key *key)
{
	struct peer *peer;
	int box;

	if (g_hash_table_size(d->peers) >= d->setup.max) {
		notice(d,
		       "the limit of UDP clients is reached; those idle for longest are dropped");
		drop(d, g_queue_peek_head(&d->order));
	}
	box = agent_take(d->setup.agent, AGENT_UDP);
	if (box < 0) {
		notice(d, "there is no socket for another UDP client");
		return NULL;
	}
	peer = g_new0(struct peer, 1);
	peer->key = *key;
	peer->link.data = peer;
	peer->box = box;
	peer->index = -1;
	peer->first = key->door->target;
	g_queue_push_tail_link(&d->order, &peer->link);
	g_hash_table_insert(d->peers, &peer->key, peer);
	return peer;
}

static void key_of(const struct datagrams *d, struct door *door, unsigned i, struct key *ret)
{
	struct msghdr *hdr = (struct msghdr *)&d->msgs[i].msg_hdr;

	memset(ret, 0, sizeof(*ret));
	ret->door = door;
	memcpy(&ret->client, &d->names[i], sizeof(ret->client));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&ret->local, CMSG_DATA(c), sizeof(ret->local));
			/* which interface it came by matters only where the address does not say */
			if (!IN6_IS_ADDR_LINKLOCAL(&ret->local.ipi6_addr))
				ret->local.ipi6_ifindex = 0;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(ret->local.ipi6_addr.s6_addr + 12, &info.ipi_spec_dst, 4);
		}
	}
}

/* As many as there are sockets for, should each be of another client: the rest waits. */
static void take_in(struct datagrams *d, struct door *door)
{
	for (int round = 0; round < ROUNDS; round++) {
		const unsigned room = MIN(agent_ready(d->setup.agent, AGENT_UDP), (unsigned)BATCH);
		const int n = room ? receive(d, door->fd, room, true) : 0;
		struct key keys[BATCH];
		unsigned run;

		for (int i = 0; i < n; i++) {
			key_of(d, door, (unsigned)i, &keys[i]);
			d->msgs[i].msg_hdr =
				(struct msghdr){ .msg_iov = &d->iov[i], .msg_iovlen = 1 };
		}
		for (int i = 0; i < n; i += (int)run) {
			struct peer *peer = g_hash_table_lookup(d->peers, &keys[i]);

			for (run = 1; i + (int)run < n && key_equal(&keys[i], &keys[i + (int)run]);)
				run++;
			if (!peer)
				peer = make_peer(d, &keys[i]);
			if (peer)
				pass_in(d, peer, &d->msgs[i], run);
		}
		if (n < (int)room || n <= 0)
			return;
	}
}

/* ---- out of the box ---- */

/* From where the client expects it: where a socket is bound to every address, the kernel would take
 * that of the route. */
static socklen_t put_source(const struct peer *peer, union control *to)
{
	const bool v6 = peer->key.client.sin6_family == AF_INET6;
	struct cmsghdr *c = &to->align;
	struct in_pktinfo info = { 0 };

	memset(to, 0, sizeof(*to));
	c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	if (v6) {
		c->cmsg_len = CMSG_LEN(sizeof(peer->key.local));
		memcpy(CMSG_DATA(c), &peer->key.local, sizeof(peer->key.local));
		return CMSG_SPACE(sizeof(peer->key.local));
	}
	memcpy(&info.ipi_spec_dst, peer->key.local.ipi6_addr.s6_addr + 12, 4);
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static void send_out(struct datagrams *d, struct peer *peer, unsigned n)
{
	const struct door *door = peer->key.door;
	const socklen_t source = door->any ? put_source(peer, &d->controls[0]) : 0;

	for (unsigned i = 0; i < n; i++) {
		struct msghdr *hdr = &d->msgs[i].msg_hdr;

		hdr->msg_name = &peer->key.client;
		hdr->msg_namelen = peer->key.client.sin6_family == AF_INET6
					   ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);
		hdr->msg_control = source ? &d->controls[0] : NULL;
		hdr->msg_controllen = source;
	}
	(void)send_all(door->fd, d->msgs, n);
}

static void take_out(struct datagrams *d, struct peer *peer)
{
	for (int round = 0; round < ROUNDS; round++) {
		const int n = receive(d, peer->box, BATCH, false);

		if (n == -ECONNREFUSED && !probe_others(d, peer))
			refused(d, peer);
		if (n <= 0)
			return;
		send_out(d, peer, (unsigned)n);
		g_clear_pointer(&peer->probe, g_free);
		peer->key.door->target = (peer->first + peer->tried) % DATAGRAMS_TARGETS;
		peer->key.door->told = false;
		touch(d, peer);
		if (n < BATCH)
			return;
	}
}

/* ---- turns ---- */

void datagrams_fill(struct datagrams *d, struct pollset *set)
{
	const struct peer *oldest = g_queue_peek_head(&d->order);
	const bool take = d->doors->len && agent_ready(d->setup.agent, AGENT_UDP);

	if (oldest)
		pollset_until(set, oldest->used + DATAGRAMS_IDLE_MS);
	for (unsigned i = 0; i < d->doors->len; i++) {
		struct door *door = g_ptr_array_index(d->doors, i);

		door->index = take ? pollset_add(set, door->fd, POLLIN) : -1;
	}
	for (const GList *l = d->order.head; l; l = l->next) {
		struct peer *peer = l->data;

		peer->index = pollset_add(set, peer->box, POLLIN);
	}
}

void datagrams_handle(struct datagrams *d, const struct pollset *set)
{
	struct peer *oldest;
	GList *l = d->order.head, *next;

	d->now = set->now;
	/* each once: those that something has come for go to the end */
	for (unsigned n = d->order.length; n && l; n--, l = next) {
		struct peer *peer = l->data;

		next = l->next;
		if (pollset_got(set, peer->index))
			take_out(d, peer);
	}
	for (unsigned i = 0; i < d->doors->len; i++) {
		struct door *door = g_ptr_array_index(d->doors, i);

		if (pollset_got(set, door->index))
			take_in(d, door);
	}
	while ((oldest = g_queue_peek_head(&d->order)) &&
	       d->now - oldest->used >= DATAGRAMS_IDLE_MS)
		drop(d, oldest);
}

bool datagrams_has_input(const struct datagrams *d, const struct pollset *set)
{
	for (const GList *l = d->order.head; l; l = l->next)
		if (pollset_got(set, ((const struct peer *)l->data)->index) & POLLIN)
			return true;
	return false;
}
