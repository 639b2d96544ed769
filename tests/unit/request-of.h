/* SPDX-License-Identifier: MIT */
#pragma once

/* A request made by hand, without a command line: pairs of option and value, up to a NULL name.
 * "no-NAME" negates a flag. The values live as long as the request. */
#include <glib.h>
#include <string.h>

#include <sandbox/request.h>

static char *request_of_command[] = { (char *)"true", NULL };

static inline void request_of_add(struct request *request, const char *name, const char *value)
{
	const struct option *opt = option_by_name(name, strlen(name));
	bool negated = !opt && strncmp(name, "no-", 3) == 0;
	struct occurrence occ = { .value = g_strdup(value), .negated = negated, .nth = 1 };

	occ.opt = negated ? option_by_name(name + 3, strlen(name + 3)) : opt;
	g_assert_nonnull(occ.opt);
	g_array_append_val(request->items, occ);
}

static inline void request_of(struct request *ret, const char *const *pairs)
{
	ret->items = g_array_new(FALSE, FALSE, sizeof(struct occurrence));
	ret->command = request_of_command;
	ret->explain = false;
	for (; pairs && *pairs; pairs += 2)
		request_of_add(ret, pairs[0], pairs[1]);
}

static inline void request_of_clear(struct request *request)
{
	for (guint i = 0; i < request->items->len; i++)
		g_free(g_array_index(request->items, struct occurrence, i).value);
	g_array_free(request->items, TRUE);
}
