// SPDX-License-Identifier: MIT
/*
 * The launcher's side of sandbox-net's start. PREPARE starts it, first thing, so that it loads and
 * confines itself while the box is built; the box's frames follow when the child has made them
 * (run/net.c); LINK, before the command is executed, waits for its word that all is well.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

#include "ops.h"

enum { READY_MS = 5000, LINE_MAX_BYTES = 1024 };

static const char helper_name[] = "sandbox-net";

/* Sealed: what the helper has checked cannot change under it. */
static int make_config(const char *text)
{
	autofd int fd = memfd_create("sandbox-net", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	return r < 0 ? r : fd_steal(&fd);
}

/* The helper's ends, as 3, 4, 5 and 6. */
struct ends {
	int config, ready, exit, control;
};

static void ends_close(struct ends *e)
{
	fd_close(&e->config);
	fd_close(&e->ready);
	fd_close(&e->exit);
	fd_close(&e->control);
}

static int make_ends(const char *config, struct ends *theirs, struct run_net *ours)
{
	int pair[2];

	theirs->config = make_config(config);
	if (theirs->config < 0)
		return theirs->config;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	ours->ready = pair[0];
	theirs->ready = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	theirs->exit = pair[0];
	ours->exit = pair[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours->control = pair[0];
	theirs->control = pair[1];
	return 0;
}

static int start(struct run_net *net, char *helper, const struct ends *theirs)
{
	const int fds[] = { theirs->config, theirs->ready, theirs->exit, theirs->control };
	char *argv[] = { helper,
			 (char *)"--config-fd=3",
			 (char *)"--ready-fd=4",
			 (char *)"--exit-fd=5",
			 (char *)"--control-fd=6",
			 NULL };

	return spawn_start_with(&net->starter, argv, fds, 4);
}

int op_net_helper_apply(const struct op *op, struct run *run, struct err *err)
{
	struct ends theirs = { -EBADF, -EBADF, -EBADF, -EBADF };
	char *helper = helper_find(helper_name);
	int r;

	if (!helper) {
		(void)err_set(err, ERR_NET_HELPER, ENOENT, "cannot find the helper %s",
			      helper_name);
		(void)err_cause(err, "it is neither beside this program nor where it would be "
				     "installed");
		return err_fix(err, "install sandbox whole, with libslirp; or use --network none "
				    "or --network host");
	}
	r = make_ends(op->u.net_helper.config, &theirs, &run->net);
	if (r == 0)
		r = start(&run->net, helper, &theirs);
	ends_close(&theirs);
	free(helper);
	return r < 0 ? err_set(err, ERR_NET_HELPER, r, "cannot start the helper %s", helper_name)
		     : 0;
}

/* ---- ready ---- */

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Its one line, without the newline. -EPIPE: it ended without one. */
static int read_line(int fd, char *line, size_t size)
{
	int64_t end = now_ms() + READY_MS;
	size_t have = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, line + have, size - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		have += (size_t)n;
		line[have] = '\0';
		if (line[have - 1] == '\n') {
			line[have - 1] = '\0';
			return 0;
		}
		if (have == size - 1)
			return -EPIPE;
	}
}

/* What it wrote to standard error on its way out: a loader's message, a sanitizer's. */
static int died(struct run_net *net, struct err *err)
{
	char said[512] = "", quoted[400];
	int status = spawn_finish(&net->starter, said, sizeof(said), 100);

	(void)err_set(err, ERR_NET_HELPER, ECHILD, "the network helper ended during its start");
	if (said[0])
		return err_cause(err, "it said: %s", err_quote(quoted, sizeof(quoted), said));
	return err_cause(err, "its status is %d", status);
}

static int refused(const char *line, struct err *err)
{
	char quoted[400];
	const char *text = strchr(line, ' ');

	(void)err_set(err, ERR_NET_HELPER, EINVAL, "the network helper could not start");
	(void)err_cause(err, "%s", err_quote(quoted, sizeof(quoted), text ? text + 1 : line));
	if (strncmp(line, "userns ", 7) == 0)
		return err_fix(err,
			       "it needs a user namespace of its own: sandbox doctor says what "
			       "stands in the way");
	return -err->num;
}

static int take_process(struct run_net *net)
{
	struct netctl_msg msg;
	char text[64];
	int fd = -EBADF, r = netctl_recv(net->control, &msg, text, sizeof(text), &fd);

	if (r == 0 && (msg.kind != NETCTL_PROCESS || fd < 0)) {
		fd_close(&fd);
		return -EBADMSG;
	}
	if (r == 0)
		net->pidfd = fd;
	return r;
}

/* It has made the helper proper and ended. Its output goes on: the helper has inherited it. */
static void reap_starter(struct run_net *net)
{
	while (waitpid(net->starter.pid, NULL, 0) < 0 && errno == EINTR)
		;
	net->starter.pid = -1;
}

int op_net_ready_apply(const struct op *op, struct run *run, struct err *err)
{
	char line[LINE_MAX_BYTES], want[32];
	int r = read_line(run->net.ready, line, sizeof(line));

	(void)op;
	if (r == -ETIMEDOUT)
		return err_set(err, ERR_NET_HELPER, ETIMEDOUT,
			       "the network helper was not ready within %d s", READY_MS / 1000);
	if (r < 0)
		return died(&run->net, err);
	if (strncmp(line, "error ", 6) == 0)
		return refused(line + 6, err);
	(void)snprintf(want, sizeof(want), "ready %d", NETCTL_VERSION);
	if (strcmp(line, want) != 0) {
		(void)err_set(err, ERR_NET_HELPER, EPROTO,
			      "the network helper is of another version");
		(void)err_cause(err, "it says '%.40s', and '%s' is needed", line, want);
		return err_fix(err, "install sandbox and its helpers from one build");
	}
	r = take_process(&run->net);
	reap_starter(&run->net);
	fd_close(&run->net.ready);
	fd_close(&run->net.link);
	return r < 0 ? err_set(err, ERR_NET_HELPER, r, "the network helper did not name itself")
		     : 0;
}
