/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <sandbox/err.h>
#include <sandbox/host.h>
#include <sandbox/idmap.h>
#include <sandbox/limits.h>
#include <sandbox/seccomp.h>
#include <sandbox/spec.h>

/*
 * The plan: everything a run will do, as rows, before anything is done. plan_compile() is pure:
 * no system call, no clock. `--explain` prints it, the golden tests compare it, and the walkers
 * in run/ execute it row by row; nothing is decided there that could be decided here.
 *
 * A row never looks at its neighbours. Its strings belong to plan->arena, the spec or the host,
 * which all outlive it. Rows run in the order of the array, stage by stage.
 */

enum stage {
	STAGE_NONE,
	STAGE_PREPARE,  /* parent: pin sources; nothing has been created yet */
	STAGE_CLONE,    /* parent: one clone3 with every namespace */
	STAGE_IDMAP,    /* child writes a one-id map itself; the parent starts newuidmap for ranges */
	STAGE_LINK,     /* parent: helpers that need the child's namespaces */
	STAGE_BUILD,    /* child: identity, guard, the tree, pivot_root */
	STAGE_LOCKDOWN, /* child: rlimits, keyring, capabilities, no_new_privs */
	STAGE_HANDOFF,  /* child: PID 1 forks the command; the rows are the command's own */
	STAGE_EXEC,     /* child: the command's own, once it is found; only execve comes after it */
	STAGE_INIT,     /* child: PID 1, while the command runs */
	STAGE_WATCH,    /* parent: supervise, collect, tear down */
	_STAGE_MAX,
};

enum op_kind {
	OP_SCOPE, OP_NET_HELPER, OP_NET_PEERS, OP_OWN_IP, OP_PUBLISH, OP_PIN, OP_CGROUP, OP_NETNS_JOIN, OP_CLONE, OP_IDMAP,
	OP_IDENTITY, OP_GUARD, OP_CGROUPNS, OP_LOOPBACK, OP_LINK, OP_ADDRESS, OP_KEEP_SOURCE, OP_NET_DOOR, OP_NET_READY, OP_HOSTNAME,
	OP_PROPAGATION, OP_ROOT, OP_SYMLINK, OP_BIND, OP_PROTECT, OP_HIDE, OP_TMPFS, OP_SCRATCH,
	OP_DATA, OP_DEV, OP_PROC, OP_SYSFS, OP_MASK, OP_SYSCTL, OP_ROOT_ATTR, OP_MQUEUE, OP_PIVOT,
	OP_PRIVATE, OP_PTY, OP_CALLS,
	OP_RLIMIT, OP_NICE, OP_AFFINITY, OP_IDLE, OP_KEYRING, OP_BOUNDING, OP_SECUREBITS, OP_CAPSET, OP_NO_NEW_PRIVS,
	OP_LANDLOCK, OP_CHDIR, OP_SECCOMP, OP_FILTER,
	OP_CLOSE_FDS,
	_OP_MAX,
};

enum op_fail {
	FAIL_FATAL,
	FAIL_SKIP_ABSENT,  /* ENOENT and ENOTDIR of the object mean: leave the row out */
	FAIL_SKIP_PLACE,   /* the same, and where the tree has no place for it */
};

/* Attributes a mount gets (mount_setattr(2)); the whole tree below it with `recursive`. */
enum mnt_attr { ATTR_RDONLY = 1, ATTR_NOSUID = 2, ATTR_NODEV = 4, ATTR_NOEXEC = 8 };

enum pin_want { PIN_ANY, PIN_DIR, PIN_FILE };

enum idmap_by {
	IDMAP_SELF,     /* the child: one line each, no privilege needed, setgroups denied */
	IDMAP_PARENT,   /* the parent holds CAP_SETUID (real root) */
	IDMAP_HELPER,   /* newuidmap and newgidmap, started by the parent */
};

/* A port of the host. */
struct publish_at { uint8_t address[16]; bool ipv6, udp; unsigned port; };

/* A place that Landlock lets be used: the rights are those that fit its kind, directory or not. */
struct landlock_place { const char *path; int slot; uint64_t access; }; /* slot -1: by its path in the tree */

