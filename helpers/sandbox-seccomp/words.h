/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "fault.h"
#include "policy.h"

/* Whether some architecture has a system call of that name. */
bool word_is_known(const char *name);

/* Calls `each` for every call a list names: names, @groups, numbers of the native architecture, apart by
 * commas. Members of groups that do not exist here are left out; anything else unknown is a fault,
 * with the nearest name as its mend. `name` is NULL for a number that has none. */
typedef void (*word_each)(void *data, const char *name, int nr);
int words_walk(const char *list, word_each each, void *data, struct fault *fault);

/* Adds one rule, and what it means for i386, where sockets and System V calls go through socketcall
 * and ipc as well. */
void rule_add(struct policy *policy, const struct policy_rule *rule);

/* Puts a list in front of the policy: this action for all of its calls. */
int words_add(struct policy *policy, const char *list, struct policy_do act, struct fault *fault);
