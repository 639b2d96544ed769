// SPDX-License-Identifier: MIT
/* Who the command is, which namespaces are new, and which network it sees. */
#include <sched.h>
#include <string.h>

#include "build.h"

/* Numbers only: a name would have to be looked up, and outside it means something else than in
 * the root directory's own passwd file. */
int set_user(struct build *b, struct err *err)
{
	const char *value = b->occ->value, *colon = strchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : strlen(value);
	uint32_t uid = 0, gid = SPEC_ID_NONE;
	int r = value_id(value, len, &uid);

	if (r < 0)
		return build_refuse_number(err, b, r, value, len);
	if (colon) {
		r = value_id(colon + 1, strlen(colon + 1), &gid);
		if (r < 0)
			return build_refuse_number(err, b, r, colon + 1, strlen(colon + 1));
	}
	b->spec->user_set = true;
	b->spec->uid = uid;
	b->spec->gid = gid;
	return 0;
}

int set_root(struct build *b, struct err *err)
{
	(void)err;
	b->root = !b->occ->negated;
	return 0;
}

/* clang-format off */
static const struct word userns_words[] = {
	{ "keep-id", USERNS_KEEP_ID },
	{ "root",    USERNS_ROOT    },
	{ "auto",    USERNS_AUTO    },
	{ NULL,      0              },
};
/* clang-format on */

int set_userns(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	const struct word *word = word_find(userns_words, value, strlen(value));
	bool is_map = strncmp(value, "map:", 4) == 0;
	struct idmap map = { NULL, 0 };
	int r;

	if (!word && !is_map)
		return build_refuse(err, b, "it is none of keep-id, root, auto and map:");
	if (is_map) {
		r = idmap_parse(&map, value + 4, err);
		if (r < 0)
			return r;
	}
	idmap_clear(&b->spec->map);
	b->spec->map = map;
	b->spec->userns = is_map ? USERNS_MAP : (enum userns_mode)word->value;
	return 0;
}

int set_hostname(struct build *b, struct err *err)
{
	const char *fault = value_hostname_fault(b->occ->value);

	if (fault)
		return build_refuse(err, b, "%s", fault);
	b->spec->hostname = b->occ->value;
	return 0;
}

/* clang-format off */
static const struct word namespace_words[] = {
	{ "mnt",    CLONE_NEWNS     },
	{ "pid",    CLONE_NEWPID    },
	{ "net",    CLONE_NEWNET    },
	{ "ipc",    CLONE_NEWIPC    },
	{ "uts",    CLONE_NEWUTS    },
	{ "cgroup", CLONE_NEWCGROUP },
	{ "time",   CLONE_NEWTIME   },
	{ NULL,     0               },
};
/* clang-format on */

static int namespace_list(struct build *b, unsigned *ret, struct err *err)
{
	const char *list = b->occ->value, *item;
	unsigned mask = 0;
	size_t len;

	while (value_list_next(&list, &item, &len)) {
		const struct word *word = word_find(namespace_words, item, len);

		if (!word && len == 4 && memcmp(item, "user", 4) == 0)
			return build_refuse(err, b,
					    "the user namespace is always new; --userns and "
					    "--user choose what is in it");
		if (!word)
			return build_refuse(err, b, "'%.*s' is not a namespace", (int)MIN(len, 64),
					    item);
		mask |= (unsigned)word->value;
	}
	*ret = mask;
	return 0;
}

/* The last word about a namespace wins, so that an option can take back a profile's. */
int set_share(struct build *b, struct err *err)
{
	unsigned mask = 0;
	int r = namespace_list(b, &mask, err);

	if (r < 0)
		return r;
	b->spec->share |= mask;
	b->spec->unshare &= ~mask;
	return 0;
}

int set_unshare(struct build *b, struct err *err)
{
	unsigned mask = 0;
	int r = namespace_list(b, &mask, err);

	if (r < 0)
		return r;
	b->spec->unshare |= mask;
	b->spec->share &= ~mask;
	return 0;
}

/* clang-format off */
static const struct word net_words[] = {
	{ "none", NET_NONE },
	{ "user", NET_USER },
	{ "host", NET_HOST },
	{ NULL,   0        },
};
/* clang-format on */

/* A name of a directory of ours, and nothing that could lead out of it. */
static const char *net_box_fault(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(name);

	if (len == 0)
		return "there is no name after box:";
	if (len > NET_BOX_MAX)
		return "the name of the network is longer than 32 bytes";
	if (!strchr(letters, name[0]))
		return "the name of a network begins with a small letter or a digit";
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")])
		return "the name of a network consists of small letters, digits, '.', '_' and '-'";
	return NULL;
}

static int set_net_box(struct build *b, const char *name, struct err *err)
{
	const char *fault = net_box_fault(name);

	if (fault)
		return build_refuse(err, b, "%s", fault);
	b->spec->net = NET_USER;
	b->spec->net_box = name;
	return 0;
}

int set_network(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	const struct word *word = word_find(net_words, value, strlen(value));
	int r;

	b->spec->netns_path = NULL;
	b->spec->net_box = NULL;
	if (g_str_has_prefix(value, "box:"))
		return set_net_box(b, value + 4, err);
	if (word) {
		b->spec->net = (enum net_mode)word->value;
		return 0;
	}
	if (strncmp(value, "ns:", 3) != 0)
		return build_refuse(err, b, "it is none of none, user, host, box: and ns:");
	r = build_check_path(b, value + 3, err);
	if (r < 0)
		return r;
	b->spec->net = NET_NS;
	b->spec->netns_path = value + 3;
	return 0;
}
