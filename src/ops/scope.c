// SPDX-License-Identifier: MIT
/* PREPARE, in the launcher: a scope of the user's systemd, by way of a helper that speaks D-Bus. It
 * is started first and waited for when the cgroup is needed. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "ops.h"

/* The helper bounds itself: its turn among others of the user (60 s), then 5 s each to connect, to
 * call, for the job. */
enum { SCOPE_MS = 80000 };

/* Starts it and goes on: connecting to the bus takes longer than all the rest. */
void scope_start(struct run *run, const char *socket, bool system)
{
	g_autofree char *helper = helper_find("sandbox-scope");
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	char *name = run->scope_name = g_strdup_printf("sandbox-%s-%" G_GINT64_MODIFIER "x.scope",
						       pid, (guint64)g_get_real_time());
	g_autofree char *bus = g_strdup_printf("unix:path=%s", socket);
	char *argv[] = { helper,
			 (char *)"scope",
			 (char *)"--name",
			 name,
			 (char *)"--slice",
			 (char *)"sandbox.slice",
			 (char *)"--pid",
			 pid,
			 (char *)"--bus",
			 bus,
			 system ? (char *)"--system" : NULL,
			 NULL };

	if (!helper)
		run->scope_absent = "the helper sandbox-scope is not installed";
	else if (spawn_start(&run->scope, argv) < 0)
		run->scope_absent = "the helper sandbox-scope cannot be started";
}

int op_scope_apply(const struct op *op, struct run *run, struct err *err)
{
	(void)err;
	scope_start(run, op->u.scope.bus, op->u.scope.system);
	return 0;
}

/* On a hybrid host, with cgroup v1 beside it, v2 has no controllers, but can freeze. */
static const char *mount_point(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) < 0 &&
			       access("/sys/fs/cgroup/unified/cgroup.controllers", F_OK) == 0
		       ? "/sys/fs/cgroup/unified"
		       : "/sys/fs/cgroup";
}

/* Systemd may have moved us although the answer was late or lost: then the scope is ours. */
static char *scope_entered(const struct run *run)
{
	g_autofree char *text = NULL;
	const char *at;

	if (!run->scope_name || !g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
		return NULL;
	/* at the start of a line: a name in another hierarchy's path is anybody's */
	at = g_str_has_prefix(text, "0::/") ? text : strstr(text, "\n0::/");
	if (!at)
		return NULL;
	at += *at == '\n';
	g_strdelimit(text, "\n", '\0');
	return g_str_has_suffix(at, run->scope_name)
		       ? g_strconcat(mount_point(), at + strlen("0::"), NULL)
		       : NULL;
}

char *scope_answer(const char *said)
{
	const char *path = g_str_has_prefix(said, "ok /") ? said + strlen("ok ") : NULL;
	g_autofree char *whole = path ? g_strconcat(path, "/", NULL) : NULL;

	if (!path || path[1] == '\0' || strstr(whole, "/../"))
		return NULL;
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return NULL;
	return g_strconcat(mount_point(), path, NULL);
}

/* Waits for its one line. The directory, or NULL with *ret_why. */
char *scope_dir(struct run *run, char **ret_why)
{
	char said[1024] = "", quoted[256], *entered;
	int r;

	if (run->scope.pid <= 0) {
		*ret_why =
			g_strdup(run->scope_absent ? run->scope_absent : "no systemd of the user");
		return NULL;
	}
	r = spawn_finish(&run->scope, said, sizeof(said), SCOPE_MS);
	run->scope.pid = -1;
	g_strchomp(said);
	entered = r == 0 ? scope_answer(said) : NULL;
	if (!entered)
		entered = scope_entered(run);
	if (!entered)
		*ret_why = g_strdup_printf("the user's systemd made no scope: %s",
					   said[0] ? err_quote(quoted, sizeof(quoted), said)
						   : "no answer");
	return entered;
}
