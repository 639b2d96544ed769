// SPDX-License-Identifier: MIT
/*
 * What helpers/sandbox-seccomp reads: a profile in JSON (the input begins with '{'), or lists of names,
 * groups and numbers, one a line, '-' in front of those to be denied. The program that is made of it
 * must do what the rules say.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "../unit/bpf.h"
#include "fuzz.h"
#include "policy.h"
#include "profile.h"
#include "words.h"

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

static void compare(const struct policy *policy, const GArray *program, unsigned arch)
{
	static const uint64_t values[] = { 0, 1, 2, 8, 0x20008, 0x7e020000, UINT64_MAX };
	g_autofree int *numbers = policy_numbers(policy, arch);
	uint32_t first = arch == POLICY_X32 ? POLICY_X32_BIT : 0;

	for (uint32_t nr = 0; nr < 460; nr += 3) {
		uint64_t value = values[nr % G_N_ELEMENTS(values)];
		uint64_t args[6] = { value, values[nr / 3 % G_N_ELEMENTS(values)], value, 1, 2,
				     value };
		struct seccomp_data data = { .nr = (int)(first + nr),
					     .arch = policy_arch_audit(arch) };
		uint32_t want = value_of(policy_evaluate(policy, arch, numbers, first + nr, args));

		memcpy(data.args, args, sizeof(args));
		FUZZ_CHECK(bpf_run((const void *)program->data, program->len, &data) == want);
	}
}

static void check_policy(const struct policy *policy)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) program = policy_compile(policy, &error);

	FUZZ_CHECK(program || (error && error->message));
	if (!program)
		return;
	FUZZ_CHECK(program->len > 0 && program->len <= BPF_MAXINSNS);
	for (unsigned arch = 1; arch <= POLICY_RISCV64; arch <<= 1)
		if (policy->archs & arch)
			compare(policy, program, arch);
}

static void check_fault(const struct fault *fault)
{
	FUZZ_CHECK(fault->what[0] || fault->cause[0]);
	fuzz_check_text(fault->what, sizeof(fault->what));
	fuzz_check_text(fault->cause, sizeof(fault->cause));
	fuzz_check_text(fault->fix, sizeof(fault->fix));
}

static void read_profile(const char *text, size_t size)
{
	const struct profile_facts facts = { .caps = size & 1 ? UINT64_C(1) << 21 : 0,
					     .kernel = 6001 };
	struct profile_notes notes = { .unknown = g_ptr_array_new_with_free_func(g_free) };
	struct fault fault = { 0 };
	auto_policy policy = { 0 };

	if (profile_read(&policy, &notes, text, size, &facts, &fault) < 0)
		check_fault(&fault);
	else
		check_policy(&policy);
	g_ptr_array_unref(notes.unknown);
}

static void read_lists(char *text)
{
	struct policy_facts facts = { 0 };
	struct fault fault = { 0 };
	auto_policy policy = { 0 };
	g_auto(GStrv) lines = g_strsplit(text, "\n", 8);

	policy_init(&policy, policy_arch_native());
	for (char **line = lines; *line; line++) {
		bool deny = **line == '-';
		struct policy_do act = { deny ? POLICY_ERRNO : POLICY_ALLOW, deny ? EPERM : 0 };

		if (words_add(&policy, *line + deny, act, &fault) < 0) {
			check_fault(&fault);
			return;
		}
	}
	(void)facts;
	policy.otherwise = (struct policy_do){ POLICY_ERRNO, ENOSYS };
	policy.bad_arch = (struct policy_do){ POLICY_KILL_PROCESS, 0 };
	check_policy(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);

	if (text[strspn(text, " \t\r\n")] == '{')
		read_profile(text, size);
	else
		read_lists(text);
	return 0;
}
