// SPDX-License-Identifier: MIT
/*
 * The launcher's side of a run: pins, clone, maps, the handshake, then the supervisor. It keeps
 * the caller's identity, never holds a capability the caller had not, and never enters one of
 * the box's namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/run.h>
#include <sandbox/sys.h>
#include <sandbox/watch.h>
#include <sandbox/wire.h>

#include "run.h"

/* A mount point the child had to make in the user's tree: removed at the end if still empty. */
struct made {
	int dir;
	bool is_file;
	char name[NAME_MAX + 1];
};

struct launcher {
	struct run run;
	struct status *status;
	struct watch_box box;
	GArray *made; /* struct made */
	struct helpers helpers;
};

static void launcher_init(struct launcher *l, const struct plan *plan)
{
	*l = (struct launcher){
		.run = { .plan = plan,
			 .child = -1,
			 .child_pidfd = -EBADF,
			 .wire = -EBADF,
			 .root = -EBADF,
			 .proc = -EBADF,
			 .at_proc = -EBADF,
			 .at_sys = -EBADF,
			 .at_dev = -EBADF,
			 .null = -EBADF,
			 .empty = -EBADF,
			 .empty_file = -EBADF,
			 .data = -EBADF,
			 .private = -EBADF,
			 .private_base = -EBADF,
			 .pty = -EBADF,
			 .tree = CGTREE_NONE,
			 .listener = -EBADF,
			 .budget = { .stat = -EBADF },
			 .freezer = -1,
			 .freezer_fd = -EBADF,
			 .limiter = -1,
			 .limiter_fd = -EBADF,
			 .scope = { .pid = -1 },
			 .launcher_argv = plan->scrub_argv,
			 .launcher_env = plan->scrub_env },
		.box = { .init = -1,
			 .init_pidfd = -EBADF,
			 .wire = -EBADF,
			 .signals = -EBADF,
			 .cgroup = -EBADF,
			 .limiter = -EBADF,
			 .net = -EBADF,
			 .net_control = -EBADF,
			 .pty = -EBADF },
	};
	net_init(&l->run.net);
	l->run.pins = g_new(struct pin, plan->nslots + 1);
	for (unsigned i = 0; i < plan->nslots; i++)
		l->run.pins[i] = (struct pin){ .fd = -EBADF, .tree = -EBADF };
	for (int i = 0; i < _LIMIT_MAX; i++) {
		l->run.limits[i] = plan->limits[i];
		if (l->run.limits[i].by == LIMIT_BY_NOBODY)
			l->run.limits[i].by = l->run.limits[i].otherwise;
	}
	l->run.ncpus = get_nprocs() > 0 ? (unsigned)get_nprocs() : 1;
	l->box.limits = l->run.limits;
	l->box.budget = &l->run.budget;
	l->made = g_array_new(FALSE, FALSE, sizeof(struct made));
}

/* Whether no other box uses the directories in which mount points may be made. Removing one that
 * is mounted upon elsewhere would take the mount away there. The last box cleans up after itself;
 * one that ends before another may leave an empty mount point behind. */
static bool alone(const struct run *run)
{
	for (unsigned i = 0; i < run->nlocks; i++)
		if (flock(run->locks[i], LOCK_EX | LOCK_NB) < 0)
			return false;
	return run->nlocks > 0;
}

