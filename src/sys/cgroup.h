/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/cgroup.h>

/* cgroup.c */

/* The lock of BASE, under which directories in it are made and removed; or a negative errno when
 * it cannot be had soon. Closing it unlocks. */
int cgtree_lock(const struct cgtree *tree);

/* Kills what is in the directory of the box, and removes it. */
void cgtree_remove_box(const struct cgtree *tree);

/* Under the lock: removes what dead launchers left, and if no box is there any more, moves
 * everybody back into BASE. */
void cgtree_restore(const struct cgtree *tree);

/* janitor.c: starts the process that tidies up after a launcher that was killed; ends it. */
int janitor_start(struct cgtree *tree);
void janitor_stop(struct cgtree *tree);
