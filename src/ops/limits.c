// SPDX-License-Identifier: MIT
/*
 * PREPARE, in the launcher: a cgroup v2 directory for the box, from our own when it is ours, else
 * from a scope that the user's systemd makes for us (scope.c), and the limits in it. Every step is
 * tried by writing; a controller that is not there leaves its limit to what the plan has for
 * that case. The directories themselves are <sandbox/cgroup.h>'s.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/cgroup.h>
#include <sandbox/log.h>

#include "cgroup.h"
#include "ops.h"

enum { PERIOD_US = 100000, PIDS_OWN = 1 };

/* ---- what is written ---- */

/* clang-format off */
static const struct { const char *controller, *file; } files[_LIMIT_MAX] = {
	[LIMIT_CPU]         = { "+cpu",    "cpu.max"         },
	[LIMIT_CPU_WEIGHT]  = { "+cpu",    "cpu.weight"      },
	[LIMIT_CPUSET]      = { "+cpuset", "cpuset.cpus"     },
	[LIMIT_MEMORY]      = { "+memory", "memory.max"      },
	[LIMIT_MEMORY_HIGH] = { "+memory", "memory.high"     },
	[LIMIT_MEMORY_SWAP] = { "+memory", "memory.swap.max" },
	[LIMIT_PIDS]        = { "+pids",   "pids.max"        },
	[LIMIT_IO_READ]     = { "+io",     "io.max"          },
	[LIMIT_IO_WRITE]    = { "+io",     "io.max"          },
};
/* clang-format on */

/* Whether a limiter will be in the box, where it counts. */
static bool has_limiter(const struct run *run)
{
	for (int i = 0; i < _LIMIT_MAX; i++)
		if (run->limits[i].asked && run->limits[i].by == LIMIT_BY_SOFT)
			return run->limits[LIMIT_CPU].by != LIMIT_BY_FREEZER;
	return false;
}

static void text_of(const struct run *run, enum limit_kind kind, char *out, size_t size)
{
	unsigned long long value = run->limits[kind].value;

	if (kind == LIMIT_CPU)
		(void)snprintf(out, size, "%llu %d", value * PERIOD_US / 1000, PERIOD_US);
	else if (value == UINT64_MAX)
		(void)snprintf(out, size, "max");
	else if (kind == LIMIT_MEMORY_SWAP) /* asked for is the sum, as docker has it */
		(void)snprintf(out, size, "%llu", value - run->limits[LIMIT_MEMORY].value);
	else if (kind == LIMIT_PIDS)
		(void)snprintf(out, size, "%llu", value + PIDS_OWN + (has_limiter(run) ? 1 : 0));
	else
		(void)snprintf(out, size, "%llu", value);
}

/* CPUs beyond what the kernel was made for are refused here already; by name, by OP_AFFINITY,
 * which comes in any case, since the kernel leaves out CPUs that are not there without a word. */
static int set_cpuset(struct run *run, const struct limit *limit)
{
	int r;

	(void)cgroup_line(run->tree.base, "cpuset.cpus.effective", run->cpus, sizeof(run->cpus));
	r = cgroup_write(run->tree.box, "cpuset.cpus", limit->text);

	return r == -EINVAL || r == -ERANGE ? 0 : r;
}

/* Without the controller the time is measured and the box paused, by files that every cgroup has: nobody
 * in it can get round that, or hide time from the kernel's count. */
static bool set_freezer(const struct run *run, enum limit_kind kind)
{
	return kind == LIMIT_CPU && cgroup_has(run->tree.box, "cgroup.freeze") && /* 5.2 */
	       cgroup_has(run->tree.box, "cpu.stat");
}

/* 0; -ENOENT and the like: no such controller; with err set, a mistake of the user's. */
static int set_one(struct run *run, enum limit_kind kind, struct err *err)
{
	const struct limit *limit = &run->limits[kind];
	char text[64];

	switch (kind) {      /* NOLINT: the others are one number in one file */
	case LIMIT_CPU_TIME: /* counted without any controller; looked at by the supervisor */
		return cgroup_has(run->tree.box, "cpu.stat") ? 0 : -ENOENT;
	case LIMIT_CPUSET: return set_cpuset(run, limit);
	case LIMIT_IO_READ:
	case LIMIT_IO_WRITE: return io_limits(run, kind == LIMIT_IO_WRITE, err);
	default: text_of(run, kind, text, sizeof(text));
	}
	return cgroup_write(run->tree.box, files[kind].file, text);
}

