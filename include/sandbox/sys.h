/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <sandbox/landlock.h>
#include <sandbox/seccomp.h>

/*
 * Raw system calls, for which libc has no wrapper or only a recent one (glibc 2.36 for the mount
 * API). Each returns what the kernel does, as 0 or a negative errno; each names the Linux version
 * that brought it. All are async-signal-safe.
 */


int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve);      /* 5.6 */
int sys_open_tree(int dir, const char *path, unsigned flags);                      /* 5.2 */
int sys_move_mount(int from, const char *from_path, int to, const char *to_path,
		   unsigned flags);                                                /* 5.2 */
int sys_fsopen(const char *fstype);                                                /* 5.2 */
int sys_fsconfig_string(int fs, const char *key, const char *value);               /* 5.2 */
int sys_fsconfig_flag(int fs, const char *key);                                    /* 5.2 */
int sys_fsconfig_create(int fs);                                                   /* 5.2 */
int sys_fsmount(int fs, unsigned attrs);                                           /* 5.2 */
int sys_mount_setattr(int mnt, unsigned flags, uint64_t set, uint64_t propagation); /* 5.12 */
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_umount_detach(const char *path); /* MNT_DETACH */
int sys_mount_propagation(const char *path, unsigned long flags); /* mount(2), MS_REC|MS_PRIVATE */
int sys_close_range(unsigned first, unsigned last, unsigned flags);                /* 5.9 */

/* Every descriptor from `first` on is closed, or only marked close-on-exec: close_range (5.9, the
 * mark 5.11), or a walk over /proc/self/fd where that is missing (old seccomp filters). */
int sys_close_from(unsigned first, bool close_them);

/* The ABI of the kernel's Landlock, from 1 on; -ENOSYS: not built in, -EOPNOTSUPP: switched off. */
int sys_landlock_abi(void);                                                        /* 5.13 */
int sys_landlock_create(const struct ll_ruleset *ruleset);                         /* 5.13 */
int sys_landlock_allow(int ruleset, const struct ll_path_beneath *rule);           /* 5.13 */
int sys_landlock_restrict(int ruleset, unsigned flags);                            /* 5.13 */

/* Removes dir/name with everything in it; its contents may be hostile, but nobody may change them
 * meanwhile. Follows no link. -ENOTEMPTY: some of it could not be removed. */
int sys_remove_tree(int dir, const char *name);

int sys_pidfd_open(pid_t pid);                                                     /* 5.3 */
int sys_pidfd_send_signal(int pidfd, int sig);                                     /* 5.1 */

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* Forks with `flags` (CLONE_NEW*, CLONE_PARENT), SIGCHLD at its end and a pidfd. Returns 0 in the
 * child, the pid in the parent, or a negative errno. clone3 (5.3), and clone(2) where that
 * answers ENOSYS (old seccomp filters of containers). With `cgroup` not negative the child begins
 * in that cgroup v2 directory (CLONE_INTO_CGROUP, 5.7; no fallback). */
pid_t sys_clone(uint64_t flags, int cgroup, int *ret_pidfd);

/* The identity calls of this thread alone: glibc's wrappers synchronise threads we do not have
 * and may not be used after vfork. */
int sys_setresuid(uid_t uid);
int sys_setresgid(gid_t gid);
int sys_setgroups_none(void);

/* Adds a filter to this thread (3.17): from now on it holds, here and in all children. Speculation
 * keeps the mitigations a filter brings (no SECCOMP_FILTER_FLAG_SPEC_ALLOW). Needs no_new_privs or
 * CAP_SYS_ADMIN. */
int sys_seccomp_load(const struct seccomp_program *program);
/* The same with SECCOMP_FILTER_FLAG_*. With NEW_LISTENER (5.0) it returns the listener's descriptor,
 * close-on-exec; -EBUSY where a filter around us has one. */
int sys_seccomp_load_with(const struct seccomp_program *program, unsigned flags);
