// SPDX-License-Identifier: MIT
/*
 * The default policy. What is not named here is unknown and answers ENOSYS, so that a libc falls
 * back; what is named and refused answers EPERM.
 *
 * An allow list by name, for two reasons: a list of what is forbidden misses what the next kernel
 * brings (flatpak CVE-2021-41133: the mount API of 5.2, and clone3), and a number means another
 * call on another architecture (firejail's filter and x32).
 *
 * A refused call comes back with a capability that gives it its sense (--cap-add), or with
 * --nested; both are conditions in the table. The kernel still checks the capability itself.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "policy.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)
#ifndef CAP_PERFMON /* 5.8, as CAP_BPF */
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif

enum { ALWAYS = 1, NESTED = 2, MULTIARCH = 4 };

struct group {
	unsigned when;     /* any of these, */
	uint64_t caps;     /* or any of these: allowed; else EPERM */
	const char *names; /* separated by blanks */
};

/* clang-format off */
static const struct group groups[] = {
	/* Files: all that is done by path or descriptor. Rights are the kernel's to check, and what
	 * there is to open is decided by the mounts. */
	{ ALWAYS, 0, "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 "
		"open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock "
		"lseek _llseek sendfile sendfile64 copy_file_range splice tee vmsplice readahead "
		"stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx oldstat oldlstat oldfstat "
		"statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat "
		"getdents getdents64 readdir getcwd chdir fchdir "
		"mkdir mkdirat rmdir mknod mknodat rename renameat renameat2 link linkat symlink symlinkat "
		"unlink unlinkat chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat "
		"lchown lchown32 umask truncate truncate64 ftruncate ftruncate64 fallocate "
		"utime utimes futimesat utimensat utimensat_time64 "
		"setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat "
		"listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat "
		"file_getattr file_setattr cachestat fadvise64 fadvise64_64 arm_fadvise64_64 "
		"fsync fdatasync sync syncfs sync_file_range sync_file_range2 arm_sync_file_range "
		"statmount listmount "
		"inotify_init inotify_init1 inotify_add_watch inotify_rm_watch" },

	/* Waiting, and asynchronous input and output of the old kind (io_uring is refused below). */
	{ ALWAYS, 0, "select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 "
		"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old "
		"epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 "
		"timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64 "
		"pipe pipe2 io_setup io_destroy io_submit io_cancel io_getevents "
		"io_pgetevents io_pgetevents_time64" },

	/* Memory of one's own. */
	{ ALWAYS, 0, "brk mmap mmap2 munmap mremap mprotect madvise msync mincore mlock mlock2 mlockall "
		"munlock munlockall remap_file_pages memfd_create memfd_secret map_shadow_stack mseal "
		"pkey_alloc pkey_free pkey_mprotect membarrier "
		"get_mempolicy set_mempolicy set_mempolicy_home_node" },

	/* Processes and threads; clone and clone3 are looked at below. */
	{ ALWAYS, 0, "fork vfork execve execveat exit exit_group wait4 waitid waitpid "
		"getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address "
		"set_robust_list get_robust_list rseq futex futex_time64 futex_waitv futex_wake "
		"futex_wait futex_requeue restart_syscall arch_prctl prctl "
		"set_thread_area get_thread_area sched_yield getcpu "
		"sched_setaffinity sched_getaffinity sched_setattr sched_getattr sched_setparam "
		"sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max "
		"sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 "
		"getpriority setpriority nice ioprio_get ioprio_set "
		"getrlimit ugetrlimit setrlimit prlimit64 getrusage times "
		"pidfd_open pidfd_send_signal process_madvise process_mrelease" },

	/* Debuggers and sanitizers. Each asks for the right to trace, which reaches no further than the
	 * box and not to its PID 1, and ptrace does whatever the others do. kcmp tells whether two
	 * descriptors are one; graphics drivers ask it. */
	{ ALWAYS, 0, "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp" },
	/* The return of a probe that somebody outside set: the kernel, not the program, makes them. */
	{ ALWAYS, 0, "uretprobe uprobe" },

	/* Signals and time. */
	{ ALWAYS, 0, "kill tkill tgkill sigaction sigprocmask sigpending sigsuspend sigreturn signal "
		"sigaltstack rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigreturn "
		"rt_sigtimedwait rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo pause sgetmask ssetmask "
		"alarm getitimer setitimer nanosleep clock_nanosleep clock_nanosleep_time64 "
		"time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
		"timer_create timer_delete timer_getoverrun timer_settime timer_settime64 timer_gettime "
		"timer_gettime64" },

	/* Who one is. */
	{ ALWAYS, 0, "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 "
		"getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 "
		"setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 "
		"setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 "
		"setgroups setgroups32 capget capset uname olduname oldolduname sysinfo getrandom" },

	/* More confinement for oneself. */
	{ ALWAYS, 0, "seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self" },

	/* Sockets, once there is one: socket and socketpair are looked at below. */
	{ ALWAYS, 0, "bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt "
		"send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64 shutdown" },
	/* i386's multiplexer has its arguments in memory, where no filter can see them; its programs
	 * have no other way to a socket, so --multiarch gives every family to all of the box. */
	{ MULTIARCH, 0, "socketcall" },

	/* SysV and POSIX objects: of the box's own IPC namespace. */
	{ ALWAYS, 0, "semget semop semctl semtimedop semtimedop_time64 shmget shmat shmdt shmctl "
		"msgget msgsnd msgrcv msgctl ipc mq_open mq_unlink mq_timedsend mq_timedsend_time64 "
		"mq_timedreceive mq_timedreceive_time64 mq_notify mq_getsetattr" },

	/* Architectures' own. */
	{ ALWAYS, 0, "breakpoint cacheflush set_tls get_tls usr26 usr32 riscv_flush_icache riscv_hwprobe" },
	{ MULTIARCH, 0, "modify_ldt" }, /* 16-bit programs in wine; CVE-2015-5157 and its kin */

	/* The tree, old interface and new. */
	{ NESTED, CAP(SYS_ADMIN), "mount umount umount2 pivot_root open_tree open_tree_attr move_mount fsopen "
		"fsconfig fsmount fspick mount_setattr" },
	{ NESTED, CAP(SYS_ADMIN) | CAP(SYS_CHROOT), "chroot" },
	{ NESTED, CAP(SYS_ADMIN), "setns sethostname setdomainname" },

	/* Reaching around the tree: a handle opens what no path shows ("shocker", 2014). */
	{ 0, CAP(DAC_READ_SEARCH), "open_by_handle_at name_to_handle_at" },
	{ 0, CAP(SYS_ADMIN), "fanotify_init fanotify_mark" },

	/* Keyrings are in no namespace. keyctl is looked at below. */
	{ 0, 0, "add_key request_key" },

	/* Large doors into the kernel, each with a long list of faults behind it. */
	{ 0, CAP(SYS_ADMIN) | CAP(BPF), "bpf" },
	{ 0, CAP(SYS_ADMIN) | CAP(PERFMON), "perf_event_open" },
	{ 0, CAP(SYS_PTRACE), "userfaultfd" },
	{ 0, 0, "io_uring_setup io_uring_enter io_uring_register" },

	/* The machine. */
	{ 0, CAP(SYS_MODULE), "init_module finit_module delete_module" },
	{ 0, 0, "kexec_load kexec_file_load" },
	{ 0, CAP(SYS_BOOT), "reboot" },
	{ 0, CAP(SYS_RAWIO), "iopl ioperm" },
	{ 0, CAP(SYS_TIME), "settimeofday stime clock_settime clock_settime64 clock_adjtime "
		"clock_adjtime64 adjtimex" },
	{ 0, CAP(SYS_ADMIN) | CAP(SYSLOG), "syslog" },
	{ 0, CAP(SYS_ADMIN), "swapon swapoff quotactl quotactl_fd lookup_dcookie" },
	{ 0, CAP(SYS_PACCT), "acct" },
	{ 0, CAP(SYS_TTY_CONFIG), "vhangup" },
	{ 0, CAP(SYS_NICE), "mbind migrate_pages move_pages" },
	{ 0, 0, "vm86 vm86old" },
};

