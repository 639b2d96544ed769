/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The limits a run was asked for, and who enforces each. The plan fills what is asked and what
 * may take a cgroup's place; the run fills `by` once it has been tried out by writing; the report
 * prints both. Units: CPU in thousandths of one CPU, memory in bytes, time in milliseconds.
 */

enum limit_kind {
	LIMIT_CPU,         /* --cpus */
	LIMIT_CPU_WEIGHT,  /* --cpu-weight: cpu.weight */
	LIMIT_CPUSET,      /* --cpuset; a list: text */
	LIMIT_MEMORY,      /* --memory */
	LIMIT_MEMORY_HIGH, /* --memory-high */
	LIMIT_MEMORY_SWAP, /* --memory-swap: swap alone, as memory.swap.max; UINT64_MAX: no limit */
	LIMIT_PIDS,        /* --pids-limit and its default */
	LIMIT_IO_READ,     /* --io-read; a list: text, and rows of their own in the plan */
	LIMIT_IO_WRITE,    /* --io-write; the same */
	LIMIT_CPU_TIME,    /* --cpu-time */
	_LIMIT_MAX,
};

enum limit_by {
	LIMIT_BY_NOBODY,
	LIMIT_BY_CGROUP,   /* a controller of cgroup v2: exact */
	LIMIT_BY_FREEZER,  /* cgroup v2 without controllers: pausing by cgroup.freeze, exact */
	LIMIT_BY_SOFT,     /* watch/soft: by measuring and pausing or killing */
	LIMIT_BY_RLIMIT,   /* RLIMIT_NPROC */
	LIMIT_BY_AFFINITY, /* sched_setaffinity(2), which the command can widen again */
	_LIMIT_BY_MAX,
};

struct limit {
	bool asked;
	uint64_t value;
	const char *text;        /* as written, of the kinds that have no number; NULL */
	enum limit_by otherwise; /* where no cgroup serves it; NOBODY: then it is refused */
	enum limit_by by;
	bool exact;
	uint32_t origin;
};

/* "cpu", "memory", ...; "cgroup", "soft", ... */
const char *limit_name(enum limit_kind kind);
const char *limit_by_name(enum limit_by by);

/* The option's name, without dashes. */
const char *limit_option(enum limit_kind kind);
/* Whether a limiter of ours may serve it where no cgroup does. */
bool limit_is_soft(enum limit_kind kind);
