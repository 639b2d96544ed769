// SPDX-License-Identifier: MIT
/* What the launcher tells: see netctl.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

#include "net.h"

static void on_link(struct net *net, const struct netctl_msg *msg, int *fd)
{
	if (*fd < 0 || net->link.fd >= 0 ||
	    (msg->value != NETCTL_TAP && msg->value != NETCTL_PACKET))
		return;
	(void)fcntl(*fd, F_SETFL, O_NONBLOCK | O_RDWR);
	link_open(&net->link, fd_steal(fd), &net->config.box);
}

static void on_peers(struct net *net, int fd)
{
	const struct peers_setup setup = { .filter = &net->filter,
					   .box = &net->config.box,
					   .link = &net->link,
					   .names = net->names,
					   .rules = net->rules };

	if (net->peers)
		(void)close(fd);
	else
		net->peers = peers_new(&setup, fd);
}

static void on_message(struct net *net, const struct netctl_msg *msg, const char *text, int *fd)
{
	switch ((enum netctl_kind)msg->kind) {
	case NETCTL_LINK: on_link(net, msg, fd); break;
	case NETCTL_RESOLV: dns_set_resolv(net->dns, text); break;
	case NETCTL_AGENT:
		if (*fd >= 0)
			relay_set_agent(net->relay, fd_steal(fd));
		break;
	case NETCTL_LISTEN:
		if (*fd >= 0)
			(void)relay_listen(net->relay, msg->value, fd_steal(fd));
		break;
	case NETCTL_PEERS_LISTEN:
		if (*fd >= 0)
			on_peers(net, fd_steal(fd));
		break;
	case NETCTL_PEER:
		if (*fd >= 0 && net->peers)
			peers_add(net->peers, fd_steal(fd), text);
		break;
	case NETCTL_LEAVE: net->leave = true; break;
	case NETCTL_PROCESS:
	case NETCTL_REFUSED:
	case NETCTL_NOTICE:
	case NETCTL_SUMMARY:
	case _NETCTL_MAX: break; /* ours to send */
	}
}

void control_fill(struct net *net, struct pollset *set)
{
	net->exit_index = pollset_add(set, net->exit, 0); /* POLLHUP comes unasked */
	net->control_index = pollset_add(set, net->control, POLLIN);
}

void control_handle(struct net *net, const struct pollset *set)
{
	static const short gone = POLLHUP | POLLERR | POLLNVAL;
	int r = 0;

	if (pollset_got(set, net->exit_index) & gone)
		net->leave = true;
	if (!pollset_got(set, net->control_index))
		return;
	while (r == 0) {
		char text[NETCTL_TEXT_MAX + 1];
		autofd int fd = -EBADF;
		struct netctl_msg msg;

		r = netctl_recv(net->control, &msg, text, sizeof(text), &fd);
		if (r == 0)
			on_message(net, &msg, text, &fd);
	}
	if (r != -EAGAIN)
		net->leave = true;
}
