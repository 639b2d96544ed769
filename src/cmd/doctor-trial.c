// SPDX-License-Identifier: MIT
/*
 * doctor: who would enforce each limit, found out by asking for all of them in a run of our own
 * program, whose first event names them. What it refuses is left out and asked for no more, so
 * that each refusal, with its cause, is the one a user would get. Such a run ends at once, and
 * leaves no more than any other.
 */
#include <glib.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/json.h>
#include <sandbox/spawn.h>

#include "doctor.h"

#define TRIAL_MS 30000
#define WORDS    32

struct limit_trial {
	struct limit_answer answers[_DOCTOR_LIMIT_MAX];
	char cpuset[16]; /* a CPU that we may use */
	bool done;
};

/* clang-format off */
static const struct { const char *name, *option, *value; } rows[_DOCTOR_LIMIT_MAX] = {
	[DOCTOR_CPU]         = { "cpu",         "--cpus",        "50%" },
	[DOCTOR_CPU_WEIGHT]  = { "cpu-weight",  "--cpu-weight",  "50"  },
	[DOCTOR_CPUSET]      = { "cpuset",      "--cpuset",      NULL  },
	[DOCTOR_MEMORY]      = { "memory",      "--memory",      "64M" },
	[DOCTOR_MEMORY_HIGH] = { "memory-high", "--memory-high", "48M" },
	[DOCTOR_MEMORY_SWAP] = { "memory-swap", "--memory-swap", "96M" },
	[DOCTOR_PIDS]        = { "pids",        "--pids-limit",  "64"  },
	[DOCTOR_IO_READ]     = { "io-read",     "--io-read",     "/:1000M" },
	[DOCTOR_IO_WRITE]    = { "io-write",    "--io-write",    "/:1000M" },
	[DOCTOR_CPU_TIME]    = { "cpu-time",    "--cpu-time",    "60"  },
};
static const char *const before[] = { "/proc/self/exe", "run", "-q", "--no-profile", "--cwd", "none",
				      "--limits", "auto", "--status-fd", "1" };
static const char *const after[] = { "--", "/bin/sh", "-c", ":" };
/* clang-format on */

static void first_cpu(char *out, size_t size)
{
	cpu_set_t set;
	int cpu = 0;

	CPU_ZERO(&set);
	(void)sched_getaffinity(0, sizeof(set), &set);
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &set))
		cpu++;
	(void)g_snprintf(out, size, "%d", CPU_ISSET(cpu, &set) ? cpu : 0);
}

static void command(struct limit_trial *trial, const char **argv)
{
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(before); i++)
		argv[n++] = before[i];
	for (int i = 0; i < _DOCTOR_LIMIT_MAX; i++) {
		if (trial->answers[i].cause != NULL)
			continue;
		argv[n++] = rows[i].option;
		argv[n++] = rows[i].value != NULL ? rows[i].value : trial->cpuset;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(after); i++)
		argv[n++] = after[i];
	argv[n] = NULL;
}

/* {"v":1,"event":"started",...,"limits":{"cpu":{"asked":0.500,"by":"cgroup","exact":true},...}} */
static void read_started(struct limit_trial *trial, const char *line)
{
	for (int i = 0; i < _DOCTOR_LIMIT_MAX; i++) {
		g_autofree char *key = g_strdup_printf("\"%s\":{\"asked\":", rows[i].name);
		const char *at = strstr(line, key);
		const char *end = at != NULL ? strchr(at, '}') : NULL;
		g_autofree char *object = end != NULL ? g_strndup(at, (gsize)(end - at)) : NULL;

		if (object == NULL)
			continue;
		if (trial->answers[i].cause != NULL)
			continue; /* the default that came in its place */
		trial->answers[i].by = json_pick(object, "by");
		trial->answers[i].exact = strstr(object, "\"exact\":true") != NULL;
	}
}

/* The origin of an error is the option: "--memory", or "--io-read no. 1" of a list. */
static bool is_origin(const char *origin, const char *option)
{
	size_t len = strlen(option);

	return strncmp(origin, option, len) == 0 && (origin[len] == '\0' || origin[len] == ' ');
}

/* The refused one gets its cause; false: it was none of them, so asking again is of no use. */
static bool read_error(struct limit_trial *trial, const char *line)
{
	g_autofree char *cause = json_pick(line, "cause"), *origin = json_pick(line, "origin");

	for (int i = 0; origin != NULL && i < _DOCTOR_LIMIT_MAX; i++) {
		if (trial->answers[i].cause != NULL || !is_origin(origin, rows[i].option))
			continue;
		trial->answers[i].cause = g_strdup(cause);
		return cause != NULL;
	}
	return false;
}

/* True: there is more to ask. */
static bool ask(struct limit_trial *trial)
{
	const char *argv[G_N_ELEMENTS(before) + G_N_ELEMENTS(after) + 2 * _DOCTOR_LIMIT_MAX + 1];
	char out[8192];
	g_auto(GStrv) lines = NULL;

	command(trial, argv);
	if (spawn_run_env((char *const *)(uintptr_t)argv, environ, out, sizeof(out), TRIAL_MS) < 0)
		return false;
	lines = g_strsplit(out, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *event = **line == '{' ? json_pick(*line, "event") : NULL;

		if (g_strcmp0(event, "started") == 0)
			read_started(trial, *line);
		if (g_strcmp0(event, "started") == 0 || g_strcmp0(event, "error") == 0)
			return g_strcmp0(event, "error") == 0 && read_error(trial, *line);
	}
	return false;
}

const struct limit_answer *doctor_limit(struct facts *facts, enum doctor_limit limit)
{
	struct limit_trial *trial = facts->limits;

	if (trial == NULL)
		trial = facts->limits = g_new0(struct limit_trial, 1);
	if (!trial->done) {
		first_cpu(trial->cpuset, sizeof(trial->cpuset));
		trial->done = true;
		while (ask(trial))
			;
	}
	return &trial->answers[limit];
}

void doctor_limits_clear(struct limit_trial *trial)
{
	for (int i = 0; trial != NULL && i < _DOCTOR_LIMIT_MAX; i++) {
		g_free(trial->answers[i].by);
		g_free(trial->answers[i].cause);
	}
	g_free(trial);
}
