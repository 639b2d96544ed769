// SPDX-License-Identifier: MIT
/*
 * The default policy and its compiler. A program is run by an interpreter (bpf.h) over every number
 * and many arguments, and must answer what the rules say; the rules themselves are held against a
 * table, and against their text (seccomp/NAME.policy; SECCOMP_REWRITE=1 writes it anew).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>

#include <sandbox/seccomp.h>

#include "../../helpers/sandbox-seccomp/policy.h"
#include "bpf.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)

enum { NUMBERS = 700, RANDOM_POLICIES = 300 };

static uint32_t audit_of(unsigned arch)
{
	return arch == POLICY_X86       ? AUDIT_ARCH_I386
	       : arch == POLICY_AARCH64 ? AUDIT_ARCH_AARCH64
	       : arch == POLICY_ARM     ? AUDIT_ARCH_ARM
	       : arch == POLICY_RISCV64 ? AUDIT_ARCH_RISCV64
					: AUDIT_ARCH_X86_64;
}

static uint32_t value_of(struct policy_do act)
{
	switch (act.action) {
	case POLICY_ALLOW: return SECCOMP_RET_ALLOW;
	case POLICY_ERRNO: return SECCOMP_RET_ERRNO | act.data;
	case POLICY_KILL_PROCESS: return SECCOMP_RET_KILL_PROCESS;
	case POLICY_KILL_THREAD: return SECCOMP_RET_KILL_THREAD;
	case POLICY_TRAP: return SECCOMP_RET_TRAP | act.data;
	case POLICY_TRACE: return SECCOMP_RET_TRACE | act.data;
	case POLICY_LOG: return SECCOMP_RET_LOG;
	case POLICY_NOTIFY: return SECCOMP_RET_USER_NOTIF;
	}
	return 0;
}

static GArray *compiled(const struct policy *policy)
{
	g_autoptr(GError) error = NULL;
	GArray *program = policy_compile(policy, &error);

	if (!program)
		fail_msg("cannot compile: %s", error->message);
	return program;
}

static uint32_t run(const GArray *program, unsigned arch, uint32_t nr, const uint64_t args[6])
{
	struct seccomp_data data = { .nr = (int)nr, .arch = audit_of(arch) };

	memcpy(data.args, args, sizeof(data.args));
	return bpf_run((const struct sock_filter *)(const void *)program->data, program->len,
		       &data);
}

/* Values at, beside and above what rules compare with. */
static uint64_t sample(unsigned i)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		3,
		9,
		10,
		16,
		17,
		38,
		40,
		0x5411,
		0x5412,
		0x5413,
		0x541c,
		0x5423,
		0x20000,
		0x40000,
		0x40008,
		0x20008,
		0x10000000,
		0x02000000,
		0x7e020000,
		0x00000f00,
		0x01200011,
		0xffffffff,
		0x7fffffff,
		0x80000000,
		0x80005412,
		0x1541200000,
	};
	uint64_t value = values[i % G_N_ELEMENTS(values)];

	return i / G_N_ELEMENTS(values) % 2 ? value | UINT64_C(0x8000000100000000) : value;
}

enum { SAMPLES = 58 };

static void same(const struct policy *policy, const GArray *program, unsigned arch,
		 const int *numbers, uint32_t nr, unsigned seed)
{
	const uint64_t args[6] = { sample(seed),         sample(seed * 7 + nr), sample(seed / 3),
				   sample(seed * 5 + 3), sample(seed + nr),     sample(seed / 7) };
	uint32_t want = value_of(policy_evaluate(policy, arch, numbers, nr, args));
	uint32_t got = run(program, arch, nr, args);

	if (got != want)
		fail_msg("%s %u(0x%llx, 0x%llx, 0x%llx): the program says 0x%x, the rules 0x%x",
			 policy_arch_name(arch), nr, (unsigned long long)args[0],
			 (unsigned long long)args[1], (unsigned long long)args[2], got, want);
}

