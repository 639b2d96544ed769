// SPDX-License-Identifier: MIT
/*
 * Policy to program. libseccomp's own generator is not used, for three reasons: it has no order of
 * rules (of "these values, else that errno" only the more general rule is left, and one argument
 * may be compared once); it writes a return for each call, where neighbours with one answer are
 * one interval here; and both loading and the kernel's table of calls that are always allowed
 * (Linux 5.11 walks the filter once for each number) cost by length. tests/bench/README.md has the
 * figures.
 *
 * The program: the architecture; the few frequent calls whose arguments are looked at, since the
 * kernel remembers all others; then a balanced search over the intervals of call numbers.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>

#include "emit.h"
#include "policy.h"

static const uint32_t NO_CALL = 0xffffffff;
enum { EXCEPTIONS = 2 }; /* in one group: more make the search no shorter */

/* From `first` up to the next one's: one answer, or rules to look at (n > 0). */
struct interval {
	uint32_t first;
	uint32_t answer;
	guint rule, n; /* in c->numbers */
	place at;      /* of the rules, once they are written */
};

struct number {
	uint32_t nr;
	guint rule;
};

struct compiler {
	const struct policy *policy;
	struct code code;
	GArray *numbers;   /* struct number: rules, by architecture, then by number */
	GArray *intervals; /* struct interval */
	GArray *groups;    /* struct group */
	GArray *blocks;    /* struct interval: whose rules are written already */
};

/* Without data where it means nothing: the kernel remembers a plain ALLOW alone. */
static uint32_t answer(struct policy_do act)
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
	return SECCOMP_RET_KILL_PROCESS;
}

static const struct policy_rule *rule_at(const struct compiler *c, guint i)
{
	return &g_array_index(c->policy->rules, struct policy_rule,
			      g_array_index(c->numbers, struct number, i).rule);
}

/* The low or the high half of an argument; the order of bytes is this machine's, as the
 * architectures of one program share it. */
static uint32_t half(unsigned index, bool high)
{
	bool second = high == (G_BYTE_ORDER == G_LITTLE_ENDIAN);

	return (uint32_t)(offsetof(struct seccomp_data, args) + 8 * index + (second ? 4 : 0));
}

static place word_equal(struct code *code, uint32_t offset, uint32_t mask, uint32_t value,
			place yes, place no)
{
	bool part = mask != UINT32_MAX;
	place at;

	if (value & ~mask)
		return no;
	if (mask == 0)
		return yes;
	if (!part || value == 0) {
		yes = emit_loaded(code, offset, yes);
		no = emit_loaded(code, offset, no);
	}
	if (part && value == 0)
		return emit_load(code, offset, emit_jump(code, BPF_JSET, mask, no, yes));
	at = emit_jump(code, BPF_JEQ, value, yes, no);
	if (part)
		at = emit_and(code, mask, at);
	return emit_load(code, offset, at);
}

static place arg_equal(struct code *code, const struct policy_arg *a, uint64_t mask, place yes,
		       place no)
{
	place low = word_equal(code, half(a->index, false), (uint32_t)mask, (uint32_t)a->value, yes,
			       no);

	if (a->narrow || low == no)
		return low;
	return word_equal(code, half(a->index, true), (uint32_t)(mask >> 32),
			  (uint32_t)(a->value >> 32), low, no);
}

/* test: BPF_JGT or BPF_JGE */
static place arg_above(struct code *code, const struct policy_arg *a, uint16_t test, place yes,
		       place no)
{
	uint32_t high = (uint32_t)(a->value >> 32);
	place low = emit_load(code, half(a->index, false),
			      emit_jump(code, test, (uint32_t)a->value, yes, no));

	if (a->narrow)
		return low;
	low = emit_jump(code, BPF_JEQ, high, low, no);
	return emit_load(code, half(a->index, true), emit_jump(code, BPF_JGT, high, yes, low));
}

