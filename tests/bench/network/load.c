// SPDX-License-Identifier: MIT
/*
 * Load for tests/bench/network/run: a server, and clients that print one JSON object.
 *
 *   load serve ADDRESS PORT                     TCP, by the first byte of a connection: U takes, D sends,
 *                                               E echoes, C tells what all U took; and UDP, which echoes
 *   load streams ADDRESS PORT N SECONDS up|down N streams at once
 *   load turns ADDRESS PORT N                   one byte there and back, N times
 *   load datagrams ADDRESS PORT N               the same by UDP
 *   load connections ADDRESS PORT SECONDS       connect, one byte there and back, close
 *   load parallel ADDRESS PORT N SECONDS        the same by N clients at once
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 262144, EVENTS = 256, STREAMS_MAX = 4096, PORTS = 65536 };

static char block[BLOCK];
static struct sockaddr_storage target;
static socklen_t target_len;

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_target(const char *address, const char *port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&target;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&target;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port));
		target_len = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)atoi(port));
		target_len = sizeof(*in6);
	} else {
		errno = EINVAL;
		fail(address);
	}
}

static int open_socket(int type)
{
	const int one = 1;
	int fd = socket(target.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if ((type & ~SOCK_NONBLOCK) == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int open_client(int type)
{
	int fd = open_socket(type);

	if (connect(fd, (struct sockaddr *)&target, target_len) < 0)
		fail("connect");
	return fd;
}

/* ---- the server ---- */

static char modes[PORTS]; /* by descriptor: 0 unknown, U, D or E */
static uint64_t taken;    /* of all connections with U */

static void watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (epoll_ctl(ep, op, fd, &e) < 0)
		fail("epoll_ctl");
}

static void accept_all(int ep, int listener)
{
	const int one = 1;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= PORTS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		modes[fd] = 0;
		watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

static void echo_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, block, sizeof(block), MSG_DONTWAIT, (struct sockaddr *)&from,
			     &len)) >= 0)
		(void)sendto(fd, block, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&from, len);
}

/* False: the connection has ended. */
static int serve_one(int ep, int fd)
{
	ssize_t n;

	if (!modes[fd]) {
		if (recv(fd, &modes[fd], 1, 0) != 1)
			return 0;
		if (modes[fd] == 'D')
			watch(ep, EPOLL_CTL_MOD, fd, EPOLLOUT);
		if (modes[fd] == 'C')
			(void)send(fd, &taken, sizeof(taken), MSG_NOSIGNAL);
		return modes[fd] != 'C';
	}
	if (modes[fd] == 'D') {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		return n > 0 || errno == EAGAIN;
	}
	n = recv(fd, block, sizeof(block), 0);
	if (n > 0 && modes[fd] == 'U')
		taken += (uint64_t)n;
	if (n > 0 && modes[fd] == 'E')
		n = send(fd, block, (size_t)n, MSG_NOSIGNAL);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void serve(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), tcp = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	int udp = open_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	const int one = 1;

	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(tcp, (struct sockaddr *)&target, target_len) < 0 || listen(tcp, 4096) < 0 ||
	    bind(udp, (struct sockaddr *)&target, target_len) < 0)
		fail("bind");
	watch(ep, EPOLL_CTL_ADD, tcp, EPOLLIN);
	watch(ep, EPOLL_CTL_ADD, udp, EPOLLIN);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(ep, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == tcp)
				accept_all(ep, tcp);
			else if (fd == udp)
				echo_datagrams(udp);
			else if (!serve_one(ep, fd))
				close(fd);
		}
	}
}

/* ---- clients ---- */

/* What the server has got: what was sent may be in anybody's buffers. */
static uint64_t ask_taken(void)
{
	int fd = open_client(SOCK_STREAM);
	uint64_t n = 0;

	if (send(fd, "C", 1, MSG_NOSIGNAL) != 1 ||
	    recv(fd, &n, sizeof(n), MSG_WAITALL) != sizeof(n))
		fail("cannot ask the server");
	close(fd);
	return n;
}

/* Each stream that is ready once. The number of bytes. */
static uint64_t pass(struct pollfd *fds, int n, int up)
{
	uint64_t bytes = 0;

	if (poll(fds, (nfds_t)n, 100) < 0)
		fail("poll");
	for (int i = 0; i < n; i++) {
		ssize_t got;

		if (!fds[i].revents)
			continue;
		got = up ? send(fds[i].fd, block, sizeof(block), MSG_NOSIGNAL)
			 : recv(fds[i].fd, block, sizeof(block), 0);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			fail("a stream broke");
		bytes += got > 0 ? (uint64_t)got : 0;
	}
	return bytes;
}