static void same_everywhere(const struct policy *policy, const GArray *program, unsigned arch,
			    unsigned samples)
{
	static const uint32_t odd[] = { 0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff,
					0x80000000, 0xc0000029, 0xfffffffe, 0xffffffff };
	g_autofree int *numbers = policy_numbers(policy, arch);
	uint32_t first = arch == POLICY_X32 ? POLICY_X32_BIT : 0;

	for (uint32_t nr = 0; nr < NUMBERS; nr++)
		for (unsigned i = 0; i < samples; i++)
			same(policy, program, arch, numbers, first + nr, i);
	/* where x32 begins, the other way of x86_64 ends */
	for (unsigned i = 0; i < G_N_ELEMENTS(odd); i++)
		if ((arch == POLICY_X32) == (odd[i] >= POLICY_X32_BIT) || arch == POLICY_X86)
			same(policy, program, arch, numbers, odd[i], i);
}

static const unsigned x86[] = { POLICY_X86_64, POLICY_X86, POLICY_X32 };

/* clang-format off */
static const struct variant {
	const char *name;
	struct policy_facts facts;
} variants[] = {
	{ "user",      { .arch = POLICY_X86_64 } },
	{ "root",      { .arch = POLICY_X86_64, .caps = CAP(SYS_CHROOT) } },
	{ "nested",    { .arch = POLICY_X86_64, .nested = true } },
	{ "every-cap", { .arch = POLICY_X86_64, .caps = UINT64_MAX } },
	{ "multiarch", { .arch = POLICY_X86_64, .multiarch = true } },
	{ "aarch64",   { .arch = POLICY_AARCH64 } },
};
/* clang-format on */

/* All programs of the default policy, on every architecture the kernel may come with. */
static void test_program_is_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
		g_autoptr(GArray) program = NULL;
		auto_policy policy;

		policy_default(&policy, &variants[i].facts);
		program = compiled(&policy);
		for (size_t a = 0; a < G_N_ELEMENTS(x86); a++)
			same_everywhere(&policy, program, x86[a], SAMPLES);
		same_everywhere(&policy, program, POLICY_AARCH64, SAMPLES);
		same_everywhere(&policy, program, POLICY_ARM, 3);
		same_everywhere(&policy, program, POLICY_RISCV64, 3);
	}
}

