/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A system call policy, and the doors through which it is built, judged and compiled.
 *
 * A policy is an ordered list of rules. For one call of one architecture the FIRST rule whose name
 * (or number) and conditions hold decides; `otherwise` decides if none does; a call of any other
 * architecture gets `bad_arch`. So what is put in front wins: an option of the user is a rule put
 * before those of the default.
 *
 * libseccomp knows the numbers of names, for each architecture; the program is generated here
 * (compile.c says why).
 */

enum policy_action {
	POLICY_ALLOW,
	POLICY_ERRNO, /* data: errno */
	POLICY_KILL_PROCESS,
	POLICY_KILL_THREAD,
	POLICY_TRAP,  /* SIGSYS; data: si_errno */
	POLICY_TRACE, /* data: for the tracer */
	POLICY_LOG,   /* allowed and logged */
	POLICY_NOTIFY,
};

struct policy_do {
	enum policy_action action;
	uint16_t data;
};

/* Unsigned comparisons of one argument; of its low 32 bits with `narrow`, which is what the kernel
 * itself reads of an int: flatpak CVE-2019-10063 is the filter that compared 64. */
enum policy_op {
	POLICY_EQ,
	POLICY_NE,
	POLICY_LT,
	POLICY_LE,
	POLICY_GT,
	POLICY_GE,
	POLICY_MASKED_EQ, /* (argument & mask) == value */
};

struct policy_arg {
	uint8_t index; /* 0 to 5 */
	enum policy_op op;
	bool narrow;
	uint64_t value;
	uint64_t mask; /* POLICY_MASKED_EQ alone */
};

/* Architectures by bit; POLICY_ANY_ARCH in a rule: every one of the policy. */
enum policy_arch {
	POLICY_X86_64 = 1 << 0,
	POLICY_X86 = 1 << 1,
	POLICY_X32 = 1 << 2,
	POLICY_AARCH64 = 1 << 3,
	POLICY_ARM = 1 << 4,
	POLICY_RISCV64 = 1 << 5,
};
enum { POLICY_ANY_ARCH = 0, POLICY_ARGS_MAX = 8, POLICY_X32_BIT = 0x40000000 };

/* All conditions must hold; one argument may have several. (An OCI profile that names one argument
 * twice means either of them: that is two rules.) */
struct policy_rule {
	const char *name; /* NULL: by number */
	int nr;           /* as the architecture numbers it; x32's bit 30 is added */
	unsigned archs;   /* mask of enum policy_arch */
	struct policy_do act;
	unsigned nargs;
	struct policy_arg args[POLICY_ARGS_MAX];
	bool hot; /* has conditions and is frequent: tried before the search (compile.c) */
};

struct policy {
	struct policy_do otherwise;
	struct policy_do bad_arch;
	unsigned archs; /* mask of enum policy_arch, never empty */
	GArray *rules; /* struct policy_rule; names outlive the policy (policy->names keeps copies) */
	GStringChunk *names;
};

void policy_init(struct policy *policy, unsigned archs);
void policy_clear(struct policy *policy);
#define auto_policy __attribute__((cleanup(policy_clear))) struct policy

/* Appends a rule; its name is copied. Rules that are to win are added first. */
void policy_add(struct policy *policy, const struct policy_rule *rule);

/* The number of a rule's call on one architecture, or -1: it has no such call, or is left out. */
int policy_rule_number(const struct policy_rule *rule, unsigned arch);

/* arch.c: names, as `uname -m` has them, x86_64 x86 x32 aarch64 arm riscv64; 0: unknown */
unsigned policy_arch_by_name(const char *name);
const char *policy_arch_name(unsigned arch);
unsigned policy_arch_native(void);
/* The architectures whose programs a machine of `arch` can run besides its own. */
unsigned policy_arch_others(unsigned arch);
uint32_t policy_arch_audit(unsigned arch); /* AUDIT_ARCH_*, what seccomp_data has; x32: x86_64's */

/* The number of a call, or -1 if this architecture has none of that name; the name of a number
 * (g_free), or NULL. Names later than the libseccomp in use are known to arch.c. */
int policy_number(unsigned arch, const char *name);
char *policy_number_name(unsigned arch, int nr);

/* default.c: the default policy. A rule of it may ask for a capability or for --nested. */
struct policy_facts {
	unsigned arch; /* 0: native */
	uint64_t caps; /* that the command holds, by number */
	bool nested;
	bool multiarch;
};
void policy_default(struct policy *ret, const struct policy_facts *facts);
/* The capabilities any of its rules asks for: others make no difference. */
uint64_t policy_default_caps(void);

/* The number of each rule's call on one architecture (g_free). */
int *policy_numbers(const struct policy *policy, unsigned arch);

/* What the policy answers, by its rules, without compiling it. numbers: policy_numbers() of this
 * architecture. nr: as the kernel sees it (x32 with bit 30). */
struct policy_do policy_evaluate(const struct policy *policy, unsigned arch, const int *numbers,
				 uint32_t nr, const uint64_t args[6]);

/* describe.c: the policy on one architecture as text, what has no conditions in lists, the rest in
 * pseudo code. */
void policy_describe(const struct policy *policy, unsigned arch, GString *out);

/* Compiles it to a program for seccomp(2), an array of struct sock_filter; NULL with `error` set
 * if it has more than the kernel's 4096 instructions or a rule is out of range. Names an
 * architecture does not know are left out there: whether a name is known at all is the caller's
 * question (policy_number). */
GArray *policy_compile(const struct policy *policy, GError **error);

#define POLICY_ERROR g_quark_from_static_string("policy")