struct op {
	enum op_kind kind;
	enum stage stage;
	enum op_fail on_fail;
	uint32_t origin;      /* request row that asked for it, plus one; 0: a default */
	union {
		struct { const char *src; unsigned slot; bool optional; enum pin_want want;
			 bool lock; } pin;                        /* lock: mount points may be made in it */
		struct { const char *bus; bool system; } scope; /* for sandbox-scope */
		struct { const char *own; const char *bus; bool system; bool required; const char *absent;
			 } cgroup;                                /* own: a directory that is ours, or NULL;
			    absent: why a scope cannot be had, or NULL */
		struct { const char *path; } netns;
		struct { unsigned flags; } clone;                 /* CLONE_NEW* */
		struct { enum idmap_by by; const struct idmap *uids, *gids;
			 const char *newuidmap, *newgidmap; } idmap;
		struct { uid_t uid; gid_t gid; bool drop_groups; bool set;
			 uid_t caller_uid; gid_t caller_gid; } identity;  /* the caller's, inside */
		struct { bool pid_namespace; } guard;
		struct { const char *config; } net_helper;        /* text of a key file */
		struct { const char *name; bool joined; } net_peers;
		struct { uint32_t first; const struct publish_at *ports; unsigned n; } own_ip; /* first: host
			    order; without addresses */
		struct { struct publish_at at; unsigned inner; bool own, keep; } publish; /* own: at the address of
			    OP_OWN_IP, the next one of its ports */
		struct { const char *name; uint8_t mac[6]; unsigned mtu; } link;
		struct { const char *name; uint32_t address, gateway; unsigned prefix; /* host order */
			 bool ipv6; uint8_t address6[16], gateway6[16]; unsigned prefix6;
			 } address;
		struct { bool ipv6; } keep_source;                /* src=keep */
		struct { const char *name; } hostname;
		struct { const char *src; int slot; bool recursive; unsigned attrs;
			 uint64_t size; } root;                   /* src NULL: a tmpfs of ours */
		struct { const char *target, *dst; } symlink;
		struct { const char *src, *dst; int slot; unsigned attrs; bool make;
			 bool recursive; } bind;                  /* slot -1: src is not pinned */
		struct { const char *dst; } path;                 /* protect, hide */
		struct { const char *dst; uint64_t size; mode_t mode; unsigned attrs; bool make; } tmpfs;
		struct { const char *dst, *name; mode_t mode; bool make; } scratch; /* a directory of
			    the one bounded tmpfs that is ours: /tmp, /run, home */
		struct { const char *dst, *text; size_t len; int fd; int slot; mode_t mode;
			 bool make; bool secret; } data;          /* text, or fd >= 0, or pinned slot */
		struct { bool pty; bool make; bool data; const char *shm_size; } dev; /* shm_size: bytes, as text */
		struct { bool fresh; bool make; } proc;           /* fresh false: the host's, read-only */
		struct { bool fresh; bool make; } sysfs;
		struct { const char *path; bool in_sys, readonly; } mask; /* of /proc, or of /sys;
			    readonly: visible, not writable */
		struct { const char *path, *value; } sysctl;
		struct { bool fresh; } mqueue;                    /* false: the host's, by --share ipc */
		struct { unsigned attrs; } root_attr;             /* on the root mount alone */
		struct { int resource; const char *name; uint64_t soft, hard; } rlimit;
		struct { int value; } nice;
		struct { const uint64_t *cpus; unsigned bits; const char *text; } affinity;
		struct { uint64_t keep; } bounding;
		struct { unsigned bits; } securebits;
		struct { uint64_t permitted, inheritable, ambient; } capset;
		struct { int abi; uint64_t fs, net, scoped; unsigned flags; uint64_t inherited;
			 const struct landlock_place *places; unsigned n; const int *keep;
			 size_t nkeep; } landlock;                /* inherited: rights on 0, 1, 2 and `keep` */
		struct { const char *base, *name; unsigned home, tmp; } private; /* slots of the two */
		struct { bool processes;      /* those on other processes alone: a box with a tree */
			 bool network, truncate, signals; } calls; /* else: what is left to it */
		struct { const char *path; } chdir;
		struct { const struct seccomp_program *program; const char *name; } seccomp; /* of
			    LOCKDOWN: for all of the box; of EXEC: the command's; of INIT: PID 1's.
			    NULL: what OP_FILTER has made */
		struct { char **argv;         /* for sandbox-seccomp, which fills in the first */
			 const char *file;    /* the profile, or NULL */
			 const char *cache;   /* directory of the caller's caches, or NULL */
			 const struct seccomp_list *lists; unsigned nlists; } filter;
		struct { const int *keep; size_t n; } fds;
	} u;
};

