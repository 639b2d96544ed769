// SPDX-License-Identifier: MIT
/*
 * The only file with system call numbers. Nothing here decides anything: no fallback but those of
 * sys_clone() and sys_close_from(), which have the same meaning either way.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sandbox/sys.h>

static int ret_errno(long r)
{
	return r < 0 ? -errno : (int)r;
}

int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return ret_errno(syscall(SYS_openat2, dir, path, &how, sizeof(how)));
}

int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return ret_errno(syscall(SYS_open_tree, dir, path, flags));
}

int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return ret_errno(syscall(SYS_move_mount, from, from_path, to, to_path, flags));
}

int sys_fsopen(const char *fstype)
{
	return ret_errno(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

int sys_fsconfig_string(int fs, const char *key, const char *value)
{
	return ret_errno(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

int sys_fsconfig_flag(int fs, const char *key)
{
	return ret_errno(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0));
}

int sys_fsconfig_create(int fs)
{
	return ret_errno(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int sys_fsmount(int fs, unsigned attrs)
{
	return ret_errno(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs));
}

int sys_mount_setattr(int mnt, unsigned flags, uint64_t set, uint64_t propagation)
{
	struct mount_attr attr = { .attr_set = set, .propagation = propagation };

	return ret_errno(
		syscall(SYS_mount_setattr, mnt, "", flags | AT_EMPTY_PATH, &attr, sizeof(attr)));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return ret_errno(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_umount_detach(const char *path)
{
	/* <sys/mount.h> of glibc 2.36 cannot be included beside <linux/mount.h> */
	enum { DETACH = 2 };

	return ret_errno(syscall(SYS_umount2, path, DETACH));
}

int sys_mount_propagation(const char *path, unsigned long flags)
{
	return ret_errno(syscall(SYS_mount, NULL, path, NULL, flags, NULL));
}

/* Without close_range: every descriptor that /proc/self/fd names. No directory stream, since
 * this also runs after vfork. */
static int walk_descriptors(unsigned first, bool close_them)
{
	struct {
		uint64_t ino;
		int64_t off;
		unsigned short len;
		unsigned char type;
		char name[];
	} * d;
	_Alignas(uint64_t) char buf[4096];
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (dir < 0)
		return -ENOSYS;
	while ((r = (int)syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + r; p += d->len) {
			unsigned fd = 0;

			d = (void *)p;
			for (const char *c = d->name; *c >= '0' && *c <= '9'; c++)
				fd = fd * 10 + (unsigned)(*c - '0');
			if (d->name[0] == '.' || fd < first || fd == (unsigned)dir)
				continue;
			if (close_them)
				(void)close((int)fd);
			else
				(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		}
	}
	(void)close(dir);
	return r;
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return ret_errno(syscall(SYS_close_range, first, last, flags));
}

int sys_close_from(unsigned first, bool close_them)
{
	int r = sys_close_range(first, UINT_MAX, close_them ? 0 : CLOSE_RANGE_CLOEXEC);

	if (r == -ENOSYS || (r == -EINVAL && !close_them))
		return walk_descriptors(first, close_them);
	return r;
}

int sys_landlock_abi(void)
{
	return ret_errno(syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION));
}

int sys_landlock_create(const struct ll_ruleset *ruleset)
{
	return ret_errno(syscall(SYS_landlock_create_ruleset, ruleset, sizeof(*ruleset), 0));
}

int sys_landlock_allow(int ruleset, const struct ll_path_beneath *rule)
{
	return ret_errno(syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH_BENEATH, rule, 0));
}

int sys_landlock_restrict(int ruleset, unsigned flags)
{
	return ret_errno(syscall(SYS_landlock_restrict_self, ruleset, flags));
}

int sys_pidfd_open(pid_t pid)
{
	return ret_errno(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return ret_errno(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

pid_t sys_clone(uint64_t flags, int cgroup, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long r;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	if (flags & CLONE_PARENT) /* clone3 refuses the pair; the child inherits SIGCHLD */
		args.exit_signal = 0;
	r = syscall(SYS_clone3, &args, sizeof(args));
	if (r < 0 && errno == ENOSYS && cgroup < 0 &&
	    !(flags & CLONE_NEWTIME)) /* in clone(2) it is CSIGNAL */
		r = syscall(SYS_clone, (unsigned long)(flags | CLONE_PIDFD | SIGCHLD), NULL, &pidfd,
			    NULL, NULL);
	if (r < 0)
		return -errno;
	if (r > 0)
		*ret_pidfd = pidfd;
	return (pid_t)r;
}

int sys_setresuid(uid_t uid)
{
	return ret_errno(syscall(SYS_setresuid, uid, uid, uid));
}

int sys_setresgid(gid_t gid)
{
	return ret_errno(syscall(SYS_setresgid, gid, gid, gid));
}

int sys_setgroups_none(void)
{
	return ret_errno(syscall(SYS_setgroups, 0, NULL));
}

int sys_seccomp_load_with(const struct seccomp_program *program, unsigned flags)
{
	const struct sock_fprog prog = {
		.len = (unsigned short)program->n,
		.filter = (struct sock_filter *)(uintptr_t)program->insns, /* only read */
	};

	return ret_errno(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog));
}

int sys_seccomp_load(const struct seccomp_program *program)
{
	return sys_seccomp_load_with(program, 0);
}
