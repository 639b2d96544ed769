// SPDX-License-Identifier: MIT
/*
 * Frames of a box through the filter and into libslirp itself, with the helper's own configuration and
 * callbacks (slirp.c), and what libslirp says back through the filter again. Nothing leaves the process:
 * every connection ends in a pair of sockets here, every datagram is swallowed.
 *
 * The input is a row of frames: a byte of flags (below), one of the length of what follows, and that. A
 * frame is made whole, with its lengths, addresses and checksums, unless a flag says otherwise, since
 * libslirp looks no further at one that is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../unit/net-place.h"
#include "checksum.h"
#include "fuzz.h"
#include "net.h"
#include "outlet.h"

enum flag {
	KIND = 3, /* TCP, UDP, ICMP, or as it is */
	IPV6 = 4,
	ON = 8, /* TCP: goes on where libslirp's last segment left off */
	TO_GATEWAY = 16,
	SPEAK = 32,   /* the other side of every connection says something first */
	HANG_UP = 64, /* ... or closes */
	NO_CHECKSUM = 128,
};

enum { ROUNDS = 3, CONNECTIONS = 32, L4_MAX = 255, HEADERS = FRAME_ETH + 40 };

/* libslirp 4.7 loses the buffer of some connections that end before they have begun; its faults of
 * memory are looked for here, and what it may use at all is bounded by loop.c. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

static struct {
	struct outlet_setup outlet;
	int ends[CONNECTIONS]; /* the other sides */
	unsigned n;
	uint32_t seq, ack; /* for ON */
	uint16_t port;
} world;

/* ---- what slirp.c needs of the rest ---- */

void outlet_open(const struct outlet_setup *setup)
{
	world.outlet = *setup;
}

uint8_t outlet_proto(int fd)
{
	int proto = 0;
	socklen_t len = sizeof(proto);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) < 0 ? 0 : (uint8_t)proto;
}

ssize_t outlet_raw_send(int fd, const void *data, size_t size)
{
	return syscall(SYS_sendto, fd, data, size, MSG_NOSIGNAL, NULL, 0);
}

int pollset_add(struct pollset *set, int fd, short events)
{
	if (set->n == set->size)
		return -1;
	set->fds[set->n] = (struct pollfd){ .fd = fd, .events = events };
	return (int)set->n++;
}

void dns_stream(struct dns *dns, int fd)
{
	(void)dns;
	(void)close(fd);
}

void log_refused(struct log *log, uint8_t proto, const struct naddr *dst, uint16_t port,
		 const char *name, const char *why, int64_t now)
{
	(void)log;
	(void)proto;
	(void)dst;
	(void)port;
	(void)name;
	(void)why;
	(void)now;
}

/* A frame for the box. What it acknowledges and where it ends is how a client would go on. */
void link_write(struct link *link, const uint8_t *p, size_t len)
{
	struct frame frame;

	FUZZ_CHECK(frame_parse(p, len, &frame) == FRAME_OK);
	if (frame.kind != FRAME_ARP && frame.proto != IPPROTO_ICMPV6) { /* neighbour discovery */
		const struct filter_box *box = &link->box;

		FUZZ_CHECK(naddr_equal(&frame.dst,
				       frame.kind == FRAME_IPV4 ? &box->ipv4 : &box->ipv6));
		FUZZ_CHECK(!filter_is_special(&frame.src));
	}
	if (frame.proto != IPPROTO_TCP)
		return;
	world.port = frame.dport;
	world.seq = get32(p + frame.l4 + 8);
	world.ack = get32(p + frame.l4 + 4) + frame.end - frame.payload +
		    (frame.tcp_flags & (FRAME_SYN | FRAME_FIN) ? 1 : 0);
}

/* ---- what libslirp would ask the kernel for: bound as in the helper, see outlet.h ---- */

