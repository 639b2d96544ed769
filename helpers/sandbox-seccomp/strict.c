// SPDX-License-Identifier: MIT
/*
 * --seccomp strict: for programs that read, compute and write. What a dynamically linked filter
 * such as sort(1), or python with its script on standard input, needs to be executed, to load its
 * libraries, to use memory, threads and clocks, and to read and write what is open already.
 *
 * Files may be opened for reading alone: a loader must, and what there is to read is decided by
 * the mounts. There is no socket, no new process (a thread is none), no change to any name, mode or
 * owner of a file, no namespace, no debugging. The program may execute another in its place, since
 * that is how it began; the filter stays.
 *
 * Signals to others are refused as far as a filter can tell: by kill(2) and its kin, and by an owner
 * of a descriptor. tgkill(2) stays: abort(3), raise(3) and pthread_kill(3) are made of it, with the
 * caller's own number, which no filter knows. Whom it reaches is for the PID namespace and Landlock
 * to say.
 *
 * What libc asks for and can do without is answered by ENOSYS or EPERM whatever --seccomp-action
 * says, so that "kill" ends programs that do something, and not those that start.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "request.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* clang-format off */
static const char allowed[] =
	/* to be executed and to end */
	"execve execveat exit exit_group restart_syscall arch_prctl set_tid_address set_robust_list "
	"get_robust_list rseq set_thread_area get_thread_area set_tls cacheflush riscv_flush_icache "
	"riscv_hwprobe uretprobe getrandom uname olduname oldolduname sysinfo getcpu "
	/* memory */
	"brk mmap mmap2 munmap mremap mprotect madvise mincore membarrier pkey_alloc pkey_free "
	"pkey_mprotect map_shadow_stack mseal mlock mlock2 munlock msync "
	/* threads of its own */
	"futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue sched_yield sched_getaffinity "
	"sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getpriority "
	/* what is open */
	"read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek close "
	"close_range dup dup2 dup3 fcntl fcntl64 fstat fstat64 fadvise64 fadvise64_64 arm_fadvise64_64 readahead "
	"ftruncate ftruncate64 fallocate fsync fdatasync sendfile sendfile64 copy_file_range splice tee "
	"pipe pipe2 poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 "
	"epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 "
	/* what there is to read */
	"access faccessat faccessat2 stat stat64 lstat lstat64 fstatat64 newfstatat statx readlink readlinkat "
	"getdents getdents64 getcwd chdir fchdir statfs statfs64 fstatfs fstatfs64 umask getxattr lgetxattr "
	"fgetxattr listxattr llistxattr flistxattr "
	/* signals it gets, clocks, timers */
	"rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait "
	"rt_sigtimedwait_time64 sigaltstack sigaction sigprocmask sigreturn signal pause "
	"time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep "
	"clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer timer_create timer_delete "
	"timer_settime timer_settime64 timer_gettime timer_gettime64 timer_getoverrun timerfd_create "
	"timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64 times getrusage "
	/* who and where it is */
	"getpid gettid getppid getpgid getpgrp getsid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid "
	"getegid32 getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 getrlimit ugetrlimit "
	/* abort(3) and raise(3) */
	"tgkill";

#define ALLOW { POLICY_ALLOW, 0 }
#define ANSWER(num) { POLICY_ERRNO, num }
#define IS(i, v) { .index = i, .op = POLICY_EQ, .narrow = true, .value = v }
#define NONE_OF(i, bits) { .index = i, .op = POLICY_MASKED_EQ, .narrow = true, .mask = bits, .value = 0 }
#define ALL_OF(i, bits) { .index = i, .op = POLICY_MASKED_EQ, .narrow = true, .mask = bits, .value = bits }
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const struct policy_rule rows[] = {
	{ .name = "open",     .act = ALLOW, .nargs = 1, .args = { NONE_OF(1, WRITING) } },
	{ .name = "openat",   .act = ALLOW, .nargs = 1, .args = { NONE_OF(2, WRITING) }, .hot = true },
	/* their flags lie in memory: as on a kernel without them */
	{ .name = "openat2",  .act = ANSWER(ENOSYS) },
	{ .name = "clone3",   .act = ANSWER(ENOSYS) },
	{ .name = "clone",    .act = ALLOW, .nargs = 1, .args = { ALL_OF(0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND) } },
	{ .name = "ioctl",    .act = ALLOW, .nargs = 1, .args = { IS(1, TCGETS) } },
	{ .name = "ioctl",    .act = ALLOW, .nargs = 1, .args = { IS(1, TIOCGWINSZ) } },
	{ .name = "ioctl",    .act = ALLOW, .nargs = 1, .args = { IS(1, FIONREAD) } },
	{ .name = "ioctl",    .act = ALLOW, .nargs = 1, .args = { IS(1, FIOCLEX) } },
	{ .name = "ioctl",    .act = ALLOW, .nargs = 1, .args = { IS(1, FIONCLEX) } },
	{ .name = "ioctl",    .act = ALLOW, .nargs = 1, .args = { IS(1, FIONBIO) } },
	{ .name = "ioctl",    .act = ANSWER(ENOTTY) },
	{ .name = "prctl",    .act = ALLOW, .nargs = 1, .args = { IS(0, PR_SET_NAME) } },
	{ .name = "prctl",    .act = ALLOW, .nargs = 1, .args = { IS(0, PR_GET_NAME) } },
	{ .name = "prctl",    .act = ALLOW, .nargs = 1, .args = { IS(0, PR_GET_DUMPABLE) } },
	{ .name = "prctl",    .act = ALLOW, .nargs = 1, .args = { IS(0, PR_CAPBSET_READ) } },
	{ .name = "prctl",    .act = ALLOW, .nargs = 1, .args = { IS(0, PR_SET_VMA) } },
	{ .name = "prctl",    .act = ANSWER(EINVAL) },
	/* asking is allowed, setting is not */
	{ .name = "prlimit64", .act = ALLOW, .nargs = 1, .args = { { .index = 2, .op = POLICY_EQ, .value = 0 } } },
	{ .name = "prlimit64", .act = ANSWER(EPERM) },
	/* a signal to whoever is named there: SIGIO, or any by F_SETSIG */
	{ .name = "fcntl",    .act = ANSWER(EPERM), .nargs = 1, .args = { IS(1, F_SETOWN) } },
	{ .name = "fcntl",    .act = ANSWER(EPERM), .nargs = 1, .args = { IS(1, F_SETOWN_EX) } },
	{ .name = "fcntl64",  .act = ANSWER(EPERM), .nargs = 1, .args = { IS(1, F_SETOWN) } },
	{ .name = "fcntl64",  .act = ANSWER(EPERM), .nargs = 1, .args = { IS(1, F_SETOWN_EX) } },
	/* names of users and hosts are looked for in a daemon first, then in files */
	{ .name = "socket",   .act = ANSWER(EAFNOSUPPORT), .nargs = 1, .args = { IS(0, AF_UNIX) } },
};
/* clang-format on */

void strict_policy(struct policy *ret, bool multiarch, struct policy_do refused)
{
	unsigned native = policy_arch_native();
	g_auto(GStrv) names = g_strsplit(allowed, " ", -1);

	policy_init(ret, multiarch ? native | policy_arch_others(native) : native);
	ret->otherwise = refused;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		policy_add(ret, &rows[i]);
	for (char **name = names; *name; name++) {
		struct policy_rule rule = { .name = *name, .act = ALLOW };

		policy_add(ret, &rule);
	}
}
