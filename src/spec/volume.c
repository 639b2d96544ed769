// SPDX-License-Identifier: MIT
/*
 * What is put into the box's tree. Sources are the host's and stay as written (the kernel
 * resolves them, symlinks and all); destinations are the box's, absolute and cleaned, without
 * "..", so that the plan can order and compare them as text.
 */
#include <string.h>

#include "build.h"

static struct volume volume_new(const struct build *b, enum volume_kind kind)
{
	return (struct volume){
		.kind = kind,
		.fd = -1,
		.mode = (mode_t)-1,
		.origin = b->origin,
	};
}

static int volume_add(struct build *b, const struct volume *volume, struct err *err)
{
	if (b->spec->volumes->len >= VOLUMES_MAX)
		return build_refuse(err, b, "there are more than %d volumes", VOLUMES_MAX);
	g_array_append_vals(b->spec->volumes, volume, 1);
	return 0;
}

static char *arena_copy(const struct build *b, const char *text)
{
	return g_string_chunk_insert(b->spec->arena, text);
}

/* Cleans an absolute path inside the box and refuses what may not be covered. */
static int check_dest(const struct build *b, char *dst, enum dest_use use, struct err *err)
{
	const char *fault;
	int r = build_check_path(b, dst, err);

	if (r < 0)
		return r;
	value_path_clean(dst);
	fault = value_dest_fault(dst, use);
	if (!fault)
		return 0;
	build_refuse(err, b, "%s", fault);
	return err_fix(err, "choose another absolute path inside the box, without '..'");
}

/* -v name:/x is a named volume to docker; here it would silently be a path. */
static int check_not_bare(const struct build *b, const char *src, struct err *err)
{
	if (strchr(src, '/') || strcmp(src, ".") == 0 || strcmp(src, "..") == 0 ||
	    strcmp(src, "~") == 0)
		return 0;
	build_refuse(err, b, "'%.64s' is a bare word, and there are no named volumes", src);
	return err_fix(err, "for a path in the current directory write ./%.64s", src);
}

enum volume_opt { VOPT_RO, VOPT_RW, VOPT_NOEXEC, VOPT_OPTIONAL, VOPT_DEV, VOPT_OVERLAY };

/* clang-format off */
static const struct word volume_opts[] = {
	{ "ro",       VOPT_RO       },
	{ "rw",       VOPT_RW       },
	{ "noexec",   VOPT_NOEXEC   },
	{ "optional", VOPT_OPTIONAL },
	{ "dev",      VOPT_DEV      },
	{ "overlay",  VOPT_OVERLAY  },
	{ NULL,       0             },
};
/* clang-format on */

static int volume_option(struct build *b, struct volume *v, const char *item, size_t len,
			 struct err *err)
{
	const struct word *word = word_find(volume_opts, item, len);

	if (!word)
		return build_refuse(err, b,
				    "'%.*s' is neither an absolute path nor one of ro, rw, "
				    "noexec, optional, dev",
				    (int)MIN(len, 64), item);
	switch ((enum volume_opt)word->value) {
	case VOPT_RO: v->readonly = true; break;
	case VOPT_RW: v->readonly = false; break;
	case VOPT_NOEXEC: v->noexec = true; break;
	case VOPT_OPTIONAL: v->optional = true; break;
	case VOPT_DEV: v->dev = true; break;
	case VOPT_OVERLAY:
		return build_refuse_later(err, "the option overlay of --volume",
					  "use ro, or work on a copy");
	}
	return 0;
}

static int volume_options(struct build *b, struct volume *v, const char *list, struct err *err)
{
	bool ro = false, rw = false;
	const char *item;
	size_t len;

	while (value_list_next(&list, &item, &len)) {
		int r = volume_option(b, v, item, len, err);

		if (r < 0)
			return r;
		ro |= len == 2 && memcmp(item, "ro", 2) == 0;
		rw |= len == 2 && memcmp(item, "rw", 2) == 0;
	}
	return ro && rw ? build_refuse(err, b, "it says both ro and rw") : 0;
}

/* The same path inside as outside. A relative one stays as written: only the plan knows the
 * caller's directory. */
static int same_place(const struct build *b, struct volume *v, enum dest_use use, struct err *err)
{
	char *dst;

	v->dst = v->src;
	if (v->src[0] != '/')
		return 0;
	dst = arena_copy(b, v->src);
	v->dst = dst;
	return check_dest(b, dst, use, err);
}

/* SRC[:DST][:OPTS]. DST begins with a slash and OPTS do not, so either may be left out. */
int set_volume(struct build *b, struct err *err)
{
	struct volume v = volume_new(b, VOLUME_BIND);
	char *src = arena_copy(b, b->occ->value);
	char *dst = value_split(src, ':'), *opts = NULL;
	int r;

	if (dst && dst[0] == '/') {
		opts = value_split(dst, ':');
	} else {
		opts = dst;
		dst = NULL;
	}
	if (opts && strchr(opts, ':'))
		return build_refuse(err, b,
				    "'%.64s' has too many colons, or a path inside the box "
				    "that is not absolute",
				    b->occ->value);
	v.src = src;
	v.dst = dst;
	r = build_check_path(b, src, err);
	if (r == 0)
		r = check_not_bare(b, src, err);
	if (r == 0 && opts)
		r = volume_options(b, &v, opts, err);
	if (r == 0)
		r = dst ? check_dest(b, dst, DEST_PLACE, err) : same_place(b, &v, DEST_PLACE, err);
	return r < 0 ? r : volume_add(b, &v, err);
}

