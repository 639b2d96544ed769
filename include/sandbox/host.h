/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sandbox/err.h>
#include <sandbox/idmap.h>

/*
 * Facts of the host and the caller, probed once into a plain struct; faked in tests. Probing
 * changes nothing. What costs (subordinate ids, passwd) is probed only when wanted.
 */

enum host_want {
	HOST_WANT_SUBIDS = 1 << 0,  /* subuid/subgid ranges, newuidmap, newgidmap */
	HOST_WANT_CGROUP = 1 << 2,  /* cgroup */
	HOST_WANT_RESOLV = 1 << 1,  /* resolv_target */
	HOST_WANT_NET = 1 << 3,     /* net */
	HOST_WANT_RUNTIME = 1 << 4, /* runtime, token */
};

/* What stands at a top-level name of the host's root. */
enum entry_kind { ENTRY_ABSENT, ENTRY_DIR, ENTRY_LINK };
struct host_entry { const char *name; enum entry_kind kind; char *target; }; /* name: "usr" */

/* The cgroups around us (host/cgroup2.c). Only looked at, never written. */
enum cgroup_layout { CGROUP_ABSENT, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };
struct host_cgroup {
	enum cgroup_layout layout;
	char *dir;                   /* our own v2 directory; NULL: none */
	bool writable;               /* processes may be moved and children made in it */
	char *controllers;           /* of `dir`; "" none */
	char *manager;               /* directory of the user's systemd (user@UID.service), or NULL */
	char *delegated;             /* controllers it may hand out; NULL without manager */
	char *bus;                   /* socket of the user's systemd; NULL: not reachable */
};

/* The network of the host, for one that does not collide with it (host/net.c). Numbers in host
 * byte order. */
struct host_net4 { uint32_t address; unsigned prefix; };
struct host_net {
	struct host_net4 *nets;      /* its IPv4 addresses and routes, default routes left out */
	size_t nnets;
	bool ipv6;                   /* it has an address that is not link-local, and a default route */
	bool ipv6_built_in;
	char *resolv;                /* content of /etc/resolv.conf, see resolv.h; NULL: none */
	char *hosts;                 /* content of /etc/hosts; NULL: none */
	struct {                     /* --network box:NAME, once it has been joined (boxnet.h) */
		uint32_t network;    /* host byte order; 0: it has not */
		unsigned number;     /* of the box in it */
	} box;
};

struct host {
	uid_t uid, euid;
	gid_t gid, egid;
	size_t ngroups;              /* supplementary groups the caller has */
	char *user;                  /* login name, or the number as text */
	char *home;                  /* absolute, no trailing slash; NULL if it has none */
	char *home_real;             /* the same with symlinks resolved; NULL if missing */
	char *cwd;                   /* getcwd(3), absolute; NULL if unreachable */
	bool cwd_is_home;            /* the same directory, by device and inode */
	char *resolv_target;         /* where /etc/resolv.conf points, resolved, when that is not
	                                below /etc; NULL otherwise */
	char **env;                  /* the caller's environment, borrowed */
	bool tty[3];                 /* isatty(0..2) */
	bool stdio_open[3];          /* before they were filled with /dev/null */
	uint64_t ram;                /* bytes */
	unsigned kernel;             /* 6*1000+1 for Linux 6.1 */
	int landlock_abi;            /* 0: none */
	bool no_new_privs;           /* already set on us: setuid helpers cannot work */
	bool userns_root;            /* euid 0 of a user namespace, somebody else outside */
	uint64_t nproc_hard;         /* RLIMIT_NPROC, hard; UINT64_MAX: unlimited */
	struct host_entry *system;   /* candidates of the host view, in the order of host_system_names */
	size_t nsystem;

	struct subid_range *subuids, *subgids;
	size_t nsubuids, nsubgids;
	char *newuidmap, *newgidmap; /* absolute paths; NULL: not installed */
	bool subid_nss;              /* nsswitch.conf names a service for them: the files do not count */
	struct host_cgroup cgroup;   /* HOST_WANT_CGROUP, else all zero */
	struct host_net net;         /* HOST_WANT_NET, else all zero */
	char *runtime;               /* where private directories are made: $XDG_RUNTIME_DIR/sandbox, or
	                                /tmp/sandbox-UID */
	char token[17];              /* random, for names of this run */
	char *subid_reason;          /* why they cannot be used, for the notice; NULL if they can */
};

/* The names looked for in the host's root, NULL-terminated: "usr", "bin", ... (host/probe.c). */
extern const char *const host_system_names[];

int host_probe(struct host *ret, unsigned want, char **environ_in, struct err *err);
void host_clear(struct host *host);

/* Whether a descriptor the caller named is open; a negative one is not asked for. Called before
 * anything of ours is opened, which might get its number. E-FD. */
int host_fd_check(int fd, const char *option, uint32_t origin, struct err *err);

