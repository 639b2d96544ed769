/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Paths inside a tree that somebody else may have filled: every name is resolved as if `root`
 * were "/", so that neither ".." nor a symbolic link leads out of it (openat2 with
 * RESOLVE_IN_ROOT; a walk by hand where that answers ENOSYS, as under systemd's
 * RestrictSUIDSGID=). No magic links. Async-signal-safe.
 */

/* Opens `path` (absolute or relative, both meant below root) with O_PATH|O_CLOEXEC. Symbolic
 * links are followed inside the tree; `flags` may add O_NOFOLLOW (for the last component) and
 * O_DIRECTORY. Returns the descriptor or a negative errno. */
int path_open_in(int root, const char *path, int flags);

/* The same for a name of the kernel's own below a mount of ours: no link is followed at all. */
int path_open_beneath(int root, const char *path, int flags);

enum path_want { PATH_DIR, PATH_FILE };

enum path_may { PATH_MAY_NOT, PATH_MAY, PATH_MAY_ANNOUNCED };

struct path_made {
	/* Whether a missing name may be created in this directory (O_PATH). */
	enum path_may (*may_make)(int dir, void *data);
	/* Told about a name before it is created where may_make() wants that. It may change the
	 * mode; a negative errno keeps the name from being created. */
	int (*announce)(int dir, const char *name, enum path_want what, mode_t *mode, void *data);
	void *data;
};

/* Opens the mount point `path` below root; missing directories, and at the end a directory or an
 * empty file, are made where may_make() agrees, each by mkdirat or O_EXCL in a parent that is
 * held open, never through a link. -EROFS when it is missing and may not be made;
 * -ENOTDIR/-EISDIR when the kind is not the wanted one. */
int path_make_in(int root, const char *path, enum path_want want, mode_t mode,
		 const struct path_made *made);
