// SPDX-License-Identifier: MIT
/* doctor: what a network of its own needs. */
#include <glib.h>

#include <string.h>

#include <sandbox/spawn.h>

#include "doctor.h"

enum { TRIAL_MS = 30000 };

/* No fault where it is missing: a veth pair with a packet socket does the same as fast. */
void doctor_tun(struct facts *facts, struct result *ret)
{
	int r = host_tun_probe();

	(void)facts;
	if (r == 0)
		doctor_say(ret, MARK_OK, "/dev/net/tun can be opened");
	else
		doctor_say(ret, MARK_INFO, "no /dev/net/tun (%s): a veth pair does the same",
			   g_strerror(-r));
}

/* The rest of the line that begins with `key`; NULL: there is none. Freed by the caller. */
static char *line_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at)
		return NULL;
	at += strlen(key);
	return g_strndup(at, strcspn(at, "\n"));
}

/* What refused the trial, in its own words. */
static void explain(const char *said, struct result *ret)
{
	g_autofree char *what = line_of(said, "]: ");
	g_autofree char *cause = line_of(said, "  cause: ");
	g_autofree char *fix = line_of(said, "  fix: ");

	doctor_say(ret, MARK_WARN, "%s%s%s", what ? what : "the trial ended without a word",
		   cause ? ": " : "", cause ? cause : "");
	doctor_mend(ret, "%s", fix ? fix : "see sandbox-errors(7)");
}

/* Tried as a user would: helper, interface, confinement, all of it. */
void doctor_network(struct facts *facts, struct result *ret)
{
	const char *const argv[] = {
		"/proc/self/exe", "run", "-q",      "--no-profile", "--cwd", "none", "--network",
		"user",           "--",  "/bin/sh", "-c",           ":",     NULL
	};
	char said[4096] = "";
	int r;

	if (!facts->namespaces) {
		doctor_say(ret, MARK_INFO, "not tried: it needs namespaces");
		return;
	}
	r = spawn_run((char *const *)(uintptr_t)argv, said, sizeof(said), TRIAL_MS);
	if (r == 0)
		doctor_say(ret, MARK_OK, "a box gets a network of its own (--network user)");
	else
		explain(said, ret);
}
