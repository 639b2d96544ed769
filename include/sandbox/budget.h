/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * --cpu-time by cgroup: the kernel counts what the box uses, children that have ended included, and
 * whoever has the budget looks when the rest could be used up at the soonest: the supervisor, and
 * PID 1, since the supervisor may be stopped together with its caller.
 */
struct budget {
	int stat; /* cpu.stat of the box; -EBADF: none */
	uint64_t limit_us;
	unsigned cpus;  /* that may use it up at a time */
	int64_t due_us; /* CLOCK_MONOTONIC: the next look */
};

/* Before the start: `cgroup` is the box's directory, limit_ms what it may use on so many CPUs. 0 or
 * negative errno: it cannot be counted. */
int budget_open(struct budget *ret, int cgroup, uint64_t limit_ms, unsigned cpus);
void budget_close(struct budget *budget);

/* What was used until now, for the set-up, is not the command's. Async-signal-safe, as all below. */
void budget_begin(struct budget *budget);

/* Whether the time is used up. Looks only when it is due. */
bool budget_spent(struct budget *budget);

/* Milliseconds until the next look, at most `most` (negative: for ever). */
int budget_wait(const struct budget *budget, int most);
