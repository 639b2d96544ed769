// SPDX-License-Identifier: MIT
/* doctor: who runs this, inside of what, and what the user may have. */
#include <glib.h>
#include <inttypes.h>

#include "doctor.h"

#define KEYS_SPARE 8u

void doctor_confined(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;
	g_autoptr(GString) text = g_string_new(NULL);

	if (c->container[0] != '\0')
		g_string_append_printf(text, ", inside a container (%s)", c->container);
	if (c->in_userns)
		g_string_append(text, ", inside a user namespace");
	if (c->in_chroot)
		g_string_append(text, ", inside a chroot");
	if (c->proc_missing)
		g_string_append(text, ", without /proc");
	if (c->seccomp == 2)
		g_string_append(text, ", under a seccomp filter");
	if (c->no_new_privs)
		g_string_append(text, ", no_new_privs is set (setuid programs have no effect)");
	if (c->selinux[0] != '\0')
		g_string_append_printf(text, ", SELinux context %s", c->selinux);
	doctor_say(ret, MARK_INFO, "%s",
		   text->len > 0 ? text->str + 2 : "this process is not confined itself");
}

void doctor_root(struct facts *facts, struct result *ret)
{
	if (facts->host.userns_root)
		doctor_say(ret, MARK_OK, "root of a user namespace");
	else if (facts->host.euid == 0)
		doctor_say(ret, MARK_INFO,
			   "run by root: what is visible in a box is used with root's file "
			   "rights");
	else
		doctor_say(ret, MARK_OK, "%s (uid %u), no privilege needed", facts->host.user,
			   facts->host.uid);
}

void doctor_keys(struct facts *facts, struct result *ret)
{
	unsigned used, max;

	if (host_keys_probe(facts->host.uid, &used, &max) < 0)
		doctor_say(ret, MARK_OK, "no keys in use");
	else if (max - used > KEYS_SPARE || used > max)
		doctor_say(ret, MARK_OK, "%u of %u in use", used, max);
	else
		doctor_say(ret, MARK_WARN, "%u of %u in use; each box needs one", used, max);
	if (ret->mark == MARK_WARN)
		doctor_mend(ret, "sudo sysctl -w kernel.keys.maxkeys=2000");
}

void doctor_nproc(struct facts *facts, struct result *ret)
{
	uint64_t max = facts->host.nproc_hard;

	if (max == UINT64_MAX)
		doctor_say(ret, MARK_OK, "unlimited");
	else if (max >= 256)
		doctor_say(ret, MARK_OK, "%" PRIu64, max);
	else
		doctor_say(ret, MARK_WARN, "only %" PRIu64 " processes; a box counts against it",
			   max);
	if (ret->mark == MARK_WARN)
		doctor_mend(
			ret,
			"raise the hard limit of nproc in /etc/security/limits.conf, then log in "
			"again");
}

void doctor_runtime(struct facts *facts, struct result *ret)
{
	const char *dir = g_getenv("XDG_RUNTIME_DIR");
	const char *fault = dir != NULL ? host_runtime_fault(dir, facts->host.uid) : NULL;

	if (dir == NULL)
		doctor_say(ret, MARK_INFO, "XDG_RUNTIME_DIR is not set");
	else if (fault != NULL)
		doctor_say(ret, MARK_WARN, "XDG_RUNTIME_DIR: '%s' %s", dir, fault);
	else
		doctor_say(ret, MARK_OK, "%s", dir);
	if (fault != NULL)
		doctor_mend(ret, "unset XDG_RUNTIME_DIR, or log in again");
}
