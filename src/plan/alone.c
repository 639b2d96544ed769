// SPDX-License-Identifier: MIT
/*
 * The view of --backend landlock: no namespaces, so the box stays in the host's tree, and Landlock
 * says what of it may be used. It is the host view as near as that comes: the same system
 * directories to read, the same current directory, a home and a TMPDIR of its own, which are
 * directories in the caller's runtime directory. What is not allowed is there all the same, and can
 * be looked at by name; what needs a mount is refused by name.
 */
#include <errno.h>
#include <string.h>

#include <sandbox/landlock.h>

#include "view.h"

enum use { READ = 1, WRITE = 2, EXECUTE = 4, DEVICE = 8 };

/* What the frame of a box has, of the host's own. /proc is the host's: nothing in it is written,
 * since files of the caller's other processes are among it. */
/* clang-format off */
static const struct { const char *path; enum pin_want want; unsigned use; } frame[] = {
	{ "/proc",        PIN_DIR, READ           },
	{ "/sys",         PIN_DIR, READ           },
	{ "/dev/null",    PIN_ANY, READ | WRITE | DEVICE },
	{ "/dev/zero",    PIN_ANY, READ | WRITE | DEVICE },
	{ "/dev/full",    PIN_ANY, READ | WRITE | DEVICE },
	{ "/dev/random",  PIN_ANY, READ | WRITE | DEVICE },
	{ "/dev/urandom", PIN_ANY, READ | WRITE | DEVICE },
	{ "/dev/tty",     PIN_ANY, READ | WRITE | DEVICE },
};
/* clang-format on */

static uint64_t access_of(const struct build *b, unsigned use)
{
	uint64_t fs =
		landlock_rights(b->host->landlock_abi, use & READ, use & WRITE) & ~LL_FS_MAKE_BLOCK;

	if (use & DEVICE)
		return fs & LL_FS_OF_FILES & ~LL_FS_EXECUTE;
	return use & EXECUTE ? fs : fs & ~LL_FS_EXECUTE;
}

static void add_slot(struct build *b, const char *path, int slot, unsigned use)
{
	struct landlock_place place = { .path = path, .slot = slot, .access = access_of(b, use) };

	/* of two for one place the later holds, as with mounts */
	for (unsigned i = 0; i < b->places->len; i++) {
		struct landlock_place *p = &g_array_index(b->places, struct landlock_place, i);

		if (strcmp(p->path, path) == 0) {
			*p = place;
			return;
		}
	}
	g_array_append_val(b->places, place);
}

static void add_place(struct build *b, const char *path, bool optional, enum pin_want want,
		      unsigned use, uint32_t origin)
{
	add_slot(b, path, view_add_pin(b, path, optional, want, origin), use);
}

static void add_system(struct build *b)
{
	for (size_t i = 0; i < b->host->nsystem; i++) /* a link leads to one of the others */
		if (b->host->system[i].kind == ENTRY_DIR)
			add_place(b, plan_printf(b, "/%s", b->host->system[i].name), true, PIN_DIR,
				  READ | EXECUTE, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(frame); i++)
		add_place(b, frame[i].path, true, frame[i].want, frame[i].use, 0);
	if (b->host->resolv_target && b->spec->net != NET_NONE)
		add_place(b, b->host->resolv_target, true, PIN_FILE, READ, 0);
}

/* HOME and TMPDIR are always there, since /tmp is everybody's. */
static void add_private(struct build *b)
{
	struct op *op = plan_add(b, OP_PRIVATE, STAGE_PREPARE, 0);
	unsigned home = b->plan->nslots++, tmp = b->plan->nslots++;
	const char *name = plan_printf(b, "box-%s", b->host->token);

	op->u.private.base = b->host->runtime;
	op->u.private.name = name;
	op->u.private.home = home;
	op->u.private.tmp = tmp;
	b->home = plan_printf(b, "%s/%s/home", b->host->runtime, name);
	b->tmpdir = plan_printf(b, "%s/%s/tmp", b->host->runtime, name);
	add_slot(b, b->home, (int)home, READ | WRITE | EXECUTE);
	add_slot(b, b->tmpdir, (int)tmp, READ | WRITE | EXECUTE);
}

