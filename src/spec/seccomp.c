// SPDX-License-Identifier: MIT
/* The system call filter that is asked for. Names are judged by the helper, which knows them. */
#include <string.h>

#include "build.h"

enum { LISTS_MAX = 256, LIST_LEN = 32768 };

static const struct word bases[] = {
	{ "default", SECCOMP_BASE_DEFAULT },
	{ "strict", SECCOMP_BASE_STRICT },
	{ "off", SECCOMP_BASE_OFF },
	{ NULL, 0 },
};

static const char *const actions[] = { "errno", "kill", "log" };

int set_seccomp(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	const struct word *word = word_find(bases, value, strlen(value)), *near;
	bool file = strchr(value, '/') || g_str_has_suffix(value, ".json");
	int r;

	if (!word && !file) {
		near = word_nearest(bases, value, strlen(value));
		r = build_refuse(err, b, "there is no such filter");
		return near ? err_fix(err, "did you mean %s? a file is ./%s", near->name, value)
			    : r;
	}
	r = word ? 0 : build_check_path(b, value, err);
	if (r < 0)
		return r;
	b->spec->seccomp = word ? (enum seccomp_base)word->value : SECCOMP_BASE_FILE;
	b->spec->seccomp_file = word ? NULL : value;
	return 0;
}

static bool is_item(const char *item, size_t len)
{
	size_t at = len > 0 && item[0] == '@';

	for (size_t i = at; i < len; i++)
		if (!g_ascii_isalnum(item[i]) && item[i] != '_' && (!at || item[i] != '-'))
			return false;
	return len > at;
}

int set_seccomp_list(struct build *b, struct err *err)
{
	const char *list = b->occ->value, *item;
	struct seccomp_list row = { .text = list,
				    .deny = b->occ->opt->id == OPT_SECCOMP_DENY,
				    .origin = b->origin };
	size_t len;

	if (strlen(list) > LIST_LEN || b->spec->seccomp_lists->len == LISTS_MAX)
		return build_refuse(err, b, "there are too many of them");
	while (value_list_next(&list, &item, &len))
		if (!is_item(item, len))
			return build_refuse(err, b,
					    "'%.*s' is no name, @group or number of a system call",
					    (int)MIN(len, 64), item);
	g_array_append_val(b->spec->seccomp_lists, row);
	return 0;
}

int set_seccomp_action(struct build *b, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
		if (strcmp(actions[i], b->occ->value) == 0) {
			b->spec->seccomp_action = actions[i];
			return 0;
		}
	return build_refuse(err, b, "there is no such action");
}
