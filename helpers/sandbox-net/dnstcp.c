// SPDX-License-Identifier: MIT
#include "dnstcp.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dnsmsg.h"
#include "frame.h"
#include "names.h"
#include "outlet.h"

enum {
	STREAMS_MAX = 32,
	LENGTH = 2, /* before each message */
	QUERY_MAX = NAMES_ANSWER_MAX,
	ANSWER_MAX = 65535,
	STEP_MS = 5000,
	IDLE_MS = 20000,
};

enum step { STEP_QUERY, STEP_CONNECT, STEP_ANSWER, STEP_REPLY, STEP_END };

struct stream {
	int inner, outer; /* inner -1: free */
	enum step step;
	uint8_t query[LENGTH + QUERY_MAX];
	size_t query_len; /* so far, its length included; so for the answer */
	uint8_t *answer;  /* LENGTH + ANSWER_MAX while there is one */
	size_t answer_len, sent;
	unsigned tried;
	int64_t deadline; /* of the step; 0: not yet set */
	int index;
};

struct dnstcp {
	struct dns_setup setup;
	struct names *names;
	const struct dns_servers *servers;
	struct dns_rate *rate;
	int64_t now;
	struct stream streams[STREAMS_MAX];
	unsigned n; /* behind the last that is in use */
};

struct dnstcp *dnstcp_new(const struct dns_setup *setup, const struct dns_servers *servers,
			  struct dns_rate *rate)
{
	struct dnstcp *tcp = g_new0(struct dnstcp, 1);

	tcp->setup = *setup;
	tcp->names = setup->names;
	tcp->servers = servers;
	tcp->rate = rate;
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		tcp->streams[i].inner = tcp->streams[i].outer = -1;
	return tcp;
}

static void close_outer(struct stream *s)
{
	if (s->outer >= 0)
		(void)close(s->outer);
	s->outer = -1;
}

static void stream_end(struct stream *s)
{
	close_outer(s);
	if (s->inner >= 0)
		(void)close(s->inner);
	s->inner = -1;
	g_clear_pointer(&s->answer, g_free);
}

void dnstcp_open(struct dnstcp *tcp, int fd)
{
	for (unsigned i = 0; i < STREAMS_MAX; i++) {
		struct stream *s = &tcp->streams[i];

		if (s->inner >= 0)
			continue;
		*s = (struct stream){ .inner = fd, .outer = -1, .index = -1 };
		tcp->n = MAX(tcp->n, i + 1);
		return;
	}
	(void)close(fd);
}

/* ---- the steps: each returns the next one ---- */

static size_t message_len(const uint8_t *p)
{
	return get16(p);
}

/* The answer is ready behind the place for its length. */
static enum step reply(struct stream *s, size_t len)
{
	close_outer(s);
	put16(s->answer, (unsigned)len);
	s->answer_len = LENGTH + len;
	s->sent = 0;
	return STEP_REPLY;
}

static enum step fail(struct stream *s)
{
	return reply(s,
		     names_failure(s->query + LENGTH, s->query_len - LENGTH, s->answer + LENGTH));
}

static enum step connect_next(struct dnstcp *tcp, struct stream *s)
{
	while (s->tried < tcp->servers->n) {
		struct sockaddr_storage to;
		socklen_t len = dns_server_to(&tcp->servers->list[s->tried++], &to);

		close_outer(s);
		s->outer = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (s->outer >= 0 &&
		    (outlet_raw_connect(s->outer, (struct sockaddr *)&to, len) == 0 ||
		     errno == EINPROGRESS))
			return STEP_CONNECT;
	}
	return fail(s);
}

static enum step on_query(struct dnstcp *tcp, struct stream *s)
{
	size_t len;

	s->answer = g_malloc(LENGTH + ANSWER_MAX);
	s->tried = 0;
	switch (names_query(tcp->names, s->query + LENGTH, s->query_len - LENGTH,
			    s->answer + LENGTH, &len)) {
	case NAMES_DROP: return STEP_END;
	case NAMES_ANSWER: return reply(s, len);
	case NAMES_FORWARD: break;
	}
	if (dns_rate_take(tcp->rate, tcp->now))
		return connect_next(tcp, s);
	if (tcp->setup.flooded)
		tcp->setup.flooded(tcp->setup.opaque);
	return fail(s);
}

