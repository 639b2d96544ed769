/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "fault.h"
#include "policy.h"

/* What a profile may ask about the place it is used in. */
struct profile_facts {
	uint64_t caps;   /* the command's, by number */
	unsigned kernel; /* 6*1000+1 for Linux 6.1 */
};

/* What reading it has told besides the policy. */
struct profile_notes {
	unsigned entries,
		skipped;    /* of "syscalls"; not for these capabilities, architecture, kernel */
	unsigned flags;     /* SECCOMP_FILTER_FLAG_* */
	GPtrArray *unknown; /* char *: names that no architecture has */
	bool unknown_slips; /* one of them would be refused, and is let through */
};

/* Reads a profile as docker, podman and the OCI runtime specification have it; a whole config.json
 * will do. *ret is initialised here, and to be cleared in every case. */
int profile_read(struct policy *ret, struct profile_notes *notes, const char *text, size_t len,
		 const struct profile_facts *facts, struct fault *fault);
