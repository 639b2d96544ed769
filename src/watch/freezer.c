// SPDX-License-Identifier: MIT
/*
 * The limiter that pauses the box by its cgroup, while the box runs. It is the launcher's child and
 * out of the box's reach; if it ends all the same, the limit no longer holds and the box ends.
 */
#include <errno.h>

#include <sandbox/soft.h>

#include "loop.h"

enum { ANSWER_MS = 200 };

void freezer_poll(const struct watch *w, struct pollfd *slot)
{
	*slot = (struct pollfd){ w->limiter_lost ? -1 : w->box->limiter, POLLIN, 0 };
}

static void lose(struct watch *w)
{
	w->failure.stage = STAGE_WATCH;
	w->failed = true;
	teardown_kill(w);
}

void limits_lost(struct watch *w, const char *cause)
{
	if (w->ending.exited || w->failed || w->gone)
		return;
	(void)err_set(&w->failure, ERR_LIMIT, ESRCH, "the limits no longer hold");
	(void)err_cause(&w->failure, "%s", cause);
	lose(w);
}

static void on_blind(struct watch *w, int num)
{
	w->limiter_lost = true;
	if (w->ending.exited || w->failed || w->gone)
		return;
	(void)err_set(&w->failure, ERR_LIMIT, num,
		      "the limits no longer hold: the process that enforces them cannot look at "
		      "the box");
	lose(w);
}

static void on_end(struct watch *w)
{
	w->limiter_lost = true;
	limits_lost(w, "the process that enforced them was killed");
}

void freezer_handle(struct watch *w, const struct pollfd *slot)
{
	struct soft_report report;
	int r = slot->revents ? soft_receive(w->box->limiter, &report) : -EAGAIN;

	if (r == -EAGAIN)
		return;
	if (r < 0) {
		on_end(w);
		return;
	}
	if (report.kind == SOFT_BLIND) {
		on_blind(w, (int)report.error);
		return;
	}
	w->figures = report;
	if (report.kind == SOFT_FIGURES || w->ending.exited)
		return;
	w->limited = (int)report.kind;
	teardown_kill(w);
}

void freezer_release(const struct watch *w, int sig)
{
	if (w->box->limiter >= 0 && !w->limiter_lost)
		soft_release(w->box->limiter, sig, w->plan->stop_signal);
}

void freezer_ask(struct watch *w)
{
	struct pollfd slot = { .fd = w->box->limiter, .events = POLLIN };

	if (slot.fd < 0 || w->limiter_lost || w->limited || soft_request(slot.fd) < 0)
		return;
	if (poll(&slot, 1, ANSWER_MS) > 0)
		freezer_handle(w, &slot);
	w->limiter_lost = true; /* nothing more is expected from it */
}
