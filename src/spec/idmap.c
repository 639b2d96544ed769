// SPDX-License-Identifier: MIT
/*
 * The arithmetic of id maps: see include/sandbox/idmap.h and user_namespaces(7). Pure. Ends of
 * ranges are kept in 64 bits: an end of 2^32-1 (one past the last id) is a legal value that a
 * careless "start + count" in 32 bits makes 0 as soon as it is one more.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/idmap.h>
#include <sandbox/value.h>

#define ID_END ((uint64_t)UINT32_MAX) /* one past the last id */

static uint64_t end_of(uint32_t start, uint32_t count)
{
	return (uint64_t)start + count;
}

static bool overlaps(uint32_t a, uint32_t b, uint32_t acount, uint32_t bcount)
{
	return a < end_of(b, bcount) && b < end_of(a, acount);
}

static const char form[] = "a map is INSIDE:OUTSIDE:COUNT, several with commas between them, as in "
			   "map:0:1000:1,1:100000:65536";

/* What was wrong with one row; `row` is user text and may hold anything. */
static int refuse_row(struct err *err, const char *row, size_t len, const char *cause)
{
	g_autofree char *text = g_strndup(row, MIN(len, 64));
	char quoted[300];

	err_set(err, ERR_IDMAP, 0, "cannot use the id map row '%s'",
		err_quote(quoted, sizeof(quoted), text));
	err_cause(err, "%s", cause);
	return err_fix(err, "%s", form);
}

static const char *row_parse(struct idrange *ret, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	uint64_t n[3] = { 0, 0, 0 };

	for (int i = 0; i < 3; i++) {
		const char *stop = i < 2 ? memchr(p, ':', (size_t)(end - p)) : end;
		int r;

		if (!stop)
			return "it does not have three numbers";
		r = value_u64(p, (size_t)(stop - p), UINT32_MAX, &n[i]);
		if (r == -ERANGE)
			return "a number does not fit into 32 bits";
		if (r < 0)
			return "it is not three decimal numbers with colons between them";
		p = stop + (i < 2);
	}
	if (n[2] == 0)
		return "the count is zero";
	if (n[0] + n[2] > ID_END || n[1] + n[2] > ID_END)
		return "the range goes past 4294967294, the last id";
	*ret = (struct idrange){ (uint32_t)n[0], (uint32_t)n[1], (uint32_t)n[2] };
	return NULL;
}

static const char *row_clash(const GArray *rows, const struct idrange *new)
{
	for (guint i = 0; i < rows->len; i++) {
		const struct idrange *old = &g_array_index(rows, struct idrange, i);

		if (overlaps(old->inside, new->inside, old->count, new->count))
			return "it maps inside ids that an earlier row has mapped";
		if (overlaps(old->outside, new->outside, old->count, new->count))
			return "it maps to outside ids that an earlier row has used";
	}
	return NULL;
}

int idmap_parse(struct idmap *ret, const char *text, struct err *err)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct idrange));
	const char *item;
	size_t len;

	while (value_list_next(&text, &item, &len)) {
		struct idrange row = { 0, 0, 0 };
		const char *fault = row_parse(&row, item, len);

		if (!fault && rows->len == IDMAP_MAX)
			fault = "the kernel takes at most 340 rows";
		if (!fault)
			fault = row_clash(rows, &row);
		if (fault)
			return refuse_row(err, item, len, fault);
		g_array_append_val(rows, row);
	}
	ret->n = rows->len;
	ret->rows = (struct idrange *)(void *)g_array_free(g_steal_pointer(&rows), FALSE);
	return 0;
}

void idmap_clear(struct idmap *map)
{
	g_free(map->rows);
	*map = (struct idmap){ NULL, 0 };
}

void idmap_single(struct idmap *ret, uint32_t inside, uint32_t outside)
{
	ret->rows = g_new(struct idrange, 1);
	ret->rows[0] = (struct idrange){ inside, outside, 1 };
	ret->n = 1;
}

/* The end of the free stretch that begins at `from`, at most `end`; or, where `from` is taken
 * already, *ret_skip: the first id after the row that has it. */
static uint64_t free_until(const struct idrange *rows, size_t n, uint64_t from, uint64_t end,
			   uint64_t *ret_skip)
{
	*ret_skip = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t stop = end_of(rows[i].outside, rows[i].count);

		if (from >= rows[i].outside && from < stop)
			*ret_skip = stop;
		else if (rows[i].outside > from && rows[i].outside < end)
			end = rows[i].outside;
	}
	return end;
}

