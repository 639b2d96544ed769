// SPDX-License-Identifier: MIT
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* After less than SHORT, poll(2) says sooner whether there is more than another try would. */
enum { ROUNDS = 16, SHORT = 4096 };

static const struct pipe no_pipe = { -1, -1, false };

static void close_pipe(struct pipes *pipes, struct pipe *pipe)
{
	if (pipe->out < 0)
		return;
	pipes->large -= pipe->large;
	(void)close(pipe->out);
	(void)close(pipe->in);
	*pipe = no_pipe;
}

void pipes_clear(struct pipes *pipes)
{
	while (pipes->n)
		close_pipe(pipes, &pipes->kept[--pipes->n]);
}

void pump_init(struct pump *pump, struct pipes *pipes, int from, int to)
{
	*pump = (struct pump){ .pipes = pipes, .from = from, .to = to, .pipe = no_pipe };
}

void pump_clear(struct pump *pump)
{
	close_pipe(pump->pipes, &pump->pipe);
	pump->held = 0;
}

static int make_pipe(struct pipes *pipes, struct pipe *ret)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*ret = (struct pipe){ pair[0], pair[1], false };
	if (pipes->large < PIPES_LARGE) {
		ret->large = fcntl(ret->in, F_SETPIPE_SZ, PIPE_SIZE) >= 0;
		pipes->large += ret->large;
	}
	return 0;
}

static int get_pipe(struct pump *pump)
{
	struct pipes *pipes = pump->pipes;

	if (pump->pipe.out >= 0)
		return 0;
	if (pipes->n == 0)
		return make_pipe(pipes, &pump->pipe);
	pump->pipe = pipes->kept[--pipes->n];
	return 0;
}

/* Only an empty one. */
static void put_pipe(struct pump *pump)
{
	struct pipes *pipes = pump->pipes;

	if (pump->pipe.out < 0 || pump->held)
		return;
	if (pipes->n == PIPES_KEPT) {
		pump_clear(pump);
		return;
	}
	pipes->kept[pipes->n++] = pump->pipe;
	pump->pipe = no_pipe;
}

/* The pipe is empty, so EAGAIN is the socket's. 1: bytes or the end came, 0: nothing now. */
static int take(struct pump *pump)
{
	int r = get_pipe(pump);
	ssize_t n;

	if (r < 0)
		return r;
	n = splice(pump->from, NULL, pump->pipe.in, NULL, PIPE_SIZE,
		   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
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
		ssize_t n = splice(pump->pipe.out, NULL, pump->to, NULL, pump->held,
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

int pump_run(struct pump *pump)
{
	bool last = false;
	int r = 1;

	for (int i = 0; r > 0 && i < ROUNDS && !pump->done; i++) {
		r = give(pump);
		if (r > 0 && last)
			break;
		if (r > 0 && !pump->ended) {
			r = take(pump);
			last = r > 0 && !pump->ended && pump->held < SHORT;
		}
		pass_end(pump); /* in the last round too: nobody waits for more of it */
	}
	put_pipe(pump);
	return r < 0 ? r : 0;
}
