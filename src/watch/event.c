// SPDX-License-Identifier: MIT
/* The events as text, and the meaning of wait statuses: see event.h. No system call in here. */
#include <string.h>
#include <sys/wait.h>

#include <sandbox/json.h>

#include "event.h"
#include "refused.h"

enum { EVENT_VERSION = 1, EXIT_TIMEOUT = 124, EXIT_SIGNAL_BASE = 128 };

/* clang-format off */
static const char *const reason_names[] = {
	[REASON_EXITED]   = "exited",
	[REASON_SIGNALED] = "signaled",
	[REASON_TIMEOUT]  = "timeout",
	[REASON_KILLED]   = "killed",
	[REASON_OOM]      = "oom",
	[REASON_CPU_TIME] = "cpu-time",
	[REASON_SECCOMP]  = "seccomp",
	[REASON_PIDS]     = "pids",
};
/* clang-format on */

static void event_begin(GString *out, const char *name)
{
	g_string_append_printf(out, "{\"v\":%d,\"event\":\"%s\"", EVENT_VERSION, name);
}

static void add_string(GString *out, const char *key, const char *value)
{
	g_string_append_printf(out, ",\"%s\":", key);
	json_string(out, value);
}

/* Seconds to the microsecond; the decimal point does not depend on the locale. */
static void add_seconds(GString *out, const char *key, double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_printf(out, ",\"%s\":%s", key,
			       g_ascii_formatd(text, sizeof(text), "%.6f", value));
}

static void add_limits(GString *out, const struct limit *limits)
{
	const char *sep = "";

	for (int i = 0; i < _LIMIT_MAX; i++) {
		const struct limit *l = &limits[i];

		if (!l->asked)
			continue;
		g_string_append_printf(out, "%s\"%s\":{\"asked\":", sep,
				       limit_name((enum limit_kind)i));
		if (l->text)
			json_string(out, l->text);
		else if (i == LIMIT_CPU || i == LIMIT_CPU_TIME) /* CPUs, seconds */
			g_string_append_printf(out, "%" G_GUINT64_FORMAT ".%03u", l->value / 1000,
					       (unsigned)(l->value % 1000));
		else if (l->value == UINT64_MAX)
			g_string_append(out, "true");
		else
			g_string_append_printf(out, "%" G_GUINT64_FORMAT, l->value);
		g_string_append_printf(out, ",\"by\":\"%s\",\"exact\":%s}", limit_by_name(l->by),
				       l->exact ? "true" : "false");
		sep = ",";
	}
}

static void add_network(GString *out, const struct plan *plan)
{
	g_string_append(out, ",\"network\":{\"box\":");
	json_string(out, plan->net_box);
	add_string(out, "address", plan->net_address);
	if (plan->net_address6)
		add_string(out, "address6", plan->net_address6);
	g_string_append_c(out, '}');
}

void event_started(GString *out, pid_t init, const struct plan *plan, const struct limit *limits,
		   const char *ip)
{
	event_begin(out, "started");
	g_string_append_printf(out,
			       ",\"pid\":%d,\"backend\":\"%s\",\"landlock\":%d,\"filter\":\"%s\"",
			       (int)init, plan->landlock_only ? "landlock" : "namespaces",
			       plan->landlock, plan->filter ? plan->filter : "off");
	if (ip)
		add_string(out, "ip", ip);
	g_string_append(out, ",\"limits\":{");
	add_limits(out, limits);
	g_string_append_c(out, '}');
	if (plan->net_box)
		add_network(out, plan);
	g_string_append(out, "}\n");
}

void event_exit(GString *out, const struct outcome *outcome, const char *refused)
{
	event_begin(out, "exit");
	g_string_append_printf(out, ",\"code\":%d,\"signal\":%d,\"reason\":\"%s\"", outcome->code,
			       outcome->signal, reason_names[outcome->reason]);
	if (outcome->reason == REASON_SECCOMP && outcome->blocked.nr >= 0)
		g_string_append_printf(out, ",\"syscall_nr\":%d", outcome->blocked.nr);
	if (outcome->reason == REASON_SECCOMP && outcome->syscall)
		add_string(out, "syscall", outcome->syscall);
	add_seconds(out, "cpu_s", outcome->cpu_s);
	add_seconds(out, "wall_s", outcome->wall_s);
	add_seconds(out, "share", outcome->wall_s > 0 ? outcome->cpu_s / outcome->wall_s : 0);
	add_seconds(out, "throttled_s", outcome->throttled_s);
	g_string_append_printf(
		out,
		",\"peak_rss\":%" G_GUINT64_FORMAT ",\"memory_peak\":%" G_GUINT64_FORMAT
		",\"pids_peak\":%" G_GUINT64_FORMAT ",\"pids_denied\":%" G_GUINT64_FORMAT,
		outcome->peak_rss, outcome->memory_peak, outcome->pids_peak, outcome->pids_denied);
	if (refused) {
		g_string_append(out, ",\"network\":");
		refused_json(out, refused);
	}
	g_string_append(out, "}\n");
}

void event_error(GString *out, const struct err *err, const char *origin)
{
	const char *cause = err->cause;

	if (cause[0] == '\0' && err->num > 0)
		cause = g_strerror(err->num);
	event_begin(out, "error");
	add_string(out, "code", err_code_name((enum err_code)err->code));
	g_string_append_printf(out, ",\"errno\":%d", err->num);
	add_string(out, "stage", stage_name((enum stage)err->stage));
	add_string(out, "what", err->what);
	add_string(out, "cause", cause);
	add_string(out, "fix", err->fix);
	add_string(out, "origin", origin ? origin : "");
	g_string_append(out, "}\n");
}

void outcome_ending(struct outcome *ret, const struct ending *ending)
{
	int status = ending->exited ? ending->command : ending->init;

	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (ret->signal != 0) {
		ret->code = EXIT_SIGNAL_BASE + ret->signal;
		ret->reason = ending->exited ? REASON_SIGNALED : REASON_KILLED;
	} else {
		ret->code = WEXITSTATUS(status);
		ret->reason = REASON_EXITED;
	}
	if (ending->timed_out) {
		ret->code = EXIT_TIMEOUT;
		ret->reason = REASON_TIMEOUT;
	}
}
