// SPDX-License-Identifier: MIT
/* The network helper between its start (ops/nethelper.c) and its end, seen from the launcher. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>
#include <sandbox/sys.h>
#include <sandbox/watch.h>

#include "run.h"

enum { LEAVE_MS = 2 * NETCTL_FLUSH_MS };

void net_init(struct run_net *net)
{
	*net = (struct run_net){ .starter = { .pid = -1, .pidfd = -EBADF, .out = -EBADF },
				 .pidfd = -EBADF,
				 .ready = -EBADF,
				 .exit = -EBADF,
				 .control = -EBADF,
				 .link = -EBADF,
				 .netns = -EBADF,
				 .agent = -1 };
}

int net_give_link(struct run_net *net, int channel, int fd)
{
	int r = net->control < 0 || net->link >= 0 || fd < 0
			? -EBADMSG
			: netctl_send(net->control, NETCTL_LINK, channel, NULL, 0, fd);

	/* it has ended: what it said about that is read when it should be ready */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	net->link = fd;
	return 0;
}

/* Its last words: what it has refused. */
static void listen_to(const struct run_net *net, struct status *status)
{
	char text[NETCTL_TEXT_MAX + 1];
	struct netctl_msg msg;
	int r;

	do {
		autofd int fd = -EBADF;

		r = netctl_recv(net->control, &msg, text, sizeof(text), &fd);
		if (r == 0)
			status_network(status, msg.kind, text);
	} while (r == 0);
}

/* It leaves by itself at the end of the exit pipe; the box is gone, so nothing is worth waiting
 * for. waitid(P_PIDFD) is Linux 5.4. */
static void end_helper(struct run_net *net, struct status *status)
{
	struct pollfd p = { .fd = net->pidfd, .events = POLLIN };
	siginfo_t info;

	listen_to(net, status); /* it may wait for room there */
	if (poll(&p, 1, LEAVE_MS) <= 0)
		(void)sys_pidfd_send_signal(net->pidfd, SIGKILL);
	listen_to(net, status);
	while (waitid((idtype_t)P_PIDFD, (id_t)net->pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
}

/* A helper that was made but never named itself: its pidfd may be in the socket still. */
static void find_helper(struct run_net *net)
{
	struct netctl_msg msg;
	char text[64];
	int fd = -EBADF;

	if (net->pidfd >= 0 || net->control < 0)
		return;
	if (netctl_recv(net->control, &msg, text, sizeof(text), &fd) == 0 &&
	    msg.kind == NETCTL_PROCESS)
		net->pidfd = fd_steal(&fd);
	fd_close(&fd);
}

void net_end(struct run_net *net, struct status *status)
{
	if (net->starter.pid > 0)
		(void)spawn_finish(&net->starter, NULL, 0, LEAVE_MS);
	find_helper(net);
	fd_close(&net->exit);
	if (net->pidfd >= 0)
		end_helper(net, status);
	fd_close(&net->pidfd);
	fd_close(&net->ready);
	fd_close(&net->link);
	fd_close(&net->control);
	fd_close(&net->starter.out);
	fd_close(&net->starter.pidfd);
}
