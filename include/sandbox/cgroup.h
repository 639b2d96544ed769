/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A delegated directory of cgroup v2 and what a box needs below it (cgroups(7), "Delegation"):
 *
 *   BASE/                  holds no process, since controllers are enabled below it
 *   BASE/sandbox-sup       the launcher, and whoever was in BASE before it
 *   BASE/sandbox-N-T       the limits of a box
 *   BASE/sandbox-N-T/box   its processes
 *
 * The limits are one above what the box is in, since that is the root of its cgroup namespace, and all of
 * that can be the box's: with a cgroup2 mount of its own (--nested, CAP_SYS_ADMIN) it writes there what
 * it likes, as the uid that owns the files. Nsdelegate guards them only from processes whose namespace has
 * its root right there, not from those in one further below, and may be off.
 *
 * In a scope that systemd made for us the first two are called `sup` and `payload`; it goes with its last
 * process. Everywhere else we tidy up, and several launchers may use one BASE at the same time:
 * the first one moves aside what is in it, the last one moves it back.
 *
 * For some controllers BASE can keep its processes, and the box comes beside them (cgthread.c).
 *
 * Who is alive is told by flock(2), since the kernel lets go of a lock with its holder, however that
 * ends; a process id can be another's by then, and is another number in another PID namespace. The
 * locked file is cgroup.kill (Linux 5.14) where it is ours, since only its owner can open it: another
 * user should not be able to hold us up by a lock on what everybody can open. A
 * power cut leaves nothing, cgroups are memory; what is swept is left when launcher and janitor
 * were both killed. Only what we have marked when it was made is swept: others may name theirs likewise.
 */

struct cgtree {
	int base;      /* -EBADF: there is none */
	int box;       /* the directory with the limits of the box, or -EBADF; all figures are in it */
	int leaf;      /* the one below that the box is cloned into, or -EBADF */
	int alive;     /* the lock that says that the box has a launcher */
	bool scope;    /* systemd's, not ours to tidy up */
	bool threaded; /* beside the processes of BASE, which stay */
	bool entered;  /* BASE was changed by us */
	pid_t janitor; /* -1: none */
	char name[48]; /* of the box's directory */
};

#define CGTREE_LEAF "box"
#define CGTREE_NONE \
	{ .base = -EBADF, .box = -EBADF, .leaf = -EBADF, .alive = -EBADF, .janitor = -1 }

enum cgtree_how {
	CGTREE_SCOPE,    /* a scope of systemd's, made for us alone */
	CGTREE_THREADED, /* others stay where they are; not for every controller (-EOPNOTSUPP) */
	CGTREE_ALONE,    /* only if nobody else is in it, or other boxes are there already */
	CGTREE_OTHERS,   /* others that are in it are moved aside, too */
};

/* Opens BASE, which must be a directory of ours in a cgroup v2 file system. 0 or negative errno. */
int cgtree_open(struct cgtree *tree, const char *path);

/* Empties BASE, enables `controllers` ("+cpu", ...; a missing one is left out) and makes the
 * directories of the box. Outside of a scope a janitor is started first, which tidies up when we
 * were killed. 0, -EBUSY where others are in the way, or a negative errno: nothing is changed then. */
int cgtree_enter(struct cgtree *tree, enum cgtree_how how, const char *const *controllers,
		 size_t n);

/* Switches on again what somebody has switched off. */
void cgtree_again(const struct cgtree *tree, const char *const *controllers, size_t n);

/* Kills what is left in the box, removes what was made and puts BASE back as it was. */
void cgtree_leave(struct cgtree *tree);

/* Files. The figure is the number after `key` in a file of "key value" lines, or the one number of
 * the file (key ""); 0 where there is none. */
int cgroup_write(int dir, const char *file, const char *text);
int cgroup_line(int dir, const char *file, char *ret, size_t size); /* the first one */
bool cgroup_has(int dir, const char *file);
uint64_t cgroup_figure(int dir, const char *file, const char *key);