struct boxnet;

/* What the supervisor needs; everything else is in the rows. */
struct plan {
	GStringChunk *arena;
	GArray *ops;                /* struct op */
	GPtrArray *notices;         /* char *: one line each, for stderr */
	unsigned nslots;            /* pins */

	struct idmap uids, gids;

	GPtrArray *filter_argv;     /* of OP_FILTER, or NULL */
	char **argv;                /* of the command; argv[0] after --argv0 */
	const char *file;           /* what is looked up in PATH */
	char **env;                 /* the complete environment of the command */
	const char *path_env;       /* the PATH used for the lookup */

	struct landlock_place *places; /* of OP_LANDLOCK */
	bool landlock_only;         /* --backend landlock: no namespaces */
	int landlock;               /* the ABI that is used; 0: there is no such layer */
	const char *filter;         /* the command's: "default", "own" or "off" */

	bool pid_namespace;
	bool wait_maps;             /* the child waits for PROCEED(IDMAP) */
	bool wait_start;            /* the child waits for PROCEED(HANDOFF): --block-fd, --pidfile, network */
	bool follow_resolv;         /* the network helper is told when the host's resolv.conf changes */
	bool tty[3];                /* which of 0, 1, 2 become our pty */
	bool tty_raw;               /* stdin and stdout are terminals: raw mode from the start */
	int tty_source;             /* the caller's descriptor whose terminal is used; -1: none */

	char **scrub_argv, **scrub_env; /* the launcher's own, overwritten in PID 1; set by cmd/ */

	const char *ip;             /* --ip ADDRESS; NULL: none, or it is found while it starts */
	struct publish_at *own_ports; /* of OP_OWN_IP */
	struct boxnet *boxnet; /* --network box:NAME: where the run has joined it; set by cmd/ */
	const char *net_box, *net_address, *net_address6; /* of it: name and addresses, for events; or NULL */

	uint64_t timeout_ms;
	int stop_signal;
	GArray *io;                 /* struct io_rate, with absolute paths */
	struct limit limits[_LIMIT_MAX]; /* as asked; what became of them is in struct run */
	int status_fd, block_fd, ready_fd;
	const char *report, *pidfile, *net_log;
	struct { uint32_t status_fd, ready_fd, report, pidfile, net_log; } origin; /* who asked for them */
	bool quiet;
};

int plan_compile(struct plan *ret, const struct spec *spec, const struct host *host,
		 struct err *err);
void plan_clear(struct plan *plan);

/* The addresses of --network user and box:NAME (net.c). Networks of boxes are joined before there is
 * a plan, since what it says follows from the address. */
int plan_net_pick(const struct host *host, uint32_t *ret_network); /* 1: part of it is the host's; -EADDRINUSE */
bool plan_net_known(uint32_t network);           /* one that plan_net_pick() might have answered */
bool plan_net_ipv6(const struct spec *spec, const struct host *host);
void plan_net_address6(uint32_t network, unsigned number, uint8_t *ret); /* ret[16] */

/* The text of --explain and of the golden tests: one row a line, stage headings, then command,
 * environment and supervisor. `request` names origins; NULL leaves them out. */
void plan_describe(const struct plan *plan, const struct request *request, GString *out);

const char *stage_name(enum stage stage);
const char *op_kind_name(enum op_kind kind);
