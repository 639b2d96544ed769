// SPDX-License-Identifier: MIT
/*
 * What the command sees. First the frame, in a fixed order: root, /dev, /proc, /sys and their
 * masks. Then everything with a place of its own: the view's rows here, the user's in volumes.c,
 * put in order by order.c. A row in a table below is one line of the view: change a default
 * mount or a mask by changing its row.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include <sandbox/value.h>

#include "view.h"

/* The private, writable directories of the host view. */
/* clang-format off */
static const struct { const char *dst; mode_t mode; } private_dirs[] = {
	{ "/tmp",     01777 },
	{ "/var/tmp", 01777 },
	{ "/run",     0755  },
};
/* clang-format on */

enum mask_when {
	ALWAYS,  /* readable by everybody, and tells about the host */
	AS_ROOT, /* the kernel's file mode keeps everybody else out: only for real root */
};

/* What a procfs or sysfs shows of the host, also one of the box's own. Not among them, as it is a
 * directory for each CPU and a mask a mount: /sys/devices/system/cpu/cpuN/thermal_throttle. */
/* clang-format off */
static const struct { const char *path; bool readonly; enum mask_when when; } masks[] = {
	{ "/proc/acpi",                   false, ALWAYS  },
	{ "/proc/asound",                 false, ALWAYS  },
	{ "/proc/interrupts",             false, ALWAYS  },
	{ "/proc/key-users",              false, ALWAYS  },
	{ "/proc/keys",                   false, ALWAYS  },
	{ "/proc/latency_stats",          false, ALWAYS  },
	{ "/proc/sched_debug",            false, ALWAYS  },
	{ "/proc/scsi",                   false, ALWAYS  },
	{ "/proc/timer_stats",            false, ALWAYS  },
	{ "/proc/kcore",                  false, AS_ROOT },
	{ "/proc/timer_list",             false, AS_ROOT },
	{ "/proc/sysrq-trigger",          true,  AS_ROOT },
	{ "/proc/bus",                    true,  AS_ROOT },
	{ "/proc/fs",                     true,  AS_ROOT },
	{ "/proc/irq",                    true,  AS_ROOT },
	{ "/proc/sys",                    true,  AS_ROOT },
	{ "/sys/firmware",                false, ALWAYS  },
	{ "/sys/devices/virtual/powercap", false, ALWAYS  },
};
/* clang-format on */

/* Directories that are never taken for a project to work in: those of the view below stay
 * read-only, the others are not shown. */
/* clang-format off */
static const struct { const char *dir; bool below; } not_a_cwd[] = {
	{ "/",     false }, { "/tmp",  false }, { "/var/tmp", false }, { "/opt", false }, { "/var", false },
	{ "/run",  true  }, { "/dev",  true  }, { "/proc",    true  }, { "/sys", true  }, { "/usr", true  },
	{ "/etc",  true  }, { "/bin",  true  }, { "/sbin",    true  }, { "/lib", true  }, { "/boot", true },
	{ "/nix",  true  }, { "/gnu",  true  },
};
/* clang-format on */

uint64_t view_scratch_size(const struct build *b)
{
	return b->host->ram / 4;
}

bool view_makes_places(const struct build *b)
{
	return b->spec->view == VIEW_ROOTFS && !b->spec->read_only;
}

int view_add_pin(struct build *b, const char *src, bool optional, enum pin_want want,
		 uint32_t origin)
{
	struct op *op = plan_add(b, OP_PIN, STAGE_PREPARE, origin);

	op->u.pin.src = src;
	op->u.pin.slot = b->plan->nslots;
	op->u.pin.optional = optional;
	op->u.pin.want = want;
	return (int)b->plan->nslots++;
}

struct op *view_add_bind(struct build *b, const char *src, const char *dst, int slot,
			 unsigned attrs, uint32_t origin)
{
	struct op *op = plan_add(b, OP_BIND, STAGE_BUILD, origin);

	op->u.bind.src = src;
	op->u.bind.dst = dst;
	op->u.bind.slot = slot;
	op->u.bind.attrs = attrs;
	op->u.bind.recursive = true;
	op->u.bind.make = view_makes_places(b);
	return op;
}

/* A directory of the caller's own: pinned, since others may change the path meanwhile. */
static struct op *add_user_bind(struct build *b, const char *src, const char *dst, unsigned attrs,
				uint32_t origin)
{
	return view_add_bind(b, src, dst, view_add_pin(b, src, false, PIN_DIR, origin), attrs,
			     origin);
}

