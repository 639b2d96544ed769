// SPDX-License-Identifier: MIT
#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/netctl.h>

/* enum netctl_socket */
static const char bytes[_AGENT_KINDS] = {
	[AGENT_TCP4] = NETCTL_SOCKET_TCP4,   [AGENT_TCP6] = NETCTL_SOCKET_TCP6,
	[AGENT_KEEP4] = NETCTL_SOCKET_KEEP4, [AGENT_KEEP6] = NETCTL_SOCKET_KEEP6,
	[AGENT_UDP] = NETCTL_SOCKET_UDP,
};

void agent_init(struct agent *agent)
{
	*agent = (struct agent){ .fd = -1, .index = -1 };
}

static void end(struct agent *agent)
{
	(void)close(agent->fd);
	agent->fd = -1;
	agent->gone = true;
}

/* As many as an answer holds: one wake-up of the agent for several connections. */
static void ask(struct agent *agent, enum agent_kind kind)
{
	struct agent_pool *pool = &agent->pools[kind];
	const char request[2] = { bytes[kind], NETCTL_SOCKETS_MAX };

	if (agent->fd < 0 || pool->asked || pool->n + NETCTL_SOCKETS_MAX > AGENT_POOL)
		return;
	if (send(agent->fd, request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    sizeof(request))
		pool->asked = true;
	else if (errno != EAGAIN)
		end(agent);
}

void agent_set(struct agent *agent, int fd)
{
	if (agent->fd >= 0)
		(void)close(agent->fd);
	agent->fd = fd;
	ask(agent, AGENT_TCP4); /* others when one is wanted */
}

void agent_clear(struct agent *agent)
{
	for (unsigned i = 0; i < _AGENT_KINDS; i++)
		while (agent->pools[i].n)
			(void)close(agent->pools[i].fds[--agent->pools[i].n]);
	if (agent->fd >= 0)
		(void)close(agent->fd);
	agent->fd = -1;
}

int agent_take(struct agent *agent, enum agent_kind kind)
{
	struct agent_pool *pool = &agent->pools[kind];
	int fd;

	if (pool->failed) {
		pool->failed = false;
		return -EAFNOSUPPORT;
	}
	if (pool->n == 0) {
		ask(agent, kind);
		return agent->fd < 0 ? -EPIPE : -EAGAIN;
	}
	fd = pool->fds[--pool->n];
	ask(agent, kind);
	return fd;
}

unsigned agent_ready(struct agent *agent, enum agent_kind kind)
{
	struct agent_pool *pool = &agent->pools[kind];

	if (pool->n == 0 && !pool->failed)
		ask(agent, kind);
	return pool->failed || agent->fd < 0 ? AGENT_POOL : pool->n;
}

void agent_fill(struct agent *agent, struct pollset *set)
{
	agent->index = agent->fd < 0 ? -1 : pollset_add(set, agent->fd, POLLIN);
}

static struct agent_pool *pool_of(struct agent *agent, char byte)
{
	for (unsigned i = 0; i < _AGENT_KINDS; i++)
		if (bytes[i] == byte)
			return &agent->pools[i];
	return NULL;
}

/* Into the pool, which has room for what was asked for; what is more is closed. */
static void take_sockets(struct agent_pool *pool, struct msghdr *hdr)
{
	pool->asked = false;
	pool->failed = true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0);
		     at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			pool->failed = false;
			if (pool->n < AGENT_POOL)
				pool->fds[pool->n++] = fd;
			else
				(void)close(fd);
		}
	}
}

/* One answer. False: there is none. */
static bool take_answer(struct agent *agent)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(NETCTL_SOCKETS_MAX * sizeof(int))];
	} control;
	char kind = 0;
	struct iovec iov = { &kind, 1 };
	/* clang-format off */
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	/* clang-format on */
	ssize_t n = recvmsg(agent->fd, &hdr, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct agent_pool *pool;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	pool = n == 1 ? pool_of(agent, kind) : NULL;
	if (!pool) { /* the agent is ours: it has ended */
		end(agent);
		return false;
	}
	take_sockets(pool, &hdr);
	return true;
}

bool agent_handle(struct agent *agent, const struct pollset *set)
{
	if (!pollset_got(set, agent->index))
		return false;
	while (agent->fd >= 0 && take_answer(agent))
		;
	return true;
}
