/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/*
 * Files by the digest of what they were made from, in a directory of the user's own. An entry is
 * taken only if it is a plain file of ours that nobody else can write, and whole: magic, length and
 * digests are all checked, and anything else is as if there were none.
 */

/* The directory DIR/sandbox/seccomp below `base` (XDG_CACHE_HOME, or HOME/.cache), made if need be. A
 * descriptor, or a negative errno: then there is no cache. */
int cache_open(const char *base);

/* The content stored for `key` (64 hexadecimal digits), or NULL. */
GBytes *cache_read(int dir, const char *key);

/* Stores it: written aside, then put in place at once, so that nobody reads a part of it. Keeps
 * the number of entries bounded. A failure is no error: it is made again the next time. */
void cache_write(int dir, const char *key, GBytes *content);
