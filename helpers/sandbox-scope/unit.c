// SPDX-License-Identifier: MIT
/*
 * Scopes of systemd: made, asked about, stopped.
 *
 * StartTransientUnit only queues a job. Whether the process has been moved is known when the
 * manager's signal JobRemoved names that job, so the signal is subscribed to before the call, and
 * those that come before the call's answer are kept. No limit is set here: the launcher writes them into
 * cgroups below the scope, which systemd leaves alone because of Delegate=yes.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gio/gunixfdlist.h>

#include "unit.h"

#define SCOPE     BUS_SYSTEMD ".Scope"
#define PATH_SIZE 1024

/* The jobs that have ended so far: path to result. */
struct jobs {
	GDBusConnection *link;
	guint subscription;
	GHashTable *ended;
};

static void on_job_removed(GDBusConnection *link, const char *sender, const char *object,
			   const char *interface, const char *signal, GVariant *values, void *data)
{
	struct jobs *jobs = data;
	const char *job = NULL, *result = NULL;

	(void)link, (void)sender, (void)object, (void)interface, (void)signal;
	if (!g_variant_is_of_type(values, G_VARIANT_TYPE("(uoss)")))
		return;
	g_variant_get(values, "(u&o&s&s)", NULL, &job, NULL, &result);
	g_hash_table_insert(jobs->ended, g_strdup(job), g_strdup(result));
}

static void jobs_watch(struct jobs *jobs, const struct bus *bus)
{
	jobs->link = bus->link;
	jobs->ended = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	jobs->subscription = g_dbus_connection_signal_subscribe(
		bus->link, bus->manager, BUS_MANAGER, "JobRemoved", BUS_MANAGER_PATH, NULL,
		G_DBUS_SIGNAL_FLAGS_NONE, on_job_removed, jobs, NULL);
	/* Without waiting for an answer. On the manager's own socket signals come anyway, and
	 * Subscribe would never be answered. */
	if (bus->manager)
		g_dbus_connection_call(bus->link, bus->manager, BUS_MANAGER_PATH, BUS_MANAGER,
				       "Subscribe", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
				       NULL, NULL);
}

static void jobs_clear(struct jobs *jobs)
{
	if (!jobs->link)
		return;
	g_dbus_connection_signal_unsubscribe(jobs->link, jobs->subscription);
	g_hash_table_destroy(jobs->ended);
}
#define autojobs __attribute__((cleanup(jobs_clear)))

/* Waits for the job that a call answered, "(o)". */
static int jobs_wait(struct jobs *jobs, const struct request *request, GVariant *answer,
		     struct problem *problem)
{
	const char *job = NULL, *result;

	g_variant_get(answer, "(&o)", &job);
	(void)alarm(ANSWER_SECONDS); /* a sign of life */
	while (!(result = g_hash_table_lookup(jobs->ended, job))) {
		if (g_dbus_connection_is_closed(jobs->link))
			return problem_set(problem, CODE_JOBFAILED, NULL,
					   "systemd has gone while it worked on %s", request->name);
		(void)g_main_context_iteration(NULL, TRUE);
	}
	if (strcmp(result, "done") == 0)
		return 0;
	return problem_set(problem, CODE_JOBFAILED, NULL, "the job for %s ended with \"%s\"",
			   request->name, result);
}

/* The properties of the scope, a(sv). With `fds` the process goes as a pidfd. */
static GVariant *scope_properties(const struct request *request, GUnixFDList *fds)
{
	GVariantBuilder list;
	guint32 pid = (guint32)request->pid;
	gint32 handle = 0;

	g_variant_builder_init(&list, G_VARIANT_TYPE("a(sv)"));
	g_variant_builder_add(&list, "(sv)", "Description",
			      g_variant_new_string("Limits of sandbox"));
	g_variant_builder_add(&list, "(sv)", "Slice", g_variant_new_string(request->slice));
	g_variant_builder_add(&list, "(sv)", "Delegate", g_variant_new_boolean(TRUE));
	g_variant_builder_add(&list, "(sv)", "CollectMode",
			      g_variant_new_string("inactive-or-failed"));
	if (fds)
		g_variant_builder_add(&list, "(sv)", "PIDFDs",
				      g_variant_new_fixed_array(G_VARIANT_TYPE_HANDLE, &handle, 1,
								sizeof(handle)));
	else
		g_variant_builder_add(&list, "(sv)", "PIDs",
				      g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, &pid, 1,
								sizeof(pid)));
	return g_variant_builder_end(&list);
}

