// SPDX-License-Identifier: MIT
/*
 * The supervisor: one poll loop in the launcher, with the caller's rights and none more, from
 * HANDOFF until PID 1 of the box is reaped. It sleeps on
 *
 *   signals   those the caller sends: most go to the command, over the wire
 *   wire      what PID 1 tells: STARTED, STOPPED, EXITED, FAILED
 *   init      PID 1's pidfd: the box is gone
 *   net       the network helper's pidfd and its control socket (net.c)
 *   resolv    changes of the host's resolv.conf, for that helper (resolv.c)
 *   pty, in, out   only with a pty: its master, the user's terminal both ways (tty.c)
 *
 * and on the deadline of --timeout, which is poll's own. A plain run thus costs three polls.
 *
 * Job control follows what the kernel would do if the command were in our place, with sudo's
 * use_pty as the model. The command's group is one of the box's session, and we are the member of
 * the caller's session that stands for it:
 *
 *   the command stopped          we restore the terminal and stop, too, by the same signal; a
 *                                group nobody would resume is not stopped: it goes on
 *   it stopped by TTIN or TTOU   it wants the terminal while in the background of its pty. If we
 *                                are in the foreground, it gets the pty's, and the keys from now
 *                                on; if not, we stop as above and the shell hears of it
 *   we were resumed              foreground: raw again, the pty's foreground to the command;
 *                                background: the pty's foreground to PID 1. Then RESUME
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <sandbox/cgroup.h>
#include <sandbox/fd.h>
#include <sandbox/wire.h>

#include "loop.h"
#include "signals.h"

enum {
	KILL_AFTER_MS = 2000, /* from --stop-signal to SIGKILL */
	GRACE_MS = 1000,      /* for PID 1 to kill all and tell the figures */
	FLUSH_MS = 1000,      /* for the screen to be complete before we stop */
	KEEP_MS = 500,        /* limits that were taken away are written again */
};

enum slot {
	SLOT_WIRE,
	SLOT_SIGNALS,
	SLOT_INIT,
	SLOT_LIMITER,
	SLOT_NET,
	SLOT_NET_CONTROL,
	SLOT_RESOLV,
	SLOT_TTY,
	_SLOT_MAX = SLOT_TTY + _TTY_SLOT_MAX,
};

int64_t watch_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* PID 1 may be gone already; its pidfd tells that, not the wire. */
static void tell(const struct watch *w, enum wire_kind kind, int value)
{
	if (w->wire_open)
		(void)wire_send_nowait(w->box->wire, kind, value);
}

static void set_foreground(struct watch *w, bool command)
{
	w->has_fg = command;
	tell(w, WIRE_FOREGROUND, command ? 1 : 0);
}

static void give_foreground(struct watch *w)
{
	/* a hang-up comes with SIGCONT, which says nothing about foreground and background */
	if (w->tty.pty >= 0 && w->wants_fg && !tty_is_gone(&w->tty))
		set_foreground(w, tty_start(&w->tty));
}

/* Nobody would resume us, so we did not stop. A command that wanted the terminal must not try it
 * again at once, and again: it gets the pty's foreground and waits for keys that may never come.
 * One that stopped itself for good (SIGSTOP) waits for a SIGCONT to us. */
static void stay(struct watch *w, int sig, bool wanted_terminal)
{
	give_foreground(w);
	if (wanted_terminal) {
		w->wants_fg = true;
		set_foreground(w, true);
	}
	if (sig != SIGSTOP)
		tell(w, WIRE_RESUME, 0);
}

/* PID 1, the leader of the pty's session, hears of it from the kernel and passes SIGHUP on. */
static void hang_up(struct watch *w)
{
	tty_hang_up(&w->tty);
	tell(w, WIRE_RESUME, 0);
}

static void on_stopped(struct watch *w, int sig)
{
	bool by_terminal = sig == SIGTTIN || sig == SIGTTOU;
	bool wanted_terminal = w->tty.pty >= 0 && by_terminal;
	/* what comes from the terminal goes to a whole group; ours has not heard of it if the
	 * terminal was raw, or if the pty's driver sent it */
	bool group = w->tty.pty >= 0 && (w->tty.relaying || wanted_terminal);

	if (w->gone)
		return;
	/* Without a terminal of its own only what came through us stops us too: a command that stops
	 * itself must not take our timers and our caller's script along. */
	if (w->tty.pty < 0 && !w->stop_asked)
		return;
	if (wanted_terminal && tty_is_gone(&w->tty)) {
		hang_up(w);
		return;
	}
	if (wanted_terminal && tty_foreground(w->tty.source)) {
		w->wants_fg = true;
		give_foreground(w);
		tell(w, WIRE_RESUME, 0);
		return;
	}
	tty_flush(&w->tty, FLUSH_MS);
	tty_stop(&w->tty);
	/* resumed: SIGCONT is in the signalfd now, see on_continued() */
	if (!signals_stop(by_terminal ? sig : SIGTSTP, group))
		stay(w, sig, wanted_terminal);
}

