/* SPDX-License-Identifier: MIT */
#pragma once

#include "fault.h"
#include "policy.h"
#include "profile.h"

/* The words after `compile` and `check`. */
enum base { BASE_DEFAULT, BASE_STRICT, BASE_OPEN, BASE_PROFILE };

struct request_list {
	const char *text;
	bool deny;
};

struct request {
	enum base base;
	struct policy_do act; /* of the lists and strict */
	GArray *lists;        /* struct request_list, as given */
	struct profile_facts facts;
	bool multiarch, nested;
	char *source; /* of the profile; owned */
	size_t len;
};

/* argv: the words after the verb. Reads standard input if there is a profile to be read. */
int request_read(struct request *ret, int argc, char **argv, struct fault *fault);
void request_clear(struct request *request);

/* The policy that is asked for; both are to be cleared in every case. notes->unknown is owned by the
 * caller. */
int request_policy(const struct request *request, struct policy *ret, struct profile_notes *notes,
		   struct fault *fault);

/* strict.c */
void strict_policy(struct policy *ret, bool multiarch, struct policy_do refused);
