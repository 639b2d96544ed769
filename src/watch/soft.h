/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sandbox/soft.h>

/* All times are nanoseconds, all shares thousandths of one CPU. */
#define SOFT_MS 1000000ull
#define SOFT_S  1000000000ull

enum {
	SOFT_MAX = 32768, /* processes followed; what is beyond them is charged as busy */
	SOFT_SHELLS = 64,
	SOFT_FILE = 2048, /* longest file read: /proc/PID/status is 1.5 KiB */
};

/*
 * The arithmetic of the duty cycle (soft-duty.c, pure). A balance of CPU time: it grows by quota
 * x wall time whether the box runs or not, and shrinks by what the box used. Nothing is forgotten
 * between two limits, so late wake-ups and coarse clocks level out: the share is exact over time.
 */
struct duty {
	uint64_t quota;
	uint64_t period; /* asked */
	uint64_t cpus;
	uint64_t cost;   /* our own CPU time for one cycle, recent */
	uint64_t rate;   /* what the box uses while it runs, recent */
	int64_t balance; /* CPU time the box may still use; below zero: debt */
};

void duty_init(struct duty *ret, uint64_t quota, uint64_t period, unsigned cpus);
/* Wall time has passed. */
void duty_accrue(struct duty *duty, uint64_t elapsed);
/* The box has used CPU time while it ran for `ran`. */
void duty_charge(struct duty *duty, uint64_t used, uint64_t ran);
/* One cycle has cost us that much. */
void duty_cost(struct duty *duty, uint64_t cost);
/* The period, stretched so that our own cost stays small. */
uint64_t duty_period(const struct duty *duty);
/* How long the box must pause now; 0: not at all. */
uint64_t duty_pause(const struct duty *duty);
/* How long it may run until it is measured again. */
uint64_t duty_window(const struct duty *duty);

/* When to look next at a total of CPU time of which so much is left, and at the memory: sooner, the
 * nearer the limit; seldom enough that our own cost stays small. */
uint64_t duty_total_window(const struct duty *duty, uint64_t left);
uint64_t duty_memory_window(uint64_t used, uint64_t limit, uint64_t cost);

/* What is known of one process (soft-account.c). */
struct soft_process {
	pid_t pid;
	pid_t parent;
	pid_t group;
	pid_t session;
	char state;        /* as in /proc/PID/stat */
	bool foreground;   /* of its terminal */
	uint64_t start;    /* in ticks after boot: tells a reused pid */
	uint64_t own;      /* CPU time of all its threads */
	uint64_t children; /* ... and of the children it has waited for */
	uint64_t faults;   /* minor page faults of it and of them */
	uint64_t children_faults;
};

struct soft_table {
	size_t n;
	bool full;
	struct soft_process row[SOFT_MAX]; /* ascending by pid */
};

struct soft_account {
	unsigned cpus;
	uint64_t total;       /* used by the box so far */
	uint64_t pool;        /* of processes gone: already charged, not yet seen at a parent */
	uint64_t faults;      /* the same of their page faults */
	uint64_t gone_before; /* what the last pass added to the pools */
	uint64_t faults_before;
	unsigned suspect; /* passes for which unseen time is assumed */
};

/* What was used between two tables, PID 1's own time excepted, its children's included; adds it
 * to the total. `ran`: how long the box ran in between. Pure. */
uint64_t account_merge(struct soft_account *account, const struct soft_table *before,
		       const struct soft_table *now, uint64_t ran);

/* The row of a pid, or NULL. */
const struct soft_process *table_find(const struct soft_table *table, pid_t pid);

/* Parses /proc/PID/stat. `tick`: nanoseconds. False: not such a line. */
bool account_parse(const char *text, uint64_t tick, struct soft_process *ret);

struct soft_pids {
	size_t n;
	bool full;
	pid_t pid[SOFT_MAX]; /* ascending; without PID 1 and ourselves */
};

/* One process's memory, in pages (soft-memory.c). */
struct soft_pages {
	pid_t pid;
	uint64_t own; /* its CPU time when these were read: it did not run, nothing changed */
	uint64_t size;
	uint64_t anon;      /* resident, not shared with a file or by shmem */
	uint64_t shared;    /* ... shared */
	uint64_t shmem;     /* of `shared`: not of files; read only where it matters */
	uint64_t shmem_for; /* the value of `shared` it was read at */
};

struct soft_pages_table {
	size_t n;
	struct soft_pages row[SOFT_MAX];
};

struct soft_memory {
	uint64_t peak;        /* bytes */
	uint64_t cost;        /* of one pass, recent */
	uint64_t confirm_due; /* when the expensive look is affordable again */
	uint64_t confirmed;   /* what it found */
	struct soft_pages_table *before, *now;
	struct soft_pages_table tables[2];
};

struct soft;

/* How a box is listed, measured, paused and killed. */
struct soft_backend {
	void (*list)(struct soft *soft);                     /* fills soft->pids */
	uint64_t (*charge)(struct soft *soft, uint64_t ran); /* used since the last call */
	void (*pause)(struct soft *soft);
	void (*resume)(struct soft *soft);
	void (*kill)(struct soft *soft);
};

extern const struct soft_backend soft_signals, soft_freezer;

/* The whole state: one mapping, touched as far as there are processes. */
struct soft {
	struct soft_limits limits;
	const struct soft_backend *backend;
	int proc;
	int report;
	pid_t self;
	uint64_t tick; /* nanoseconds of a tick in /proc/PID/stat */
	uint64_t page;

	struct duty duty;
	struct soft_account account;
	uint64_t usage;    /* freezer: cpu.stat at the last look */
	uint64_t accrued;  /* up to when the balance has grown */
	uint64_t ran_from; /* since when the box has run uncharged */
	uint64_t paused_at;
	uint64_t throttled;
	uint64_t own_cpu; /* ours, at the last look */
	uint64_t processes_peak;
	uint64_t released; /* until then nothing is paused */
	bool paused;
	bool over;                    /* the limit was reached: nothing left to watch */
	int error;                    /* why the box cannot be seen any more; 0: it can */
	uint64_t cpu_due, memory_due; /* UINT64_MAX: never */

	struct soft_pids pids;
	size_t nshells; /* signals: job control shells, stopped first and resumed last */
	struct soft_shell {
		pid_t pid;
		bool stopped; /* by us */
	} shells[SOFT_SHELLS];
	struct soft_table *before, *now;
	struct soft_table tables[2];
	struct soft_memory memory;
};

uint64_t soft_clock(int clock);
/* The CPU time of a process; false: it is gone. */
bool soft_process_clock(pid_t pid, uint64_t *ret);
/* Reads PID/NAME below the procfs, or NAME of the cgroup for pid 0, into a string. False: the process
 * is gone, or soft->error is set: of a process that is there and cannot be read nothing is known, and
 * none can be left out of a limit. */
bool soft_read(struct soft *soft, pid_t pid, const char *name, char *buf, size_t size);
/* The same; false also where the right to read it is missing. */
bool soft_read_if_allowed(struct soft *soft, pid_t pid, const char *name, char *buf, size_t size);
/* Sets soft->error, if it is not set. */
void soft_fail(struct soft *soft, int num);
uint64_t soft_number(const char **text);

/* Reads the processes' times into soft->now; the former rows are soft->before. */
void account_read(struct soft *soft);
/* Looks at the memory. True: over the limit. */
bool memory_look(struct soft *soft, uint64_t now);
