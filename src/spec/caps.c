// SPDX-License-Identifier: MIT
/*
 * Capabilities and securebits by name. The names are libcap's, so a newer libcap knows newer
 * ones. cap_from_name() also takes numbers and stops at the first foreign character (it reads
 * "cap_chown=ep" as cap_chown), so the letters are checked before it is asked.
 */
#include <errno.h>
#include <linux/securebits.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include "build.h"

#define CAP_NAME_SIZE 64

/* "net_raw", "CAP_NET_RAW" -> "cap_net_raw"; false if it cannot be a name. */
static bool cap_spell(char out[CAP_NAME_SIZE], const char *text, size_t len)
{
	bool prefixed = len > 4 && strncasecmp(text, "cap_", 4) == 0;

	if (len == 0 || len >= CAP_NAME_SIZE - 4)
		return false;
	memcpy(out, "cap_", 4);
	out += prefixed ? 0 : 4;
	for (size_t i = 0; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];

		if (c != '_' && (c < 'a' || c > 'z'))
			return false;
		out[i] = c;
	}
	out[len] = '\0';
	return true;
}

/* The name libcap has that is nearest to `name`; "" when none is near. */
static void cap_nearest(char out[CAP_NAME_SIZE], const char *name)
{
	unsigned best = 4;

	out[0] = '\0';
	for (cap_value_t cap = 0; cap < 64; cap++) {
		char *known = cap_to_name(cap);
		unsigned d;

		/* Past the last one it knows, libcap answers with the number. */
		if (!known || strncmp(known, "cap_", 4) != 0) {
			cap_free(known);
			return;
		}
		d = value_distance(known, strlen(known), name, strlen(name));
		if (d < best) {
			best = d;
			g_strlcpy(out, known, CAP_NAME_SIZE);
		}
		cap_free(known);
	}
}

static int refuse_cap(const struct build *b, const char *item, size_t len, const char *name,
		      struct err *err)
{
	char near[CAP_NAME_SIZE];

	build_refuse(err, b, "'%.*s' is not a capability", (int)MIN(len, 64), item);
	if (name) {
		cap_nearest(near, name);
		if (near[0])
			return err_fix(err, "did you mean %s? capabilities(7) has them all",
				       near + 4);
	}
	return err_fix(err, "capabilities(7) has the names; --%s takes %s", b->occ->opt->name,
		       b->row->form);
}

static int cap_list(struct build *b, uint64_t *ret_mask, bool *ret_all, struct err *err)
{
	const char *list = b->occ->value, *item;
	char name[CAP_NAME_SIZE];
	cap_value_t cap;
	size_t len;

	while (value_list_next(&list, &item, &len)) {
		if (len == 3 && strncasecmp(item, "all", 3) == 0) {
			*ret_all = true;
			continue;
		}
		if (!cap_spell(name, item, len))
			return refuse_cap(b, item, len, NULL, err);
		if (cap_from_name(name, &cap) < 0 || cap < 0 || cap > 63)
			return refuse_cap(b, item, len, name, err);
		*ret_mask |= UINT64_C(1) << cap;
	}
	return 0;
}

/* The last word about one capability wins, and so does the last ALL; a name counts for more
 * than ALL wherever it stands, as with docker: --cap-drop ALL --cap-add X leaves X. */
int set_cap_add(struct build *b, struct err *err)
{
	uint64_t mask = 0;
	bool all = false;
	int r = cap_list(b, &mask, &all, err);

	if (r < 0)
		return r;
	b->spec->cap_add |= mask;
	b->spec->cap_drop &= ~mask;
	if (all) {
		b->spec->cap_add_all = true;
		b->spec->cap_drop_all = false;
	}
	return 0;
}

int set_cap_drop(struct build *b, struct err *err)
{
	uint64_t mask = 0;
	bool all = false;
	int r = cap_list(b, &mask, &all, err);

	if (r < 0)
		return r;
	b->spec->cap_drop |= mask;
	b->spec->cap_add &= ~mask;
	if (all) {
		b->spec->cap_drop_all = true;
		b->spec->cap_add_all = false;
	}
	return 0;
}

/* setpriv(1)'s words, with '-' or '_'. */
/* clang-format off */
static const struct word securebit_words[] = {
	{ "noroot",                      SECBIT_NOROOT                      },
	{ "noroot-locked",               SECBIT_NOROOT_LOCKED               },
	{ "no-setuid-fixup",             SECBIT_NO_SETUID_FIXUP             },
	{ "no-setuid-fixup-locked",      SECBIT_NO_SETUID_FIXUP_LOCKED      },
	{ "keep-caps",                   SECBIT_KEEP_CAPS                   },
	{ "keep-caps-locked",            SECBIT_KEEP_CAPS_LOCKED            },
	{ "no-cap-ambient-raise",        SECBIT_NO_CAP_AMBIENT_RAISE        },
	{ "no-cap-ambient-raise-locked", SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED },
	{ NULL,                          0                                  },
};
/* clang-format on */

int set_securebits(struct build *b, struct err *err)
{
	const char *list = b->occ->value, *item;
	unsigned bits = 0;
	size_t len;

	while (value_list_next(&list, &item, &len)) {
		const struct word *word = word_find(securebit_words, item, len);

		if (!word)
			return build_refuse(err, b, "'%.*s' is not a securebit", (int)MIN(len, 64),
					    item);
		bits |= (unsigned)word->value;
	}
	b->spec->securebits |= bits;
	b->spec->securebits_set = true;
	return 0;
}
