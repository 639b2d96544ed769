// SPDX-License-Identifier: MIT
/*
 * Messages between launcher and PID 1, from the limiter, and between launcher and network helper. The
 * first byte: bit 0 lays the rest over a valid message, bits 1 and 2 attach up to three descriptors, bit 3
 * is for the limiter's reader, bit 4 for one that takes no descriptor, bit 5 for the network's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/netctl.h>
#include <sandbox/soft.h>
#include <sandbox/wire.h>

#include "fuzz.h"

static void send_raw(int sock, const void *data, size_t size, int nfds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(size_t)data, size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[3] = { 0, 0, 0 };

	if (nfds) {
		struct cmsghdr *c;

		hdr.msg_control = control.buf;
		hdr.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
	}
	FUZZ_CHECK(sendmsg(sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size);
}

static int lowest_free(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	(void)close(fd);
	return fd;
}

static void receive(int sock, bool refuse_fd)
{
	static const struct wire_msg untouched;
	struct wire_msg msg = { 0 };
	int fd = -7, r = wire_recv(sock, &msg, refuse_fd ? NULL : &fd, 1);

	FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -EPIPE);
	if (r < 0) {
		FUZZ_CHECK(memcmp(&msg, &untouched, sizeof(msg)) == 0 && fd == -7);
		return;
	}
	FUZZ_CHECK(msg.magic == WIRE_MAGIC && msg.kind > 0 && msg.kind < _WIRE_MAX);
	FUZZ_CHECK(strnlen(msg.err.what, sizeof(msg.err.what)) < sizeof(msg.err.what));
	FUZZ_CHECK(strnlen(msg.err.cause, sizeof(msg.err.cause)) < sizeof(msg.err.cause));
	FUZZ_CHECK(strnlen(msg.err.fix, sizeof(msg.err.fix)) < sizeof(msg.err.fix));
	FUZZ_CHECK(strnlen(msg.err.from, sizeof(msg.err.from)) < sizeof(msg.err.from));
	FUZZ_CHECK(refuse_fd || fd == -EBADF || fcntl(fd, F_GETFD) == FD_CLOEXEC);
	if (!refuse_fd && fd >= 0)
		(void)close(fd);
}

static void receive_netctl(int sock)
{
	char text[256];
	struct netctl_msg msg = { 0 };
	int fd = -7, r = netctl_recv(sock, &msg, text, sizeof(text), &fd);

	FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -EPIPE);
	if (r < 0)
		return;
	FUZZ_CHECK(msg.magic == NETCTL_MAGIC && msg.kind > 0 && msg.kind < _NETCTL_MAX);
	FUZZ_CHECK(msg.len < sizeof(text) && text[msg.len] == '\0');
	FUZZ_CHECK(fd == -EBADF || fcntl(fd, F_GETFD) == FD_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
}

/* A message that says how long its text is. */
static void send_netctl(int sock, const void *text, size_t size, int nfds)
{
	char whole[sizeof(struct netctl_msg) + 300];
	struct netctl_msg msg = { .magic = NETCTL_MAGIC, .kind = NETCTL_NOTICE };

	size = size < 300 ? size : 300;
	msg.len = (uint16_t)size;
	memcpy(whole, &msg, sizeof(msg));
	memcpy(whole + sizeof(msg), text, size);
	send_raw(sock, whole, sizeof(msg) + size, nfds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_msg msg = { .magic = WIRE_MAGIC, .kind = WIRE_REACHED };
	struct soft_report report;
	unsigned mode = size ? data[0] : 0;
	int pair[2], before = lowest_free();

	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	if (size)
		data++, size--;
	if (size > 4 * sizeof(msg))
		size = 4 * sizeof(msg);
	if ((mode & 33) == 33) {
		send_netctl(pair[0], data, size, mode >> 1 & 3);
	} else if (mode & 1) {
		memcpy(&msg, data, size < sizeof(msg) ? size : sizeof(msg));
		send_raw(pair[0], &msg, sizeof(msg), mode >> 1 & 3);
	} else {
		send_raw(pair[0], data, size, mode >> 1 & 3);
	}
	(void)close(pair[0]);
	if (mode & 32)
		receive_netctl(pair[1]);
	else if (mode & 8)
		(void)soft_receive(pair[1], &report);
	else
		receive(pair[1], mode & 16);
	(void)close(pair[1]);
	FUZZ_CHECK(lowest_free() == before);
	return 0;
}
