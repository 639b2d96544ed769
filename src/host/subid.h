/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <sandbox/host.h>
#include <sandbox/idmap.h>

/* The ranges of one user in the text of /etc/subuid or /etc/subgid, as shadow reads it: lines
 * "OWNER:START:COUNT", the owner by name or by number; what is malformed is skipped. `own` (the
 * user's own uid or gid) is cut out of them, as are ids given twice; adjacent ranges are joined.
 * Pure; *ret is g_malloc'd, NULL for none. */
void subid_parse(const char *text, const char *user, uid_t uid, uint32_t own,
		 struct subid_range **ret, size_t *ret_n);

/* The same for the output of getsubids(1): "0: USER 100000 65536". */
void subid_parse_getsubids(const char *text, uint32_t own, struct subid_range **ret, size_t *ret_n);

/* Whether the text of nsswitch.conf gives subordinate ids to something else than the files. */
bool subid_elsewhere(const char *nsswitch);

/* host_subid_free() on a text: subuid and subgid, one after the other. Pure. */
uint32_t subid_free(const char *text, uint32_t count);

/* Fills subuids, subgids, newuidmap, newgidmap and subid_reason. */
void subid_probe(struct host *host);
