// SPDX-License-Identifier: MIT
/*
 * PREPARE, in the launcher: a cgroup v2 directory for the payload, from our own when it is ours,
 * else from a scope that the user's systemd makes for us. Every step is tried by writing; a
 * controller that is not there leaves its limit to what the plan has for that case. From the
 * scope on all is file work (cgroups(7), "Delegation"):
 *
 *   BASE/            delegated; holds no process, since controllers are enabled below it
 *   BASE/sup         the launcher: moved first, as a populated cgroup would turn "threaded"
 *   BASE/payload     the box, with the limits
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/log.h>

#include "config.h"
#include "ops.h"

enum {
	SCOPE_MS = 16000 /* three times the helper's own 5 s: to connect, to call, for the job */,
	PERIOD_US = 100000,
	PIDS_OWN = 1
};

/* ---- the helper ---- */

/* Beside the launcher in a build folder and in an installed tree; never by the environment. */
static char *find_helper(void)
{
	static const char *const places[] = { "../helpers/sandbox-scope/sandbox-scope",
					      "../libexec/sandbox/sandbox-scope" };
	g_autofree char *exe = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = exe ? g_path_get_dirname(exe) : NULL;

	for (unsigned i = 0; dir && i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(dir, places[i], NULL);

		if (access(path, X_OK) == 0)
			return g_canonicalize_filename(path, NULL);
	}
	return access(SANDBOX_LIBEXECDIR "/sandbox-scope", X_OK) == 0
		       ? g_strdup(SANDBOX_LIBEXECDIR "/sandbox-scope")
		       : NULL;
}

/* Starts it and goes on: connecting to the bus takes longer than all the rest. */
static void start_helper(struct run *run, const char *socket, bool system)
{
	g_autofree char *helper = find_helper();
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
	start_helper(run, op->u.scope.bus, op->u.scope.system);
	return 0;
}

/* Systemd may have moved us although the answer was late or lost: then the scope is ours. */
static char *scope_entered(const struct run *run)
{
	g_autofree char *text = NULL;
	const char *at;

	if (!run->scope_name || !g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
		return NULL;
	at = strstr(text, "0::/");
	if (!at)
		return NULL;
	g_strdelimit(text, "\n", '\0');
	return g_str_has_suffix(at, run->scope_name)
		       ? g_strconcat("/sys/fs/cgroup", at + strlen("0::"), NULL)
		       : NULL;
}

/* Waits for its one line. The directory, or NULL with *ret_why. */
static char *scope_dir(struct run *run, char **ret_why)
{
	char said[1024] = "", *entered;
	int r;

	if (run->scope.pid <= 0) {
		*ret_why =
			g_strdup(run->scope_absent ? run->scope_absent : "no systemd of the user");
		return NULL;
	}
	r = spawn_finish(&run->scope, said, sizeof(said), SCOPE_MS);
	run->scope.pid = -1;
	g_strchomp(said);
	if (r == 0 && g_str_has_prefix(said, "ok /"))
		return g_strconcat("/sys/fs/cgroup", said + strlen("ok "), NULL);
	entered = scope_entered(run);
	if (!entered)
		*ret_why = g_strdup_printf("the user's systemd made no scope: %s",
					   said[0] ? said : "no answer");
	return entered;
}

/* ---- files ---- */

static int write_in(int dir, const char *name, const char *text)
{
	autofd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	return n < 0 ? -errno : 0;
}

static int open_cgroup(const char *path)
{
	autofd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;
	struct stat st;

	if (dir < 0 || fstatfs(dir, &fs) < 0 || fstat(dir, &st) < 0)
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC || st.st_uid != geteuid())
		return -EACCES;
	return fd_steal(&dir);
}

/* Our own directory will do only when nobody else is in it: others would be in the way of
 * enabling controllers, and are not ours to move. */
static bool alone_in(int dir)
{
	char text[64];
	autofd int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strtol(text, NULL, 10) == getpid() && strchr(text, '\n') == text + n - 1;
}