/* What matters most, by name and argument, through the program. */
static void test_table(void **state)
{
	enum { USER, ROOT, NEST, EVERY, MULTI };
	const uint64_t up = UINT64_C(0xdead) << 32;
	/* clang-format off */
	const struct {
		int variant; unsigned arch; const char *name; uint64_t a0, a1, a2; int num; /* 0: allowed */
	} rows[] = {
		{ USER, POLICY_X86_64, "getpid", 0, 0, 0, 0 },
		{ USER, POLICY_X86,    "getpid", 0, 0, 0, ENOSYS },
		{ USER, POLICY_X32,    "getpid", 0, 0, 0, ENOSYS },
		{ USER, POLICY_AARCH64, "getpid", 0, 0, 0, ENOSYS },
		{ MULTI, POLICY_X86,   "getpid", 0, 0, 0, 0 },
		{ MULTI, POLICY_X32,   "getpid", 0, 0, 0, 0 },
		{ USER, POLICY_X86_64, "clone3", 0, 0, 0, ENOSYS },
		{ NEST, POLICY_X86_64, "clone3", 0, 0, 0, 0 },
		{ USER, POLICY_X86_64, "clone", 0x3d0f00, 0, 0, 0 },         /* a thread */
		{ USER, POLICY_X86_64, "clone", 0x01200011, 0, 0, 0 },       /* fork */
		{ USER, POLICY_X86_64, "clone", 0x10000011, 0, 0, EPERM },   /* NEWUSER */
		{ USER, POLICY_X86_64, "clone", up | 0x10000011, 0, 0, EPERM },
		{ USER, POLICY_X86_64, "clone", up | 0x11, 0, 0, 0 },
		{ ROOT, POLICY_X86_64, "clone", 0x20011, 0, 0, EPERM },      /* NEWNS */
		{ MULTI, POLICY_X86,   "clone", 0x02000011, 0, 0, EPERM },   /* NEWCGROUP */
		{ NEST, POLICY_X86_64, "clone", 0x10000011, 0, 0, 0 },
		{ USER, POLICY_X86_64, "unshare", 0x200, 0, 0, 0 },          /* FS */
		{ USER, POLICY_X86_64, "unshare", 0x80, 0, 0, EPERM },       /* NEWTIME */
		{ EVERY, POLICY_X86_64, "unshare", 0x80, 0, 0, 0 },
		{ USER, POLICY_X86_64, "ioctl", 0, 0x5401, 0, 0 },
		{ USER, POLICY_X86_64, "ioctl", 0, 0x5412, 0, EPERM },
		{ USER, POLICY_X86_64, "ioctl", 0, up | 0x5412, 0, EPERM },
		{ EVERY, POLICY_X86_64, "ioctl", 0, up | 0x541c, 0, EPERM },
		{ MULTI, POLICY_X86,   "ioctl", 0, 0x5412, 0, EPERM },
		{ MULTI, POLICY_X32,   "ioctl", 0, 0x5412, 0, EPERM },
		{ USER, POLICY_X86_64, "socket", 1, 0, 0, 0 },
		{ USER, POLICY_X86_64, "socket", 38, 0, 0, EAFNOSUPPORT },   /* ALG */
		{ USER, POLICY_X86_64, "socket", up | 38, 0, 0, EAFNOSUPPORT },
		{ USER, POLICY_X86_64, "socket", 40, 0, 0, EAFNOSUPPORT },   /* VSOCK */
		{ NEST, POLICY_X86_64, "socket", 17, 0, 0, EAFNOSUPPORT },   /* PACKET */
		{ EVERY, POLICY_X86_64, "socket", 17, 0, 0, 0 },
		{ EVERY, POLICY_X86_64, "socket", 38, 0, 0, EAFNOSUPPORT },
		{ USER, POLICY_X86_64, "socket", 16, 0, 0, 0 },              /* NETLINK_ROUTE */
		{ USER, POLICY_X86_64, "socket", 16, 0, 9, EPROTONOSUPPORT }, /* AUDIT */
		{ ROOT, POLICY_X86_64, "socket", 16, 0, 12, EPROTONOSUPPORT }, /* NETFILTER */
		{ EVERY, POLICY_X86_64, "socket", 16, 0, 12, 0 },
		{ MULTI, POLICY_X86,   "socket", 38, 0, 0, EAFNOSUPPORT },
		{ MULTI, POLICY_X86,   "socketcall", 1, 0, 0, 0 },
		{ USER, POLICY_X86_64, "chroot", 0, 0, 0, EPERM },
		{ ROOT, POLICY_X86_64, "chroot", 0, 0, 0, 0 },
		{ ROOT, POLICY_X86_64, "mount", 0, 0, 0, EPERM },
		{ NEST, POLICY_X86_64, "move_mount", 0, 0, 0, 0 },
		{ NEST, POLICY_X86_64, "bpf", 0, 0, 0, EPERM },
		{ USER, POLICY_X86_64, "keyctl", 1, 0, 0, EPERM },
		{ NEST, POLICY_X86_64, "keyctl", 1, 0, 0, 0 },
		{ NEST, POLICY_X86_64, "keyctl", 1, 7, 0, EPERM },
		{ NEST, POLICY_X86_64, "keyctl", 11, 0, 0, EPERM },
		{ EVERY, POLICY_X86_64, "add_key", 0, 0, 0, EPERM },
		{ EVERY, POLICY_X86_64, "io_uring_setup", 0, 0, 0, EPERM },
		{ USER, POLICY_X86_64, "personality", 0x40000, 0, 0, 0 },
		{ USER, POLICY_X86_64, "personality", 0xffffffff, 0, 0, 0 },
		{ USER, POLICY_X86_64, "personality", 0x400000, 0, 0, EPERM }, /* READ_IMPLIES_EXEC */
		{ USER, POLICY_X86_64, "ptrace", 16, 0, 0, 0 },
		{ USER, POLICY_X86_64, "uselib", 0, 0, 0, ENOSYS },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const uint64_t args[6] = { rows[i].a0, rows[i].a1, rows[i].a2 };
		int nr = policy_number(rows[i].arch, rows[i].name);
		g_autoptr(GArray) program = NULL;
		auto_policy policy;
		uint32_t got;

		policy_default(&policy, &variants[rows[i].variant].facts);
		program = compiled(&policy);
		got = run(program, rows[i].arch, (uint32_t)nr, args);
		if (got !=
		    (rows[i].num ? SECCOMP_RET_ERRNO | (uint32_t)rows[i].num : SECCOMP_RET_ALLOW))
			fail_msg("row %zu, %s on %s: 0x%x", i, rows[i].name,
				 policy_arch_name(rows[i].arch), got);
	}
}

