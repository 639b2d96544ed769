// SPDX-License-Identifier: MIT
#include "emit.h"

enum { REACH = 255, NEAR = 200 };

static place put(struct code *code, struct sock_filter insn)
{
	g_array_append_val(code->back, insn);
	return code->back->len;
}

place emit_ret(struct code *code, uint32_t value)
{
	for (guint i = code->back->len; i > 0 && code->back->len - i < NEAR; i--) {
		const struct sock_filter *insn =
			&g_array_index(code->back, struct sock_filter, i - 1);

		if (insn->code == (BPF_RET | BPF_K) && insn->k == value)
			return i;
	}
	return put(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/* Two more may come between: the jump for the other target, and the test itself. */
static place within_reach(struct code *code, place target)
{
	guint distance = code->back->len - target;

	if (distance + 2 <= REACH)
		return target;
	return put(code, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance));
}

place emit_jump(struct code *code, uint16_t test, uint32_t value, place yes, place no)
{
	guint here;

	if (yes == no)
		return yes;
	yes = within_reach(code, yes);
	no = within_reach(code, no);
	here = code->back->len;
	return put(code, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | test), value,
						      (uint8_t)(here - yes), (uint8_t)(here - no)));
}

/* What has no target goes on to what was put last: that has to be `next`. */
static place go_on(struct code *code, struct sock_filter insn, place next)
{
	guint distance = code->back->len - next;

	if (distance > 0)
		(void)put(code, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance));
	return put(code, insn);
}

place emit_loaded(const struct code *code, uint32_t offset, place target)
{
	const struct sock_filter *insn = &g_array_index(code->back, struct sock_filter, target - 1);

	return insn->code == (BPF_LD | BPF_W | BPF_ABS) && insn->k == offset ? target - 1 : target;
}

place emit_load(struct code *code, uint32_t offset, place next)
{
	return go_on(code, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset), next);
}

place emit_and(struct code *code, uint32_t mask, place next)
{
	return go_on(code, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask), next);
}
