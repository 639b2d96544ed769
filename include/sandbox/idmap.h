/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sandbox/err.h>

/*
 * The arithmetic of user_namespaces(7) id maps: pure, tested by table. The kernel takes at most
 * 340 lines (Linux 4.15), 5 before; ids are 32 bits and 2^32-1 is not an id.
 */

#define IDMAP_MAX 340

struct idrange { uint32_t inside, outside, count; };
struct idmap { struct idrange *rows; size_t n; };   /* rows: g_malloc'd */
struct subid_range { uint32_t start, count; };

/* "C:H:N[,C:H:N...]"; refuses overlap inside or outside, zero counts and ids past 2^32-2. */
int idmap_parse(struct idmap *ret, const char *text, struct err *err);
void idmap_clear(struct idmap *map);

/* One id: inside -> outside. */
void idmap_single(struct idmap *ret, uint32_t inside, uint32_t outside);

/* 0 -> own, then 1, 2, ... -> the subordinate ranges in order. */
int idmap_auto(struct idmap *ret, uint32_t own, const struct subid_range *ranges, size_t n,
	       struct err *err);

/* The host id of an inside id (and the other way); false if it is not mapped. */
bool idmap_outside(const struct idmap *map, uint32_t inside, uint32_t *ret);
bool idmap_inside(const struct idmap *map, uint32_t outside, uint32_t *ret);

/* Whether every outside id is `own` or within the ranges; *ret_bad: the first that is not. */
bool idmap_allowed(const struct idmap *map, uint32_t own, const struct subid_range *ranges,
		   size_t n, uint32_t *ret_bad);

/* The text of /proc/PID/uid_map: "0 1000 1\n...". Returns bytes written, or -EOVERFLOW. */
int idmap_format(const struct idmap *map, char *out, size_t size);

/* Whether that file, as the kernel writes it (columns, the rows in any order), says just this map. */
bool idmap_is(const struct idmap *map, const char *text);
