// SPDX-License-Identifier: MIT
/*
 * Mount points made in the user's own tree. The launcher removes them at the end if they are still
 * empty; where it was killed, or another box was using the directory, they stay. So each is made
 * with a mark, and the next box that wants the same place takes it for nobody's and has it removed
 * at its end.
 *
 * The mark is the sticky bit on what only its owner may write: there it means nothing, so nobody
 * else sets it, and it comes with the name in one system call. A program of an earlier box may set
 * it on an empty directory or file of the root directory: one that it could as well have removed.
 * Nothing of volumes is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/path.h>
#include <sandbox/wire.h>

#include "ops.h"

static bool is_left(const struct run *run, const struct stat *st)
{
	uid_t own = run->other_identity ? run->caller_uid : geteuid();

	return (S_ISDIR(st->st_mode) || (S_ISREG(st->st_mode) && st->st_size == 0)) &&
	       (st->st_mode & (S_ISVTX | S_IWGRP | S_IWOTH)) == S_ISVTX && st->st_uid == own;
}

static int tell(const struct run *run, int dir, const char *name, bool is_file)
{
	struct err msg = { .num = is_file };

	(void)snprintf(msg.what, sizeof(msg.what), "%s", name);
	return wire_send(run->wire, WIRE_FD, WIRE_SLOT_MADE, &msg, dir);
}

/* Before it is made: if we are killed in between there is nothing to remove, the other way round
 * nobody would. What is there already was not made by us. */
int made_announce(const struct run *run, int dir, const char *name, bool is_file)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return errno == ENOENT ? tell(run, dir, name, is_file) : -errno;
}

/* The identity of a mount. Linux 5.8; 0 is nobody's. */
static uint64_t mount_of(int fd)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) == 0 ? stx.stx_mnt_id : 0;
}

/* One name on the way, in the directory `dir`. */
static void adopt(const struct run *run, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_left(run, &st))
		(void)tell(run, dir, name, S_ISREG(st.st_mode));
}

void made_adopt(const struct run *run, const char *dst)
{
	uint64_t root = mount_of(run->root);
	autofd int dir = path_open_in(run->root, "/", O_DIRECTORY);

	if (root == 0)
		return;
	for (const char *p = dst + strspn(dst, "/"); *p && dir >= 0;) {
		size_t len = strcspn(p, "/");
		char name[NAME_MAX + 1];
		int next;

		if (len > NAME_MAX || mount_of(dir) != root)
			return;
		memcpy(name, p, len);
		name[len] = '\0';
		adopt(run, dir, name);
		p += len;
		p += strspn(p, "/");
		if (!*p)
			return;
		/* a link on the way ends it: what lies behind has another name */
		next = openat(dir, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
		fd_close(&dir);
		dir = next;
	}
}
