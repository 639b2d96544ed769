// SPDX-License-Identifier: MIT
/* doctor: the results as text for people, or as one JSON document. */
#include <glib.h>
#include <string.h>

#include <sandbox/json.h>

#include "config.h"
#include "doctor.h"

static const char *const mark_words[] = {
	[MARK_OK] = "ok",
	[MARK_INFO] = "info",
	[MARK_WARN] = "warn",
	[MARK_FAIL] = "fail",
};
static const char *const mark_shown[] = {
	[MARK_OK] = "ok",
	[MARK_INFO] = "-",
	[MARK_WARN] = "warn",
	[MARK_FAIL] = "FAIL",
};

/* One line of text from outside, made harmless for a terminal. */
static void append_quoted(GString *out, const char *text, size_t len)
{
	g_autofree char *line = g_strndup(text, len);
	unsigned size = (unsigned)(4 * len + 8);
	g_autofree char *quoted = g_malloc(size);

	g_string_append(out, err_quote(quoted, size, line));
}

static void append_fix(GString *out, const char *fix)
{
	const char *label = "fix:";

	for (const char *line = fix; *line != '\0'; label = "") {
		size_t len = strcspn(line, "\n");

		g_string_append_printf(out, "        %-5s", label);
		append_quoted(out, line, len);
		g_string_append_c(out, '\n');
		line += len + (line[len] == '\n');
	}
}

static void append_human(GString *out, const struct check *check, const struct result *result)
{
	g_string_append_printf(out, "  %-5s %-18s ", mark_shown[result->mark], check->title);
	append_quoted(out, result->detail, strlen(result->detail));
	g_string_append_c(out, '\n');
	if (result->fix != NULL)
		append_fix(out, result->fix);
}

static void append_json(GString *out, const struct check *check, const struct result *result)
{
	/* clang-format off */
	const struct { const char *key, *value; } fields[] = {
		{ "title", check->title },
		{ "status", mark_words[result->mark] },
		{ "code", result->code == ERR_NONE ? NULL : err_code_name(result->code) },
		{ "detail", result->detail },
		{ "fix", result->fix },
	};
	/* clang-format on */

	g_string_append(out, "{\"id\":");
	json_string(out, check->id);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_string_append_printf(out, ",\"%s\":", fields[i].key);
		json_string(out, fields[i].value);
	}
	if (result->by != NULL) {
		g_string_append(out, ",\"by\":");
		json_string(out, result->by);
		g_string_append_printf(out, ",\"exact\":%s", result->exact ? "true" : "false");
	}
	g_string_append_c(out, '}');
}

void doctor_print_human(GString *out, const struct check *checks, const struct result *results,
			size_t n, unsigned failed)
{
	g_string_append(out, "sandbox " SANDBOX_VERSION "\n\n");
	for (size_t i = 0; i < n; i++)
		append_human(out, &checks[i], &results[i]);
	if (failed == 0)
		g_string_append(out, "\nA plain run works here: sandbox -- CMD\n");
	else
		g_string_append_printf(out,
				       "\nA plain run does not work here: %u check%s failed.\n",
				       failed, failed == 1 ? "" : "s");
}

void doctor_print_json(GString *out, const struct check *checks, const struct result *results,
		       size_t n, unsigned failed)
{
	g_string_append_printf(out,
			       "{\"v\":1,\"version\":\"" SANDBOX_VERSION "\",\"ok\":%s,"
			       "\"checks\":[",
			       failed == 0 ? "true" : "false");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			g_string_append_c(out, ',');
		append_json(out, &checks[i], &results[i]);
	}
	g_string_append(out, "]}\n");
}
