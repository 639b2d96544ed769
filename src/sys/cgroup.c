// SPDX-License-Identifier: MIT
/* The directories of cgroup v2 that a box uses: see <sandbox/cgroup.h>. File work alone, with the
 * rights of the caller. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "cgroup.h"

enum {
	LOCK_MS = 1500,    /* others hold it for a moment */
	REMOVE_MS = 500,   /* until the last zombie is gone */
	MOVE_ROUNDS = 1000 /* against processes that fork faster than they are moved */
};

#define SUP    "sandbox-sup"
#define PREFIX "sandbox-"
#define DEPTH  "32"
#define MARK   "user.sandbox.box" /* on the directory of a box, from Linux 5.7 on */

/* ---- files ---- */

int cgroup_write(int dir, const char *file, const char *text)
{
	autofd int fd = openat(dir, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

bool cgroup_has(int dir, const char *file)
{
	return faccessat(dir, file, F_OK, 0) == 0;
}

static ssize_t read_file(int dir, const char *file, char *text, size_t size)
{
	autofd int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

int cgroup_line(int dir, const char *file, char *ret, size_t size)
{
	ssize_t n = read_file(dir, file, ret, size);

	if (n < 0) {
		ret[0] = '\0';
		return (int)n;
	}
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

uint64_t cgroup_figure(int dir, const char *file, const char *key)
{
	char text[4096] = "";
	size_t len = strlen(key);

	if (read_file(dir, file, text, sizeof(text)) <= 0)
		return 0;
	for (char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && (len == 0 || line[len] == ' '))
			return strtoull(line + len, NULL, 10);
	}
	return 0;
}

static void pause_ms(void)
{
	const struct timespec ms = { .tv_nsec = 1000 * 1000 };

	(void)nanosleep(&ms, NULL);
}

/* ---- locks ---- */

static int open_file(int dir, const char *name, const char *file)
{
	char path[NAME_MAX + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", name, file);
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* In a directory that was given to us, cgroup.kill may be root's still (it is no file of
 * /sys/kernel/cgroup/delegate), and before Linux 5.14 it is not there. */
static int open_lock(int dir, const char *name)
{
	int fd = open_file(dir, name, "cgroup.kill");

	return fd == -EACCES || fd == -ENOENT ? open_file(dir, name, "cgroup.procs") : fd;
}

int cgtree_lock(const struct cgtree *tree)
{
	autofd int fd = open_lock(tree->base, ".");

	if (fd < 0)
		return fd;
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i >= LOCK_MS)
			return -errno;
		pause_ms();
	}
	return fd_steal(&fd);
}

/* ---- processes ---- */

/* What is in cgroup.procs now: 0 when nothing is. `one` gets each; a failure ends it. A threaded
 * cgroup tells its threads alone. */
static int each_process(int dir, int (*one)(int arg, pid_t pid), int arg)
{
	char text[4096], *end;
	ssize_t n = read_file(dir, "cgroup.procs", text, sizeof(text));
	int r = 0;

	if (n == -EOPNOTSUPP)
		n = read_file(dir, "cgroup.threads", text, sizeof(text));
	end = n > 0 ? strrchr(text, '\n') : NULL;

	if (n <= 0 || !end)
		return n < 0 ? (int)n : 0;
	*end = '\0';
	for (char *p = text, *next; r == 0 && p; p = next) {
		next = strchr(p, '\n');
		next = next ? next + 1 : NULL;
		r = one(arg, (pid_t)strtol(p, NULL, 10));
	}
	return r < 0 ? r : 1;
}

static int move_one(int procs, pid_t pid)
{
	char text[16];

	/* 0 is one of a PID namespace we do not see; written, it would mean ourselves */
	if (pid <= 0)
		return -EPERM;
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	return write(procs, text, strlen(text)) < 0 && errno != ESRCH ? -errno : 0;
}

static int move_all(int from, int to)
{
	autofd int procs = openat(to, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	int r = procs < 0 ? -errno : 1;

	for (int i = 0; r > 0 && i < MOVE_ROUNDS; i++)
		r = each_process(from, move_one, procs);
	return r > 0 ? -EBUSY : r;
}

static int kill_one(int sig, pid_t pid)
{
	if (pid > 0)
		(void)kill(pid, sig);
	return 0;
}

static int count_one(int self, pid_t pid)
{
	return pid == self ? 0 : -EBUSY;
}

/* ---- directories ---- */

/* As choose_name makes it: PREFIX, the launcher, '-', the time. */
static bool is_name(const char *name)
{
	size_t len = strlen(PREFIX), digits, hex;

	if (strncmp(name, PREFIX, len) != 0)
		return false;
	digits = strspn(name + len, "0123456789");
	name += len + digits;
	hex = *name == '-' ? strspn(name + 1, "0123456789abcdef") : 0;
	return digits > 0 && hex > 8 && name[1 + hex] == '\0';
}

static int open_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* Ours, and not what somebody else has named like that: its processes would be killed. */
static bool is_box(int base, const char *name)
{
	autofd int dir = is_name(name) ? open_dir(base, name) : -EBADF;
	char byte;

	return dir >= 0 && (fgetxattr(dir, MARK, &byte, sizeof(byte)) > 0 || errno == EOPNOTSUPP);
}

static int mark_box(int box)
{
	return fsetxattr(box, MARK, "1", 1, 0) < 0 && errno != EOPNOTSUPP ? -errno : 0;
}

static DIR *open_list(int dir)
{
	int fd = open_dir(dir, ".");
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list)
		fd_close(&fd);
	return list;
}

/* The next directory in it. */
static const char *next_dir(DIR *list)
{
	const struct dirent *entry;

	/* cppcheck-suppress readdirCalled ; a stream of our own, in one thread */
	while ((entry = readdir(list)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			return entry->d_name;
	return NULL;
}

/* What is in it and in all below it, which may be the box's own. */
static void kill_each(int dir)
{
	DIR *list = open_list(dir);
	const char *name;

	(void)each_process(dir, kill_one, SIGKILL);
	while (list && (name = next_dir(list))) {
		autofd int below = open_dir(dir, name);

		if (below >= 0)
			kill_each(below);
	}
	if (list)
		(void)closedir(list);
}

static void kill_all(int dir)
{
	if (cgroup_write(dir, "cgroup.kill", "1") == 0) /* 5.14, and not in a threaded one */
		return;
	(void)cgroup_write(dir, "cgroup.freeze", "1");
	kill_each(dir);
	(void)cgroup_write(dir, "cgroup.freeze", "0");
}

/* With all below it. 0 or negative errno. */
static int remove_tree(int at, const char *name)
{
	autofd int dir = open_dir(at, name);
	DIR *list = dir < 0 ? NULL : open_list(dir);
	const char *below;

	while (list && (below = next_dir(list)))
		(void)remove_tree(dir, below);
	if (list)
		(void)closedir(list);
	return unlinkat(at, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Kills what is in it, again for those that were being forked, and removes it. */
static bool remove_dir(int base, const char *name)
{
	autofd int dir = open_dir(base, name);

	if (dir < 0)
		return dir == -ENOENT;
	for (int i = 0; i < REMOVE_MS; i++) {
		int r = remove_tree(base, name);

		if (r == 0 || r == -ENOENT)
			return true;
		if (r != -EBUSY)
			return false;
		if (i % 16 == 0)
			kill_all(dir);
		pause_ms();
	}
	return false;
}

/* Whether a box is there whose launcher lives; what a dead one left is removed. */
static bool is_alive(int base, const char *name)
{
	autofd int lock = open_lock(base, name);

	if (lock < 0)
		return lock != -ENOENT;
	return flock(lock, LOCK_EX | LOCK_NB) < 0 || !remove_dir(base, name);
}

/* How many boxes are in BASE, after the sweep. */
static unsigned sweep(int base)
{
	DIR *list = open_list(base);
	const char *name;
	unsigned n = 0;

	if (!list)
		return 1; /* unknown: nothing is put back */
	while ((name = next_dir(list)))
		n += is_box(base, name) && is_alive(base, name);
	(void)closedir(list);
	return n;
}

/* All controllers that are enabled: they were by us, since processes were in BASE. */
static void disable_controllers(int base)
{
	char text[256], *save = NULL, off[64];

	if (read_file(base, "cgroup.subtree_control", text, sizeof(text)) <= 0)
		return;
	for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		(void)snprintf(off, sizeof(off), "-%s", word);
		(void)cgroup_write(base, "cgroup.subtree_control", off);
	}
}

void cgtree_restore(const struct cgtree *tree)
{
	autofd int sup = -EBADF;

	if (sweep(tree->base) > 0)
		return;
	cgthread_restore(tree);
	sup = open_dir(tree->base, SUP);
	if (sup < 0)
		return;
	disable_controllers(tree->base);
	if (move_all(sup, tree->base) == 0)
		(void)unlinkat(tree->base, SUP, AT_REMOVEDIR);
}

/* ---- in ---- */

static int open_checked(int at, const char *path)
{
	autofd int dir = open_dir(at, path);
	struct statfs fs;
	struct stat st;

	if (dir < 0)
		return dir;
	if (fstatfs(dir, &fs) < 0 || fstat(dir, &st) < 0)
		return -errno;
	/* the root of all cgroups has no such file: what is enabled there is for the whole machine */
	if (fs.f_type != CGROUP2_SUPER_MAGIC || st.st_uid != geteuid() ||
	    !cgroup_has(dir, "cgroup.type"))
		return -EACCES;
	return fd_steal(&dir);
}

/* Units belong to systemd, and so does the place beside one. */
static bool is_unit(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".service") == 0 || strcmp(dot, ".scope") == 0 ||
		       strcmp(dot, ".slice") == 0);
}

static bool is_empty(int dir)
{
	char byte[2];

	return read_file(dir, "cgroup.procs", byte, sizeof(byte)) == 0;
}

/* We may be in a leaf already, below a directory that is ours and holds no process: then nobody has to
 * be moved, which is most of the cost (a grace period of RCU, some 10 ms). So it is where a
 * launcher before us has moved our shell, with DelegateSubgroup= of systemd, and where an
 * administrator made it so. */
static int open_above(int dir, const char *path)
{
	autofd int above = is_unit(path) ? -EBADF : open_checked(dir, "..");

	if (above < 0 || !is_empty(above) ||
	    faccessat(above, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
	    faccessat(above, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0)
		return -ENOENT;
	return fd_steal(&above);
}

int cgtree_open(struct cgtree *tree, const char *path)
{
	autofd int dir = open_checked(AT_FDCWD, path);
	int above = dir < 0 ? dir : open_above(dir, path);

	if (dir < 0)
		return dir;
	tree->base = above < 0 ? fd_steal(&dir) : above;
	return 0;
}

/* One that nobody had and nobody will have: the janitor of a killed launcher goes by it. */
static void choose_name(struct cgtree *tree)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	if (tree->scope)
		strcpy(tree->name, "payload");
	else
		(void)snprintf(tree->name, sizeof(tree->name), PREFIX "%d-%llx%08lx", (int)getpid(),
			       (unsigned long long)now.tv_sec, (unsigned long)now.tv_nsec);
}

static int make_dir(int at, const char *name, int *ret)
{
	if (mkdirat(at, name, 0755) < 0)
		return -errno;
	*ret = open_dir(at, name);
	return *ret < 0 ? *ret : 0;
}

static int lock_box(struct cgtree *tree)
{
	tree->alive = open_lock(tree->base, tree->name);
	if (tree->alive < 0)
		return tree->alive;
	return flock(tree->alive, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

/* No controller is enabled below the limits: the box's processes are their directory's to every one. A
 * box may make directories of its own, as deep as any program has use for, but not so deep that they
 * could not be removed again, which takes two descriptors for each level. */
static int make_box(struct cgtree *tree)
{
	int r = make_dir(tree->base, tree->name, &tree->box);

	if (r == -EEXIST)
		tree->name[0] = '\0'; /* not ours to remove */
	if (r == 0 && !tree->scope)
		r = lock_box(tree);
	if (r == 0 && !tree->scope)
		r = mark_box(tree->box);
	if (r == 0)
		r = cgthread_make(tree->box);
	if (r == 0)
		(void)cgroup_write(tree->box, "cgroup.max.depth", DEPTH);
	if (r == 0)
		r = make_dir(tree->box, CGTREE_LEAF, &tree->leaf);
	return r < 0 ? r : cgthread_make(tree->leaf);
}

/* Aside: a populated cgroup with a controller enabled below it would turn "threaded", which
 * memory cannot be limited in. */
static int move_aside(const struct cgtree *tree)
{
	const char *name = tree->scope ? "sup" : SUP;
	autofd int sup = -EBADF;

	if (!tree->scope && is_empty(tree->base))
		return 0;
	if (mkdirat(tree->base, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	sup = open_dir(tree->base, name);
	if (sup < 0)
		return sup;
	return tree->scope ? cgroup_write(sup, "cgroup.procs", "0") : move_all(tree->base, sup);
}

/* Whether one of them can be enabled: else those that are in BASE are in nobody's way. */
static bool has_any(const struct cgtree *tree, const char *const *controllers, size_t n)
{
	char text[256];

	if (cgroup_line(tree->base, "cgroup.controllers", text, sizeof(text)) < 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (cgroup_listed(text, controllers[i] + 1))
			return true;
	return false;
}

/* One by one: written together they fail together. What is enabled already is not written again, as
 * the kernel waits then until boxes that were removed are gone for good, a grace period of RCU. */
static void enable(const struct cgtree *tree, const char *const *controllers, size_t n)
{
	char text[256];

	(void)cgroup_line(tree->base, "cgroup.subtree_control", text, sizeof(text));
	for (size_t i = 0; i < n; i++)
		if (!cgroup_listed(text, controllers[i] + 1))
			(void)cgroup_write(tree->base, "cgroup.subtree_control", controllers[i]);
}

void cgtree_again(const struct cgtree *tree, const char *const *controllers, size_t n)
{
	enable(tree, controllers, n);
}

static int is_alone(const struct cgtree *tree)
{
	int r = each_process(tree->base, count_one, getpid());

	return r < 0 ? r : 0;
}

/* Under the lock. */
static int enter(struct cgtree *tree, const char *const *controllers, size_t n)
{
	int r = 0;

	if (!tree->scope)
		(void)sweep(tree->base);
	if (tree->threaded)
		r = cgthread_enable(tree, controllers, n);
	else if (has_any(tree, controllers, n))
		r = cgthread_is_root(tree) ? -EOPNOTSUPP : move_aside(tree);
	if (r == 0 && !tree->threaded)
		enable(tree, controllers, n);
	return r < 0 ? r : make_box(tree);
}

static int enter_own(struct cgtree *tree, const char *const *controllers, size_t n)
{
	autofd int lock = -EBADF;
	int r = janitor_start(tree);

	if (r == 0)
		lock = cgtree_lock(tree);
	if (r == 0 && lock < 0)
		r = lock;
	if (r == 0) {
		r = enter(tree, controllers, n);
		if (r < 0) {
			fd_close(&tree->leaf);
			fd_close(&tree->box);
			fd_close(&tree->alive);
			cgtree_restore(tree);
		}
	}
	tree->entered = r >= 0;
	if (r < 0)
		janitor_stop(tree);
	return r < 0 ? r : 0;
}

int cgtree_enter(struct cgtree *tree, enum cgtree_how how, const char *const *controllers, size_t n)
{
	int r = 0;

	if (how == CGTREE_ALONE && has_any(tree, controllers, n))
		r = is_alone(tree);
	if (how == CGTREE_THREADED && !cgthread_will_do(tree, controllers, n))
		r = -EOPNOTSUPP;
	tree->scope = how == CGTREE_SCOPE;
	/* nobody is in the way in an empty one, and then a box can have every limit */
	tree->threaded = how == CGTREE_THREADED && !is_empty(tree->base);
	choose_name(tree);
	if (r == 0)
		r = tree->scope ? enter(tree, controllers, n) : enter_own(tree, controllers, n);
	return r;
}

/* ---- out ---- */

bool cgtree_remove_box(const struct cgtree *tree)
{
	return !tree->name[0] || remove_dir(tree->base, tree->name);
}

void cgtree_leave(struct cgtree *tree)
{
	fd_close(&tree->leaf);
	fd_close(&tree->box);
	if (tree->base >= 0)
		(void)cgtree_remove_box(tree);
	fd_close(&tree->alive);
	if (tree->entered) {
		autofd int lock = cgtree_lock(tree);

		if (lock >= 0)
			cgtree_restore(tree);
	}
	tree->entered = false;
	janitor_stop(tree);
	fd_close(&tree->base);
}
