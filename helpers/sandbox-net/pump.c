// SPDX-License-Identifier: MIT
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* After less than SHORT, poll(2) says sooner whether there is more than another try would. */
enum { ROUNDS = 16, SHORT = 4096 };

void pipes_clear(struct pipes *pipes)
{
	while (pipes->n) {
		pipes->n--;
		(void)close(pipes->kept[pipes->n].out);
		(void)close(pipes->kept[pipes->n].in);
	}
}

void pump_init(struct pump *pump, int from, int to)
{
	*pump = (struct pump){ .from = from, .to = to, .out = -1, .in = -1 };
}

void pump_clear(struct pump *pump)
{
	if (pump->out >= 0)
		(void)close(pump->out);
	if (pump->in >= 0)
		(void)close(pump->in);
	pump->out = pump->in = -1;
	pump->held = 0;
}

static int get_pipe(struct pump *pump, struct pipes *pipes)
{
	int pair[2];

	if (pump->out >= 0)
		return 0;
	if (pipes->n) {
		pipes->n--;
		pump->out = pipes->kept[pipes->n].out;
		pump->in = pipes->kept[pipes->n].in;
		return 0;
	}
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* past the user's share (fs.pipe-user-pages-soft) it stays as small as it is: pipe(7) */
	(void)fcntl(pair[1], F_SETPIPE_SZ, PIPE_SIZE);
	pump->out = pair[0];
	pump->in = pair[1];
	return 0;
}

/* Only an empty one. */
static void put_pipe(struct pump *pump, struct pipes *pipes)
{
	if (pump->out < 0 || pump->held)
		return;
	if (pipes->n == PIPES_KEPT) {
		pump_clear(pump);
		return;
	}
	pipes->kept[pipes->n].out = pump->out;
	pipes->kept[pipes->n++].in = pump->in;
	pump->out = pump->in = -1;
}

/* The pipe is empty, so EAGAIN is the socket's. 1: bytes or the end came, 0: nothing now. */
static int take(struct pump *pump, struct pipes *pipes)
{
	int r = get_pipe(pump, pipes);
	ssize_t n;

	if (r < 0)
		return r;
	n = splice(pump->from, NULL, pump->in, NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		pump->ended = true;
	pump->held = (size_t)n;
	return 1;
}

/* 1: the pipe is empty, 0: it takes no more now. */
static int give(struct pump *pump)
{
	while (pump->held) {
		ssize_t n = splice(pump->out, NULL, pump->to, NULL, pump->held,
				   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno != EAGAIN ? -errno : 0;
		pump->held -= (size_t)n;
	}
	return 1;
}

/* Nothing is left of what the end came after: it is passed on. */
static void pass_end(struct pump *pump)
{
	if (pump->done || !pump->ended || pump->held)
		return;
	pump->done = true;
	(void)shutdown(pump->to, SHUT_WR);
}

int pump_run(struct pump *pump, struct pipes *pipes, bool *ret_from)
{
	bool last = false;
	int r = 1;

	for (int i = 0; r > 0 && i < ROUNDS && !pump->done; i++) {
		*ret_from = false;
		r = give(pump);
		if (r > 0 && last)
			break;
		if (r > 0 && !pump->ended) {
			*ret_from = true;
			r = take(pump, pipes);
			last = r > 0 && !pump->ended && pump->held < SHORT;
		}
		pass_end(pump); /* in the last round too: nobody waits for more of it */
	}
	put_pipe(pump, pipes);
	return r < 0 ? r : 0;
}
