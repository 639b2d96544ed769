// SPDX-License-Identifier: MIT
/*
 * Published ports. They are bound by the launcher before anything else has been made, with the
 * caller's rights, so that a port that is taken is one clear line and not half a start; the sockets
 * then go to sandbox-net (run/agent.c). The child, for its part, lets the launcher have its network
 * namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <sandbox/fd.h>
#include <sandbox/log.h>
#include <sandbox/wire.h>

#include "ops.h"

enum { BACKLOG = 1024, TRIES = 256 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t to_address(const struct publish_at *at, union address *ret)
{
	*ret = (union address){ 0 };
	if (at->ipv6) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons((uint16_t)at->port);
		memcpy(&ret->in6.sin6_addr, at->address, 16);
		return sizeof(ret->in6);
	}
	ret->in.sin_family = AF_INET;
	ret->in.sin_port = htons((uint16_t)at->port);
	memcpy(&ret->in.sin_addr, at->address, 4);
	return sizeof(ret->in);
}

/* SO_REUSEADDR: a port whose last connections linger in TIME_WAIT is free; with UDP, which has no such
 * thing, two sockets could share the port. IPv6 stays IPv6, so that [::]:80 and 0.0.0.0:80 can both be
 * asked for. */
static int bind_port(const struct publish_at *at)
{
	const bool udp = at->udp;
	autofd int fd = socket(at->ipv6 ? AF_INET6 : AF_INET,
			       (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;
	union address to;
	socklen_t len = to_address(at, &to);

	if (fd < 0 || (!udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0))
		return -errno;
	if (at->ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -errno;
	if (bind(fd, &to.any, len) < 0 || (!udp && listen(fd, BACKLOG) < 0))
		return -errno;
	return fd_steal(&fd);
}

/* From which port on no capability is needed (Linux 4.11). */
static unsigned first_port(void)
{
	autofd int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	guint64 port;

	if (fd < 0 || fd_read_all(fd, text, sizeof(text) - 1) < 0 ||
	    !g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT16 + 1, &port, NULL))
		return 1024;
	return (unsigned)port;
}

static int cannot(const struct publish_at *at, int r, struct err *err)
{
	const unsigned port = at->port;
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(at->ipv6 ? AF_INET6 : AF_INET, at->address, text, sizeof(text));
	(void)err_set(err, ERR_PUBLISH, r,
		      at->ipv6 ? "cannot publish [%s]:%u%s" : "cannot publish %s:%u%s", text, port,
		      at->udp ? "/udp" : "");
	switch (r) {
	case -EADDRINUSE:
		(void)err_cause(err, "the port is in use already");
		return err_fix(err,
			       "choose another one, or end what has it: ss -l%cnp 'sport = %u'",
			       at->udp ? 'u' : 't', port);
	case -EACCES:
		(void)err_cause(err,
				"ports below %u are for root "
				"(net.ipv4.ip_unprivileged_port_start=%u)",
				first_port(), first_port());
		return err_fix(err,
			       "choose a higher port, or as root: sysctl -w "
			       "net.ipv4.ip_unprivileged_port_start=%u",
			       port);
	case -EADDRNOTAVAIL:
		(void)err_cause(err, "no interface of this host has that address");
		return err_fix(
			err,
			"ip address shows those there are, and all of 127.0.0.0/8 is; 0.0.0.0 and [::] are all of them");
	default: return r;
	}
}

static void forget_claimed(struct run_net *net)
{
	while (net->nclaimed)
		fd_close(&net->claimed[--net->nclaimed]);
}

/* Every port at one address, or none. */
static int claim(struct run_net *net, const struct op *op, uint32_t address,
		 struct publish_at *ret_at)
{
	const uint32_t order = htonl(address);

	for (unsigned i = 0; i < op->u.own_ip.n; i++) {
		int fd;

		*ret_at = op->u.own_ip.ports[i];
		memcpy(ret_at->address, &order, sizeof(order));
		fd = bind_port(ret_at);
		if (fd < 0) {
			forget_claimed(net);
			return fd;
		}
		net->claimed[net->nclaimed++] = fd;
	}
	return 0;
}

/* The one after it: 127.83.0.1 to 127.83.255.254, without what ends in 0 or 255. */
static uint32_t next_ip(uint32_t address)
{
	if ((address & 0xff) < 254)
		return address + 1;
	return (address & 0xffff0000) | ((address + 0x100) & 0xff00) | 1;
}

static int none_is_free(const struct publish_at *at, int r, struct err *err)
{
	if (r != -EADDRINUSE)
		return cannot(at, r, err);
	(void)err_set(err, ERR_PUBLISH, r, "cannot find an address of the host for the box");
	(void)err_cause(err, "port %u is in use on %d of 127.83.0.0/16, or on all addresses",
			at->port, TRIES);
	return err_fix(err, "choose another port, or end what has it: ss -l%cnp 'sport = %u'",
		       at->udp ? 'u' : 't', at->port);
}

/* All of 127.0.0.0/8 is this host's; who binds first has the address, so that boxes that start at
 * once get one each. */
int op_own_ip_apply(const struct op *op, struct run *run, struct err *err)
{
	struct run_net *net = &run->net;
	uint32_t address = op->u.own_ip.first;
	struct publish_at at = { .port = 0 };
	struct in_addr in;
	int r = -EADDRINUSE;

	net->claimed = g_new0(int, op->u.own_ip.n);
	for (unsigned i = 0; i < TRIES && r == -EADDRINUSE; i++) {
		in.s_addr = htonl(address);
		r = claim(net, op, address, &at);
		address = next_ip(address);
	}
	if (r < 0)
		return none_is_free(&at, r, err);
	(void)inet_ntop(AF_INET, &in, net->ip, sizeof(net->ip));
	log_notice("the box's address is %s", net->ip);
	return 0;
}

int op_publish_apply(const struct op *op, struct run *run, struct err *err)
{
	struct run_net *net = &run->net;
	int fd = op->u.publish.own ? fd_steal(&net->claimed[net->taken++])
				   : bind_port(&op->u.publish.at);

	if (fd < 0)
		return cannot(&op->u.publish.at, fd, err);
	net->listeners = g_realloc_n(net->listeners, net->nlisteners + 1, sizeof(int));
	net->listeners[net->nlisteners++] = fd;
	net->keep |= op->u.publish.keep;
	return 0;
}

/* In the child: without /proc, the namespace of a socket of ours (Linux 4.9). */
int op_net_door_apply(const struct op *op, struct run *run, struct err *err)
{
	autofd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	autofd int netns = sock < 0 ? -1 : ioctl(sock, SIOCGSKNS);
	int r;

	(void)op;
	if (netns < 0)
		return err_set(err, ERR_NETNS, errno, "cannot open the box's network namespace");
	r = wire_send(run->wire, WIRE_FD, WIRE_SLOT_NETNS, NULL, netns);
	return r < 0 ? err_set(err, ERR_DIED, r, "the launcher is gone") : 0;
}
