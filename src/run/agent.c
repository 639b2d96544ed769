// SPDX-License-Identifier: MIT
/*
 * The agent of published ports: a process in the box's user and network namespaces, and in no other
 * of its namespaces, so that nobody in the box can see, signal or trace it. All it does is to make
 * sockets there and to hand them to sandbox-net, which cannot enter that namespace itself. It
 * has no file, a handful of system calls, and no capability but, for src=keep, one over that namespace.
 *
 * The launcher forks it when the child has given it the namespace (ops/publish.c), waits for its
 * word that it is confined, and passes the other end of its socket on, with the listening sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sandbox/audit-arch.h>
#include <sandbox/fd.h>
#include <sandbox/netctl.h>
#include <sandbox/sys.h>

#include "run.h"

enum { SOCKET = 0, NETNS = 1, OTHERS = 2, WAIT_MS = 5000 };

/* ---- confinement ---- */

/* The system calls of this machine's own kind; the numbers of another ABI are for nobody here. */

/* clang-format off */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static const struct sock_filter calls[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_NATIVE, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	IS(SYS_recvfrom), IS(SYS_sendmsg), IS(SYS_socket), IS(SYS_close), IS(SYS_exit_group), IS(SYS_exit),
	IS(SYS_setsockopt), /* of sockets for src=keep: the last, see below */
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

enum { KEEP_CALLS = 2 }; /* instructions of the last call */
/* clang-format on */

/* Addresses that are not the box's own need CAP_NET_ADMIN, over the box's network namespace. */
static int drop_capabilities(bool keep)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { 0 } };

	if (keep)
		caps[0].effective = caps[0].permitted = 1U << CAP_NET_ADMIN;
	return syscall(SYS_capset, &hdr, caps) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
		       ? -errno
		       : 0;
}

/* No file, whatever names one. A kernel without Landlock leaves that to the other locks. */
static int no_files(void)
{
	const struct ll_ruleset all = { .fs = LL_FS_MAKE_SYM * 2 - 1 };
	autofd int rules = -EBADF;
	int r;

	if (sys_landlock_abi() < 0)
		return 0;
	rules = sys_landlock_create(&all);
	r = rules < 0 ? rules : sys_landlock_restrict(rules, 0);
	return r == -E2BIG ? 0 : r; /* 16 layers stand around it already */
}

