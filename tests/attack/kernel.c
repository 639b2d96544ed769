// SPDX-License-Identifier: MIT
/*
 * System calls that a box has no use for, by each of the three doors a 64 bit program has: the
 * `syscall` instruction, `int 0x80` with the numbers of i386, and x32 (bit 30). The arguments are
 * such that a call which gets through does nothing: EFAULT, EINVAL or EBADF then tell that it was
 * reached; EPERM, ENOSYS or a signal that it was not. What debuggers need stays (ptrace,
 * process_vm_readv, pidfd_getfd).
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define X32_BIT 0x40000000
#define BAD     1UL /* no address, no object */
#define ALL_BAD                              \
	{                                    \
		BAD, BAD, BAD, BAD, BAD, BAD \
	}

/* clang-format off */
static const struct call {
	const char *name;
	int native, i386; /* -1: there is none */
	unsigned long args[6];
} calls[] = {
	{ "keyctl",                    250,  288, { 0 /* get id */, -3UL, 1 } },
	{ "add_key",                   248,  286, ALL_BAD },
	{ "request_key",               249,  287, ALL_BAD },
	{ "bpf",                       321,  357, ALL_BAD },
	{ "perf_event_open",           298,  336, ALL_BAD },
	{ "userfaultfd",               323,  374, { 1 /* user mode only */ } },
	{ "io_uring_setup",            425,  425, { 1, BAD } },
	{ "io_uring_enter",            426,  426, ALL_BAD },
	{ "io_uring_register",         427,  427, ALL_BAD },
	{ "kexec_load",                246,  283, ALL_BAD },
	{ "kexec_file_load",           320,   -1, ALL_BAD },
	{ "init_module",               175,  128, ALL_BAD },
	{ "finit_module",              313,  350, ALL_BAD },
	{ "delete_module",             176,  129, ALL_BAD },
	{ "create_module",             174,  127, ALL_BAD },
	{ "query_module",              178,  167, ALL_BAD },
	{ "get_kernel_syms",           177,  130, ALL_BAD },
	{ "mount",                     165,   21, ALL_BAD },
	{ "umount2",                   166,   52, ALL_BAD },
	{ "umount",                     -1,   22, ALL_BAD },
	{ "pivot_root",                155,  217, ALL_BAD },
	{ "open_tree",                 428,  428, ALL_BAD },
	{ "move_mount",                429,  429, ALL_BAD },
	{ "fsopen",                    430,  430, ALL_BAD },
	{ "fsconfig",                  431,  431, ALL_BAD },
	{ "fsmount",                   432,  432, ALL_BAD },
	{ "fspick",                    433,  433, ALL_BAD },
	{ "mount_setattr",             442,  442, ALL_BAD },
	{ "unshare",                   272,  310, { CLONE_NEWUSER } },
	{ "clone",                      56,  120, { CLONE_NEWUSER | SIGCHLD } },
	{ "clone3",                    435,  435, ALL_BAD },
	{ "setns",                     308,  346, { 1, CLONE_NEWUSER } },
	{ "open_by_handle_at",         304,  342, ALL_BAD },
	{ "name_to_handle_at",         303,  341, ALL_BAD },
	{ "fanotify_init",             300,  338, ALL_BAD },
	{ "quotactl",                  179,  131, ALL_BAD },
	{ "quotactl_fd",               443,  443, ALL_BAD },
	{ "syslog",                    103,  103, ALL_BAD },
	{ "acct",                      163,   51, ALL_BAD },
	{ "swapon",                    167,   87, ALL_BAD },
	{ "swapoff",                   168,  115, ALL_BAD },
	{ "reboot",                    169,   88, ALL_BAD },
	{ "iopl",                      172,  110, ALL_BAD },
	{ "ioperm",                    173,  101, ALL_BAD },
	{ "settimeofday",              164,   79, ALL_BAD },
	{ "clock_settime",             227,  264, ALL_BAD },
	{ "clock_settime64",            -1,  404, ALL_BAD },
	{ "stime",                      -1,   25, ALL_BAD },
	{ "vhangup",                   153,  111, ALL_BAD },
	{ "lookup_dcookie",            212,  253, ALL_BAD },
	{ "uselib",                    134,   86, ALL_BAD },
	{ "nfsservctl",                180,  169, ALL_BAD },
	{ "vm86",                       -1,  166, ALL_BAD },
	{ "vm86old",                    -1,  113, ALL_BAD },
	{ "_sysctl",                   156,  149, ALL_BAD },
	{ "ustat",                     136,   62, ALL_BAD },
	{ "sysfs",                     139,  135, ALL_BAD },
	{ "kcmp",                      312,  349, ALL_BAD },
	{ "mbind",                     237,  274, ALL_BAD },
	{ "migrate_pages",             256,  294, ALL_BAD },
	{ "move_pages",                279,  317, ALL_BAD },
	{ "sethostname",               170,   74, ALL_BAD },
	{ "setdomainname",             171,  121, ALL_BAD },
	{ "socketcall",                 -1,  102, ALL_BAD },
	{ "bdflush",                    -1,  134, ALL_BAD },
	{ "afs_syscall",               183,  137, ALL_BAD },
	{ "tuxcall",                   184,   -1, ALL_BAD },
	{ "security",                  185,   -1, ALL_BAD },
	{ "vserver",                   236,  273, ALL_BAD },
};
/* clang-format on */

