// SPDX-License-Identifier: MIT
/* Limits: what they are; plan/limits.c finds who enforces them. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "build.h"

#define PIDS_MAX 4194304 /* PID_MAX_LIMIT of 64-bit kernels: more there never are */

static bool is_unlimited(const char *text, size_t len)
{
	return (len == 9 && memcmp(text, "unlimited", 9) == 0) ||
	       (len == 2 && memcmp(text, "-1", 2) == 0);
}

int set_pids_limit(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	uint64_t n = UINT64_MAX;
	int r = 0;

	if (!is_unlimited(value, strlen(value))) {
		r = value_u64(value, strlen(value), PIDS_MAX, &n);
		if (r == 0 && n == 0)
			r = -ERANGE;
	}
	if (r < 0)
		return build_refuse_number(err, b, r, value, strlen(value));
	b->spec->pids_limit = n;
	return 0;
}

enum { MEMORY_MIN = 1 << 20 };

#define BYTES 0x100 /* takes the units of sizes */

/* docker's names, which are those of limits.conf(5). */
/* clang-format off */
static const struct word ulimit_words[] = {
	{ "as",         RLIMIT_AS | BYTES      },
	{ "core",       RLIMIT_CORE | BYTES    },
	{ "cpu",        RLIMIT_CPU             },
	{ "data",       RLIMIT_DATA | BYTES    },
	{ "fsize",      RLIMIT_FSIZE | BYTES   },
	{ "locks",      RLIMIT_LOCKS           },
	{ "memlock",    RLIMIT_MEMLOCK | BYTES },
	{ "msgqueue",   RLIMIT_MSGQUEUE | BYTES },
	{ "nice",       RLIMIT_NICE            },
	{ "nofile",     RLIMIT_NOFILE          },
	{ "nproc",      RLIMIT_NPROC           },
	{ "rss",        RLIMIT_RSS | BYTES     },
	{ "rtprio",     RLIMIT_RTPRIO          },
	{ "rttime",     RLIMIT_RTTIME          },
	{ "sigpending", RLIMIT_SIGPENDING      },
	{ "stack",      RLIMIT_STACK | BYTES   },
	{ NULL,         0                      },
};
/* clang-format on */

static int ulimit_number(const struct build *b, const struct word *word, const char *text,
			 size_t len, uint64_t *ret, struct err *err)
{
	int r;

	if (is_unlimited(text, len)) {
		*ret = UINT64_MAX;
		return 0;
	}
	r = word->value & BYTES ? value_size(text, len, ret, NULL)
				: value_u64(text, len, INT64_MAX, ret);
	return r < 0 ? build_refuse_number(err, b, r, text, len) : 0;
}

static int refuse_ulimit_name(const struct build *b, const char *name, size_t len, struct err *err)
{
	const struct word *near = word_nearest(ulimit_words, name, len);

	build_refuse(err, b, "'%.*s' is not a resource limit", (int)MIN(len, 64), name);
	if (near)
		return err_fix(err, "did you mean %s?", near->name);
	return err_fix(err,
		       "the limits are as core cpu data fsize locks memlock msgqueue nice nofile "
		       "nproc rss rtprio rttime sigpending stack");
}

static void ulimit_put(GArray *ulimits, const struct ulimit_row *row)
{
	for (guint i = 0; i < ulimits->len; i++) {
		struct ulimit_row *old = &g_array_index(ulimits, struct ulimit_row, i);

		if (old->resource == row->resource) {
			*old = *row;
			return;
		}
	}
	g_array_append_vals(ulimits, row, 1);
}

int set_ulimit(struct build *b, struct err *err)
{
	const char *value = b->occ->value, *soft = strchr(value, '='), *hard;
	struct ulimit_row row = { .origin = b->origin };
	const struct word *word;
	int r;

	if (!soft)
		return build_refuse(err, b, "there is no '=' in it");
	word = word_find(ulimit_words, value, (size_t)(soft - value));
	if (!word)
		return refuse_ulimit_name(b, value, (size_t)(soft - value), err);
	hard = strchr(++soft, ':');
	r = ulimit_number(b, word, soft, hard ? (size_t)(hard - soft) : strlen(soft), &row.soft,
			  err);
	if (r < 0)
		return r;
	row.hard = row.soft;
	if (hard)
		r = ulimit_number(b, word, hard + 1, strlen(hard + 1), &row.hard, err);
	if (r < 0)
		return r;
	if (row.soft > row.hard)
		return build_refuse(err, b, "the soft limit is above the hard one");
	row.resource = word->value & ~BYTES;
	row.name = word->name;
	ulimit_put(b->spec->ulimits, &row);
	return 0;
}

