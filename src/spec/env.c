// SPDX-License-Identifier: MIT
/* The variables the user named; which of the caller's are kept is the plan's business. Lines of
 * environment files arrive here as --env, with their file as the origin. */
#include <string.h>

#include "build.h"

int set_env(struct build *b, struct err *err)
{
	const char *value = b->occ->value, *equals = strchr(value, '=');
	size_t len = equals ? (size_t)(equals - value) : strlen(value);
	const char *fault = value_env_name_fault(value, len);
	struct env_row row = { .origin = b->origin };

	if (fault)
		return build_refuse(err, b, "%s", fault);
	if (strlen(value) >= ENV_SIZE)
		return build_refuse(err, b, "a variable has at most %d bytes (execve(2))",
				    ENV_SIZE - 1);
	if (b->spec->env->len >= ENV_MAX)
		return build_refuse(err, b, "there are more than %d variables", ENV_MAX);
	row.name = g_string_chunk_insert_len(b->spec->arena, value, (gssize)len);
	row.value = equals ? equals + 1 : NULL;
	g_array_append_val(b->spec->env, row);
	return 0;
}
