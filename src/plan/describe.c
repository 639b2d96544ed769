// SPDX-License-Identifier: MIT
/* The text of a plan: stage by stage, then what holds while it runs. */
#include "describe.h"

#include <inttypes.h>
#include <string.h>

static const char *const stage_names[_STAGE_MAX] = {
	[STAGE_NONE] = "none",         [STAGE_PREPARE] = "PREPARE", [STAGE_CLONE] = "CLONE",
	[STAGE_IDMAP] = "IDMAP",       [STAGE_LINK] = "LINK",       [STAGE_BUILD] = "BUILD",
	[STAGE_LOCKDOWN] = "LOCKDOWN", [STAGE_HANDOFF] = "HANDOFF", [STAGE_EXEC] = "EXEC",
	[STAGE_INIT] = "INIT",         [STAGE_WATCH] = "WATCH",
};

const char *stage_name(enum stage stage)
{
	return stage < _STAGE_MAX ? stage_names[stage] : "?";
}

static void describe_row(const struct op *op, const struct request *request, GString *out)
{
	char origin[128];

	describe_op(op, out);
	if (op->on_fail == FAIL_SKIP_PLACE)
		g_string_append(out, " if-possible");
	if (op->on_fail == FAIL_SKIP_ABSENT)
		g_string_append(out, " if-present");
	if (request && op->origin)
		g_string_append_printf(out, "  # %s",
				       request_origin(request, op->origin, origin, sizeof(origin)));
	while (out->len && out->str[out->len - 1] == ' ')
		g_string_truncate(out, out->len - 1);
	g_string_append_c(out, '\n');
}

/* Values of the environment may be secrets: names only, but for what we set ourselves. */
static void describe_command(const struct plan *plan, GString *out)
{
	g_string_append(out, "command\n  file         ");
	describe_quoted(out, plan->file);
	g_string_append(out, "\n  argv         ");
	for (char **a = plan->argv; *a; a++) {
		if (a != plan->argv)
			g_string_append_c(out, ' ');
		describe_quoted(out, *a);
	}
	g_string_append(out, "\n  environment  ");
	for (char **e = plan->env; *e; e++)
		g_string_append_printf(out, "%s%.*s", e == plan->env ? "" : " ",
				       (int)strcspn(*e, "="), *e);
	g_string_append(out, "\n  path         ");
	describe_quoted(out, plan->path_env);
	g_string_append_c(out, '\n');
}

static void put_fd(GString *out, const char *name, int fd)
{
	if (fd >= 0)
		g_string_append_printf(out, "  %-13s%d\n", name, fd);
}

static void put_text(GString *out, const char *name, const char *text)
{
	if (!text)
		return;
	g_string_append_printf(out, "  %-13s", name);
	describe_quoted(out, text);
	g_string_append_c(out, '\n');
}

static void describe_watch(const struct plan *plan, GString *out)
{
	g_string_append(out, "WATCH\n");
	g_string_append_printf(out, "  terminal     %s%s%s%s\n", plan->tty[0] ? "0" : "",
			       plan->tty[1] ? "1" : "", plan->tty[2] ? "2" : "",
			       plan->tty_source < 0 ? "none"
			       : plan->tty_raw      ? " raw"
						    : " pipeline");
	g_string_append_printf(out, "  stop-signal  %d\n", plan->stop_signal);
	if (plan->timeout_ms)
		g_string_append_printf(out, "  timeout      %" PRIu64 " ms\n", plan->timeout_ms);
	put_fd(out, "status-fd", plan->status_fd);
	put_fd(out, "block-fd", plan->block_fd);
	put_fd(out, "ready-fd", plan->ready_fd);
	put_text(out, "report", plan->report);
	put_text(out, "pidfile", plan->pidfile);
	put_text(out, "net-log", plan->net_log);
}

static void describe_limits(const struct plan *plan, GString *out)
{
	bool heading = false;

	for (int i = 0; i < _LIMIT_MAX; i++) {
		const struct limit *l = &plan->limits[i];

		if (!l->asked)
			continue;
		g_string_append_printf(out, "%s  %-13s", heading ? "" : "limits\n",
				       limit_name((enum limit_kind)i));
		heading = true;
		if (l->text)
			describe_quoted(out, l->text);
		else
			describe_limit(out, l->value);
		g_string_append_printf(out, " else=%s\n", limit_by_name(l->otherwise));
	}
	for (unsigned i = 0; i < plan->io->len; i++) {
		const struct io_rate *io = &g_array_index(plan->io, struct io_rate, i);

		g_string_append_printf(out, "  %-13s%" PRIu64 "%s of ",
				       io->write ? "write" : "read", io->rate,
				       io->ops ? "iops" : "");
		describe_quoted(out, io->path);
		g_string_append_c(out, '\n');
	}
}

void plan_describe(const struct plan *plan, const struct request *request, GString *out)
{
	for (int stage = STAGE_PREPARE; stage < STAGE_WATCH; stage++) {
		bool heading = false;

		for (unsigned i = 0; i < plan->ops->len; i++) {
			const struct op *op = &g_array_index(plan->ops, struct op, i);

			if (op->stage != (enum stage)stage)
				continue;
			if (!heading)
				g_string_append_printf(out, "%s\n", stage_name(op->stage));
			heading = true;
			describe_row(op, request, out);
		}
	}
	describe_limits(plan, out);
	describe_command(plan, out);
	describe_watch(plan, out);
	for (unsigned i = 0; i < plan->notices->len; i++)
		g_string_append_printf(out, "notice: %s\n",
				       (const char *)g_ptr_array_index(plan->notices, i));
}
