// SPDX-License-Identifier: MIT
/*
 * `sandbox doctor`: everything a run depends on, checked before anything fails, each with the
 * command that mends it. One row per check; FAIL is kept for what stops a plain run, so that the
 * exit status is the answer to one question. Nothing is changed. The checks are in doctor-*.c.
 */
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/cmd.h>

#include "doctor.h"

void doctor_say(struct result *ret, enum mark mark, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_free(ret->detail);
	ret->detail = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	ret->mark = mark;
}

void doctor_mend(struct result *ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_free(ret->fix);
	ret->fix = g_strdup_vprintf(fmt, ap);
	va_end(ap);
}

/* clang-format off */
static const struct check checks[] = {
	{ "user",       "user",               doctor_root },
	{ "confined",   "surroundings",       doctor_confined },
	{ "kernel",     "kernel",             doctor_kernel },
	{ "namespaces", "namespaces",         doctor_namespaces },
	{ "apparmor",   "AppArmor",           doctor_apparmor },
	{ "quota",      "namespace quota",    doctor_quota },
	{ "mounts",     "mounts",             doctor_mounts },
	{ "proc",       "fresh /proc",        doctor_proc },
	{ "sysfs",      "fresh /sys",         doctor_sysfs },
	{ "nproc",      "process limit",      doctor_nproc },
	{ "keys",       "kernel keys",        doctor_keys },
	{ "subids",     "subordinate ids",    doctor_subids },
	{ "newuidmap",  "newuidmap",          doctor_newuidmap },
	{ "seccomp",    "seccomp",            doctor_seccomp },
	{ "landlock",   "Landlock",           doctor_landlock },
	{ "cgroup",     "cgroups",            doctor_cgroup },
	{ "bus",        "user's systemd",     doctor_bus },
	{ "limit-cpu",         "--cpus",        doctor_cpus },
	{ "limit-cpu-weight",  "--cpu-weight",  doctor_cpu_weight },
	{ "limit-cpuset",      "--cpuset",      doctor_cpuset },
	{ "limit-memory",      "--memory",      doctor_memory },
	{ "limit-memory-high", "--memory-high", doctor_memory_high },
	{ "limit-memory-swap", "--memory-swap", doctor_memory_swap },
	{ "limit-pids",        "--pids-limit",  doctor_pids },
	{ "limit-io-read",     "--io-read",     doctor_io_read },
	{ "limit-io-write",    "--io-write",    doctor_io_write },
	{ "limit-cpu-time",    "--cpu-time",    doctor_cpu_time },
	{ "runtime",    "runtime directory",  doctor_runtime },
	{ "tun",        "network device",     doctor_tun },
	{ "network",    "--network user",     doctor_network },
	{ "dns",        "name servers",       doctor_dns },
	{ "low-ports",  "published ports",    doctor_low_ports },
};
/* clang-format on */

struct arguments {
	bool json, help;
};

static int parse(int argc, char **argv, struct arguments *ret, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ret->json = true;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			ret->help = true;
		else
			return cmd_no_more(argv, i, err);
	}
	return 0;
}

static unsigned run_checks(struct facts *facts, struct result *results)
{
	unsigned failed = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
		checks[i].run(facts, &results[i]);
		failed += results[i].mark == MARK_FAIL;
	}
	return failed;
}

static void free_all(struct facts *facts, struct result *results)
{
	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
		g_free(results[i].detail);
		g_free(results[i].fix);
	}
	host_clear(&facts->host);
	host_cgroup_clear(&facts->cgroup);
	doctor_limits_clear(facts->limits);
}

static int examine(bool json, struct err *err)
{
	struct result results[G_N_ELEMENTS(checks)] = { 0 };
	g_autoptr(GString) out = g_string_new(NULL);
	struct facts facts = { 0 };
	unsigned failed;
	int r = host_probe(&facts.host, HOST_WANT_SUBIDS, environ, err);

	if (r < 0)
		return r;
	host_kernel_probe(&facts.kernel);
	host_confinement_probe(&facts.confinement);
	host_cgroup_probe(&facts.cgroup, facts.host.uid);
	failed = run_checks(&facts, results);
	(json ? doctor_print_json : doctor_print_human)(out, checks, results, G_N_ELEMENTS(checks),
							failed);
	free_all(&facts, results);
	(void)fputs(out->str, stdout);
	r = cmd_flush(err);
	return r < 0 || failed == 0 ? r : 125;
}

/* 0: a plain run works here; 125: it does not. */
int cmd_doctor(int argc, char **argv, struct err *err)
{
	struct arguments args = { 0 };
	char help[] = "help", doctor[] = "doctor", *topic[] = { help, doctor, NULL };
	int r = parse(argc, argv, &args, err);

	if (r < 0)
		return r;
	return args.help ? cmd_help(2, topic, err) : examine(args.json, err);
}
