// SPDX-License-Identifier: MIT
/* The user's own rows of the view: one function a kind of volume. */
#include <errno.h>
#include <string.h>

#include <sandbox/value.h>

#include "view.h"

static int volume_bind(struct build *b, const struct volume *v, const char *src, const char *dst,
		       struct err *err)
{
	unsigned attrs = ATTR_NOSUID | (v->dev ? 0 : ATTR_NODEV) | (v->readonly ? ATTR_RDONLY : 0) |
			 (v->noexec ? ATTR_NOEXEC : 0);

	(void)err;
	(void)view_add_bind(b, src, dst, view_add_pin(b, src, v->optional, PIN_ANY, v->origin),
			    attrs, v->origin);
	return 0;
}

static int volume_tmpfs(struct build *b, const struct volume *v, const char *src, const char *dst,
			struct err *err)
{
	mode_t mode = v->mode == (mode_t)-1 ? 01777 : v->mode;

	(void)src;
	(void)err;
	(void)view_add_tmpfs(b, dst, v->size ? v->size : view_scratch_size(b), mode,
			     VOLUME_ATTRS | (v->noexec ? ATTR_NOEXEC : 0) |
				     (v->readonly ? ATTR_RDONLY : 0),
			     v->origin);
	return 0;
}

static struct op *add_data(struct build *b, const char *dst, mode_t mode, uint32_t origin)
{
	struct op *op = plan_add(b, OP_DATA, STAGE_BUILD, origin);

	op->u.data.dst = dst;
	op->u.data.fd = -1;
	op->u.data.slot = -1;
	op->u.data.mode = mode;
	op->u.data.make = view_makes_places(b);
	return op;
}

static int volume_file(struct build *b, const struct volume *v, const char *src, const char *dst,
		       struct err *err)
{
	struct op *op = add_data(b, dst, v->mode == (mode_t)-1 ? 0644 : v->mode, v->origin);

	(void)src;
	(void)err;
	op->u.data.fd = v->fd;
	op->u.data.text = v->text;
	op->u.data.len = v->text ? strlen(v->text) : 0;
	return 0;
}

static const char *env_value(const struct host *host, const char *name)
{
	size_t n = strlen(name);

	for (char **e = host->env; e && *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

static int volume_secret(struct build *b, const struct volume *v, const char *src, const char *dst,
			 struct err *err)
{
	int slot = src ? view_add_pin(b, src, false, PIN_FILE, v->origin) : -1;
	const char *text = v->text;
	struct op *op;

	if (v->from_env) {
		text = env_value(b->host, v->text);
		if (!text) {
			(void)err_set(err, ERR_VALUE, ENOENT,
				      "cannot take a secret from the variable '%s'", v->text);
			(void)err_cause(err, "it is not set");
			return err_origin(err, v->origin);
		}
	}
	op = add_data(b, dst, 0400, v->origin);
	op->u.data.secret = true;
	op->u.data.text = src ? src : plan_str(b, text);
	op->u.data.len = src ? 0 : strlen(text);
	op->u.data.slot = slot;
	return 0;
}

static int volume_show(struct build *b, const struct volume *v, const char *src, const char *dst,
		       struct err *err)
{
	(void)err;
	(void)view_add_bind(b, src, dst, view_add_pin(b, src, v->optional, PIN_ANY, v->origin),
			    ATTR_RDONLY | VOLUME_ATTRS, v->origin);
	return 0;
}

static int volume_cover(struct build *b, const struct volume *v, const char *src, const char *dst,
			struct err *err)
{
	struct op *op =
		plan_add(b, v->kind == VOLUME_HIDE ? OP_HIDE : OP_PROTECT, STAGE_BUILD, v->origin);

	(void)src;
	(void)err;
	op->u.path.dst = dst;
	return 0;
}

static int (*const volume_rows[])(struct build *, const struct volume *, const char *src,
				  const char *dst, struct err *) = {
	[VOLUME_BIND] = volume_bind,     [VOLUME_TMPFS] = volume_tmpfs,
	[VOLUME_FILE] = volume_file,     [VOLUME_SECRET] = volume_secret,
	[VOLUME_SHOW] = volume_show,     [VOLUME_HIDE] = volume_cover,
	[VOLUME_PROTECT] = volume_cover,
};

static int check_dst(const struct volume *v, const char *dst, struct err *err)
{
	bool cover = v->kind == VOLUME_HIDE || v->kind == VOLUME_PROTECT;
	const char *fault = value_dest_fault(dst, cover ? DEST_COVER : DEST_PLACE);

	if (!fault)
		return 0;
	(void)err_set(err, ERR_VALUE, 0, "cannot use '%s' as a place in the box", dst);
	(void)err_cause(err, "%s", fault);
	return err_origin(err, v->origin);
}

int view_volumes(struct build *b, struct err *err)
{
	bool secrets = false;

	for (unsigned i = 0; i < b->spec->volumes->len; i++) {
		const struct volume *v = &g_array_index(b->spec->volumes, struct volume, i);
		const char *src = NULL, *dst = NULL;
		int r = v->src ? path_absolute(b, v->src, v->origin, &src, err) : 0;

		if (r == 0)
			r = v->dst ? path_absolute(b, v->dst, v->origin, &dst, err) : 0;
		if (r == 0 && !dst)
			dst = src;
		if (r == 0)
			r = check_dst(v, dst, err);
		if (r == 0)
			r = volume_rows[v->kind](b, v, src, dst, err);
		if (r < 0)
			return r;
		secrets |= v->kind == VOLUME_SECRET;
	}
	if (secrets)
		(void)view_add_tmpfs(b, "/run/secrets", 1 << 20, 0755, VOLUME_ATTRS | ATTR_NOEXEC,
				     0);
	return 0;
}