/* Calls whose arguments decide. The first row of a call that holds is taken. An argument the
 * kernel reads as an int is compared as one: the upper half is anybody's (CVE-2019-10063). */
struct looked_at {
	unsigned when;
	uint64_t caps;     /* the row is there if any of these hold */
	const char *names;
	struct policy_do act;
	unsigned nargs;
	struct policy_arg args[2];
	bool hot;
};

#define ALLOW { POLICY_ALLOW, 0 }
#define REFUSE(num) { POLICY_ERRNO, num }
#define IS(i, v) { .index = i, .op = POLICY_EQ, .narrow = true, .value = v }
#define NONE_OF(i, bits) { .index = i, .op = POLICY_MASKED_EQ, .narrow = true, .mask = bits, .value = 0 }
#define ONLY(i, bits) { .index = i, .op = POLICY_MASKED_EQ, .mask = ~UINT64_C(bits), .value = 0 }

#define NAMESPACES 0x7e020000 /* CLONE_NEW* but NEWTIME, which clone cannot ask for */
#define OWN_STATE  0x00050f00 /* CLONE_VM FS FILES SIGHAND THREAD SYSVSEM: no namespace */
#define FAMILIES   "socket socketpair"

static const struct looked_at looked_at[] = {
	/* typing into the terminal (CVE-2017-5226), pasting into a console, line disciplines: modules */
	{ ALWAYS, 0, "ioctl", REFUSE(EPERM), 1, { IS(1, TIOCSTI) }, true },
	{ ALWAYS, 0, "ioctl", REFUSE(EPERM), 1, { IS(1, TIOCLINUX) }, true },
	{ ALWAYS, 0, "ioctl", REFUSE(EPERM), 1, { IS(1, TIOCSETD) }, true },
	{ ALWAYS, 0, "ioctl", ALLOW, 0, { { 0 } }, true },

	/* Namespaces. clone3 has its flags in memory: as if the kernel had none. */
	{ NESTED, CAP(SYS_ADMIN), "clone clone3 unshare", ALLOW, 0, { { 0 } }, false },
	{ ALWAYS, 0, "clone", ALLOW, 1, { NONE_OF(0, NAMESPACES) }, false },
	{ ALWAYS, 0, "clone", REFUSE(EPERM), 0, { { 0 } }, false },
	{ ALWAYS, 0, "clone3", REFUSE(ENOSYS), 0, { { 0 } }, false },
	{ ALWAYS, 0, "unshare", ALLOW, 1, { ONLY(0, OWN_STATE) }, false },
	{ ALWAYS, 0, "unshare", REFUSE(EPERM), 0, { { 0 } }, false },

	/* The families of sockets. EPERM would be taken for a fault by PAM, su and useradd, where
	 * these two mean that the kernel was built without. */
	{ ALWAYS, 0, FAMILIES, ALLOW, 1, { IS(0, AF_UNIX) }, false },
	{ ALWAYS, 0, FAMILIES, ALLOW, 1, { IS(0, AF_INET) }, false },
	{ ALWAYS, 0, FAMILIES, ALLOW, 1, { IS(0, AF_INET6) }, false },
	{ 0, CAP(NET_ADMIN), FAMILIES, ALLOW, 1, { IS(0, AF_NETLINK) }, false },
	{ 0, CAP(NET_ADMIN) | CAP(NET_RAW), FAMILIES, ALLOW, 1, { IS(0, AF_PACKET) }, false },
	{ 0, CAP(AUDIT_WRITE) | CAP(AUDIT_CONTROL) | CAP(AUDIT_READ), FAMILIES, ALLOW, 2,
	  { IS(0, AF_NETLINK), IS(2, NETLINK_AUDIT) }, false },
	{ ALWAYS, 0, FAMILIES, ALLOW, 2, { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) }, false },
	{ ALWAYS, 0, FAMILIES, REFUSE(EPROTONOSUPPORT), 1, { IS(0, AF_NETLINK) }, false },
	{ ALWAYS, 0, FAMILIES, REFUSE(EAFNOSUPPORT), 0, { { 0 } }, false },

	/* A box inside has a session keyring of its own made; nothing can be done with it. */
	{ NESTED, 0, "keyctl", ALLOW, 2, { IS(0, 1 /* KEYCTL_JOIN_SESSION_KEYRING */),
		{ .index = 1, .op = POLICY_EQ, .value = 0 } }, false },
	{ ALWAYS, 0, "keyctl", REFUSE(EPERM), 0, { { 0 } }, false },

	/* Linux, 32-bit, an old version's name, without randomised addresses (gdb, setarch -R, TSan
	 * and MSan), and the question which it is; not the other systems' emulations. */
	{ ALWAYS, 0, "personality", ALLOW, 1, { IS(0, 0xffffffff) }, false },
	{ ALWAYS, 0, "personality", ALLOW, 1,
	  { NONE_OF(0, ~(uint32_t)(PER_LINUX32 | UNAME26 | ADDR_NO_RANDOMIZE)) }, false },
	{ ALWAYS, 0, "personality", REFUSE(EPERM), 0, { { 0 } }, false },
};
/* clang-format on */

