// SPDX-License-Identifier: MIT
/*
 * Removing a tree that somebody else has filled. Nothing is followed: each name is removed from a
 * directory that is held open. What lies deep is moved up first, so that neither descriptors nor the
 * stack run out. No allocation: the box's first process does this too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/sys.h>

enum { DEPTH_MAX = 16, DIRENTS = 2048, PASSES_MAX = 1 << 20 };

struct entry { /* struct linux_dirent64, getdents64(2) */
	uint64_t ino;
	int64_t next;
	uint16_t len;
	uint8_t type;
	char name[];
};

struct removal {
	int top;
	unsigned moved;
};

static int open_below(int dir, const char *name)
{
	enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	int fd = openat(dir, name, FLAGS);
	struct stat st;

	/* a directory that its owner has closed to itself */
	if (fd < 0 && errno == EACCES && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode) && fchmodat(dir, name, 0700, 0) == 0)
		fd = openat(dir, name, FLAGS);
	return fd;
}

static bool empty_dir(struct removal *r, int dir, int depth);

static bool move_up(struct removal *r, int dir, const char *name)
{
	char to[32];

	(void)snprintf(to, sizeof(to), ".moved-%u", r->moved++);
	return renameat(dir, name, r->top, to) == 0;
}

static bool remove_entry(struct removal *r, int dir, const char *name, int depth)
{
	autofd int below = -EBADF;

	if (unlinkat(dir, name, 0) == 0)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return false;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return true;
	if (depth == DEPTH_MAX)
		return move_up(r, dir, name);
	below = open_below(dir, name);
	return below >= 0 && empty_dir(r, below, depth + 1) &&
	       unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

/* One reading of the directory; *ret_left: something is still there. Returns whether any went. */
static bool pass(struct removal *r, int dir, int depth, bool *ret_left)
{
	_Alignas(struct entry) char buf[DIRENTS];
	bool went = false;
	long n;

	*ret_left = false;
	(void)lseek(dir, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buf + at);

			at += e->len;
			if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
				continue;
			*ret_left = true;
			went |= remove_entry(r, dir, e->name, depth);
		}
	}
	return went;
}

static bool empty_dir(struct removal *r, int dir, int depth)
{
	bool left = true;

	(void)fchmod(dir, 0700);
	for (int i = 0; i < PASSES_MAX && left; i++)
		if (!pass(r, dir, depth, &left) && left)
			return false;
	return !left;
}

int sys_remove_tree(int dir, const char *name)
{
	autofd int top = open_below(dir, name);
	struct removal r = { .top = top };

	if (top < 0)
		return -errno;
	if (!empty_dir(&r, top, 0))
		return -ENOTEMPTY;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
