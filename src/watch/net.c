// SPDX-License-Identifier: MIT
/*
 * The network helper while the box runs. The box's network is only as good as it is: when it ends
 * before the box, by a signal or of itself, the box ends with a message. Reaping it is run/net.c's.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

#include "loop.h"

void net_poll(const struct watch *w, struct pollfd *process, struct pollfd *control)
{
	*process = (struct pollfd){ w->net_lost ? -1 : w->box->net, POLLIN, 0 };
	*control = (struct pollfd){ w->net_silent ? -1 : w->box->net_control, POLLIN, 0 };
}

void net_leave(const struct watch *w)
{
	if (w->box->net_control >= 0)
		(void)netctl_send(w->box->net_control, NETCTL_LEAVE, 0, NULL, 0, -1);
}

/* Looked at, not reaped: WNOWAIT. */
static void explain(struct watch *w)
{
	siginfo_t info = { .si_status = 0 };

	(void)err_set(&w->failure, ERR_NET_HELPER, ECHILD,
		      "the network helper ended: so did the box");
	w->failure.stage = STAGE_WATCH;
	if (waitid((idtype_t)P_PIDFD, (id_t)w->box->net, &info, WEXITED | WNOWAIT | WNOHANG) < 0)
		return;
	if (info.si_code == CLD_EXITED)
		(void)err_cause(&w->failure, "it exited with status %d", info.si_status);
	else
		(void)err_cause(&w->failure, "it was killed by signal %d (%s)", info.si_status,
				strsignal(info.si_status));
}

static void on_end(struct watch *w)
{
	w->net_lost = true;
	if (w->ending.exited || w->failed || w->gone)
		return; /* it does not matter any more */
	explain(w);
	w->failed = true;
	teardown_kill(w);
}

/* One message. 0: there was one. */
static int take(struct watch *w)
{
	char text[NETCTL_TEXT_MAX + 1];
	autofd int fd = -EBADF;
	struct netctl_msg msg;
	int r = netctl_recv(w->box->net_control, &msg, text, sizeof(text), &fd);

	if (r == 0)
		status_network(w->status, msg.kind, text);
	return r;
}

void net_handle(struct watch *w, const struct pollfd *process, const struct pollfd *control)
{
	if (control->fd >= 0 && control->revents) {
		int r;

		do
			r = take(w);
		while (r == 0);
		w->net_silent = r != -EAGAIN;
	}
	if (process->fd >= 0 && process->revents)
		on_end(w);
}