/* Appends what is still free of one range: /etc/subuid may hold overlapping lines, or one with
 * the user's own id in it, and the kernel refuses a map that uses an outside id twice. */
static size_t append_free(struct idrange *rows, size_t n, uint64_t *inside,
			  const struct subid_range *range)
{
	uint64_t at = range->start, end = MIN(end_of(range->start, range->count), ID_END);

	while (at < end && n < IDMAP_MAX && *inside < ID_END) {
		uint64_t skip, stop = free_until(rows, n, at, end, &skip);
		uint64_t count;

		if (skip) {
			at = skip;
			continue;
		}
		count = MIN(stop - at, ID_END - *inside);
		rows[n++] = (struct idrange){ (uint32_t)*inside, (uint32_t)at, (uint32_t)count };
		*inside += count;
		at = stop;
	}
	return n;
}

int idmap_auto(struct idmap *ret, uint32_t own, const struct subid_range *ranges, size_t n,
	       struct err *err)
{
	struct idrange *rows;
	uint64_t inside = 1;
	size_t used = 1;

	if (own == UINT32_MAX) {
		err_set(err, ERR_IDMAP, 0, "cannot map the caller's id %u", own);
		return err_cause(err, "4294967295 is not an id");
	}
	rows = g_new(struct idrange, IDMAP_MAX);
	rows[0] = (struct idrange){ 0, own, 1 };
	for (size_t i = 0; i < n; i++)
		used = append_free(rows, used, &inside, &ranges[i]);
	ret->rows = rows;
	ret->n = used;
	return 0;
}

bool idmap_outside(const struct idmap *map, uint32_t inside, uint32_t *ret)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct idrange *row = &map->rows[i];

		if (inside >= row->inside && inside < end_of(row->inside, row->count)) {
			*ret = row->outside + (inside - row->inside);
			return true;
		}
	}
	return false;
}

bool idmap_inside(const struct idmap *map, uint32_t outside, uint32_t *ret)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct idrange *row = &map->rows[i];

		if (outside >= row->outside && outside < end_of(row->outside, row->count)) {
			*ret = row->inside + (outside - row->outside);
			return true;
		}
	}
	return false;
}

/* The first id after the stretch that begins at `id` and is own or in a range; `id` if none. */
static uint64_t allowed_until(uint64_t id, uint32_t own, const struct subid_range *ranges, size_t n)
{
	if (id == own)
		return id + 1;
	for (size_t i = 0; i < n; i++)
		if (id >= ranges[i].start && id < end_of(ranges[i].start, ranges[i].count))
			return end_of(ranges[i].start, ranges[i].count);
	return id;
}

bool idmap_allowed(const struct idmap *map, uint32_t own, const struct subid_range *ranges,
		   size_t n, uint32_t *ret_bad)
{
	for (size_t i = 0; i < map->n; i++) {
		uint64_t at = map->rows[i].outside;
		uint64_t end = end_of(map->rows[i].outside, map->rows[i].count);

		while (at < end) {
			uint64_t next = allowed_until(at, own, ranges, n);

			if (next == at) {
				*ret_bad = (uint32_t)at;
				return false;
			}
			at = next;
		}
	}
	return true;
}

int idmap_format(const struct idmap *map, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < map->n; i++) {
		const struct idrange *row = &map->rows[i];
		int n = snprintf(out + used, size - used, "%u %u %u\n", row->inside, row->outside,
				 row->count);

		if (n < 0 || (size_t)n >= size - used)
			return -EOVERFLOW;
		used += (size_t)n;
	}
	if (size == 0)
		return -EOVERFLOW;
	out[used] = '\0';
	return (int)used;
}

static bool has_row(const struct idmap *map, const uint64_t row[3])
{
	for (size_t i = 0; i < map->n; i++)
		if (map->rows[i].inside == row[0] && map->rows[i].outside == row[1] &&
		    map->rows[i].count == row[2])
			return true;
	return false;
}

/* The kernel sorts maps of more than five rows. Its rows do not overlap, so that as many as ours,
 * each one of ours, are all of ours. */
bool idmap_is(const struct idmap *map, const char *text)
{
	size_t n = 0;

	while (*text) {
		uint64_t row[3];

		for (int i = 0; i < 3; i++) {
			char *end;

			row[i] = g_ascii_strtoull(text, &end, 10);
			if (end == text)
				return false;
			text = end;
		}
		if (*text++ != '\n' || !has_row(map, row))
			return false;
		n++;
	}
	return n == map->n;
}
