// SPDX-License-Identifier: MIT
/*
 * Scopes of systemd: made, asked about, stopped.
 *
 * StartTransientUnit only queues a job. Whether the process has been moved is known when the
 * manager's signal JobRemoved names that job, so the bus is asked for the signal before the call,
 * and those that come before the call's answer are kept. No limit is set here: the launcher writes them into
 * cgroups below the scope, which systemd leaves alone because of Delegate=yes.
 */
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "unit.h"

/* Waits for the job that a call answered, "(o)". */
static int job_wait(const struct bus *bus, const struct request *request, GVariant *answer,
		    struct problem *problem)
{
	g_autoptr(GError) error = NULL;
	const char *job = NULL, *result;

	g_variant_get(answer, "(&o)", &job);
	(void)alarm(ANSWER_SECONDS); /* a sign of life */
	result = link_job(bus->link, job, &error);
	if (!result)
		return problem_set(problem, CODE_JOBFAILED, NULL,
				   "systemd has gone while it worked on %s: %s", request->name,
				   error->message);
	if (strcmp(result, "done") == 0)
		return 0;
	return problem_set(problem, CODE_JOBFAILED, NULL, "the job for %s ended with \"%s\"",
			   request->name, result);
}

/* The properties of the scope, a(sv). */
static GVariant *scope_properties(const struct request *request, bool by_pidfd)
{
	GVariantBuilder list;
	guint32 pid = (guint32)request->pid;
	gint32 handle = 0; /* the first descriptor of the message */

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(sv)"));
	g_variant_builder_add(&list, "(sv)", "Description",
			      g_variant_new_string("Limits of sandbox"));
	g_variant_builder_add(&list, "(sv)", "Slice", g_variant_new_string(request->slice));
	g_variant_builder_add(&list, "(sv)", "Delegate", g_variant_new_boolean(TRUE));
	g_variant_builder_add(&list, "(sv)", "CollectMode",
			      g_variant_new_string("inactive-or-failed"));
	if (by_pidfd)
		g_variant_builder_add(&list, "(sv)", "PIDFDs",
				      g_variant_new_fixed_array(G_VARIANT_TYPE_HANDLE, &handle, 1,
								sizeof(handle)));
	else
		g_variant_builder_add(&list, "(sv)", "PIDs",
				      g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, &pid, 1,
								sizeof(pid)));
	return g_variant_builder_end(&list);
}

static GVariant *start_once(const struct request *request, const struct bus *bus, bool by_pidfd,
			    GError **error)
{
	GVariant *none = g_variant_new_array(G_VARIANT_TYPE("(sa(sv))"), NULL, 0);

	return bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "StartTransientUnit",
			g_variant_new("(ss@a(sv)@a(sa(sv)))", request->name, "fail",
				      scope_properties(request, by_pidfd), none),
			"(o)", by_pidfd ? request->pidfd : -1, error);
}

static bool is_error(const GError *error, const char *wanted)
{
	g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;

	return g_strcmp0(name, wanted) == 0;
}

/* By pidfd where systemd knows it; up to 253 the property is unknown, hence "read-only". */
static GVariant *start_by_best(const struct request *request, const struct bus *bus, GError **error)
{
	GVariant *answer = start_once(request, bus, request->pidfd >= 0, error);

	if (request->pidfd < 0 || !is_error(*error, "org.freedesktop.DBus.Error.PropertyReadOnly"))
		return answer;
	g_clear_error(error);
	return start_once(request, bus, false, error);
}

/* Where the process is now says the kernel, without another round trip. */
static char *scope_cgroup(const struct request *request)
{
	g_autofree char *file = g_strdup_printf("/proc/%d/cgroup", (int)request->pid);
	g_autofree char *suffix = g_strdup_printf("/%s", request->name);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "0::/") && g_str_has_suffix(*line, suffix))
			return g_strdup(*line + strlen("0::"));
	return NULL;
}

static void reset_failed(const struct request *request, const struct bus *bus)
{
	GVariant *answer = bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "ResetFailedUnit",
				    g_variant_new("(s)", request->name), "()", -1, NULL);

	g_clear_pointer(&answer, g_variant_unref);
}

/*
 * Removes a scope that never had a process. The kernel takes a zombie's number for cgroup.procs
 * and moves nothing, so that systemd counts on a process whose end it is never told of: without
 * this, the scope of a launcher that was killed at that moment, and not waited for yet by its
 * parent, would stay for ever.
 */
static void forget(const struct request *request, const struct bus *bus)
{
	GVariant *answer =
		bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "StopUnit",
			 g_variant_new("(ss)", request->name, "replace"), "(o)", -1, NULL);

	g_clear_pointer(&answer, g_variant_unref);
	reset_failed(request, bus);
}

int unit_scope(const struct request *request, const struct bus *bus, struct problem *problem)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = NULL;
	g_autofree char *cgroup = NULL;

	bus_watch_jobs(bus);
	/* from here on there may be a scope to be removed, should the launcher die */
	(void)prctl(PR_SET_PDEATHSIG, 0);
	answer = start_by_best(request, bus, &error);
	if (is_error(error, BUS_SYSTEMD ".UnitExists")) {
		/* Perhaps only the memory of a failure, from before CollectMode. */
		g_clear_error(&error);
		reset_failed(request, bus);
		answer = start_by_best(request, bus, &error);
	}
	if (!answer)
		return bus_problem(problem, request->name, error);
	if (job_wait(bus, request, answer, problem) < 0)
		return -1;
	cgroup = scope_cgroup(request);
	if (cgroup)
		return answer_ok(cgroup, NULL, problem);
	forget(request, bus);
	return problem_set(problem, CODE_JOBFAILED, NULL, "process %d is not in %s",
			   (int)request->pid, request->name);
}

int unit_probe(const struct request *request, const struct bus *bus, struct problem *problem)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *version = NULL, *cgroup = NULL;

	(void)request;
	version = bus_property(bus, BUS_MANAGER_PATH, BUS_MANAGER, "Version", &error);
	if (version)
		cgroup = bus_property(bus, BUS_MANAGER_PATH, BUS_MANAGER, "ControlGroup", &error);
	if (!cgroup)
		return bus_problem(problem, "systemd", error);
	/* The system's manager is at the root, which it writes as "". */
	return answer_ok(version, *cgroup ? cgroup : "/", problem);
}

int unit_stop(const struct request *request, const struct bus *bus, struct problem *problem)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = NULL;

	bus_watch_jobs(bus);
	answer = bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "StopUnit",
			  g_variant_new("(ss)", request->name, "replace"), "(o)", -1, &error);
	if (!answer && !is_error(error, BUS_SYSTEMD ".NoSuchUnit"))
		return bus_problem(problem, request->name, error);
	if (answer && job_wait(bus, request, answer, problem) < 0)
		return -1;
	reset_failed(request, bus);
	return answer_ok(request->name, NULL, problem);
}
