// SPDX-License-Identifier: MIT
/* doctor: subordinate ids, and the programs that map them. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "doctor.h"

#define SUBID_COUNT 65536u

static bool all_digits(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

static char *shell_word(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("._-", *p) == NULL)
			return g_shell_quote(text);
	return g_strdup(text);
}

/* usermod(8) knows local users; for others the lines are written by hand. */
static void mend_subids(const struct host *host, struct result *ret)
{
	g_autofree char *shown = shell_word(host->user);
	uint32_t start = host_subid_free(SUBID_COUNT);

	if (host->subid_nss) {
		doctor_mend(
			ret,
			"add ranges for %s in the service that 'subid:' in /etc/nsswitch.conf names",
			shown);
		return;
	}
	if (start == 0)
		return;
	if (all_digits(host->user))
		doctor_mend(ret, "echo %s:%u:%u | sudo tee -a /etc/subuid /etc/subgid", shown,
			    start, SUBID_COUNT);
	else
		doctor_mend(ret, "sudo usermod --add-subuids %u-%u --add-subgids %u-%u %s", start,
			    start + SUBID_COUNT - 1, start, start + SUBID_COUNT - 1, shown);
}

static uint64_t count_ids(const struct subid_range *ranges, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ranges[i].count;
	return sum;
}

void doctor_subids(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;
	uint64_t uids = count_ids(host->subuids, host->nsubuids);
	uint64_t gids = count_ids(host->subgids, host->nsubgids);

	if (uids > 0 && gids > 0) {
		doctor_say(ret, MARK_OK, "%" PRIu64 " uids from %u, %" PRIu64 " gids from %u", uids,
			   host->subuids[0].start, gids, host->subgids[0].start);
		if (uids < SUBID_COUNT || gids < SUBID_COUNT)
			doctor_say(ret, MARK_WARN,
				   "only %" PRIu64 " uids and %" PRIu64 " gids; packages of a "
				   "distribution expect 65536",
				   uids, gids);
	} else {
		doctor_say(ret, MARK_WARN,
			   "%s has no subordinate %s: a box with --rootfs has one id instead "
			   "of many",
			   host->user,
			   uids > 0   ? "gids"
			   : gids > 0 ? "uids"
				      : "uids and gids");
		ret->code = ERR_SUBID_NONE;
	}
	/* inside a container the ids would have to exist outside as well */
	if (facts->confinement.in_userns && ret->mark == MARK_WARN)
		ret->mark = MARK_INFO;
	if (ret->mark == MARK_WARN)
		mend_subids(host, ret);
}

static void try_ranges(const struct host *host, struct result *ret)
{
	struct err err = { 0 };

	if (host_trial_ranges(host, &err) == 0) {
		doctor_say(ret, MARK_OK, "%s and %s map those ids", host->newuidmap,
			   host->newgidmap);
		return;
	}
	doctor_say(ret, MARK_WARN, "%s: %s", err.what,
		   err.cause[0] != '\0' ? err.cause : g_strerror(err.num));
	ret->code = err.code;
	if (err.fix[0] != '\0')
		doctor_mend(ret, "%s", err.fix);
}

void doctor_newuidmap(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;
	bool there = host->newuidmap != NULL && host->newgidmap != NULL;

	if (host->euid == 0) {
		doctor_say(ret, MARK_OK, "not needed by root");
		return;
	}
	if (host->subid_reason == NULL && facts->namespaces) {
		try_ranges(host, ret);
		return;
	}
	if (there && (host->subid_reason == NULL || host->nsubuids == 0 || host->nsubgids == 0)) {
		doctor_say(ret, MARK_OK, "%s and %s are installed and privileged", host->newuidmap,
			   host->newgidmap);
		return;
	}
	ret->code = ERR_SUBID_HELPER;
	if (!there) {
		doctor_say(ret, MARK_WARN,
			   "newuidmap or newgidmap is not installed: subordinate ids cannot be "
			   "used");
		doctor_mend(
			ret,
			"sudo apt install uidmap (Debian, Ubuntu); sudo dnf install shadow-utils "
			"(Fedora, RHEL); sudo zypper install shadow (openSUSE); sudo apk add "
			"shadow-uidmap (Alpine); sudo pacman -S shadow (Arch)");
		return;
	}
	doctor_say(ret, MARK_WARN, "%s", host->subid_reason);
	/* seen from inside a user namespace, root's files are nobody's */
	if (!host->no_new_privs && !facts->confinement.in_userns)
		doctor_mend(ret, "sudo chown root:root %s %s && sudo chmod u+s %s %s",
			    host->newuidmap, host->newgidmap, host->newuidmap, host->newgidmap);
}
