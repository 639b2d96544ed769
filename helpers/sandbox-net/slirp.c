// SPDX-License-Identifier: MIT
/*
 * libslirp, 4.7 to 4.9: its configuration, its callbacks. It is given frames by loop.c
 * alone, all of which have passed the filter, and its own frames pass it on their way back.
 */
#include <errno.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "net.h"
#include "outlet.h"
#include "peek.h"
#include "rules.h"

enum { PORT_DNS = 53, IDLE_MS = 60000 };

struct slirp_glue {
	struct net *net;
	Slirp *slirp;
	struct peeks *peeks;
	struct pollset *set; /* of the turn */
	unsigned first;      /* libslirp's own part of it */
	bool held;
	bool writes;             /* a socket is waited for to take data */
	unsigned tcp, udp, icmp; /* sockets it has registered */
};

/* ---- callbacks ---- */

static ssize_t on_packet(const void *buf, size_t len, void *opaque)
{
	struct slirp_glue *glue = opaque;
	struct net *net = glue->net;
	enum filter_reason why;

	if (filter_in(&net->filter, &net->link.box, buf, len, &why) == FILTER_PASS)
		link_write(&net->link, buf, len);
	return (ssize_t)len;
}

static void on_guest_error(const char *msg, void *opaque)
{
	(void)msg;
	(void)opaque;
}

static int64_t clock_ns(void *opaque)
{
	struct timespec t;

	(void)opaque;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* There is one timer, for router advertisements, for which libslirp reads /etc/resolv.conf. The box takes
 * none, and the filter passes none: it is never made, and with that never run out. */
static void *on_timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	(void)id;
	(void)cb_opaque;
	(void)opaque;
	return NULL;
}

