// SPDX-License-Identifier: MIT
/* The command itself, its terminal, and what the supervisor is told. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "build.h"

static void plan_argv(struct build *b)
{
	unsigned n = 0;

	while (b->spec->command[n])
		n++;
	b->plan->argv = g_new0(char *, n + 1);
	for (unsigned i = 0; i < n; i++)
		b->plan->argv[i] = (char *)plan_str(b, b->spec->command[i]);
	b->plan->file = b->plan->argv[0];
	if (b->spec->argv0)
		b->plan->argv[0] = (char *)plan_str(b, b->spec->argv0);
}

/* Those of 0, 1, 2 that are terminals become the box's own, and only those. */
static int plan_tty(struct build *b, struct err *err)
{
	struct plan *p = b->plan;

	if (b->spec->tty == TTY_OFF || (!(b->namespaces & CLONE_NEWNS) && !p->landlock_only))
		return 0; /* without a mount namespace there is no devpts of our own */
	for (int i = 2; i >= 0; i--) {
		p->tty[i] = b->host->tty[i];
		if (p->tty[i])
			p->tty_source = i;
	}
	p->tty_raw = p->tty[0] && p->tty[1];
	if (b->spec->tty != TTY_ON || p->tty_source >= 0)
		return 0;
	(void)err_set(err, ERR_TTY, ENOTTY, "cannot give the command a terminal");
	(void)err_cause(err, "none of stdin, stdout and stderr is one");
	(void)err_fix(err, "leave -t out, or run it under script(1)");
	return err_origin(err, b->spec->origin[OPT_TTY]);
}

int plan_process(struct build *b, struct err *err)
{
	struct plan *p = b->plan;

	plan_argv(b);
	p->timeout_ms = b->spec->timeout_ms;
	p->stop_signal = b->spec->stop_signal;
	p->status_fd = b->spec->status_fd;
	p->block_fd = b->spec->block_fd;
	p->ready_fd = b->spec->ready_fd;
	p->report = b->spec->report;
	p->pidfile = b->spec->pidfile;
	p->net_log = b->spec->net_log;
	p->origin.net_log = b->spec->origin[OPT_NET_LOG];
	p->origin.status_fd = b->spec->origin[OPT_STATUS_FD];
	p->origin.ready_fd = b->spec->origin[OPT_READY_FD];
	p->origin.report = b->spec->origin[OPT_REPORT];
	p->origin.pidfile = b->spec->origin[OPT_PIDFILE];
	p->follow_resolv = b->spec->net == NET_USER && b->spec->dns->len == 0;
	/* a pidfile that cannot be written ends the run, and on a busy machine that may come late */
	p->wait_start = p->block_fd >= 0 || p->pidfile || b->spec->net == NET_USER;
	return plan_tty(b, err);
}
