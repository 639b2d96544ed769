// SPDX-License-Identifier: MIT
/*
 * An entry: "SBXFILT1", the length of the content (64 bits, as the machine has them), the key, the
 * SHA-256 of the content, the content. A box whose home is the user's own may write here as it may
 * write the user's shell start-up file; nobody else may.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "filter-cache.h"

enum { KEY_LEN = 64, CONTENT_MAX = 1 << 20, ENTRIES_MAX = 64, STALE_S = 3600 };

static const char magic[8] = "SBXFILT1";
static const char temp_prefix[] = ".tmp-";

struct header {
	char magic[sizeof(magic)];
	uint64_t len;
	char key[KEY_LEN];
	char digest[KEY_LEN];
};

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* One of our own directories: no link, nobody else's. */
static int enter(int at, const char *name)
{
	autofd int dir = -EBADF;
	struct stat st;

	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0)
		return -errno;
	return is_ours(&st) ? fd_steal(&dir) : -EACCES;
}

int cache_open(const char *base)
{
	autofd int at = -EBADF, mine = -EBADF;

	if (base[0] != '/')
		return -EINVAL;
	if (mkdir(base, 0700) < 0 && errno != EEXIST)
		return -errno;
	at = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	mine = at < 0 ? -errno : enter(at, "sandbox");
	return mine < 0 ? mine : enter(mine, "seccomp");
}

static void digest_of(const void *data, size_t len, char out[KEY_LEN])
{
	g_autofree char *text = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, len);

	memcpy(out, text, KEY_LEN);
}

static GBytes *check(const char *data, size_t len, const char *key)
{
	struct header head;
	char digest[KEY_LEN];

	if (len < sizeof(head))
		return NULL;
	memcpy(&head, data, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || head.len != len - sizeof(head) ||
	    memcmp(head.key, key, KEY_LEN) != 0)
		return NULL;
	digest_of(data + sizeof(head), len - sizeof(head), digest);
	if (memcmp(head.digest, digest, KEY_LEN) != 0)
		return NULL;
	return g_bytes_new(data + sizeof(head), len - sizeof(head));
}

GBytes *cache_read(int dir, const char *key)
{
	autofd int fd = openat(dir, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autofree char *data = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_ours(&st) ||
	    st.st_size > CONTENT_MAX)
		return NULL;
	data = g_malloc(CONTENT_MAX);
	n = fd_read_all(fd, data, CONTENT_MAX);
	return n < 0 ? NULL : check(data, (size_t)n, key);
}

static bool is_temp(const char *name)
{
	return strncmp(name, temp_prefix, sizeof(temp_prefix) - 1) == 0;
}

/* What a killed run left behind, and the oldest entry when there are too many: then true. */
static bool tidy(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	char oldest[NAME_MAX + 1] = "";
	time_t oldest_time = 0;
	unsigned n = 0;

	/* cppcheck-suppress readdirCalled ; one thread */
	for (struct dirent *e = list ? readdir(list) : NULL; e; e = readdir(list)) {
		struct stat st;

		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (is_temp(e->d_name)) {
			if (st.st_mtime + STALE_S < time(NULL))
				(void)unlinkat(dir, e->d_name, 0);
			continue;
		}
		n++;
		if (!oldest[0] || st.st_mtime < oldest_time) {
			oldest_time = st.st_mtime;
			g_strlcpy(oldest, e->d_name, sizeof(oldest));
		}
	}
	if (n > ENTRIES_MAX)
		(void)unlinkat(dir, oldest, 0);
	if (list)
		(void)closedir(list);
	else if (copy >= 0)
		(void)close(copy);
	return n > ENTRIES_MAX;
}

void cache_write(int dir, const char *key, GBytes *content)
{
	struct header head = { .len = g_bytes_get_size(content) };
	gsize len;
	const void *data = g_bytes_get_data(content, &len);
	char temp[64];
	autofd int fd = -EBADF;

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(head.key, key, KEY_LEN);
	digest_of(data, len, head.digest);
	(void)snprintf(temp, sizeof(temp), "%s%d-%08x", temp_prefix, (int)getpid(), g_random_int());
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (fd_write_all(fd, &head, sizeof(head)) < 0 || fd_write_all(fd, data, len) < 0 ||
	    renameat(dir, temp, dir, key) < 0)
		(void)unlinkat(dir, temp, 0);
	for (int i = 0; i < ENTRIES_MAX && tidy(dir); i++)
		;
}