struct op *view_add_tmpfs(struct build *b, const char *dst, uint64_t size, mode_t mode,
			  unsigned attrs, uint32_t origin)
{
	struct op *op = plan_add(b, OP_TMPFS, STAGE_BUILD, origin);

	op->u.tmpfs.dst = dst;
	op->u.tmpfs.size = size;
	op->u.tmpfs.mode = mode;
	op->u.tmpfs.attrs = attrs;
	op->u.tmpfs.make = view_makes_places(b);
	return op;
}

static bool shares_resolver(const struct build *b)
{
	return b->spec->net == NET_HOST || b->spec->net == NET_NS;
}

/* With the host's network its resolvers are meant; a tree without a place for them has its own. */
static void add_resolver(struct build *b, const char *src, const char *dst)
{
	int slot = view_add_pin(b, src, true, PIN_FILE, 0);

	view_add_bind(b, src, dst, slot, ATTR_RDONLY | VOLUME_ATTRS, 0)->on_fail = FAIL_SKIP_PLACE;
}

static void add_scratch(struct build *b, const char *dst, mode_t mode, uint32_t origin)
{
	struct op *op = plan_add(b, OP_SCRATCH, STAGE_BUILD, origin);

	op->u.scratch.dst = dst;
	op->u.scratch.mode = mode;
}

/* ---- the frame ---- */

static struct op *last_op(struct build *b)
{
	return &g_array_index(b->plan->ops, struct op, b->plan->ops->len - 1);
}

static int frame_root(struct build *b, struct err *err)
{
	const struct spec *s = b->spec;
	unsigned suid = s->allow_new_privs ? 0 : ATTR_NOSUID;
	const char *dir = NULL;
	int slot = -1, r;
	struct op *op;

	(void)plan_add(b, OP_PROPAGATION, STAGE_BUILD, 0);
	if (s->view == VIEW_ROOTFS) {
		r = path_absolute(b, s->rootfs, s->origin[OPT_ROOTFS], &dir, err);
		if (r < 0)
			return r;
		slot = view_add_pin(b, dir, false, PIN_DIR, s->origin[OPT_ROOTFS]);
		last_op(b)->u.pin.lock = view_makes_places(b);
	}
	op = plan_add(b, OP_ROOT, STAGE_BUILD, s->origin[OPT_ROOTFS]);
	op->u.root.src = dir;
	op->u.root.slot = slot;
	op->u.root.recursive = true;
	op->u.root.attrs =
		ATTR_NODEV | (dir ? suid : ATTR_NOSUID) | (dir && s->read_only ? ATTR_RDONLY : 0);
	op->u.root.size = view_scratch_size(b);
	return 0;
}

/* user.max_user_namespaces of the box's own user namespace: what --nested leaves out. */
static void forbid_nesting(struct build *b)
{
	struct op *op;

	if (b->spec->nested)
		return;
	op = plan_add(b, OP_SYSCTL, STAGE_BUILD, 0);
	op->u.sysctl.path = "sys/user/max_user_namespaces";
	op->u.sysctl.value = "0";
}

/* One that is shared with the host is a bind of ours as well, and read-only as a whole. */
static void frame_masks(struct build *b, bool fresh_proc)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(masks); i++) {
		bool in_proc = path_below(masks[i].path, "/proc");
		struct op *op;

		if ((masks[i].when == AS_ROOT && b->host->euid != 0) ||
		    (masks[i].readonly && in_proc && !fresh_proc))
			continue;
		op = plan_add(b, OP_MASK, STAGE_BUILD, 0);
		op->u.mask.path = masks[i].path;
		op->u.mask.in_sys = !in_proc;
		op->u.mask.readonly = masks[i].readonly;
	}
}

static bool has_data(const struct build *b)
{
	const struct spec *spec = b->spec;

	if (b->net.user)
		return true; /* /etc/hosts, /etc/resolv.conf */
	for (unsigned i = 0; i < spec->volumes->len; i++) {
		const struct volume *v = &g_array_index(spec->volumes, struct volume, i);

		if (v->kind == VOLUME_FILE || v->kind == VOLUME_SECRET)
			return true;
	}
	return false;
}