static GVariant *start_once(const struct request *request, const struct bus *bus, GUnixFDList *fds,
			    GError **error)
{
	GVariant *none = g_variant_new_array(G_VARIANT_TYPE("(sa(sv))"), NULL, 0);

	return bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "StartTransientUnit",
			g_variant_new("(ss@a(sv)@a(sa(sv)))", request->name, "fail",
				      scope_properties(request, fds), none),
			"(o)", fds, error);
}

static bool is_error(const GError *error, const char *wanted)
{
	g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;

	return g_strcmp0(name, wanted) == 0;
}

/* By pidfd where systemd knows it; up to 253 the property is unknown, hence "read-only". */
static GVariant *start_by_best(const struct request *request, const struct bus *bus, GError **error)
{
	g_autoptr(GUnixFDList) fds = NULL;
	GVariant *answer;

	if (request->pidfd < 0)
		return start_once(request, bus, NULL, error);
	fds = g_unix_fd_list_new();
	if (g_unix_fd_list_append(fds, request->pidfd, error) < 0)
		return NULL;
	answer = start_once(request, bus, fds, error);
	if (!is_error(*error, "org.freedesktop.DBus.Error.PropertyReadOnly"))
		return answer;
	g_clear_error(error);
	return start_once(request, bus, NULL, error);
}

static void reset_failed(const struct request *request, const struct bus *bus)
{
	GVariant *answer = bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "ResetFailedUnit",
				    g_variant_new("(s)", request->name), "()", NULL, NULL);

	g_clear_pointer(&answer, g_variant_unref);
}

int unit_scope(const struct request *request, const struct bus *bus, struct problem *problem)
{
	autojobs struct jobs jobs = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = NULL;
	g_autofree char *cgroup = NULL;
	char object[PATH_SIZE];

	if (!name_object_path(request->name, object, sizeof(object)))
		return problem_set(problem, CODE_USAGE, NULL, "the name is too long");
	jobs_watch(&jobs, bus);
	answer = start_by_best(request, bus, &error);
	if (is_error(error, BUS_SYSTEMD ".UnitExists")) {
		/* Perhaps only the memory of a failure, from before CollectMode. */
		g_clear_error(&error);
		reset_failed(request, bus);
		answer = start_by_best(request, bus, &error);
	}
	if (!answer)
		return bus_problem(problem, request->name, error);
	if (jobs_wait(&jobs, request, answer, problem) < 0)
		return -1;
	cgroup = bus_property(bus, object, SCOPE, "ControlGroup", &error);
	if (!cgroup)
		return bus_problem(problem, request->name, error);
	if (cgroup[0] != '/')
		return problem_set(problem, CODE_JOBFAILED, NULL, "%s has no cgroup",
				   request->name);
	return answer_ok(cgroup, NULL, problem);
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
	autojobs struct jobs jobs = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = NULL;

	jobs_watch(&jobs, bus);
	answer = bus_call(bus, BUS_MANAGER_PATH, BUS_MANAGER, "StopUnit",
			  g_variant_new("(ss)", request->name, "replace"), "(o)", NULL, &error);
	if (!answer && !is_error(error, BUS_SYSTEMD ".NoSuchUnit"))
		return bus_problem(problem, request->name, error);
	if (answer && jobs_wait(&jobs, request, answer, problem) < 0)
		return -1;
	reset_failed(request, bus);
	return answer_ok(request->name, NULL, problem);
}
