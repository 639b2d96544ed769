/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <sandbox/err.h>
#include <sandbox/idmap.h>
#include <sandbox/request.h>

/*
 * What the user wants, validated and defaulted; const from spec_build() on. It holds no fact of
 * the host and no descriptor but the numbers the user passed. Strings belong to the request
 * (which outlives it) or to spec->arena.
 */

#define SPEC_ID_NONE ((uid_t)-1)

enum view { VIEW_HOST, VIEW_ROOTFS };
enum home_mode { HOME_DEFAULT, HOME_PRIVATE, HOME_RO, HOME_RW, HOME_DIR };
enum cwd_mode { CWD_DEFAULT, CWD_RW, CWD_RO, CWD_NONE };
enum net_mode { NET_NONE, NET_HOST, NET_NS, NET_USER };
enum tristate { TRI_AUTO, TRI_ON, TRI_OFF };
enum userns_mode { USERNS_DEFAULT, USERNS_KEEP_ID, USERNS_ROOT, USERNS_AUTO, USERNS_MAP };
enum backend_mode { BACKEND_AUTO, BACKEND_NAMESPACES, BACKEND_LANDLOCK };
enum landlock_mode { LANDLOCK_AUTO, LANDLOCK_ON, LANDLOCK_OFF };
enum tty_mode { TTY_AUTO, TTY_ON, TTY_OFF };

enum volume_kind {
	VOLUME_BIND,    /* -v: src at dst */
	VOLUME_TMPFS,   /* --tmpfs: size, mode */
	VOLUME_FILE,    /* --file: text or fd at dst */
	VOLUME_SECRET,  /* --secret: text, or the file src, at /run/secrets/NAME, 0400 */
	VOLUME_SHOW,    /* --show: src read-only at its own path */
	VOLUME_HIDE,    /* --hide: covered by nothing */
	VOLUME_PROTECT, /* --protect: read-only where it is, if it exists */
};

struct volume {
	enum volume_kind kind;
	const char *src;     /* as written, "~" expanded by plan; NULL where the kind has none */
	const char *dst;     /* absolute or as written (relative: to the caller's directory) */
	const char *text;    /* VOLUME_FILE, VOLUME_SECRET given as text or variable's NAME */
	int fd;              /* VOLUME_FILE =@FD, else -1 */
	bool from_env;       /* VOLUME_SECRET env:VAR: text is the variable's name */
	bool readonly, noexec, optional, dev;
	uint64_t size;       /* bytes, 0: default */
	mode_t mode;         /* (mode_t)-1: default */
	uint32_t origin;
};

struct env_row {
	const char *name;
	const char *value;   /* NULL: take the caller's, if it has one */
	uint32_t origin;
};

/* Ports of the host, TCP, that lead to ports of the box, from `inner` on. */
enum { PUBLISH_MAX = 256 }; /* in all: each is a descriptor of the launcher's for a while */
struct publish { uint8_t address[16]; bool ipv6, udp, keep, unaddressed; unsigned first, last, inner; uint32_t origin; };
/* --ip: where ports are published that name no address. */
enum own_ip { OWN_IP_NONE, OWN_IP_AUTO, OWN_IP_FIXED };

/* A port of the host's loopback that the box reaches at its gateway's address. */
struct host_port { unsigned first, last; bool udp; uint32_t origin; };

/* rlim values: UINT64_MAX is unlimited */
struct ulimit_row { int resource; const char *name; uint64_t soft, hard; uint32_t origin; };

/* What is in force for a system call that no list of the user's names. */
enum seccomp_base { SECCOMP_BASE_DEFAULT, SECCOMP_BASE_STRICT, SECCOMP_BASE_OFF, SECCOMP_BASE_FILE };

/* --seccomp-deny and --seccomp-allow: names, @groups, numbers. */
struct seccomp_list { const char *text; bool deny; uint32_t origin; };

enum limits_mode { LIMITS_AUTO, LIMITS_CGROUP, LIMITS_SOFT, LIMITS_OFF };

/* --io-read, --io-write: bytes or operations a second, of the disk below `path` */
struct io_rate {
	const char *path;    /* NULL: where the box works */
	bool write, ops;
	uint64_t rate;
	uint32_t origin;
};

