// SPDX-License-Identifier: MIT
/* What the box shows: the view, the home, the caller's directory. */
#include <string.h>

#include "build.h"

/* The last of --host and --rootfs wins, so that either takes back what a profile chose. */
int set_host(struct build *b, struct err *err)
{
	(void)err;
	b->no_host = b->occ->negated;
	if (!b->occ->negated) {
		b->spec->view = VIEW_HOST;
		b->spec->rootfs = NULL;
	}
	return 0;
}

int set_rootfs(struct build *b, struct err *err)
{
	int r = build_check_path(b, b->occ->value, err);

	if (r < 0)
		return r;
	b->spec->view = VIEW_ROOTFS;
	b->spec->rootfs = b->occ->value;
	return 0;
}

/* clang-format off */
static const struct word home_words[] = {
	{ "private", HOME_PRIVATE },
	{ "ro",      HOME_RO      },
	{ "rw",      HOME_RW      },
	{ NULL,      0            },
};
/* clang-format on */

int set_home(struct build *b, struct err *err)
{
	const char *value = b->occ->value;
	const struct word *word = word_find(home_words, value, strlen(value));
	int r;

	if (word) {
		b->spec->home = (enum home_mode)word->value;
		b->spec->home_dir = NULL;
		return 0;
	}
	r = build_check_path(b, value, err);
	if (r < 0)
		return r;
	/* A word without a slash is more likely a slip in a word than a directory. */
	if (!strchr(value, '/')) {
		build_refuse(err, b,
			     "it is none of private, ro and rw, and a directory needs a slash");
		return err_fix(err, "give --home private, ro, rw, or for a directory ./%.64s",
			       value);
	}
	b->spec->home = HOME_DIR;
	b->spec->home_dir = value;
	return 0;
}

/* clang-format off */
static const struct word cwd_words[] = {
	{ "rw",   CWD_RW   },
	{ "ro",   CWD_RO   },
	{ "none", CWD_NONE },
	{ NULL,   0        },
};
/* clang-format on */

int set_cwd(struct build *b, struct err *err)
{
	const struct word *word = word_find(cwd_words, b->occ->value, strlen(b->occ->value));

	if (strcmp(b->occ->value, "overlay") == 0)
		return build_refuse_later(err, "--cwd overlay", "use --cwd ro, or work on a copy");
	if (!word)
		return build_refuse(err, b, "it is none of rw, ro and none");
	b->spec->cwd = (enum cwd_mode)word->value;
	return 0;
}

int set_workdir(struct build *b, struct err *err)
{
	int r = build_check_path(b, b->occ->value, err);

	if (r < 0)
		return r;
	if (b->occ->value[0] != '/')
		return build_refuse(err, b, "it is not absolute");
	b->spec->workdir = b->occ->value;
	return 0;
}
