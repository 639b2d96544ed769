/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/plan.h>

/* The addresses of a box with --network user, host byte order; the rest follows from them. */
struct plan_net {
	bool user;
	uint32_t network; /* of the /24: .2 is the gateway, .3 the DNS, .100 the box */
	unsigned number;  /* of the box in it */
	bool ipv6;
	const char *hosts, *resolv; /* content of the box's /etc/hosts and /etc/resolv.conf */
};

/* The plan under construction: what every step of the compiler reads and adds to. */
struct build {
	struct plan *plan;
	const struct spec *spec;
	const struct host *host;
	unsigned namespaces; /* CLONE_NEW* that the box gets, the cgroup one included */
	uid_t uid;           /* of the command, inside; set by plan_ids */
	gid_t gid;
	uint64_t caps;       /* what the command keeps; plan_capabilities() */
	bool single_id;      /* one id is mapped, no more */
	GArray *places;      /* struct landlock_place, made by plan_alone */
	const char *cwd;     /* the caller's directory, if the box shows it; else NULL */
	const char *tmpdir;  /* TMPDIR, where /tmp is not the box's own; else NULL */
	const char *home;    /* inside; NULL if there is none; set by plan_mounts */
	struct plan_net net; /* --network user; set by plan_net */
};

/* Appends a row, to be filled in by the caller. Valid until the next call. */
struct op *plan_add(struct build *b, enum op_kind kind, enum stage stage, uint32_t origin);

/* One line for stderr. */
void plan_notice(struct build *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Strings of the plan's own. */
const char *plan_str(struct build *b, const char *text);
const char *plan_printf(struct build *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* paths.c: "~", "~/x" and relative paths made absolute, as the caller sees them. */
int path_absolute(struct build *b, const char *path, uint32_t origin, const char **ret,
		  struct err *err);
bool path_below(const char *path, const char *dir); /* dir itself excluded */
bool path_at_or_below(const char *path, const char *dir);
unsigned path_depth(const char *path);

/* The steps, in this order. */
int plan_ids(struct build *b, struct err *err);      /* ids.c */
int plan_net(struct build *b, struct err *err);      /* net.c: rows of PREPARE, LINK; addresses */
void plan_net_rows(struct build *b);                 /* net.c: rows of BUILD */
void plan_net_sysctls(struct build *b);              /* net.c: rows of BUILD, once there is /proc */
void plan_net_files(struct build *b);                /* net.c: /etc/hosts and resolv.conf */
int plan_limits(struct build *b, struct err *err);   /* limits.c */
void plan_rlimits(struct build *b);                  /* limits.c: rows of LOCKDOWN */
void plan_ulimits(struct build *b);                  /* limits.c: rows of HANDOFF */
int plan_mounts(struct build *b, struct err *err);   /* mounts.c */
int plan_env(struct build *b, struct err *err);      /* env.c */
int plan_lockdown(struct build *b, struct err *err); /* lockdown.c */
int plan_landlock_check(struct build *b, struct err *err); /* landlock.c: refusals, notices */
uint64_t plan_capabilities(const struct build *b);         /* lockdown.c: what the command keeps */
void plan_landlock_tree(struct build *b); /* landlock.c: a row of BUILD, before the pivot */
void plan_landlock(struct build *b, enum stage stage); /* landlock.c: the row; after the mounts */
int plan_alone(struct build *b, struct err *err);      /* alone.c: the view without namespaces */
/* seccomp.c; caps: what the command may ever hold */
void plan_seccomp(struct build *b, enum stage stage, uint64_t caps); /* one that is built in */
int plan_filter(struct build *b, uint64_t caps, struct err *err);    /* one that is not: last */
bool plan_own_filter(const struct build *b, uint64_t caps);
int plan_process(struct build *b, struct err *err); /* process.c */