static void on_continued(struct watch *w)
{
	w->stop_asked = false;
	tty_resize(&w->tty);
	give_foreground(w);
	tell(w, WIRE_RESUME, 0);
}

static void on_window(struct watch *w)
{
	if (w->tty.pty >= 0)
		tty_resize(&w->tty); /* the kernel signals the pty's foreground group */
	else
		tell(w, WIRE_SIGNAL, SIGWINCH);
}

static void handle_signals(struct watch *w)
{
	int got[8], n = signals_read(w->box->signals, got, 8);

	for (int i = 0; i < n; i++) {
		switch (signals_use(got[i])) {
		case SIGNAL_CONTINUE: on_continued(w); break;
		case SIGNAL_WINDOW: on_window(w); break;
		case SIGNAL_FORWARD:
			w->stop_asked |= got[i] == SIGTSTP;
			freezer_release(w, got[i]);
			tell(w, WIRE_SIGNAL, got[i]);
			break;
		}
	}
}

static void on_blocked(struct watch *w, const struct wire_blocked *blocked)
{
	const struct outcome_blocked b = { blocked->nr, blocked->arch, blocked->pid };
	unsigned n = w->outcome.nothers;

	if (blocked->command) {
		w->outcome.blocked = b;
		w->blocked = true;
		return;
	}
	if (n < OUTCOME_BLOCKED_MAX)
		w->outcome.others[n] = b;
	w->outcome.nothers++;
}

/* Returns 0, or a negative errno if the message has no place here. */
static int on_message(struct watch *w, const struct wire_msg *msg)
{
	switch ((enum wire_kind)msg->kind) {
	case WIRE_STARTED:
		w->started = true;
		status_started(w->status, w->box);
		return 0;
	case WIRE_STOPPED: on_stopped(w, msg->value); return 0;
	case WIRE_EXITED:
		w->ending.exited = true;
		w->ending.command = msg->value;
		net_leave(w);
		return 0;
	case WIRE_LIMIT:
		w->limited = msg->value == SOFT_FIGURES ? w->limited : msg->value;
		w->figures = msg->figures;
		return 0;
	case WIRE_BLOCKED: on_blocked(w, &msg->blocked); return 0;
	case WIRE_FAILED:
		w->failed = true;
		w->failure = msg->err;
		return 0;
	case WIRE_FD:
	case WIRE_REACHED: return 0;
	case WIRE_PROCEED:
	case WIRE_SIGNAL:
	case WIRE_FOREGROUND:
	case WIRE_RESUME:
	case WIRE_FINISH:
	case _WIRE_MAX: break;
	}
	return -EBADMSG;
}

/* One message. 0: there was one; -EAGAIN: none is left. A wire that cannot be understood ends the
 * box: it may be anyone's. */
static int handle_wire(struct watch *w)
{
	autofd int fd = -EBADF;
	struct wire_msg msg;
	int r = wire_recv(w->box->wire, &msg, &fd, 1);

	if (r == 0)
		r = on_message(w, &msg);
	if (r == 0 || r == -EAGAIN)
		return r;
	w->wire_open = false;
	if (r != -EPIPE)
		teardown_kill(w);
	return -EAGAIN;
}

static void handle_terminal(struct watch *w, const struct pollfd *slots)
{
	/* The user's terminal is gone, and so is the foreground command's. One in the background
	 * would not be told (disown): its output is dropped until it asks for input, on_stopped(). */
	if (tty_handle(&w->tty, slots) && w->has_fg)
		hang_up(w);
}

static void handle_end(struct watch *w)
{
	w->gone = true;
	while (w->wire_open && handle_wire(w) == 0)
		;
	freezer_ask(w);
	teardown_reap(w);
	/* we may have been stopped since before we were told of the start: our clock says nothing */
	if (!w->failed && WIFEXITED(w->ending.init) &&
	    WEXITSTATUS(w->ending.init) == WIRE_TIMED_OUT)
		w->ending.timed_out = true;
}

/* The CPU time is used up: nothing of the box goes on. */
static void handle_budget(struct watch *w)
{
	if (w->ending.exited || w->limited || !budget_spent(&w->budget))
		return;
	w->limited = SOFT_CPU_TIME;
	w->budget.stat = -EBADF; /* no more looks */
	/* with --share pid the end of PID 1 is not everybody's */
	(void)cgroup_write(w->box->cgroup, "cgroup.kill", "1");
	teardown_kill(w);
}

/* A launcher that was stopped meanwhile looks when it goes on. */
static void handle_keep(struct watch *w)
{
	int64_t now = watch_now_us() / 1000;

	if (!w->box->keep || now < w->keep_ms)
		return;
	w->keep_ms = now + KEEP_MS;
	if (w->box->keep(w->box->keep_arg) < 0)
		limits_lost(w, "somebody has switched their controllers off, as systemd does in a "
			       "unit without Delegate=yes");
}

