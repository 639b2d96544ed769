// SPDX-License-Identifier: MIT
/* The system call filter that is asked for. */
#include <string.h>

#include "build.h"

int set_seccomp(struct build *b, struct err *err)
{
	const char *value = b->occ->value;

	if (strcmp(value, "strict") == 0 || strchr(value, '/') || g_str_has_suffix(value, ".json"))
		return build_refuse_later(err, "a filter of one's own",
					  "use --seccomp default, which is what there is");
	if (strcmp(value, "default") != 0 && strcmp(value, "off") != 0)
		return build_refuse(err, b, "there is no such filter");
	b->spec->seccomp_off = strcmp(value, "off") == 0;
	return 0;
}
