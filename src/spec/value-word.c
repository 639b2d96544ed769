// SPDX-License-Identifier: MIT
/* Words of a table, the nearest of them to a slip, and lists: include/sandbox/value.h. */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include <sandbox/value.h>

#define WORD_SIZE 64

static bool word_equal(const char *name, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] == '\0' ||
		    (name[i] == '_' ? '-' : name[i]) != (text[i] == '_' ? '-' : text[i]))
			return false;
	return name[len] == '\0';
}

const struct word *word_find(const struct word *table, const char *text, size_t len)
{
	for (; table->name; table++)
		if (len > 0 && word_equal(table->name, text, len))
			return table;
	return NULL;
}

unsigned value_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned row[WORD_SIZE];

	if (alen >= WORD_SIZE || blen >= WORD_SIZE)
		return UINT_MAX;
	for (size_t j = 0; j <= blen; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			bool same = strncasecmp(&a[i - 1], &b[j - 1], 1) == 0;
			unsigned best = diagonal + (same ? 0 : 1);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[blen];
}

const struct word *word_nearest(const struct word *table, const char *text, size_t len)
{
	/* One slip in three letters: further away it is a different word. */
	unsigned best = len / 3 < 3 ? (unsigned)(len / 3) + 1 : 4;
	const struct word *nearest = NULL;

	for (; table->name; table++) {
		unsigned d = value_distance(table->name, strlen(table->name), text, len);

		if (d < best) {
			best = d;
			nearest = table;
		}
	}
	return nearest;
}

bool value_list_next(const char **list, const char **item, size_t *len)
{
	if (!*list)
		return false;
	*item = *list;
	*len = strcspn(*list, ",");
	*list = (*item)[*len] == ',' ? *item + *len + 1 : NULL;
	return true;
}

char *value_split(char *text, char separator)
{
	char *out = text, *p = text;

	for (; *p && *p != separator; p++) {
		if (*p == '\\' && p[1] == separator)
			p++;
		*out++ = *p;
	}
	if (!*p) {
		*out = '\0';
		return NULL;
	}
	*out = '\0';
	return p + 1;
}
