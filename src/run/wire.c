// SPDX-License-Identifier: MIT
/* The wire: see include/sandbox/wire.h. Both ends of the conversation live in this file. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <sandbox/fd.h>
#include <sandbox/wire.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

static int send_message(int sock, struct wire_msg *msg, int fd, int flags)
{
	struct iovec iov = { msg, sizeof(*msg) };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	msg->magic = WIRE_MAGIC;
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
		n = sendmsg(sock, &hdr, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*msg) ? 0 : -EBADMSG;
}

int wire_send(int sock, enum wire_kind kind, int value, const struct err *err, int fd)
{
	struct wire_msg msg = { .kind = (uint16_t)kind, .value = value };

	if (err)
		msg.err = *err;
	return send_message(sock, &msg, fd, 0);
}

int wire_send_nowait(int sock, enum wire_kind kind, int value)
{
	struct wire_msg msg = { .kind = (uint16_t)kind, .value = value };

	return send_message(sock, &msg, -1, MSG_DONTWAIT);
}

int wire_send_figures(int sock, const struct soft_report *report)
{
	struct wire_msg msg = { .kind = WIRE_LIMIT,
				.value = (int32_t)report->kind,
				.figures = *report };

	return send_message(sock, &msg, -1, 0);
}

int wire_send_blocked(int sock, const struct wire_blocked *blocked)
{
	struct wire_msg msg = { .kind = WIRE_BLOCKED, .blocked = *blocked };

	return send_message(sock, &msg, -1, blocked->command ? 0 : MSG_DONTWAIT);
}

static int check(const struct wire_msg *msg, ssize_t n, int flags)
{
	if (n == 0)
		return -EPIPE;
	if (n != (ssize_t)sizeof(*msg) || (flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return -EBADMSG;
	if (msg->magic != WIRE_MAGIC || msg->kind == 0 || msg->kind >= _WIRE_MAX)
		return -EBADMSG;
	return 0;
}

int wire_recv(int sock, struct wire_msg *ret, int *ret_fd, int nonblock)
{
	struct wire_msg msg;
	struct iovec iov = { &msg, sizeof(msg) };
	union control control;
	/* clang-format off */
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	/* clang-format on */
	autofd int fd = -EBADF;
	ssize_t n;
	int r;

	/* ECONNRESET: the peer closed with a message of ours unread. It comes once, and before the
	 * messages that the peer had sent. */
	do
		n = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC | (nonblock ? MSG_DONTWAIT : 0));
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	r = fd_take(&hdr, &fd);
	if (r == 0)
		r = check(&msg, n, hdr.msg_flags);
	if (r == 0 && fd >= 0 && !ret_fd)
		r = -EBADMSG;
	if (r < 0)
		return r;
	/* fixed strings from the other side are made to end, whatever was sent */
	msg.err.from[sizeof(msg.err.from) - 1] = '\0';
	msg.err.what[sizeof(msg.err.what) - 1] = '\0';
	msg.err.cause[sizeof(msg.err.cause) - 1] = '\0';
	msg.err.fix[sizeof(msg.err.fix) - 1] = '\0';
	*ret = msg;
	if (ret_fd)
		*ret_fd = fd_steal(&fd);
	return 0;
}