static int enter(int base)
{
	autofd int sup = -EBADF;

	if (mkdirat(base, "sup", 0755) < 0 && errno != EEXIST)
		return -errno;
	sup = openat(base, "sup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return sup < 0 ? -errno : write_in(sup, "cgroup.procs", "0");
}

/* ---- the limits ---- */

static void text_of(enum limit_kind kind, uint64_t value, char *out, size_t size)
{
	switch (kind) { /* NOLINT: the others have no file */
	case LIMIT_CPU:
		(void)snprintf(out, size, "%llu %d", (unsigned long long)(value * PERIOD_US / 1000),
			       PERIOD_US);
		break;
	case LIMIT_PIDS:
		(void)snprintf(out, size, "%llu", (unsigned long long)value + PIDS_OWN);
		break;
	default:
		if (value == UINT64_MAX)
			(void)snprintf(out, size, "max");
		else
			(void)snprintf(out, size, "%llu", (unsigned long long)value);
	}
}

/* clang-format off */
static const struct { const char *controller, *file; } files[_LIMIT_MAX] = {
	[LIMIT_CPU]         = { "+cpu",    "cpu.max"         },
	[LIMIT_CPU_WEIGHT]  = { "+cpu",    "cpu.weight"      },
	[LIMIT_MEMORY]      = { "+memory", "memory.max"      },
	[LIMIT_MEMORY_HIGH] = { "+memory", "memory.high"     },
	[LIMIT_MEMORY_SWAP] = { "+memory", "memory.swap.max" },
	[LIMIT_PIDS]        = { "+pids",   "pids.max"        },
};
/* clang-format on */

static void set_one(struct run *run, enum limit_kind kind)
{
	struct limit *limit = &run->limits[kind];
	char text[64];

	if (!limit->asked || !files[kind].file)
		return;
	text_of(kind, limit->value, text, sizeof(text));
	if (write_in(run->cgroup, files[kind].file, text) < 0)
		return;
	limit->by = LIMIT_BY_CGROUP;
	limit->exact = true;
}

/* One by one: written together they fail together. */
static void enable(struct run *run, int base)
{
	for (int i = 0; i < _LIMIT_MAX; i++)
		if (run->limits[i].asked && files[i].controller)
			(void)write_in(base, "cgroup.subtree_control", files[i].controller);
}

static int payload(struct run *run, int base)
{
	if (mkdirat(base, "payload", 0755) < 0)
		return -errno;
	run->cgroup = openat(base, "payload", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->cgroup < 0)
		return -errno;
	for (int i = 0; i < _LIMIT_MAX; i++)
		set_one(run, (enum limit_kind)i);
	if (run->limits[LIMIT_MEMORY].by == LIMIT_BY_CGROUP) {
		/* the host would hide the limit by swapping; and a box dies whole */
		if (!run->limits[LIMIT_MEMORY_SWAP].asked)
			(void)write_in(run->cgroup, "memory.swap.max", "0");
		(void)write_in(run->cgroup, "memory.oom.group", "1");
	}
	return 0;
}

static int use(struct run *run, const char *path)
{
	autofd int base = open_cgroup(path);
	int r = base < 0 ? base : enter(base);

	if (r < 0)
		return r;
	enable(run, base);
	r = payload(run, base);
	if (r == 0)
		run->cgroup_base = g_strdup(path);
	return r;
}

/* clang-format off */
static const char *const mend[_LIMIT_BY_MAX] = {
	[LIMIT_BY_NOBODY]   = "sandbox doctor says how controllers are delegated",
	[LIMIT_BY_SOFT]     = "leave --limits cgroup out or give --no-strict, or see sandbox doctor",
	[LIMIT_BY_RLIMIT]   = "use one id (--userns keep-id or root), or give --no-strict",
	[LIMIT_BY_AFFINITY] = "leave --limits cgroup out or give --no-strict: it is set by CPU affinity",
};
/* clang-format on */

/* The default process limit is nobody's word: it is taken as it comes. */
static bool is_unasked(const struct run *run, int kind)
{
	return kind == LIMIT_CPU_TIME || (kind == LIMIT_PIDS && run->limits[kind].origin == 0);
}

static int refuse(const struct run *run, int kind, const char *why, struct err *err)
{
	const struct limit *l = &run->limits[kind];

	(void)err_set(err, ERR_LIMIT, EOPNOTSUPP, "cannot enforce --%s by a cgroup",
		      limit_option((enum limit_kind)kind));
	(void)err_cause(err, "%s", why);
	(void)err_fix(err, "%s", mend[l->by]);
	return err_origin(err, l->origin);
}

/* What no cgroup serves is left to what the plan allows in its place, and said in one line. */
static int settle(const struct op *op, struct run *run, const char *reason, struct err *err)
{
	const char *why = reason ? reason : "its controller is not delegated to you";
	g_autoptr(GString) names = g_string_new(NULL);

	for (int i = 0; i < _LIMIT_MAX; i++) {
		struct limit *l = &run->limits[i];

		if (!l->asked || l->by == LIMIT_BY_CGROUP)
			continue;
		l->by = l->otherwise;
		if (l->by == LIMIT_BY_NOBODY ||
		    (op->u.cgroup.required && !l->exact && !is_unasked(run, i)))
			return refuse(run, i, why, err);
		if (!l->exact && !is_unasked(run, i))
			g_string_append_printf(names, "%s--%s", names->len ? " " : "",
					       limit_option((enum limit_kind)i));
	}
	if (names->len)
		log_notice(
			"no cgroup for %s (%s); enforced by measuring and pausing, not exact: see "
			"sandbox-limits(7); --limits cgroup refuses instead",
			names->str, why);
	return 0;
}

int op_cgroup_apply(const struct op *op, struct run *run, struct err *err)
{
	g_autofree char *why = NULL, *dir = NULL;
	int own = op->u.cgroup.own ? open_cgroup(op->u.cgroup.own) : -ENOENT;
	int r = -ENOENT;

	if (own >= 0 && alone_in(own))
		r = use(run, op->u.cgroup.own);
	fd_close(&own);
	if (r < 0 && op->u.cgroup.own && op->u.cgroup.bus)
		start_helper(run, op->u.cgroup.bus, op->u.cgroup.system);
	if (r < 0 && op->u.cgroup.bus) {
		dir = scope_dir(run, &why);
		r = dir ? use(run, dir) : -ENOENT;
		if (dir && r < 0)
			why = g_strdup_printf("the scope cannot be used: %s", g_strerror(-r));
	}
	return settle(op, run, r == 0 ? NULL : why ? why : op->u.cgroup.absent, err);
}