/* An amount of memory: bytes, or thousandths of the host's RAM when bytes is 0. */
struct memory_amount { uint64_t bytes; unsigned permille; };

enum { SPEC_DNS_MAX = 8, NET_BOX_MAX = 32 };
enum { SPEC_CPUS = 1024 }; /* --cpuset: numbers below */

struct spec {
	GStringChunk *arena;

	bool strict, quiet;

	enum view view;
	const char *rootfs;
	bool read_only;
	enum home_mode home;
	const char *home_dir;       /* HOME_DIR: the host directory that becomes the home */
	enum cwd_mode cwd;
	const char *workdir;        /* NULL: default of the view */
	GArray *volumes;            /* struct volume, in the order written */

	bool user_set;
	uid_t uid;                  /* SPEC_ID_NONE unless user_set */
	gid_t gid;                  /* SPEC_ID_NONE: same number as uid */
	enum userns_mode userns;
	struct idmap map;           /* USERNS_MAP */
	const char *hostname;       /* NULL: "sandbox" */
	unsigned share, unshare;    /* masks of CLONE_NEW* the user named */
	bool nested;

	GArray *env;                /* struct env_row */
	bool env_all, clear_env;

	GArray *ulimits;            /* struct ulimit_row */
	uint64_t pids_limit;        /* 0: default (4096), UINT64_MAX: unlimited */
	uint32_t cpus;              /* thousandths of a CPU; 0: no limit */
	unsigned cpu_weight;        /* 1 to 10000, as cpu.weight; 0: none */
	bool cpuset_set;
	uint64_t cpuset[SPEC_CPUS / 64];
	const char *cpuset_text;
	struct memory_amount memory, memory_high;   /* 0, 0: none */
	struct memory_amount memory_swap;           /* memory and swap together; as docker's */
	bool memory_swap_unlimited;
	GArray *io;                 /* struct io_rate */
	uint64_t cpu_time_ms;       /* 0: none */
	bool background;
	enum limits_mode limits;
	uint64_t timeout_ms;        /* 0: none */
	bool nice_set;
	int nice;

	enum net_mode net;
	const char *netns_path;
	const char *net_box;        /* NET_USER: the network of boxes that it joins, or NULL */
	GArray *publish;            /* struct publish */
	struct { enum own_ip kind; uint8_t address[16]; bool ipv6; } ip;
	GArray *host_ports;         /* struct host_port */
	const char *net_log;        /* path, or "-" */
	GPtrArray *net_rules;       /* char *: --allow and --deny in order, as the helper reads them */
	bool net_allow;             /* one of them allows: the rest is refused */
	GPtrArray *dns;             /* char *: addresses of servers, in place of the host's */
	GPtrArray *hosts;           /* char *: "NAME ADDRESS" */
	enum tristate ipv6;         /* auto: where the host has it */

	uint64_t cap_add, cap_drop; /* masks by capability number */
	bool cap_drop_all, cap_add_all;
	bool securebits_set;
	unsigned securebits;
	bool allow_new_privs;
	enum landlock_mode landlock;
	enum seccomp_base seccomp;
	const char *seccomp_file;   /* SECCOMP_BASE_FILE */
	GArray *seccomp_lists;      /* struct seccomp_list, in the order written */
	const char *seccomp_action; /* errno, kill or log; NULL: errno */
	bool multiarch;             /* other architectures' calls, too */
	enum backend_mode backend;

	enum tty_mode tty;
	int stop_signal;            /* SIGTERM unless set */
	GArray *preserve_fds;       /* int, sorted, unique, none below 3 */
	const char *argv0;

	int status_fd, block_fd, ready_fd;  /* -1: none */
	const char *report;         /* path, or "-" for stderr...: see sandbox(1) */
	const char *pidfile;

	char *const *command;       /* NULL-terminated, at least one word */

	uint32_t origin[_OPT_MAX];  /* who set each option last; 0: nobody */
};

/* Pure. Validates every value, applies defaults that need no fact of the host, and checks the
 * conflict table. */
int spec_build(struct spec *ret, const struct request *request, struct err *err);
void spec_clear(struct spec *spec);
