/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/* Who a uid is: /etc/passwd, else `getent passwd UID` (LDAP, SSSD, systemd-userdb). 0, -ENOENT, or
 * a negative errno. The strings are g_malloc'd; home is NULL unless it is absolute and clean. */
struct user {
	char *name, *home;
};
int user_find(uid_t uid, struct user *ret);
void user_clear(struct user *user);

/* The row of `uid` in the text of a passwd file; pure. */
int user_parse(const char *text, uid_t uid, struct user *ret);

/* A copy of `path` without trailing and doubled slashes, or NULL if it is not absolute, is "/",
 * has "." or ".." or a control character in it, or is too long; pure. */
char *user_home_clean(const char *path);

/* Whether a login name may be printed and passed on: no control character, no colon, not empty. */
int user_name_ok(const char *name);