int set_cpus(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int r = value_cpus(value, strlen(value), &b->spec->cpus);

	return r < 0 ? build_refuse_number(err, b, r, value, strlen(value)) : 0;
}

int set_cpu_weight(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int weight, r = value_int(value, strlen(value), 1, 10000, &weight);

	if (r < 0)
		return build_refuse_number(err, b, r, value, strlen(value));
	b->spec->cpu_weight = (unsigned)weight;
	return 0;
}

int set_cpuset(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int r = value_cpuset(value, strlen(value), b->spec->cpuset, SPEC_CPUS);

	if (r < 0)
		return build_refuse_number(err, b, r, value, strlen(value));
	b->spec->cpuset_set = true;
	b->spec->cpuset_text = value;
	return 0;
}

/* Less than a process needs to start at all is a mistake: 1k for 1M, say. */
static int memory_amount(struct build *b, struct memory_amount *ret, struct err *err)
{
	const char *value = b->occ->value;
	struct memory_amount amount;
	int r = value_size(value, strlen(value), &amount.bytes, &amount.permille);

	if (r == 0 && amount.permille == 0 && amount.bytes < MEMORY_MIN)
		r = -ERANGE;
	if (r < 0)
		return build_refuse_number(err, b, r, value, strlen(value));
	*ret = amount;
	return 0;
}

int set_memory(struct build *b, struct err *err)
{
	return memory_amount(b, (void *)((char *)b->spec + b->row->field), err);
}

int set_memory_swap(struct build *b, struct err *err)
{
	const char *value = b->occ->value;

	b->spec->memory_swap_unlimited = is_unlimited(value, strlen(value));
	return b->spec->memory_swap_unlimited ? 0 : memory_amount(b, &b->spec->memory_swap, err);
}

static void io_put(GArray *io, const struct io_rate *row)
{
	for (guint i = 0; i < io->len; i++) {
		struct io_rate *old = &g_array_index(io, struct io_rate, i);

		if (old->write == row->write && old->ops == row->ops &&
		    g_strcmp0(old->path, row->path) == 0) {
			*old = *row;
			return;
		}
	}
	g_array_append_vals(io, row, 1);
}

/* [PATH:]RATE: a path may hold colons, a rate does not. */
static int set_io(struct build *b, bool write, struct err *err)
{
	const char *value = b->occ->value, *colon = strrchr(value, ':');
	const char *rate = colon ? colon + 1 : value;
	struct io_rate row = { .write = write, .origin = b->origin };
	size_t len = strlen(rate), unit = strlen("iops");
	int r;

	row.ops = len > unit && g_str_has_suffix(rate, "iops");
	r = row.ops ? value_u64(rate, len - unit, UINT32_MAX - 1, &row.rate)
		    : value_size(rate, len, &row.rate, NULL);
	if (r == 0 && row.rate == 0)
		r = -ERANGE;
	if (r < 0)
		return build_refuse_number(err, b, r, rate, len);
	if (colon) {
		row.path = g_string_chunk_insert_len(b->spec->arena, value, colon - value);
		r = build_check_path(b, row.path, err);
	}
	if (r == 0)
		io_put(b->spec->io, &row);
	return r;
}

int set_io_read(struct build *b, struct err *err)
{
	return set_io(b, false, err);
}

int set_io_write(struct build *b, struct err *err)
{
	return set_io(b, true, err);
}

int set_cpu_time(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int r = value_time(value, strlen(value), &b->spec->cpu_time_ms);

	return r < 0 ? build_refuse_number(err, b, r, value, strlen(value)) : 0;
}

int set_limits(struct build *b, struct err *err)
{
	/* clang-format off */
	static const struct word words[] = {
		{ "auto", LIMITS_AUTO }, { "cgroup", LIMITS_CGROUP }, { "soft", LIMITS_SOFT },
		{ "off",  LIMITS_OFF },  { NULL,     0 },
	};
	/* clang-format on */
	const struct word *word = word_find(words, b->occ->value, strlen(b->occ->value));

	if (!word)
		return build_refuse(err, b, "there is no such way to enforce limits");
	b->spec->limits = (enum limits_mode)word->value;
	return 0;
}

int set_timeout(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int r = value_time(value, strlen(value), &b->spec->timeout_ms);

	return r < 0 ? build_refuse_number(err, b, r, value, strlen(value)) : 0;
}

int set_nice(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	int r = value_int(value, strlen(value), -20, 19, &b->spec->nice);

	if (r < 0)
		return build_refuse_number(err, b, r, value, strlen(value));
	b->spec->nice_set = true;
	return 0;
}