static void set_memory(const struct run *run)
{
	if (run->limits[LIMIT_MEMORY].by != LIMIT_BY_CGROUP)
		return;
	/* the host would hide the limit by swapping; and a box dies whole */
	if (!run->limits[LIMIT_MEMORY_SWAP].asked)
		(void)cgroup_write(run->tree.box, "memory.swap.max", "0");
	(void)cgroup_write(run->tree.box, "memory.oom.group", "1");
}

static void try_one(struct run *run, enum limit_kind kind, struct err *err)
{
	struct limit *limit = &run->limits[kind];

	if (!limit->asked || err->code != ERR_NONE)
		return;
	if (set_one(run, kind, err) == 0)
		limit->by = LIMIT_BY_CGROUP;
	else if (set_freezer(run, kind))
		limit->by = LIMIT_BY_FREEZER;
	else
		return;
	limit->exact = true;
}

static int set_all(struct run *run, struct err *err)
{
	for (int i = 0; i < _LIMIT_MAX; i++)
		if (i != LIMIT_PIDS)
			try_one(run, (enum limit_kind)i, err);
	/* last: whether a limiter of ours counts among the processes is known now */
	try_one(run, LIMIT_PIDS, err);
	if (err->code != ERR_NONE)
		return -1;
	set_memory(run);
	return 0;
}

/* ---- where it is written ---- */

enum { CONTROLLERS = _LIMIT_MAX + 1 };

static size_t list_controllers(const struct run *run, const char **ret)
{
	size_t n = 0;

	for (int i = 0; i < _LIMIT_MAX; i++)
		if (run->limits[i].asked && files[i].controller)
			ret[n++] = files[i].controller;
	/* what is written to a file comes to the disk later, and is the box's by its memory alone */
	if (run->limits[LIMIT_IO_WRITE].asked)
		ret[n++] = "+memory";
	return n;
}

static int use(struct run *run, const char *path, enum cgtree_how how)
{
	const char *controllers[CONTROLLERS];
	size_t n = list_controllers(run, controllers);
	int r;

	r = cgtree_open(&run->tree, path);
	if (r == 0)
		r = cgtree_enter(&run->tree, how, controllers, n);
	if (r < 0)
		cgtree_leave(&run->tree);
	return r;
}

/* Our own cgroup costs least, and there least of all where nobody has to be moved. Others that are in
 * it are moved only where there is no systemd to ask: it does not know of us. */
static int find(const struct op *op, struct run *run, char **ret_why)
{
	const char *own = op->u.cgroup.own;
	g_autofree char *dir = NULL;
	int r = own ? use(run, own, CGTREE_THREADED) : -ENOENT;

	if (r < 0 && own)
		r = use(run, own, CGTREE_ALONE);
	if (r < 0 && op->u.cgroup.bus) {
		if (own)
			scope_start(run, op->u.cgroup.bus, op->u.cgroup.system);
		dir = scope_dir(run, ret_why);
		r = dir ? use(run, dir, CGTREE_SCOPE) : -ENOENT;
		if (dir && r < 0)
			*ret_why = g_strdup_printf("the scope cannot be used: %s", g_strerror(-r));
	}
	if (r < 0 && own && !dir)
		r = use(run, own, CGTREE_OTHERS);
	if (r == -EOPNOTSUPP && !*ret_why)
		*ret_why = g_strdup("threaded cgroups are in ours, such as a box with only --cpus");
	return r;
}

/* ---- whether it is still there ---- */

static bool in_file(const struct run *run, int kind)
{
	return run->limits[kind].by == LIMIT_BY_CGROUP && files[kind].file;
}

static bool are_held(const struct run *run)
{
	for (int i = 0; i < _LIMIT_MAX; i++)
		if (in_file(run, i) && !cgroup_has(run->tree.box, files[i].file))
			return false;
	return true;
}

/* systemd switches controllers off again in a unit without Delegate=, when something else changes
 * near it; their files, and the limits, are gone then without a word. */
int limits_keep(struct run *run)
{
	const char *controllers[CONTROLLERS];
	struct err err = { 0 };
	int r = 0;

	if (run->tree.box < 0 || run->tree.scope || are_held(run))
		return 0;
	cgtree_again(&run->tree, controllers, list_controllers(run, controllers));
	for (int i = 0; i < _LIMIT_MAX && r == 0; i++)
		if (in_file(run, i))
			r = set_one(run, (enum limit_kind)i, &err);
	set_memory(run);
	return r;
}

