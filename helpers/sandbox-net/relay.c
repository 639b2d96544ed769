// SPDX-License-Identifier: MIT
/*
 * A client is accepted, a socket of the box's is taken from the agent's pool and connected to the
 * port inside: first on loopback, then on the interface's address, so that a server bound to either
 * is found. Whoever refuses, refuses to the client: it sees RST and no clean end. From then on two
 * pumps, one each way, stop and end apart from each other.
 */
#include "relay.h"

#include <errno.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "datagrams.h"
#include "outlet.h"
#include "port.h"
#include "pump.h"

enum {
	TARGETS = DATAGRAMS_TARGETS, /* 127.0.0.1, the box's own, ::1, the box's own */
	FIRST6 = 2,
	ACCEPTS = 64,   /* clients a turn */
	FLOW_FDS = 6,   /* two sockets and two pipes */
	CLIENT_FDS = 4, /* of UDP one, but they are not alone */
	PAUSE_MS = 100, /* when descriptors have run out */
};

struct listener {
	int fd;
	int index;
	bool keep;      /* the server sees the client's address */
	bool udp;       /* fd is another's from the start: datagrams.c */
	uint16_t port;  /* inside */
	uint8_t target; /* which one has answered last: the first to be tried */
};

enum flow_state {
	FLOW_WAIT, /* for a socket of the agent's */
	FLOW_CONNECT,
	FLOW_OPEN,
};

struct flow {
	struct listener *listener;
	enum flow_state state;
	int client, box; /* box -1: none yet */
	int client_index, box_index;
	uint8_t first, tried;
	struct naddr source; /* the client's, where it is kept; family 0: it is not */
	uint16_t source_port;
	struct pump to_box, to_client;
};

struct relay {
	const struct config *config;
	struct log *log;
	struct agent agent;
	struct datagrams *datagrams;
	struct pipes pipes;
	struct listener *listeners;
	unsigned nlisteners;
	struct naddr targets[TARGETS];
	GPtrArray *flows; /* struct flow */
	unsigned max;
	int64_t paused_until, noticed;
	bool told; /* that an address could not be kept */
};

/* ---- the table ---- */

/* "tcp 80", "tcp 80 keep", "udp 53" */
static bool read_row(const char *text, struct listener *ret)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 3);
	const unsigned n = g_strv_length(words);

	*ret = (struct listener){ .fd = -1, .index = -1, .keep = n == 3 };
	return n >= 2 && port_read_proto(words[0], &ret->udp) && port_read(words[1], &ret->port) &&
	       (n == 2 || (!ret->udp && strcmp(words[2], "keep") == 0));
}

static unsigned most_flows(unsigned wanted, unsigned fds)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_max == RLIM_INFINITY)
		return wanted;
	return (unsigned)MIN((rlim_t)wanted, MAX(files.rlim_max / fds, 16));
}

static void flow_free(void *data)
{
	struct flow *flow = data;

	pump_clear(&flow->to_box);
	pump_clear(&flow->to_client);
	if (flow->box >= 0)
		(void)close(flow->box);
	(void)close(flow->client);
	g_free(flow);
}

static struct datagrams *open_datagrams(struct relay *relay)
{
	const struct datagrams_setup setup = {
		.agent = &relay->agent,
		.log = relay->log,
		.targets = relay->targets,
		.max = most_flows(relay->config->udp_flows, CLIENT_FDS),
	};

	return datagrams_new(&setup);
}

struct relay *relay_new(const struct config *config, struct log *log, const char **ret_fault)
{
	struct relay *relay = g_new0(struct relay, 1);
	const unsigned n = config->publish ? g_strv_length(config->publish) : 0;
	const uint8_t loopback4[4] = { 127, 0, 0, 1 };
	const uint8_t loopback6[16] = { [15] = 1 };

