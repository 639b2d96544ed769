// SPDX-License-Identifier: MIT
#include "peek.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hello.h"
#include "outlet.h"
#include "rules.h"

enum { PORT_HTTP = 80 };

struct flow {
	struct naddr dst;
	uint16_t port;
	bool passed; /* what is held has only to be sent */
	GByteArray *held;
};

struct peeks {
	struct peeks_setup setup;
	GHashTable *flows; /* descriptor -> struct flow */
};

static void flow_free(void *p)
{
	struct flow *flow = p;

	g_byte_array_unref(flow->held);
	g_free(flow);
}

struct peeks *peeks_new(const struct peeks_setup *setup)
{
	struct peeks *peeks = g_new0(struct peeks, 1);

	peeks->setup = *setup;
	peeks->flows = g_hash_table_new_full(NULL, NULL, NULL, flow_free);
	return peeks;
}

void peeks_free(struct peeks *peeks)
{
	g_hash_table_unref(peeks->flows);
	g_free(peeks);
}

void peek_begin(struct peeks *peeks, int fd, const struct naddr *dst, uint16_t port)
{
	struct flow *flow = g_new0(struct flow, 1);

	flow->dst = *dst;
	flow->port = port;
	flow->held = g_byte_array_new();
	g_hash_table_replace(peeks->flows, GINT_TO_POINTER(fd), flow);
}

void peek_end(struct peeks *peeks, int fd)
{
	(void)g_hash_table_remove(peeks->flows, GINT_TO_POINTER(fd));
}

bool peek_has(const struct peeks *peeks, int fd)
{
	return g_hash_table_size(peeks->flows) &&
	       g_hash_table_contains(peeks->flows, GINT_TO_POINTER(fd));
}

/* A socket that was never connected takes the place of this one: libslirp finds ENOTCONN there, and
 * resets the connection. */
static ssize_t refuse(struct peeks *peeks, int fd, const struct flow *flow, const char *name)
{
	int none = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (none < 0 || dup3(none, fd, O_CLOEXEC) < 0)
		(void)shutdown(fd, SHUT_RDWR);
	if (none >= 0)
		(void)close(none);
	peeks->setup.refused(peeks->setup.opaque, &flow->dst, flow->port, name);
	peek_end(peeks, fd);
	errno = EAGAIN;
	return -1;
}

static ssize_t wait_for_room(void)
{
	errno = EAGAIN;
	return -1;
}

/* What is held, then this piece. While any is held the piece is not taken, so that libslirp comes
 * again. */
static ssize_t pass(struct peeks *peeks, int fd, struct flow *flow, const void *data, size_t size)
{
	if (flow->held->len) {
		ssize_t n = outlet_raw_send(fd, flow->held->data, flow->held->len);

		if (n < 0)
			return -1;
		g_byte_array_remove_range(flow->held, 0, (guint)n);
		if (flow->held->len)
			return wait_for_room();
	}
	peek_end(peeks, fd);
	return outlet_raw_send(fd, data, size);
}

static enum hello look(const struct flow *flow, char *name)
{
	const GByteArray *held = flow->held;

	return flow->port == PORT_HTTP ? hello_http(held->data, held->len, name)
				       : hello_tls(held->data, held->len, name);
}

ssize_t peek_send(struct peeks *peeks, int fd, const void *data, size_t size)
{
	struct flow *flow = g_hash_table_lookup(peeks->flows, GINT_TO_POINTER(fd));
	char name[HELLO_NAME] = "";
	guint before = flow->held->len;
	size_t n = MIN(size, HELLO_MAX - before);
	enum hello r;

	if (flow->passed)
		return pass(peeks, fd, flow, data, size);
	g_byte_array_append(flow->held, data, (guint)n);
	r = look(flow, name);
	if (r == HELLO_MORE)
		return (ssize_t)n;
	if (r == HELLO_NONE)
		return refuse(peeks, fd, flow, "");
	if (!rules_names_match(peeks->setup.rules, IPPROTO_TCP, &flow->dst, flow->port, name))
		return refuse(peeks, fd, flow, name);
	flow->passed = true;
	g_byte_array_set_size(flow->held, before);
	return pass(peeks, fd, flow, data, size);
}
