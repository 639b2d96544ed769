// SPDX-License-Identifier: MIT
/* A policy as text, by call: what a reader of a change wants to see of it. */
#include <inttypes.h>
#include <string.h>

#include "policy.h"

enum { WIDTH = 100 };

static void put_act(GString *out, struct policy_do act)
{
	static const char *const names[] = {
		[POLICY_ALLOW] = "allow",
		[POLICY_ERRNO] = "errno",
		[POLICY_KILL_PROCESS] = "kill-process",
		[POLICY_KILL_THREAD] = "kill-thread",
		[POLICY_TRAP] = "trap",
		[POLICY_TRACE] = "trace",
		[POLICY_LOG] = "log",
		[POLICY_NOTIFY] = "notify",
	};

	g_string_append(out, names[act.action]);
	if (act.action == POLICY_ERRNO)
		g_string_append_printf(out, " %s", strerrorname_np(act.data));
	else if (act.data)
		g_string_append_printf(out, " %u", act.data);
}

static void put_arg(GString *out, const struct policy_arg *arg)
{
	static const char *const ops[] = {
		[POLICY_EQ] = "==", [POLICY_NE] = "!=", [POLICY_LT] = "<",
		[POLICY_LE] = "<=", [POLICY_GT] = ">",  [POLICY_GE] = ">=",
	};
	const char *cast = arg->narrow ? "(u32)" : "";

	if (arg->op == POLICY_MASKED_EQ)
		g_string_append_printf(out, "(%sa%u & 0x%" PRIx64 ") == 0x%" PRIx64, cast,
				       arg->index, arg->mask, arg->value);
	else
		g_string_append_printf(out, "%sa%u %s 0x%" PRIx64, cast, arg->index, ops[arg->op],
				       arg->value);
}

struct call {
	char *name;
	guint first; /* rule */
	bool plain;  /* no condition decides */
};

static void call_clear(gpointer data)
{
	g_free(((struct call *)data)->name);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct call *)a)->name, ((const struct call *)b)->name);
}

static const struct policy_rule *rule_at(const struct policy *policy, guint i)
{
	return &g_array_index(policy->rules, struct policy_rule, i);
}

/* Each call the policy names, once, by the first of its rules. */
static GArray *calls_of(const struct policy *policy, unsigned arch, const int *numbers)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	GArray *ret = g_array_new(FALSE, FALSE, sizeof(struct call));

	g_array_set_clear_func(ret, call_clear);
	for (guint i = 0; i < policy->rules->len; i++) {
		struct call *call;

		if (numbers[i] < 0 || !g_hash_table_add(seen, GINT_TO_POINTER(numbers[i] + 1)))
			continue;
		g_array_set_size(ret, ret->len + 1);
		call = &g_array_index(ret, struct call, ret->len - 1);
		call->first = i;
		call->plain = rule_at(policy, i)->nargs == 0;
		call->name = policy_number_name(arch, numbers[i]);
		if (!call->name)
			call->name = g_strdup_printf("%d", numbers[i]);
	}
	g_array_sort(ret, by_name);
	return ret;
}

static bool same_act(struct policy_do a, struct policy_do b)
{
	return a.action == b.action && a.data == b.data;
}

static void put_list(const struct policy *policy, const GArray *calls, struct policy_do act,
		     GString *out)
{
	gsize line = out->len;

	put_act(out, act);
	g_string_append_c(out, ':');
	for (guint i = 0; i < calls->len; i++) {
		const struct call *call = &g_array_index(calls, struct call, i);

		if (!call->plain || !same_act(rule_at(policy, call->first)->act, act))
			continue;
		if (out->len - line + strlen(call->name) + 1 > WIDTH) {
			line = out->len + 1;
			g_string_append(out, "\n   ");
		}
		g_string_append_printf(out, " %s", call->name);
	}
	g_string_append_c(out, '\n');
}

static void put_conditions(const struct policy *policy, const struct call *call, const int *numbers,
			   GString *out)
{
	g_string_append_printf(out, "%s:\n", call->name);
	for (guint i = call->first; i < policy->rules->len; i++) {
		const struct policy_rule *rule = rule_at(policy, i);

		if (numbers[i] != numbers[call->first])
			continue;
		for (unsigned n = 0; n < rule->nargs; n++) {
			g_string_append(out, n ? " and " : "    if ");
			put_arg(out, &rule->args[n]);
		}
		g_string_append(out, rule->nargs ? ": " : "    else: ");
		put_act(out, rule->act);
		g_string_append_c(out, '\n');
		if (rule->nargs == 0)
			return;
	}
	g_string_append(out, "    else: ");
	put_act(out, policy->otherwise);
	g_string_append_c(out, '\n');
}

/* One list for each answer, in the order of their first appearance. */
static void put_lists(const struct policy *policy, const GArray *calls, GString *out)
{
	for (guint i = 0; i < calls->len; i++) {
		const struct call *call = &g_array_index(calls, struct call, i);
		struct policy_do act = rule_at(policy, call->first)->act;
		bool done = !call->plain;

		for (guint j = 0; j < i && !done; j++) {
			const struct call *other = &g_array_index(calls, struct call, j);

			done = other->plain && same_act(rule_at(policy, other->first)->act, act);
		}
		if (!done)
			put_list(policy, calls, act, out);
	}
}

void policy_describe(const struct policy *policy, unsigned arch, GString *out)
{
	g_autofree int *numbers = policy_numbers(policy, arch);
	g_autoptr(GArray) calls = calls_of(policy, arch, numbers);

	g_string_append_printf(out, "%s\n", policy_arch_name(arch));
	put_lists(policy, calls, out);
	for (guint i = 0; i < calls->len; i++) {
		const struct call *call = &g_array_index(calls, struct call, i);

		if (!call->plain)
			put_conditions(policy, call, numbers, out);
	}
	g_string_append(out, "anything else: ");
	put_act(out, policy->otherwise);
	g_string_append_c(out, '\n');
}
