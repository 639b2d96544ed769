// SPDX-License-Identifier: MIT
/*
 * The one loop: poll(2) over the box's frames, libslirp's sockets, our name server's, the published
 * ports, the host's addresses and the launcher. Nothing else waits.
 */
#include <errno.h>
#include <glib.h>
#include <limits.h>
#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sandbox/netctl.h>

#include "net.h"
#include "reject.h"
#include "rules.h"

enum {
	TURN_MS = 60000,
	ICMP_FLOWS = 256, /* echoes without an answer so far, of 240 s */
	/* 1024 connections with all their buffers are 350 MiB; RLIMIT_AS is 1 GiB */
	HEAVY_BYTES = 640 << 20,
	HEAVY_FRAMES = 256,
	HEAVY_TELL_MS = 10000,
};

int64_t loop_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int pollset_add(struct pollset *set, int fd, short events)
{
	if (set->n == set->size) {
		set->size = set->size ? set->size * 2 : 64;
		set->fds = g_realloc_n(set->fds, set->size, sizeof(*set->fds));
	}
	set->fds[set->n] = (struct pollfd){ .fd = fd, .events = events };
	return (int)set->n++;
}

/* ---- frames ---- */

static void answer(struct net *net, const uint8_t *p, const struct frame *frame)
{
	uint8_t out[REJECT_MAX];
	size_t len = reject_build(&net->filter, p, frame, out);

	if (len)
		link_write(&net->link, out, len);
}

static void refuse(struct net *net, const uint8_t *p, const struct frame *frame,
		   enum filter_reason why)
{
	const struct filter *f = &net->filter;
	bool peer = f->peers && peer_find(f->peers, &frame->dst) >= 0;
	const char *text = filter_reason_text(why);
	char rule[RULES_WHY];

	if (why == FILTER_BY_RULE)
		text = rules_why(net->rules, frame->proto, &frame->dst, frame->dport, peer, rule);
	log_refused(net->log, frame->proto, &frame->dst, frame->dport,
		    rules_name_of(net->rules, &frame->dst), text, net->now);
	answer(net, p, frame);
}

/* What goes on already is never refused. A talk by UDP with somebody else may need no other socket of
 * libslirp's, but nobody knows. */
static bool too_many(struct net *net, const struct frame *frame)
{
	const unsigned flows = slirp_flows(net->slirp, frame->proto);

	switch (frame->proto) {
	case IPPROTO_TCP: return (frame->tcp_flags & FRAME_SYN) && flows >= net->config.tcp_flows;
	case IPPROTO_UDP:
		return !talks_has(&net->talks, frame, true) && flows >= net->config.udp_flows;
	case IPPROTO_ICMP: return flows >= ICMP_FLOWS;
	default: return false;
	}
}

/* libslirp keeps segments that have come too early, a buffer of the MTU's size for each, however small
 * it is; and where memory ends, GLib ends the program. Above the mark only what frees some is taken. */
static bool is_heavy(struct net *net)
{
#ifdef HAVE_MALLINFO2
	if (net->frames++ % HEAVY_FRAMES == 0)
		net->heavy = mallinfo2().uordblks > HEAVY_BYTES;
#endif
	if (net->heavy && (net->told_heavy == 0 || net->now - net->told_heavy > HEAVY_TELL_MS)) {
		net->told_heavy = net->now;
		log_notice(net->log,
			   "the network of the box has used up its memory: it loses packets");
	}
	return net->heavy;
}

/* All but data: acknowledgements and ends. */
static bool frees(const struct frame *frame)
{
	return frame->proto == IPPROTO_TCP && !(frame->tcp_flags & FRAME_SYN) &&
	       frame->payload == frame->end;
}

static void ask_dns(struct net *net, const uint8_t *p, const struct frame *frame)
{
	const struct dns_client client = {
		.addr = frame->src, .server = frame->dst, .port = frame->sport, .box = &net->link
	};

	dns_query(net->dns, &client, p + frame->payload, frame->end - frame->payload, net->now);
}

void loop_reply(void *opaque, const struct dns_client *client, const uint8_t *data, size_t len)
{
	struct net *net = opaque;
	uint8_t out[FRAME_ETH + 48 + 4096];
	size_t at = reject_udp_offset(&client->server);

	if (len > sizeof(out) - at)
		return;
	memcpy(out + at, data, len);
	len = reject_udp(&net->link.box, &client->server, 53, &client->addr, client->port, out,
			 len);
	link_write(&net->link, out, len);
}

