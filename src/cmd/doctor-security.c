// SPDX-License-Identifier: MIT
/* doctor: security modules and filters. */
#include <glib.h>
#include <string.h>

#include "doctor.h"

/* The switch as such; whether it hits us is what the trial has shown. */
void doctor_apparmor(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;
	g_autofree char *profile = host_apparmor_profile(c->exe);

	if (c->apparmor_restrict != 1) {
		doctor_say(ret, MARK_OK,
			   c->apparmor[0] == '\0' ? "not active"
						  : "does not restrict user namespaces");
		return;
	}
	if (facts->namespaces) {
		doctor_say(ret, MARK_OK, "restricts user namespaces, but not this program (%s)",
			   c->sys_admin ? "root" : c->apparmor);
		return;
	}
	doctor_say(ret, MARK_WARN,
		   "kernel.apparmor_restrict_unprivileged_userns is 1: only programs with a "
		   "profile may use user namespaces");
	if (c->profile[0] != '\0')
		doctor_mend(ret,
			    "sudo cp %s /etc/apparmor.d/sandbox && "
			    "sudo apparmor_parser -r /etc/apparmor.d/sandbox",
			    c->profile);
	else if (profile == NULL)
		doctor_mend(
			ret,
			"install sandbox where its path has only letters, digits and ._+-, then run "
			"this again");
	else
		doctor_mend(
			ret,
			"save this as /etc/apparmor.d/sandbox, then run: sudo apparmor_parser -r "
			"/etc/apparmor.d/sandbox\n%s",
			profile);
}

void doctor_landlock(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;

	int abi = facts->kernel.landlock_abi;

	if (abi > 0)
		doctor_say(ret, MARK_OK, "ABI %d%s%s", abi,
			   abi < 6 ? ": abstract sockets and signals are confined from 6 on" : "",
			   facts->namespaces || abi < 2 ? ""
							: "; --backend landlock works without "
							  "namespaces, and confines less");
	else
		doctor_say(ret, MARK_INFO, "not available%s%s",
			   c->lsm[0] != '\0' ? "; active modules: " : "", c->lsm);
	if (facts->kernel.landlock_abi == 0 && facts->kernel.version >= 5013 && c->lsm[0] != '\0')
		doctor_mend(ret, "add to the kernel's command line: lsm=landlock,%s", c->lsm);
}

void doctor_seccomp(struct facts *facts, struct result *ret)
{
	if (facts->kernel.seccomp)
		doctor_say(ret, MARK_OK, "filters can be loaded");
	else
		doctor_say(ret, MARK_WARN,
			   "the kernel has no seccomp filters: --seccomp off is needed");
}
