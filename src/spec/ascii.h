/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Classes of characters without the locale that isdigit(3) and its kin ask. */

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}