static int frame(struct build *b, struct err *err)
{
	bool fresh_proc = (b->namespaces & CLONE_NEWPID) != 0;
	bool fresh_sys = (b->namespaces & CLONE_NEWNET) != 0;
	struct op *op;
	int r = frame_root(b, err);

	if (r < 0)
		return r;
	op = plan_add(b, OP_DEV, STAGE_BUILD, 0);
	op->u.dev.pty = b->plan->tty_source >= 0;
	op->u.dev.make = view_makes_places(b);
	op->u.dev.data = has_data(b);
	op->u.dev.shm_size = plan_printf(b, "%" G_GUINT64_FORMAT, (guint64)view_scratch_size(b));
	op = plan_add(b, OP_PROC, STAGE_BUILD, 0);
	op->u.proc.fresh = fresh_proc;
	op->u.proc.make = view_makes_places(b);
	forbid_nesting(b); /* before /proc/sys may turn read-only */
	plan_net_sysctls(b);
	op = plan_add(b, OP_SYSFS, STAGE_BUILD, 0);
	op->u.sysfs.fresh = fresh_sys;
	op->u.sysfs.make = view_makes_places(b);
	/* one covered file makes the kernel refuse a fresh procfs or sysfs further in */
	if (!b->spec->nested)
		frame_masks(b, fresh_proc);
	else if (b->host->euid == 0)
		plan_notice(
			b,
			"--nested as root leaves /proc/sys and /proc/sysrq-trigger writable in the box");
	return 0;
}

/* ---- the host view ---- */

static void view_system(struct build *b)
{
	for (size_t i = 0; i < b->host->nsystem; i++) {
		const struct host_entry *e = &b->host->system[i];
		const char *path = plan_printf(b, "/%s", e->name);
		struct op *op;

		if (e->kind == ENTRY_LINK) {
			op = plan_add(b, OP_SYMLINK, STAGE_BUILD, 0);
			op->u.symlink.target = plan_str(b, e->target);
			op->u.symlink.dst = path;
		} else if (e->kind == ENTRY_DIR) {
			op = view_add_bind(b, path, path, -1, ATTR_RDONLY | VOLUME_ATTRS, 0);
			op->on_fail = FAIL_SKIP_ABSENT;
		}
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(private_dirs); i++)
		add_scratch(b, private_dirs[i].dst, private_dirs[i].mode, 0);
}

static bool in_view(const struct host *h, const char *path)
{
	for (size_t i = 0; i < h->nsystem; i++)
		if (h->system[i].kind == ENTRY_DIR && path[0] == '/' &&
		    strncmp(path + 1, h->system[i].name, strlen(h->system[i].name)) == 0 &&
		    strchr("/", path[1 + strlen(h->system[i].name)]))
			return true;
	return false;
}

/* Debian's daemon has /usr/sbin for a home, bin has /bin, sys has /dev: a private directory there
 * would hide what is needed. */
static bool is_system_home(const struct host *h, const char *home)
{
	static const char *const never[] = { "/dev", "/proc", "/sys", "/usr",  "/etc",
					     "/bin", "/sbin", "/lib", "/lib64" };

	for (unsigned i = 0; i < G_N_ELEMENTS(never); i++)
		if (path_at_or_below(home, never[i]))
			return true;
	for (size_t i = 0; i < h->nsystem; i++)
		if (h->system[i].kind != ENTRY_ABSENT && strcmp(home + 1, h->system[i].name) == 0)
			return true;
	return strcmp(home, "/run") == 0 || path_depth(home) == 0;
}

static int view_home(struct build *b, struct err *err)
{
	const struct spec *s = b->spec;
	const char *home = b->host->home, *src = home;
	uint32_t origin = s->origin[OPT_HOME];
	int r, slot;

	if (home && is_system_home(b->host, home)) {
		plan_notice(
			b, "HOME is %s, a system directory, and not taken for a home: HOME is /tmp",
			home);
		b->home = "/tmp";
		return 0;
	}
	if (!home) {
		plan_notice(b, "the caller has no home directory: HOME is /tmp");
		b->home = "/tmp";
		return 0;
	}
	b->home = home;
	switch (s->home) {
	case HOME_RO:
		(void)add_user_bind(b, src, home, ATTR_RDONLY | VOLUME_ATTRS, origin);
		return 0;
	case HOME_RW: (void)add_user_bind(b, src, home, VOLUME_ATTRS, origin); return 0;
	case HOME_DIR:
		r = path_absolute(b, s->home_dir, origin, &src, err);
		if (r < 0)
			return r;
		slot = view_add_pin(b, src, false, PIN_DIR, origin);
		last_op(b)->u.pin.lock = true;
		(void)view_add_bind(b, src, home, slot, VOLUME_ATTRS, origin);
		return 0;
	case HOME_DEFAULT:
	case HOME_PRIVATE:
	default: add_scratch(b, home, 0700, origin); return 0;
	}
}

