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
#include <sandbox/wire.h>

#include "ops.h"

enum { BACKLOG = 1024 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t to_address(const struct op *op, union address *ret)
{
	*ret = (union address){ 0 };
	if (op->u.publish.ipv6) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons((uint16_t)op->u.publish.port);
		memcpy(&ret->in6.sin6_addr, op->u.publish.address, 16);
		return sizeof(ret->in6);
	}
	ret->in.sin_family = AF_INET;
	ret->in.sin_port = htons((uint16_t)op->u.publish.port);
	memcpy(&ret->in.sin_addr, op->u.publish.address, 4);
	return sizeof(ret->in);
}

/* SO_REUSEADDR: a port whose last connections linger in TIME_WAIT is free; with UDP, which has no such
 * thing, two sockets could share the port. IPv6 stays IPv6, so that [::]:80 and 0.0.0.0:80 can both be
 * asked for. */
static int bind_port(const struct op *op)
{
	const bool udp = op->u.publish.udp;
	autofd int fd = socket(op->u.publish.ipv6 ? AF_INET6 : AF_INET,
			       (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;
	union address to;
	socklen_t len = to_address(op, &to);

	if (fd < 0 || (!udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0))
		return -errno;
	if (op->u.publish.ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
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
	unsigned port;

	if (fd < 0 || fd_read_all(fd, text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "%5u", &port) != 1)
		return 1024;
	return port;
}

static int cannot(const struct op *op, int r, struct err *err)
{
	const unsigned port = op->u.publish.port;
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(op->u.publish.ipv6 ? AF_INET6 : AF_INET, op->u.publish.address, text,
			sizeof(text));
	(void)err_set(err, ERR_PUBLISH, r,
		      op->u.publish.ipv6 ? "cannot publish [%s]:%u%s" : "cannot publish %s:%u%s",
		      text, port, op->u.publish.udp ? "/udp" : "");
	switch (r) {
	case -EADDRINUSE:
		(void)err_cause(err, "the port is in use already");
		return err_fix(err,
			       "choose another one, or end what has it: ss -l%cnp 'sport = %u'",
			       op->u.publish.udp ? 'u' : 't', port);
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
		return err_fix(err, "ip address shows those there are; 0.0.0.0 and [::] are all");
	default: return r;
	}
}

int op_publish_apply(const struct op *op, struct run *run, struct err *err)
{
	struct run_net *net = &run->net;
	int fd = bind_port(op);

	if (fd < 0)
		return cannot(op, fd, err);
	net->listeners = g_realloc_n(net->listeners, net->nlisteners + 1, sizeof(int));
	net->listeners[net->nlisteners++] = fd;
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
