// SPDX-License-Identifier: MIT
/* The host's addresses and routes, read by rtnetlink(7), and its name service's files. It only
 * asks; any user may. */
#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/host.h>
#include <sandbox/resolv.h>

enum { NETS_MAX = 65536, BUFFER = 32768 };

struct facts {
	GArray *nets; /* struct host_net4 */
	bool address6, route6;
};

static void add_net(struct facts *f, const void *address, unsigned prefix)
{
	struct host_net4 net = { .prefix = prefix };
	uint32_t number = 0;

	if (address)
		memcpy(&number, address, sizeof(number));
	net.address = GUINT32_FROM_BE(number);
	if (f->nets->len < NETS_MAX && prefix > 0 && prefix <= 32)
		g_array_append_val(f->nets, net);
}

static const struct rtattr *find(const struct rtattr *rta, int len, unsigned short type)
{
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		if (rta->rta_type == type)
			return rta;
	return NULL;
}

static void take_address(struct facts *f, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	int len = (int)IFA_PAYLOAD(h);
	const struct rtattr *a = find(IFA_RTA(m), len, IFA_LOCAL);

	if (!a)
		a = find(IFA_RTA(m), len, IFA_ADDRESS);
	if (m->ifa_family == AF_INET && a && RTA_PAYLOAD(a) == 4)
		add_net(f, RTA_DATA(a), m->ifa_prefixlen);
	if (m->ifa_family == AF_INET6 && m->ifa_scope == RT_SCOPE_UNIVERSE)
		f->address6 = true;
}

static void take_route(struct facts *f, const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	int len = (int)RTM_PAYLOAD(h);
	const struct rtattr *a = find(RTM_RTA(m), len, RTA_DST);
	bool unicast = m->rtm_type == RTN_UNICAST;

	if (m->rtm_family == AF_INET && unicast && m->rtm_dst_len > 0)
		add_net(f, a ? RTA_DATA(a) : NULL, m->rtm_dst_len);
	if (m->rtm_family == AF_INET6 && unicast && m->rtm_dst_len == 0)
		f->route6 = true;
}

/* One datagram of a dump. 1: it was the last. */
static int take_messages(struct facts *f, const void *buf, ssize_t n)
{
	const struct nlmsghdr *h = buf;
	unsigned left = (unsigned)n;

	for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return 1;
		if (h->nlmsg_type == RTM_NEWADDR)
			take_address(f, h);
		if (h->nlmsg_type == RTM_NEWROUTE)
			take_route(f, h);
	}
	return 0;
}

static void dump(int sock, uint16_t type, uint8_t family, struct facts *f)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m; /* family is the first byte of ifaddrmsg, too */
	} ask = { .h = { .nlmsg_len = sizeof(ask),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		  .m = { .rtm_family = family } };
	g_autofree char *buf = NULL;
	ssize_t n;

	if (send(sock, &ask, sizeof(ask), 0) < 0)
		return;
	buf = g_malloc(BUFFER);
	do {
		do
			n = recv(sock, buf, BUFFER, 0);
		while (n < 0 && errno == EINTR);
	} while (n > 0 && take_messages(f, buf, n) == 0);
}

static char *read_file(const char *path)
{
	char *text = NULL;
	gsize len;

	if (!g_file_get_contents(path, &text, &len, NULL))
		return NULL;
	return text;
}

static char *read_resolv(void)
{
	g_autofree char *text = read_file("/etc/resolv.conf");

	return text ? resolv_number(text, if_nametoindex) : NULL;
}

void host_net_probe(struct host_net *ret)
{
	autofd int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct facts f = { .nets = g_array_new(FALSE, FALSE, sizeof(struct host_net4)) };

	if (sock >= 0) {
		dump(sock, RTM_GETADDR, AF_INET, &f);
		dump(sock, RTM_GETROUTE, AF_INET, &f);
		dump(sock, RTM_GETADDR, AF_INET6, &f);
		dump(sock, RTM_GETROUTE, AF_INET6, &f);
	}
	*ret = (struct host_net){
		.ipv6 = f.address6 && f.route6,
		.ipv6_built_in = access("/proc/net/if_inet6", F_OK) == 0,
		.resolv = read_resolv(),
		.hosts = read_file("/etc/hosts"),
	};
	ret->nnets = f.nets->len;
	ret->nets = (struct host_net4 *)(void *)g_array_free(f.nets, FALSE);
}

void host_net_clear(struct host_net *net)
{
	g_clear_pointer(&net->nets, g_free);
	g_clear_pointer(&net->resolv, g_free);
	g_clear_pointer(&net->hosts, g_free);
}