/* Why the current directory is not shown unless asked for; NULL if it is. */
static const char *cwd_refusal(const struct host *h)
{
	if (!h->cwd)
		return "it has no path";
	if (h->cwd_is_home || (h->home && strcmp(h->cwd, h->home) == 0))
		return "it is the home directory";
	if ((h->home && path_below(h->home, h->cwd)) ||
	    (h->home_real && path_below(h->home_real, h->cwd)))
		return "the home directory lies in it";
	for (unsigned i = 0; i < G_N_ELEMENTS(not_a_cwd); i++)
		if (strcmp(h->cwd, not_a_cwd[i].dir) == 0 ||
		    (not_a_cwd[i].below && path_below(h->cwd, not_a_cwd[i].dir)))
			return "it is a system directory";
	return NULL;
}

static void leave_cwd(struct build *b, const char *refusal)
{
	const char *cwd = b->host->cwd;
	bool shown = cwd && in_view(b->host, cwd);

	if (shown)
		b->cwd = plan_str(b, cwd);
	plan_notice(
		b,
		shown ? "the current directory%s%s stays read-only: %s (--cwd rw makes it writable)"
		      : "the current directory%s%s is not shown: %s (--cwd rw shows it)",
		cwd ? " " : "", cwd ? cwd : "", refusal);
}

int view_choose_cwd(struct build *b, bool *ret_readonly, struct err *err)
{
	const struct spec *s = b->spec;
	const char *refusal = cwd_refusal(b->host);
	const char *fault;

	*ret_readonly = s->cwd == CWD_RO || (s->cwd == CWD_DEFAULT && s->read_only);
	if (s->cwd == CWD_NONE)
		return 0;
	if (s->cwd == CWD_DEFAULT && refusal) {
		leave_cwd(b, refusal);
		return 0;
	}
	fault = b->host->cwd ? value_dest_fault(b->host->cwd, DEST_PLACE) : "it has no path";
	if (fault) {
		(void)err_set(err, ERR_VALUE, 0, "cannot show the current directory '%s'",
			      b->host->cwd ? b->host->cwd : "?");
		(void)err_cause(err, "%s", fault);
		return err_origin(err, s->origin[OPT_CWD]);
	}
	b->cwd = plan_str(b, b->host->cwd);
	return 1;
}

static int view_cwd(struct build *b, struct err *err)
{
	bool readonly;
	int r = view_choose_cwd(b, &readonly, err);
	struct op *op;

	if (r <= 0)
		return r;
	op = add_user_bind(b, b->cwd, b->cwd, VOLUME_ATTRS | (readonly ? ATTR_RDONLY : 0),
			   b->spec->origin[OPT_CWD]);
	/* a directory given as the home has no such name in it yet, and may be written */
	op->u.bind.make = b->spec->home == HOME_DIR && path_below(b->cwd, b->home);
	return 0;
}

static int view_host(struct build *b, struct err *err)
{
	int r;

	view_system(b);
	r = view_home(b, err);
	if (r == 0)
		r = view_cwd(b, err);
	if (r == 0 && b->host->resolv_target && shares_resolver(b))
		add_resolver(b, b->host->resolv_target, b->host->resolv_target);
	return r;
}

/* ---- the root directory view ---- */

static int view_rootfs(struct build *b)
{
	b->home = b->uid == 0 ? "/root" : "/";
	if (shares_resolver(b))
		add_resolver(b, "/etc/resolv.conf", "/etc/resolv.conf");
	return 0;
}

int plan_mounts(struct build *b, struct err *err)
{
	unsigned from;
	int r;

	if (b->plan->landlock_only)
		return plan_alone(b, err);
	if (!(b->namespaces & CLONE_NEWNS)) {
		b->cwd = b->host->cwd;
		b->home = b->host->home;
		forbid_nesting(b);
		return 0;
	}
	r = frame(b, err);
	from = b->plan->ops->len;
	if (r == 0)
		r = b->spec->view == VIEW_ROOTFS ? view_rootfs(b) : view_host(b, err);
	plan_net_files(b);
	if (r == 0)
		r = view_volumes(b, err);
	if (r < 0)
		return r;
	view_order(b, from);
	if (b->spec->view == VIEW_HOST)
		plan_add(b, OP_ROOT_ATTR, STAGE_BUILD, 0)->u.root_attr.attrs = ATTR_RDONLY;
	plan_landlock_tree(b);
	(void)plan_add(b, OP_PIVOT, STAGE_BUILD, 0);
	return 0;
}
