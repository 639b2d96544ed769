// SPDX-License-Identifier: MIT
/* Which ids the box has, and who the command is. The arithmetic is spec/idmap.c. */
#include <errno.h>
#include <sched.h>

#include "build.h"

static uid_t wanted_uid(const struct build *b, uid_t otherwise)
{
	return b->spec->user_set ? b->spec->uid : otherwise;
}

static gid_t wanted_gid(const struct build *b, gid_t otherwise)
{
	if (!b->spec->user_set)
		return otherwise;
	return b->spec->gid == (gid_t)SPEC_ID_NONE ? (gid_t)b->spec->uid : b->spec->gid;
}

/* One id: the command's -> the caller's. */
static int ids_single(struct build *b, uid_t uid, gid_t gid)
{
	b->uid = wanted_uid(b, uid);
	b->gid = wanted_gid(b, gid);
	b->single_id = true;
	idmap_single(&b->plan->uids, b->uid, b->host->euid);
	idmap_single(&b->plan->gids, b->gid, b->host->egid);
	return 0;
}

static bool have_ranges(const struct build *b)
{
	return !b->host->subid_reason && b->host->nsubuids > 0 && b->host->nsubgids > 0;
}

/* Nothing asked for by name is weakened in silence; the default of --rootfs may fall back. */
static int ids_fallback(struct build *b, const char *reason, struct err *err)
{
	if (b->spec->userns == USERNS_AUTO || b->spec->strict) {
		(void)err_set(err, ERR_SUBID_NONE, EPERM, "cannot map subordinate ids");
		(void)err_cause(err, "%s", reason);
		(void)err_fix(err, "sandbox doctor says what to do; or use one id: --userns root");
		return err_origin(err, b->spec->origin[OPT_USERNS]);
	}
	plan_notice(b,
		    "only one user id inside: %s; chown and su to others will fail "
		    "(sandbox doctor; --userns root silences this)",
		    reason);
	return ids_single(b, 0, 0);
}

static int check_target(const struct build *b, struct err *err)
{
	uint32_t out;
	bool user = idmap_outside(&b->plan->uids, b->uid, &out);

	if (user && idmap_outside(&b->plan->gids, b->gid, &out))
		return 0;
	(void)err_set(err, ERR_IDMAP, EINVAL, "cannot be %s %u inside", user ? "group" : "user",
		      user ? b->gid : b->uid);
	(void)err_cause(err, "the id map has no such id");
	(void)err_fix(err, "choose one that is mapped, or more ids: --userns auto or map:...");
	return err_origin(err, b->spec->origin[OPT_USER]);
}

static int ids_auto(struct build *b, struct err *err)
{
	const struct host *h = b->host;
	int r;

	if (b->spec->net == NET_NS)
		return ids_fallback(b, "a joined network namespace allows no more", err);
	if (!have_ranges(b))
		return ids_fallback(
			b, h->subid_reason ? h->subid_reason : "the user has no subordinate ids",
			err);
	r = idmap_auto(&b->plan->uids, h->euid, h->subuids, h->nsubuids, err);
	if (r == 0)
		r = idmap_auto(&b->plan->gids, h->egid, h->subgids, h->nsubgids, err);
	b->uid = wanted_uid(b, 0);
	b->gid = wanted_gid(b, 0);
	return r < 0 ? r : check_target(b, err);
}

/* The numbers of `map:` are user ids; the row of the caller's own means the own group as well. */
static struct idmap group_map(const struct build *b, const struct idmap *map)
{
	struct idmap gids = { g_new(struct idrange, map->n), map->n };

	for (size_t i = 0; i < map->n; i++) {
		gids.rows[i] = map->rows[i];
		if (map->rows[i].count == 1 && map->rows[i].outside == b->host->euid)
			gids.rows[i].outside = b->host->egid;
	}
	return gids;
}