static void on_timer_free(void *timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

static void on_timer_mod(void *timer, int64_t at, void *opaque)
{
	(void)timer;
	(void)at;
	(void)opaque;
}

static unsigned *count_of(struct slirp_glue *glue, uint8_t proto)
{
	return proto == IPPROTO_UDP ? &glue->udp : proto == IPPROTO_TCP ? &glue->tcp : &glue->icmp;
}

/* Of a socket, also where it has been diverted: a pair of streams. */
static unsigned *count_of_socket(struct slirp_glue *glue, int fd)
{
	const uint8_t proto = outlet_proto(fd);

	return count_of(glue, proto == IPPROTO_UDP || proto == IPPROTO_ICMP ? proto : IPPROTO_TCP);
}

static void on_register(int fd, void *opaque)
{
	++*count_of_socket(opaque, fd);
}

static void on_unregister(int fd, void *opaque)
{
	struct slirp_glue *glue = opaque;
	unsigned *count = count_of_socket(glue, fd);

	peek_end(glue->peeks, fd);
	if (*count)
		--*count;
}

static void on_notify(void *opaque)
{
	(void)opaque;
}

#if SLIRP_CONFIG_VERSION_MAX >= 6
static void on_register_socket(slirp_os_socket fd, void *opaque)
{
	on_register((int)fd, opaque);
}

static void on_unregister_socket(slirp_os_socket fd, void *opaque)
{
	on_unregister((int)fd, opaque);
}
#endif

static const SlirpCb callbacks = {
	.send_packet = on_packet,
	.guest_error = on_guest_error,
	.clock_get_ns = clock_ns,
	.timer_new_opaque = on_timer_new,
	.timer_free = on_timer_free,
	.timer_mod = on_timer_mod,
#if SLIRP_CONFIG_VERSION_MAX >= 6
	.register_poll_socket = on_register_socket,
	.unregister_poll_socket = on_unregister_socket,
#else
	.register_poll_fd = on_register,
	.unregister_poll_fd = on_unregister,
#endif
	.notify = on_notify,
};

/* ---- the outlet ---- */

/* Connections to our name server over TCP do not leave the helper. */
static enum outlet_action on_connect(void *opaque, const struct naddr *dst, uint16_t port)
{
	const struct net *net = ((struct slirp_glue *)opaque)->net;

	if (port == PORT_DNS && naddr_equal(dst, &net->filter.dns4))
		return OUTLET_DIVERT;
	return rules_inspect(net->rules, IPPROTO_TCP, dst, port) == RULES_NAME ? OUTLET_INSPECT
									       : OUTLET_DIRECT;
}

static void on_other_server(void *opaque, const struct naddr *dst, uint16_t port, const char *name)
{
	const struct net *net = ((struct slirp_glue *)opaque)->net;

	log_refused(net->log, IPPROTO_TCP, dst, port, *name ? name : rules_name_of(net->rules, dst),
		    *name ? filter_reason_text(FILTER_BY_SERVER)
			  : "it names no server, in TLS or HTTP",
		    net->now);
}

static void on_divert(void *opaque, const struct naddr *dst, uint16_t port, int fd)
{
	(void)dst;
	(void)port;
	dns_stream(((struct slirp_glue *)opaque)->net->dns, fd);
}

/* ---- */

static void set_v4(struct in_addr *to, const struct naddr *a)
{
	memcpy(to, a->bytes, sizeof(*to));
}

static void set_v6(struct in6_addr *to, const struct naddr *a)
{
	memcpy(to, a->bytes, sizeof(*to));
}

static void configure(SlirpConfig *c, const struct filter *f)
{
	memset(c, 0, sizeof(*c));
#if SLIRP_CONFIG_VERSION_MAX >= 6
	c->version = 6; /* callbacks by socket, not by descriptor */
#else
	c->version = 4; /* the oldest that knows disable_dhcp */
#endif
	c->in_enabled = true;
	set_v4(&c->vnetwork, &f->net4);
	c->vnetmask.s_addr = htonl(UINT32_MAX << (32 - f->prefix4));
	set_v4(&c->vhost, &f->gateway4);
	set_v4(&c->vnameserver, &f->dns4);
	if (f->net6.family) {
		c->in6_enabled = true;
		set_v6(&c->vprefix_addr6, &f->net6);
		c->vprefix_len = (uint8_t)f->prefix6;
		set_v6(&c->vhost6, &f->gateway6);
		set_v6(&c->vnameserver6, &f->dns6);
	}
	c->if_mtu = c->if_mru = f->mtu;
	c->disable_host_loopback = !f->any_host_port;
	c->disable_dns = true;
	c->disable_dhcp = true;
}

struct slirp_glue *slirp_open(struct net *net)
{
	struct slirp_glue *glue = g_new0(struct slirp_glue, 1);
	const struct peeks_setup peeks = { net->rules, on_other_server, glue };
	struct outlet_setup outlet = {
		.filter = &net->filter, .decide = on_connect, .divert = on_divert, .opaque = glue
	};
	SlirpConfig config;

	glue->net = net;
	glue->peeks = outlet.peeks = peeks_new(&peeks);
	configure(&config, &net->filter);
	glue->slirp = slirp_new(&config, &callbacks, glue);
	if (!glue->slirp) {
		peeks_free(glue->peeks);
		g_free(glue);
		return NULL;
	}
	outlet_open(&outlet);
	return glue;
}

void slirp_close(struct slirp_glue *glue)
{
	slirp_cleanup(glue->slirp);
	peeks_free(glue->peeks);
	g_free(glue);
}

void slirp_take(struct slirp_glue *glue, const uint8_t *p, size_t len)
{
	slirp_input(glue->slirp, p, (int)len);
}

bool slirp_is_full(const struct slirp_glue *glue)
{
	return glue->writes;
}

unsigned slirp_flows(const struct slirp_glue *glue, uint8_t proto)
{
	return *count_of((struct slirp_glue *)(uintptr_t)glue, proto);
}

/* ---- the loop ---- */

static short to_poll(int events)
{
	return (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
		       (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
		       (events & SLIRP_POLL_PRI ? POLLPRI : 0));
}

static int from_poll(short revents)
{
	return (revents & POLLIN ? SLIRP_POLL_IN : 0) | (revents & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (revents & POLLPRI ? SLIRP_POLL_PRI : 0) | (revents & POLLERR ? SLIRP_POLL_ERR : 0) |
	       (revents & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static int add_poll_fd(int fd, int events, void *opaque)
{
	struct slirp_glue *glue = opaque;

	glue->writes |= (events & SLIRP_POLL_OUT) != 0;
	/* held back: it may write to its sockets, and not read from them */
	if (glue->held)
		events &= ~(SLIRP_POLL_IN | SLIRP_POLL_PRI);
	return pollset_add(glue->set, fd, to_poll(events));
}

static int get_revents(int index, void *opaque)
{
	const struct slirp_glue *glue = opaque;
	int got = from_poll(pollset_got(glue->set, index));

	return glue->held ? got & SLIRP_POLL_OUT : got;
}

#if SLIRP_CONFIG_VERSION_MAX >= 6
static int add_poll_socket(slirp_os_socket fd, int events, void *opaque)
{
	return add_poll_fd((int)fd, events, opaque);
}
#endif

void slirp_fill(struct slirp_glue *glue, struct pollset *set, bool hold)
{
	uint32_t timeout = IDLE_MS;

	glue->set = set;
	glue->held = hold;
	glue->writes = false;
#if SLIRP_CONFIG_VERSION_MAX >= 6
	slirp_pollfds_fill_socket(glue->slirp, &timeout, add_poll_socket, glue);
#else
	slirp_pollfds_fill(glue->slirp, &timeout, add_poll_fd, glue);
#endif
	pollset_until(set, set->now + timeout);
}

void slirp_handle(struct slirp_glue *glue, const struct pollset *set)
{
	(void)set;
	slirp_pollfds_poll(glue->slirp, 0, get_revents, glue);
}