static void handle_deadline(struct watch *w)
{
	if (w->deadline == DEADLINE_NONE || watch_now_us() / 1000 < w->deadline_ms)
		return;
	if (w->deadline == DEADLINE_STOP) {
		w->ending.timed_out = !w->ending.exited && !w->failed;
		freezer_release(w, w->plan->stop_signal);
		tell(w, WIRE_SIGNAL, w->plan->stop_signal);
		tell(w, WIRE_RESUME, 0); /* a stopped one must wake to die */
		w->deadline_ms += KILL_AFTER_MS;
		w->deadline = DEADLINE_FINISH;
		return;
	}
	/* by PID 1, which knows what the limiter has measured and whose usage has what it reaps */
	if (w->deadline == DEADLINE_FINISH) {
		freezer_release(w, w->plan->stop_signal);
		tell(w, WIRE_FINISH, 0);
		w->deadline_ms = watch_now_us() / 1000 + GRACE_MS;
		w->deadline = DEADLINE_KILL;
		return;
	}
	w->deadline = DEADLINE_NONE;
	teardown_kill(w);
}

/* Until `when`, if that is sooner. */
static int sooner(int64_t when, int most)
{
	int64_t left = when - watch_now_us() / 1000;

	if (left < 0)
		left = 0;
	if (most >= 0 && left > most)
		left = most;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

static int time_left(const struct watch *w, int most)
{
	most = resolv_wait(&w->resolv, budget_wait(&w->budget, most));
	if (w->box->keep)
		most = sooner(w->keep_ms, most);
	return w->deadline == DEADLINE_NONE ? most : sooner(w->deadline_ms, most);
}

static int fill_slots(const struct watch *w, struct pollfd *slots, int *ret_timeout)
{
	slots[SLOT_WIRE] = (struct pollfd){ w->wire_open ? w->box->wire : -1, POLLIN, 0 };
	slots[SLOT_SIGNALS] = (struct pollfd){ w->box->signals, POLLIN, 0 };
	slots[SLOT_INIT] = (struct pollfd){ w->box->init_pidfd, POLLIN, 0 };
	freezer_poll(w, &slots[SLOT_LIMITER]);
	net_poll(w, &slots[SLOT_NET], &slots[SLOT_NET_CONTROL]);
	resolv_poll(&w->resolv, &slots[SLOT_RESOLV]);
	if (w->tty.pty < 0) {
		*ret_timeout = time_left(w, -1);
		return SLOT_TTY;
	}
	*ret_timeout = time_left(w, tty_poll(&w->tty, slots + SLOT_TTY));
	return _SLOT_MAX;
}

/* One turn. The wire comes before the deadline and PID 1's end: an EXITED that is already there
 * counts. 0 or negative errno, which is a defect of ours. */
static int watch_turn(struct watch *w)
{
	struct pollfd slots[_SLOT_MAX];
	int timeout, n = fill_slots(w, slots, &timeout);

	if (poll(slots, (nfds_t)n, timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	if (slots[SLOT_WIRE].revents != 0)
		(void)handle_wire(w);
	if (slots[SLOT_SIGNALS].revents != 0)
		handle_signals(w);
	freezer_handle(w, &slots[SLOT_LIMITER]);
	net_handle(w, &slots[SLOT_NET], &slots[SLOT_NET_CONTROL]);
	resolv_handle(&w->resolv, &slots[SLOT_RESOLV], w->box->net_control);
	if (n > SLOT_TTY && w->tty.pty >= 0)
		handle_terminal(w, slots + SLOT_TTY);
	if (slots[SLOT_INIT].revents != 0) {
		handle_end(w);
		return 0;
	}
	handle_budget(w);
	handle_keep(w);
	handle_deadline(w);
	return 0;
}

static void watch_begin(struct watch *w)
{
	w->start_us = watch_now_us();
	w->keep_ms = w->start_us / 1000 + KEEP_MS;
	if (w->plan->timeout_ms > 0) {
		w->deadline = DEADLINE_STOP;
		w->deadline_ms = w->start_us / 1000 + (int64_t)w->plan->timeout_ms;
	}
	budget_begin(&w->budget);
	if (w->plan->follow_resolv)
		resolv_begin(&w->resolv);
	stdio_save(&w->stdio, w->box->pty < 0);
	tty_open(&w->tty, w->plan, w->box);
	w->wants_fg = w->plan->tty_raw;
	if (w->tty.pty >= 0 && w->wants_fg)
		w->has_fg = tty_start(&w->tty); /* as PID 1 was told before clone */
}

static void watch_end(struct watch *w)
{
	resolv_end(&w->resolv);
	teardown_drain(w);
	tty_close(&w->tty);
	stdio_restore(&w->stdio);
}

int watch_run(const struct watch_box *box, const struct plan *plan, struct status *status,
	      struct outcome *ret, struct err *err)
{
	struct watch w = { .box = box,
			   .plan = plan,
			   .status = status,
			   .wire_open = true,
			   .budget = *box->budget };
	int r = 0;

	watch_begin(&w);
	while (!w.reaped && r == 0)
		r = watch_turn(&w);
	if (r < 0) {
		teardown_kill(&w);
		teardown_reap(&w);
	}
	watch_end(&w);
	if (r < 0)
		return err_set(err, ERR_INTERNAL, r, "cannot wait for the box");
	return teardown_result(&w, ret, err);
}