uint64_t policy_default_caps(void)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		caps |= groups[i].caps;
	for (size_t i = 0; i < G_N_ELEMENTS(looked_at); i++)
		caps |= looked_at[i].caps;
	return caps;
}

static bool holds(const struct policy_facts *facts, unsigned when, uint64_t caps)
{
	return (when & ALWAYS) || ((when & NESTED) && facts->nested) ||
	       ((when & MULTIARCH) && facts->multiarch) || (caps & facts->caps);
}

static void add_names(struct policy *policy, const char *names, struct policy_rule *rule)
{
	g_auto(GStrv) list = g_strsplit(names, " ", -1);

	for (char **name = list; *name; name++) {
		rule->name = *name;
		policy_add(policy, rule);
	}
}

void policy_default(struct policy *ret, const struct policy_facts *facts)
{
	unsigned arch = facts->arch ? facts->arch : policy_arch_native();

	policy_init(ret, facts->multiarch ? arch | policy_arch_others(arch) : arch);
	for (size_t i = 0; i < G_N_ELEMENTS(looked_at); i++) {
		const struct looked_at *row = &looked_at[i];
		struct policy_rule rule = { .act = row->act, .nargs = row->nargs, .hot = row->hot };

		memcpy(rule.args, row->args, sizeof(row->args));
		if (holds(facts, row->when, row->caps))
			add_names(ret, row->names, &rule);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
		const struct group *row = &groups[i];
		struct policy_rule rule = { .act = { POLICY_ERRNO, EPERM } };

		if (holds(facts, row->when, row->caps))
			rule.act = (struct policy_do){ POLICY_ALLOW, 0 };
		add_names(ret, row->names, &rule);
	}
}