/*
 * Why things are refused. Given the errno of a clone3 with namespaces (or of the write of the id
 * map right after it: where AppArmor is the reason, only that fails), looks for the reason in
 * /proc and fills code, what, cause and the command that mends it. Returns the negative errno.
 * `err` has to be initialised: stage and origin of an error that is being explained are kept.
 * It allocates: for the launcher, never for the child.
 */
int host_explain_userns(int num, uint64_t clone_flags, struct err *err);

/* For an EPERM or EACCES of a later stage (id map, first mounts): whether AppArmor's restriction of
 * user namespaces is behind it, which lets them be made but takes every capability in them. True:
 * code, cause and fix of `err` say so now; what, stage and origin are kept. */
bool host_explain_stripped(struct err *err);

/* What doctor looks at besides. All of it is read-only. */

struct host_kernel {
	char release[66];
	unsigned version;            /* 6*1000+1 for Linux 6.1 */
	bool clone3, openat2, close_range, pidfd, mount_setattr, seccomp;
	int landlock_abi;            /* 0: not built in, or switched off */
};
void host_kernel_probe(struct host_kernel *ret);
unsigned host_kernel_version(const char *release);

/* The ABI of Landlock; 0: not built in, switched off, or hidden by a filter around us. */
int host_landlock_abi(void);

/* Facts about what may stand in the way of namespaces (host/lsm.c). */
#define HOST_NS_MAX 8
struct host_confinement {
	bool proc_missing;           /* nothing below is known: /proc is not mounted */
	bool userns_built_in;        /* /proc/self/ns/user exists */
	bool in_userns;              /* we are inside a user namespace ourselves */
	bool id_unmapped;            /* our own uid or gid has no mapping in it */
	bool in_chroot;              /* the root directory is no mount point */
	bool sys_admin;              /* CAP_SYS_ADMIN is effective */
	bool no_new_privs;
	int seccomp;                 /* 0 none, 1 strict, 2 filter; -1 unknown */
	int unprivileged_clone;      /* Debian's kernel.unprivileged_userns_clone; -1: no such knob */
	int apparmor_restrict;       /* Ubuntu's kernel.apparmor_restrict_unprivileged_userns; -1 */
	uint64_t ns_built_in;        /* CLONE_NEW* the kernel has */
	int64_t ns_max[HOST_NS_MAX]; /* user.max_*_namespaces by host_ns_rows; -1: unknown */
	char container[32];          /* "docker", "podman", "lxc", ..., "" */
	char apparmor[128];          /* our AppArmor label; "" without AppArmor */
	char selinux[128];           /* our SELinux context; "" without SELinux */
	char lsm[128];               /* active security modules, comma separated; "" unknown */
	char exe[256];               /* our own binary */
	char profile[256];           /* the AppArmor profile installed for it, to be loaded; "" none */
};
struct host_ns { uint64_t flag; const char *name; const char *sysctl; };
extern const struct host_ns host_ns_rows[HOST_NS_MAX]; /* unused rows at the end have flag 0 */
void host_confinement_probe(struct host_confinement *ret);

/* host_explain_userns() without the probing: pure. */
int host_explain_userns_from(const struct host_confinement *facts, int num, uint64_t clone_flags,
			     struct err *err);

bool host_explain_stripped_from(const struct host_confinement *facts, struct err *err);

/* A profile for `exe` that gives it back user namespaces, to be written to
 * /etc/apparmor.d/sandbox; NULL when the path has characters that mean something there. */
char *host_apparmor_profile(const char *exe);

/* Tries for real, in a process and namespaces of its own, which end at once. 0, or a negative
 * errno with err filled. */
enum host_trial {
	HOST_TRIAL_NAMESPACES,       /* all namespaces of a plain run, and the id maps */
	HOST_TRIAL_MOUNTS,           /* a tmpfs, a recursive read-only bind, pivot_root */
	HOST_TRIAL_PROC,             /* a fresh /proc of a new PID namespace */
	HOST_TRIAL_SYSFS,            /* a fresh /sys of a new network namespace */
};
int host_trial_run(enum host_trial trial, struct err *err);

/* Lets newuidmap and newgidmap map the first range each of `host` into a new user namespace. */
int host_trial_ranges(const struct host *host, struct err *err);

/* The first `count` ids from 100000 on that neither /etc/subuid nor /etc/subgid hands out to
 * anybody; 0 if there are none. */
uint32_t host_subid_free(uint32_t count);

/* Opens /dev/net/tun and closes it again: 0 or negative errno. */
int host_tun_probe(void);

/* Keys of the kernel's key retention service this uid has, and may have (keyrings(7)): each box
 * takes one for its session keyring. 0 or negative errno. */
int host_keys_probe(uid_t uid, unsigned *ret_used, unsigned *ret_max);

/* Why `dir` (XDG_RUNTIME_DIR) cannot be used by `uid`: NULL if it can, else one sentence. */
const char *host_runtime_fault(const char *dir, uid_t uid);

void host_net_probe(struct host_net *ret);
void host_net_clear(struct host_net *net);

void host_cgroup_probe(struct host_cgroup *ret, uid_t uid);
void host_cgroup_clear(struct host_cgroup *cgroup);
