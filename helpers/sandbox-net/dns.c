// SPDX-License-Identifier: MIT
/* The simplest thing that is right: each query is a socket of its own, connected to one server, so
 * that port and identifier are fresh and an answer from elsewhere never arrives. */
#include "dns.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/resolv.h>

#include "dnsmsg.h"
#include "dnstcp.h"
#include "frame.h"
#include "names.h"
#include "outlet.h"

enum {
	QUERIES_MAX = 256,
	TRY_MS = 2000,
	QUERY_MAX = NAMES_ANSWER_MAX,
	DATAGRAM_MAX = 4096,
};

struct query {
	int fd; /* -1: free */
	struct dns_client client;
	uint16_t id; /* the client's */
	uint8_t *data;
	size_t len, room; /* for the answer */
	unsigned server, tried;
	int64_t deadline;
	int index;
};

struct dns {
	struct dns_setup setup;
	struct dns_servers servers;
	bool fixed; /* --dns: the host's file does not matter */
	struct query queries[QUERIES_MAX];
	unsigned nqueries; /* behind the last that is in use: most turns have none */
	struct dns_rate rate;
	struct dnstcp *tcp;
};

bool dns_rate_take(struct dns_rate *rate, int64_t now)
{
	int64_t at = now * DNS_RATE / 1000;

	/* what was not used is kept, but for DNS_BURST */
	rate->at = MAX(rate->at, at - DNS_BURST);
	if (rate->at >= at)
		return false;
	rate->at++;
	return true;
}

bool dns_is_failure(unsigned rcode)
{
	return rcode == DNSMSG_SERVFAIL || rcode == DNSMSG_NOTIMP || rcode == DNSMSG_REFUSED;
}

/* ---- servers ---- */

socklen_t dns_server_to(const struct dns_server *server, struct sockaddr_storage *ret)
{
	socklen_t len = naddr_to(&server->addr, DNS_PORT, ret);

	if (ret->ss_family == AF_INET6)
		((struct sockaddr_in6 *)ret)->sin6_scope_id = server->scope;
	return len;
}

static void add_server(struct dns *dns, const char *text, uint32_t scope)
{
	struct dns_server server = { .scope = scope };

	if (dns->servers.n < DNS_SERVERS_MAX && naddr_parse(text, &server.addr))
		dns->servers.list[dns->servers.n++] = server;
}

void dns_set_resolv(struct dns *dns, const char *text)
{
	struct resolv_server server;

	if (dns->fixed)
		return;
	dns->servers.n = 0;
	for (const char *at = text ? text : ""; resolv_next(&at, NULL, &server);)
		if (!server.why)
			add_server(dns, server.address, server.scope);
	if (dns->servers.n == 0)
		add_server(dns, "127.0.0.1", 0); /* as resolv.conf(5) has it */
}

struct dns *dns_new(const struct dns_setup *setup)
{
	struct dns *dns = g_new0(struct dns, 1);

