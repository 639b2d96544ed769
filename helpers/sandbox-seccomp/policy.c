// SPDX-License-Identifier: MIT
/* The policy as data, and its meaning: policy_evaluate() is what the compiler is tested against. */
#include "policy.h"

void policy_init(struct policy *policy, unsigned archs)
{
	*policy = (struct policy){
		.otherwise = { POLICY_ERRNO, 38 /* ENOSYS */ },
		.bad_arch = { POLICY_ERRNO, 38 },
		.archs = archs,
		.rules = g_array_new(FALSE, TRUE, sizeof(struct policy_rule)),
		.names = g_string_chunk_new(4096),
	};
}

void policy_clear(struct policy *policy)
{
	g_clear_pointer(&policy->rules, g_array_unref);
	g_clear_pointer(&policy->names, g_string_chunk_free);
}

void policy_add(struct policy *policy, const struct policy_rule *rule)
{
	struct policy_rule copy = *rule;

	if (copy.name)
		copy.name = g_string_chunk_insert_const(policy->names, copy.name);
	g_array_append_val(policy->rules, copy);
}

static bool arg_holds(const struct policy_arg *arg, const uint64_t args[6])
{
	uint64_t all = arg->narrow ? UINT32_MAX : UINT64_MAX;
	uint64_t is = args[arg->index] & all, value = arg->value & all;

	switch (arg->op) {
	case POLICY_EQ: return is == value;
	case POLICY_NE: return is != value;
	case POLICY_LT: return is < value;
	case POLICY_LE: return is <= value;
	case POLICY_GT: return is > value;
	case POLICY_GE: return is >= value;
	case POLICY_MASKED_EQ: return (is & arg->mask) == value;
	}
	return false;
}

int policy_rule_number(const struct policy_rule *rule, unsigned arch)
{
	if (rule->archs && !(rule->archs & arch))
		return -1;
	if (rule->name)
		return policy_number(arch, rule->name);
	return arch == POLICY_X32 ? rule->nr | POLICY_X32_BIT : rule->nr;
}

int *policy_numbers(const struct policy *policy, unsigned arch)
{
	int *ret = g_new(int, policy->rules->len + 1);

	for (guint i = 0; i < policy->rules->len; i++)
		ret[i] = policy_rule_number(&g_array_index(policy->rules, struct policy_rule, i),
					    arch);
	return ret;
}

static bool rule_holds(const struct policy_rule *rule, const uint64_t args[6])
{
	for (unsigned i = 0; i < rule->nargs; i++)
		if (!arg_holds(&rule->args[i], args))
			return false;
	return true;
}

struct policy_do policy_evaluate(const struct policy *policy, unsigned arch, const int *numbers,
				 uint32_t nr, const uint64_t args[6])
{
	const unsigned both = POLICY_X86_64 | POLICY_X32; /* one architecture to the kernel */

	/* a tracer's way to skip a call: nothing is run */
	if (nr == UINT32_MAX && (policy->archs & (arch & both ? both : arch)))
		return (struct policy_do){ POLICY_ALLOW, 0 };
	if (!(policy->archs & arch))
		return policy->bad_arch;
	for (guint i = 0; i < policy->rules->len; i++) {
		const struct policy_rule *rule =
			&g_array_index(policy->rules, struct policy_rule, i);

		if (numbers[i] >= 0 && (uint32_t)numbers[i] == nr && rule_holds(rule, args))
			return rule->act;
	}
	return policy->otherwise;
}
