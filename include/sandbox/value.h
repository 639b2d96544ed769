/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Strict readers of the values people write: numbers, sizes, times, signals, paths, words. Pure,
 * and without an opinion about options: they return 0, -EINVAL (the form is wrong) or -ERANGE
 * (the form is right, the number is not); *ret is untouched on failure. `len` is the length of
 * `text`, which need not end there. Nothing but ASCII digits is a digit: no sign, no space, no
 * locale, no octal by a leading zero.
 */

/* A decimal number of at most max. */
int value_u64(const char *text, size_t len, uint64_t max, uint64_t *ret);

/* A decimal number from min to max; a '-' in front makes it negative. */
int value_int(const char *text, size_t len, int min, int max, int *ret);

/* File mode bits in octal: 755, 0755, 1777. */
int value_mode(const char *text, size_t len, unsigned *ret);

/* A user or group id: 0 to 2^32-2, since 2^32-1 means "none" to the kernel. */
int value_id(const char *text, size_t len, uint32_t *ret);

/* Bytes: 4096, 512M, 1GiB, 64kb; every unit is a power of 1024, as docker has them. With
 * ret_permille, "50%" is taken too and gives 500 there and 0 bytes; with NULL it is -EINVAL. */
int value_size(const char *text, size_t len, uint64_t *ret, unsigned *ret_permille);

/* Milliseconds: 30 and 30s are seconds; 500ms, 2m, 1h30m, 2d. At most 68 years. */
int value_time(const char *text, size_t len, uint64_t *ret);

/* Thousandths of a CPU: 0.5 and 50% are 500, 2 and 200% are 2000. From 10 (1 %: the kernel's
 * smallest quota of its usual period) to 16384 CPUs. */
int value_cpus(const char *text, size_t len, uint32_t *ret);

/* A list of CPUs, 0-3,5, as bits; below `bits`. */
int value_cpuset(const char *text, size_t len, uint64_t *ret, unsigned bits);

/* TERM, SIGTERM, term, 15, RTMIN+3, RTMAX-1. */
int value_signal(const char *text, size_t len, int *ret);

/* NULL if `path` can be given to the kernel, else why not: empty, 4096 bytes or more, a name of
 * 256 or more, control characters. */
const char *value_path_fault(const char *path);

/* Lexically: "//" and "/./" and a slash at the end go; ".." stays, since only the kernel knows
 * where it leads. In place. */
void value_path_clean(char *path);

enum dest_use {
	DEST_PLACE, /* something new is put there */
	DEST_COVER, /* what is there is hidden or protected */
};

/* NULL if a volume may go to the absolute, cleaned path `dst`, else why not. A volume cannot
 * replace the box's own "/", /proc, /sys and /dev; below /dev it can, below /proc and /sys it
 * can only hide and protect. For use again once a relative path has been made absolute. */
const char *value_dest_fault(const char *dst, enum dest_use use);

/* NULL if it can name an environment variable, else why not. */
const char *value_env_name_fault(const char *name, size_t len);

/* NULL if it is a host name as RFC 1123 has them, of at most 64 bytes, else why not. */
const char *value_hostname_fault(const char *name);

/* A table of words ends with a row whose name is NULL. Upper and lower case are different, '-'
 * and '_' are not. */
struct word {
	const char *name;
	int value;
};

/* The row of text[len], or NULL; and the one nearest to it by edit distance, NULL if none is. */
const struct word *word_find(const struct word *table, const char *text, size_t len);
const struct word *word_nearest(const struct word *table, const char *text, size_t len);

/* Edit distance without regard to case; words of more than 63 bytes are far from everything. */
unsigned value_distance(const char *a, size_t alen, const char *b, size_t blen);

/* Walks "a,b,c": sets *item and *len and advances *list. False at the end. An empty item is
 * handed out as one, so that "a,,b" and "" are refused by whoever reads the items. */
bool value_list_next(const char **list, const char **item, size_t *len);

/* Splits in place at the first `separator` that no backslash stands before, and takes the
 * backslashes before separators away. Returns what follows it, or NULL if there is none. */
char *value_split(char *text, char separator);