/* As much as is missing of a message, its length first. 1: it is whole, 0: not yet, -1: the end. */
static int take(int fd, uint8_t *p, size_t *have, size_t most)
{
	for (;;) {
		size_t want = *have < LENGTH ? LENGTH : LENGTH + message_len(p);
		ssize_t n;

		if (*have >= LENGTH && (want == LENGTH || want > LENGTH + most))
			return -1;
		if (*have > LENGTH && *have == want)
			return 1;
		n = recv(fd, p + *have, want - *have, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return -1;
		*have += (size_t)n;
	}
}

static enum step step_query(struct dnstcp *tcp, struct stream *s)
{
	int r = take(s->inner, s->query, &s->query_len, QUERY_MAX);

	return r > 0 ? on_query(tcp, s) : r == 0 ? STEP_QUERY : STEP_END;
}

/* Connected, or not: a fresh connection takes a query whole. */
static enum step step_connect(struct dnstcp *tcp, struct stream *s)
{
	s->answer_len = 0;
	if (outlet_raw_send(s->outer, s->query, s->query_len) == (ssize_t)s->query_len)
		return STEP_ANSWER;
	return connect_next(tcp, s);
}

static enum step step_answer(struct dnstcp *tcp, struct stream *s)
{
	int r = take(s->outer, s->answer, &s->answer_len, ANSWER_MAX);
	unsigned rcode;
	size_t len;

	if (r == 0)
		return STEP_ANSWER;
	if (r < 0 || memcmp(s->answer + LENGTH, s->query + LENGTH, 2) != 0)
		return connect_next(tcp, s);
	rcode = s->answer_len >= LENGTH + DNSMSG_HEADER ? dnsmsg_rcode(s->answer + LENGTH) : 0;
	len = names_answer(tcp->names, s->query + LENGTH, s->query_len - LENGTH, s->answer + LENGTH,
			   s->answer_len - LENGTH);
	if (len && dns_is_failure(rcode) && s->tried < tcp->servers->n)
		len = 0;
	return len ? reply(s, len) : connect_next(tcp, s);
}

static enum step step_reply(struct dnstcp *tcp, struct stream *s)
{
	ssize_t n = outlet_raw_send(s->inner, s->answer + s->sent, s->answer_len - s->sent);

	(void)tcp;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STEP_REPLY : STEP_END;
	s->sent += (size_t)n;
	if (s->sent < s->answer_len)
		return STEP_REPLY;
	g_clear_pointer(&s->answer, g_free);
	s->query_len = 0;
	return STEP_QUERY;
}

/* clang-format off */
static const struct { enum step (*run)(struct dnstcp *, struct stream *); short events; bool outer; int ms; } steps[] = {
	[STEP_QUERY]   = { step_query,   POLLIN,  false, IDLE_MS },
	[STEP_CONNECT] = { step_connect, POLLOUT, true,  STEP_MS },
	[STEP_ANSWER]  = { step_answer,  POLLIN,  true,  STEP_MS },
	[STEP_REPLY]   = { step_reply,   POLLOUT, false, IDLE_MS },
};
/* clang-format on */

/* ---- the loop ---- */

void dnstcp_fill(struct dnstcp *tcp, struct pollset *set)
{
	while (tcp->n && tcp->streams[tcp->n - 1].inner < 0)
		tcp->n--;
	for (unsigned i = 0; i < tcp->n; i++) {
		struct stream *s = &tcp->streams[i];

		s->index = -1;
		if (s->inner < 0)
			continue;
		if (!s->deadline)
			s->deadline = set->now + steps[s->step].ms;
		s->index = pollset_add(set, steps[s->step].outer ? s->outer : s->inner,
				       steps[s->step].events);
		pollset_until(set, s->deadline);
	}
}

static void handle(struct dnstcp *tcp, struct stream *s, const struct pollset *set)
{
	enum step next;

	if (pollset_got(set, s->index))
		next = steps[s->step].run(tcp, s);
	else if (set->now >= s->deadline)
		next = steps[s->step].outer ? connect_next(tcp, s) : STEP_END;
	else
		return;
	if (next == STEP_END) {
		stream_end(s);
		return;
	}
	s->step = next;
	s->deadline = 0;
}

void dnstcp_handle(struct dnstcp *tcp, const struct pollset *set)
{
	tcp->now = set->now;
	for (unsigned i = 0; i < tcp->n; i++)
		if (tcp->streams[i].index >= 0 && tcp->streams[i].inner >= 0)
			handle(tcp, &tcp->streams[i], set);
}

void dnstcp_free(struct dnstcp *tcp)
{
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		stream_end(&tcp->streams[i]);
	g_free(tcp);
}