static int add_home(struct build *b, struct err *err)
{
	uint32_t origin = b->spec->origin[OPT_HOME];
	unsigned use = b->spec->home == HOME_RO ? READ | EXECUTE : READ | WRITE | EXECUTE;
	const char *home = b->host->home;
	int r;

	if (b->spec->home == HOME_DEFAULT || b->spec->home == HOME_PRIVATE)
		return 0;
	if (b->spec->home == HOME_DIR) {
		r = path_absolute(b, b->spec->home_dir, origin, &home, err);
		if (r < 0)
			return r;
	}
	if (!home) {
		plan_notice(b, "the caller has no home directory: HOME is an empty one");
		return 0;
	}
	b->home = home;
	add_place(b, home, false, PIN_DIR, use, origin);
	return 0;
}

static int add_cwd(struct build *b, struct err *err)
{
	bool readonly;
	int r = view_choose_cwd(b, &readonly, err);

	if (r > 0)
		add_place(b, b->cwd, false, PIN_DIR,
			  readonly ? READ | EXECUTE : READ | WRITE | EXECUTE,
			  b->spec->origin[OPT_CWD]);
	return r < 0 ? r : 0;
}

static int refuse(const struct volume *v, const char *what, struct err *err)
{
	(void)err_set(err, ERR_CONFLICT, 0, "cannot have both --backend landlock and %s", what);
	(void)err_cause(err, "it needs a mount namespace");
	(void)err_fix(err, "show files at their own path (-v PATH, --show PATH), or leave one out");
	return err_origin(err, v->origin);
}

static const char *needs_mount(const struct volume *v)
{
	switch (v->kind) {
	case VOLUME_TMPFS: return "--tmpfs";
	case VOLUME_FILE: return "--file";
	case VOLUME_SECRET: return "--secret";
	case VOLUME_HIDE: return "--hide";
	case VOLUME_PROTECT: return "--protect";
	case VOLUME_BIND:
	case VOLUME_SHOW:
	default: return NULL;
	}
}

static int add_volume(struct build *b, const struct volume *v, struct err *err)
{
	const char *src, *dst = NULL, *what = needs_mount(v);
	unsigned use = READ | EXECUTE;
	int r;

	if (what)
		return refuse(v, what, err);
	r = path_absolute(b, v->src, v->origin, &src, err);
	if (r == 0 && v->dst)
		r = path_absolute(b, v->dst, v->origin, &dst, err);
	if (r < 0)
		return r;
	if (dst && strcmp(src, dst) != 0)
		return refuse(v, "a volume at another place than its own", err);
	if (v->kind == VOLUME_BIND)
		use = READ | (v->readonly ? 0 : WRITE) | (v->noexec ? 0 : EXECUTE);
	add_place(b, src, v->optional, PIN_ANY, use, v->origin);
	return 0;
}

static void say_what_is_lost(struct build *b)
{
	plan_notice(
		b,
		"no namespaces: names, modes and processes outside can be seen, modes and times "
		"changed; no sockets by path, %sno /dev/shm, no terminals of its own%s",
		b->spec->net == NET_NONE ? "no loopback, " : "",
		b->host->landlock_abi < 6 ? "; your processes can be signalled" : "");
}

int plan_alone(struct build *b, struct err *err)
{
	int r;

	b->places = g_array_new(FALSE, FALSE, sizeof(struct landlock_place));
	add_private(b);
	add_system(b);
	r = add_home(b, err);
	if (r == 0)
		r = add_cwd(b, err);
	for (unsigned i = 0; i < b->spec->volumes->len && r == 0; i++)
		r = add_volume(b, &g_array_index(b->spec->volumes, struct volume, i), err);
	if (r < 0)
		return r;
	if (b->plan->tty_source >= 0)
		(void)plan_add(b, OP_PTY, STAGE_BUILD, b->spec->origin[OPT_TTY]);
	say_what_is_lost(b);
	return 0;
}
