// SPDX-License-Identifier: MIT
/*
 * The memory of a box by polling. statm is cheap whatever the size (2 us), the sum of PSS in
 * smaps_rollup exact but slow (2 ms a GiB, and the process cannot map meanwhile). So the sum of
 * what statm calls resident and not shared is taken, with all shmem once for each process; only
 * when this upper bound is above the limit while no process alone is, the PSS decides. Without the
 * right to read it (processes that hold capabilities) the largest shared part counts once, so that
 * nothing is killed that is within its limit.
 */
#include <string.h>
#include <time.h>

#include "soft.h"

enum {
	SMALL = 64,         /* parts of the limit: a process below one is not looked at closely */
	CONFIRM_APART = 50, /* times its own duration */
};
#define KIB 1024ull

static void read_statm(struct soft *s, struct soft_pages *row)
{
	char text[SOFT_FILE];
	const char *p = text;
	uint64_t resident;

	if (!soft_read(s, row->pid, "statm", text, sizeof(text)))
		return;
	row->size = soft_number(&p);
	resident = soft_number(&p);
	row->shared = soft_number(&p);
	row->anon = resident > row->shared ? resident - row->shared : 0;
}

/* The value of a line "Name:   123 kB", in bytes; false: no such line. */
static bool find_kib(const char *text, const char *name, uint64_t *ret)
{
	const char *p = strstr(text, name);

	if (!p)
		return false;
	p += strlen(name);
	*ret = soft_number(&p) * KIB;
	return true;
}

static void read_shmem(struct soft *s, struct soft_pages *row)
{
	char text[SOFT_FILE];
	uint64_t bytes = 0;

	if (row->shmem_for == row->shared)
		return;
	row->shmem_for = row->shared;
	if (soft_read(s, row->pid, "status", text, sizeof(text)) &&
	    find_kib(text, "\nRssShmem:", &bytes))
		row->shmem = bytes / s->page;
}

static bool read_pss(struct soft *s, pid_t pid, uint64_t *ret)
{
	char text[SOFT_FILE];
	uint64_t anon, shmem;

	if (!soft_read_if_allowed(s, pid, "smaps_rollup", text, sizeof(text)))
		return false;
	/* the parts came with Linux 5.4; the whole has file pages too */
	if (find_kib(text, "\nPss_Anon:", &anon) && find_kib(text, "\nPss_Shmem:", &shmem)) {
		*ret = anon + shmem;
		return true;
	}
	return find_kib(text, "\nPss:", ret);
}

/* Fills the table: processes that did not run since the last look have what they had, or less
 * (reclaim), so before a kill all are read afresh. */
static void look(struct soft *s, bool afresh)
{
	struct soft_memory *m = &s->memory;
	struct soft_pages_table *now = m->before;
	size_t i = 0;

	m->before = m->now;
	m->now = now;
	now->n = 0;
	for (size_t k = 0; k < s->pids.n; k++) {
		struct soft_pages *row = &now->row[now->n];
		uint64_t own;

		*row = (struct soft_pages){ .pid = s->pids.pid[k] };
		if (!soft_process_clock(row->pid, &own))
			continue;
		while (i < m->before->n && m->before->row[i].pid < row->pid)
			i++;
		if (i < m->before->n && m->before->row[i].pid == row->pid)
			*row = m->before->row[i];
		if (afresh || row->own != own || row->size == 0)
			read_statm(s, row);
		row->own = own;
		now->n++;
	}
}

struct sums {
	uint64_t anon;
	uint64_t shmem;
	uint64_t shmem_largest;
	uint64_t largest; /* anon and shmem of one process */
	uint64_t shared;  /* shmem and files, to see whether it matters at all */
};

static struct sums add_up(const struct soft_pages_table *table)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < table->n; i++) {
		const struct soft_pages *row = &table->row[i];

