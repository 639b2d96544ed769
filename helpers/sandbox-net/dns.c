// SPDX-License-Identifier: MIT
/* The simplest thing that is right: each query is a socket of its own, connected to one server, so
 * that port and identifier are fresh and an answer from elsewhere never arrives. */
#include "dns.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "outlet.h"

enum {
	HEADER = 12,
	SERVERS_MAX = 8,
	QUERIES_MAX = 256,
	STREAMS_MAX = 32,
	TRY_MS = 2000,
	STREAM_MS = 10000,
	MESSAGE_MAX = 65535,
	RCODE_SERVFAIL = 2,
	PORT = 53,
};

struct query {
	int fd; /* -1: free */
	struct dns_client client;
	uint16_t id; /* the client's */
	uint8_t *data;
	size_t len;
	unsigned server, tried;
	int64_t deadline;
	int index;
};

/* TCP: bytes are passed on both ways, nothing is looked at. */
struct stream {
	int inner, outer; /* -1: free */
	int64_t deadline;
	int inner_index, outer_index;
};

struct dns {
	struct dns_setup setup;
	struct naddr servers[SERVERS_MAX];
	unsigned nservers;
	bool fixed; /* --dns: the host's file does not matter */
	struct query queries[QUERIES_MAX];
	struct stream streams[STREAMS_MAX];
	unsigned nqueries, nstreams; /* behind the last that is in use: most turns have none */
};

/* ---- servers ---- */

static void add_server(struct dns *dns, const char *text)
{
	struct naddr a;

	if (dns->nservers < SERVERS_MAX && naddr_parse(text, &a))
		dns->servers[dns->nservers++] = a;
}

void dns_set_resolv(struct dns *dns, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	if (dns->fixed)
		return;
	dns->nservers = 0;
	for (char **line = lines; *line; line++) {
		char server[64];

		if (sscanf(*line, " nameserver %63s", server) == 1)
			add_server(dns, server);
	}
	if (dns->nservers == 0)
		add_server(dns, "127.0.0.1"); /* as resolv.conf(5) has it */
}

struct dns *dns_new(const struct dns_setup *setup)
{
	struct dns *dns = g_new0(struct dns, 1);

	dns->setup = *setup;
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		dns->queries[i].fd = -1;
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		dns->streams[i].inner = dns->streams[i].outer = -1;
	for (char *const *s = setup->servers; s && *s; s++)
		add_server(dns, *s);
	dns->fixed = dns->nservers > 0;
	dns_set_resolv(dns, setup->resolv);
	return dns;
}

/* ---- UDP ---- */

static void query_end(struct query *q)
{
	if (q->fd >= 0)
		(void)close(q->fd);
	q->fd = -1;
	g_clear_pointer(&q->data, g_free);
}

static void answer_failure(struct dns *dns, const struct dns_client *client, const uint8_t *data,
			   size_t len)
{
	g_autofree uint8_t *copy = g_memdup2(data, len);

	copy[2] |= 0x80; /* a response */
	copy[3] = (uint8_t)((copy[3] & 0xf0) | 0x80 | RCODE_SERVFAIL);
	memset(copy + 6, 0, 6); /* no records: those of the query (EDNS) are left behind unread */
	dns->setup.reply(dns->setup.opaque, client, copy, len);
}

static bool send_to(struct dns *dns, struct query *q, int64_t now)
{
	struct sockaddr_storage to;
	socklen_t len = naddr_to(&dns->servers[q->server], PORT, &to);

	if (q->fd >= 0)
		(void)close(q->fd);
	q->deadline = now + TRY_MS;
	q->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return q->fd >= 0 && outlet_raw_connect(q->fd, (struct sockaddr *)&to, len) == 0 &&
	       send(q->fd, q->data, q->len, MSG_NOSIGNAL) == (ssize_t)q->len;
}

/* The next server that a packet can be sent to; none: SERVFAIL. */
static void try_next(struct dns *dns, struct query *q, int64_t now)
{
	while (q->tried < dns->nservers * 2) {
		q->server = q->tried++ % dns->nservers;
		if (send_to(dns, q, now))
			return;
	}
	put16(q->data, q->id);
	answer_failure(dns, &q->client, q->data, q->len);
	query_end(q);
}

static struct query *free_query(struct dns *dns)
{
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		if (dns->queries[i].fd < 0) {
			dns->nqueries = MAX(dns->nqueries, i + 1);
			return &dns->queries[i];
		}
	return NULL;
}

