// SPDX-License-Identifier: MIT
/*
 * The box's network interface and the descriptor of its frames, which goes to the launcher and
 * from there to sandbox-net. Runs in the child, with CAP_NET_ADMIN over its own network namespace.
 *
 *   TAP    of /dev/net/tun, where that exists and may be opened
 *   veth   else, without any device node: the far end stands in a second network namespace, which
 *          only the AF_PACKET socket bound to it keeps alive, so that nobody in the box can reach
 *          that end or change it
 *
 * Both were measured to be equally fast at this MTU.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>
#include <sandbox/wire.h>

#include "ops.h"
#include "rtnl.h"

static const char far_end[] = "box";

/* ---- TAP ---- */

static int tap_open(const char *name)
{
	autofd int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	/* it goes with the network namespace, in the background; else the helper would take it away by
	 * closing it, which keeps a process from ending for 10 ms and more */
	(void)ioctl(fd, TUNSETPERSIST, 1);
	return fd_steal(&fd);
}

/* ---- veth ---- */

/* Frames as they are on a wire: the far end is no network stack that would cut a large segment or
 * fill a checksum in. */
static int no_offload(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_STXCSUM };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	autofd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	return sock < 0 || ioctl(sock, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

/* A pair with eth0 in `box` and the other end here. */
static int make_pair(int sock, int box, const struct op *op, const char **ret_what)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	const struct ifinfomsg far = { .ifi_family = AF_UNSPEC };
	const struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct rtnl b = { .len = 0 };
	size_t info, data, peer;

	rtnl_begin(&b, "a pair of interfaces (veth)", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head,
		   sizeof(head));
	rtnl_str(&b, IFLA_IFNAME, op->u.link.name);
	rtnl_u32(&b, IFLA_MTU, op->u.link.mtu);
	rtnl_u32(&b, IFLA_NET_NS_FD, (uint32_t)box);
	info = rtnl_nest(&b, IFLA_LINKINFO);
	rtnl_str(&b, IFLA_INFO_KIND, "veth");
	data = rtnl_nest(&b, IFLA_INFO_DATA);
	peer = rtnl_nest(&b, VETH_INFO_PEER);
	rtnl_raw(&b, &far, sizeof(far));
	rtnl_str(&b, IFLA_IFNAME, far_end);
	rtnl_u32(&b, IFLA_MTU, op->u.link.mtu);
	rtnl_nest_end(&b, peer);
	rtnl_nest_end(&b, data);
	rtnl_nest_end(&b, info);
	/* only now: one end cannot be up before the other exists */
	rtnl_begin(&b, "the far end of the pair", RTM_SETLINK, 0, &up, sizeof(up));
	rtnl_str(&b, IFLA_IFNAME, far_end);
	return rtnl_commit(&b, sock, ret_what);
}

/* A socket for the frames of the far end. It gets those that come out of the pair alone, not
 * those it has sent itself (PACKET_IGNORE_OUTGOING, Linux 4.20). */
static int open_far(const char **ret_what)
{
	autofd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const int one = 1, room = 1 << 23;
	struct ifreq ifr = { .ifr_name = "" };

	*ret_what = "a packet socket";
	strncpy(ifr.ifr_name, far_end, sizeof(ifr.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &ifr) < 0)
		return -errno;
	to.sll_ifindex = ifr.ifr_ifindex;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return fd_steal(&fd);
}

static int far_socket(int box, const struct op *op, const char **ret_what)
{
	autofd int sock = -EBADF;
	int r;

	*ret_what = "a second network namespace";
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	sock = rtnl_open();
	r = sock < 0 ? sock : make_pair(sock, box, op, ret_what);
	return r < 0 ? r : open_far(ret_what);
}

/* Back in the box's network namespace at the end, whatever happened between. */
static int veth_open(const struct op *op, const char **ret_what)
{
	autofd int sock = rtnl_open(), box = -EBADF, fd = -EBADF;
	int r;

	/* without /proc: the namespace of a socket of ours (Linux 4.9) */
	*ret_what = "the box's network namespace";
	box = sock < 0 ? -1 : ioctl(sock, SIOCGSKNS);
	if (box < 0)
		return -errno;
	fd = far_socket(box, op, ret_what);
	if (setns(box, CLONE_NEWNET) < 0) /* nothing may go on in the wrong one */
		return -errno;
	if (fd < 0)
		return fd;
	*ret_what = "veth without offloads";
	r = no_offload(op->u.link.name);
	return r < 0 ? r : fd_steal(&fd);
}

/* ---- both ---- */

/* No link-local address: nothing is to be detected or advertised on a link of two. */
static void put_ipv6_mode(struct rtnl *b, const struct op *op)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	size_t spec, inet6;

	rtnl_begin(b, "the interface's IPv6 mode", RTM_SETLINK, 0, &head, sizeof(head));
	rtnl_str(b, IFLA_IFNAME, op->u.link.name);
	spec = rtnl_nest(b, IFLA_AF_SPEC);
	inet6 = rtnl_nest(b, AF_INET6);
	rtnl_attr(b, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	rtnl_nest_end(b, inet6);
	rtnl_nest_end(b, spec);
}

static bool has_ipv6(void)
{
	autofd int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0;
}

static int configure(const struct op *op, const char **ret_what)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	autofd int sock = rtnl_open();
	struct rtnl b = { .len = 0 };

	*ret_what = "a netlink socket";
	if (sock < 0)
		return sock;
	rtnl_begin(&b, "the interface's address and MTU", RTM_SETLINK, 0, &head, sizeof(head));
	rtnl_str(&b, IFLA_IFNAME, op->u.link.name);
	rtnl_attr(&b, IFLA_ADDRESS, op->u.link.mac, sizeof(op->u.link.mac));
	rtnl_u32(&b, IFLA_MTU, op->u.link.mtu);
	if (has_ipv6())
		put_ipv6_mode(&b, op);
	return rtnl_commit(&b, sock, ret_what);
}

static int no_interface(int tap, int veth, const char *what, struct err *err)
{
	(void)err_set(err, ERR_NET_LINK, veth, "cannot make a network interface for the box");
	(void)err_cause(err, "/dev/net/tun: %s; %s: %s", strerror(-tap), what, strerror(-veth));
	if (veth == -EAFNOSUPPORT) /* what our own system call filter answers */
		return err_fix(err, "inside another box: give that one --cap-add NET_RAW, or a "
				    "--volume of /dev/net/tun with the option dev");
	return err_fix(err,
		       veth == -EOPNOTSUPP
			       ? "load the module of one of them (modprobe tun, modprobe veth), "
				 "or use --network none or --network host"
			       : "use --network none or --network host; sandbox doctor says more");
}

int op_link_apply(const struct op *op, struct run *run, struct err *err)
{
	struct err note = { .num = NETCTL_TAP };
	const char *what = "veth";
	autofd int fd = tap_open(op->u.link.name);
	int tap = fd, r;

	if (tap < 0) {
		note.num = NETCTL_PACKET;
		fd = veth_open(op, &what);
	}
	if (fd < 0)
		return no_interface(tap, fd, what, err);
	r = configure(op, &what);
	if (r < 0)
		return err_set(err, ERR_NET_LINK, r, "cannot set %s", what);
	r = wire_send(run->wire, WIRE_FD, WIRE_SLOT_LINK, &note, fd);
	return r < 0 ? err_set(err, ERR_DIED, r, "the launcher is gone") : 0;
}