static place arg_test(struct code *code, const struct policy_arg *a, place yes, place no)
{
	if (yes == no)
		return yes;
	switch (a->op) {
	case POLICY_EQ: return arg_equal(code, a, UINT64_MAX, yes, no);
	case POLICY_NE: return arg_equal(code, a, UINT64_MAX, no, yes);
	case POLICY_MASKED_EQ: return arg_equal(code, a, a->mask, yes, no);
	case POLICY_GT: return arg_above(code, a, BPF_JGT, yes, no);
	case POLICY_GE: return arg_above(code, a, BPF_JGE, yes, no);
	case POLICY_LE: return arg_above(code, a, BPF_JGT, no, yes);
	case POLICY_LT: return arg_above(code, a, BPF_JGE, no, yes);
	}
	return no;
}

static place rules_of(struct compiler *c, struct interval *in)
{
	place at = emit_ret(&c->code, in->answer);

	for (guint i = in->rule + in->n; i > in->rule; i--) {
		const struct policy_rule *rule = rule_at(c, i - 1);
		place no = at, yes = emit_ret(&c->code, answer(rule->act));

		for (unsigned n = rule->nargs; n > 0; n--)
			yes = arg_test(&c->code, &rule->args[n - 1], yes, no);
		at = yes;
	}
	in->at = at;
	g_array_append_vals(c->blocks, in, 1);
	return at;
}

static bool same_rule(const struct policy_rule *a, const struct policy_rule *b)
{
	bool same = a->nargs == b->nargs && answer(a->act) == answer(b->act);

	for (unsigned i = 0; same && i < a->nargs; i++) {
		const struct policy_arg *x = &a->args[i], *y = &b->args[i];

		same = x->index == y->index && x->op == y->op && x->narrow == y->narrow &&
		       x->value == y->value && x->mask == y->mask;
	}
	return same;
}

/* Calls with the same rules (socket and socketpair; those of two architectures) share them. */
static bool shared_rules(struct compiler *c, struct interval *in)
{
	for (guint i = 0; i < c->blocks->len; i++) {
		const struct interval *other = &g_array_index(c->blocks, struct interval, i);
		bool same = other->n == in->n && other->answer == in->answer;

		for (guint n = 0; same && n < in->n; n++)
			same = same_rule(rule_at(c, in->rule + n), rule_at(c, other->rule + n));
		if (same) {
			in->at = other->at;
			return true;
		}
	}
	return false;
}

static place interval_at(struct compiler *c, guint i)
{
	struct interval *in = &g_array_index(c->intervals, struct interval, i);

	if (in->n)
		return shared_rules(c, in) ? in->at : rules_of(c, in);
	return emit_ret(&c->code, in->answer);
}

/* Intervals of one answer with single numbers between them that have another: one comparison for
 * each of these, where cutting them out would take two. */
struct group {
	guint from, to; /* intervals; every second one is an exception */
};

static bool goes_on(const struct compiler *c, const struct group *g)
{
	const struct interval *in = &g_array_index(c->intervals, struct interval, 0);

	if (g->to + 2 > c->intervals->len || (g->to - g->from) / 2 >= EXCEPTIONS)
		return false;
	return in[g->from].n == 0 && in[g->to + 1].n == 0 &&
	       in[g->to + 1].answer == in[g->from].answer &&
	       in[g->to + 1].first == in[g->to].first + 1;
}

static void form_groups(struct compiler *c)
{
	struct group g = { 0, 0 };

	g_array_set_size(c->groups, 0);
	while (g.to < c->intervals->len) {
		g.to = g.from + 1;
		while (goes_on(c, &g))
			g.to += 2;
		g_array_append_val(c->groups, g);
		g.from = g.to;
	}
}

