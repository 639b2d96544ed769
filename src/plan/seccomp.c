// SPDX-License-Identifier: MIT
/*
 * Which system call filter. The default policy's variants are built in; what the command may ever
 * hold (its bounding set) decides among them.
 */
#include <linux/capability.h>

#include <sandbox/seccomp.h>

#include "build.h"

static enum seccomp_variant variant(const struct spec *spec, uint64_t caps)
{
	const uint64_t own_root = UINT64_C(1) << CAP_SYS_CHROOT;

	caps &= seccomp_widening_caps;
	if (caps & ~own_root)
		return SECCOMP_EVERY_CAP;
	return spec->nested ? SECCOMP_NESTED : caps ? SECCOMP_ROOT : SECCOMP_USER;
}

void plan_seccomp(struct build *b, enum stage stage, uint64_t caps)
{
	const struct seccomp_builtin *builtin;
	struct op *op;

	if (b->spec->seccomp_off)
		return;
#ifdef __x86_64__
	if (b->spec->multiarch)
		plan_notice(b, "--multiarch opens all families of sockets to the command: the call "
			       "of 32-bit programs for them cannot be looked into");
#endif
	builtin = &seccomp_builtins[variant(b->spec, caps)][b->spec->multiarch];
	op = plan_add(b, OP_SECCOMP, stage, b->spec->origin[OPT_SECCOMP]);
	op->u.seccomp.program = &builtin->program;
	op->u.seccomp.name = builtin->name;
}
