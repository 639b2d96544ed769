// SPDX-License-Identifier: MIT
/* doctor: cgroups, and who would enforce each limit here. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

static bool has_word(const char *list, const char *word)
{
	g_auto(GStrv) words = g_strsplit(list != NULL ? list : "", " ", -1);

	return g_strv_contains((const char *const *)words, word);
}

static void mend_delegation(struct result *ret)
{
	doctor_mend(ret, "sudo mkdir -p /etc/systemd/system/user@.service.d\n"
			 "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
			 "sudo tee /etc/systemd/system/user@.service.d/delegate.conf\n"
			 "sudo systemctl daemon-reload\n"
			 "then log out and in again");
}

/* In a service that has only some of the controllers a box gets the others by a scope of its own. */
static char *own_and_delegated(const struct host_cgroup *cgroup)
{
	g_autoptr(GString) all = g_string_new(cgroup->controllers);
	g_auto(GStrv) more = g_strsplit(cgroup->delegated ? cgroup->delegated : "", " ", -1);

	for (char **word = more; cgroup->bus && *word; word++)
		if (**word && !has_word(all->str, *word))
			g_string_append_printf(all, "%s%s", all->len ? " " : "", *word);
	return g_strdup(all->str);
}

/* The controllers that a box's cgroup can have; NULL: there is no such cgroup. For root it is
 * systemd's own manager that hands them out. */
static char *controllers(const struct facts *facts)
{
	const struct host_cgroup *cgroup = &facts->cgroup;
	gchar *text = NULL;

	if (facts->host.euid == 0 && cgroup->bus != NULL) {
		(void)g_file_get_contents("/sys/fs/cgroup/cgroup.controllers", &text, NULL, NULL);
		return text != NULL ? g_strchomp(text) : NULL;
	}
	if (cgroup->writable)
		return own_and_delegated(cgroup);
	return cgroup->bus != NULL ? g_strdup(cgroup->delegated) : NULL;
}

/* A controller that is not delegated takes away what only it can do; the rest is enforced in
 * other ways, so nothing here is a failure. */
static void say_controllers(const struct facts *facts, const char *have, struct result *ret)
{
	/* clang-format off */
	static const struct { const char *name; enum mark mark; } wanted[] = {
		{ "cpu",    MARK_WARN }, { "memory", MARK_WARN }, { "pids", MARK_WARN },
		{ "cpuset", MARK_INFO }, { "io",     MARK_INFO }, /* by default systemd keeps these */
	};
	/* clang-format on */
	g_autoptr(GString) missing = g_string_new(NULL);
	enum mark mark = MARK_OK;

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		if (has_word(have, wanted[i].name))
			continue;
		g_string_append_printf(missing, " %s", wanted[i].name);
		mark = MAX(mark, wanted[i].mark);
	}
	doctor_say(ret, mark, "cgroup v2, delegated: %s%s%s", *have != '\0' ? have : "none",
		   missing->len > 0 ? "; not delegated:" : "", missing->str);
	if (missing->len > 0 && facts->cgroup.manager != NULL && facts->host.euid != 0)
		mend_delegation(ret);
}

void doctor_cgroup(struct facts *facts, struct result *ret)
{
	static const char *const layouts[] = {
		[CGROUP_ABSENT] = "no cgroups are mounted",
		[CGROUP_V1] = "cgroup v1 only",
		[CGROUP_HYBRID] = "cgroup v1, with a v2 tree beside it",
		[CGROUP_V2] = "cgroup v2, but nothing of it is ours",
	};
	g_autofree char *have = controllers(facts);

	if (facts->cgroup.layout == CGROUP_V2 && have != NULL)
		say_controllers(facts, have, ret);
	else
		doctor_say(ret, MARK_INFO, "%s: limits are enforced in other ways, see below",
			   layouts[facts->cgroup.layout]);
}

void doctor_bus(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;

	if (facts->cgroup.bus != NULL) {
		doctor_say(ret, MARK_OK, "%s", facts->cgroup.bus);
		return;
	}
	doctor_say(ret, MARK_INFO, "no systemd to ask for a cgroup (no bus socket of uid %u)",
		   host->uid);
	if (access("/run/systemd/system", F_OK) == 0 && host->uid != 0) {
		ret->mark = MARK_WARN;
		doctor_mend(ret,
			    "log in by ssh or on a console, or: sudo loginctl enable-linger %u",
			    host->uid);
	}
}

/* --- each limit ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct { const char *by, *text; } ways[] = {
	{ "cgroup",   "the kernel, by a cgroup" },
	{ "freezer",  "sandbox, by freezing a cgroup: measured and paused" },
	{ "soft",     "sandbox itself, by measuring, pausing and killing" },
	{ "rlimit",   "the kernel, by RLIMIT_NPROC" },
	{ "affinity", "the CPU affinity, which the command can change" },
};
/* clang-format on */

static void say_way(const struct limit_answer *answer, struct result *ret)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		if (strcmp(ways[i].by, answer->by) != 0)
			continue;
		doctor_say(ret, answer->exact ? MARK_OK : MARK_INFO, "%s%s", ways[i].text,
			   answer->exact ? "" : "; not exact");
		ret->by = ways[i].by;
		ret->exact = answer->exact;
		return;
	}
	doctor_say(ret, MARK_INFO, "enforced (%s)", answer->by);
}

static void say_limit(struct facts *facts, enum doctor_limit limit, struct result *ret)
{
	const struct limit_answer *answer;

	if (!facts->namespaces) {
		doctor_say(ret, MARK_INFO, "not tried: it needs namespaces");
		return;
	}
	answer = doctor_limit(facts, limit);
	if (answer->by != NULL) {
		say_way(answer, ret);
	} else if (answer->cause != NULL) {
		doctor_say(ret, MARK_INFO, "nobody; it would be refused: %s", answer->cause);
		ret->by = "nobody";
		ret->code = ERR_LIMIT;
	} else {
		doctor_say(ret, MARK_INFO, "not known: a run with every limit did not start");
	}
}

void doctor_cpus(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_CPU, ret);
}

void doctor_cpu_weight(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_CPU_WEIGHT, ret);
}

void doctor_cpuset(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_CPUSET, ret);
}

void doctor_memory(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_MEMORY, ret);
}

void doctor_memory_high(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_MEMORY_HIGH, ret);
}

void doctor_memory_swap(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_MEMORY_SWAP, ret);
}

void doctor_pids(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_PIDS, ret);
}

void doctor_io_read(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_IO_READ, ret);
}

void doctor_io_write(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_IO_WRITE, ret);
}

void doctor_cpu_time(struct facts *facts, struct result *ret)
{
	say_limit(facts, DOCTOR_CPU_TIME, ret);
}