static struct policy_rule random_rule(GRand *rand, unsigned archs)
{
	struct policy_rule rule = {
		.nr = g_rand_int_range(rand, 0, 40),
		.archs = g_rand_boolean(rand) ? POLICY_ANY_ARCH : archs,
		.act = { (enum policy_action)g_rand_int_range(rand, 0, POLICY_NOTIFY + 1), 0 },
		.nargs = (unsigned)g_rand_int_range(rand, 0, 4),
		.hot = g_rand_boolean(rand),
	};

	if (g_rand_int_range(rand, 0, 4) == 0)
		rule.nr = g_rand_int_range(rand, 0, NUMBERS);
	if (rule.act.action == POLICY_ERRNO)
		rule.act.data = (uint16_t)g_rand_int_range(rand, 0, 40);
	for (unsigned i = 0; i < rule.nargs; i++)
		rule.args[i] = (struct policy_arg){
			.index = (uint8_t)g_rand_int_range(rand, 0, 6),
			.op = (enum policy_op)g_rand_int_range(rand, 0, POLICY_MASKED_EQ + 1),
			.narrow = g_rand_boolean(rand),
			.value = sample((unsigned)g_rand_int_range(rand, 0, SAMPLES)),
			.mask = g_rand_boolean(rand) ? UINT64_MAX << g_rand_int_range(rand, 0, 64)
						     : sample(g_rand_int(rand) % SAMPLES),
		};
	return rule;
}

/* Any policy: few rules and many, so that jumps have to be relayed. */
static void test_random(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(4711);

	(void)state;
	for (unsigned n = 0; n < RANDOM_POLICIES; n++) {
		unsigned archs = (unsigned)g_rand_int_range(rand, 1, 8);
		unsigned rules = n % 10 ? (unsigned)g_rand_int_range(rand, 0, 30) : 250;
		g_autoptr(GArray) program = NULL;
		auto_policy policy;

		policy_init(&policy, archs);
		policy.otherwise.action = (enum policy_action)(n % (POLICY_NOTIFY + 1));
		policy.bad_arch.data = (uint16_t)(n % 3);
		for (unsigned i = 0; i < rules; i++) {
			struct policy_rule rule =
				random_rule(rand, 1u << g_rand_int_range(rand, 0, 3));

			policy_add(&policy, &rule);
		}
		program = compiled(&policy);
		for (size_t a = 0; a < G_N_ELEMENTS(x86); a++)
			same_everywhere(&policy, program, x86[a], n % 10 ? 4 : 12);
	}
}

