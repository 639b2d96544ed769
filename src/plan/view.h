/* SPDX-License-Identifier: MIT */
#pragma once

#include "build.h"

/* What the files of the view share: mounts.c (frame, host view), volumes.c, order.c. */

enum { VOLUME_ATTRS = ATTR_NOSUID | ATTR_NODEV };

/* What the tmpfs of the box may hold by default, in bytes. */
uint64_t view_scratch_size(const struct build *b);

/* Whether missing mount points are made in the user's tree: only in a writable root directory. */
bool view_makes_places(const struct build *b);

/* Appends a pin of src; returns its slot. */
int view_add_pin(struct build *b, const char *src, bool optional, enum pin_want want,
		 uint32_t origin);

struct op *view_add_bind(struct build *b, const char *src, const char *dst, int slot,
			 unsigned attrs, uint32_t origin);
struct op *view_add_tmpfs(struct build *b, const char *dst, uint64_t size, mode_t mode,
			  unsigned attrs, uint32_t origin);

/* Whether the current directory is shown, and then how: 1 and b->cwd, 0 (with a notice where it would
 * have been expected), or a negative errno. */
int view_choose_cwd(struct build *b, bool *ret_readonly, struct err *err);

/* landlock.c: the rights of an ABI to read, to change something, or both. */
uint64_t landlock_rights(int abi, bool read, bool write);

/* The rows of -v, --tmpfs, --file, --secret, --show, --hide and --protect. */
int view_volumes(struct build *b, struct err *err);

/* Puts the rows from `from` on that have a place into order: parents before children, and of two
 * for the same place only the later one. */
void view_order(struct build *b, unsigned from);
