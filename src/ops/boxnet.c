// SPDX-License-Identifier: MIT
/*
 * Joining and leaving a network of boxes. All of a join happens under one lock: a member that comes
 * later finds the listening sockets of all that were before it, and connects to each, so that every
 * pair is joined once, whoever comes and goes at the same time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <sandbox/boxnet.h>
#include <sandbox/fd.h>
#include <sandbox/netctl.h>
#include <sandbox/plan.h>

#include "boxnet-dir.h"
#include "ops.h"

enum { BACKLOG = 256, GIVE_MS = 5000, NAME_TRIES = 25, NAME_PAUSE_MS = 20 };

void boxnet_init(struct boxnet *net)
{
	*net = (struct boxnet){ .dir = -EBADF, .lease = -EBADF, .listener = -EBADF };
}

/* ---- who we are ---- */

static void make_hello(const struct boxnet *net, const struct boxnet_want *want, char *ret)
{
	char v4[INET_ADDRSTRLEN], v6[INET6_ADDRSTRLEN] = "-";
	struct in_addr a = { htonl(net->network + net->number) };
	bool named = want->hostname && g_ascii_strcasecmp(want->hostname, "localhost") != 0;
	uint8_t bytes[16];

	plan_net_address6(net->network, net->number, bytes);
	(void)inet_ntop(AF_INET, &a, v4, sizeof(v4));
	if (want->ipv6)
		(void)inet_ntop(AF_INET6, bytes, v6, sizeof(v6));
	(void)snprintf(ret, NETCTL_HELLO_MAX, "%s %s %s %.64s", NETCTL_HELLO, v4, v6,
		       named ? want->hostname : "-");
}

static int name_taken(const char *hello, const struct boxnet_want *want, struct err *err)
{
	g_auto(GStrv) words = g_strsplit(hello, " ", 4);

	if (g_strv_length(words) != 4 || !want->hostname || strcmp(words[3], "-") == 0 ||
	    g_ascii_strcasecmp(words[3], want->hostname) != 0)
		return 0;
	(void)err_set(err, ERR_NET_BOX, EADDRINUSE, "the name '%s' is taken in the network '%s'",
		      want->hostname, want->name);
	(void)err_cause(err, "another box of it, %s, was started with that --hostname", words[1]);
	return err_fix(err, "choose another --hostname, or end that box");
}

/* The first number that is free; the others are looked at on the way. */
static int choose_number(struct boxnet *net, const struct boxnet_want *want, struct err *err)
{
	char hello[NETCTL_HELLO_MAX];
	int r = 0;

	for (unsigned i = BOXNET_FIRST; i <= BOXNET_LAST && r == 0; i++) {
		bool there = boxnet_dir_read(net->dir, i, hello);

		if (!there && net->number == 0)
			net->number = i;
		if (there)
			r = name_taken(hello, want, err);
	}
	if (r < 0 || net->number)
		return r;
	(void)err_set(err, ERR_NET_BOX, EADDRNOTAVAIL, "the network '%s' is full", want->name);
	return err_cause(err, "it has %d boxes", BOXNET_LAST - BOXNET_FIRST + 1);
}

/* ---- sockets ---- */

/* By the descriptor of the directory: its path may be longer than a socket's address can be. */
static void sock_address(const struct boxnet *net, unsigned number, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%u.sock", net->dir,
		       number);
}

static int make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int listen_here(struct boxnet *net)
{
	autofd int fd = make_socket();
	struct sockaddr_un to;

	if (fd < 0)
		return fd;
	sock_address(net, net->number, &to);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	net->listener = fd_steal(&fd);
	return 0;
}

/* One that cannot be reached is on its way out: its helper has ended, its lease not yet. */
static void connect_to(struct boxnet *net, unsigned number, const char *hello)
{
	struct boxnet_peer *peer = &net->peers[net->npeers];
	autofd int fd = make_socket();
	struct sockaddr_un to;

	sock_address(net, number, &to);
	if (number == net->number || !boxnet_dir_read(net->dir, number, peer->hello) || fd < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    send(fd, hello, strlen(hello), MSG_NOSIGNAL) < 0)
		return;
	peer->fd = fd_steal(&fd);
	net->npeers++;
}

/* ---- joining ---- */