void loop_refused_name(void *opaque, const char *name, const struct naddr *a, enum names_why why)
{
	struct net *net = opaque;
	char addr[INET6_ADDRSTRLEN], text[RULES_WHY];

	if (why == NAMES_BY_RULE)
		(void)rules_why_name(net->rules, name, text);
	else
		(void)snprintf(text, sizeof(text), "the name leads to %s: %s",
			       naddr_text(a, addr, sizeof(addr)),
			       filter_is_host(&net->filter, a) ? "an address of the host"
			       : filter_is_special(a)          ? "a special address"
							       : "a private network");
	log_refused_name(net->log, name, text, net->now);
}

void loop_flooded(void *opaque)
{
	struct net *net = opaque;

	log_refused_name(net->log, "*", "too many queries at once", net->now);
}

static void show_neighbour(struct net *net, const uint8_t *p, const struct frame *frame)
{
	uint8_t out[PEER_NEIGHBOUR_MAX];

	link_write(&net->link, out, peer_neighbour(&net->link.box, p, frame, out));
}

static void take_frame(struct net *net, uint8_t *p, size_t len)
{
	enum filter_reason why;
	struct frame frame;

	switch (filter_out(&net->filter, &net->link.box, p, len, &frame, &why)) {
	case FILTER_DROP: return;
	case FILTER_REFUSE: refuse(net, p, &frame, why); return;
	case FILTER_DNS: ask_dns(net, p, &frame); return;
	case FILTER_PEER: peers_send(net->peers, p, &frame); return;
	case FILTER_NEIGHBOUR: show_neighbour(net, p, &frame); return;
	case FILTER_PASS: break;
	}
	if (is_heavy(net) && !frees(&frame))
		return;
	if (too_many(net, &frame)) {
		refuse(net, p, &frame, FILTER_BY_LIMIT);
		return;
	}
	if (frame.proto == IPPROTO_UDP)
		talks_add(&net->talks, &frame);
	slirp_take(net->slirp, p, frame.end);
}

/* Several frames a wake-up; none while the box does not take ours. */
static void take_frames(struct net *net)
{
	for (int i = 0; i < LINK_BATCH && !link_is_full(&net->link); i++) {
		ssize_t n = link_read(&net->link, net->buf, sizeof(net->buf));

		if (n < 0) /* the box is gone; the launcher will say what next */
			link_close(&net->link);
		if (n <= 0)
			return;
		take_frame(net, net->buf, (size_t)n);
	}
}

/* ---- turns ---- */

static void fill(struct net *net, struct pollset *set)
{
	set->n = 0;
	set->deadline = set->now + TURN_MS;
	control_fill(net, set);
	link_fill(&net->link, set);
	hostaddr_fill(&net->hostaddr, set);
	dns_fill(net->dns, set);
	relay_fill(net->relay, set);
	peers_fill(net->peers, set);
	slirp_fill(net->slirp, set, link_is_full(&net->link));
}

static void handle(struct net *net, struct pollset *set)
{
	/* an address the host has got a moment ago is refused before the next frame is looked at */
	if (hostaddr_handle(&net->hostaddr, set)) {
		net->filter.host = net->hostaddr.list;
		net->filter.nhost = net->hostaddr.n;
	}
	if (link_handle(&net->link, set))
		take_frames(net);
	peers_handle(net->peers, set);
	slirp_handle(net->slirp, set);
	dns_handle(net->dns, set);
	relay_handle(net->relay, set);
	control_handle(net, set);
}

/* Somebody outside has not got yet what the box has sent. */
static bool is_busy(const struct net *net)
{
	return slirp_is_full(net->slirp) || relay_is_busy(net->relay) || peers_is_busy(net->peers);
}

/* How long poll(2) may wait. On the way out: not at all, unless a socket has to take data first. */
static int time_left(struct net *net, const struct pollset *set)
{
	int64_t until = set->deadline;

	if (net->leave && net->leave_by == 0)
		net->leave_by = set->now + NETCTL_FLUSH_MS;
	if (net->leave)
		until = is_busy(net) ? MIN(until, net->leave_by) : set->now;
	return (int)CLAMP(until - set->now, 0, INT_MAX);
}

/* Nothing came in, and nothing waits to go out. */
static bool may_leave(const struct net *net, const struct pollset *set)
{
	if (!net->leave || set->now >= net->leave_by)
		return net->leave;
	return !pollset_got(set, net->link.index) && !is_busy(net) &&
	       !relay_has_input(net->relay, set);
}

void loop_run(struct net *net)
{
	struct pollset set = { .now = loop_now() };

	for (;;) {
		fill(net, &set);
		if (poll(set.fds, set.n, time_left(net, &set)) < 0) {
			if (errno != EINTR)
				break;
			continue;
		}
		net->now = set.now = net->talks.now = loop_now();
		rules_tick(net->rules, net->now);
		if (may_leave(net, &set))
			break;
		handle(net, &set);
	}
	log_end(net->log);
	g_free(set.fds);
}