static int check_allowed(const struct build *b, struct err *err)
{
	const struct host *h = b->host;
	uint32_t bad;
	bool user = !idmap_allowed(&b->plan->uids, h->euid, h->subuids, h->nsubuids, &bad);

	if (!user && idmap_allowed(&b->plan->gids, h->egid, h->subgids, h->nsubgids, &bad))
		return 0;
	(void)err_set(err, ERR_IDMAP, EPERM, "cannot map %s %u of the host",
		      user ? "user" : "group", bad);
	(void)err_cause(err, "it is neither the caller's own nor one of its subordinate ids%s%s",
			h->subid_reason ? ": " : "", h->subid_reason ? h->subid_reason : "");
	(void)err_fix(err, "see /etc/subuid and /etc/subgid, or: sandbox doctor");
	return err_origin(err, b->spec->origin[OPT_USERNS]);
}

static int ids_map(struct build *b, struct err *err)
{
	const struct idmap *map = &b->spec->map;
	uint32_t own;
	int r;

	b->plan->uids = (struct idmap){ g_memdup2(map->rows, map->n * sizeof(*map->rows)), map->n };
	b->plan->gids = group_map(b, map);
	b->single_id =
		map->n == 1 && map->rows[0].count == 1 && map->rows[0].outside == b->host->euid;
	if (b->host->euid != 0) {
		r = check_allowed(b, err);
		if (r < 0)
			return r;
	}
	if (!idmap_inside(&b->plan->uids, b->host->euid, &own))
		own = map->rows[0].inside;
	b->uid = wanted_uid(b, own);
	b->gid = wanted_gid(b, own);
	return check_target(b, err);
}

static void ids_rows(struct build *b)
{
	struct op *op = plan_add(b, OP_IDMAP, STAGE_IDMAP, b->spec->origin[OPT_USERNS]);
	uint32_t uid, gid;

	op->u.idmap.by = b->single_id         ? IDMAP_SELF
			 : b->host->euid == 0 ? IDMAP_PARENT
					      : IDMAP_HELPER;
	op->u.idmap.uids = &b->plan->uids;
	op->u.idmap.gids = &b->plan->gids;
	op->u.idmap.newuidmap = b->host->newuidmap;
	op->u.idmap.newgidmap = b->host->newgidmap;
	b->plan->wait_maps = !b->single_id;
	/* with one id the kernel has made us that id; groups cannot be dropped (setgroups denied) */
	if (b->single_id)
		return;
	op = plan_add(b, OP_IDENTITY, STAGE_BUILD, b->spec->origin[OPT_USER]);
	op->u.identity.drop_groups = true;
	op->u.identity.uid = b->uid;
	op->u.identity.gid = b->gid;
	op->u.identity.caller_uid =
		idmap_inside(&b->plan->uids, b->host->euid, &uid) ? uid : b->uid;
	op->u.identity.caller_gid =
		idmap_inside(&b->plan->gids, b->host->egid, &gid) ? gid : b->gid;
	op->u.identity.set = !(idmap_inside(&b->plan->uids, b->host->euid, &uid) && uid == b->uid &&
			       idmap_inside(&b->plan->gids, b->host->egid, &gid) && gid == b->gid);
}

int plan_ids(struct build *b, struct err *err)
{
	enum userns_mode mode = b->spec->userns;
	int r;

	if (b->plan->landlock_only) { /* the caller stays who it is */
		(void)ids_single(b, b->host->euid, b->host->egid);
		b->single_id = false; /* shared with the caller's other processes */
		return 0;
	}
	if (mode == USERNS_DEFAULT)
		mode = b->spec->view == VIEW_ROOTFS ? USERNS_AUTO : USERNS_KEEP_ID;
	switch (mode) {
	case USERNS_ROOT: r = ids_single(b, 0, 0); break;
	case USERNS_AUTO: r = ids_auto(b, err); break;
	case USERNS_MAP: r = ids_map(b, err); break;
	case USERNS_DEFAULT:
	case USERNS_KEEP_ID:
	default: r = ids_single(b, b->host->euid, b->host->egid); break;
	}
	if (r == 0)
		ids_rows(b);
	return r;
}
