/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/ops.h>
#include <sandbox/path.h>

/* One apply function for each op kind; see plan.h for the meaning of the rows. */
#define OP_APPLY(name) int op_##name##_apply(const struct op *op, struct run *run, struct err *err)

OP_APPLY(pin);
OP_APPLY(idmap);
OP_APPLY(identity);
OP_APPLY(guard);
OP_APPLY(cgroupns);
OP_APPLY(loopback);
OP_APPLY(link);
OP_APPLY(address);
OP_APPLY(net_helper);
OP_APPLY(net_peers);
OP_APPLY(net_ready);
OP_APPLY(net_door);
OP_APPLY(keep_source);
OP_APPLY(own_ip);
OP_APPLY(publish);
OP_APPLY(hostname);
OP_APPLY(propagation);
OP_APPLY(root);
OP_APPLY(symlink);
OP_APPLY(bind);
OP_APPLY(protect);
OP_APPLY(hide);
OP_APPLY(tmpfs);
OP_APPLY(scratch);
OP_APPLY(data);
OP_APPLY(dev);
OP_APPLY(proc);
OP_APPLY(sysfs);
OP_APPLY(mask);
OP_APPLY(sysctl);
OP_APPLY(root_attr);
OP_APPLY(mqueue);
OP_APPLY(pivot);
OP_APPLY(rlimit);
OP_APPLY(nice);
OP_APPLY(affinity);
OP_APPLY(idle);
OP_APPLY(scope);
OP_APPLY(cgroup);
OP_APPLY(keyring);
OP_APPLY(bounding);
OP_APPLY(securebits);
OP_APPLY(capset);
OP_APPLY(no_new_privs);
OP_APPLY(landlock);
OP_APPLY(private);
OP_APPLY(pty);
OP_APPLY(calls);
OP_APPLY(chdir);
OP_APPLY(seccomp);
OP_APPLY(filter);
OP_APPLY(close_fds);

/* ops/pty.c: makes the slave of `master` the box's terminal and hands the master to the launcher. */
int op_pty_open(int master, struct run *run, struct err *err);

/* ops/identity.c: takes up all permitted capabilities again, after a change of user id. */
int op_raise_effective(void);

/* ops/mnt.c: what several of them share */

/* A place in the new tree, opened for mounting onto it; made where `make` and the kind of file
 * system allow, the last name with `mode`. Errors are set. */
int mnt_place(struct run *run, const char *dst, enum path_want want, mode_t mode, bool make,
	      struct err *err);

/* A directory at the top of the new tree that must be one, and no link (runc CVE-2026-41579). */
int mnt_top_dir(struct run *run, const char *dst, bool make, struct err *err);

/* A detached mount of ours of `fstype` with "key=value" options (NULL-terminated pairs);
 * remembered as own. attrs: enum mnt_attr. */
int mnt_new(struct run *run, const char *fstype, const char *const (*options)[2], unsigned attrs,
	    struct err *err);

/* A detached copy of the tree at dir/path (path "": dir itself). */
int mnt_clone(int dir, const char *path, bool recursive);

/* Sets attributes on a detached mount, all its submounts included when recursive. */
int mnt_attrs(int mnt, unsigned attrs, bool recursive, const char *what, struct err *err);

/* Attaches a detached mount onto the place `at`. */
int mnt_attach(int mnt, int at, const char *dst, struct err *err);

/* ops/made.c. Tells the launcher of a mount point that is to be made, `name` in the directory `dir`;
 * -EEXIST if it is there. And: of those on the way to dst that an earlier box has left. */
int made_announce(const struct run *run, int dir, const char *name, bool is_file);
void made_adopt(const struct run *run, const char *dst);

/* Whether the file system under fd was made in this run; and: from now on it is. */
bool mnt_is_own(const struct run *run, int fd);
int mnt_own(struct run *run, int fd, struct err *err);

/* The kernel's flag bits for enum mnt_attr. */
uint64_t mnt_attr_bits(unsigned attrs);