/* What arrives in the time, counted after a tenth of it: windows grow first. */
static void streams(int n, double seconds, int up)
{
	static struct pollfd fds[STREAMS_MAX];
	uint64_t bytes = 0;
	double begin;

	if (n > STREAMS_MAX)
		n = STREAMS_MAX;
	for (int i = 0; i < n; i++) {
		fds[i].fd = open_client(SOCK_STREAM);
		fds[i].events = up ? POLLOUT : POLLIN;
		if (send(fds[i].fd, up ? "U" : "D", 1, MSG_NOSIGNAL) != 1)
			fail("send");
		fcntl(fds[i].fd, F_SETFL, O_NONBLOCK);
	}
	for (begin = now() + seconds / 10; now() < begin;)
		(void)pass(fds, n, up);
	if (up)
		bytes = -ask_taken();
	begin = now();
	while (now() < begin + seconds) {
		uint64_t passed = pass(fds, n, up);

		bytes += up ? 0 : passed;
	}
	if (up)
		bytes += ask_taken();
	printf("{\"gbps\":%.3f,\"bytes\":%llu}\n", (double)bytes * 8 / (now() - begin) / 1e9,
	       (unsigned long long)bytes);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void turns(int type, int n)
{
	double *took = calloc((size_t)n, sizeof(*took));
	int fd = open_client(type), lost = 0;
	const struct timeval second = { .tv_sec = 1 };
	char byte = 'E';

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (type == SOCK_STREAM && send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		fail("send");
	for (int i = 0; i < n; i++) {
		double begin = now();

		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			fail("send");
		if (recv(fd, &byte, 1, 0) != 1) {
			if (errno != EAGAIN)
				fail("recv");
			if (++lost > 3)
				fail("datagrams are lost");
		}
		took[i] = (now() - begin) * 1e6;
	}
	qsort(took, (size_t)n, sizeof(*took), by_value);
	printf("{\"p50_us\":%.1f,\"p99_us\":%.1f,\"lost\":%d}\n", took[n / 2], took[n * 99 / 100],
	       lost);
	free(took);
}

static void connections(double seconds)
{
	double begin = now(), end = begin + seconds;
	unsigned n = 0, failed = 0;

	while (now() < end) {
		int fd = open_socket(SOCK_STREAM);
		char byte[2] = "EE";

		if (connect(fd, (struct sockaddr *)&target, target_len) < 0 ||
		    send(fd, byte, 2, MSG_NOSIGNAL) != 2 || recv(fd, byte, 1, 0) != 1)
			failed++;
		else
			n++;
		close(fd);
	}
	printf("{\"per_s\":%.0f,\"failed\":%u}\n", n / (now() - begin), failed);
}

/* A client of its own: what it is waiting for is the connection, or the answer. */
static int begin_client(void)
{
	int fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);

	if (connect(fd, (struct sockaddr *)&target, target_len) < 0 && errno != EINPROGRESS)
		fail("connect");
	return fd;
}

static void parallel(int n, double seconds)
{
	static struct pollfd fds[STREAMS_MAX];
	double begin = now(), end = begin + seconds;
	unsigned done = 0, failed = 0;

	if (n > STREAMS_MAX)
		n = STREAMS_MAX;
	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = begin_client(), .events = POLLOUT };
	while (now() < end) {
		if (poll(fds, (nfds_t)n, 100) < 0)
			fail("poll");
		for (int i = 0; i < n; i++) {
			char byte[2] = "EE";

			if (!fds[i].revents)
				continue;
			if (fds[i].events == POLLOUT &&
			    send(fds[i].fd, byte, 2, MSG_NOSIGNAL) == 2) {
				fds[i].events = POLLIN;
				continue;
			}
			if (fds[i].events == POLLIN && recv(fds[i].fd, byte, 1, 0) == 1)
				done++;
			else
				failed++;
			close(fds[i].fd);
			fds[i] = (struct pollfd){ .fd = begin_client(), .events = POLLOUT };
		}
	}
	printf("{\"per_s\":%.0f,\"failed\":%u}\n", done / (now() - begin), failed);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc < 4) {
		fprintf(stderr, "usage: load VERB ADDRESS PORT ...\n");
		return 2;
	}
	set_target(argv[2], argv[3]);
	if (strcmp(argv[1], "serve") == 0)
		serve();
	else if (strcmp(argv[1], "streams") == 0 && argc == 7)
		streams(atoi(argv[4]), atof(argv[5]), argv[6][0] == 'u');
	else if (strcmp(argv[1], "turns") == 0 && argc == 5)
		turns(SOCK_STREAM, atoi(argv[4]));
	else if (strcmp(argv[1], "datagrams") == 0 && argc == 5)
		turns(SOCK_DGRAM, atoi(argv[4]));
	else if (strcmp(argv[1], "connections") == 0 && argc == 5)
		connections(atof(argv[4]));
	else if (strcmp(argv[1], "parallel") == 0 && argc == 6)
		parallel(atoi(argv[4]), atof(argv[5]));
	else
		return 2;
	return 0;
}
