// SPDX-License-Identifier: MIT
/*
 * The system calls that remain: what a program does that moves bytes between sockets. No file can be
 * opened, no program executed, no process made, signalled or looked into, no memory made
 * executable, no socket but of IPv4 and IPv6, streams and datagrams. The table is in the order of
 * how often each is used; the kernel caches those that need no look at their arguments (5.11).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <sandbox/audit-arch.h>

#include "confine.h"

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW 4
#else
#define LOW 0
#endif

/* What is not in the table: in a build for tests it ends the helper, so that it is noticed. */
#ifdef SANDBOX_NET_STRICT
#define OTHERWISE SECCOMP_RET_KILL_PROCESS
#else
#define OTHERWISE (SECCOMP_RET_ERRNO | EPERM)
#endif

/* clang-format off */
static const uint16_t plain[] = {
	SYS_read, SYS_write, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_ppoll, SYS_splice,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_close, SYS_connect, SYS_accept4, SYS_setsockopt, SYS_getsockopt, SYS_getsockname,
	SYS_getpeername, SYS_shutdown, SYS_bind, SYS_listen, SYS_fcntl, SYS_dup3, SYS_pipe2,
	SYS_readv, SYS_writev, SYS_recvmmsg, SYS_sendmmsg, SYS_accept,
	SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_clock_gettime, SYS_gettimeofday, SYS_getrandom, SYS_futex, SYS_brk, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_restart_syscall, SYS_sched_yield,
	SYS_exit, SYS_exit_group,
#ifdef __SANITIZE_ADDRESS__ /* its runtime reports faults */
	SYS_getpid, SYS_gettid, SYS_sigaltstack, SYS_rt_sigaction, SYS_readlink, SYS_readlinkat, SYS_openat,
	SYS_newfstatat, SYS_fstat, SYS_lseek, SYS_mprotect, SYS_getrlimit, SYS_prlimit64, SYS_prctl, SYS_tgkill,
	SYS_sched_getaffinity, SYS_pread64, SYS_access, SYS_getuid,
#endif
};
/* clang-format on */

enum { PROGRAM_MAX = 256 };

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->code[p->len++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

static void load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void ret(struct program *p, uint32_t action)
{
	put(p, BPF_RET | BPF_K, action, 0, 0);
}

static void load_arg(struct program *p, unsigned n)
{
	load(p, offsetof(struct seccomp_data, args) + 8 * n + LOW);
}

/* Each block below begins with the number in the accumulator, and leaves it there where the number
 * is another one. */

static void allow(struct program *p, uint32_t number)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
	ret(p, SECCOMP_RET_ALLOW);
}

/* allowed if (argument & mask) == value */
static void allow_masked(struct program *p, uint32_t number, unsigned n, uint32_t mask,
			 uint32_t value)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 5);
	load_arg(p, n);
	put(p, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	ret(p, SECCOMP_RET_ALLOW);
	ret(p, OTHERWISE);
}

static void allow_socket(struct program *p)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 9);
	load_arg(p, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 5);
	load_arg(p, 1);
	put(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1);
	ret(p, SECCOMP_RET_ALLOW);
	/* libslirp looks for EAFNOSUPPORT and the like only to print them */
	ret(p, SECCOMP_RET_ERRNO | EACCES);
}

int seccomp_load(void)
{
	struct program p = { .len = 0 };
	struct sock_fprog prog = { .filter = p.code };

	load(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_NATIVE, 1, 0);
	ret(&p, SECCOMP_RET_KILL_PROCESS);
	load(&p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		allow(&p, plain[i]);
	allow_socket(&p);
	allow_masked(&p, SYS_socketpair, 0, UINT32_MAX, AF_UNIX);
	allow_masked(&p, SYS_mmap, 2, PROT_EXEC, 0);
	allow_masked(&p, SYS_ioctl, 1, UINT32_MAX, FIONREAD);
	ret(&p, OTHERWISE);
	prog.len = p.len;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0 ? -errno : 0;
}