static int make_pair(int fd)
{
	int pair[2];

	if (world.n == CONNECTIONS ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	FUZZ_CHECK(dup3(pair[1], fd, O_CLOEXEC) == fd);
	(void)close(pair[1]);
	world.ends[world.n++] = pair[0];
	return 0;
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct naddr dst;
	uint16_t port;

	/* the second lock holds as well: what the frame said is what the kernel would be told */
	FUZZ_CHECK(naddr_from(to, len, &dst, &port));
	FUZZ_CHECK(!filter_is_host(world.outlet.filter, &dst));
	if (world.outlet.decide(world.outlet.opaque, &dst, port) != OUTLET_DIVERT &&
	    !filter_socket(world.outlet.filter, IPPROTO_TCP, &dst, port)) {
		errno = ECONNREFUSED;
		return -1;
	}
	if (make_pair(fd) == 0)
		return 0;
	errno = ECONNREFUSED;
	return -1;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	(void)flags;
	return outlet_raw_send(fd, data, size);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	       socklen_t len)
{
	(void)fd;
	(void)data;
	(void)flags;
	(void)to;
	(void)len;
	return (ssize_t)size;
}

/* ---- the box ---- */

static size_t put_header(uint8_t *p, const struct filter_box *box, unsigned flags, uint8_t proto,
			 size_t len)
{
	const struct naddr to4 = addr(flags & TO_GATEWAY ? "10.0.2.2" : "198.51.100.1");
	const struct naddr to6 = addr(flags & TO_GATEWAY ? "fd73::2" : "2001:db8::1");
	uint8_t *l3 = p + FRAME_ETH;

	memset(p, 0, HEADERS);
	memcpy(p + 6, box->mac, 6);
	put16(p + 12, flags & IPV6 ? 0x86dd : 0x0800);
	if (flags & IPV6) {
		l3[0] = 0x60;
		put16(l3 + 4, (unsigned)len);
		l3[6] = proto;
		l3[7] = 64;
		memcpy(l3 + 8, box->ipv6.bytes, 16);
		memcpy(l3 + 24, to6.bytes, 16);
		return HEADERS;
	}
	l3[0] = 0x45;
	put16(l3 + 2, (unsigned)(20 + len));
	l3[8] = 64;
	l3[9] = proto;
	memcpy(l3 + 12, box->ipv4.bytes, 4);
	memcpy(l3 + 16, to4.bytes, 4);
	put16(l3 + 10, checksum_fold(checksum_add(0, l3, 20)));
	return FRAME_ETH + 20;
}

static void make_whole(uint8_t *l4, size_t len, uint8_t proto, unsigned flags)
{
	if (proto == IPPROTO_UDP)
		put16(l4 + 4, (unsigned)len);
	if (proto == IPPROTO_ICMP)
		l4[0] = 8, l4[1] = 0;
	if (proto == IPPROTO_ICMPV6)
		l4[0] = 128, l4[1] = 0;
	if (proto != IPPROTO_TCP)
		return;
	l4[12] = (uint8_t)((l4[12] % 3 * 4 + 20) << 2); /* a header of 20, 24 or 28 bytes */
	if ((size_t)(l4[12] >> 2) > len)
		l4[12] = 20 << 2;
	if (!(flags & ON))
		return;
	put16(l4, world.port);
	put32(l4 + 4, world.seq + (uint32_t)(int8_t)l4[7]);
	put32(l4 + 8, world.ack + (uint32_t)(int8_t)l4[11]);
}

/* A frame of one row of the input. Returns its length. */
static size_t make_frame(uint8_t *p, const struct filter_box *box, unsigned flags,
			 const uint8_t *data, size_t len)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	static const uint8_t least[] = { 20, 8, 8 };
	uint8_t proto, *l4;
	size_t at;

	if ((flags & KIND) == 3) {
		memcpy(p, data, len);
		return len;
	}
	if (len < least[flags & KIND])
		return 0;
	proto = protos[flags & KIND];
	if (proto == IPPROTO_ICMP && flags & IPV6)
		proto = IPPROTO_ICMPV6;
	at = put_header(p, box, flags, proto, len);
	l4 = p + at;
	memcpy(l4, data, len);
	make_whole(l4, len, proto, flags);
	if (!(flags & NO_CHECKSUM))
		checksum_l4(p + FRAME_ETH, l4, len);
	return at + len;
}

/* ---- turns ---- */

static void turn(struct net *net, struct pollset *set)
{
	net->now = set->now = ++net->talks.now;
	set->n = 0;
	set->deadline = set->now;
	slirp_fill(net->slirp, set, false);
	if (poll(set->fds, set->n, 0) >= 0)
		slirp_handle(net->slirp, set);
}

static void act(unsigned flags)
{
	for (unsigned i = 0; i < world.n; i++) {
		if (flags & SPEAK)
			(void)outlet_raw_send(world.ends[i], "0123456789abcdef", 16);
		if (flags & HANG_UP)
			(void)shutdown(world.ends[i], SHUT_WR);
	}
}

static void take(struct net *net, uint8_t *p, size_t len)
{
	enum filter_reason why;
	struct frame frame;

	if (filter_out(&net->filter, &net->link.box, p, len, &frame, &why) != FILTER_PASS)
		return;
	if (frame.proto == IPPROTO_UDP)
		talks_add(&net->talks, &frame);
	slirp_take(net->slirp, p, frame.end);
}

static void open_net(struct net *net, const struct naddr *host, size_t nhost)
{
	net->link = (struct link){ .fd = -1, .box = place_box() };
	net->filter = place_filter(1500);
	net->filter.host = host;
	net->filter.nhost = nhost;
	net->filter.talks = &net->talks;
	net->filter.ping = true;
	portset_add(&net->filter.host_tcp, 80);
	portset_add(&net->filter.host_udp, 80);
	net->filter.any_host_port = true;
	net->talks.now = 1;
	net->slirp = slirp_open(net);
	FUZZ_CHECK(net->slirp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct naddr host[] = { addr("10.9.9.9"), addr("192.0.2.2"), addr("2001:db8::2") };
	g_autofree struct net *net = g_new0(struct net, 1);
	struct pollfd fds[2 * CONNECTIONS];
	struct pollset set = { .fds = fds, .size = G_N_ELEMENTS(fds) };

	memset(&world, 0, sizeof(world));
	open_net(net, host, G_N_ELEMENTS(host));
	while (size > 2) {
		const unsigned flags = data[0];
		const size_t len = MIN(data[1], size - 2);
		/* on the heap and no longer than it is: a read past its end is seen */
		g_autofree uint8_t *whole = g_malloc(HEADERS + L4_MAX), *p = NULL;
		const size_t n = make_frame(whole, &net->link.box, flags, data + 2, len);

		p = malloc(n ? n : 1);
		FUZZ_CHECK(p);
		memcpy(p, whole, n);
		data += 2 + len;
		size -= 2 + len;
		act(flags);
		take(net, p, n);
		for (int i = 0; i < ROUNDS; i++)
			turn(net, &set);
	}
	slirp_close(net->slirp);
	for (unsigned i = 0; i < world.n; i++)
		(void)close(world.ends[i]);
	return 0;
}