	relay->config = config;
	relay->log = log;
	relay->max = most_flows(config->tcp_flows, FLOW_FDS);
	relay->flows = g_ptr_array_new_with_free_func(flow_free);
	relay->targets[0] = naddr4(loopback4);
	relay->targets[1] = config->box.ipv4;
	relay->targets[2] = naddr6(loopback6);
	relay->targets[3] = config->box.ipv6;
	agent_init(&relay->agent);
	relay->datagrams = open_datagrams(relay);
	relay->listeners = g_new0(struct listener, n + 1);
	for (; relay->nlisteners < n; relay->nlisteners++)
		if (!read_row(config->publish[relay->nlisteners],
			      &relay->listeners[relay->nlisteners])) {
			*ret_fault = config->publish[relay->nlisteners];
			relay_free(relay);
			return NULL;
		}
	return relay;
}

void relay_free(struct relay *relay)
{
	for (unsigned i = 0; i < relay->nlisteners; i++)
		if (relay->listeners[i].fd >= 0)
			(void)close(relay->listeners[i].fd);
	g_ptr_array_free(relay->flows, TRUE);
	datagrams_free(relay->datagrams);
	agent_clear(&relay->agent);
	pipes_clear(&relay->pipes);
	g_free(relay->listeners);
	g_free(relay);
}

void relay_set_agent(struct relay *relay, int fd)
{
	agent_set(&relay->agent, fd);
}

