// SPDX-License-Identifier: MIT
/* Other processes, the terminal, keys and everything System V and POSIX share by name. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* signal NUMBER PID...: 0 and -1 are the group and everybody, as kill(2) has it. */
static int send_signals(int argc, char **argv)
{
	int sig = argc > 0 ? (int)number(argv[0]) : 0;

	(void)signal(sig, SIG_IGN);
	for (int i = 1; i < argc; i++)
		say(argv[i], kill((pid_t)atol(argv[i]), sig));
	return 0;
}

/* priority NICE: of the process group, and of every process of the user. */
static int set_priorities(int argc, char **argv)
{
	int nice = argc > 0 ? (int)number(argv[0]) : 5;

	say("group", setpriority(PRIO_PGRP, 0, nice));
	say("user", setpriority(PRIO_USER, 0, nice));
	return 0;
}

/* trace PID FD: whatever reaches into another process. */
static int trace(int argc, char **argv)
{
	pid_t pid = argc > 0 ? (pid_t)number(argv[0]) : 1;
	char buf[64];
	struct iovec here = { buf, sizeof(buf) }, there = { (void *)0x400000, sizeof(buf) };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	say("seize", ptrace(PTRACE_SEIZE, pid, 0, 0));
	if (say("attach", ptrace(PTRACE_ATTACH, pid, 0, 0)) == 0)
		(void)waitpid(pid, NULL, __WALL);
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 && errno == EFAULT)
		errno = 0; /* it looked */
	say("vm_readv", errno == 0 ? 0 : -1);
	say("getfd", syscall(SYS_pidfd_getfd, pidfd, argc > 1 ? number(argv[1]) : 0, 0));
	say("kcmp", syscall(SYS_kcmp, pid, getpid(), 2 /* KCMP_FILES */, 0, 0));
	return 0;
}

/* look PID: the files of /proc that tell of a process. */
static int look(int argc, char **argv)
{
	static const char *const names[] = { "exe",        "fd/0",     "cwd/.",   "root/.",
					     "environ",    "cmdline",  "mem",     "maps",
					     "auxv",       "stack",    "syscall", "fd/3",
					     "wchan",      "fdinfo/0", "smaps",   "io",
					     "personality" };
	char path[64], buf[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/%s", argc > 0 ? argv[0] : "1", names[i]);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
		if (fd >= 0 && n < 0 && (errno == EISDIR || errno == EIO || errno == EAGAIN))
			n = 0;
		say(names[i], n);
		for (ssize_t b = 0; n > 0 && b < n && i != 0; b++)
			if (buf[b] >= ' ')
				putchar(buf[b]);
		if (n > 0)
			putchar('\n');
	}
	return 0;
}

/* type TEXT [BITS]: into the terminal's queue, with BITS set above the 32 the kernel looks at. */
static int type(int argc, char **argv)
{
	unsigned long high = argc > 1 ? number(argv[1]) << 32 : 0;
	char paste = 3; /* TIOCL_PASTESEL */
	long r = -1;

	for (const char *c = argc > 0 ? argv[0] : ""; *c; c++)
		for (int fd = 0; fd < 3; fd++)
			if (syscall(SYS_ioctl, fd, TIOCSTI | high, c) == 0) {
				r = 0;
				break;
			}
	say("TIOCSTI", r);
	say("TIOCLINUX", syscall(SYS_ioctl, 0, TIOCLINUX | high, &paste));
	say("TIOCSETD", syscall(SYS_ioctl, 0, TIOCSETD | high, &(int){ 2 }));
	return 0;
}

/* key NAME [VALUE]: looks for a user key in every keyring; with VALUE it adds one. */
static int keys(int argc, char **argv)
{
	/* KEY_SPEC_THREAD_KEYRING and the following */
	static const char *const rings[] = { "thread", "process", "session", "user",
					     "user-session" };
	char buf[256];

	for (int ring = -1; ring >= -5; ring--) {
		long id = syscall(SYS_keyctl, 10 /* KEYCTL_SEARCH */, ring, "user",
				  argc > 0 ? argv[0] : "", 0);
		long n = id < 0 ? -1 : syscall(SYS_keyctl, 11 /* READ */, id, buf, sizeof(buf), 0);

		say(rings[-ring - 1], n);
		if (n > 0)
			printf("%.*s\n", (int)n, buf);
	}
	if (argc > 1)
		say("add", syscall(SYS_add_key, "user", argv[0], argv[1], strlen(argv[1]), -3));
	return 0;
}