void dns_query(struct dns *dns, const struct dns_client *client, const uint8_t *data, size_t len,
	       int64_t now)
{
	struct query *q = free_query(dns);
	uint16_t id;

	if (len < HEADER || len > MESSAGE_MAX || data[2] & 0x80)
		return;
	if (!q || getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id)) {
		answer_failure(dns, client, data, len);
		return;
	}
	*q = (struct query){
		.fd = -1, .index = -1, .client = *client, .id = get16(data), .len = len
	};
	q->data = g_memdup2(data, len);
	put16(q->data, id);
	try_next(dns, q, now);
}

/* An answer to this very question, with our identifier. */
static bool is_answer(const struct query *q, const uint8_t *data, ssize_t n)
{
	return n >= HEADER && memcmp(data, q->data, 2) == 0 && (data[2] & 0x80);
}

static void handle_query(struct dns *dns, struct query *q, short got, int64_t now)
{
	uint8_t data[4096];
	ssize_t n;

	if (!got) {
		if (now >= q->deadline)
			try_next(dns, q, now);
		return;
	}
	n = recv(q->fd, data, sizeof(data), MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || n > (ssize_t)sizeof(data)) {
		try_next(dns, q, now); /* refused: nobody listens there */
		return;
	}
	if (!is_answer(q, data, n))
		return;
	put16(data, q->id);
	dns->setup.reply(dns->setup.opaque, &q->client, data, (size_t)n);
	query_end(q);
}

/* ---- TCP ---- */

static void stream_end(struct stream *s)
{
	if (s->inner >= 0)
		(void)close(s->inner);
	if (s->outer >= 0)
		(void)close(s->outer);
	s->inner = s->outer = -1;
}

void dns_stream(struct dns *dns, int fd)
{
	struct sockaddr_storage to;
	socklen_t len = naddr_to(&dns->servers[0], PORT, &to);
	struct stream *s = NULL;

	for (unsigned i = 0; i < STREAMS_MAX && !s; i++)
		if (dns->streams[i].inner < 0) {
			dns->nstreams = MAX(dns->nstreams, i + 1);
			s = &dns->streams[i];
		}
	if (!s) {
		(void)close(fd);
		return;
	}
	*s = (struct stream){ .inner = fd, .inner_index = -1, .outer_index = -1 };
	s->outer = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->outer < 0 ||
	    (outlet_raw_connect(s->outer, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS))
		stream_end(s);
}

/* Small messages: what does not fit into the other side's buffer ends the stream. */
static bool pass_on(int from, int to, short got)
{
	uint8_t data[16384];
	ssize_t n;

	if (!(got & (POLLIN | POLLHUP | POLLERR)))
		return true;
	n = recv(from, data, sizeof(data), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	return n > 0 && send(to, data, (size_t)n, MSG_NOSIGNAL) == n;
}

static void handle_stream(struct stream *s, const struct pollset *set)
{
	if (!pass_on(s->inner, s->outer, pollset_got(set, s->inner_index)) ||
	    !pass_on(s->outer, s->inner, pollset_got(set, s->outer_index)) ||
	    set->now >= s->deadline)
		stream_end(s);
}

/* ---- the loop ---- */

void dns_fill(struct dns *dns, struct pollset *set)
{
	while (dns->nqueries && dns->queries[dns->nqueries - 1].fd < 0)
		dns->nqueries--;
	while (dns->nstreams && dns->streams[dns->nstreams - 1].inner < 0)
		dns->nstreams--;
	for (unsigned i = 0; i < dns->nqueries; i++) {
		struct query *q = &dns->queries[i];

		q->index = -1;
		if (q->fd < 0)
			continue;
		q->index = pollset_add(set, q->fd, POLLIN);
		pollset_until(set, q->deadline);
	}
	for (unsigned i = 0; i < dns->nstreams; i++) {
		struct stream *s = &dns->streams[i];

		s->inner_index = s->outer_index = -1;
		if (s->inner < 0)
			continue;
		if (!s->deadline)
			s->deadline = set->now + STREAM_MS;
		s->inner_index = pollset_add(set, s->inner, POLLIN);
		s->outer_index = pollset_add(set, s->outer, POLLIN);
		pollset_until(set, s->deadline);
	}
}

void dns_handle(struct dns *dns, const struct pollset *set)
{
	for (unsigned i = 0; i < dns->nqueries; i++)
		if (dns->queries[i].index >= 0 && dns->queries[i].fd >= 0)
			handle_query(dns, &dns->queries[i], pollset_got(set, dns->queries[i].index),
				     set->now);
	for (unsigned i = 0; i < dns->nstreams; i++)
		if (dns->streams[i].inner_index >= 0 && dns->streams[i].inner >= 0)
			handle_stream(&dns->streams[i], set);
}

void dns_free(struct dns *dns)
{
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		query_end(&dns->queries[i]);
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		stream_end(&dns->streams[i]);
	g_free(dns);
}
