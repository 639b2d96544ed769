// SPDX-License-Identifier: MIT
/*
 * The user database, answered with "no such user". GLib refers to it for g_get_home_dir() and its kin,
 * which nothing here calls: in a static program it would load shared libraries by the caller's
 * nsswitch.conf, of the very glibc it was linked with. With these in its place none of that is linked
 * (the linker's warnings about it had been true), and a call that slips in gets an answer that is
 * always the same. What is needed of passwd is read by host/user.c.
 */
#include <pwd.h>
#include <stddef.h>

struct passwd *getpwuid(uid_t uid)
{
	(void)uid;
	return NULL;
}

int getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t buflen, struct passwd **result)
{
	(void)uid;
	(void)pwd;
	(void)buf;
	(void)buflen;
	*result = NULL;
	return 0;
}

int getpwnam_r(const char *name, struct passwd *pwd, char *buf, size_t buflen,
	       struct passwd **result)
{
	(void)name;
	(void)pwd;
	(void)buf;
	(void)buflen;
	*result = NULL;
	return 0;
}
