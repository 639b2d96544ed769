// SPDX-License-Identifier: MIT
/* doctor: cgroups, and who would enforce each limit here. */
#include <glib.h>
#include <unistd.h>

#include "doctor.h"

static bool has_word(const char *list, const char *word)
{
	g_auto(GStrv) words = g_strsplit(list != NULL ? list : "", " ", -1);

	return g_strv_contains((const char *const *)words, word);
}

static void mend_delegation(struct result *ret)
{
	doctor_mend(ret, "sudo mkdir -p /etc/systemd/system/user@.service.d\n"
			 "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
			 "sudo tee /etc/systemd/system/user@.service.d/delegate.conf\n"
			 "sudo systemctl daemon-reload\n"
			 "then log out and in again");
}

/* Limits fall back to ways without cgroups, so nothing here is a failure. */
void doctor_cgroup(struct facts *facts, struct result *ret)
{
	static const char *const wanted[] = { "cpu", "memory", "pids", "io", "cpuset" };
	static const char *const layouts[] = {
		[CGROUP_ABSENT] = "no cgroups are mounted",
		[CGROUP_V1] = "cgroup v1 only",
		[CGROUP_HYBRID] = "hybrid: cgroup v1 with a v2 tree beside it",
		[CGROUP_V2] = "cgroup v2",
	};
	const struct host_cgroup *cgroup = &facts->cgroup;
	const char *have = cgroup->writable ? cgroup->controllers : cgroup->delegated;
	g_autoptr(GString) missing = g_string_new(NULL);

	if (cgroup->layout != CGROUP_V2) {
		doctor_say(ret, MARK_INFO, "%s; limits are enforced without cgroups",
			   layouts[cgroup->layout]);
		return;
	}
	if (!cgroup->writable && cgroup->manager == NULL) {
		doctor_say(ret, MARK_INFO,
			   "cgroup v2, nothing delegated to this user; limits are enforced "
			   "without cgroups");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!has_word(have, wanted[i]))
			g_string_append_printf(missing, " %s", wanted[i]);
	doctor_say(ret, missing->len > 0 ? MARK_WARN : MARK_OK, "cgroup v2, delegated: %s%s%s",
		   have != NULL && *have != '\0' ? have : "none",
		   missing->len > 0 ? "; not delegated:" : "", missing->str);
	if (missing->len > 0 && cgroup->manager != NULL)
		mend_delegation(ret);
}

void doctor_bus(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;

	if (facts->cgroup.bus != NULL) {
		doctor_say(ret, MARK_OK, "%s", facts->cgroup.bus);
		return;
	}
	doctor_say(ret, MARK_INFO, "no systemd to ask for a cgroup (no bus socket of uid %u)",
		   host->uid);
	if (access("/run/systemd/system", F_OK) == 0 && host->uid != 0) {
		ret->mark = MARK_WARN;
		doctor_mend(ret,
			    "log in by ssh or on a console, or: sudo loginctl enable-linger %u",
			    host->uid);
	}
}
