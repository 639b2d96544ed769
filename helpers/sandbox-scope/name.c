// SPDX-License-Identifier: MIT
/* Names and texts: no system call here. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol.h"

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
