// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops.h"

#define CPUS_MAX 8192 /* CONFIG_NR_CPUS of distributions */

/* "0-3,5" */
static void put_cpus(const uint64_t *mask, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned i = 0, first; i < CPUS_MAX && len < size; i++) {
		first = i;
		while (i < CPUS_MAX && (mask[i / 64] >> (i % 64) & 1))
			i++;
		if (i == first)
			continue;
		len += (size_t)snprintf(ret + len, size - len, i - first == 1 ? "%s%u" : "%s%u-%u",
					len ? "," : "", first, i - 1);
	}
}

/* What the cpuset around us allows: the most that can be asked for. */
static void put_available(char *ret, size_t size)
{
	uint64_t mask[CPUS_MAX / 64];

	memset(mask, 0xff, sizeof(mask));
	(void)syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask);
	memset(mask, 0, sizeof(mask));
	if (syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) < 0)
		return;
	put_cpus(mask, ret, size);
}

static int refuse_cpus(const struct op *op, struct run *run, int num, struct err *err)
{
	(void)err_set(err, ERR_LIMIT, num, "cannot keep the box on the CPUs %s",
		      op->u.affinity.text);
	if (num != EINVAL)
		return -num;
	if (!run->cpus[0])
		put_available(run->cpus, sizeof(run->cpus));
	(void)err_cause(err, "the CPUs that can be had are %s", run->cpus);
	return err_fix(err, "give --cpuset some of %s", run->cpus);
}

/* The kernel leaves out what is not there, in silence: we do not. */
static bool all_taken(const struct op *op)
{
	uint64_t got[CPUS_MAX / 64] = { 0 };

	if (syscall(SYS_sched_getaffinity, 0, sizeof(got), got) < 0)
		return false;
	for (unsigned i = 0; i < op->u.affinity.bits / 64; i++)
		if (op->u.affinity.cpus[i] & ~got[i])
			return false;
	return true;
}

/* Children inherit it. The command can widen it again, as far as a cpuset allows. */
int op_affinity_apply(const struct op *op, struct run *run, struct err *err)
{
	if (syscall(SYS_sched_setaffinity, 0, op->u.affinity.bits / 8, op->u.affinity.cpus) < 0)
		return refuse_cpus(op, run, errno, err);
	return all_taken(op) ? 0 : refuse_cpus(op, run, EINVAL, err);
}

int op_idle_apply(const struct op *op, struct run *run, struct err *err)
{
	const struct sched_param param = { 0 };

	(void)op;
	(void)run;
	return sched_setscheduler(0, SCHED_IDLE, &param) < 0
		       ? err_set(err, ERR_LIMIT, errno,
				 "cannot take the scheduling class SCHED_IDLE")
		       : 0;
}
