// SPDX-License-Identifier: MIT
/*
 * System calls that reach around Landlock when there are no namespaces: a small filter of its own,
 * beside whatever filter the user chose, in the command's process. What it refuses:
 *
 *   sockets    no ABI up to 7 confines connecting to a socket by its path, and behind one such path
 *              is the user's systemd, which starts programs outside. So there are none of AF_UNIX,
 *              and without a network none at all. Pairs that are connected for good stay.
 *   truncate   before ABI 3
 *   others     calls on other processes of the user, on its System V objects, keys and attributes of
 *              files, and io_uring, by which files and sockets are opened past any filter
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <sandbox/audit-arch.h>

#include "ops.h"

#ifdef __x86_64__
#define X32_BIT 0x40000000u
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the low half of an argument comes first: see load_arg()"
#endif

enum { INSNS_MAX = 256, SETXATTRAT = 463, REMOVEXATTRAT = 466 };

enum when { ALWAYS, NO_NETWORK, NO_TRUNCATE, NO_SIGNALS };

/* Conditions look at the low 32 bits of one argument, which are what the kernel reads of an int. */
enum cond { ANY, EQUAL, OTHER, MASKED };

/* clang-format off */
static const struct row {
	int nr;
	enum when when;
	enum cond cond;
	unsigned arg;
	uint32_t value, mask;
	int num;
} rows[] = {
	{ SYS_socket,         NO_NETWORK,  ANY,    0, 0,       0,   EAFNOSUPPORT },
	{ SYS_socket,         ALWAYS,      EQUAL,  0, AF_UNIX, 0,   EAFNOSUPPORT },
	/* datagrams of a pair can be sent elsewhere; SOCK_RAW is the same kind */
	{ SYS_socketpair,     ALWAYS,      MASKED, 1, SOCK_DGRAM, 0xf, EOPNOTSUPP },
	{ SYS_socketpair,     ALWAYS,      MASKED, 1, SOCK_RAW,   0xf, EOPNOTSUPP },
	{ SYS_io_uring_setup, ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_truncate,       NO_TRUNCATE, ANY,    0, 0, 0, EACCES },
#ifdef SYS_open
	{ SYS_open,           NO_TRUNCATE, MASKED, 1, O_TRUNC, O_ACCMODE | O_TRUNC, EACCES },
#endif
	{ SYS_openat,         NO_TRUNCATE, MASKED, 2, O_TRUNC, O_ACCMODE | O_TRUNC, EACCES },
	{ SYS_openat2,        NO_TRUNCATE, ANY,    0, 0, 0, ENOSYS },
	{ SYS_kill,           NO_SIGNALS,  EQUAL,  0, (uint32_t)-1, 0, EPERM },
	{ SYS_prlimit64,      ALWAYS,      OTHER,  0, 0, 0, EPERM },
	{ SYS_setpriority,    ALWAYS,      OTHER,  0, PRIO_PROCESS, 0, EPERM },
	{ SYS_setpriority,    ALWAYS,      OTHER,  1, 0, 0, EPERM },
	{ SYS_ioprio_set,     ALWAYS,      OTHER,  1, 0, 0, EPERM },
	{ SYS_shmget,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_shmat,          ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_shmctl,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_semget,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_semop,          ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_semtimedop,     ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_semctl,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_msgget,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_msgsnd,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_msgrcv,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_msgctl,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ SYS_mq_open,        ALWAYS,      ANY,    0, 0, 0, ENOSYS }, /* Landlock denies it after the queue is made */
	{ SYS_mq_unlink,      ALWAYS,      ANY,    0, 0, 0, EACCES },
	{ SYS_add_key,        ALWAYS,      ANY,    0, 0, 0, EPERM },
	{ SYS_request_key,    ALWAYS,      ANY,    0, 0, 0, EPERM },
	{ SYS_keyctl,         ALWAYS,      ANY,    0, 0, 0, EPERM },
	{ SYS_setxattr,       ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SYS_lsetxattr,      ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SYS_removexattr,    ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SYS_lremovexattr,   ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SETXATTRAT,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ REMOVEXATTRAT,      ALWAYS,      ANY,    0, 0, 0, ENOSYS },
};
/* clang-format on */

struct program {
	struct sock_filter insns[INSNS_MAX];
	unsigned n;
};

static void put(struct program *p, unsigned code, uint32_t k, unsigned jt, unsigned jf)
{
	p->insns[p->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf, k };
}

static void put_load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_refusal(struct program *p, int num)
{
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((uint32_t)num & SECCOMP_RET_DATA), 0, 0);
}

/* The number is in the accumulator before each row, and after it. */
static void put_row(struct program *p, const struct row *row)
{
	unsigned masked = row->cond == MASKED;

	if (row->cond == ANY) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)row->nr, 0, 1);
		put_refusal(p, row->num);
		return;
	}
	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)row->nr, 0, 4 + masked);
	put_load(p, offsetof(struct seccomp_data, args) + 8 * row->arg);
	if (masked)
		put(p, BPF_ALU | BPF_AND | BPF_K, row->mask, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, row->value, row->cond == OTHER, row->cond != OTHER);
	put_refusal(p, row->num);
	put_load(p, offsetof(struct seccomp_data, nr));
}

static bool applies(const struct op *op, const struct row *row)
{
	switch (row->when) {
	case NO_NETWORK: return !op->u.calls.network;
	case NO_TRUNCATE: return !op->u.calls.truncate;
	case NO_SIGNALS: return !op->u.calls.signals;
	case ALWAYS:
	default: return true;
	}
}

static void build(struct program *p, const struct op *op)
{
#ifdef AUDIT_ARCH_NATIVE
	put_load(p, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_NATIVE, 1, 0);
#endif
	put_refusal(p, ENOSYS);
	put_load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	put(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	put_refusal(p, ENOSYS);
#endif
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (applies(op, &rows[i]))
			put_row(p, &rows[i]);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

_Static_assert(sizeof(rows) / sizeof(rows[0]) * 6 + 8 < INSNS_MAX, "the program has room");

/* no_new_privs is set. */
int op_calls_apply(const struct op *op, struct run *run, struct err *err)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog = { .filter = p.insns };

	(void)run;
	build(&p, op);
	prog.len = (unsigned short)p.n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return err_set(err, ERR_LOCKDOWN, errno,
			       "cannot refuse the system calls that Landlock does not confine");
	return 0;
}
