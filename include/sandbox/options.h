/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * THE table of options (src/cli/options.c). One row yields the option, its profile key, its line
 * in --help, its completion, and the checks of manual and completion against it.
 */

enum opt_id {
	/* profile */
	OPT_PROFILE, OPT_NO_PROFILE, OPT_STRICT, OPT_EXPLAIN,
	/* view */
	OPT_HOST, OPT_ROOTFS, OPT_IMAGE, OPT_HOME, OPT_CWD, OPT_WORKDIR, OPT_READ_ONLY, OPT_SHOW, OPT_HIDE,
	OPT_PROTECT,
	/* volumes */
	OPT_VOLUME, OPT_TMPFS, OPT_FILE, OPT_SECRET, OPT_OVERLAY,
	/* identity */
	OPT_USER, OPT_ROOT, OPT_USERNS, OPT_HOSTNAME, OPT_SHARE, OPT_UNSHARE, OPT_NESTED,
	/* environment */
	OPT_ENV, OPT_ENV_FILE, OPT_ENV_ALL, OPT_CLEAR_ENV,
	/* limits */
	OPT_CPUS, OPT_CPU_WEIGHT, OPT_CPUSET, OPT_MEMORY, OPT_MEMORY_HIGH, OPT_MEMORY_SWAP, OPT_PIDS_LIMIT,
	OPT_IO_READ, OPT_IO_WRITE, OPT_ULIMIT, OPT_TIMEOUT, OPT_CPU_TIME, OPT_NICE, OPT_BACKGROUND,
	OPT_LIMITS,
	/* network */
	OPT_NETWORK, OPT_PUBLISH, OPT_ALLOW, OPT_DENY, OPT_HOST_PORT, OPT_DNS, OPT_ADD_HOST, OPT_IP, OPT_IPV6,
	OPT_NET_LOG,
	/* security */
	OPT_CAP_ADD, OPT_CAP_DROP, OPT_SECUREBITS, OPT_ALLOW_NEW_PRIVS, OPT_SECCOMP, OPT_SECCOMP_ALLOW,
	OPT_SECCOMP_DENY, OPT_SECCOMP_ACTION, OPT_LANDLOCK, OPT_SECURITY_OPT, OPT_BACKEND, OPT_MULTIARCH,
	/* process */
	OPT_TTY, OPT_DETACH, OPT_NAME, OPT_STOP_SIGNAL, OPT_PRESERVE_FDS, OPT_ARGV0,
	/* scripting */
	OPT_STATUS_FD, OPT_REPORT, OPT_BLOCK_FD, OPT_READY_FD, OPT_PIDFILE, OPT_QUIET,
	/* help */
	OPT_HELP, OPT_VERSION,
	_OPT_MAX,
};

enum opt_kind {
	OPT_KIND_FLAG,   /* no value; --no-NAME undoes it */
	OPT_KIND_SCALAR, /* one value; the last one wins */
	OPT_KIND_LIST,   /* each occurrence adds */
};

enum opt_flags {
	OPT_CLI_ONLY = 1 << 0, /* no profile key */
	OPT_LATER    = 1 << 1, /* refused by name; `help` says what to use meanwhile */
};

/* What a completion offers for the value; OPT_COMPLETE_WORDS uses `words`. */
enum opt_complete {
	OPT_COMPLETE_NONE, OPT_COMPLETE_PATH, OPT_COMPLETE_DIR, OPT_COMPLETE_WORDS, OPT_COMPLETE_PROFILE,
	OPT_COMPLETE_CAP,
};

struct option {
	enum opt_id id;
	char letter;                /* 0: none */
	const char *name;           /* without the dashes; also the profile key */
	const char *alias;          /* a second spelling, or NULL */
	enum opt_kind kind;
	unsigned flags;             /* enum opt_flags */
	const char *group;          /* heading in --help and the manual */
	const char *arg;            /* "SRC[:DST][:OPTS]"; NULL for flags */
	const char *help;           /* one line; for OPT_LATER rows: why it is refused */
	enum opt_complete complete;
	const char *words;          /* "private ro rw", for completion */
};

/* All rows in the order of the enum: option_row(id)->id == id. */
const struct option *option_row(enum opt_id id);

/* By long name or alias, without dashes; NULL if there is none. len: strlen or a part of it. */
const struct option *option_by_name(const char *name, size_t len);
const struct option *option_by_letter(char letter);

/* Whether --no-NAME exists: flags but help, version and those that begin with no- themselves. */
bool option_negatable(const struct option *opt);

/* The nearest long name by edit distance, or NULL when nothing is near. */
const char *option_nearest(const char *name);
