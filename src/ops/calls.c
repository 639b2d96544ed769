// SPDX-License-Identifier: MIT
/*
 * System calls that reach around the rest of the confinement where there are no namespaces, or no PID
 * namespace: a small filter of its own, beside whatever filter the user chose. What it refuses:
 *
 *   sockets    no ABI up to 7 confines connecting to a socket by its path, and behind one such path
 *              is the user's systemd, which starts programs outside. So there are none of AF_UNIX,
 *              and without a network none at all. Pairs that are connected for good stay.
 *   truncate   before ABI 3
 *   processes  calls on other processes of the user; by prlimit(2) one can be killed. A filter does
 *              not know the caller's own number, so only 0 says that it is meant.
 *   others     calls on the user's System V objects, keys and attributes of files, and io_uring, by
 *              which files and sockets are opened past any filter
 *
 * With --backend landlock it is for the command's process, and leaves out the scheduler's calls: libc
 * names threads by their numbers. With --share pid it is the processes alone, for the whole box.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/ioprio.h>
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

enum { INSNS_MAX = 512, SETXATTRAT = 463, REMOVEXATTRAT = 466 };

/* The first two are for every box without a PID namespace, or for that with --share pid alone; the
 * others for --backend landlock. */
enum when { PROCESSES, SCHEDULER, ALWAYS, NO_NETWORK, NO_TRUNCATE, NO_SIGNALS };

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
	{ SYS_prlimit64,      PROCESSES,   OTHER,  0, 0, 0, EPERM },
	{ SYS_setpriority,    PROCESSES,   OTHER,  0, PRIO_PROCESS, 0, EPERM },
	{ SYS_setpriority,    PROCESSES,   OTHER,  1, 0, 0, EPERM },
	{ SYS_ioprio_set,     PROCESSES,   OTHER,  0, IOPRIO_WHO_PROCESS, 0, EPERM },
	{ SYS_ioprio_set,     PROCESSES,   OTHER,  1, 0, 0, EPERM },
	{ SYS_sched_setaffinity,  SCHEDULER, OTHER, 0, 0, 0, EPERM },
	{ SYS_sched_setscheduler, SCHEDULER, OTHER, 0, 0, 0, EPERM },
	{ SYS_sched_setparam,     SCHEDULER, OTHER, 0, 0, 0, EPERM },
	{ SYS_sched_setattr,      SCHEDULER, OTHER, 0, 0, 0, EPERM },
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
	{ SYS_fsetxattr,      ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP }, /* one to be read is enough */
	{ SYS_removexattr,    ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SYS_lremovexattr,   ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SYS_fremovexattr,   ALWAYS,      ANY,    0, 0, 0, EOPNOTSUPP },
	{ SETXATTRAT,         ALWAYS,      ANY,    0, 0, 0, ENOSYS },
	{ REMOVEXATTRAT,      ALWAYS,      ANY,    0, 0, 0, ENOSYS },
};

/* What --multiarch gives to the command besides, where those rows have other numbers. riscv64 has no
 * such. x32's are x86_64's. */
#if defined(__x86_64__)
#define OTHER_ARCH(i386, arm) i386
#elif defined(__aarch64__)
#define OTHER_ARCH(i386, arm) arm
#else
#define OTHER_ARCH(i386, arm) -1
#endif
static const struct {
	int nr, other;
} others[] = {
	{ SYS_prlimit64,          OTHER_ARCH(340, 369) },
	{ SYS_setpriority,        OTHER_ARCH(97, 97) },
	{ SYS_ioprio_set,         OTHER_ARCH(289, 314) },
	{ SYS_sched_setaffinity,  OTHER_ARCH(241, 241) },
	{ SYS_sched_setscheduler, OTHER_ARCH(156, 156) },
	{ SYS_sched_setparam,     OTHER_ARCH(154, 154) },
	{ SYS_sched_setattr,      OTHER_ARCH(351, 380) },
};
/* clang-format on */

struct program {
	struct sock_filter insns[INSNS_MAX];
	unsigned n;
	bool x32; /* its numbers are looked at as x86_64's */
};

static void put(struct program *p, unsigned code, uint32_t k, unsigned jt, unsigned jf)
{
	p->insns[p->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf, k };
}

static void put_load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_number(struct program *p)
{
	put_load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	if (p->x32)
		put(p, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
#endif
}

static void put_refusal(struct program *p, int num)
{
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((uint32_t)num & SECCOMP_RET_DATA), 0, 0);
}

/* The number is in the accumulator before each row, and after it. */
static void put_row(struct program *p, const struct row *row, int nr)
{
	unsigned start = p->n;

	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
	if (row->cond == ANY) {
		put_refusal(p, row->num);
		return;
	}
	put_load(p, offsetof(struct seccomp_data, args) + 8 * row->arg);
	if (row->cond == MASKED)
		put(p, BPF_ALU | BPF_AND | BPF_K, row->mask, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, row->value, row->cond == OTHER, row->cond != OTHER);
	put_refusal(p, row->num);
	put_number(p);
	p->insns[start].jf = (uint8_t)(p->n - start - 1);
}

static bool applies(const struct op *op, const struct row *row)
{
	switch (row->when) {
	case PROCESSES: return true;
	case SCHEDULER: return op->u.calls.processes;
	case NO_NETWORK: return !op->u.calls.processes && !op->u.calls.network;
	case NO_TRUNCATE: return !op->u.calls.processes && !op->u.calls.truncate;
	case NO_SIGNALS: return !op->u.calls.processes && !op->u.calls.signals;
	case ALWAYS:
	default: return !op->u.calls.processes;
	}
}

static int number(const struct row *row, bool other)
{
	for (unsigned i = 0; other && i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].nr == row->nr)
			return others[i].other;
	return row->nr;
}

static void put_rows(struct program *p, const struct op *op, bool other)
{
	put_number(p);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (applies(op, &rows[i]))
			put_row(p, &rows[i], number(&rows[i], other));
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void build_native(struct program *p, const struct op *op)
{
#ifdef AUDIT_ARCH_NATIVE
	put_load(p, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_NATIVE, 1, 0);
#endif
	put_refusal(p, ENOSYS);
#ifdef X32_BIT
	put_number(p);
	put(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	put_refusal(p, ENOSYS);
#endif
	put_rows(p, op, false);
}

/* Which architectures there are is the other filter's to say. */
static void build_any(struct program *p, const struct op *op)
{
#ifdef AUDIT_ARCH_NATIVE
	unsigned jump;

	p->x32 = true;
	put_load(p, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_NATIVE, 1, 0);
	jump = p->n;
	put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	put_rows(p, op, false);
	p->insns[jump].k = p->n - jump - 1;
	p->x32 = false;
	put_rows(p, op, true);
#else
	(void)op;
	put_refusal(p, ENOSYS);
#endif
}

/* Of build_native(); the other has few of the rows. */
_Static_assert(sizeof(rows) / sizeof(rows[0]) * 6 + 9 < INSNS_MAX, "the program has room");

/* no_new_privs is set, or CAP_SYS_ADMIN held. */
int op_calls_apply(const struct op *op, struct run *run, struct err *err)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog = { .filter = p.insns };

	(void)run;
	if (op->u.calls.processes)
		build_any(&p, op);
	else
		build_native(&p, op);
	prog.len = (unsigned short)p.n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return err_set(err, ERR_LOCKDOWN, errno,
			       "cannot refuse the system calls that nothing else confines");
	return 0;
}
