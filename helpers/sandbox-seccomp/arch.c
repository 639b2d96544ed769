// SPDX-License-Identifier: MIT
/* Architectures, and the numbers of calls. libseccomp's tables first; where they end or answer
 * with a number of their own (socket calls of i386), ours. */
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

enum { EVERY = ~0 };

/* clang-format off */
static const struct arch {
	unsigned bit;
	const char *name;
	uint32_t token;    /* libseccomp's */
	uint32_t audit;
	unsigned others;
} archs[] = {
	{ POLICY_X86_64,  "x86_64",  SCMP_ARCH_X86_64,  AUDIT_ARCH_X86_64,  POLICY_X86 | POLICY_X32 },
	{ POLICY_X86,     "x86",     SCMP_ARCH_X86,     AUDIT_ARCH_I386,    0 },
	{ POLICY_X32,     "x32",     SCMP_ARCH_X32,     AUDIT_ARCH_X86_64,  0 },
	{ POLICY_AARCH64, "aarch64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, POLICY_ARM },
	{ POLICY_ARM,     "arm",     SCMP_ARCH_ARM,     AUDIT_ARCH_ARM,     0 },
	{ POLICY_RISCV64, "riscv64", SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, 0 },
};

/* From 424 on a call has the same number everywhere; x32 adds its bit. */
static const struct late {
	const char *name;
	int nr;
	unsigned archs;
} late[] = {
	/* i386: socket and SysV calls of their own since 4.3 and 5.1; libseccomp names the
	 * multiplexer by these */
	{ "socket",      359, POLICY_X86 }, { "socketpair",  360, POLICY_X86 },
	{ "bind",        361, POLICY_X86 }, { "connect",     362, POLICY_X86 },
	{ "listen",      363, POLICY_X86 }, { "accept4",     364, POLICY_X86 },
	{ "getsockopt",  365, POLICY_X86 }, { "setsockopt",  366, POLICY_X86 },
	{ "getsockname", 367, POLICY_X86 }, { "getpeername", 368, POLICY_X86 },
	{ "sendto",      369, POLICY_X86 }, { "sendmsg",     370, POLICY_X86 },
	{ "recvfrom",    371, POLICY_X86 }, { "recvmsg",     372, POLICY_X86 },
	{ "shutdown",    373, POLICY_X86 },
	{ "semget",      393, POLICY_X86 }, { "semctl",      394, POLICY_X86 },
	{ "shmget",      395, POLICY_X86 }, { "shmctl",      396, POLICY_X86 },
	{ "shmat",       397, POLICY_X86 }, { "shmdt",       398, POLICY_X86 },
	{ "msgget",      399, POLICY_X86 }, { "msgsnd",      400, POLICY_X86 },
	{ "msgrcv",      401, POLICY_X86 }, { "msgctl",      402, POLICY_X86 },
	{ "uretprobe",   335, POLICY_X86_64 }, { "uprobe",   336, POLICY_X86_64 },
	{ "futex_waitv",             449, EVERY }, { "set_mempolicy_home_node", 450, EVERY },
	{ "cachestat",               451, EVERY }, { "fchmodat2",               452, EVERY },
	{ "map_shadow_stack",        453, EVERY }, { "futex_wake",              454, EVERY },
	{ "futex_wait",              455, EVERY }, { "futex_requeue",           456, EVERY },
	{ "statmount",               457, EVERY }, { "listmount",               458, EVERY },
	{ "lsm_get_self_attr",       459, EVERY }, { "lsm_set_self_attr",       460, EVERY },
	{ "lsm_list_modules",        461, EVERY }, { "mseal",                   462, EVERY },
	{ "setxattrat",              463, EVERY }, { "getxattrat",              464, EVERY },
	{ "listxattrat",             465, EVERY }, { "removexattrat",           466, EVERY },
	{ "open_tree_attr",          467, EVERY }, { "file_getattr",            468, EVERY },
	{ "file_setattr",            469, EVERY },
};
/* clang-format on */

static const struct arch *arch_of(unsigned bit)
{
	for (size_t i = 0; i < G_N_ELEMENTS(archs); i++)
		if (archs[i].bit == bit)
			return &archs[i];
	return NULL;
}

unsigned policy_arch_by_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(archs); i++)
		if (strcmp(archs[i].name, name) == 0)
			return archs[i].bit;
	return 0;
}

const char *policy_arch_name(unsigned arch)
{
	const struct arch *row = arch_of(arch);

	return row ? row->name : "?";
}

unsigned policy_arch_native(void)
{
	uint32_t token = seccomp_arch_native();

	for (size_t i = 0; i < G_N_ELEMENTS(archs); i++)
		if (archs[i].token == token)
			return archs[i].bit;
	return 0;
}

unsigned policy_arch_others(unsigned arch)
{
	const struct arch *row = arch_of(arch);

	return row ? row->others : 0;
}

uint32_t policy_arch_audit(unsigned arch)
{
	const struct arch *row = arch_of(arch);

	return row ? row->audit : 0;
}

int policy_number(unsigned arch, const char *name)
{
	const struct arch *row = arch_of(arch);
	int nr;

	if (!row)
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(late); i++)
		if ((late[i].archs & arch) && strcmp(late[i].name, name) == 0)
			return arch == POLICY_X32 ? late[i].nr | POLICY_X32_BIT : late[i].nr;
	nr = seccomp_syscall_resolve_name_arch(row->token, name);
	return nr >= 0 ? nr : -1; /* below: names of other architectures, or of none */
}

char *policy_number_name(unsigned arch, int nr)
{
	const struct arch *row = arch_of(arch);
	char *found, *copy;

	if (!row)
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(late); i++)
		if ((late[i].archs & arch) &&
		    (arch == POLICY_X32 ? late[i].nr | POLICY_X32_BIT : late[i].nr) == nr)
			return g_strdup(late[i].name);
	found = seccomp_syscall_resolve_num_arch(row->token, nr);
	copy = g_strdup(found);
	free(found);
	return copy;
}
