/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sandbox/err.h>

/*
 * A system call filter that is not built in: asked of the helper sandbox-seccomp, kept in the
 * user's cache, judged before it is used. In the launcher, with the caller's rights, before
 * anything of the box exists; nothing here is done in a plain run.
 */

struct filter {
	struct sock_filter *insns; /* owned */
	unsigned n;                /* 0: none */
	unsigned flags;            /* SECCOMP_FILTER_FLAG_*: LOG or 0 */
	bool kills;                /* some call ends the process */
	bool cached;               /* it came from the cache */
	char **notes;              /* one line each for the user, NULL-terminated; owned */
};

void filter_clear(struct filter *filter);

/* Reads a profile, 1 MiB at most. */
int filter_source(const char *path, char **ret, size_t *ret_len, struct err *err);

/* Runs `sandbox-seccomp argv[1]...` (argv[0] is filled in, argv[] ends with NULL) with `source` on
 * its standard input, or takes what a former run with the same words, source, helper and
 * libseccomp has left in `cache` (NULL: no cache). *ret_at: which of the lists given was at fault,
 * from 1; 0: none, or not a list's. */
int filter_make(struct filter *ret, char **argv, const char *source, size_t len, const char *cache,
		unsigned *ret_at, struct err *err);

/* Runs another verb of the helper and hands its output out (owned by the caller). */
int filter_ask(char **argv, const char *source, size_t len, char **ret_text, struct err *err);

/* ---- pure: what a program does ---- */

/* The architecture we are built for, as AUDIT_ARCH_*. */
uint32_t filter_native_arch(void);

enum filter_verdict {
	FILTER_LETS,    /* the call is executed whatever its arguments are */
	FILTER_DEPENDS, /* some arguments are refused, or it cannot be told */
	FILTER_REFUSES,
	FILTER_BROKEN,  /* not a program the kernel would take */
};

/* What the program does with call `nr` of `arch`, over all arguments. */
enum filter_verdict filter_judge(const struct sock_filter *insns, unsigned n, uint32_t arch, int nr);

/* Whether some way ends in SECCOMP_RET_KILL_PROCESS or KILL_THREAD. */
bool filter_kills(const struct sock_filter *insns, unsigned n);

/* Turns every kill into a notification to whoever holds the listener. */
void filter_notify(struct sock_filter *insns, unsigned n);
