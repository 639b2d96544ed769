// SPDX-License-Identifier: MIT
/* doctor: the kernel, its namespaces, and the mounts inside them. */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stddef.h>

#include "doctor.h"

void doctor_kernel(struct facts *facts, struct result *ret)
{
	const struct host_kernel *kernel = &facts->kernel;
	/* clang-format off */
	const struct { const char *name; bool there, needed; } calls[] = {
		{ "clone3",        kernel->clone3,        false },
		{ "openat2",       kernel->openat2,       false },
		{ "close_range",   kernel->close_range,   true },
		{ "pidfd_open",    kernel->pidfd,         true },
		{ "mount_setattr", kernel->mount_setattr, true },
	};
	/* clang-format on */
	g_autoptr(GString) missing = g_string_new(NULL);
	bool failed = false;

	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		if (calls[i].there)
			continue;
		g_string_append_printf(missing, " %s", calls[i].name);
		failed = failed || calls[i].needed;
	}
	if (failed) {
		doctor_say(ret, MARK_FAIL, "Linux %s lacks%s", kernel->release, missing->str);
		ret->code = ERR_KERNEL;
		doctor_mend(
			ret,
			"use Linux 5.12 or later, or allow these system calls in the seccomp filter "
			"of the container or service this runs in");
	} else if (missing->len > 0) {
		doctor_say(ret, MARK_WARN,
			   "Linux %s works, but these calls are hidden:%s (slower ways are "
			   "taken)",
			   kernel->release, missing->str);
	} else {
		doctor_say(ret, MARK_OK, "Linux %s has every system call that is used",
			   kernel->release);
	}
}

static void check_trial(struct facts *facts, enum host_trial trial, const char *good,
			struct result *ret)
{
	struct err err = { 0 };

	if (trial != HOST_TRIAL_NAMESPACES && !facts->namespaces) {
		doctor_say(ret, MARK_INFO, "not tried: it needs namespaces");
		return;
	}
	if (host_trial_run(trial, &err) == 0) {
		facts->namespaces = true;
		doctor_say(ret, MARK_OK, "%s", good);
		return;
	}
	doctor_say(ret, MARK_FAIL, "%s: %s", err.what,
		   err.cause[0] != '\0' ? err.cause : g_strerror(err.num));
	ret->code = err.code;
	if (err.fix[0] != '\0')
		doctor_mend(ret, "%s", err.fix);
}

void doctor_namespaces(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_NAMESPACES,
		    "user, mnt, pid, net, ipc, uts and cgroup namespaces can be made", ret);
}

void doctor_mounts(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_MOUNTS,
		    "tmpfs, recursive read-only binds and pivot_root work inside them", ret);
}

void doctor_proc(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_PROC, "a fresh /proc can be mounted", ret);
}

void doctor_sysfs(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_SYSFS, "a fresh /sys can be mounted", ret);
}

void doctor_quota(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;
	const struct host_ns *low_row = NULL;
	int64_t low = INT64_MAX;

	for (size_t i = 0; i < HOST_NS_MAX; i++) {
		if (c->ns_max[i] < 0 || c->ns_max[i] >= low)
			continue;
		low = c->ns_max[i];
		low_row = &host_ns_rows[i];
	}
	if (low_row == NULL)
		doctor_say(ret, MARK_INFO, "the quotas of namespaces cannot be read");
	else if (low >= 64)
		doctor_say(ret, MARK_OK, "at least %" PRId64 " of each kind of namespace a user",
			   low);
	else
		doctor_say(ret, MARK_WARN, "%s is %" PRId64, low_row->sysctl, low);
	if (low_row != NULL && ret->mark == MARK_WARN && !c->in_userns)
		doctor_mend(ret,
			    "echo %s=16384 | sudo tee -a /etc/sysctl.d/60-sandbox.conf && "
			    "sudo sysctl -p /etc/sysctl.d/60-sandbox.conf",
			    low_row->sysctl);
}
