// SPDX-License-Identifier: MIT
/* The packets between the launcher and sandbox-net; both programs are built with this file. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

int netctl_send(int sock, enum netctl_kind kind, int value, const char *text, size_t len, int fd)
{
	struct netctl_msg msg = { .magic = NETCTL_MAGIC, .kind = (uint16_t)kind, .value = value };
	struct iovec iov[2] = { { &msg, sizeof(msg) }, { (void *)(uintptr_t)text, len } };
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = len ? 2 : 1 };
	union control control;
	ssize_t n;

	if (len > NETCTL_TEXT_MAX)
		return -EMSGSIZE;
	msg.len = (uint16_t)len;
	if (fd >= 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		hdr.msg_control = control.buf;
		hdr.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int check(const struct netctl_msg *msg, ssize_t n, size_t size, int flags)
{
	if (n == 0)
		return -EPIPE;
	if (n < (ssize_t)sizeof(*msg) || (flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return -EBADMSG;
	if (msg->magic != NETCTL_MAGIC || msg->kind == 0 || msg->kind >= _NETCTL_MAX)
		return -EBADMSG;
	return (size_t)n == sizeof(*msg) + msg->len && msg->len < size ? 0 : -EBADMSG;
}

int netctl_recv(int sock, struct netctl_msg *ret, char *text, size_t size, int *ret_fd)
{
	struct netctl_msg msg;
	struct iovec iov[2] = { { &msg, sizeof(msg) }, { text, size - 1 } };
	union control control;
	/* clang-format off */
	struct msghdr hdr = {
		.msg_iov = iov, .msg_iovlen = 2,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	/* clang-format on */
	autofd int fd = -EBADF;
	ssize_t n;
	int r;

	do
		n = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	r = fd_take(&hdr, &fd);
	if (r == 0)
		r = check(&msg, n, size, hdr.msg_flags);
	if (r < 0)
		return r;
	text[msg.len] = '\0';
	*ret = msg;
	*ret_fd = fd_steal(&fd);
	return 0;
}