static void test_refused_rules(void **state)
{
	static const struct policy_rule bad[] = {
		{ .name = "read", .nargs = 1, .args = { { .index = 6 } } },
		{ .name = "read", .nargs = POLICY_ARGS_MAX + 1 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		auto_policy policy;

		policy_init(&policy, POLICY_X86_64);
		policy_add(&policy, &bad[i]);
		assert_null(policy_compile(&policy, &error));
		assert_non_null(error);
	}
}

static void test_too_long(void **state)
{
	struct policy_rule rule = { .name = "read", .nargs = 3, .act = { POLICY_ERRNO, 0 } };
	g_autoptr(GError) error = NULL;
	auto_policy policy;

	(void)state;
	policy_init(&policy, POLICY_X86_64);
	for (unsigned i = 0; i < 1000; i++) {
		rule.args[0].value = i;
		policy_add(&policy, &rule);
	}
	assert_null(policy_compile(&policy, &error));
	assert_int_equal(error->code, E2BIG);
}

/* The text of the policy, to be read in a review. */
static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
		g_autofree char *name =
			g_strconcat(SECCOMP_TEXTS "/", variants[i].name, ".policy", NULL);
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *want = NULL;
		auto_policy policy;

		policy_default(&policy, &variants[i].facts);
		for (unsigned arch = 1; arch <= POLICY_RISCV64; arch <<= 1)
			if (policy.archs & arch)
				policy_describe(&policy, arch, text);
		if (getenv("SECCOMP_REWRITE"))
			assert_true(g_file_set_contents(name, text->str, -1, NULL));
		if (!g_file_get_contents(name, &want, NULL, NULL) || strcmp(want, text->str) != 0)
			fail_msg("%s is not the policy's text any more:\n%s", name, text->str);
	}
}

/* The launcher's table is what the policy compiles to. */
static void test_builtin(void **state)
{
	(void)state;
	assert_int_equal(seccomp_widening_caps, policy_default_caps());
	for (int v = 0; v < 4; v++)
		for (int multiarch = 0; multiarch < 2; multiarch++) {
			const struct seccomp_builtin *row = &seccomp_builtins[v][multiarch];
			struct policy_facts facts = variants[v].facts;
			g_autoptr(GArray) program = NULL;
			auto_policy policy;

			facts.arch = 0;
			facts.multiarch = multiarch;
			policy_default(&policy, &facts);
			program = compiled(&policy);
			assert_true(g_str_has_prefix(row->name, variants[v].name));
			assert_int_equal(row->program.n, program->len);
			assert_memory_equal(row->program.insns, program->data,
					    program->len * sizeof(struct sock_filter));
		}
}

/* Names and numbers, where the two tables meet. */
static void test_numbers(void **state)
{
	/* clang-format off */
	static const struct { unsigned arch; const char *name; int nr; } rows[] = {
		{ POLICY_X86_64, "openat", 257 },   { POLICY_X86, "openat", 295 },
		{ POLICY_X86_64, "socket", 41 },    { POLICY_X86, "socket", 359 },
		{ POLICY_X86, "socketcall", 102 },  { POLICY_X86_64, "socketcall", -1 },
		{ POLICY_X86, "shmget", 395 },      { POLICY_X86, "accept", -1 },
		{ POLICY_X32, "ioctl", 514 | POLICY_X32_BIT }, { POLICY_AARCH64, "socket", 198 },
		{ POLICY_AARCH64, "open", -1 },     { POLICY_X86_64, "no_such_call", -1 },
		{ POLICY_X86_64, "listmount", 458 }, { POLICY_ARM, "listmount", 458 },
		{ POLICY_X32, "listmount", 458 | POLICY_X32_BIT },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = policy_number_name(rows[i].arch, rows[i].nr);

		assert_int_equal(policy_number(rows[i].arch, rows[i].name), rows[i].nr);
		if (rows[i].nr >= 0)
			assert_string_equal(name, rows[i].name);
	}
	assert_int_equal(policy_arch_by_name("x86_64"), POLICY_X86_64);
	assert_int_equal(policy_arch_by_name("pdp11"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_is_policy),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_refused_rules),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
