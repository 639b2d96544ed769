/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/cgroup.h>

/* cgroup.c */

/* The lock of BASE, under which directories in it are made and removed; or a negative errno when
 * it cannot be had soon. Closing it unlocks. */
int cgtree_lock(const struct cgtree *tree);

/* Kills what is in the directory of the box, and removes it. False: somebody in it has not ended yet. */
bool cgtree_remove_box(const struct cgtree *tree);

/* Under the lock: removes what dead launchers left, and if no box is there any more, moves
 * everybody back into BASE. */
void cgtree_restore(const struct cgtree *tree);

/* cgthread.c: a box beside the processes of BASE, for the controllers that can have that. */

/* Whether all that are asked for are there and of that kind: one that is not here may be elsewhere. */
bool cgthread_will_do(const struct cgtree *tree, const char *const *controllers, size_t n);
/* Whether BASE holds threaded cgroups now, so that nobody in it can be moved aside. */
bool cgthread_is_root(const struct cgtree *tree);
int cgthread_enable(const struct cgtree *tree, const char *const *controllers, size_t n);
/* Makes the new directory of a box threaded if it can be nothing else. */
int cgthread_make(int box);
/* Under the lock, when no box is there any more: as it was. */
void cgthread_restore(const struct cgtree *tree);

/* Whether a word is in a list of them. */
bool cgroup_listed(const char *list, const char *word);

/* janitor.c: starts the process that tidies up after a launcher that was killed; ends it. */
int janitor_start(struct cgtree *tree);
void janitor_stop(struct cgtree *tree);
