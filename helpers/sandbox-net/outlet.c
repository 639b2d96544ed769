// SPDX-License-Identifier: MIT
#include "outlet.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peek.h"

/* libslirp's calls carry no pointer of ours: this one is set once, before the first frame. */
static struct outlet_setup outlet;

void outlet_open(const struct outlet_setup *setup)
{
	outlet = *setup;
}

int outlet_raw_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	return (int)syscall(SYS_connect, fd, to, len);
}

ssize_t outlet_raw_send(int fd, const void *data, size_t size)
{
	return syscall(SYS_sendto, fd, data, size, MSG_NOSIGNAL, NULL, 0);
}

bool outlet_is_bound(void)
{
	return dlsym(RTLD_DEFAULT, "connect") == (void *)(uintptr_t)&connect &&
	       dlsym(RTLD_DEFAULT, "send") == (void *)(uintptr_t)&send &&
	       dlsym(RTLD_DEFAULT, "sendto") == (void *)(uintptr_t)&sendto;
}

/* libslirp's descriptor becomes one end of a pair, the other is ours. */
static int divert(int fd, const struct naddr *dst, uint16_t port)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	if (dup3(pair[1], fd, O_CLOEXEC) < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return -1;
	}
	(void)close(pair[1]);
	outlet.divert(outlet.opaque, dst, port, pair[0]);
	return 0;
}

uint8_t outlet_proto(int fd)
{
	int proto = 0;
	socklen_t len = sizeof(proto);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) < 0 ? 0 : (uint8_t)proto;
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	enum outlet_action action = OUTLET_DIRECT;
	struct naddr dst;
	uint16_t port;

	if (!naddr_from(to, len, &dst, &port)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	if (outlet.peeks)
		peek_end(outlet.peeks, fd);
	if (outlet.decide)
		action = outlet.decide(outlet.opaque, &dst, port);
	if (action == OUTLET_DIVERT)
		return divert(fd, &dst, port);
	if (!outlet.filter || !filter_socket(outlet.filter, outlet_proto(fd), &dst, port)) {
		errno = ECONNREFUSED; /* libslirp answers with RST */
		return -1;
	}
	if (action == OUTLET_INSPECT)
		peek_begin(outlet.peeks, fd, &dst, port);
	return outlet_raw_connect(fd, to, len);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	if (outlet.peeks && peek_has(outlet.peeks, fd))
		return peek_send(outlet.peeks, fd, data, size);
	return syscall(SYS_sendto, fd, data, size, flags | MSG_NOSIGNAL, NULL, 0);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	       socklen_t len)
{
	struct naddr dst;
	uint16_t port;

	if (to && (!naddr_from(to, len, &dst, &port) || !outlet.filter ||
		   !filter_socket(outlet.filter, outlet_proto(fd), &dst, port))) {
		errno = EACCES;
		return -1;
	}
	return syscall(SYS_sendto, fd, data, size, flags | MSG_NOSIGNAL, to, len);
}
