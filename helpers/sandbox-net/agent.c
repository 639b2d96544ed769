// SPDX-License-Identifier: MIT
#include "agent.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

void agent_init(struct agent *agent)
{
	*agent = (struct agent){ .fd = -1, .index = -1 };
	agent->pools[0].kind = NETCTL_SOCKET_TCP4;
	agent->pools[1].kind = NETCTL_SOCKET_TCP6;
}

static void end(struct agent *agent)
{
	(void)close(agent->fd);
	agent->fd = -1;
	agent->gone = true;
}

static void ask(struct agent *agent, struct agent_pool *pool)
{
	while (agent->fd >= 0 && pool->n + pool->asked < AGENT_POOL) {
		if (send(agent->fd, &pool->kind, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
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
	ask(agent, &agent->pools[0]); /* those of IPv6 when one is wanted */
}

void agent_clear(struct agent *agent)
{
	for (unsigned i = 0; i < 2; i++)
		while (agent->pools[i].n)
			(void)close(agent->pools[i].fds[--agent->pools[i].n]);
	if (agent->fd >= 0)
		(void)close(agent->fd);
	agent->fd = -1;
}

int agent_take(struct agent *agent, bool ipv6)
{
	struct agent_pool *pool = &agent->pools[ipv6];
	int fd;

	if (pool->failed) {
		pool->failed = false;
		return -EAFNOSUPPORT;
	}
	if (pool->n == 0) {
		ask(agent, pool);
		return agent->fd < 0 ? -EPIPE : -EAGAIN;
	}
	fd = pool->fds[--pool->n];
	if (pool->n < AGENT_POOL / 2)
		ask(agent, pool);
	return fd;
}

void agent_fill(struct agent *agent, struct pollset *set)
{
	agent->index = agent->fd < 0 ? -1 : pollset_add(set, agent->fd, POLLIN);
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
	pool = &agent->pools[kind == NETCTL_SOCKET_TCP6];
	if (pool->asked == 0 || pool->n == AGENT_POOL)
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
