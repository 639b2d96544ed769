/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * System call filters as programs that are ready to be loaded. Those of the default policy are
 * compiled while building, by helpers/sandbox-seccomp, into a table of constants: the launcher
 * neither links nor maps libseccomp, and a plain run compiles nothing.
 */

struct seccomp_program {
	const struct sock_filter *insns;
	uint32_t n;                  /* 1 to 4096 */
};

/* What the default policy depends on, as far as it is built in. */
enum seccomp_variant {
	SECCOMP_USER,                /* no capability that widens it: an own-uid box */
	SECCOMP_ROOT,                /* root inside: CAP_SYS_CHROOT */
	SECCOMP_NESTED,              /* --nested, with or without CAP_SYS_CHROOT */
	SECCOMP_EVERY_CAP,           /* all that widen it */
	_SECCOMP_VARIANT_MAX,
};

struct seccomp_builtin {
	const char *name;            /* "user", "root", ... "user, multiarch" */
	struct seccomp_program program;
};

/* Generated: by variant, and whether for --multiarch. */
extern const struct seccomp_builtin seccomp_builtins[_SECCOMP_VARIANT_MAX][2];

/* Generated: the capabilities that widen the default policy; others make no difference to it. */
extern const uint64_t seccomp_widening_caps;
