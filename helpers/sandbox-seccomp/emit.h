/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Instructions of classic BPF, written from the last to the first: jumps only go forward, so every
 * target is known when its jump is written. A place is counted from the end; a conditional jump
 * reaches 255 instructions, and goes by way of another jump where that is not enough.
 */

typedef guint place;

struct code {
	GArray *back; /* struct sock_filter, the last first */
};

/* Each returns where it was put. */
place emit_ret(struct code *code, uint32_t value); /* or an equal one that is near */
place emit_jump(struct code *code, uint16_t test, uint32_t value, place yes, place no);
/* Where to go on at `target` with the word at `offset` loaded already. */
place emit_loaded(const struct code *code, uint32_t offset, place target);
place emit_load(struct code *code, uint32_t offset, place next);
place emit_and(struct code *code, uint32_t mask, place next);