		sums.anon += row->anon;
		sums.shared += row->shared;
		sums.shmem += row->shmem;
		if (row->shmem > sums.shmem_largest)
			sums.shmem_largest = row->shmem;
		if (row->anon + row->shmem > sums.largest)
			sums.largest = row->anon + row->shmem;
	}
	return sums;
}

/* A child of vfork has its parent's memory, and both show all of it. */
static bool is_borrowed(struct soft *s, const struct soft_pages *row)
{
	const struct soft_pages_table *table = s->memory.now;
	struct soft_process child, parent;
	char text[SOFT_FILE];
	bool twin = false;

	for (size_t i = 0; i < table->n && !twin; i++)
		twin = table->row[i].pid != row->pid && table->row[i].size == row->size &&
		       table->row[i].anon == row->anon;
	if (!twin || !soft_read(s, row->pid, "stat", text, sizeof(text)) ||
	    !account_parse(text, s->tick, &child) || child.parent <= 1)
		return false;
	if (!soft_read(s, child.parent, "stat", text, sizeof(text)) ||
	    !account_parse(text, s->tick, &parent) || parent.state != 'D')
		return false;
	for (size_t i = 0; i < table->n; i++)
		if (table->row[i].pid == child.parent)
			return table->row[i].size == row->size && table->row[i].anon == row->anon;
	return false;
}

/* What is really used, in bytes. */
static uint64_t confirm(struct soft *s)
{
	const struct soft_pages_table *table = s->memory.now;
	uint64_t sum = 0, shmem = 0, pss;

	for (size_t i = 0; i < table->n; i++) {
		const struct soft_pages *row = &table->row[i];
		bool small = (row->anon + row->shmem) * s->page < s->limits.memory / SMALL;

		if (!small && is_borrowed(s, row))
			continue;
		if (!small && read_pss(s, row->pid, &pss)) {
			sum += pss;
			continue;
		}
		sum += row->anon * s->page;
		if (row->shmem > shmem)
			shmem = row->shmem;
	}
	return sum + shmem * s->page;
}

/* The best figure for what is used now; above the limit it is sure. */
static uint64_t judge(struct soft *s, uint64_t now)
{
	struct soft_memory *m = &s->memory;
	uint64_t limit = s->limits.memory, started, used;
	struct sums sums = add_up(m->now);

	/* most of what is shared is files: that is asked for only where it could matter */
	if ((sums.anon + sums.shared) * s->page > limit / 10 * 8) {
		for (size_t i = 0; i < m->now->n; i++)
			read_shmem(s, &m->now->row[i]);
		sums = add_up(m->now);
	}
	if (sums.largest * s->page > limit)
		return sums.largest * s->page;
	used = (sums.anon + sums.shmem_largest) * s->page;
	if ((sums.anon + sums.shmem) * s->page <= limit)
		return used;
	if (now < m->confirm_due)
		return m->confirmed;
	started = soft_clock(CLOCK_MONOTONIC);
	m->confirmed = used = confirm(s);
	m->confirm_due = now + CONFIRM_APART * (soft_clock(CLOCK_MONOTONIC) - started);
	return used;
}

bool memory_look(struct soft *s, uint64_t now)
{
	struct soft_memory *m = &s->memory;
	uint64_t began = soft_clock(CLOCK_PROCESS_CPUTIME_ID), cost, used;

	s->backend->list(s);
	if (s->pids.n > s->processes_peak)
		s->processes_peak = s->pids.n;
	look(s, false);
	used = judge(s, now);
	if (used > s->limits.memory) {
		look(s, true);
		m->confirm_due = 0;
		used = judge(s, now);
	}
	cost = soft_clock(CLOCK_PROCESS_CPUTIME_ID) - began;
	m->cost = m->cost ? (m->cost * 3 + cost) / 4 : cost;
	if (used > m->peak)
		m->peak = used;
	s->memory_due = now + duty_memory_window(used, s->limits.memory, m->cost);
	return used > s->limits.memory;
}
