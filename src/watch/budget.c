// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/budget.h>
#include <sandbox/fd.h>

#include "loop.h"

enum { LEAST_US = 1000 };

/* The first line of cpu.stat is "usage_usec N". One that cannot be read any more has used all of
 * it: a limit does not go away. */
static uint64_t usage(const struct budget *budget)
{
	char text[64];
	ssize_t n = pread(budget->stat, text, sizeof(text) - 1, 0);
	size_t key = strlen("usage_usec ");

	if (n <= 0)
		return UINT64_MAX / 2;
	text[n] = '\0';
	if (strncmp(text, "usage_usec ", key) != 0)
		return UINT64_MAX / 2;
	return strtoull(text + key, NULL, 10);
}

int budget_open(struct budget *ret, int cgroup, uint64_t limit_ms, unsigned cpus)
{
	int stat = openat(cgroup, "cpu.stat", O_RDONLY | O_CLOEXEC);

	if (stat < 0)
		return -errno;
	*ret = (struct budget){ .stat = stat, .limit_us = limit_ms * 1000, .cpus = cpus };
	return 0;
}

void budget_begin(struct budget *budget)
{
	if (budget->stat >= 0)
		budget->limit_us += usage(budget);
}

void budget_close(struct budget *budget)
{
	fd_close(&budget->stat);
}

bool budget_spent(struct budget *budget)
{
	int64_t now = watch_now_us();
	uint64_t used, rest;

	if (budget->stat < 0 || now < budget->due_us)
		return false;
	used = usage(budget);
	if (used >= budget->limit_us)
		return true;
	/* on all CPUs at once; and near the end no more often than each millisecond */
	rest = (budget->limit_us - used) / budget->cpus;
	budget->due_us = now + (int64_t)(rest > INT32_MAX ? INT32_MAX : rest) + LEAST_US;
	return false;
}

int budget_wait(const struct budget *budget, int most)
{
	int64_t left;

	if (budget->stat < 0)
		return most;
	left = (budget->due_us - watch_now_us() + 999) / 1000;
	if (left < 0)
		left = 0;
	if (most >= 0 && left > most)
		left = most;
	return left > INT_MAX ? INT_MAX : (int)left;
}
