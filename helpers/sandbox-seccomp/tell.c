// SPDX-License-Identifier: MIT
/* `sandbox-seccomp list`, `resolve` and `check`: text for people. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "request.h"
#include "verbs.h"
#include "words.h"

enum { NUMBERS = 1024 };

/* ---- list ---- */

static void put_call(void *data, const char *name, int nr)
{
	GHashTable *seen = data;

	if (nr < 0 || !name || g_hash_table_contains(seen, name))
		return;
	(void)g_hash_table_add(seen, g_strdup(name));
	(void)printf("%-4d %s\n", nr, name);
}

int verb_list(int argc, char **argv)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct fault fault = { 0 };

	for (const struct group *g = group_first(); argc == 0 && g->name; g++)
		(void)printf("@%-15s %s\n", g->name, g->help);
	for (int i = 0; i < argc; i++) {
		g_autofree char *as_group =
			g_strconcat(group_find(argv[i]) ? "@" : "", argv[i], NULL);

		if (words_walk(as_group, put_call, seen, &fault) < 0)
			return answer_fault(&fault, "the group cannot be listed");
	}
	return 0;
}

/* ---- resolve ---- */

static int resolve_number(unsigned arch, const char *word, struct fault *fault)
{
	g_autofree char *name = NULL;
	guint64 nr;

	if (!g_ascii_string_to_unsigned(word, 10, 0, INT32_MAX, &nr, NULL))
		return fault_cause(fault, "'%.64s' is no number of a system call", word);
	name = policy_number_name(arch, (int)nr);
	(void)printf("%s %s\n", word, name ? name : "-");
	return 0;
}

static void put_resolved(void *data, const char *name, int nr)
{
	(void)data;
	if (nr < 0)
		(void)printf("%s - (not on %s)\n", name, policy_arch_name(policy_arch_native()));
	else
		(void)printf("%s %d\n", name, nr);
}

/* AUDIT_ARCH_* as a number: how the kernel tells it. */
static unsigned arch_of_audit(const char *text)
{
	guint64 audit;

	if (!g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX, &audit, NULL))
		return policy_arch_by_name(text);
	for (unsigned arch = 1; arch <= POLICY_RISCV64; arch <<= 1)
		if (policy_arch_audit(arch) == audit)
			return arch;
	return 0;
}

int verb_resolve(int argc, char **argv)
{
	unsigned arch = policy_arch_native();
	struct fault fault = { 0 };
	int i = 0;

	if (argc > 2 && strcmp(argv[0], "--arch") == 0) {
		arch = arch_of_audit(argv[1]);
		i = 2;
	}
	for (; i < argc; i++) {
		int r = g_ascii_isdigit(argv[i][0]) ? resolve_number(arch, argv[i], &fault)
			: strchr(argv[i], ',')
				? fault_cause(&fault, "'%.64s' is no system call", argv[i])
				: words_walk(argv[i], put_resolved, NULL, &fault);

		if (r < 0)
			return answer_fault(&fault, "the system call cannot be resolved");
	}
	return 0;
}

/* ---- check ---- */

/* What the rules do with one call, whatever its arguments are. */
enum verdict { LETS, REFUSES, DEPENDS };

static bool lets(struct policy_do act)
{
	return act.action == POLICY_ALLOW || act.action == POLICY_LOG || act.action == POLICY_TRACE;
}

static bool concerns(const struct policy_rule *rule, const char *name)
{
	unsigned native = policy_arch_native();

	if (rule->archs && !(rule->archs & native))
		return false;
	return rule->name ? strcmp(rule->name, name) == 0 : rule->nr == policy_number(native, name);
}

static enum verdict judge(const struct policy *policy, const char *name)
{
	bool let = false, refused = false;
	guint i;

	for (i = 0; i < policy->rules->len; i++) {
		const struct policy_rule *rule =
			&g_array_index(policy->rules, struct policy_rule, i);

		if (!concerns(rule, name))
			continue;
		let |= lets(rule->act);
		refused |= !lets(rule->act);
		if (rule->nargs == 0)
			break;
	}
	if (i == policy->rules->len) {
		let |= lets(policy->otherwise);
		refused |= !lets(policy->otherwise);
	}
	return let && refused ? DEPENDS : let ? LETS : REFUSES;
}