	dns->setup = *setup;
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		dns->queries[i].fd = -1;
	dns->tcp = dnstcp_new(setup, &dns->servers, &dns->rate);
	for (char *const *s = setup->servers; s && *s; s++)
		add_server(dns, *s, 0);
	dns->fixed = dns->servers.n > 0;
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

static void reply(struct dns *dns, const struct dns_client *client, uint8_t *data, size_t len,
		  size_t room)
{
	if (len > room)
		len = dnsmsg_cut(data, len);
	dns->setup.reply(dns->setup.opaque, client, data, len);
}

static void answer_failure(struct dns *dns, const struct dns_client *client, const uint8_t *data,
			   size_t len)
{
	uint8_t out[NAMES_ANSWER_MAX];

	reply(dns, client, out, names_failure(data, len, out), sizeof(out));
}

static bool send_to(struct dns *dns, struct query *q, int64_t now)
{
	struct sockaddr_storage to;
	socklen_t len = dns_server_to(&dns->servers.list[q->server], &to);

	if (q->fd >= 0)
		(void)close(q->fd);
	q->deadline = now + TRY_MS;
	q->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return q->fd >= 0 && outlet_raw_connect(q->fd, (struct sockaddr *)&to, len) == 0 &&
	       outlet_raw_send(q->fd, q->data, q->len) == (ssize_t)q->len;
}

/* The next server that a packet can be sent to; none: SERVFAIL. */
static void try_next(struct dns *dns, struct query *q, int64_t now)
{
	while (q->tried < dns->servers.n * 2) {
		q->server = q->tried++ % dns->servers.n;
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

static void forward(struct dns *dns, const struct dns_client *client, const uint8_t *data,
		    size_t len, int64_t now)
{
	struct query *q = free_query(dns);
	uint16_t id;

	if (!q || getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id)) {
		answer_failure(dns, client, data, len);
		return;
	}
	*q = (struct query){
		.fd = -1, .index = -1, .client = *client, .id = get16(data), .len = len
	};
	q->data = g_memdup2(data, len);
	q->room = dnsmsg_room(data, len);
	dnsmsg_lower(q->data, len);
	put16(q->data, id);
	try_next(dns, q, now);
}

void dns_query(struct dns *dns, const struct dns_client *client, const uint8_t *data, size_t len,
	       int64_t now)
{
	uint8_t out[NAMES_ANSWER_MAX];
	size_t n;

	if (len > QUERY_MAX)
		return;
	switch (names_query(dns->setup.names, data, len, out, &n)) {
	case NAMES_DROP: return;
	case NAMES_ANSWER: reply(dns, client, out, n, dnsmsg_room(data, len)); return;
	case NAMES_FORWARD: break;
	}
	if (dns_rate_take(&dns->rate, now))
		forward(dns, client, data, len, now);
	else if (dns->setup.flooded)
		dns->setup.flooded(dns->setup.opaque);
}

/* An answer to this very question, with our identifier. */
static bool is_answer(const struct query *q, const uint8_t *data, ssize_t n)
{
	return n >= DNSMSG_HEADER && memcmp(data, q->data, 2) == 0 && dnsmsg_is_response(data);
}

static void handle_query(struct dns *dns, struct query *q, short got, int64_t now)
{
	uint8_t data[DATAGRAM_MAX];
	unsigned rcode;
	ssize_t n;
	size_t len;

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
	rcode = dnsmsg_rcode(data);
	len = names_answer(dns->setup.names, q->data, q->len, data, (size_t)n);
	if (len == 0)
		return; /* to another question */
	if (dns_is_failure(rcode) && q->tried < dns->servers.n) {
		try_next(dns, q, now);
		return;
	}
	put16(data, q->id);
	reply(dns, &q->client, data, len, q->room);
	query_end(q);
}

/* ---- the loop ---- */

void dns_fill(struct dns *dns, struct pollset *set)
{
	while (dns->nqueries && dns->queries[dns->nqueries - 1].fd < 0)
		dns->nqueries--;
	for (unsigned i = 0; i < dns->nqueries; i++) {
		struct query *q = &dns->queries[i];

		q->index = -1;
		if (q->fd < 0)
			continue;
		q->index = pollset_add(set, q->fd, POLLIN);
		pollset_until(set, q->deadline);
	}
	dnstcp_fill(dns->tcp, set);
}

void dns_handle(struct dns *dns, const struct pollset *set)
{
	for (unsigned i = 0; i < dns->nqueries; i++)
		if (dns->queries[i].index >= 0 && dns->queries[i].fd >= 0)
			handle_query(dns, &dns->queries[i], pollset_got(set, dns->queries[i].index),
				     set->now);
	dnstcp_handle(dns->tcp, set);
}

void dns_stream(struct dns *dns, int fd)
{
	dnstcp_open(dns->tcp, fd);
}

void dns_free(struct dns *dns)
{
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		query_end(&dns->queries[i]);
	dnstcp_free(dns->tcp);
	g_free(dns);
}
