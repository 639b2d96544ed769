// SPDX-License-Identifier: MIT
#include "boxnet-dir.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/plan.h>

enum { TRIES = 16, LOCK_MS = 5000, NAME_SIZE = 16 };

static const char subnet_file[] = "subnet";

/* ---- the directory ---- */

static int refuse(int num, const char *path, const char *cause, struct err *err)
{
	(void)err_set(err, ERR_NET_BOX, num, "cannot use the network's directory '%s'", path);
	if (cause)
		(void)err_cause(err, "%s", cause);
	return err_fix(err, "set XDG_RUNTIME_DIR to a directory that is yours alone (mode 0700)");
}

/* One level, ours and closed to others. -ENOENT: another box has just removed what is above. */
static int open_level(const char *path, int *ret, struct err *err)
{
	autofd int fd = -EBADF;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return errno == ENOENT ? -ENOENT : refuse(errno, path, NULL, err);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(errno, path, NULL, err);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return refuse(EPERM, path, "it belongs to somebody else, or others may enter it",
			      err);
	*ret = fd_steal(&fd);
	return 0;
}

static int open_levels(struct boxnet *net, const struct boxnet_want *want, struct err *err)
{
	g_autofree char *networks = g_strconcat(want->runtime, "/network", NULL);
	autofd int runtime = -EBADF, above = -EBADF;
	int r;

	g_free(net->path);
	net->path = g_strconcat(networks, "/", want->name, NULL);
	r = open_level(want->runtime, &runtime, err);
	if (r == 0)
		r = open_level(networks, &above, err);
	return r < 0 ? r : open_level(net->path, &net->dir, err);
}

/* Not flock(2) as it is: one that has been stopped while it has the lock must not stop everybody. */
int boxnet_dir_lock(int dir)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < LOCK_MS; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

void boxnet_dir_unlock(int dir)
{
	(void)flock(dir, LOCK_UN);
}

/* The last member may have removed it while we waited. */
static bool is_removed(int dir)
{
	struct stat st;

	return fstat(dir, &st) < 0 || st.st_nlink == 0;
}

int boxnet_dir_open(struct boxnet *net, const struct boxnet_want *want, struct err *err)
{
	int r = -ENOENT;

	for (int i = 0; i < TRIES && r == -ENOENT; i++) {
		fd_close(&net->dir);
		r = open_levels(net, want, err);
		if (r < 0)
			continue;
		r = boxnet_dir_lock(net->dir);
		if (r < 0)
			return refuse(r, net->path,
				      "another sandbox has locked it and does not go on", err);
		if (is_removed(net->dir))
			r = -ENOENT;
	}
	return r == -ENOENT ? refuse(r, net->path, NULL, err) : r;
}

void boxnet_dir_remove(const struct boxnet *net)
{
	g_autofree char *above = g_path_get_dirname(net->path);
	g_autofree char *runtime = g_path_get_dirname(above);

	(void)unlinkat(net->dir, subnet_file, 0);
	/* each only if it was the last in it */
	if (rmdir(net->path) == 0 && rmdir(above) == 0)
		(void)rmdir(runtime);
}

/* ---- leases ---- */

static const char *lease_name(char *out, unsigned number)
{
	(void)snprintf(out, NAME_SIZE, "%u", number);
	return out;
}

void boxnet_dir_release(int dir, unsigned number)
{
	char name[NAME_SIZE], sock[NAME_SIZE];

	(void)snprintf(sock, sizeof(sock), "%u.sock", number);
	(void)unlinkat(dir, sock, 0);
	(void)unlinkat(dir, lease_name(name, number), 0);
}

/* Whether somebody holds this lease. One that nobody holds is removed. */
static bool is_held(int dir, unsigned number)
{
	char name[NAME_SIZE];
	autofd int fd = openat(dir, lease_name(name, number),
			       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return true;
	boxnet_dir_release(dir, number);
	return false;
}

unsigned boxnet_dir_sweep(int dir)
{
	unsigned n = 0;

	for (unsigned i = BOXNET_FIRST; i <= BOXNET_LAST; i++)
		n += is_held(dir, i);
	return n;
}

/* A network beside ours. Not waited for: whoever has its lock looks after it. */
static void sweep_network(int above, const char *name)
{
	autofd int dir =
		openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0 || boxnet_dir_sweep(dir) > 0)
		return;
	(void)unlinkat(dir, subnet_file, 0);
	(void)unlinkat(above, name, AT_REMOVEDIR);
}

void boxnet_dir_sweep_others(const struct boxnet *net)
{
	g_autofree char *path = g_path_get_dirname(net->path);
	DIR *above = opendir(path);

	if (!above)
		return;
	/* cppcheck-suppress readdirCalled ; a stream of our own, in one thread */
	for (const struct dirent *e = readdir(above); e; e = readdir(above))
		if (e->d_name[0] != '.' && strcmp(e->d_name, strrchr(net->path, '/') + 1) != 0)
			sweep_network(dirfd(above), e->d_name);
	(void)closedir(above);
}

/* The first line of a small file of ours. */
static bool read_line(int dir, const char *name, char *ret, size_t size)
{
	autofd int fd =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, ret, size - 1);

	if (n <= 0 || ret[n - 1] != '\n')
		return false;
	ret[n - 1] = '\0';
	return !strchr(ret, '\n') && strlen(ret) == (size_t)n - 1;
}

bool boxnet_dir_read(int dir, unsigned number, char *ret)
{
	char name[NAME_SIZE];

	return read_line(dir, lease_name(name, number), ret, NETCTL_HELLO_MAX);
}

static int write_line(int fd, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	return fd_write_all(fd, line, strlen(line));
}

int boxnet_dir_lease(int dir, unsigned number, const char *hello)
{
	char name[NAME_SIZE];
	autofd int fd = openat(dir, lease_name(name, number),
			       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : write_line(fd, hello);
	if (r < 0) {
		boxnet_dir_release(dir, number);
		return r;
	}
	return fd_steal(&fd);
}

/* ---- the subnet ---- */

uint32_t boxnet_dir_subnet(int dir)
{
	char line[64];
	struct in_addr a;

	if (!read_line(dir, subnet_file, line, sizeof(line)) || inet_pton(AF_INET, line, &a) != 1 ||
	    !plan_net_known(ntohl(a.s_addr)))
		return 0;
	return ntohl(a.s_addr);
}

int boxnet_dir_set_subnet(int dir, uint32_t network)
{
	autofd int fd = openat(dir, subnet_file,
			       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct in_addr a = { htonl(network) };
	char text[INET_ADDRSTRLEN];

	if (fd < 0)
		return -errno;
	return write_line(fd, inet_ntop(AF_INET, &a, text, sizeof(text)));
}
