// SPDX-License-Identifier: MIT
/*
 * What a filter does with a call, found out by walking the program over every value its arguments
 * could have. Pure. A filter that does not let execve through would leave a box that cannot start
 * its command, and with a kill that is to be named even one that waits for itself; so it is
 * known before anything is started.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include <sandbox/audit-arch.h>
#include <sandbox/filter.h>

enum { STEPS_MAX = 1 << 20, SAW_LET = 1, SAW_REFUSED = 2, SAW_BROKEN = 4 };

uint32_t filter_native_arch(void)
{
	return AUDIT_ARCH_NATIVE;
}

/* One register: a number, or anything. */
struct reg {
	bool known;
	uint32_t value;
};

struct walk {
	const struct sock_filter *insns;
	unsigned n;
	uint32_t arch, nr;
	unsigned steps;
	unsigned saw;
};

static unsigned of_action(uint32_t ret)
{
	uint32_t action = ret & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ? SAW_LET : SAW_REFUSED;
}

static struct reg load(const struct walk *w, uint32_t offset)
{
	switch (offset) {
	case offsetof(struct seccomp_data, nr): return (struct reg){ true, w->nr };
	case offsetof(struct seccomp_data, arch): return (struct reg){ true, w->arch };
	default: return (struct reg){ false, 0 };
	}
}

static struct reg compute(unsigned op, struct reg a, struct reg b)
{
	uint32_t v = a.value;

	if (!a.known || !b.known)
		return (struct reg){ false, 0 };
	switch (op) {
	case BPF_ADD: v += b.value; break;
	case BPF_SUB: v -= b.value; break;
	case BPF_AND: v &= b.value; break;
	case BPF_OR: v |= b.value; break;
	case BPF_XOR: v ^= b.value; break;
	case BPF_LSH: v <<= b.value & 31; break;
	case BPF_RSH: v >>= b.value & 31; break;
	default: return (struct reg){ false, 0 };
	}
	return (struct reg){ true, v };
}

static bool jumps(unsigned op, uint32_t a, uint32_t k)
{
	switch (op) {
	case BPF_JEQ: return a == k;
	case BPF_JGT: return a > k;
	case BPF_JGE: return a >= k;
	default: return (a & k) != 0; /* BPF_JSET */
	}
}

/* Every jump goes forward, so this ends; STEPS_MAX bounds the branching. */
static void walk_from(struct walk *w, unsigned pc, struct reg a, struct reg x)
{
	while (pc < w->n && w->steps++ < STEPS_MAX) {
		const struct sock_filter *i = &w->insns[pc++];
		struct reg k = BPF_SRC(i->code) == BPF_X ? x : (struct reg){ true, i->k };

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			a = BPF_MODE(i->code) == BPF_ABS   ? load(w, i->k)
			    : BPF_MODE(i->code) == BPF_IMM ? (struct reg){ true, i->k }
							   : (struct reg){ false, 0 };
			break;
		case BPF_LDX:
			x = BPF_MODE(i->code) == BPF_IMM ? (struct reg){ true, i->k }
							 : (struct reg){ false, 0 };
			break;
		case BPF_ST:
		case BPF_STX: break; /* what is loaded from there is anything */
		case BPF_ALU:
			a = BPF_OP(i->code) == BPF_NEG ? (struct reg){ false, 0 }
						       : compute(BPF_OP(i->code), a, k);
			break;
		case BPF_MISC:
			if (BPF_MISCOP(i->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		case BPF_RET:
			w->saw |= BPF_RVAL(i->code) == BPF_K ? of_action(i->k) : SAW_REFUSED;
			return;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA) {
				pc = i->k < w->n ? pc + i->k : w->n;
			} else if (a.known && k.known) {
				pc += jumps(BPF_OP(i->code), a.value, k.value) ? i->jt : i->jf;
			} else {
				walk_from(w, pc + i->jt, a, x);
				pc += i->jf;
			}
			break;
		}
		if (w->saw == (SAW_LET | SAW_REFUSED) || (w->saw & SAW_BROKEN))
			return;
	}
	w->saw |= SAW_BROKEN;
}

enum filter_verdict filter_judge(const struct sock_filter *insns, unsigned n, uint32_t arch, int nr)
{
	struct walk w = { .insns = insns, .n = n, .arch = arch, .nr = (uint32_t)nr };

	if (n == 0 || n > BPF_MAXINSNS)
		return FILTER_BROKEN;
	walk_from(&w, 0, (struct reg){ true, 0 }, (struct reg){ true, 0 });
	if (w.saw & SAW_BROKEN)
		return FILTER_BROKEN;
	return w.saw == SAW_LET       ? FILTER_LETS
	       : w.saw == SAW_REFUSED ? FILTER_REFUSES
				      : FILTER_DEPENDS;
}

static bool is_kill(const struct sock_filter *i)
{
	uint32_t action = i->k & SECCOMP_RET_ACTION_FULL;

	return i->code == (BPF_RET | BPF_K) &&
	       (action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD);
}

bool filter_kills(const struct sock_filter *insns, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_kill(&insns[i]))
			return true;
	return false;
}

void filter_notify(struct sock_filter *insns, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_kill(&insns[i]))
			insns[i].k = SECCOMP_RET_USER_NOTIF;
}
