/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/err.h>

/* Parts of status.c for the other files of this room that write where the caller wants it. */

/* The descriptor a path stands for ("-", /dev/stderr, /dev/fd/N), -1: none. */
int status_descriptor(const char *path);

/* A descriptor the caller passed must be open and writable; it is ours alone from now on. */
int status_check_fd(int fd, const char *option, struct err *err);
