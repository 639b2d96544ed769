// SPDX-License-Identifier: MIT
/*
 * --network ns:PATH. Joining a network namespace needs CAP_SYS_ADMIN in the user namespace that
 * owns it, which an ordinary user has only after joining that one; and the launcher itself
 * joins nothing. So a process between them joins both and makes the child with CLONE_PARENT:
 * the child is the launcher's, and the one between ends at once (user_namespaces(7), setns(2)).
 * It answers on a pair of its own: on the wire, the child may already be talking.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>
#include <sandbox/wire.h>

#include "run.h"

static int open_netns(const char *path, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, ERR_NETNS, errno, "cannot open the network namespace '%s'",
			       path);
	if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		(void)err_set(err, ERR_NETNS, EINVAL, "'%s' is not a network namespace", path);
		return err_fix(err,
			       "give a file like /proc/PID/ns/net, or one that ip netns add made");
	}
	return fd_steal(&fd);
}

/* The same user namespace cannot be joined again (EINVAL), and need not be. */
static bool is_ours(int userns)
{
	autofd int own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	struct stat a, b;

	return own >= 0 && fstat(own, &a) == 0 && fstat(userns, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int refused(const char *path, int num, struct err *err)
{
	(void)err_set(err, ERR_NETNS, num, "cannot join the network namespace '%s'", path);
	(void)err_cause(err, "it belongs to a user namespace that you may not join");
	return err_fix(err,
		       "use one that you have made yourself (unshare -Urn), or run as its owner");
}

static int join(const char *path, struct run *run, struct err *err)
{
	autofd int net = open_netns(path, err);
	autofd int user = -EBADF;

	if (net < 0)
		return net;
	user = ioctl(net, NS_GET_USERNS); /* Linux 4.9 */
	if (user < 0)
		return refused(path, errno, err);
	if (!is_ours(user)) {
		if (setns(user, CLONE_NEWUSER) < 0)
			return refused(path, errno, err);
		run->joined = true;
		run->joined_uid = geteuid();
		run->joined_gid = getegid();
	}
	return setns(net, CLONE_NEWNET) < 0 ? refused(path, errno, err) : 0;
}

/* In the process between. Returns (0) only in the child. */
static void between(const struct op *op, struct run *run, uint64_t flags, int answer)
{
	struct err err = { 0 };
	int pidfd = -EBADF;
	pid_t pid;
	int r = join(op->u.netns.path, run, &err);

	if (r == 0) {
		pid = sys_clone(flags | CLONE_PARENT, run->tree.leaf, &pidfd);
		if (pid == 0)
			return;
		r = pid < 0 ? err_set(&err, ERR_NAMESPACE, pid, "cannot make the box's namespaces")
			    : 0;
	}
	if (r == 0)
		r = wire_send(answer, WIRE_STARTED, (int)pid, NULL, -1);
	else
		(void)wire_send(answer, WIRE_FAILED, 0, &err, -1);
	_exit(r < 0);
}

static pid_t await_pid(int answer, struct err *err)
{
	struct wire_msg msg;
	int r = wire_recv(answer, &msg, NULL, 0);

	if (r < 0)
		return err_set(err, ERR_DIED, r, "the network namespace could not be joined");
	if (msg.kind == WIRE_FAILED) {
		*err = msg.err;
		return err_origin(err, 0);
	}
	return msg.kind == WIRE_STARTED ? msg.value
					: err_set(err, ERR_INTERNAL, EBADMSG, "unexpected answer");
}

pid_t netns_clone(const struct op *op, struct run *run, uint64_t flags, int *ret_pidfd,
		  struct err *err)
{
	int answer[2], pidfd = -EBADF;
	pid_t pid, child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, answer) < 0)
		return err_set(err, ERR_NOMEM, errno, "cannot make a socket pair");
	pid = sys_clone(0, -1, &pidfd);
	if (pid == 0) {
		(void)close(answer[0]);
		between(op, run, flags, answer[1]);
		(void)close(answer[1]);
		return 0;
	}
	(void)close(answer[1]);
	if (pid < 0) {
		(void)close(answer[0]);
		return err_set(err, ERR_NOMEM, pid, "cannot fork");
	}
	(void)waitpid(pid, NULL, 0);
	fd_close(&pidfd);
	child = await_pid(answer[0], err);
	(void)close(answer[0]);
	if (child < 0)
		return err_origin(err, op->origin);
	*ret_pidfd =
		sys_pidfd_open(child); /* our child and not reaped: the number is still its own */
	if (*ret_pidfd < 0)
		return err_set(err, ERR_KERNEL, *ret_pidfd, "cannot open a pidfd");
	return child;
}
