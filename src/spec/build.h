/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <sandbox/err.h>
#include <sandbox/spec.h>
#include <sandbox/value.h>

/* Private to spec/: what a setter sees while the occurrences are walked in order. */

/* Longer lists are a mistake or an attack; the kernel's own limit of mounts is 100000. */
#define VOLUMES_MAX 4096
#define ENV_MAX     16384
#define ENV_SIZE    131072 /* NAME=VALUE and its NUL: MAX_ARG_STRLEN of execve(2) */
#define WORDS_MAX   32768
#define FDS_MAX     4096

struct setter;

struct build {
	struct spec *spec;
	const struct occurrence *occ; /* the one being set */
	const struct setter *row;
	uint32_t origin; /* its index plus one */
	bool root;       /* --root: settled when everything has been read */
	bool no_host;    /* --no-host */
};

/* One row for each option of this version: what sets it, which form its value has (for the mend
 * in errors), and the field of struct spec for setters that serve several options. */
struct setter {
	int (*set)(struct build *b, struct err *err);
	const char *form;
	size_t field;
	bool discreet; /* what follows '=' may be a secret: errors and reports do not repeat it */
};

/* The value of the option being set does not do: E-VALUE with this cause and the form as the
 * mend (err_fix() replaces it). Always negative. */
int build_refuse(struct err *err, const struct build *b, const char *cause, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether an option is there that implies --network user. */
bool build_wants_user_network(const struct spec *spec);

/* What a later version will have: E-OPTION-LATER, with what serves meanwhile as the mend. */
int build_refuse_later(struct err *err, const char *what, const char *mend);

/* The cause for the result of a value_*() reader. */
int build_refuse_number(struct err *err, const struct build *b, int r, const char *text,
			size_t len);

struct ports {
	unsigned first, last; /* from 1 to 65535 */
};

/* "80" or "8000-8010", all of text[len]. */
int build_read_ports(const struct build *b, const char *text, size_t len, struct ports *ret,
		     struct err *err);

/* A path the caller gives for the host's side: its faults, else 0. */
int build_check_path(const struct build *b, const char *path, struct err *err);

int set_cpus(struct build *b, struct err *err);
int set_cpu_weight(struct build *b, struct err *err);
int set_cpuset(struct build *b, struct err *err);
int set_memory(struct build *b, struct err *err);
int set_memory_swap(struct build *b, struct err *err);
int set_io_read(struct build *b, struct err *err);
int set_io_write(struct build *b, struct err *err);
int set_cpu_time(struct build *b, struct err *err);
int set_limits(struct build *b, struct err *err);
int set_host(struct build *b, struct err *err);
int set_rootfs(struct build *b, struct err *err);
int set_home(struct build *b, struct err *err);
int set_cwd(struct build *b, struct err *err);
int set_workdir(struct build *b, struct err *err);

int set_volume(struct build *b, struct err *err);
int set_tmpfs(struct build *b, struct err *err);
int set_file(struct build *b, struct err *err);
int set_secret(struct build *b, struct err *err);
int set_show(struct build *b, struct err *err);
int set_hide(struct build *b, struct err *err);
int set_protect(struct build *b, struct err *err);

int set_user(struct build *b, struct err *err);
int set_root(struct build *b, struct err *err);
int set_userns(struct build *b, struct err *err);
int set_hostname(struct build *b, struct err *err);
int set_share(struct build *b, struct err *err);
int set_unshare(struct build *b, struct err *err);
int set_network(struct build *b, struct err *err);
int set_publish(struct build *b, struct err *err);
int set_ip(struct build *b, struct err *err);
int set_host_port(struct build *b, struct err *err);
int set_allow(struct build *b, struct err *err);
int set_deny(struct build *b, struct err *err);
int set_dns(struct build *b, struct err *err);
int set_add_host(struct build *b, struct err *err);
int set_ipv6(struct build *b, struct err *err);

int set_landlock(struct build *b, struct err *err);
int set_backend(struct build *b, struct err *err);

int set_env(struct build *b, struct err *err);

int set_pids_limit(struct build *b, struct err *err);
int set_ulimit(struct build *b, struct err *err);
int set_timeout(struct build *b, struct err *err);
int set_nice(struct build *b, struct err *err);

int set_cap_add(struct build *b, struct err *err);
int set_cap_drop(struct build *b, struct err *err);
int set_securebits(struct build *b, struct err *err);
int set_seccomp(struct build *b, struct err *err);
int set_seccomp_list(struct build *b, struct err *err);
int set_seccomp_action(struct build *b, struct err *err);

int set_tty(struct build *b, struct err *err);
int set_stop_signal(struct build *b, struct err *err);
int set_preserve_fds(struct build *b, struct err *err);
int set_argv0(struct build *b, struct err *err);
int set_fd_out(struct build *b, struct err *err);
int set_fd_in(struct build *b, struct err *err);

/* The conflict table and the descriptors that are named twice. */
int check_conflicts(const struct build *b, const struct request *request, struct err *err);
