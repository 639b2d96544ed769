/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* open(2) of something to look at: close-on-exec, never a terminal of ours, never waiting. */
int file_open(const char *path, int flags);

/* Reads a regular file whole, NUL-terminated, g_malloc'd. -EFBIG beyond `max` bytes, -EINVAL if
 * it is no regular file or has a NUL in it. */
int file_read(const char *path, size_t max, char **ret);

/* Reads the first line of a small (kernel) file without its newline; the rest is dropped. "" and
 * a negative errno when it cannot be read. */
int file_line(const char *path, char *out, size_t size);

/* The decimal number a kernel file holds; `missing` when it cannot be read. */
int64_t file_number(const char *path, int64_t missing);

/* The first n decimal numbers in `text`, whatever stands between them; pure. False if there are
 * fewer or one is past UINT32_MAX. */
bool file_scan(const char *text, uint32_t *ret, size_t n);
