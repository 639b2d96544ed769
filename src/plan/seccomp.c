// SPDX-License-Identifier: MIT
/*
 * Which system call filter, and who makes it. The default policy's variants are built in; what the
 * command may ever hold (its bounding set) decides among them. For everything else the helper is
 * asked, or the cache, before the box is made. A filter of the user's own is for the command alone: PID 1
 * has the narrowest of ours.
 */
#include <inttypes.h>
#include <linux/capability.h>

#include <sandbox/seccomp.h>

#include "build.h"

/* The built-in variant that is just right, or _SECCOMP_VARIANT_MAX: there is none. */
static enum seccomp_variant variant(const struct spec *spec, uint64_t caps)
{
	const uint64_t own_root = UINT64_C(1) << CAP_SYS_CHROOT;

	caps &= seccomp_widening_caps;
	if (spec->nested)
		return caps & ~own_root ? _SECCOMP_VARIANT_MAX : SECCOMP_NESTED;
	if (caps == seccomp_widening_caps)
		return SECCOMP_EVERY_CAP;
	return caps & ~own_root ? _SECCOMP_VARIANT_MAX : caps ? SECCOMP_ROOT : SECCOMP_USER;
}

bool plan_own_filter(const struct build *b, uint64_t caps)
{
	const struct spec *s = b->spec;

	switch (s->seccomp) {
	case SECCOMP_BASE_DEFAULT:
		return s->seccomp_lists->len > 0 || variant(s, caps) == _SECCOMP_VARIANT_MAX;
	case SECCOMP_BASE_OFF: return s->seccomp_lists->len > 0;
	case SECCOMP_BASE_STRICT:
	case SECCOMP_BASE_FILE: break;
	}
	return true;
}

static void add_builtin(struct build *b, enum stage stage, enum seccomp_variant v, bool multiarch)
{
	const struct seccomp_builtin *builtin = &seccomp_builtins[v][multiarch];
	struct op *op = plan_add(b, OP_SECCOMP, stage, b->spec->origin[OPT_SECCOMP]);

	op->u.seccomp.program = &builtin->program;
	op->u.seccomp.name = builtin->name;
}

/* The cost of the default policy for more than one architecture. */
static void say_multiarch(struct build *b)
{
#ifdef __x86_64__
	if (b->spec->multiarch)
		plan_notice(b, "--multiarch opens all families of sockets to the command: the call "
			       "of 32-bit programs for them cannot be looked into");
#else
	(void)b;
#endif
}

void plan_seccomp(struct build *b, enum stage stage, uint64_t caps)
{
	if (b->spec->seccomp == SECCOMP_BASE_OFF || plan_own_filter(b, caps))
		return;
	say_multiarch(b);
	add_builtin(b, stage, variant(b->spec, caps), b->spec->multiarch);
}

/* ---- the user's own ---- */

/* clang-format off */
static const char *const base_words[] = {
	[SECCOMP_BASE_DEFAULT] = "default", [SECCOMP_BASE_STRICT] = "strict",
	[SECCOMP_BASE_OFF] = "open",        [SECCOMP_BASE_FILE] = "profile",
};
/* clang-format on */

static void word(struct build *b, const char *text)
{
	g_ptr_array_add(b->plan->filter_argv, (char *)(uintptr_t)text);
}

static void words(struct build *b, const char *option, const char *value)
{
	word(b, option);
	word(b, value);
}

/* What the helper has to know: capabilities and kernel where they can make a difference, so that the
 * digest in the cache is the same for the rest. */
static void add_words(struct build *b, uint64_t caps)
{
	const struct spec *s = b->spec;
	bool file = s->seccomp == SECCOMP_BASE_FILE;

	b->plan->filter_argv = g_ptr_array_new();
	word(b, NULL);
	word(b, "compile");
	words(b, "--base", base_words[s->seccomp]);
	if (file || s->seccomp == SECCOMP_BASE_DEFAULT)
		words(b, "--caps",
		      plan_printf(b, "%" PRIx64, file ? caps : caps & seccomp_widening_caps));
	if (file)
		words(b, "--kernel", plan_printf(b, "%u", b->host->kernel));
	if (s->multiarch && !file)
		word(b, "--multiarch");
	if (s->nested && s->seccomp == SECCOMP_BASE_DEFAULT)
		word(b, "--nested");
	if (s->seccomp_action)
		words(b, "--action", s->seccomp_action);
	for (unsigned i = 0; i < s->seccomp_lists->len; i++) {
		const struct seccomp_list *list =
			&g_array_index(s->seccomp_lists, struct seccomp_list, i);

		words(b, list->deny ? "--deny" : "--allow", list->text);
	}
	word(b, NULL);
}

/* As the XDG base directory specification has it: a relative one does not count. */
static const char *cache_dir(struct build *b)
{
	const char *dir = g_environ_getenv(b->host->env, "XDG_CACHE_HOME");

	if (dir && dir[0] == '/')
		return dir;
	return b->host->home ? plan_printf(b, "%s/.cache", b->host->home) : NULL;
}

static uint32_t origin(const struct spec *s)
{
	uint32_t last = MAX(s->origin[OPT_SECCOMP_DENY], s->origin[OPT_SECCOMP_ALLOW]);

	return s->origin[OPT_SECCOMP] ? s->origin[OPT_SECCOMP]
	       : last                 ? last
				      : s->origin[OPT_CAP_ADD];
}

static int add_filter(struct build *b, uint64_t caps, struct err *err)
{
	const struct spec *s = b->spec;
	const char *file = NULL;
	struct op *op;
	int r = 0;

	if (s->seccomp == SECCOMP_BASE_FILE)
		r = path_absolute(b, s->seccomp_file, s->origin[OPT_SECCOMP], &file, err);
	if (r < 0)
		return r;
	if (s->seccomp == SECCOMP_BASE_DEFAULT)
		say_multiarch(b);
	add_words(b, caps);
	op = plan_add(b, OP_FILTER, STAGE_PREPARE, origin(s));
	op->u.filter.argv = (char **)b->plan->filter_argv->pdata;
	op->u.filter.file = file;
	op->u.filter.cache = cache_dir(b);
	op->u.filter.lists = (const struct seccomp_list *)(const void *)s->seccomp_lists->data;
	op->u.filter.nlists = s->seccomp_lists->len;
	return 0;
}

/* The default, widened for a set of capabilities that no built-in one fits, is still the default. */
static bool asked_for(const struct spec *s)
{
	return s->seccomp != SECCOMP_BASE_DEFAULT || s->seccomp_lists->len > 0;
}

int plan_filter(struct build *b, uint64_t caps, struct err *err)
{
	const char *action = b->spec->seccomp_action;
	bool own = plan_own_filter(b, caps);
	struct op *op;
	int r;

	b->plan->filter = own && asked_for(b->spec)              ? "own"
			  : b->spec->seccomp == SECCOMP_BASE_OFF ? "off"
								 : "default";
	if (!own) {
		if (b->spec->seccomp == SECCOMP_BASE_OFF)
			add_builtin(b, STAGE_INIT, SECCOMP_USER, false);
		return 0;
	}
	r = add_filter(b, caps, err);
	if (r < 0)
		return r;
	if (action && g_str_equal(action, "log"))
		plan_notice(
			b,
			"--seccomp-action log: calls that would be refused are executed, and written "
			"to the kernel's log");
	op = plan_add(b, OP_SECCOMP, STAGE_EXEC, origin(b->spec));
	op->u.seccomp.name = base_words[b->spec->seccomp];
	add_builtin(b, STAGE_INIT, SECCOMP_USER, false);
	return 0;
}
