/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include <sandbox/err.h>
#include <sandbox/host.h>

/*
 * The checks of `sandbox doctor`: one function each, in doctor-*.c by concern, in the order of the
 * table in doctor.c. A check looks at the facts, or tries; it changes nothing.
 */
enum mark { MARK_OK, MARK_INFO, MARK_WARN, MARK_FAIL };

struct facts {
	struct host host;
	struct host_kernel kernel;
	struct host_confinement confinement;
	struct host_cgroup cgroup;
	bool namespaces;            /* the first trial went well: the others can be tried */
	struct limit_trial *limits; /* doctor-trial.c; NULL: nothing tried yet */
};

struct result {
	enum mark mark;
	enum err_code code;
	char *detail;
	char *fix;      /* may have several lines; NULL: nothing to mend */
	const char *by; /* of a limit: who enforces it; NULL elsewhere */
	bool exact;     /* and whether exactly */
};

struct check {
	const char *id, *title;
	void (*run)(struct facts *facts, struct result *ret);
};

void doctor_say(struct result *ret, enum mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_mend(struct result *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* doctor-output.c: `n` rows each of `checks` and `results`. */
void doctor_print_human(GString *out, const struct check *checks, const struct result *results,
			size_t n, unsigned failed);
void doctor_print_json(GString *out, const struct check *checks, const struct result *results,
		       size_t n, unsigned failed);

/* doctor-namespaces.c */
void doctor_kernel(struct facts *facts, struct result *ret);
void doctor_namespaces(struct facts *facts, struct result *ret);
void doctor_quota(struct facts *facts, struct result *ret);
void doctor_mounts(struct facts *facts, struct result *ret);
void doctor_proc(struct facts *facts, struct result *ret);
void doctor_sysfs(struct facts *facts, struct result *ret);

/* doctor-user.c */
void doctor_root(struct facts *facts, struct result *ret);
void doctor_confined(struct facts *facts, struct result *ret);
void doctor_nproc(struct facts *facts, struct result *ret);
void doctor_keys(struct facts *facts, struct result *ret);
void doctor_runtime(struct facts *facts, struct result *ret);

/* doctor-subids.c */
void doctor_subids(struct facts *facts, struct result *ret);
void doctor_newuidmap(struct facts *facts, struct result *ret);

/* doctor-security.c */
void doctor_apparmor(struct facts *facts, struct result *ret);
void doctor_seccomp(struct facts *facts, struct result *ret);
void doctor_landlock(struct facts *facts, struct result *ret);

/* doctor-limits.c */
void doctor_cgroup(struct facts *facts, struct result *ret);
void doctor_bus(struct facts *facts, struct result *ret);
void doctor_cpus(struct facts *facts, struct result *ret);
void doctor_cpu_weight(struct facts *facts, struct result *ret);
void doctor_cpuset(struct facts *facts, struct result *ret);
void doctor_memory(struct facts *facts, struct result *ret);
void doctor_memory_high(struct facts *facts, struct result *ret);
void doctor_memory_swap(struct facts *facts, struct result *ret);
void doctor_pids(struct facts *facts, struct result *ret);
void doctor_io_read(struct facts *facts, struct result *ret);
void doctor_io_write(struct facts *facts, struct result *ret);
void doctor_cpu_time(struct facts *facts, struct result *ret);

/* doctor-trial.c: asks for every limit in a run, once. */
enum doctor_limit {
	DOCTOR_CPU,
	DOCTOR_CPU_WEIGHT,
	DOCTOR_CPUSET,
	DOCTOR_MEMORY,
	DOCTOR_MEMORY_HIGH,
	DOCTOR_MEMORY_SWAP,
	DOCTOR_PIDS,
	DOCTOR_IO_READ,
	DOCTOR_IO_WRITE,
	DOCTOR_CPU_TIME,
	_DOCTOR_LIMIT_MAX
};
struct limit_answer {
	char *by; /* "cgroup", "soft", ...; NULL: refused, or not known */
	bool exact;
	char *cause; /* of the refusal; NULL: none */
};
const struct limit_answer *doctor_limit(struct facts *facts, enum doctor_limit limit);
void doctor_limits_clear(struct limit_trial *trial);

/* doctor-network.c */
void doctor_tun(struct facts *facts, struct result *ret);
void doctor_dns(struct facts *facts, struct result *ret);
void doctor_low_ports(struct facts *facts, struct result *ret);
void doctor_network(struct facts *facts, struct result *ret);
