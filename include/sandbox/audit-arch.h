/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/audit.h>

/*
 * What seccomp_data.arch has for the machine this is compiled for (seccomp(2)): the system calls of
 * its own kind. A filter that let the numbers of another ABI through would be none;
 * for another machine nothing is defined, and what needs it does not compile.
 */
#if defined(__x86_64__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_RISCV64
#endif