/* ---- who enforces what ---- */

#define DROP_IN                                                                                       \
	"as root: mkdir -p /etc/systemd/system/user@.service.d; printf '[Service]\\n"                 \
	"Delegate=cpu cpuset io memory pids\\n' >/etc/systemd/system/user@.service.d/delegate.conf; " \
	"systemctl daemon-reload; then log out everywhere and in again"

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
	return kind == LIMIT_PIDS && run->limits[kind].origin == 0;
}

static const char *mend_of(const struct run *run, enum limit_kind kind, bool drop_in)
{
	const struct limit *l = &run->limits[kind];

	if (l->by == LIMIT_BY_NOBODY && limit_is_soft(kind) && !run->plan->pid_namespace)
		return run->plan->landlock_only
			       ? "with --backend namespaces it can be done without a cgroup"
			       : "leave --share pid out: then it can be done without a cgroup";
	if (drop_in)
		return DROP_IN;
	if (l->by == LIMIT_BY_NOBODY && kind == LIMIT_PIDS)
		return "run it as an ordinary user, or leave --pids-limit out: the kernel counts no "
		       "processes of root's; sandbox doctor says how controllers are delegated";
	return mend[l->by];
}

static int refuse(const struct op *op, const struct run *run, int kind, const char *why,
		  struct err *err)
{
	const struct limit *l = &run->limits[kind];

	(void)err_set(err, ERR_LIMIT, EOPNOTSUPP, "cannot enforce --%s by a cgroup",
		      limit_option((enum limit_kind)kind));
	if (why)
		(void)err_cause(err, "%s", why);
	else
		(void)err_cause(err, "the controller %s is not delegated to you",
				files[kind].controller + 1);
	(void)err_fix(err, "%s", mend_of(run, (enum limit_kind)kind, !why && op->u.cgroup.bus));
	return err_origin(err, l->origin);
}

/* clang-format off */
static const char *const instead[_LIMIT_BY_MAX] = {
	[LIMIT_BY_RLIMIT]   = "by resource limits, for each user id by itself",
	[LIMIT_BY_AFFINITY] = "by CPU affinity, which the command can change",
};
/* clang-format on */

/* What the soft limiter will do to the box: the CPU is shared out by pauses, what is used up kills. */
struct soft_ways {
	bool pauses, kills;
};

static const char *soft_text(struct soft_ways ways)
{
	if (ways.pauses && ways.kills)
		return "by measuring, pausing and killing";
	return ways.pauses ? "by measuring and pausing" : "by measuring and killing";
}

/* What no cgroup serves is left to what the plan allows in its place, and said in one line. */
static int settle(const struct op *op, struct run *run, const char *why, struct err *err)
{
	g_autoptr(GString) names = g_string_new(NULL);
	struct soft_ways soft = { false, false };
	const char *how = NULL;

	for (int i = 0; i < _LIMIT_MAX; i++) {
		struct limit *l = &run->limits[i];

		if (!l->asked || l->by == LIMIT_BY_CGROUP || l->by == LIMIT_BY_FREEZER)
			continue;
		l->by = l->otherwise;
		if (is_unasked(run, i))
			continue;
		if (l->by == LIMIT_BY_NOBODY || (op->u.cgroup.required && !l->exact))
			return refuse(op, run, i, why, err);
		if (l->exact)
			continue;
		g_string_append_printf(names, "%s--%s", names->len ? " " : "",
				       limit_option((enum limit_kind)i));
		soft.pauses |= l->by == LIMIT_BY_SOFT && i == LIMIT_CPU;
		soft.kills |= l->by == LIMIT_BY_SOFT && i != LIMIT_CPU;
		if (!how)
			how = instead[l->by];
	}
	if (soft.pauses || soft.kills)
		how = soft_text(soft);
	if (how)
		log_notice("no cgroup for %s (%s); enforced %s, not exact: see "
			   "sandbox-limits(7); --limits cgroup refuses instead",
			   names->str, why ? why : "its controller is not delegated to you", how);
	return 0;
}

int op_cgroup_apply(const struct op *op, struct run *run, struct err *err)
{
	g_autofree char *why = NULL;
	int r = find(op, run, &why);

	if (r == 0 && set_all(run, err) < 0)
		return -err->num;
	return settle(op, run, r == 0 ? NULL : why ? why : op->u.cgroup.absent, err);
}
