/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What files of /proc say, as texts: pure. The kernel writes them, but names in them (mount points,
 * cgroups) are anybody's, and so is a /proc that a container put up. */

/* The path of "0::/PATH" in the text of /proc/PID/cgroup, g_malloc'd. NULL: no such row, or one that
 * begins with "..", which lies outside of our cgroup namespace. */
char *procfs_own_cgroup(const char *text);

/* Whether `id` is inside of a uid_map or gid_map; *ret_whole: the map is the first namespace's. */
bool procfs_id_mapped(const char *text, uint32_t id, bool *ret_whole);

/* Whether a row of mountinfo is mounted at "/". */
bool procfs_has_root(const char *mountinfo);

/* The first mount points below `top`, for a message: ": /proc/a, /proc/b, and more", or "". */
void procfs_list_below(const char *mountinfo, const char *top, char *out, size_t size);

/* Rows of /proc/PID/status; -1 and false where there is none. */
struct procfs_status {
	int seccomp; /* 0 none, 1 strict, 2 filter */
	bool no_new_privs, sys_admin;
};
struct procfs_status procfs_status(const char *text);