static socklen_t abstract(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

/* abstract NAME: connects to a stream, sends a datagram to NAME-dgram. */
static int sockets(int argc, char **argv)
{
	int stream = socket(AF_UNIX, SOCK_STREAM, 0), dgram = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a;
	char name[100];
	socklen_t len = abstract(&a, argc > 0 ? argv[0] : "");

	say("stream", connect(stream, (void *)&a, len));
	(void)write(stream, "from inside", 11);
	snprintf(name, sizeof(name), "%.80s-dgram", argc > 0 ? argv[0] : "");
	len = abstract(&a, name);
	say("dgram", sendto(dgram, "from inside", 11, 0, (void *)&a, len));
	return 0;
}

/* ipc KEY NAME: objects made outside with that key and that name. */
static int ipc(int argc, char **argv)
{
	key_t key = argc > 0 ? (key_t)number(argv[0]) : 0;
	const char *name = argc > 1 ? argv[1] : "/x";
	int shm = shmget(key, 0, 0), fd;
	char *seen;

	say("shmget", shm);
	seen = shm < 0 ? (void *)-1 : shmat(shm, NULL, 0);
	say("shmat", seen == (void *)-1 ? -1 : 0);
	if (seen != (void *)-1)
		printf("%.20s\n", seen), strcpy(seen, "from inside");
	say("msgget", msgget(key, 0));
	say("semget", semget(key, 0, 0));
	say("mq_open", mq_open(name, O_RDWR));
	fd = shm_open(name, O_RDWR, 0);
	say("shm_open", fd);
	if (fd >= 0)
		(void)write(fd, "from inside", 11);
	return 0;
}

/* make-ipc KEY NAME: what `ipc` looks for; waits for end of file on 0, then removes it. */
static int make_ipc(int argc, char **argv)
{
	key_t key = argc > 0 ? (key_t)number(argv[0]) : 0;
	const char *name = argc > 1 ? argv[1] : "/x";
	int shm = shmget(key, 4096, IPC_CREAT | 0600), msg = msgget(key, IPC_CREAT | 0600);
	int sem = semget(key, 1, IPC_CREAT | 0600), fd = shm_open(name, O_CREAT | O_RDWR, 0600);
	mqd_t mq = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
	char *seen = shmat(shm, NULL, 0), buf[64] = "";

	strcpy(seen, "outside");
	say("ready", shm < 0 || msg < 0 || sem < 0 || mq < 0 || fd < 0 ? -1 : 0);
	while (read(0, buf, sizeof(buf)) > 0)
		;
	(void)pread(fd, buf, sizeof(buf) - 1, 0);
	printf("shm %s\nfile %s\n", seen, buf);
	(void)shmctl(shm, IPC_RMID, NULL);
	(void)msgctl(msg, IPC_RMID, NULL);
	(void)semctl(sem, 0, IPC_RMID);
	(void)mq_unlink(name);
	(void)shm_unlink(name);
	return 0;
}

static void beat(const char *file)
{
	struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0644);

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_IGN);
	for (;;) {
		(void)write(fd, ".", 1);
		(void)nanosleep(&pause, NULL);
	}
}

/* survive FILE: forks away as daemons do, in three ways at once, and writes into FILE for ever. */
static int survive(int argc, char **argv)
{
	if (argc < 1)
		return 99;
	if (fork() == 0)
		beat(argv[0]); /* the same session */
	if (fork() == 0) {
		(void)setsid();
		beat(argv[0]);
	}
	if (fork() == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		for (int fd = 0; fd < 64; fd++)
			(void)close(fd);
		beat(argv[0]);
	}
	while (access(argv[0], F_OK) < 0)
		(void)usleep(1000);
	say("survivors", 0);
	return 0;
}

/* bomb MOST: forks until it is refused. Prints how many there were. */
static int bomb(int argc, char **argv)
{
	unsigned long most = argc > 0 ? number(argv[0]) : 100, n = 0;
	pid_t group = fork();

	if (group == 0) {
		(void)setpgid(0, 0);
		for (; n < most; n++) {
			pid_t pid = fork();

			if (pid == 0)
				for (;;)
					(void)pause();
			if (pid < 0)
				break;
		}
		say("fork", n < most ? -1 : 0);
		printf("processes %lu\n", n);
		fflush(stdout);
		(void)kill(0, SIGKILL);
	}
	(void)waitpid(group, NULL, 0);
	return 0;
}

/* Dies of an abort with as much core as it may have. */
static int dump_core(int argc, char **argv)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	(void)argc;
	(void)argv;
	say("setrlimit", setrlimit(RLIMIT_CORE, &limit));
	(void)signal(SIGABRT, SIG_DFL);
	abort();
}

const struct probe process_probes[] = {
	{ "signal", send_signals, "NUMBER PID..." },
	{ "priority", set_priorities, "NICE" },
	{ "trace", trace, "PID [FD]" },
	{ "look", look, "PID" },
	{ "type", type, "TEXT [HIGH]" },
	{ "key", keys, "NAME [VALUE]" },
	{ "abstract", sockets, "NAME" },
	{ "ipc", ipc, "KEY NAME" },
	{ "make-ipc", make_ipc, "KEY NAME" },
	{ "survive", survive, "FILE" },
	{ "bomb", bomb, "MOST" },
	{ "core", dump_core, "" },
	{ 0 },
};