/* Somebody uses it, so it is theirs now, and no later box takes it for a left mount point. */
static void unmark(const struct made *m)
{
	autofd int fd =
		openat(m->dir, m->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		(void)fchmod(fd, st.st_mode & 07777 & ~MADE_MARK);
}

static int remove_one(const struct made *m)
{
	struct stat st;

	if (!m->is_file)
		return unlinkat(m->dir, m->name, AT_REMOVEDIR);
	if (fstatat(m->dir, m->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != 0)
		return -1;
	return unlinkat(m->dir, m->name, 0);
}

static void remove_made(GArray *made, bool remove)
{
	/* in reverse: inner ones first */
	for (unsigned i = made->len; i-- > 0;) {
		struct made *m = &g_array_index(made, struct made, i);

		/* else left to whoever uses the directory, or to the next box there */
		if (remove && remove_one(m) < 0)
			unmark(m);
		fd_close(&m->dir);
	}
}

static void launcher_clear(struct launcher *l)
{
	remove_made(l->made, l->made->len > 0 && alone(&l->run));
	for (unsigned i = 0; i < l->run.nlocks; i++)
		fd_close(&l->run.locks[i]);
	g_array_free(l->made, TRUE);
	for (unsigned i = 0; i < l->run.plan->nslots; i++) {
		fd_close(&l->run.pins[i].fd);
		g_free(l->run.pins[i].path);
	}
	g_free(l->run.pins);
	net_end(&l->run.net, l->status);
	agent_stop(&l->run);
	g_free(l->run.named);
	filter_clear(&l->run.filter);
	if (l->run.scope.pid > 0)
		(void)spawn_finish(&l->run.scope, NULL, 0, 0);
	freezer_stop(&l->run);
	budget_close(&l->run.budget);
	cgroup_remove(&l->run);
	op_private_remove(&l->run);
	fd_close(&l->box.wire);
	fd_close(&l->box.init_pidfd);
	fd_close(&l->box.pty);
	fd_close(&l->box.signals);
}

/* A failed start: nothing of it may be left when the error is printed. */
static void kill_child(struct launcher *l)
{
	if (l->box.init <= 0)
		return;
	if (sys_pidfd_send_signal(l->box.init_pidfd, SIGKILL) < 0)
		(void)kill(l->box.init, SIGKILL); /* our child, unreaped: the number is its own */
	while (waitpid(l->box.init, NULL, 0) < 0 && errno == EINTR)
		;
	l->box.init = -1;
}

/* A launcher that cannot receive (a filter around it, no memory) would learn nothing of a start that
 * goes wrong, while the child does not wait for it: better it fails before there is one. */
static int make_wire(int pair[2], struct err *err)
{
	struct wire_msg msg;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_NOMEM, errno, "cannot make a socket pair");
	r = wire_recv(pair[0], &msg, NULL, 1);
	if (r == -EAGAIN)
		return 0;
	(void)close(pair[0]);
	(void)close(pair[1]);
	return err_set(err, ERR_NOMEM, r < 0 ? r : -EBADMSG, "cannot receive from a socket pair");
}

static int make_child(struct launcher *l, struct err *err)
{
	const struct op *clone = stage_find(l->run.plan, OP_CLONE);
	const struct op *netns = stage_find(l->run.plan, OP_NETNS_JOIN);
	int pair[2];
	pid_t pid;

	if (make_wire(pair, err) < 0)
		return -err->num;
	if (l->run.plan->landlock_only && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_LOCKDOWN, errno, "cannot become the reaper of the box");
	if (l->run.plan->landlock_only)
		reap_helpers(&l->helpers);
	l->run.wire = pair[1];
	l->box.wire = pair[0];
	pid = netns ? netns_clone(netns, &l->run, clone->u.clone.flags, &l->box.init_pidfd, err)
		    : sys_clone(clone->u.clone.flags, l->run.tree.leaf, &l->box.init_pidfd);
	if (pid == 0) {
		fd_close(&l->box.wire);
		child_main(&l->run);
	}
	fd_close(&l->run.wire);
	if (pid < 0) {
		if (!netns && l->run.plan->landlock_only)
			(void)err_set(err, ERR_NOMEM, pid, "cannot fork the box");
		else if (!netns)
			(void)err_set(err, ERR_NAMESPACE, pid, "cannot make the box's namespaces");
		err->stage = STAGE_CLONE;
		return pid;
	}
	l->box.init = l->run.child = pid;
	if (status_pid(l->status, pid, err) < 0)
		return -err->num;
	/* /proc/PID of the launcher is closed to the box's own user from here on */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
		       ? err_set(err, ERR_LOCKDOWN, errno, "cannot make the launcher non-dumpable")
		       : 0;
}

static int write_maps(struct launcher *l, struct err *err)
{
	int r;

	if (!l->run.plan->wait_maps)
		return 0;
	r = stage_walk(&l->run, STAGE_IDMAP, err);
	if (r < 0)
		return r;
	r = wire_send(l->box.wire, WIRE_PROCEED, STAGE_IDMAP, NULL, -1);
	return r < 0 ? err_set(err, ERR_DIED, r, "the box ended during the start") : 0;
}

static int keep_made(struct launcher *l, const struct wire_msg *msg, int fd)
{
	struct made m = { .dir = fd, .is_file = msg->err.num == 1 };

	if (fd < 0 || strlen(msg->err.what) >= sizeof(m.name))
		return -EBADMSG;
	strcpy(m.name, msg->err.what);
	g_array_append_val(l->made, m);
	return 0;
}

static int take_fd(struct launcher *l, const struct wire_msg *msg, int fd)
{
	if (msg->value == WIRE_SLOT_MADE)
		return keep_made(l, msg, fd);
	if (msg->value == WIRE_SLOT_LINK)
		return net_give_link(&l->run.net, msg->err.num, fd);
	if (msg->value == WIRE_SLOT_NETNS && l->run.net.netns < 0 && fd >= 0) {
		l->run.net.netns = fd;
		return 0;
	}
	if (msg->value != WIRE_SLOT_PTY || l->box.pty >= 0 || fd < 0)
		return -EBADMSG;
	l->box.pty = fd;
	return 0;
}

/* --block-fd: the box is complete; the command waits for a byte or the end of the file. */
static int wait_block(struct launcher *l, struct err *err)
{
	struct pollfd p[] = {
		{ .fd = l->run.plan->block_fd, .events = POLLIN },
		{ .fd = l->box.init_pidfd, .events = POLLIN },
		{ .fd = l->box.signals, .events = POLLIN },
	};
	char byte;
	int r;

	do
		r = poll(p, 3, -1);
	while ((r < 0 && errno == EINTR) ||
	       (r > 0 && p[2].revents && watch_signals_end(l->box.signals) == 0));
	if (p[2].revents)
		return err_set(err, ERR_DIED, EINTR, "a signal ended the wait for --block-fd");
	if (p[1].revents)
		return err_set(err, ERR_DIED, ECHILD,
			       "the box ended during the wait for --block-fd");
	return read(l->run.plan->block_fd, &byte, 1) < 0
		       ? err_set(err, ERR_FD, errno, "cannot read the descriptor of --block-fd")
		       : 0;
}

/* The child has locked itself down: the last moment at which the start can be refused. */
static int wait_start(struct launcher *l, struct err *err)
{
	int r = stage_walk(&l->run, STAGE_LINK, err);

	if (r == 0)
		r = agent_start(&l->run, err);
	if (r == 0 && l->run.plan->block_fd >= 0)
		r = wait_block(l, err);
	if (r < 0)
		return r;
	r = wire_send(l->box.wire, WIRE_PROCEED, STAGE_HANDOFF, NULL, -1);
	return r < 0 ? err_set(err, ERR_DIED, r, "the box ended during the start") : 0;
}

/* Returns 1 when the child has completed HANDOFF. */
static int on_message(struct launcher *l, const struct wire_msg *msg, int *fd, struct err *err)
{
	int r;

	switch (msg->kind) {
	case WIRE_FAILED: *err = msg->err; return err_origin(err, 0);
	case WIRE_FD:
		r = take_fd(l, msg, *fd);
		if (r == 0)
			*fd = -EBADF;
		return r < 0 ? err_set(err, ERR_INTERNAL, r, "unexpected descriptor") : 0;
	case WIRE_REACHED:
		if (msg->value == STAGE_LOCKDOWN && l->run.plan->wait_start)
			return wait_start(l, err);
		if (msg->value == STAGE_HANDOFF)
			return 1;
		break;
	default: break;
	}
	return err_set(err, ERR_INTERNAL, EBADMSG, "unexpected message %u from the child",
		       msg->kind);
}

static int handshake(struct launcher *l, struct err *err)
{
	int r = 0;

	while (r == 0) {
		autofd int fd = -EBADF;
		struct wire_msg msg;

		r = wire_recv(l->box.wire, &msg, &fd, 0);
		if (r < 0) {
			(void)err_set(err, ERR_DIED, r,
				      "the box ended before the command was started");
			return err_cause(err,
					 "something killed it (out of memory? a seccomp filter?)");
		}
		r = on_message(l, &msg, &fd, err);
	}
	return r < 0 ? r : 0;
}

static int open_budget(struct run *run, struct err *err)
{
	const struct limit *limit = &run->limits[LIMIT_CPU_TIME];
	int r = limit->by == LIMIT_BY_CGROUP
			? budget_open(&run->budget, run->tree.box, limit->value, run->ncpus)
			: 0;

	if (r == 0)
		return 0;
	(void)err_set(err, ERR_LIMIT, r, "cannot read what CPU time the box uses");
	return err_origin(err, limit->origin);
}

static int start(struct launcher *l, struct err *err)
{
	int r = stage_walk(&l->run, STAGE_PREPARE, err);

	l->box.filter_kills = l->run.filter.kills;
	l->run.foreground = l->run.plan->tty_raw && tty_foreground(l->run.plan->tty_source);
	if (r == 0)
		r = watch_signals_open(&l->box.signals, err);
	if (r == 0)
		r = open_budget(&l->run, err);
	if (r == 0)
		r = freezer_start(&l->run, err);
	if (r == 0)
		r = make_child(l, err);
	if (r == 0)
		r = write_maps(l, err);
	if (r == 0)
		r = handshake(l, err);
	l->box.net = l->run.net.pidfd;
	l->box.net_control = l->run.net.control;
	return r;
}

static int keep_limits(void *arg)
{
	return limits_keep(arg);
}

int run_plan(const struct plan *plan, struct status *status, struct outcome *ret, struct err *err)
{
	struct launcher l;
	int r;

	launcher_init(&l, plan);
	l.status = status;
	r = start(&l, err);
	if (r < 0) {
		kill_child(&l);
	} else {
		l.box.cgroup = l.run.tree.box;
		l.box.limiter = l.run.freezer_fd;
		l.box.keep = l.run.tree.entered ? keep_limits : NULL;
		l.box.keep_arg = &l.run;
		l.box.ip = l.run.net.ip[0] ? l.run.net.ip : plan->ip;
		r = watch_run(&l.box, plan, status, ret, err);
	}
	if (plan->landlock_only && l.run.child > 0)
		reap_children(&l.helpers); /* what is left if the first process was killed */
	if (r == 0)
		cgroup_collect(&l.run, ret);
	launcher_clear(&l);
	return r;
}
