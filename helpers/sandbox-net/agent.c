// SPDX-License-Identifier: MIT
#include "agent.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

/* enum netctl_socket */
static const char bytes[_AGENT_KINDS] = {
	[AGENT_TCP4] = NETCTL_SOCKET_TCP4,
	[AGENT_TCP6] = NETCTL_SOCKET_TCP6,
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

static void ask(struct agent *agent, enum agent_kind kind)
{
	struct agent_pool *pool = &agent->pools[kind];

	while (agent->fd >= 0 && pool->n + pool->asked < AGENT_POOL) {
		if (send(agent->fd, &bytes[kind], 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
			pool->asked++;
		else if (errno == EAGAIN)
			return;
		else
			end(agent);
	}
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
	if (pool->n < AGENT_POOL / 2)
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

/* One answer. False: there is none. */
static bool take_answer(struct agent *agent)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	char kind = 0;
	struct iovec iov = { &kind, 1 };
	/* clang-format off */
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	/* clang-format on */
	struct agent_pool *pool;
	autofd int fd = -EBADF;
	ssize_t n = recvmsg(agent->fd, &hdr, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != 1 || fd_take(&hdr, &fd) < 0) {
		end(agent);
		return false;
	}
	pool = pool_of(agent, kind);
	if (!pool || pool->asked == 0 || pool->n == AGENT_POOL)
		return true;
	pool->asked--;
	if (fd < 0)
		pool->failed = true;
	else
		pool->fds[pool->n++] = fd_steal(&fd);
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
