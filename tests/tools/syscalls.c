// SPDX-License-Identifier: MIT
/*
 * Makes the refused system calls, each in a process of its own and so badly that nothing can come of
 * it: EFAULT, EBADF or EINVAL mean that the call was reached. On x86_64 three ways: as it should be,
 * by int 0x80 with i386's number, and with x32's bit.
 *
 *   syscalls            NAME WAY ERRNO, one a line
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD  1ul         /* no address */
#define NONE 0xffffffful /* no descriptor, no process */
#define HIGH (1ul << 63 | 1ul << 32)

/* clang-format off */
static const struct call {
	const char *name;
	long nr, nr32;
	unsigned long args[6];
} calls[] = {
	{ "clone3",            SYS_clone3,            435, { BAD, 88 } },
	{ "clone-newuser",     SYS_clone,             120, { CLONE_NEWUSER | SIGCHLD } },
	{ "clone-newns",       SYS_clone,             120, { CLONE_NEWNS | SIGCHLD } },
	{ "unshare-newuser",   SYS_unshare,           310, { CLONE_NEWUSER } },
	{ "unshare-newtime",   SYS_unshare,           310, { 0x80 } },
	{ "setns",             SYS_setns,             346, { NONE, 0 } },
	{ "mount",             SYS_mount,             21,  { BAD, BAD, BAD, 0, 0 } },
	{ "umount2",           SYS_umount2,           52,  { BAD, 0 } },
	{ "pivot_root",        SYS_pivot_root,        217, { BAD, BAD } },
	{ "chroot",            SYS_chroot,            61,  { BAD } },
	{ "open_tree",         SYS_open_tree,         428, { NONE, BAD, 1 } },
	{ "move_mount",        SYS_move_mount,        429, { NONE, BAD, NONE, BAD, 0 } },
	{ "fsopen",            SYS_fsopen,            430, { BAD, 0 } },
	{ "fsconfig",          SYS_fsconfig,          431, { NONE, 0, 0, 0, 0 } },
	{ "fsmount",           SYS_fsmount,           432, { NONE, 0, 0 } },
	{ "fspick",            SYS_fspick,            433, { NONE, BAD, 0 } },
	{ "mount_setattr",     SYS_mount_setattr,     442, { NONE, BAD, 0, BAD, 32 } },
	{ "add_key",           SYS_add_key,           286, { BAD, BAD, BAD, 1, 0 } },
	{ "request_key",       SYS_request_key,       287, { BAD, BAD, BAD, 0 } },
	{ "keyctl",            SYS_keyctl,            288, { KEYCTL_DESCRIBE, NONE, BAD, 1 } },
	{ "keyctl-join",       SYS_keyctl,            288, { KEYCTL_JOIN_SESSION_KEYRING, BAD } },
	{ "bpf",               SYS_bpf,               357, { 0, BAD, 64 } },
	{ "perf_event_open",   SYS_perf_event_open,   336, { BAD, 0, NONE, NONE, 0 } },
	{ "userfaultfd",       SYS_userfaultfd,       374, { NONE } },
	{ "io_uring_setup",    SYS_io_uring_setup,    425, { 1, BAD } },
	{ "io_uring_enter",    SYS_io_uring_enter,    426, { NONE, 0, 0, 0, 0, 0 } },
	{ "io_uring_register", SYS_io_uring_register, 427, { NONE, 0, 0, 0 } },
	{ "init_module",       SYS_init_module,       128, { BAD, 1, BAD } },
	{ "finit_module",      SYS_finit_module,      350, { NONE, BAD, 0 } },
	{ "delete_module",     SYS_delete_module,     129, { BAD, 0 } },
	{ "kexec_load",        SYS_kexec_load,        283, { 0, 1, BAD, 0 } },
	{ "reboot",            SYS_reboot,            88,  { 0, 0, 0, 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, 342, { NONE, BAD, 0 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, 341, { NONE, BAD, BAD, BAD, 0 } },
	{ "fanotify_init",     SYS_fanotify_init,     338, { NONE, 0 } },
	{ "quotactl",          SYS_quotactl,          131, { 0x800007ul << 8, BAD, 0, BAD } },
	{ "syslog",            SYS_syslog,            103, { 3, BAD, 1 } },
	{ "acct",              SYS_acct,              51,  { BAD } },
	{ "swapon",            SYS_swapon,            87,  { BAD, 0 } },
	{ "settimeofday",      SYS_settimeofday,      79,  { BAD, 0 } },
	{ "clock_settime",     SYS_clock_settime,     264, { 0, BAD } },
	{ "adjtimex",          SYS_adjtimex,          124, { BAD } },
	{ "vhangup",           SYS_vhangup,           111, { 0 } },
	{ "sethostname",       SYS_sethostname,       74,  { BAD, 1 } },
	{ "mbind",             SYS_mbind,             274, { BAD, 1, NONE, BAD, 64, 0 } },
	{ "move_pages",        SYS_move_pages,        317, { 0, 1, BAD, 0, BAD, 0 } },
	{ "migrate_pages",     SYS_migrate_pages,     294, { 0, 64, BAD, BAD } },
	{ "personality",       SYS_personality,       136, { 0x400000 } },
	{ "tiocsti",           SYS_ioctl,             54,  { NONE, TIOCSTI, BAD } },
	{ "tiocsti-high",      SYS_ioctl,             54,  { NONE, TIOCSTI | HIGH, BAD } },
	{ "tioclinux",         SYS_ioctl,             54,  { NONE, TIOCLINUX, BAD } },
	{ "tiocsetd",          SYS_ioctl,             54,  { NONE, TIOCSETD, BAD } },
	{ "af_alg",            SYS_socket,            359, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "af_alg-high",       SYS_socket,            359, { AF_ALG | HIGH, SOCK_SEQPACKET, 0 } },
	{ "af_vsock",          SYS_socket,            359, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "af_packet",         SYS_socket,            359, { AF_PACKET, SOCK_RAW, 0 } },
	{ "af_tipc-pair",      SYS_socketpair,        360, { AF_TIPC, SOCK_STREAM, 0, BAD } },
	{ "netlink-route",     SYS_socket,            359, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "netlink-audit",     SYS_socket,            359, { AF_NETLINK, SOCK_RAW, 9 } },
	{ "netlink-netfilter", SYS_socket,            359, { AF_NETLINK, SOCK_RAW, 12 } },
	{ "unknown",           1000,                  1000, { 0 } },
	{ "getpid",            SYS_getpid,            20,  { 0 } },
	{ "other-prlimit",     SYS_prlimit64,         340, { NONE, 0, 0, 0 } },
	{ "other-priority",    SYS_setpriority,       97,  { 0, NONE, 0 } },
	{ "other-ioprio",      SYS_ioprio_set,        289, { 1, NONE, 0 } },
	{ "other-affinity",    SYS_sched_setaffinity, 241, { NONE, 8, BAD } },
	{ "other-scheduler",   SYS_sched_setscheduler, 156, { NONE, 0, BAD } },
	{ "other-parameter",   SYS_sched_setparam,    154, { NONE, BAD } },
	{ "other-attributes",  SYS_sched_setattr,     351, { NONE, BAD, 0 } },
#ifdef __x86_64__
	{ "iopl",              SYS_iopl,              110, { 0 } },
	{ "ioperm",            SYS_ioperm,            101, { 0, NONE, 1 } },
	{ "modify_ldt",        SYS_modify_ldt,        123, { 1, BAD, 16 } },
	{ "uselib",            SYS_uselib,            86,  { BAD } },
#endif
};
/* clang-format on */

static int native(const struct call *c)
{
	const unsigned long *a = c->args;

	return syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

#ifdef __x86_64__
static int int80(const struct call *c)
{
	register unsigned long r8 __asm__("r8") = c->args[5]; /* %ebp is the compiler's */
	long r;

	__asm__ volatile("push %%rbp\n\tmov %%r8, %%rbp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(r), "+r"(r8)
			 : "a"(c->nr32), "b"(c->args[0]), "c"(c->args[1]), "d"(c->args[2]),
			   "S"(c->args[3]), "D"(c->args[4])
			 : "memory", "r9", "r10", "r11");
	return (int)r < 0 ? -(int)r : 0;
}

static int x32(const struct call *c)
{
	const unsigned long *a = c->args;

	return syscall(c->nr | 0x40000000, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}
#endif

static const struct way {
	const char *name;
	int (*call)(const struct call *);
} ways[] = {
	{ "native", native },
#ifdef __x86_64__
	{ "int80", int80 },
	{ "x32", x32 },
#endif
};

/* In a child: a namespace entered, a signal, an exit have no effect on the next one. */
static void try(const struct call *c, const struct way *way)
{
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		status = way->call(c);
		_exit(getppid() == self ? status : 0); /* a second child of clone */
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(1);
	if (WIFEXITED(status))
		(void)printf("%s %s %s\n", c->name, way->name,
			     WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : "OK");
	else
		(void)printf("%s %s SIG%s\n", c->name, way->name, sigabbrev_np(WTERMSIG(status)));
}

int main(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			try(&calls[i], &ways[w]);
	return 0;
}
