// SPDX-License-Identifier: MIT
/*
 * Which limits were asked for, and what may serve each where no cgroup does. Who really enforces
 * them is found out by writing, in ops/cgroup.c, when the run begins: a version number or a
 * file's presence tells nothing (a controller may not be delegated).
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/resource.h>

#include "build.h"

enum {
	PIDS_DEFAULT = 4096,
	PIDS_OWN = 1 /* PID 1 counts too */,
	PIDS_OTHERS = 4096, /* of the same user, which count too without a user namespace */
	KERNEL_NPROC = 5014 /* RLIMIT_NPROC counts per user namespace from Linux 5.14 on */
};

/* clang-format off */
static const struct {
	const char *name, *option; enum opt_id id; enum limit_by otherwise; const char *controller;
} rows[_LIMIT_MAX] = {
	[LIMIT_CPU]         = { "cpu",         "cpus",        OPT_CPUS,        LIMIT_BY_SOFT, "cpu" },
	[LIMIT_CPU_WEIGHT]  = { "cpu-weight",  "cpu-weight",  OPT_CPU_WEIGHT,  LIMIT_BY_NOBODY, "cpu" },
	[LIMIT_CPUSET]      = { "cpuset",      "cpuset",      OPT_CPUSET,      LIMIT_BY_AFFINITY, "cpuset" },
	[LIMIT_MEMORY]      = { "memory",      "memory",      OPT_MEMORY,      LIMIT_BY_SOFT, "memory" },
	[LIMIT_MEMORY_HIGH] = { "memory-high", "memory-high", OPT_MEMORY_HIGH, LIMIT_BY_NOBODY, "memory" },
	[LIMIT_MEMORY_SWAP] = { "memory-swap", "memory-swap", OPT_MEMORY_SWAP, LIMIT_BY_NOBODY, "memory" },
	[LIMIT_PIDS]        = { "pids",        "pids-limit",  OPT_PIDS_LIMIT,  LIMIT_BY_RLIMIT, "pids" },
	[LIMIT_IO_READ]     = { "io-read",     "io-read",     OPT_IO_READ,     LIMIT_BY_NOBODY, "io" },
	[LIMIT_IO_WRITE]    = { "io-write",    "io-write",    OPT_IO_WRITE,    LIMIT_BY_NOBODY, "io" },
	[LIMIT_CPU_TIME]    = { "cpu-time",    "cpu-time",    OPT_CPU_TIME,    LIMIT_BY_SOFT, NULL },
};

static const char *const by_names[_LIMIT_BY_MAX] = {
	[LIMIT_BY_NOBODY] = "nobody", [LIMIT_BY_CGROUP]   = "cgroup",   [LIMIT_BY_SOFT] = "soft",
	[LIMIT_BY_RLIMIT] = "rlimit", [LIMIT_BY_AFFINITY] = "affinity", [LIMIT_BY_FREEZER] = "freezer",
};
/* clang-format on */

const char *limit_name(enum limit_kind kind)
{
	return kind < _LIMIT_MAX ? rows[kind].name : "?";
}

const char *limit_option(enum limit_kind kind)
{
	return kind < _LIMIT_MAX ? rows[kind].option : "?";
}

const char *limit_by_name(enum limit_by by)
{
	return by < _LIMIT_BY_MAX ? by_names[by] : "?";
}

bool limit_is_soft(enum limit_kind kind)
{
	return kind < _LIMIT_MAX && rows[kind].otherwise == LIMIT_BY_SOFT;
}

/* The soft limiter signals and measures whatever its PID namespace and procfs hold: these must be
 * the box's own, else it would pause the caller's other processes. */
static bool has_limiter(const struct build *b)
{
	return (b->namespaces & CLONE_NEWPID) && (b->namespaces & CLONE_NEWNS);
}

static void ask(struct build *b, enum limit_kind kind, uint64_t value)
{
	bool nobody = rows[kind].otherwise == LIMIT_BY_SOFT && !has_limiter(b);

	b->plan->limits[kind] = (struct limit){
		.asked = true,
		.value = value,
		.otherwise = nobody ? LIMIT_BY_NOBODY : rows[kind].otherwise,
		.origin = b->spec->origin[rows[kind].id],
	};
}

