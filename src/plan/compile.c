// SPDX-License-Identifier: MIT
/*
 * spec + host facts -> plan. Pure. Each step below adds the rows of its concern; the order of the
 * calls here is the order in which things happen.
 */
#include <linux/sched.h>
#include <stdarg.h>

#include "build.h"

enum {
	DEFAULT_NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
			     CLONE_NEWUTS | CLONE_NEWCGROUP
};

struct op *plan_add(struct build *b, enum op_kind kind, enum stage stage, uint32_t origin)
{
	struct op op = { .kind = kind, .stage = stage, .origin = origin };

	g_array_append_val(b->plan->ops, op);
	return &g_array_index(b->plan->ops, struct op, b->plan->ops->len - 1);
}

void plan_notice(struct build *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_ptr_array_add(b->plan->notices, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

const char *plan_str(struct build *b, const char *text)
{
	return g_string_chunk_insert(b->plan->arena, text);
}

const char *plan_printf(struct build *b, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	return plan_str(b, text);
}

static unsigned namespaces(const struct spec *spec)
{
	unsigned flags = (DEFAULT_NAMESPACES | spec->unshare) & ~spec->share;
	bool own = spec->net == NET_NONE || spec->net == NET_USER;

	if (spec->backend == BACKEND_LANDLOCK)
		return 0;
	return own ? flags : flags & ~(unsigned)CLONE_NEWNET;
}

static void plan_clone(struct build *b)
{
	struct op *op;

	if (b->spec->net == NET_NS) {
		op = plan_add(b, OP_NETNS_JOIN, STAGE_CLONE, b->spec->origin[OPT_NETWORK]);
		op->u.netns.path = plan_str(b, b->spec->netns_path);
	}
	op = plan_add(b, OP_CLONE, STAGE_CLONE, 0);
	op->u.clone.flags = b->plan->landlock_only
				    ? 0
				    : CLONE_NEWUSER | (b->namespaces & ~(unsigned)CLONE_NEWCGROUP);
}

/* What belongs to the namespaces themselves, after identity. */
static void plan_namespaces(struct build *b)
{
	struct op *op = plan_add(b, OP_GUARD, STAGE_BUILD, 0);

	op->u.guard.pid_namespace = (b->namespaces & CLONE_NEWPID) != 0;
	if (b->namespaces & CLONE_NEWCGROUP)
		(void)plan_add(b, OP_CGROUPNS, STAGE_BUILD, 0);
	if (b->namespaces & CLONE_NEWNET)
		(void)plan_add(b, OP_LOOPBACK, STAGE_BUILD, 0);
	plan_net_rows(b);
	if (b->namespaces & CLONE_NEWUTS) {
		op = plan_add(b, OP_HOSTNAME, STAGE_BUILD, b->spec->origin[OPT_HOSTNAME]);
		op->u.hostname.name = b->spec->hostname ? b->spec->hostname : "sandbox";
	}
}

static void plan_init(struct build *b)
{
	*b->plan = (struct plan){
		.arena = g_string_chunk_new(4096),
		.ops = g_array_sized_new(FALSE, FALSE, sizeof(struct op), 64),
		.io = g_array_new(FALSE, FALSE, sizeof(struct io_rate)),
		.notices = g_ptr_array_new_with_free_func(g_free),
		.pid_namespace = (b->namespaces & CLONE_NEWPID) != 0,
		.landlock_only = b->spec->backend == BACKEND_LANDLOCK,
		.tty_source = -1,
		.quiet = b->spec->quiet,
	};
}

int plan_compile(struct plan *ret, const struct spec *spec, const struct host *host,
		 struct err *err)
{
	struct build b = {
		.plan = ret, .spec = spec, .host = host, .namespaces = namespaces(spec)
	};
	uint32_t root;
	int r;

	plan_init(&b);
	r = plan_process(&b, err);
	if (r == 0)
		r = plan_net(&b, err);
	plan_clone(&b);
	if (r == 0)
		r = plan_ids(&b, err);
	b.caps = plan_capabilities(&b);
	if (r == 0 && host->euid == 0 && !host->userns_root && idmap_inside(&ret->uids, 0, &root))
		plan_notice(
			&b,
			"running as root: the command acts with root's rights on every file it sees");
	if (r == 0)
		r = plan_limits(&b, err);
	plan_namespaces(&b);
	if (r == 0)
		r = plan_mounts(&b, err);
	if (r == 0)
		r = plan_env(&b, err);
	if (r == 0)
		r = plan_lockdown(&b, err);
	if (b.places)
		g_array_unref(b.places);
	if (r < 0)
		plan_clear(ret);
	return r;
}

void plan_clear(struct plan *plan)
{
	idmap_clear(&plan->uids);
	idmap_clear(&plan->gids);
	g_clear_pointer(&plan->filter_argv, g_ptr_array_unref);
	g_clear_pointer(&plan->argv, g_free);
	g_clear_pointer(&plan->env, g_free);
	g_clear_pointer(&plan->places, g_free);
	g_clear_pointer(&plan->ops, g_array_unref);
	g_clear_pointer(&plan->io, g_array_unref);
	g_clear_pointer(&plan->notices, g_ptr_array_unref);
	g_clear_pointer(&plan->own_ports, g_free);
	g_clear_pointer(&plan->arena, g_string_chunk_free);
}
