// SPDX-License-Identifier: MIT
/* What may name a path, a place in the box, a variable, a host: include/sandbox/value.h. */
#include <string.h>

#include <sandbox/value.h>

#include "ascii.h"

#define PATH_SIZE 4096 /* PATH_MAX and NAME_MAX of Linux; limits.h may leave them out */
#define NAME_SIZE 256

const char *value_path_fault(const char *path)
{
	size_t len = strlen(path), name = 0;

	if (len == 0)
		return "the path is empty";
	if (len >= PATH_SIZE)
		return "the path is longer than 4095 bytes";
	for (size_t i = 0; i < len; i++) {
		if (is_control(path[i]))
			return "the path contains a control character";
		name = path[i] == '/' ? 0 : name + 1;
		if (name >= NAME_SIZE)
			return "a name in the path is longer than 255 bytes";
	}
	return NULL;
}

void value_path_clean(char *path)
{
	char *out = path;
	const char *p = path;

	while (*p) {
		size_t len = strcspn(p, "/");
		bool dot = len == 1 && *p == '.';

		/* A lone "." in front stays: "./x" is not the bare word "x". */
		if (len > 0 && (!dot || p == path)) {
			memmove(out, p, len);
			out += len;
		}
		p += len;
		if (*p == '/') {
			p++;
			if (out == path ? p == path + 1 : out[-1] != '/')
				*out++ = '/';
		}
	}
	while (out > path + 1 && out[-1] == '/')
		out--;
	*out = '\0';
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += len;
	}
	return false;
}

/* What the box itself puts up; PID 1, the terminal and the masks of /proc rest on it. */
/* clang-format off */
static const struct {
	const char *path;
	bool below;       /* and nothing new can be put below it */
	const char *why;
} dest_rules[] = {
	{ "/",     false, "the root of the box is the box's own; --rootfs DIR runs in another one" },
	{ "/dev",  false, "/dev is the box's own; a single device can be put below it" },
	{ "/proc", true,  "/proc is the box's own" },
	{ "/sys",  true,  "/sys is the box's own" },
};
/* clang-format on */

const char *value_dest_fault(const char *dst, enum dest_use use)
{
	if (dst[0] != '/')
		return "the path inside the box is not absolute";
	if (has_dotdot(dst))
		return "the path inside the box contains '..'";
	for (size_t i = 0; i < sizeof(dest_rules) / sizeof(dest_rules[0]); i++) {
		size_t len = strlen(dest_rules[i].path);

		if (strcmp(dst, dest_rules[i].path) == 0)
			return dest_rules[i].why;
		if (use == DEST_PLACE && dest_rules[i].below &&
		    strncmp(dst, dest_rules[i].path, len) == 0 && dst[len] == '/')
			return dest_rules[i].why;
	}
	return NULL;
}

const char *value_env_name_fault(const char *name, size_t len)
{
	if (len == 0)
		return "the name of the variable is empty";
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '=')
			return "the name of a variable cannot contain '='";
		if (is_control(name[i]))
			return "the name of the variable contains a control character";
	}
	return NULL;
}

const char *value_hostname_fault(const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len == 0)
		return "the host name is empty";
	if (len > 64)
		return "the host name is longer than 64 bytes";
	for (size_t i = 0; i < len; i++) {
		bool last = i + 1 == len || name[i + 1] == '.';

		if (name[i] == '.') {
			if (label == 0 || i + 1 == len)
				return "a part of the host name between dots is empty";
			label = 0;
			continue;
		}
		if (!is_digit(name[i]) && !is_alpha(name[i]) && name[i] != '-')
			return "a host name consists of letters, digits, '-' and '.'";
		if (name[i] == '-' && (label == 0 || last))
			return "a part of a host name cannot begin or end with '-'";
		if (++label > 63)
			return "a part of the host name is longer than 63 bytes";
	}
	return NULL;
}