static place group_at(struct compiler *c, const struct group *g)
{
	place at = interval_at(c, g->from);

	for (guint i = g->to - 1; i > g->from; i--) {
		const struct interval *in = &g_array_index(c->intervals, struct interval, i);

		if ((i - g->from) % 2) {
			place other = interval_at(c, i);

			at = emit_jump(&c->code, BPF_JEQ, in->first, other, at);
		}
	}
	return at;
}

static place search(struct compiler *c, guint from, guint to)
{
	guint middle = from + (to - from) / 2;
	const struct group *g = &g_array_index(c->groups, struct group, middle);
	place above, below;

	if (to - from == 1)
		return group_at(c, g);
	above = search(c, middle, to);
	below = search(c, from, middle);
	return emit_jump(&c->code, BPF_JGE,
			 g_array_index(c->intervals, struct interval, g->from).first, above, below);
}

/* The frequent ones, as jumps in front of the search. */
static place hot_first(struct compiler *c, place at)
{
	for (guint i = 0; i < c->intervals->len; i++) {
		const struct interval *in = &g_array_index(c->intervals, struct interval, i);

		if (in->n && rule_at(c, in->rule)->hot)
			at = emit_jump(&c->code, BPF_JEQ, in->first, in->at, at);
	}
	return at;
}

static void add_interval(struct compiler *c, struct interval in)
{
	struct interval *last = c->intervals->len ? &g_array_index(c->intervals, struct interval,
								   c->intervals->len - 1)
						  : NULL;

	if (last && last->first == in.first) {
		*last = in;
		if (c->intervals->len < 2)
			return;
		last--;
		if (last->n || in.n || last->answer != in.answer)
			return;
		g_array_set_size(c->intervals, c->intervals->len - 1);
	} else if (!last || last->n || in.n || last->answer != in.answer) {
		g_array_append_val(c->intervals, in);
	}
}

/* One number's rules, up to the first without conditions, whose answer is the last resort. */
static void add_number(struct compiler *c, guint from, guint to, uint32_t otherwise)
{
	uint32_t nr = g_array_index(c->numbers, struct number, from).nr;
	struct interval in = { .first = nr, .answer = otherwise, .rule = from };

	while (from + in.n < to && rule_at(c, from + in.n)->nargs > 0)
		in.n++;
	if (from + in.n < to)
		in.answer = answer(rule_at(c, from + in.n)->act);
	add_interval(c, in);
	add_interval(c, (struct interval){ .first = nr + 1, .answer = otherwise });
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	const struct number *one = a, *two = b;

	if (one->nr != two->nr)
		return one->nr < two->nr ? -1 : 1;
	return one->rule < two->rule ? -1 : one->rule > two->rule;
}

static void collect(struct compiler *c, unsigned arch)
{
	for (guint i = 0; i < c->policy->rules->len; i++) {
		const struct policy_rule *rule =
			&g_array_index(c->policy->rules, struct policy_rule, i);
		int nr = policy_rule_number(rule, arch);
		struct number number = { (uint32_t)nr, i };

		if (nr >= 0)
			g_array_append_val(c->numbers, number);
	}
}

/* The intervals of one architecture, from `first` on. */
static void divide(struct compiler *c, unsigned arch, uint32_t first)
{
	guint from = c->numbers->len;
	uint32_t otherwise = answer(c->policy->otherwise);

	add_interval(c, (struct interval){ .first = first, .answer = otherwise });
	collect(c, arch);
	qsort(&g_array_index(c->numbers, struct number, from), c->numbers->len - from,
	      sizeof(struct number), by_number);
	while (from < c->numbers->len) {
		uint32_t nr = g_array_index(c->numbers, struct number, from).nr;
		guint to = from;

		while (to < c->numbers->len &&
		       g_array_index(c->numbers, struct number, to).nr == nr)
			to++;
		add_number(c, from, to, otherwise);
		from = to;
	}
}

