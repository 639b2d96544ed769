// SPDX-License-Identifier: MIT
/* The box's own network namespace: loopback, and the addresses and routes of its interface. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <sandbox/fd.h>

#include "ops.h"
#include "rtnl.h"

static int set_up(const char *name)
{
	autofd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "" };

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &ifr) < 0)
		return -errno;
	ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(sock, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

/* "lo" is there in every new network namespace, but down. */
int op_loopback_apply(const struct op *op, struct run *run, struct err *err)
{
	int r = set_up("lo");

	(void)op;
	(void)run;
	return r < 0 ? err_set(err, ERR_NETNS, r, "cannot bring the loopback interface up") : 0;
}

static int index_of(const char *name)
{
	autofd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "" };

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	return sock < 0 || ioctl(sock, SIOCGIFINDEX, &ifr) < 0 ? -errno : ifr.ifr_ifindex;
}

static void put_address(struct rtnl *b, uint8_t family, const void *address, size_t size,
			unsigned prefix, int index)
{
	/* nodad: detection of duplicates takes seconds, and nobody else is on the link */
	const struct ifaddrmsg head = { .ifa_family = family,
					.ifa_prefixlen = (uint8_t)prefix,
					.ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
					.ifa_scope = RT_SCOPE_UNIVERSE,
					.ifa_index = (uint32_t)index };

	rtnl_begin(b, family == AF_INET ? "the IPv4 address" : "the IPv6 address", RTM_NEWADDR,
		   NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	rtnl_attr(b, IFA_LOCAL, address, size);
	rtnl_attr(b, IFA_ADDRESS, address, size);
}

static void put_default(struct rtnl *b, uint8_t family, const void *gateway, size_t size, int index)
{
	const struct rtmsg head = { .rtm_family = family,
				    .rtm_table = RT_TABLE_MAIN,
				    .rtm_protocol = RTPROT_STATIC,
				    .rtm_scope = RT_SCOPE_UNIVERSE,
				    .rtm_type = RTN_UNICAST };

	rtnl_begin(b, family == AF_INET ? "the IPv4 route" : "the IPv6 route", RTM_NEWROUTE,
		   NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	rtnl_attr(b, RTA_GATEWAY, gateway, size);
	rtnl_u32(b, RTA_OIF, (uint32_t)index);
}

int op_address_apply(const struct op *op, struct run *run, struct err *err)
{
	uint32_t address = htonl(op->u.address.address), gateway = htonl(op->u.address.gateway);
	int index = index_of(op->u.address.name), r = set_up(op->u.address.name);
	autofd int sock = rtnl_open();
	struct rtnl b = { .len = 0 };
	const char *what = "";

	(void)run;
	if (sock < 0 || index < 0 || r < 0)
		return err_set(err, ERR_NETNS,
			       sock < 0    ? sock
			       : index < 0 ? index
					   : r,
			       "cannot bring the interface %s up", op->u.address.name);
	put_address(&b, AF_INET, &address, sizeof(address), op->u.address.prefix, index);
	put_default(&b, AF_INET, &gateway, sizeof(gateway), index);
	if (op->u.address.ipv6) {
		put_address(&b, AF_INET6, op->u.address.address6, 16, op->u.address.prefix6, index);
		put_default(&b, AF_INET6, op->u.address.gateway6, 16, index);
	}
	r = rtnl_commit(&b, sock, &what);
	if (r == 0)
		return 0;
	(void)err_set(err, ERR_NETNS, r, "cannot set %s of %s", what, op->u.address.name);
	return op->u.address.ipv6 ? err_fix(err, "try it without IPv6: --ipv6 off") : -err->num;
}
