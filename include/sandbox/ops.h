/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <sandbox/budget.h>
#include <sandbox/cgroup.h>
#include <sandbox/err.h>
#include <sandbox/filter.h>
#include <sandbox/plan.h>
#include <sandbox/spawn.h>

/*
 * The state of one run, made by run/, changed by the ops. After clone the child works on its own
 * copy. One concern of the kernel a file; an op reads its row and this state, never another row.
 */

struct pin {
	int fd;          /* O_PATH, close-on-exec */
	uint64_t dev;
	uint64_t ino;
	uint32_t mode;   /* st_mode */
	int tree;        /* a clone made before the new root covers "/", or -EBADF */
	char *path;      /* where the kernel says it is: absolute, without links and ".." */
};

/* The network helper, as the launcher holds it. */
struct run_net {
	struct spawn starter;        /* the process that makes the helper proper, and ends */
	int pidfd;                   /* of the helper proper, our child too; -EBADF: none yet */
	int ready, exit, control;    /* see netctl.h; exit is the write end */
	int netns;                   /* the box's network namespace, until the agent is in it */
	int *listeners;              /* bound sockets of published ports, until the helper has them */
	unsigned nlisteners;
	int *claimed;                /* those of OP_OWN_IP, until OP_PUBLISH takes them, in order */
	unsigned nclaimed, taken;
	bool keep;                   /* a port has src=keep: what the agent may */
	char ip[16];                 /* the address it has found, or "" */
	pid_t agent;                 /* the agent of published ports, our child; -1: none */
	int link;                    /* the box's frames, until the helper is ready: a TAP goes with
	                                its last descriptor, while the child may still set it up */
};

enum { RUN_LOCKS_MAX = 4, RUN_OWN_MAX = 1024, RUN_PINS_MAX = 8192 };

/* In the mode of mount points made in the user's own tree, see ops/made.c. */
#define MADE_MARK S_ISVTX

struct run {
	const struct plan *plan;
	struct pin *pins;            /* plan->nslots of them */
	int locks[RUN_LOCKS_MAX];    /* directories in which mount points may be made: while any box
	                                uses one, nobody removes mount points from it */
	unsigned nlocks;

	/* the user's own system call filter (OP_FILTER), in parent and child */
	struct filter filter;
	struct sock_filter *named;   /* the same, asking its listener instead of killing; or NULL */

	/* parent */
	struct limit limits[_LIMIT_MAX]; /* the plan's, with `by` as it came out */
	struct spawn scope;          /* the helper that asks systemd for a scope; pid -1: none */
	char *scope_name;            /* sandbox-PID-TIME.scope, or NULL */
	const char *scope_absent;    /* why it was not started */
	struct cgtree tree;          /* the box's cgroup */
	unsigned ncpus;              /* online, whatever our affinity */
	struct budget budget;        /* of CPU time, where the cgroup counts it; in the child, too */
	pid_t freezer;               /* the limiter beside the box; -1: none */
	int freezer_fd;              /* our end of its socket */
	char cpus[128];              /* the CPUs there are, where a cpuset says it; else "" */
	struct run_net net;
	int private, private_base;   /* the directory of the private home, locked, and what it lies in */
	const char *private_name, *private_path; /* its name there; the path of that */
	pid_t child;
	int child_pidfd;

	/* child */
	pid_t limiter;               /* the soft limiter; -1: none */
	int limiter_fd;              /* our end of its socket */
	int wire;                    /* its end; the parent's end in the parent */
	bool joined;                 /* a user namespace was joined first: own ids are these there */
	uid_t joined_uid;
	gid_t joined_gid;
	int root;                    /* root of the new tree */
	int proc;                    /* root of the fresh procfs, -EBADF if there is none */
	int at_proc, at_sys, at_dev; /* what was mounted there; -EBADF: nothing. Names below are looked
	                                up from these: in a root directory that others may write,
	                                another directory has the name a moment later */
	int null;                    /* O_PATH of the host's /dev/null, checked to be 1:3 */
	int empty;                   /* O_PATH of an empty directory of ours below a mount */
	int empty_file;              /* the same, of an empty file */
	int data;                    /* root of the tmpfs that carries --file and --secret */
	unsigned ndata;
	uint64_t own[RUN_OWN_MAX];   /* st_dev of file systems made in this run: names may be made
	                                in them freely */
	unsigned nown;
	int listener;                /* of `named`, once the command has loaded it */
	int pty;                     /* the command's end of the box's own pty */
	bool other_identity;         /* we are not the caller any more: what is made in its tree is
	                                given to these ids */
	uid_t caller_uid;
	gid_t caller_gid;
	bool foreground;             /* the command begins in the foreground of that terminal */
	mode_t umask;                /* the caller's, given back to the command */
	char **launcher_argv;        /* to be overwritten in PID 1 */
	char **launcher_env;
};

struct op_class {
	int (*apply)(const struct op *op, struct run *run, struct err *err);
};

/* Removes the private home, if there is one, once no process of the box is left. */
void op_private_remove(struct run *run);

/* While the box runs in a cgroup that systemd has not made for it: writes limits whose files have gone
 * again. 0, or negative errno: they no longer hold. */
int limits_keep(struct run *run);

/* Indexed by enum op_kind; apply is NULL for the kinds that run/ carries out itself
 * (OP_CLONE, OP_NETNS_JOIN). */
extern const struct op_class op_classes[_OP_MAX];
