/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * What the kernel does with a filter: the part of classic BPF that seccomp(2) lets through. Whatever
 * the kernel would refuse ends in UINT32_MAX - n, which no filter of ours returns.
 */
enum { BPF_BAD_PLACE = -1, BPF_BAD_LOAD = -2, BPF_BAD_CODE = -3, BPF_NO_END = -4 };

static inline uint32_t bpf_run_counted(const struct sock_filter *insns, uint32_t n,
				       const struct seccomp_data *data, unsigned *steps)
{
	uint32_t a = 0;

	for (uint32_t pc = 0; pc < n; pc++, ++*steps) {
		const struct sock_filter *i = &insns[pc];
		uint32_t yes = i->jt, no = i->jf;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 || i->k > sizeof(*data) - 4)
				return (uint32_t)BPF_BAD_LOAD;
			memcpy(&a, (const char *)data + i->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K: a &= i->k; break;
		case BPF_RET | BPF_K: return i->k;
		case BPF_JMP | BPF_JA:
			if (i->k >= n - pc)
				return (uint32_t)BPF_BAD_PLACE;
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K: pc += a == i->k ? yes : no; break;
		case BPF_JMP | BPF_JGT | BPF_K: pc += a > i->k ? yes : no; break;
		case BPF_JMP | BPF_JGE | BPF_K: pc += a >= i->k ? yes : no; break;
		case BPF_JMP | BPF_JSET | BPF_K: pc += a & i->k ? yes : no; break;
		default: return (uint32_t)BPF_BAD_CODE;
		}
	}
	return (uint32_t)BPF_NO_END;
}

static inline uint32_t bpf_run(const struct sock_filter *insns, uint32_t n,
			       const struct seccomp_data *data)
{
	unsigned steps = 0;

	return bpf_run_counted(insns, n, data, &steps);
}
