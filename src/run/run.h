/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/ops.h>

/* Applies the rows of one stage in order; stamps stage and origin on the first failure. */
int stage_walk(struct run *run, enum stage stage, struct err *err);

/* The first row of a kind, or NULL. */
const struct op *stage_find(const struct plan *plan, enum op_kind kind);

struct outcome;
/* Reads the figures of the payload's cgroup into the outcome, if there is one; then: removes it. */
void cgroup_collect(struct run *run, struct outcome *outcome);
void cgroup_remove(struct run *run);

struct run_net;
struct status;
/* The network helper (net.c): an empty one; hands it the frames of the box; ends it. */
void net_init(struct run_net *net);
int net_give_link(struct run_net *net, int channel, int fd); /* 0: fd is taken */
/* `status` hears what it has to say. */
void net_end(struct run_net *net, struct status *status);

/* In the launcher: the agent of published ports, which is given to the helper, with their sockets;
 * before the command starts. And: its end. Both do nothing where no port is published. */
int agent_start(struct run *run, struct err *err);
void agent_stop(struct run *run);

/* The child, from the moment after clone to its end as PID 1. */
_Noreturn void child_main(struct run *run);

/* In the launcher: the limiter that pauses the box by its cgroup, if that is who limits its CPU;
 * before clone. It serves the other limits that are soft, too. */
int freezer_start(struct run *run, struct err *err);
void freezer_stop(struct run *run);

/* Starts the soft limiter, if one is needed. Before LOCKDOWN. */
struct soft_report;
int limiter_start(struct run *run, struct err *err);
/* Before the command: until it is confined. */
int limiter_wait(const struct run *run, struct err *err);
/* What it has measured so far: asks and waits a moment. -ENOENT: there is none. */
int limiter_figures(const struct run *run, struct soft_report *ret);

/* Kills and reaps every child this process has or comes to have, but for the helpers, for up to
 * 1.5 s; and: the children of the moment are helpers. */
struct helpers {
	pid_t pids[16];
	unsigned n;
};
void reap_helpers(struct helpers *ret);
void reap_children(const struct helpers *helpers);

/* PID 1 proper: forks the command, reaps, talks to the launcher. */
_Noreturn void init_main(struct run *run);

/* The other end of a filter that kills: see notify.c. */
enum { NOTIFY_SEEN = 16 };
struct notify {
	int fd;                  /* the listener, or -EBADF */
	int proc;                /* root of the box's /proc, or -EBADF */
	pid_t seen[NOTIFY_SEEN]; /* the last that were sent SIGSYS */
	unsigned next;
};
/* Names one call to the launcher and ends who made it. 0, or a negative errno when that cannot be
 * done: then only the end of the box is left. */
int notify_handle(struct notify *notify, int wire, pid_t command);

/* Refuses a command that leads to the launcher's own file, see exe.c; with by_shell /bin/sh may be
 * executed in its place. */
int exe_check(const char *path, bool by_shell, struct err *err);

/* In the command's own process: the HANDOFF rows and exec. Returns only on failure. */
int command_exec(struct run *run, struct err *err);

/* Clones the child with `flags` from inside the network namespace of op (OP_NETNS_JOIN), by way
 * of a process of its own that joins first. As sys_clone(): 0 in the child. */
pid_t netns_clone(const struct op *op, struct run *run, uint64_t flags, int *ret_pidfd,
		  struct err *err);
