// SPDX-License-Identifier: MIT
/* The box's cgroup at the end: all figures are read before it is removed. PID 1 and with it every
 * process of the box is gone by then, but may be a zombie's moment away. */
#include <glib.h>
#include <signal.h>

#include <sandbox/cgroup.h>
#include <sandbox/outcome.h>

#include "run.h"

enum { EXIT_OOM = 137 };

/* What the soft limiter has measured stays where the cgroup does not know. */
static void take(uint64_t figure, uint64_t *ret)
{
	if (figure)
		*ret = figure;
}

void cgroup_collect(struct run *run, struct outcome *outcome)
{
	int box = run->tree.box;
	uint64_t throttled = 0;

	if (box < 0)
		return;
	take(cgroup_figure(box, "memory.peak", ""), &outcome->memory_peak);
	take(cgroup_figure(box, "pids.peak", ""), &outcome->pids_peak);
	outcome->pids_denied = cgroup_figure(box, "pids.events", "max");
	take(cgroup_figure(box, "cpu.stat", "throttled_usec"), &throttled);
	if (throttled)
		outcome->throttled_s = (double)throttled / 1e6;
	outcome->cpu_s = (double)cgroup_figure(box, "cpu.stat", "usage_usec") / 1e6;
	/* the command has ended by itself: most likely for a fork that failed */
	if (outcome->reason == REASON_EXITED && outcome->code != 0 && outcome->pids_denied)
		outcome->reason = REASON_PIDS;
	if (outcome->signal != SIGKILL || outcome->reason == REASON_CPU_TIME ||
	    cgroup_figure(box, "memory.events", "oom_kill") == 0)
		return;
	/* the kernel has killed: for our limit, or because the host, or a cgroup around us, was out of
	 * memory */
	outcome->host_oom = cgroup_figure(box, "memory.events", "oom") == 0;
	if (outcome->host_oom)
		return;
	outcome->reason = REASON_OOM;
	outcome->code = EXIT_OOM;
}

void cgroup_remove(struct run *run)
{
	g_clear_pointer(&run->scope_name, g_free);
	cgtree_leave(&run->tree);
}
