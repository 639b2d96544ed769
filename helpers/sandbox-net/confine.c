// SPDX-License-Identifier: MIT
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>
#include <sandbox/sys.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* ABI 2, Linux 5.19 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3, Linux 6.2 */
#endif

enum {
	NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
		     CLONE_NEWCGROUP
};

/* ---- namespaces ---- */

static int write_file(const char *path, const char *text)
{
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* The caller's own ids, to the same numbers: sockets and files are still its own. */
static int write_maps(uid_t uid, gid_t gid)
{
	char text[64];
	int r = write_file("/proc/self/setgroups", "deny");

	if (r < 0 && r != -ENOENT)
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	r = write_file("/proc/self/uid_map", text);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	return write_file("/proc/self/gid_map", text);
}

/* In the process that stays. It goes on only when the launcher has been told of it: the other one
 * has ended, and with it the pipe. */
static int begin(int gate, uid_t uid, gid_t gid, const char **ret_what)
{
	char byte;

	*ret_what = "write its id map";
	while (read(gate, &byte, 1) < 0 && errno == EINTR)
		;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setsid() < 0)
		return -errno;
	return write_maps(uid, gid);
}

int confine_enter(int control, const char **ret_what)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int gate[2], pidfd = -EBADF, r;
	pid_t pid;

	*ret_what = "make namespaces of its own";
	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	/* the launcher's child, not ours: we end */
	pid = sys_clone(NAMESPACES | CLONE_PARENT, -1, &pidfd);
	if (pid < 0)
		return (int)pid;
	if (pid == 0) {
		(void)close(gate[1]);
		r = begin(gate[0], uid, gid, ret_what);
		(void)close(gate[0]);
		return r;
	}
	r = netctl_send(control, NETCTL_PROCESS, 0, NULL, 0, pidfd);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	_exit(r < 0);
}

/* ---- files ---- */

/* Everything is gone from sight: an empty tmpfs that takes nothing, over "/", and the old root let
 * go of. */
static int empty_root(void)
{
	autofd int fs = -EBADF, root = -EBADF;
	int r = sys_mount_propagation("/", MS_REC | MS_PRIVATE);

	if (r < 0)
		return r;
	fs = sys_fsopen("tmpfs");
	if (fs < 0)
		return fs;
	if ((r = sys_fsconfig_string(fs, "size", "4096")) < 0 ||
	    (r = sys_fsconfig_string(fs, "nr_inodes", "1")) < 0 ||
	    (r = sys_fsconfig_string(fs, "mode", "0500")) < 0 || (r = sys_fsconfig_create(fs)) < 0)
		return r;
	root = sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				       MOUNT_ATTR_NOEXEC);
	if (root < 0)
		return root;
	r = sys_move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return r;
	if (fchdir(root) < 0)
		return -errno;
	r = sys_pivot_root(".", ".");
	if (r == 0)
		r = sys_umount_detach(".");
	return r < 0 ? r : chdir("/") < 0 ? -errno : 0;
}

/* Whatever descriptor or name might turn up: no file may be opened, no TCP port bound, no abstract
 * socket connected to, no process signalled. Where the kernel has no Landlock the rest has to do. */
static int landlock(bool binds)
{
	struct {
		uint64_t fs, net, scoped;
	} attr = { .fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1 };
	size_t size = sizeof(attr.fs);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	autofd int rules = -EBADF;

	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	if (abi >= 2)
		attr.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 4) { /* Linux 6.7: bind to a TCP port, which has to be named to be allowed */
		attr.net = !binds;
		size = 2 * sizeof(uint64_t);
	}
	if (abi >= 5)
		attr.fs |= 1ULL << 15; /* ioctl on devices, Linux 6.10 */
	if (abi >= 6) {                /* Linux 6.12: abstract sockets, signals */
		attr.scoped = 3;
		size = sizeof(attr);
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (rules < 0)
		return -errno;
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}

/* ---- rights ---- */

static int drop_capabilities(void)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 } };
	const int bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
			 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 || syscall(SYS_capset, &hdr, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int limit(int resource, rlim_t value)
{
	const struct rlimit l = { value, value };

	return setrlimit(resource, &l) < 0 ? -errno : 0;
}

static int limits(void)
{
	struct rlimit files;
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, 0);
	if (r == 0)
		r = limit(RLIMIT_NPROC, 0);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	if (r == 0)
		r = limit(RLIMIT_AS, (rlim_t)1 << 30);
#endif
	if (r < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return r < 0 ? r : -errno;
	return limit(RLIMIT_NOFILE, files.rlim_max); /* a socket a flow */
}

int confine_lock(bool binds, const char **ret_what)
{
	/* clang-format off */
	static const struct { int (*step)(void); const char *what; } steps[] = {
		{ empty_root,        "leave the host's files" },
		{ drop_capabilities, "drop its capabilities" },
		{ limits,            "limit itself" },
	};
	/* clang-format on */

	int r;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		r = steps[i].step();
		*ret_what = steps[i].what;
		if (r < 0)
			return r;
	}
	*ret_what = "load its Landlock rules";
	r = landlock(binds);
	if (r < 0)
		return r;
	*ret_what = "become non-dumpable";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	*ret_what = "load its system call filter";
	return seccomp_load();
}