static uint64_t bytes(const struct build *b, const struct memory_amount *amount)
{
	return amount->bytes ? amount->bytes : b->host->ram / 1000 * amount->permille;
}

static bool is_set(const struct memory_amount *amount)
{
	return amount->bytes || amount->permille;
}

/* Docker's meaning: --memory-swap is both together; without it the box does not swap, since the
 * host would hide the limit by swapping. */
static int ask_swap(struct build *b, struct err *err)
{
	const struct spec *s = b->spec;
	uint64_t memory = bytes(b, &s->memory), both = bytes(b, &s->memory_swap);

	if (s->memory_swap_unlimited) {
		ask(b, LIMIT_MEMORY_SWAP, UINT64_MAX);
		return 0;
	}
	if (!is_set(&s->memory_swap))
		return 0;
	if (!is_set(&s->memory) || both < memory) {
		(void)err_set(err, ERR_CONFLICT, 0,
			      "cannot limit memory and swap together to less than memory");
		(void)err_fix(err, "give --memory, and a --memory-swap of at least that");
		return err_origin(err, s->origin[OPT_MEMORY_SWAP]);
	}
	ask(b, LIMIT_MEMORY_SWAP, both);
	return 0;
}

static bool has_ulimit(const struct spec *spec, int resource)
{
	for (unsigned i = 0; i < spec->ulimits->len; i++)
		if (g_array_index(spec->ulimits, struct ulimit_row, i).resource == resource)
			return true;
	return false;
}

/* Whether RLIMIT_NPROC counts the box alone: by user namespace and uid, so with one id mapped; not
 * for real root, whom the kernel exempts; and before Linux 5.14 by uid of the host. */
static bool nproc_exact(const struct build *b)
{
	return b->single_id && (b->host->euid != 0 || b->host->userns_root) &&
	       b->host->kernel >= KERNEL_NPROC;
}

/* The kernel exempts its own user 0, as whatever it appears in the box, from RLIMIT_NPROC. */
static bool nproc_exempt(const struct build *b)
{
	uint32_t out;

	return b->host->euid == 0 && !b->host->userns_root &&
	       idmap_outside(&b->plan->uids, b->uid, &out) && out == 0;
}

static void ask_pids(struct build *b)
{
	bool asked = b->spec->pids_limit != 0;
	bool shared = b->plan->landlock_only; /* the caller's other processes count too */
	uint64_t limit = asked ? b->spec->pids_limit : PIDS_DEFAULT + (shared ? PIDS_OTHERS : 0);

	if (limit == UINT64_MAX || (!asked && b->host->kernel < KERNEL_NPROC) ||
	    (!asked && has_ulimit(b->spec, RLIMIT_NPROC)))
		return;
	ask(b, LIMIT_PIDS, limit);
	if ((shared && asked) || nproc_exempt(b)) {
		b->plan->limits[LIMIT_PIDS].otherwise = LIMIT_BY_NOBODY;
		return;
	}
	b->plan->limits[LIMIT_PIDS].by = LIMIT_BY_RLIMIT;
	b->plan->limits[LIMIT_PIDS].exact = nproc_exact(b);
}

/* Without a path it is the disk on which the box works: that of its root directory, or that of the
 * caller's directory. */
static int io_path(struct build *b, const struct io_rate *row, const char **ret, struct err *err)
{
	const char *path = row->path;

	if (!path && b->spec->view == VIEW_ROOTFS)
		path = b->spec->rootfs;
	if (path)
		return path_absolute(b, path, row->origin, ret, err);
	*ret = b->host->cwd ? b->host->cwd : "/";
	return 0;
}

/* "10M,/data:500iops": what the report says was asked. */
static const char *io_text(struct build *b, bool write)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (unsigned i = 0; i < b->spec->io->len; i++) {
		const struct io_rate *row = &g_array_index(b->spec->io, struct io_rate, i);

		if (row->write != write)
			continue;
		g_string_append_printf(text, "%s%s%s%" G_GUINT64_FORMAT "%s", text->len ? "," : "",
				       row->path ? row->path : "", row->path ? ":" : "", row->rate,
				       row->ops ? "iops" : "");
	}
	return plan_str(b, text->str);
}