/* All that has one AUDIT_ARCH: x32 lives in the upper numbers of x86_64. */
static place section(struct compiler *c, unsigned low, unsigned high)
{
	const struct interval bad = { .answer = answer(c->policy->bad_arch) };

	g_array_set_size(c->intervals, 0);
	if (c->policy->archs & low)
		divide(c, low, 0);
	else
		add_interval(c, bad);
	if (c->policy->archs & high)
		divide(c, high, POLICY_X32_BIT);
	else if (high)
		add_interval(c, (struct interval){ .first = POLICY_X32_BIT, .answer = bad.answer });
	/* a tracer's way to skip a call: nothing is run, and its answer must not be overwritten */
	add_interval(c, (struct interval){ .first = NO_CALL, .answer = SECCOMP_RET_ALLOW });
	form_groups(c);
	return emit_load(&c->code, offsetof(struct seccomp_data, nr),
			 hot_first(c, search(c, 0, c->groups->len)));
}

static bool rules_valid(const struct policy *policy, GError **error)
{
	for (guint i = 0; i < policy->rules->len; i++) {
		const struct policy_rule *rule =
			&g_array_index(policy->rules, struct policy_rule, i);

		for (unsigned n = 0; n < MIN(rule->nargs, POLICY_ARGS_MAX); n++)
			if (rule->args[n].index > 5) {
				g_set_error(error, POLICY_ERROR, EINVAL,
					    "rule %u compares argument %u; there are 0 to 5", i,
					    rule->args[n].index);
				return false;
			}
		if (rule->nargs <= POLICY_ARGS_MAX)
			continue;
		g_set_error(error, POLICY_ERROR, EINVAL, "rule %u has more than %d conditions", i,
			    POLICY_ARGS_MAX);
		return false;
	}
	return true;
}

static GArray *turned(const GArray *back)
{
	GArray *ret = g_array_sized_new(FALSE, FALSE, sizeof(struct sock_filter), back->len);

	for (guint i = back->len; i > 0; i--)
		g_array_append_val(ret, g_array_index(back, struct sock_filter, i - 1));
	return ret;
}

static GArray *generate(struct compiler *c)
{
	static const struct {
		unsigned low, high;
	} sections[] = {
		{ POLICY_RISCV64, 0 },         { POLICY_ARM, 0 },
		{ POLICY_AARCH64, 0 },         { POLICY_X86, 0 },
		{ POLICY_X86_64, POLICY_X32 },
	};
	place at = emit_ret(&c->code, answer(c->policy->bad_arch));

	for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
		place found, other = at;

		if (!(c->policy->archs & (sections[i].low | sections[i].high)))
			continue;
		found = section(c, sections[i].low, sections[i].high);
		at = emit_jump(&c->code, BPF_JEQ, policy_arch_audit(sections[i].low), found, other);
	}
	(void)emit_load(&c->code, offsetof(struct seccomp_data, arch), at);
	return turned(c->code.back);
}

GArray *policy_compile(const struct policy *policy, GError **error)
{
	struct compiler c = {
		.policy = policy,
		.code = { g_array_new(FALSE, FALSE, sizeof(struct sock_filter)) },
		.numbers = g_array_new(FALSE, FALSE, sizeof(struct number)),
		.intervals = g_array_new(FALSE, FALSE, sizeof(struct interval)),
		.groups = g_array_new(FALSE, FALSE, sizeof(struct group)),
		.blocks = g_array_new(FALSE, FALSE, sizeof(struct interval)),
	};
	GArray *ret = rules_valid(policy, error) ? generate(&c) : NULL;

	if (ret && ret->len > BPF_MAXINSNS) {
		g_set_error(error, POLICY_ERROR, E2BIG,
			    "the policy needs %u instructions; the kernel takes %d", ret->len,
			    BPF_MAXINSNS);
		g_clear_pointer(&ret, g_array_unref);
	}
	g_array_unref(c.code.back);
	g_array_unref(c.numbers);
	g_array_unref(c.intervals);
	g_array_unref(c.groups);
	g_array_unref(c.blocks);
	return ret;
}