/* --show, --hide, --protect: one path, its own place. */
static int set_place(struct build *b, enum volume_kind kind, enum dest_use use, struct err *err)
{
	struct volume v = volume_new(b, kind);
	int r = build_check_path(b, b->occ->value, err);

	if (r < 0)
		return r;
	v.src = arena_copy(b, b->occ->value);
	v.readonly = kind == VOLUME_SHOW;
	r = same_place(b, &v, use, err);
	if (r < 0)
		return r;
	if (kind != VOLUME_SHOW)
		v.src = NULL;
	return volume_add(b, &v, err);
}

int set_show(struct build *b, struct err *err)
{
	return set_place(b, VOLUME_SHOW, DEST_PLACE, err);
}

int set_hide(struct build *b, struct err *err)
{
	return set_place(b, VOLUME_HIDE, DEST_COVER, err);
}

int set_protect(struct build *b, struct err *err)
{
	return set_place(b, VOLUME_PROTECT, DEST_COVER, err);
}

static int tmpfs_size(struct build *b, struct volume *v, const char *text, size_t len,
		      struct err *err)
{
	int r = value_size(text, len, &v->size, NULL);

	if (r < 0)
		return build_refuse_number(err, b, r, text, len);
	/* To the kernel, size=0 means without a limit. */
	if (v->size == 0)
		return build_refuse(err, b, "a size of 0 would be no limit at all");
	return 0;
}

static int tmpfs_option(struct build *b, struct volume *v, const char *item, size_t len,
			struct err *err)
{
	unsigned mode;
	int r;

	if (len >= 5 && memcmp(item, "size=", 5) == 0)
		return tmpfs_size(b, v, item + 5, len - 5, err);
	if (len >= 5 && memcmp(item, "mode=", 5) == 0) {
		r = value_mode(item + 5, len - 5, &mode);
		if (r < 0)
			return build_refuse_number(err, b, r, item + 5, len - 5);
		v->mode = (mode_t)mode;
		return 0;
	}
	if (len == 2 && memcmp(item, "ro", 2) == 0)
		v->readonly = true;
	else if (len == 6 && memcmp(item, "noexec", 6) == 0)
		v->noexec = true;
	else
		return build_refuse(err, b, "'%.*s' is none of size=, mode=, ro, noexec",
				    (int)MIN(len, 64), item);
	return 0;
}

int set_tmpfs(struct build *b, struct err *err)
{
	struct volume v = volume_new(b, VOLUME_TMPFS);
	char *dst = arena_copy(b, b->occ->value);
	const char *opts = value_split(dst, ':'), *item;
	size_t len;
	int r = check_dest(b, dst, DEST_PLACE, err);

	while (r == 0 && value_list_next(&opts, &item, &len))
		r = tmpfs_option(b, &v, item, len, err);
	v.dst = dst;
	return r < 0 ? r : volume_add(b, &v, err);
}

/* TEXT, @FD, or @@TEXT for a text that begins with '@'. */
static int file_content(struct build *b, struct volume *v, const char *text, struct err *err)
{
	int r;

	if (text[0] == '@' && text[1] != '@') {
		r = value_int(text + 1, strlen(text + 1), 0, INT32_MAX, &v->fd);
		return r < 0 ? build_refuse(err, b, "after '@' comes the number of a descriptor")
			     : 0;
	}
	v->text = text[0] == '@' ? text + 1 : text;
	return 0;
}

int set_file(struct build *b, struct err *err)
{
	struct volume v = volume_new(b, VOLUME_FILE);
	char *dst = arena_copy(b, b->occ->value);
	const char *text = value_split(dst, '=');
	int r;

	if (!text)
		return build_refuse(err, b, "there is no '=' in it");
	r = check_dest(b, dst, DEST_PLACE, err);
	if (r == 0)
		r = file_content(b, &v, text, err);
	v.dst = dst;
	return r < 0 ? r : volume_add(b, &v, err);
}

static const char *secret_name_fault(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	if (*name == '\0')
		return "the name of the secret is empty";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "'.' and '..' cannot name a secret";
	if (strlen(name) > 255)
		return "the name of the secret is longer than 255 bytes";
	if (name[strspn(name, allowed)] != '\0')
		return "the name of a secret consists of letters, digits, '.', '_' and '-'";
	return NULL;
}

static int secret_source(struct build *b, struct volume *v, const char *source, struct err *err)
{
	const char *fault;

	if (strncmp(source, "env:", 4) != 0) {
		v->src = source;
		return build_check_path(b, source, err);
	}
	v->text = source + 4;
	v->from_env = true;
	fault = value_env_name_fault(v->text, strlen(v->text));
	return fault ? build_refuse(err, b, "%s", fault) : 0;
}

/* Unlike a mount, a second file of the same name cannot lie on top of the first: the last one
 * written wins, as with variables. */
static void secret_forget(GArray *volumes, const char *dst)
{
	for (guint i = 0; i < volumes->len; i++) {
		const struct volume *v = &g_array_index(volumes, struct volume, i);

		if (v->kind == VOLUME_SECRET && strcmp(v->dst, dst) == 0) {
			g_array_remove_index(volumes, i);
			return;
		}
	}
}

int set_secret(struct build *b, struct err *err)
{
	struct volume v = volume_new(b, VOLUME_SECRET);
	char *name = arena_copy(b, b->occ->value);
	char *source = strchr(name, '=');
	g_autofree char *dst = NULL;
	const char *fault;
	int r;

	if (!source)
		return build_refuse(err, b, "there is no '=' in it");
	*source++ = '\0';
	fault = secret_name_fault(name);
	if (fault)
		return build_refuse(err, b, "%s", fault);
	r = secret_source(b, &v, source, err);
	if (r < 0)
		return r;
	dst = g_strconcat("/run/secrets/", name, NULL);
	v.dst = arena_copy(b, dst);
	v.mode = 0400;
	v.readonly = true;
	secret_forget(b->spec->volumes, v.dst);
	return volume_add(b, &v, err);
}