static void put_action(const char *label, struct policy_do act)
{
	static const char *const names[] = {
		[POLICY_ALLOW] = "allow",         [POLICY_ERRNO] = "errno",
		[POLICY_KILL_PROCESS] = "kill",   [POLICY_KILL_THREAD] = "kill",
		[POLICY_TRAP] = "trap",           [POLICY_TRACE] = "trace",
		[POLICY_LOG] = "log (and allow)", [POLICY_NOTIFY] = "notify",
	};

	(void)printf("%-20s %s", label, names[act.action]);
	if (act.action == POLICY_ERRNO)
		(void)printf(" %s", g_strerror(act.data));
	(void)putchar('\n');
}

static void put_archs(unsigned mask)
{
	(void)printf("%-20s", "architectures");
	for (unsigned arch = 1; arch <= POLICY_RISCV64; arch <<= 1)
		if (mask & arch)
			(void)printf(" %s", policy_arch_name(arch));
	(void)putchar('\n');
}

/* Names for which the two policies differ as told, in lines of bounded length. */
static void put_names(const char *label, const struct policy *policy, enum verdict is,
		      const struct policy *other, enum verdict was)
{
	size_t column = 0;

	for (int nr = 0; nr < NUMBERS; nr++) {
		g_autofree char *name = policy_number_name(policy_arch_native(), nr);

		if (!name || judge(policy, name) != is || (other && judge(other, name) != was))
			continue;
		if (column == 0)
			(void)printf("%s", label);
		if (column == 0 || column + strlen(name) > 90) {
			(void)printf("\n   ");
			column = 3;
		}
		(void)printf(" %s", name);
		column += strlen(name) + 1;
	}
	if (column)
		(void)putchar('\n');
}

static void put_warnings(const struct profile_notes *notes, const struct policy *policy)
{
	if (notes->unknown->len) {
		(void)printf("not known here, %s:\n   ",
			     lets(policy->otherwise) ? "let through" : "refused");
		for (guint i = 0; i < notes->unknown->len; i++)
			(void)printf(" %s", (const char *)g_ptr_array_index(notes->unknown, i));
		(void)putchar('\n');
	}
	if (judge(policy, "execve") != LETS)
		(void)puts("warning: execve is refused: no command can be started with it");
	if (judge(policy, "exit_group") != LETS)
		(void)puts("warning: exit_group is refused: no program can end with it");
}

static void describe(const struct request *request, const struct policy *policy,
		     const struct profile_notes *notes, guint len)
{
	const struct policy_facts facts = { .caps = request->facts.caps,
					    .nested = request->nested,
					    .multiarch = request->multiarch };
	auto_policy usual = { 0 };

	policy_default(&usual, &facts);
	put_action("default action", policy->otherwise);
	put_archs(policy->archs);
	if (notes->entries)
		(void)printf(
			"%-20s %u, %u of them not for this architecture, kernel or capabilities\n",
			"entries", notes->entries, notes->skipped);
	(void)printf("%-20s %u\n", "rules", policy->rules->len);
	(void)printf("%-20s %u instructions\n", "program", len);
	put_names("depends on its arguments:", policy, DEPENDS, NULL, LETS);
	put_names("refused, but allowed by the default filter:", policy, REFUSES, &usual, LETS);
	put_names("refused, but allowed in part by the default filter:", policy, REFUSES, &usual,
		  DEPENDS);
	put_names("allowed, but refused by the default filter:", policy, LETS, &usual, REFUSES);
	put_names("allowed, but in part refused by the default filter:", policy, LETS, &usual,
		  DEPENDS);
	put_warnings(notes, policy);
}

static int check(const struct request *request, struct fault *fault)
{
	auto_policy policy = { 0 };
	struct profile_notes notes;
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) program = NULL;
	int r = request_policy(request, &policy, &notes, fault);

	if (r == 0) {
		program = policy_compile(&policy, &error);
		r = program ? 0 : fault_cause(fault, "%s", error->message);
	}
	if (r == 0 && program)
		describe(request, &policy, &notes, program->len);
	g_ptr_array_unref(notes.unknown);
	return r;
}

int verb_check(int argc, char **argv)
{
	struct fault fault = { 0 };
	struct request request;
	int r = request_read(&request, argc, argv, &fault);

	if (r == 0)
		r = check(&request, &fault);
	request_clear(&request);
	return r < 0 ? answer_fault(&fault, "the filter cannot be made") : 0;
}
