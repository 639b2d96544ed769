// SPDX-License-Identifier: MIT
/*
 * A box as a threaded cgroup, below a directory that keeps its processes (cgroups(7), "Thread mode").
 * The controllers cpu, cpuset and pids can weigh processes against cgroups beside them, so that for
 * them nobody has to be moved aside: moving costs a grace period of RCU, some 10 ms, and the box
 * itself enters by clone3. While it lives, memory cannot be switched on in that directory, and new
 * directories in it are of use only as threaded ones.
 *
 * What we have switched on is written on the directory itself, for whoever tidies up.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "cgroup.h"

#define MARK "user.sandbox" /* on cgroups from Linux 5.7 on */

enum { LIST = 256 };

bool cgroup_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return true;
	return false;
}

static bool is_threaded(const char *controller)
{
	return cgroup_listed("cpu cpuset pids", controller);
}

bool cgthread_will_do(const struct cgtree *tree, const char *const *controllers, size_t n)
{
	char have[LIST];

	if (cgroup_line(tree->base, "cgroup.controllers", have, sizeof(have)) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!cgroup_listed(have, controllers[i] + 1) || !is_threaded(controllers[i] + 1))
			return false;
	return n > 0;
}

bool cgthread_is_root(const struct cgtree *tree)
{
	char type[32];

	return cgroup_line(tree->base, "cgroup.type", type, sizeof(type)) == 0 &&
	       strstr(type, "threaded");
}

static void add_word(char *list, const char *word)
{
	size_t len = strlen(list);

	if (len + strlen(word) + 2 < LIST)
		(void)snprintf(list + len, LIST - len, "%s%s", len ? " " : "", word);
}

static void read_mark(const struct cgtree *tree, char *ret)
{
	ssize_t n = fgetxattr(tree->base, MARK, ret, LIST - 1);

	ret[n > 0 ? n : 0] = '\0';
}

/* The mark comes first: what is marked and not on does no harm. */
int cgthread_enable(const struct cgtree *tree, const char *const *controllers, size_t n)
{
	char on[LIST], mark[LIST];
	int r = 0;

	(void)cgroup_line(tree->base, "cgroup.subtree_control", on, sizeof(on));
	read_mark(tree, mark);
	for (size_t i = 0; i < n && r == 0; i++) {
		const char *name = controllers[i] + 1;

		if (cgroup_listed(on, name))
			continue;
		add_word(on, name);
		if (!cgroup_listed(mark, name))
			add_word(mark, name);
		r = fsetxattr(tree->base, MARK, mark, strlen(mark), 0) < 0 ? -errno : 0;
		if (r == 0)
			r = cgroup_write(tree->base, "cgroup.subtree_control", controllers[i]);
	}
	return r;
}

int cgthread_make(int box)
{
	char type[32];
	int r = cgroup_line(box, "cgroup.type", type, sizeof(type));

	return r == 0 && strcmp(type, "domain invalid") == 0
		       ? cgroup_write(box, "cgroup.type", "threaded")
		       : r;
}

void cgthread_restore(const struct cgtree *tree)
{
	char mark[LIST], off[LIST + 8] = "", *save = NULL;

	read_mark(tree, mark);
	if (!mark[0])
		return;
	for (char *word = strtok_r(mark, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		size_t len = strlen(off);

		if (is_threaded(word))
			(void)snprintf(off + len, sizeof(off) - len, "-%s ", word);
	}
	if (cgroup_write(tree->base, "cgroup.subtree_control", off) == 0)
		(void)fremovexattr(tree->base, MARK);
}