static int cannot(const struct boxnet *net, const struct boxnet_want *want, int r, struct err *err)
{
	(void)err_set(err, ERR_NET_BOX, r, "cannot join the network '%s'", want->name);
	return err_cause(err, "in '%s'", net->path);
}

/* Locked. */
static int join(struct boxnet *net, const struct boxnet_want *want, struct err *err)
{
	unsigned others = boxnet_dir_sweep(net->dir);
	char hello[NETCTL_HELLO_MAX];
	int r = others ? 0 : boxnet_dir_set_subnet(net->dir, want->network);

	net->network = boxnet_dir_subnet(net->dir);
	if (r < 0 || net->network == 0)
		return cannot(net, want, r < 0 ? r : -EBADMSG, err);
	r = choose_number(net, want, err);
	if (r < 0)
		return r;
	make_hello(net, want, hello);
	net->lease = boxnet_dir_lease(net->dir, net->number, hello);
	r = net->lease < 0 ? net->lease : listen_here(net);
	if (r < 0)
		return cannot(net, want, r, err);
	net->peers = g_new0(struct boxnet_peer, others + 1);
	for (unsigned i = BOXNET_FIRST; i <= BOXNET_LAST && net->npeers < others; i++)
		connect_to(net, i, hello);
	return 0;
}

static int join_once(struct boxnet *net, const struct boxnet_want *want, struct err *err)
{
	int r = boxnet_dir_open(net, want, err);

	if (r == 0) {
		boxnet_dir_sweep_others(net);
		r = join(net, want, err);
		boxnet_dir_unlock(net->dir);
	}
	if (r < 0)
		boxnet_leave(net);
	return r;
}

/* A box that was killed this moment has its name until the last process of it is gone. */
int boxnet_join(struct boxnet *net, const struct boxnet_want *want, struct err *err)
{
	const struct timespec pause = { .tv_nsec = NAME_PAUSE_MS * 1000000 };
	int r = join_once(net, want, err);

	for (int i = 0; i < NAME_TRIES && r == -EADDRINUSE; i++) {
		(void)nanosleep(&pause, NULL);
		*err = (struct err){ 0 };
		r = join_once(net, want, err);
	}
	return r;
}

static void close_sockets(struct boxnet *net)
{
	for (unsigned i = 0; i < net->npeers; i++)
		fd_close(&net->peers[i].fd);
	net->npeers = 0;
	g_clear_pointer(&net->peers, g_free);
	fd_close(&net->listener);
}

void boxnet_leave(struct boxnet *net)
{
	/* without the lock: what is ours we may take away; the rest is left to the next one */
	bool locked = net->dir >= 0 && boxnet_dir_lock(net->dir) == 0;

	close_sockets(net);
	if (net->lease >= 0)
		boxnet_dir_release(net->dir, net->number);
	fd_close(&net->lease);
	if (locked && boxnet_dir_sweep(net->dir) == 0)
		boxnet_dir_remove(net);
	fd_close(&net->dir);
	g_free(net->path);
	boxnet_init(net);
}

/* ---- the helper is given all of it ---- */

/* It reads nothing before it is confined: with many members the socket may be full until then. */
static int give(int control, enum netctl_kind kind, const char *text, int fd)
{
	struct pollfd p = { .fd = control, .events = POLLOUT };
	int r;

	do
		r = netctl_send(control, kind, 0, text, strlen(text), fd);
	while (r == -EAGAIN && poll(&p, 1, GIVE_MS) > 0);
	return r;
}

int op_net_peers_apply(const struct op *op, struct run *run, struct err *err)
{
	struct boxnet *net = run->plan->boxnet;
	int r;

	if (!net || net->listener < 0)
		return err_set(err, ERR_INTERNAL, EBADF, "the network '%s' was not joined",
			       op->u.net_peers.name);
	r = give(run->net.control, NETCTL_PEERS_LISTEN, "", net->listener);
	for (unsigned i = 0; i < net->npeers && r == 0; i++)
		r = give(run->net.control, NETCTL_PEER, net->peers[i].hello, net->peers[i].fd);
	/* they are the helper's now: its end must be seen as the end of the box */
	close_sockets(net);
	if (r == -EPIPE || r == -ECONNRESET) /* what it said is read when it should be ready */
		return 0;
	return r < 0 ? err_set(err, ERR_NET_HELPER, r,
			       "cannot tell the network helper of its peers")
		     : 0;
}
