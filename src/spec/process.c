// SPDX-License-Identifier: MIT
/* The command's terminal, signals and descriptors. Whether a descriptor is open is looked at
 * where it is used; here its number must make sense. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "build.h"

int set_tty(struct build *b, struct err *err)
{
	(void)err;
	b->spec->tty = b->occ->negated ? TTY_OFF : TTY_ON;
	return 0;
}

int set_stop_signal(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int r = value_signal(value, strlen(value), &b->spec->stop_signal);

	if (r == -ERANGE)
		return build_refuse(err, b, "there is no signal with this number");
	return r < 0 ? build_refuse(err, b, "there is no signal with this name") : 0;
}

int set_argv0(struct build *b, struct err *err)
{
	(void)err;
	b->spec->argv0 = b->occ->value;
	return 0;
}

/* Keeps the list sorted and each number in it once. */
static int fd_insert(struct build *b, int fd, struct err *err)
{
	GArray *fds = b->spec->preserve_fds;
	guint i = fds->len;

	while (i > 0 && g_array_index(fds, int, i - 1) > fd)
		i--;
	if (i > 0 && g_array_index(fds, int, i - 1) == fd)
		return 0;
	if (fds->len >= FDS_MAX)
		return build_refuse(err, b, "there are more than %d descriptors", FDS_MAX);
	g_array_insert_val(fds, i, fd);
	return 0;
}

/* "5" or "5-7". */
static int fd_range(struct build *b, const char *item, size_t len, struct err *err)
{
	const char *dash = memchr(item, '-', len);
	size_t head = dash ? (size_t)(dash - item) : len;
	int first = 0, last, r = value_int(item, head, 0, INT_MAX - 1, &first);

	last = first;
	if (r == 0 && dash)
		r = value_int(dash + 1, len - head - 1, 0, INT_MAX - 1, &last);
	if (r < 0)
		return build_refuse_number(err, b, r, item, len);
	if (first < 3)
		return build_refuse(err, b, "0, 1 and 2 are always there; '%.*s' begins below 3",
				    (int)MIN(len, 64), item);
	if (last < first)
		return build_refuse(err, b, "the range '%.*s' runs backwards", (int)MIN(len, 64),
				    item);
	for (int fd = first; fd <= last && r == 0; fd++)
		r = fd_insert(b, fd, err);
	return r;
}

int set_preserve_fds(struct build *b, struct err *err)
{
	const char *list = b->occ->value, *item;
	size_t len;
	int r = 0;

	while (r == 0 && value_list_next(&list, &item, &len))
		r = fd_range(b, item, len, err);
	return r;
}

static int set_fd(struct build *b, int lowest, const char *why, struct err *err)
{
	int *field = (int *)(void *)((char *)b->spec + b->row->field);
	const char *value = b->occ->value;
	int fd = -1, r = value_int(value, strlen(value), 0, INT_MAX, &fd);

	if (r < 0)
		return build_refuse_number(err, b, r, value, strlen(value));
	if (fd < lowest && !(lowest == 3 && fd == 0))
		return build_refuse(err, b, "%s", why);
	*field = fd;
	return 0;
}

int set_fd_out(struct build *b, struct err *err)
{
	return set_fd(b, 1, "it is written to, and 0 is standard input", err);
}

int set_fd_in(struct build *b, struct err *err)
{
	return set_fd(b, 3, "it is read from, and 1 and 2 are for output", err);
}
