// SPDX-License-Identifier: MIT
/* Names and texts: no system call here. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol.h"

#define UNIT_PATH         "/org/freedesktop/systemd1/unit/"
#define UNIT_NAME_LONGEST 255

/* isalnum() of the C locale, whatever the locale is. */
static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool name_is_unit(const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = strlen(suffix);

	if (len <= tail || len > UNIT_NAME_LONGEST || strcmp(name + len - tail, suffix) != 0)
		return false;
	for (const char *p = name; *p; p++) {
		if (!plain(*p) && !strchr(":_.-", *p))
			return false;
	}
	return true;
}

bool name_object_path(const char *unit, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = strlen(UNIT_PATH);

	if (n + 3 * strlen(unit) >= size)
		return false;
	memcpy(out, UNIT_PATH, n);
	for (const char *p = unit; *p; p++) {
		if (plain(*p) && !(p == unit && *p <= '9')) {
			out[n++] = *p;
		} else {
			out[n++] = '_';
			out[n++] = hex[(unsigned char)*p >> 4];
			out[n++] = hex[*p & 15];
		}
	}
	out[n] = '\0';
	return true;
}

int problem_set(struct problem *problem, enum code code, const char *name, const char *fmt, ...)
{
	va_list ap;

	problem->code = code;
	(void)snprintf(problem->name, sizeof(problem->name), "%s", name ? name : "");
	va_start(ap, fmt);
	(void)vsnprintf(problem->text, sizeof(problem->text), fmt, ap);
	va_end(ap);
	for (char *p = problem->text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	}
	return -1;
}
