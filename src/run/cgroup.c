// SPDX-License-Identifier: MIT
/* The payload's cgroup at the end: all figures are read before it is removed. PID 1 and with it
 * every process of the box is gone by then, but may be a zombie's moment away. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/outcome.h>

#include "run.h"

enum { RMDIR_TRIES = 200, EXIT_OOM = 137 };

/* The number after `key` in a file of "key value" lines, or of one number (key ""). */
static uint64_t figure(int dir, const char *file, const char *key)
{
	char text[4096];
	autofd int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	size_t len = strlen(key);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, len) == 0 && (len == 0 || line[len] == ' '))
			return strtoull(line + len, NULL, 10);
	return 0;
}

static void remove_dir(const char *path)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };

	for (int i = 0; i < RMDIR_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
		(void)nanosleep(&pause, NULL);
}

static void put(const char *base, const char *file, const char *text)
{
	g_autofree char *path = g_build_filename(base, file, NULL);
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

void cgroup_collect(struct run *run, struct outcome *outcome)
{
	if (run->cgroup < 0)
		return;
	outcome->memory_peak = figure(run->cgroup, "memory.peak", "");
	outcome->pids_peak = figure(run->cgroup, "pids.peak", "");
	outcome->throttled_s = (double)figure(run->cgroup, "cpu.stat", "throttled_usec") / 1e6;
	outcome->cpu_s = (double)figure(run->cgroup, "cpu.stat", "usage_usec") / 1e6;
	if (figure(run->cgroup, "memory.events", "oom_kill") == 0 || outcome->signal != SIGKILL)
		return;
	outcome->reason = REASON_OOM;
	outcome->code = EXIT_OOM;
}

/* A scope goes with its last process, which we are; a directory that was ours before is put back
 * as it was. */
void cgroup_remove(struct run *run)
{
	g_autofree char *payload = NULL, *sup = NULL;

	fd_close(&run->cgroup);
	g_clear_pointer(&run->scope_name, g_free);
	if (!run->cgroup_base)
		return;
	payload = g_build_filename(run->cgroup_base, "payload", NULL);
	sup = g_build_filename(run->cgroup_base, "sup", NULL);
	remove_dir(payload);
	if (!g_str_has_suffix(run->cgroup_base, ".scope")) {
		put(run->cgroup_base, "cgroup.subtree_control", "-cpu");
		put(run->cgroup_base, "cgroup.subtree_control", "-memory");
		put(run->cgroup_base, "cgroup.subtree_control", "-pids");
		put(run->cgroup_base, "cgroup.procs", "0");
		remove_dir(sup);
	}
	g_clear_pointer(&run->cgroup_base, g_free);
}
