// SPDX-License-Identifier: MIT
#include "link.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RETRY_MS = 1 };

struct link_frame {
	struct link_frame *next;
	size_t len;
	uint8_t data[];
};

void link_open(struct link *link, int fd, const struct filter_box *box)
{
	*link = (struct link){ .fd = fd, .index = -1, .box = *box };
	link->tail = &link->head;
}

static void pop(struct link *link)
{
	struct link_frame *frame = link->head;

	link->head = frame->next;
	link->queued -= frame->len;
	if (!link->head)
		link->tail = &link->head;
	g_free(frame);
}

void link_close(struct link *link)
{
	while (link->head)
		pop(link);
	if (link->fd >= 0)
		(void)close(link->fd);
	link->fd = -1;
}

/* EAGAIN is "nothing there"; EIO of a TAP is an interface that is down, ENETDOWN the same of a
 * packet socket: it may come up again. */
ssize_t link_read(struct link *link, uint8_t *buf, size_t size)
{
	ssize_t n;

	do
		n = read(link->fd, buf, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EIO || errno == ENETDOWN ? 0 : -errno;
	return n;
}

/* False: the kernel takes no more for now. True: written, or not worth keeping, as of an interface that
 * is down or gone. */
static bool try_write(const struct link *link, const uint8_t *buf, size_t len)
{
	ssize_t n;

	do
		n = write(link->fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

static void push(struct link *link, const uint8_t *buf, size_t len)
{
	struct link_frame *frame;

	if (link->queued + len > LINK_QUEUE_MAX)
		return;
	frame = g_malloc(sizeof(*frame) + len);
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->data, buf, len);
	*link->tail = frame;
	link->tail = &frame->next;
	link->queued += len;
}

void link_write(struct link *link, const uint8_t *buf, size_t len)
{
	if (link->fd < 0)
		return;
	if (link->head || !try_write(link, buf, len))
		push(link, buf, len);
}

void link_fill(struct link *link, struct pollset *set)
{
	link->index = -1;
	if (link->fd < 0)
		return;
	/* with a queue only room is waited for; ENOBUFS comes without one to wait for */
	link->index = pollset_add(set, link->fd, link->head ? POLLOUT : POLLIN);
	if (link->head)
		pollset_until(set, set->now + RETRY_MS);
}

bool link_handle(struct link *link, const struct pollset *set)
{
	while (link->head && try_write(link, link->head->data, link->head->len))
		pop(link);
	return !link->head && (pollset_got(set, link->index) & ~POLLOUT) != 0;
}
