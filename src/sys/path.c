// SPDX-License-Identifier: MIT
/*
 * Path resolution during set-up is where this field's tools broke most often (bubblewrap
 * CVE-2026-87766, runc CVE-2021-30465 and kin): a volume that an earlier run could write holds
 * symbolic links made to lead the launcher out. So no destination is ever handed to the kernel
 * as a plain path string.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/path.h>
#include <sandbox/sys.h>

enum { LINKS_MAX = 40, DEPTH_MAX = 256, RACE_RETRIES = 32 };

/* The walk by hand: the stack holds the directories from root down to the current one. */
struct walk {
	int stack[DEPTH_MAX];
	int depth;
	int links;
	char rest[PATH_MAX];
};

static void walk_pop_to(struct walk *w, int depth)
{
	while (w->depth > depth)
		(void)close(w->stack[--w->depth]);
}

static int walk_push(struct walk *w, int fd)
{
	if (w->depth == DEPTH_MAX) {
		(void)close(fd);
		return -ENAMETOOLONG;
	}
	w->stack[w->depth++] = fd;
	return 0;
}

/* Puts the link's target in front of what is left of the path. */
static int walk_link(struct walk *w, int link, const char *rest)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	size_t left = strlen(rest);

	if (n < 0)
		return -errno;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + left >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n + 1, rest, left + 1);
	memcpy(w->rest, target, (size_t)n);
	w->rest[n] = '/';
	if (target[0] == '/')
		walk_pop_to(w, 1);
	return 0;
}

/* One component. Returns 1 when the path is used up and *ret is the result. */
static int walk_step(struct walk *w, int flags, int *ret)
{
	char *name = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(name, "/");
	char *rest = name + len + strspn(name + len, "/");
	bool last = *rest == '\0', slash = name[len] == '/';
	char component[NAME_MAX + 1];
	struct stat st;
	int fd, r;

	if (len == 0) {
		*ret = fcntl(w->stack[w->depth - 1], F_DUPFD_CLOEXEC, 3);
		return *ret < 0 ? -errno : 1;
	}
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(component, name, len);
	component[len] = '\0';
	if (strcmp(component, "..") == 0)
		walk_pop_to(w, w->depth > 1 ? w->depth - 1 : 1);
	if (strcmp(component, ".") == 0 || strcmp(component, "..") == 0) {
		memmove(w->rest, rest, strlen(rest) + 1);
		return 0;
	}
	fd = openat(w->stack[w->depth - 1], component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	if (S_ISLNK(st.st_mode) && !(last && !slash && (flags & O_NOFOLLOW))) {
		r = walk_link(w, fd, rest);
		(void)close(fd);
		return r;
	}
	if (last && (!slash || S_ISDIR(st.st_mode))) {
		*ret = fd;
		return 1;
	}
	if (!S_ISDIR(st.st_mode)) {
		(void)close(fd);
		return -ENOTDIR;
	}
	memmove(w->rest, rest, strlen(rest) + 1);
	return walk_push(w, fd);
}

static int path_walk(int root, const char *path, int flags, int links)
{
	struct walk w = { .links = LINKS_MAX - links };
	struct stat st;
	int fd = -EBADF, r;

	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	strcpy(w.rest, path);
	r = fcntl(root, F_DUPFD_CLOEXEC, 3);
	if (r < 0)
		return -errno;
	(void)walk_push(&w, r);
	do
		r = walk_step(&w, flags, &fd);
	while (r == 0);
	walk_pop_to(&w, 0);
	if (r < 0)
		return r;
	if ((flags & O_DIRECTORY) && (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))) {
		(void)close(fd);
		return -ENOTDIR;
	}
	return fd;
}

static int path_open(int root, const char *path, int flags, uint64_t resolve, int links)
{
	int fd = -EAGAIN;

	/* EAGAIN: a rename somewhere made the kernel unsure about a ".." (openat2(2)) */
	for (int i = 0; i < RACE_RETRIES && fd == -EAGAIN; i++)
		fd = sys_openat2(root, path, (uint64_t)(flags | O_PATH | O_CLOEXEC), resolve);
	return fd == -ENOSYS ? path_walk(root, path, flags, links) : fd;
}

int path_open_in(int root, const char *path, int flags)
{
	return path_open(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, LINKS_MAX);
}

int path_open_beneath(int root, const char *path, int flags)
{
	return path_open(root, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, 0);
}

static int check_kind(int fd, enum path_want want)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (want == PATH_DIR && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (want == PATH_FILE && S_ISDIR(st.st_mode))
		return -EISDIR;
	return 0;
}

static int make_name(int dir, const char *name, enum path_want want, mode_t mode,
		     const struct path_made *made)
{
	enum path_may may = made->may_make(dir, made->data);
	int fd, r = 0;

	if (may == PATH_MAY_NOT)
		return -EROFS;
	if (may == PATH_MAY_ANNOUNCED)
		r = made->announce(dir, name, want, &mode, made->data);
	if (r < 0)
		return r;
	if (want == PATH_DIR) {
		if (mkdirat(dir, name, mode) < 0)
			return -errno;
	} else {
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd < 0)
			return -errno;
		(void)close(fd);
	}
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Splits off the last component of path[0..len); leaf gets it. Returns the parent's length. */
static int split(const char *path, size_t len, char *leaf, size_t *ret_parent)
{
	size_t end = len, start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (end - start == 0)
		return -ENOENT;
	if (end - start > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(leaf, path + start, end - start);
	leaf[end - start] = '\0';
	if (strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0)
		return -EINVAL;
	*ret_parent = start;
	return 0;
}

static unsigned depth_of(const char *path)
{
	unsigned depth = 0;

	for (; *path; path++)
		depth += path[0] == '/' && path[1] != '/' && path[1] != '\0';
	return depth;
}

int path_make_in(int root, const char *path, enum path_want want, mode_t mode,
		 const struct path_made *made)
{
	char prefix[PATH_MAX], leaf[NAME_MAX + 1];
	autofd int parent = -EBADF;
	size_t parent_len;
	int fd, r;

	if (depth_of(path) > DEPTH_MAX)
		return -ENAMETOOLONG;
	/* a new name at the top of a root of ours, the most frequent case, in two calls */
	if (split(path, strlen(path), leaf, &parent_len) == 0 && strspn(path, "/") == parent_len) {
		fd = make_name(root, leaf, want, mode, made);
		if (fd != -EEXIST && fd != -EROFS)
			return fd;
	}
	fd = path_open_in(root, path, 0);
	if (fd >= 0) {
		r = check_kind(fd, want);
		if (r == 0)
			return fd;
		(void)close(fd);
		return r;
	}
	if (fd != -ENOENT)
		return fd;
	r = split(path, strlen(path), leaf, &parent_len);
	if (r < 0)
		return r;
	if (parent_len >= sizeof(prefix))
		return -ENAMETOOLONG;
	memcpy(prefix, path, parent_len);
	prefix[parent_len] = '\0';
	parent = path_make_in(root, parent_len ? prefix : "/", PATH_DIR, 0755, made);
	if (parent < 0)
		return parent;
	fd = make_name(parent, leaf, want, mode, made);
	if (fd != -EEXIST)
		return fd;
	/* somebody else has made it meanwhile, or it is a link to nothing */
	fd = path_open_in(root, path, 0);
	r = fd < 0 ? fd : check_kind(fd, want);
	if (r == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return fd == -ENOENT ? -EEXIST : r;
}
