// SPDX-License-Identifier: MIT
/*
 * The id maps, in one of three ways (user_namespaces(7)). The child writes its own when it is
 * one line each: no privilege, no round trip, but setgroups(2) must be denied first. Real root
 * writes any map itself. Everybody else needs newuidmap(1) and newgidmap(1), which check the
 * subordinate ranges.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/spawn.h>

#include "ops.h"

enum { MAP_TEXT_MAX = 340 * 34, HELPER_MS = 10000 };

static int write_file(const char *path, const char *text, size_t len, struct err *err)
{
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, len); /* one write(2), as the kernel demands */

	if (n != (ssize_t)len)
		return err_set(err, ERR_IDMAP, errno ? errno : EIO, "cannot write '%s'", path);
	return 0;
}

static int write_map(const char *path, const struct idmap *map, struct err *err)
{
	char text[MAP_TEXT_MAX];
	int n = idmap_format(map, text, sizeof(text));

	if (n < 0)
		return err_set(err, ERR_IDMAP, n, "the id map is too long");
	return write_file(path, text, (size_t)n, err);
}

/* One line. Where another user namespace was joined first (--network ns:PATH), the caller has
 * the ids that it has there. */
static int map_self_one(const char *path, const struct idmap *map, bool joined, uint32_t own,
			struct err *err)
{
	struct idrange row = map->rows[0];
	const struct idmap one = { &row, 1 };
	char line[64]; /* not write_map()'s pages of stack, in the plainest of starts */
	int n;

	if (joined)
		row.outside = own;
	n = idmap_format(&one, line, sizeof(line));
	return n < 0 ? err_set(err, ERR_IDMAP, n, "the id map is too long")
		     : write_file(path, line, (size_t)n, err);
}

static int map_self(const struct op *op, const struct run *run, struct err *err)
{
	int r = write_file("/proc/self/setgroups", "deny", 4, err);

	if (r == 0)
		r = map_self_one("/proc/self/uid_map", op->u.idmap.uids, run->joined,
				 run->joined_uid, err);
	return r < 0 ? r
		     : map_self_one("/proc/self/gid_map", op->u.idmap.gids, run->joined,
				    run->joined_gid, err);
}

static int map_parent(const struct op *op, pid_t child, struct err *err)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	r = write_map(path, op->u.idmap.uids, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
	return write_map(path, op->u.idmap.gids, err);
}

/* newuidmap PID INSIDE OUTSIDE COUNT ... */
static int helper_start(struct spawn *spawn, const char *program, pid_t child,
			const struct idmap *map)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(argv, g_strdup(program));
	g_ptr_array_add(argv, g_strdup_printf("%d", child));
	for (size_t i = 0; i < map->n; i++) {
		g_ptr_array_add(argv, g_strdup_printf("%u", map->rows[i].inside));
		g_ptr_array_add(argv, g_strdup_printf("%u", map->rows[i].outside));
		g_ptr_array_add(argv, g_strdup_printf("%u", map->rows[i].count));
	}
	g_ptr_array_add(argv, NULL);
	return spawn_start(spawn, (char *const *)argv->pdata);
}

static int helper_end(struct spawn *spawn, int started, const char *program, struct err *err)
{
	char said[256] = "";
	int r = started < 0 ? started : spawn_finish(spawn, said, sizeof(said), HELPER_MS);

	if (r == 0)
		return 0;
	(void)err_set(err, ERR_SUBID_HELPER, r < 0 ? r : EPERM, "'%s' did not set the id map",
		      program);
	if (r > 0)
		(void)err_cause(err, "it ended with status %d: %s", r, g_strstrip(said));
	return err_fix(err, "see what is wrong with: sandbox doctor; or use one id: --userns root");
}

/* Both at once: they are setuid programs of some milliseconds each. */
static int map_helpers(const struct op *op, pid_t child, struct err *err)
{
	struct spawn u = { .pid = -1 }, g = { .pid = -1 };
	int su = helper_start(&u, op->u.idmap.newuidmap, child, op->u.idmap.uids);
	int sg = helper_start(&g, op->u.idmap.newgidmap, child, op->u.idmap.gids);
	struct err ignored;
	int r = helper_end(&u, su, op->u.idmap.newuidmap, err);
	int rg = helper_end(&g, sg, op->u.idmap.newgidmap, r < 0 ? &ignored : err);

	return r < 0 ? r : rg;
}

/* What the kernel has, not what a program says it did: another map than the plan's would make files
 * the wrong user's, in both directions. */
static int read_back(pid_t child, const char *file, const struct idmap *map, struct err *err)
{
	char path[64], text[MAP_TEXT_MAX + 1];
	size_t have = 0;
	ssize_t n = -1;
	autofd int fd = -EBADF;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", child, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && have < sizeof(text) - 1 &&
	       (n = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	if (n < 0)
		return err_set(err, ERR_IDMAP, errno, "cannot read '%s' back", path);
	text[have] = '\0';
	if (idmap_is(map, text))
		return 0;
	(void)err_set(err, ERR_IDMAP, EPERM, "the id map of the box is not the one asked for");
	return err_cause(err, "%s has: %.120s", file, text);
}

static int map_from_outside(const struct op *op, pid_t child, struct err *err)
{
	int r = op->u.idmap.by == IDMAP_PARENT ? map_parent(op, child, err)
					       : map_helpers(op, child, err);

	if (r == 0)
		r = read_back(child, "uid_map", op->u.idmap.uids, err);
	return r < 0 ? r : read_back(child, "gid_map", op->u.idmap.gids, err);
}

int op_idmap_apply(const struct op *op, struct run *run, struct err *err)
{
	switch (op->u.idmap.by) {
	case IDMAP_SELF: return map_self(op, run, err);
	case IDMAP_PARENT:
	case IDMAP_HELPER: return map_from_outside(op, run->child, err);
	default: return err_set(err, ERR_INTERNAL, 0, "unknown way to map ids");
	}
}
