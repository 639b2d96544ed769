/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What the helper takes away from itself, in two steps:
 *
 *   confine_enter()   namespaces of its own (user, mount, PID, IPC, UTS, cgroup), by a process that
 *                     takes the place of the one that was started. The network namespace stays the
 *                     host's: its sockets are what the helper is for
 *   confine_lock()    an empty, read-only root; no capability, now or ever; no_new_privs; Landlock;
 *                     limits; non-dumpable; and a list of the system calls that remain
 *
 * Both come before the first frame. Whatever fails is an error: there is no half of it.
 */

/* Returns in the new process, alone; the old one has sent NETCTL_PROCESS over `control` and is gone.
 * 0, or negative errno with *ret_what (in the old process). */
int confine_enter(int control, const char **ret_what);

/* binds: TCP sockets are bound, which Landlock then cannot refuse; they are the box's (relay.c). */
int confine_lock(bool binds, const char **ret_what);

/* seccomp.c: loads the list. 0 or negative errno. */
int seccomp_load(void);
