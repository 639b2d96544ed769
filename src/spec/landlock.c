// SPDX-License-Identifier: MIT
/* Which means confine the box. */
#include <string.h>

#include "build.h"

int set_backend(struct build *b, struct err *err)
{
	/* clang-format off */
	static const struct word words[] = {
		{ "auto",       BACKEND_AUTO       },
		{ "namespaces", BACKEND_NAMESPACES },
		{ "landlock",   BACKEND_LANDLOCK   },
		{ NULL,         0                  },
	};
	/* clang-format on */
	const struct word *word = word_find(words, b->occ->value, strlen(b->occ->value));

	if (!word)
		return build_refuse(err, b, "it is none of auto, namespaces and landlock");
	b->spec->backend = (enum backend_mode)word->value;
	return 0;
}

int set_landlock(struct build *b, struct err *err)
{
	/* clang-format off */
	static const struct word words[] = {
		{ "auto", LANDLOCK_AUTO },
		{ "on",   LANDLOCK_ON   },
		{ "off",  LANDLOCK_OFF  },
		{ NULL,   0             },
	};
	/* clang-format on */
	const struct word *word = word_find(words, b->occ->value, strlen(b->occ->value));

	if (!word)
		return build_refuse(err, b, "it is none of auto, on and off");
	b->spec->landlock = (enum landlock_mode)word->value;
	return 0;
}
