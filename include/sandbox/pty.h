/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes the pty (its master) like the terminal `source`: modes and window size, before the command
 * starts. What cannot be had is left at the kernel's default. 0 or negative errno. */
int pty_prepare(int pty, int source);

/* The window size alone; the kernel then signals the pty's foreground group. */
int pty_copy_size(int pty, int source);