static int ask_io(struct build *b, struct err *err)
{
	for (unsigned i = 0; i < b->spec->io->len; i++) {
		struct io_rate row = g_array_index(b->spec->io, struct io_rate, i);
		enum limit_kind kind = row.write ? LIMIT_IO_WRITE : LIMIT_IO_READ;
		int r = io_path(b, &row, &row.path, err);

		if (r < 0)
			return r;
		g_array_append_val(b->plan->io, row);
		ask(b, kind, 0);
		b->plan->limits[kind].text = io_text(b, row.write);
	}
	return 0;
}

/* A cgroup is asked for where some limit is served better by it. */
static bool wants_cgroup(const struct build *b)
{
	const struct limit *l = b->plan->limits;

	if (b->spec->limits == LIMITS_SOFT || b->spec->limits == LIMITS_OFF)
		return false;
	for (int i = 0; i < _LIMIT_MAX; i++)
		if (l[i].asked && i != LIMIT_PIDS)
			return true;
	return l[LIMIT_PIDS].asked && b->spec->pids_limit != 0 && !l[LIMIT_PIDS].exact;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; p && (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/* Our own directory will do, unless a controller is missing in it that a scope would have. */
static bool use_own(const struct build *b)
{
	const struct host_cgroup *c = &b->host->cgroup;

	if (!c->writable || !c->bus)
		return c->writable;
	for (int i = 0; i < _LIMIT_MAX; i++)
		if (b->plan->limits[i].asked && rows[i].controller &&
		    !has_word(c->controllers, rows[i].controller) &&
		    has_word(c->delegated, rows[i].controller))
			return false;
	return true;
}

static void cgroup_rows(struct build *b)
{
	const struct host_cgroup *c = &b->host->cgroup;
	bool own = use_own(b);
	struct op *op;

	/* started first, beside all the rest; but where our own directory may do, a helper in it would
	 * be in the way, and it is started only when that has failed */
	if (c->bus && !own) {
		op = plan_add(b, OP_SCOPE, STAGE_PREPARE, 0);
		op->u.scope.bus = c->bus;
		op->u.scope.system = b->host->euid == 0;
	}
	op = plan_add(b, OP_CGROUP, STAGE_PREPARE, 0);
	op->u.cgroup.own = own ? c->dir : NULL;
	op->u.cgroup.bus = c->bus;
	op->u.cgroup.system = b->host->euid == 0;
	op->u.cgroup.required = b->spec->limits == LIMITS_CGROUP || b->spec->strict;
	op->u.cgroup.absent = c->layout == CGROUP_V2 || c->layout == CGROUP_HYBRID
				      ? "no systemd of the user answers (no bus socket)"
				      : "no cgroup v2 is mounted";
}

/* --limits off is the user's word: nothing but resource limits is enforced. */
static int refuse_off(struct build *b, struct err *err)
{
	for (int i = 0; i < _LIMIT_MAX; i++) {
		if (!b->plan->limits[i].asked ||
		    (i == LIMIT_PIDS &&
		     (!b->spec->pids_limit || b->plan->limits[i].otherwise != LIMIT_BY_NOBODY)))
			continue;
		(void)err_set(err, ERR_CONFLICT, 0, "cannot enforce --%s with --limits off",
			      rows[i].option);
		return err_origin(err, b->spec->origin[OPT_LIMITS]);
	}
	if (!b->spec->strict || !b->spec->pids_limit || !b->plan->limits[LIMIT_PIDS].asked ||
	    b->plan->limits[LIMIT_PIDS].exact)
		return 0;
	(void)err_set(err, ERR_CONFLICT, 0,
		      "cannot have --strict, --limits off and --pids-limit with these ids");
	(void)err_cause(err, "without a cgroup the kernel counts each user id by itself");
	return err_origin(err, b->spec->origin[OPT_LIMITS]);
}

/* --limits soft: some have nothing but a controller. */
static int refuse_soft(struct build *b, struct err *err)
{
	if (b->spec->strict) {
		(void)err_set(err, ERR_CONFLICT, 0, "cannot have both --strict and --limits soft");
		(void)err_cause(err, "the soft limiter is not exact");
		return err_origin(err, b->spec->origin[OPT_LIMITS]);
	}
	for (int i = 0; i < _LIMIT_MAX; i++) {
		if (!b->plan->limits[i].asked || b->plan->limits[i].otherwise != LIMIT_BY_NOBODY ||
		    (i == LIMIT_PIDS && !b->spec->pids_limit))
			continue;
		(void)err_set(err, ERR_LIMIT, EOPNOTSUPP, "cannot enforce --%s without a cgroup",
			      rows[i].option);
		(void)err_fix(err, "leave --limits soft out");
		return err_origin(err, b->plan->limits[i].origin);
	}
	return 0;
}

int plan_limits(struct build *b, struct err *err)
{
	const struct spec *s = b->spec;
	int r;

	if (s->cpus)
		ask(b, LIMIT_CPU, s->cpus);
	if (s->cpu_weight)
		ask(b, LIMIT_CPU_WEIGHT, s->cpu_weight);
	if (s->cpuset_set) {
		ask(b, LIMIT_CPUSET, 0);
		b->plan->limits[LIMIT_CPUSET].text = s->cpuset_text;
	}
	if (is_set(&s->memory))
		ask(b, LIMIT_MEMORY, bytes(b, &s->memory));
	if (is_set(&s->memory_high))
		ask(b, LIMIT_MEMORY_HIGH, bytes(b, &s->memory_high));
	if (s->cpu_time_ms)
		ask(b, LIMIT_CPU_TIME, s->cpu_time_ms);
	r = ask_swap(b, err);
	if (r == 0)
		r = ask_io(b, err);
	ask_pids(b);
	if (r == 0 && s->limits == LIMITS_OFF)
		r = refuse_off(b, err);
	if (r == 0 && s->limits == LIMITS_SOFT)
		r = refuse_soft(b, err);
	if (r == 0 && wants_cgroup(b))
		cgroup_rows(b);
	else if (r == 0 && s->pids_limit && b->plan->limits[LIMIT_PIDS].asked &&
		 !b->plan->limits[LIMIT_PIDS].exact)
		plan_notice(
			b,
			"--pids-limit is approximate here: the kernel counts each user id by itself");
	return r;
}

static struct op *add_rlimit(struct build *b, int resource, const char *name, uint64_t soft,
			     uint64_t hard, uint32_t origin)
{
	struct op *op = plan_add(b, OP_RLIMIT, STAGE_LOCKDOWN, origin);

	op->u.rlimit.resource = resource;
	op->u.rlimit.name = name;
	op->u.rlimit.soft = soft;
	op->u.rlimit.hard = hard;
	return op;
}

static void add_nproc(struct build *b)
{
	const struct limit *pids = &b->plan->limits[LIMIT_PIDS];
	uint64_t limit = pids->value + PIDS_OWN;

	/* where the command itself is exempt, users that it becomes are not */
	if (!pids->asked || (b->plan->landlock_only && b->spec->pids_limit))
		return;
	if (limit > b->host->nproc_hard)
		limit = b->host->nproc_hard;
	(void)add_rlimit(b, RLIMIT_NPROC, "nproc", limit, limit, pids->origin);
}

void plan_rlimits(struct build *b)
{
	const struct spec *s = b->spec;
	struct op *op;

	if (!has_ulimit(s, RLIMIT_CORE))
		(void)add_rlimit(b, RLIMIT_CORE, "core", 0, 0, 0);
	add_nproc(b);
	if (s->nice_set) {
		op = plan_add(b, OP_NICE, STAGE_LOCKDOWN, s->origin[OPT_NICE]);
		op->u.nice.value = s->nice;
	}
	if (s->background)
		(void)plan_add(b, OP_IDLE, STAGE_LOCKDOWN, s->origin[OPT_BACKGROUND]);
	if (s->cpuset_set) {
		op = plan_add(b, OP_AFFINITY, STAGE_LOCKDOWN, s->origin[OPT_CPUSET]);
		op->u.affinity.cpus = s->cpuset;
		op->u.affinity.bits = SPEC_CPUS;
		op->u.affinity.text = s->cpuset_text;
	}
}

/* For the command alone: PID 1 needs some descriptors and memory of its own. */
void plan_ulimits(struct build *b)
{
	for (unsigned i = 0; i < b->spec->ulimits->len; i++) {
		const struct ulimit_row *u = &g_array_index(b->spec->ulimits, struct ulimit_row, i);

		add_rlimit(b, u->resource, u->name, u->soft, u->hard, u->origin)->stage =
			STAGE_HANDOFF;
	}
}
