/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

/*
 * Numbers from 2^63 on. Arguments of system calls have 64 bits, and so have their values in profiles
 * (uint64 in the OCI runtime specification); jansson's integers have a sign, and refuse the whole file.
 */

/* The text with each such number as a string, marked by a character that no name here begins with.
 * What is none, or too large for 64 bits, stays for jansson to judge. */
GString *wide_quote(const char *text, size_t len);

/* Whether a string of the parsed text was one; *ret is its value. */
gboolean wide_value(const char *string, uint64_t *ret);
