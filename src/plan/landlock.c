// SPDX-License-Identifier: MIT
/*
 * What Landlock is asked for: a second layer under the mount namespace. Should a mount be writable
 * that the plan has read-only, or a descriptor or a link of /proc lead to a file outside of the
 * tree, writing still fails.
 *
 * Only rights that change something are handled. What may be read and executed is what the tree
 * shows, and asking about that a second time would cost a rule for each read-only place and be
 * wrong for files that come by descriptor. (From ABI 3 on an open for reading is looked up all the
 * same, since the kernel notes whether the file may be truncated later.)
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>

#include <sandbox/landlock.h>

#include "view.h"

enum {
	ABI_FILES = 2, /* ABI 1 refuses every rename and link from one directory to another */
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_SCOPES = 6,
	ABI_LOG = 7,
};

/* Rights to change something, by the ABI that brought them. */
/* clang-format off */
static const struct { int abi; uint64_t fs; } write_rights[] = {
	{ 2, LL_FS_WRITE_FILE | LL_FS_REMOVE_DIR | LL_FS_REMOVE_FILE | LL_FS_MAKE_CHAR | LL_FS_MAKE_DIR |
	     LL_FS_MAKE_REG | LL_FS_MAKE_SOCK | LL_FS_MAKE_FIFO | LL_FS_MAKE_BLOCK | LL_FS_MAKE_SYM |
	     LL_FS_REFER },
	{ 3, LL_FS_TRUNCATE },
	{ 5, LL_FS_IOCTL_DEV },
};
/* clang-format on */

uint64_t landlock_rights(int abi, bool read, bool write)
{
	uint64_t fs = read ? LL_FS_READ_FILE | LL_FS_READ_DIR | LL_FS_EXECUTE : 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(write_rights) && write; i++)
		if (abi >= write_rights[i].abi)
			fs |= write_rights[i].fs;
	return fs;
}

/* A domain with any right to files forbids every mount, in namespaces further in too; without a
 * tree of the box's own all that the user may write is writable. */
static bool has_file_rules(const struct build *b)
{
	return b->host->landlock_abi >= ABI_FILES && (b->namespaces & CLONE_NEWNS) &&
	       !b->spec->nested && !(b->caps >> CAP_SYS_ADMIN & 1);
}

void plan_landlock_tree(struct build *b)
{
	if (b->spec->landlock != LANDLOCK_OFF && has_file_rules(b))
		plan_add(b, OP_MQUEUE, STAGE_BUILD, 0)->u.mqueue.fresh =
			(b->namespaces & CLONE_NEWIPC) != 0;
}

/* Where a row lets something be changed; NULL: nowhere. */
static const char *writable_place(const struct op *op, bool *ret_devices)
{
	*ret_devices = false;
	switch (op->kind) { /* NOLINT: the others make no place */
	case OP_ROOT: return op->u.root.src && !(op->u.root.attrs & ATTR_RDONLY) ? "/" : NULL;
	case OP_DEV: return "/dev";
	case OP_MQUEUE: return "/dev/mqueue";
	case OP_PROC: return op->u.proc.fresh ? "/proc" : NULL;
	case OP_SCRATCH: return op->u.scratch.dst;
	case OP_TMPFS: return op->u.tmpfs.attrs & ATTR_RDONLY ? NULL : op->u.tmpfs.dst;
	case OP_BIND:
		/* devices are written through read-only mounts too */
		*ret_devices = (op->u.bind.attrs & (ATTR_RDONLY | ATTR_NODEV)) == ATTR_RDONLY;
		return (op->u.bind.attrs & ATTR_RDONLY) && !*ret_devices ? NULL : op->u.bind.dst;
	default: return NULL;
	}
}

/* Whether a rule that is there already holds for it. Only below what we have made ourselves: in a
 * directory of the user's a link may lead elsewhere. */
static bool is_covered(const GArray *ours, const char *path)
{
	for (unsigned i = 0; i < ours->len; i++)
		if (path_below(path, g_array_index(ours, const char *, i)))
			return true;
	return false;
}

static void add_place(GArray *places, const char *path, uint64_t access)
{
	struct landlock_place place = { .path = path, .slot = -1, .access = access };

	g_array_append_val(places, place);
}

static void use_places(struct build *b, struct op *row, GArray *places)
{
	row->u.landlock.n = places->len;
	b->plan->places = (struct landlock_place *)(void *)g_array_free(places, FALSE);
	row->u.landlock.places = b->plan->places;
	row->u.landlock.inherited = row->u.landlock.fs & ~LL_FS_MAKE_BLOCK;
	row->u.landlock.keep = (const int *)(const void *)b->spec->preserve_fds->data;
	row->u.landlock.nkeep = b->spec->preserve_fds->len;
}

/* The places come by depth (order.c), so what holds for others is there before them. Block devices
 * nobody can make in a user namespace: that right is never granted. */
static void add_places(struct build *b, struct op *row)
{
	uint64_t fs = row->u.landlock.fs, all = fs & ~LL_FS_MAKE_BLOCK;
	GArray *places = g_array_new(FALSE, FALSE, sizeof(struct landlock_place));
	g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(const char *));
	const GArray *ops = b->plan->ops;

	for (unsigned i = 0; i < ops->len; i++) {
		const struct op *op = &g_array_index(ops, struct op, i);
		bool devices;
		const char *path = writable_place(op, &devices);

		/* the queues are allowed by their own root: see op_mqueue_apply() */
		if (!path || (op->kind != OP_MQUEUE && is_covered(ours, path)))
			continue;
		add_place(places, path, devices ? fs & (LL_FS_WRITE_FILE | LL_FS_IOCTL_DEV) : all);
		if (op->kind != OP_BIND)
			g_array_append_val(ours, path);
	}
	use_places(b, row, places);
}

