/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * --cpu-time by cgroup: the kernel counts what the box uses, children that have ended included, and
 * the supervisor looks when the rest could be used up at the soonest. What PID 1 has used for
 * the set-up, before budget_open(), is not the command's.
 */
struct budget {
	int stat; /* cpu.stat of the box; -EBADF: none */
	uint64_t limit_us;
	unsigned cpus;
	int64_t due_us; /* CLOCK_MONOTONIC: the next look */
};

/* `cgroup` is the box's directory, limit_ms what it may use. */
void budget_open(struct budget *budget, int cgroup, uint64_t limit_ms);
void budget_close(struct budget *budget);

/* Whether the time is used up. Looks only when it is due. */
bool budget_spent(struct budget *budget);

/* Milliseconds until the next look, at most `most` (negative: for ever). */
int budget_wait(const struct budget *budget, int most);