/* What any program calls all the time: refused by i386 and x32 alone. */
static const struct call plain[] = {
	{ "getpid", 39, 20, { 0 } },
	{ "getuid", 102, 199, { 0 } },
	{ "close", 3, 6, { 999 } },
};

static long by_int80(int number, const unsigned long *a)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"((long)number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			 : "memory", "r8", "r9", "r10", "r11");
	r = (int)r;
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static long by_syscall(int number, const unsigned long *a)
{
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long by_x32(int number, const unsigned long *a)
{
	return by_syscall(number | X32_BIT, a);
}

/* In a process of its own: a filter may kill it, clone(2) may succeed. */
static void attempt(const struct call *c, long (*door)(int, const unsigned long *), int number)
{
	int status = 0;
	pid_t self = getpid(), pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		long r = door(number, c->args);

		if (getppid() == self)
			say(c->name, r);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s: SIG%s\n", c->name, sigabbrev_np(WTERMSIG(status)));
}

static int run_calls(int argc, char **argv)
{
	const char *abi = argc > 0 ? argv[0] : "native";
	bool native = strcmp(abi, "native") == 0, i386 = strcmp(abi, "i386") == 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int nr = i386 ? calls[i].i386 : calls[i].native;

		/* as root outside it would hang the terminal up */
		if (nr < 0 || (strcmp(calls[i].name, "vhangup") == 0 && argc > 1))
			continue;
		attempt(&calls[i], native ? by_syscall : i386 ? by_int80 : by_x32, nr);
	}
	for (size_t i = 0; !native && i < sizeof(plain) / sizeof(plain[0]); i++)
		attempt(&plain[i], i386 ? by_int80 : by_x32,
			i386 ? plain[i].i386 : plain[i].native);
	return 0;
}

/* Families of sockets, natively. */
static int run_families(int argc, char **argv)
{
	/* clang-format off */
	static const struct { const char *name; int family, type, protocol; } rows[] = {
		{ "unix",              AF_UNIX,    SOCK_STREAM,    0 },
		{ "inet",              AF_INET,    SOCK_STREAM,    0 },
		{ "inet6",             AF_INET6,   SOCK_DGRAM,     0 },
		{ "netlink-route",     AF_NETLINK, SOCK_RAW,       0 },
		{ "alg",               AF_ALG,     SOCK_SEQPACKET, 0 },
		{ "vsock",             AF_VSOCK,   SOCK_STREAM,    0 },
		{ "packet",            AF_PACKET,  SOCK_DGRAM,     0 },
		{ "bluetooth",         AF_BLUETOOTH, SOCK_RAW,     1 },
		{ "can",               AF_CAN,     SOCK_RAW,       1 },
		{ "tipc",              AF_TIPC,    SOCK_SEQPACKET, 0 },
		{ "rds",               AF_RDS,     SOCK_SEQPACKET, 0 },
		{ "kcm",               AF_KCM,     SOCK_DGRAM,     0 },
		{ "xdp",               AF_XDP,     SOCK_RAW,       0 },
		{ "smc",               AF_SMC,     SOCK_STREAM,    0 },
		{ "qipcrtr",           AF_QIPCRTR, SOCK_DGRAM,     0 },
		{ "key",               AF_KEY,     SOCK_RAW,       2 },
		{ "netlink-audit",     AF_NETLINK, SOCK_RAW,       9 },
		{ "netlink-netfilter", AF_NETLINK, SOCK_RAW,       12 },
		{ "netlink-generic",   AF_NETLINK, SOCK_RAW,       16 },
		{ "netlink-xfrm",      AF_NETLINK, SOCK_RAW,       6 },
		{ "netlink-crypto",    AF_NETLINK, SOCK_RAW,       21 },
		{ "netlink-kobject",   AF_NETLINK, SOCK_RAW,       15 },
		{ "netlink-connector", AF_NETLINK, SOCK_RAW,       11 },
		{ "netlink-diag",      AF_NETLINK, SOCK_RAW,       4 },
	};
	/* clang-format on */

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = socket(rows[i].family, rows[i].type, rows[i].protocol);

		say(rows[i].name, fd);
		if (fd >= 0)
			(void)close(fd);
	}
	return 0;
}

/* Capabilities: each set as a number, and attempts to have more. */
static int run_privileges(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("setuid", setresuid(0, 0, 0));
	say("setgid", setresgid(0, 0, 0));
	say("setgroups", syscall(SYS_setgroups, 0, NULL));
	say("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21 /* SYS_ADMIN */, 0, 0));
	say("securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	say("no_new_privs off", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	say("exe_file", prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0));
	return 0;
}

const struct probe kernel_probes[] = {
	{ "calls", run_calls, "native|i386|x32 [as-root]" },
	{ "families", run_families, "" },
	{ "privileges", run_privileges, "" },
	{ 0 },
};