static int refuse_absent(const struct build *b, struct err *err)
{
	bool asked = b->spec->landlock == LANDLOCK_ON;

	(void)err_set(err, ERR_KERNEL, ENOSYS, "cannot add the layer of Landlock");
	(void)err_cause(err, "%s offers none that is of use (ABI %d, 2 is needed)",
			b->host->landlock_abi ? "this kernel"
					      : "this kernel, or a filter around us,",
			b->host->landlock_abi);
	(void)err_fix(err, "see sandbox doctor; or leave %s out, or use --landlock off",
		      asked ? "--landlock on" : "--strict");
	return err_origin(err, b->spec->origin[asked ? OPT_LANDLOCK : OPT_STRICT]);
}

/* The host's network has its abstract sockets in it, which no other namespace covers. */
static int check_sockets(struct build *b, struct err *err)
{
	static const char what[] = "the host's network includes its abstract sockets, such as "
				   "those of D-Bus and X11";

	if (!(b->spec->share & CLONE_NEWNET) || b->host->landlock_abi >= ABI_SCOPES)
		return 0;
	if (!b->spec->strict && b->spec->landlock != LANDLOCK_ON) {
		plan_notice(b, "%s: keeping the box from them needs Landlock ABI 6 (Linux 6.12)",
			    what);
		return 0;
	}
	(void)err_set(err, ERR_KERNEL, ENOSYS,
		      "cannot keep the box from the host's abstract sockets");
	(void)err_cause(err, "%s, and only Landlock ABI 6 (Linux 6.12) keeps the box from them",
			what);
	(void)err_fix(err, "use another network than the host's, or --landlock off");
	return err_origin(err, b->spec->origin[OPT_NETWORK]);
}

static int refuse_alone(const struct build *b, struct err *err)
{
	(void)err_set(err, ERR_KERNEL, ENOSYS, "cannot confine by Landlock alone");
	(void)err_cause(err, "this kernel has ABI %d of it, and 2 is needed (Linux 5.19)",
			b->host->landlock_abi);
	(void)err_fix(err,
		      "see sandbox doctor: where namespaces are refused it says how to allow them");
	return err_origin(err, b->spec->origin[OPT_BACKEND]);
}

int plan_landlock_check(struct build *b, struct err *err)
{
	bool needed = b->spec->strict || b->spec->landlock == LANDLOCK_ON;

	if (b->spec->landlock == LANDLOCK_OFF)
		return 0;
	if (b->plan->landlock_only)
		return b->host->landlock_abi < ABI_FILES ? refuse_alone(b, err) : 0;
	if (needed && b->host->landlock_abi < ABI_FILES)
		return refuse_absent(b, err);
	return check_sockets(b, err);
}

/* Without namespaces Landlock decides what is read, too. */
static void alone(struct build *b, struct op *row)
{
	int abi = b->host->landlock_abi;

	row->u.landlock.fs = landlock_rights(abi, true, true);
	if (abi >= ABI_NET && b->spec->net == NET_NONE)
		row->u.landlock.net = LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
	use_places(b, row, g_steal_pointer(&b->places));
}

/* What Landlock does not confine, and its ABI alone can tell. */
static void add_calls(struct build *b)
{
	struct op *op = plan_add(b, OP_CALLS, STAGE_HANDOFF, b->spec->origin[OPT_BACKEND]);

	op->u.calls.network = b->spec->net != NET_NONE;
	op->u.calls.truncate = b->host->landlock_abi >= ABI_TRUNCATE;
	op->u.calls.signals = b->host->landlock_abi >= ABI_SCOPES;
}

/* A domain of scopes alone still denies LANDLOCK_ACCESS_FS_REFER as soon as another one below it has
 * rules for files (landlock(7): denied by default): in a box inside, nothing could be moved from one
 * directory to another. With --nested it is therefore made where it guards what no namespace does: the
 * limiter, too, is a process in the box. */
static uint64_t scopes(const struct build *b)
{
	bool limiter = b->spec->cpus || b->spec->cpu_time_ms || b->spec->memory.bytes ||
		       b->spec->memory.permille;
	uint64_t ret = LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL;

	if (!b->spec->nested || b->spec->strict || b->spec->landlock == LANDLOCK_ON)
		return ret;
	if (b->namespaces & CLONE_NEWNET)
		ret &= ~(uint64_t)LL_SCOPE_ABSTRACT_UNIX;
	return b->namespaces & CLONE_NEWPID && !limiter ? ret & ~(uint64_t)LL_SCOPE_SIGNAL : ret;
}

/* PID 1's own denials would be a fault of ours and are logged (audit, ABI 7); those of the command
 * are not, by default; nor may the box fill the host's log by domains of its own. */
void plan_landlock(struct build *b, enum stage stage)
{
	int abi = b->host->landlock_abi;
	struct op row = { 0 };

	if (b->spec->landlock == LANDLOCK_OFF)
		return;
	row.u.landlock.abi = abi;
	if (b->plan->landlock_only) {
		alone(b, &row);
	} else if (has_file_rules(b)) {
		row.u.landlock.fs = landlock_rights(abi, false, true);
		add_places(b, &row);
	}
	if (abi >= ABI_SCOPES)
		row.u.landlock.scoped = scopes(b);
	if (abi >= ABI_LOG)
		row.u.landlock.flags = LL_RESTRICT_LOG_SUBDOMAINS_OFF;
	if (row.u.landlock.fs || row.u.landlock.scoped)
		b->plan->landlock = abi;
	plan_add(b, OP_LANDLOCK, stage, b->spec->origin[OPT_LANDLOCK])->u.landlock = row.u.landlock;
	if (b->plan->landlock_only)
		add_calls(b);
}
