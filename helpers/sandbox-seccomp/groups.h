/* SPDX-License-Identifier: MIT */
#pragma once

/* A group: its name without the '@', what it is for, and its members apart by spaces; one that
 * begins with '@' is a group itself. @known has none: it is every call there is. */
struct group {
	const char *name, *help, *members;
};

/* NULL: there is none. group_first(): all of them, ended by a row without a name. */
const struct group *group_find(const char *name);
const struct group *group_first(void);