static int confine(pid_t parent, bool keep)
{
	enum { N = sizeof(calls) / sizeof(calls[0]) };
	struct sock_filter fewer[N];
	struct seccomp_program program = { calls, N };
	int r = drop_capabilities(keep);

	if (!keep) {
		memcpy(fewer, calls, sizeof(calls));
		fewer[N - 1 - KEEP_CALLS] = calls[N - 1];
		program = (struct seccomp_program){ fewer, N - KEEP_CALLS };
	}
	if (r == 0)
		r = no_files();
	/* after the change of namespace, which clears the first and sets the second anew */
	if (r == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
		       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		r = -errno;
	if (r == 0 && getppid() != parent)
		r = -ESRCH;
	return r < 0 ? r : sys_seccomp_load(&program);
}

/* Joining needs rights over the user namespace first, which its maker has (user_namespaces(7)).
 * Where the box has none of its own, EINVAL says that we are in it. */
static int enter(void)
{
	autofd int user = ioctl(NETNS, NS_GET_USERNS);
	int r;

	if (user < 0)
		return -errno;
	if (setns(user, CLONE_NEWUSER) < 0 && errno != EINVAL)
		return -errno;
	r = setns(NETNS, CLONE_NEWNET) < 0 ? -errno : 0;
	(void)close(NETNS);
	return r;
}

/* ---- its work ---- */

static int answer(char kind, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(NETCTL_SOCKETS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { &kind, 1 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		hdr.msg_control = control.buf;
		hdr.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(SOCKET, &hdr, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* It may be bound to any address, and what is sent and answered on it stays in the box (ops/keep.c). */
static int make_keeping(int family)
{
	const int one = 1;
	const uint32_t mark = NETCTL_KEEP_MARK;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd;

	if (r >= 0)
		r = family == AF_INET6
			    ? setsockopt(fd, SOL_IPV6, IPV6_TRANSPARENT, &one, sizeof(one))
			    : setsockopt(fd, SOL_IP, IP_TRANSPARENT, &one, sizeof(one));
	if (r >= 0)
		r = setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (r < 0 && fd >= 0)
		(void)close(fd);
	return r < 0 ? -1 : fd;
}

static int make_socket(char kind)
{
	const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd;

	switch ((enum netctl_socket)kind) {
	case NETCTL_SOCKET_TCP4: return socket(AF_INET, SOCK_STREAM | flags, 0);
	case NETCTL_SOCKET_TCP6: return socket(AF_INET6, SOCK_STREAM | flags, 0);
	case NETCTL_SOCKET_KEEP4: return make_keeping(AF_INET);
	case NETCTL_SOCKET_KEEP6: return make_keeping(AF_INET6);
	case NETCTL_SOCKET_UDP:
		fd = socket(AF_INET6, SOCK_DGRAM | flags, 0);
		return fd < 0 ? socket(AF_INET, SOCK_DGRAM | flags, 0) : fd;
	}
	return -1;
}

static void serve(void)
{
	unsigned char request[2];

	while (recvfrom(SOCKET, request, sizeof(request), 0, NULL, NULL) == sizeof(request)) {
		const char kind = (char)request[0];
		int fds[NETCTL_SOCKETS_MAX];
		size_t n = 0;

		for (; n < request[1] && n < NETCTL_SOCKETS_MAX; n++) {
			fds[n] = make_socket(kind);
			if (fds[n] < 0)
				break;
		}
		if (answer(kind, fds, n) < 0 && answer(kind, NULL, 0) < 0)
			return;
		while (n)
			(void)close(fds[--n]);
	}
}

_Noreturn static void agent_main(int sock, int netns, pid_t parent, bool keep)
{
	char zero = 0;
	int r = 0;

	/* neither is 0 or 1: the caller's own are open */
	if (dup3(sock, SOCKET, O_CLOEXEC) < 0 || dup3(netns, NETNS, O_CLOEXEC) < 0 || setsid() < 0)
		r = -errno;
	if (r == 0)
		r = sys_close_from(OTHERS, true);
	if (r == 0)
		r = enter();
	if (r == 0)
		r = confine(parent, keep);
	if (r < 0)
		zero = (char)-r;
	if (answer(zero, NULL, 0) == 0 && r == 0)
		serve();
	syscall(SYS_exit_group, 0);
	for (;;)
		;
}

/* ---- the launcher's side ---- */

/* Its first byte: 0, or the errno of what it could not do. */
static int await_agent(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	unsigned char byte = ECHILD;
	int r;

	do
		r = poll(&p, 1, WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return -ETIMEDOUT;
	return recv(sock, &byte, 1, 0) == 1 ? -(int)byte : -ECHILD;
}

/* The helper reads whenever its turn comes; its socket takes some hundred messages. */
static int tell(const struct run_net *net, enum netctl_kind kind, int value, int fd)
{
	struct pollfd p = { .fd = net->control, .events = POLLOUT };
	int r;

	do
		r = netctl_send(net->control, kind, value, NULL, 0, fd);
	while (r == -EAGAIN && poll(&p, 1, WAIT_MS) > 0);
	return r;
}

static int hand_over(struct run_net *net, int agent)
{
	int r = tell(net, NETCTL_AGENT, 0, agent);

	for (unsigned i = 0; r == 0 && i < net->nlisteners; i++) {
		r = tell(net, NETCTL_LISTEN, (int)i, net->listeners[i]);
		fd_close(&net->listeners[i]);
	}
	return r;
}

int agent_start(struct run *run, struct err *err)
{
	struct run_net *net = &run->net;
	autofd int ours = -EBADF, theirs = -EBADF, pidfd = -EBADF;
	const pid_t parent = getpid();
	int pair[2], r;

	if (net->nlisteners == 0)
		return 0;
	if (net->netns < 0)
		return err_set(err, ERR_INTERNAL, EBADF, "the box's network namespace is missing");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_NOMEM, errno, "cannot make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	net->agent = sys_clone(0, -1, &pidfd);
	if (net->agent == 0)
		agent_main(theirs, net->netns, parent, net->keep);
	if (net->agent < 0)
		return err_set(err, ERR_NOMEM, net->agent, "cannot fork");
	fd_close(&theirs);
	fd_close(&net->netns);
	r = await_agent(ours);
	if (r < 0)
		return err_set(err, ERR_PUBLISH, r,
			       "cannot enter the box's network for its published ports");
	r = hand_over(net, ours);
	return r < 0 ? err_set(err, ERR_NET_HELPER, r,
			       "the network helper does not take the published ports")
		     : 0;
}

void agent_stop(struct run *run)
{
	struct run_net *net = &run->net;

	for (unsigned i = 0; i < net->nlisteners; i++)
		fd_close(&net->listeners[i]);
	free(net->listeners);
	net->listeners = NULL;
	net->nlisteners = 0;
	for (unsigned i = 0; i < net->nclaimed; i++) /* one that is given on is no more */
		fd_close(&net->claimed[i]);
	free(net->claimed);
	net->claimed = NULL;
	net->nclaimed = 0;
	fd_close(&net->netns);
	if (net->agent <= 0)
		return;
	(void)kill(net->agent, SIGKILL); /* our child, unreaped: the number is its own */
	while (waitpid(net->agent, NULL, 0) < 0 && errno == EINTR)
		;
	net->agent = -1;
}