static void no_delay(int fd)
{
	const int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int relay_listen(struct relay *relay, int number, int fd)
{
	if (number < 0 || (unsigned)number >= relay->nlisteners ||
	    relay->listeners[number].fd >= 0) {
		(void)close(fd);
		return -ENOENT;
	}
	if (relay->listeners[number].udp) {
		datagrams_listen(relay->datagrams, relay->listeners[number].port, fd);
		return 0;
	}
	no_delay(fd); /* and so those that are accepted */
	relay->listeners[number].fd = fd;
	return 0;
}

/* ---- one connection ---- */

/* RST instead of a clean end: socket(7), SO_LINGER. */
static void reset(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void drop_box(struct flow *flow)
{
	if (flow->box >= 0)
		(void)close(flow->box);
	flow->box = -1;
	flow->box_index = -1;
}

/* Passes on what is there. False: the connection is over. */
static bool run_open(struct flow *flow)
{
	/* what the box has said before it broke off comes first */
	int back = pump_run(&flow->to_client);
	int r = back < 0 ? back : pump_run(&flow->to_box);

	if (r < 0) {
		reset(flow->client);
		reset(flow->box);
		return false;
	}
	return !flow->to_box.done || !flow->to_client.done;
}

static bool opened(struct relay *relay, struct flow *flow)
{
	flow->state = FLOW_OPEN;
	flow->listener->target = (flow->first + flow->tried) % TARGETS;
	no_delay(flow->box);
	pump_init(&flow->to_box, &relay->pipes, flow->client, flow->box);
	pump_init(&flow->to_client, &relay->pipes, flow->box, flow->client);
	return run_open(flow);
}

static const struct naddr *target_of(const struct relay *relay, const struct flow *flow)
{
	return &relay->targets[(flow->first + flow->tried) % TARGETS];
}

/* A socket of the agent's for the target at hand: bound to the client's address and port where that is
 * kept. Where the port is taken it is another one; what cannot be bound at all, connects as ours do. */
static int take_box(struct relay *relay, struct flow *flow, bool ipv6)
{
	const bool keep = flow->source.family == (ipv6 ? 6 : 4);
	const int one = 1;
	struct sockaddr_storage from;
	socklen_t len;
	int fd, r;

	if (!keep)
		return agent_take(&relay->agent, ipv6 ? AGENT_TCP6 : AGENT_TCP4);
	fd = agent_take(&relay->agent, ipv6 ? AGENT_KEEP6 : AGENT_KEEP4);
	if (fd < 0)
		return fd;
	len = naddr_to(&flow->source, flow->source_port, &from);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	r = bind(fd, (struct sockaddr *)&from, len);
	if (r < 0 && errno == EADDRINUSE) {
		len = naddr_to(&flow->source, 0, &from);
		r = bind(fd, (struct sockaddr *)&from, len);
	}
	if (r < 0 && !relay->told) {
		relay->told = true;
		log_notice(relay->log, "published ports: a client's address cannot be kept: %s",
			   g_strerror(errno));
	}
	return fd;
}

/* At the next address; or at the same, when it was the pair of ports that is in use: with another one of
 * the client's address. */
static void next_try(struct flow *flow, int num)
{
	if (num == -EADDRNOTAVAIL && flow->source_port)
		flow->source_port = 0;
	else
		flow->tried++;
	drop_box(flow);
	flow->state = FLOW_WAIT;
}

/* 1: connected, 0: under way, else refused. Asked for a second time, connect(2) answers for the
 * first. */
static int do_connect(const struct relay *relay, struct flow *flow)
{
	struct sockaddr_storage to;
	socklen_t len = naddr_to(target_of(relay, flow), flow->listener->port, &to);
	const struct sockaddr *sa = (const struct sockaddr *)&to;

	if (outlet_raw_connect(flow->box, sa, len) == 0 || errno == EISCONN)
		return 1;
	return errno == EINPROGRESS || errno == EALREADY || errno == EINTR ? 0 : -errno;
}

/* As far as it goes without waiting. False: the connection is over. */
static bool advance(struct relay *relay, struct flow *flow)
{
	int r = 0;

	for (; flow->tried < TARGETS; next_try(flow, r)) {
		const struct naddr *to = target_of(relay, flow);

		r = 0;

		if (to->family == 0)
			continue;
		if (flow->state == FLOW_WAIT) {
			r = take_box(relay, flow, to->family == 6);
			if (r == -EAGAIN)
				return true;
			if (r < 0)
				continue;
			flow->box = r;
			flow->state = FLOW_CONNECT;
			r = do_connect(relay, flow);
		}
		if (r == 0) /* on loopback it is there at once, too */
			r = do_connect(relay, flow);
		if (r > 0)
			return opened(relay, flow);
		if (r == 0)
			return true;
	}
	reset(flow->client);
	return false;
}

static void notice_full(struct relay *relay, int64_t now)
{
	if (relay->noticed && now - relay->noticed < 1000)
		return;
	relay->noticed = now;
	log_notice(relay->log, "published ports: the limit of %u connections is reached",
		   relay->max);
}

/* ---- turns ---- */

/* That of a client on the host's loopback would be the box's own in there. */
static void keep_source(struct flow *flow, const struct sockaddr_storage *from, socklen_t len)
{
	static const uint8_t one[16] = { [15] = 1 };
	struct naddr a;

	if (!naddr_from((const struct sockaddr *)from, len, &a, &flow->source_port))
		return;
	if (a.family == 4 ? a.bytes[0] == 127 : memcmp(a.bytes, one, sizeof(one)) == 0)
		return;
	flow->source = a;
	/* a server may be found by both families, but is told the truth by this one */
	if (a.family == 6 && flow->first < FIRST6)
		flow->first = FIRST6;
	else if (a.family == 4 && flow->first >= FIRST6)
		flow->first = 0;
}

static void accept_one(struct relay *relay, struct listener *l, int fd,
		       const struct sockaddr_storage *from, socklen_t len, int64_t now)
{
	struct flow *flow;

	if (relay->flows->len >= relay->max) {
		notice_full(relay, now);
		reset(fd);
		(void)close(fd);
		return;
	}
	flow = g_new0(struct flow, 1);
	*flow = (struct flow){ .listener = l,
			       .client = fd,
			       .box = -1,
			       .client_index = -1,
			       .box_index = -1,
			       .first = l->target };
	pump_init(&flow->to_box, &relay->pipes, -1, -1);
	pump_init(&flow->to_client, &relay->pipes, -1, -1);
	if (l->keep)
		keep_source(flow, from, len);
	if (advance(relay, flow))
		g_ptr_array_add(relay->flows, flow);
	else
		flow_free(flow);
}

static void accept_some(struct relay *relay, struct listener *l, int64_t now)
{
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(l->fd, (struct sockaddr *)&from, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			accept_one(relay, l, fd, &from, len, now);
			continue;
		}
		/* those who wait stay in the queue; accept(2) hands network errors on, too */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			relay->paused_until = now + PAUSE_MS;
			notice_full(relay, now);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* What one end is waited for. Without anything it is looked at for errors alone, but not once both
 * its directions are shut, since then poll(2) has POLLHUP to say for ever. */
static int add_end(struct pollset *set, int fd, const struct pump *out, const struct pump *in)
{
	short events = 0;

	if (!out->ended && !out->held)
		events |= POLLIN;
	if (in->held)
		events |= POLLOUT;
	return events || !in->done ? pollset_add(set, fd, events) : -1;
}

static void fill_flow(struct flow *flow, struct pollset *set)
{
	flow->client_index = flow->box_index = -1;
	if (flow->state == FLOW_CONNECT)
		flow->box_index = pollset_add(set, flow->box, POLLOUT);
	if (flow->state != FLOW_OPEN)
		return;
	flow->client_index = add_end(set, flow->client, &flow->to_box, &flow->to_client);
	flow->box_index = add_end(set, flow->box, &flow->to_client, &flow->to_box);
}

void relay_fill(struct relay *relay, struct pollset *set)
{
	const bool paused = set->now < relay->paused_until;

	agent_fill(&relay->agent, set);
	if (paused)
		pollset_until(set, relay->paused_until);
	for (unsigned i = 0; i < relay->nlisteners; i++) {
		struct listener *l = &relay->listeners[i];

		l->index = l->fd < 0 || paused ? -1 : pollset_add(set, l->fd, POLLIN);
	}
	for (unsigned i = 0; i < relay->flows->len; i++)
		fill_flow(g_ptr_array_index(relay->flows, i), set);
	datagrams_fill(relay->datagrams, set);
}

static bool handle_flow(struct relay *relay, struct flow *flow, const struct pollset *set)
{
	const short got = pollset_got(set, flow->client_index) | pollset_got(set, flow->box_index);

	if (flow->state == FLOW_WAIT)
		return advance(relay, flow);
	if (!got)
		return true;
	if (flow->state == FLOW_CONNECT)
		return advance(relay, flow);
	if (!run_open(flow))
		return false;
	if (got & POLLERR) { /* neither pump has come across it: both are full */
		reset(flow->client);
		reset(flow->box);
		return false;
	}
	return true;
}

void relay_handle(struct relay *relay, const struct pollset *set)
{
	const bool had_agent = !relay->agent.gone;

	(void)agent_handle(&relay->agent, set);
	for (unsigned i = 0; i < relay->flows->len;)
		if (handle_flow(relay, g_ptr_array_index(relay->flows, i), set))
			i++;
		else /* the last takes its place */
			g_ptr_array_remove_index_fast(relay->flows, i);
	for (unsigned i = 0; i < relay->nlisteners; i++)
		if (pollset_got(set, relay->listeners[i].index))
			accept_some(relay, &relay->listeners[i], set->now);
	datagrams_handle(relay->datagrams, set);
	if (had_agent && relay->agent.gone)
		log_notice(relay->log,
			   "published ports: their agent has ended; connections are refused");
}

bool relay_keeps_source(const struct relay *relay)
{
	for (unsigned i = 0; i < relay->nlisteners; i++)
		if (relay->listeners[i].keep)
			return true;
	return false;
}

bool relay_is_busy(const struct relay *relay)
{
	for (unsigned i = 0; i < relay->flows->len; i++) {
		const struct flow *flow = g_ptr_array_index(relay->flows, i);

		if (flow->state == FLOW_OPEN && !flow->to_client.done)
			return true;
	}
	return false;
}

bool relay_has_input(const struct relay *relay, const struct pollset *set)
{
	return datagrams_has_input(relay->datagrams, set);
}
