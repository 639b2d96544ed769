// SPDX-License-Identifier: MIT
/*
 * From the words of a command line to option occurrences in order (include/sandbox/request.h).
 * Nothing is judged here but the form: what a value means is decided in spec/. The words are read
 * first, since they say which profiles to read; those go in front.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/options.h>
#include <sandbox/request.h>

#include "profile.h"
#include "textfile.h"

struct parser {
	struct request *to;
	char **next; /* the word to read */
	char **env;
	GPtrArray *profiles; /* names, borrowed from argv */
	bool no_profile;
	bool stop;                /* --help or --version was read */
	unsigned count[_OPT_MAX]; /* occurrences so far */
};

/* Words of other tools that are no options here; every one was typed by habit. */
/* clang-format off */
static const struct habit { const char *word, *fix; } habits[] = {
	{ "-i",            "leave it out: standard input is always connected" },
	{ "--interactive", "leave it out: standard input is always connected" },
	{ "--rm",          "leave it out: nothing is left behind anyway" },
	{ "--init",        "leave it out: PID 1 of the box always reaps and forwards signals" },
	{ "--net",         "--network" },
	{ "--bind",        "-v SRC:DST" },
	{ "--dev-bind",    "-v SRC:DST:dev" },
	{ "--ro-bind",     "-v SRC:DST:ro" },
	{ "--ro-bind-try", "-v SRC:DST:ro,optional" },
	{ "--bind-try",    "-v SRC:DST:optional" },
	{ "--mount",       "-v SRC:DST:OPTS, or --tmpfs DST" },
	{ "--chroot",      "--rootfs DIR" },
	{ "--setenv",      "-e NAME=VALUE" },
	{ "--unshare-all", "leave it out: all namespaces but time are new anyway" },
	{ "--unshare-net", "leave it out: there is no network unless --network says so" },
	{ "--share-net",   "--network host" },
	{ "--die-with-parent", "leave it out: the box always dies with sandbox" },
	{ "--new-session", "leave it out: the command always has a session of its own" },
	{ "--privileged",  "there is no such thing; name what is needed: --cap-add, --nested, -v" },
	{ "--entrypoint",  "write the command behind --" },
	{ "--pids",        "--pids-limit" },
	{ "--uid",         "-u UID[:GID]" },
	{ "--gid",         "-u UID:GID" },
};
/* clang-format on */

/* ---- errors ---- */

/* "--name" of "--name=value", safe to print. */
static const char *word_quote(char *out, unsigned size, const char *word)
{
	g_autofree char *name = g_strndup(word, strcspn(word, "="));

	return err_quote(out, size, name);
}

static int fail_unknown(struct err *err, const char *word)
{
	bool negated = g_str_has_prefix(word, "--no-");
	g_autofree char *name = g_strndup(word, strcspn(word, "="));
	const char *bare = name + (negated ? 5 : 2), *nearest;
	char quoted[128];

	err_set(err, ERR_OPTION_UNKNOWN, 0, "there is no option '%s'",
		err_quote(quoted, sizeof(quoted), name));
	for (size_t i = 0; i < G_N_ELEMENTS(habits); i++) {
		if (strcmp(habits[i].word, name) == 0)
			return err_fix(err, "%s", habits[i].fix);
	}
	nearest = name[1] == '-' ? option_nearest(bare) : NULL;
	if (!nearest && name[1] == '-')
		nearest = option_nearest(name + 2);
	if (!nearest)
		return err_fix(err, "'sandbox --help' lists all options");
	return err_fix(err, "did you mean --%s%s?", negated ? "no-" : "", nearest);
}

static int fail_letter(struct err *err, char letter, const char *word)
{
	const char alone[] = { '-', letter, '\0' };
	const struct option *opt = option_by_name(word + 1, strcspn(word + 1, "="));
	char quoted[128];

	fail_unknown(err, alone);
	if (strcmp(word, alone) != 0)
		err_cause(err, "'%s' stands for one option a letter",
			  err_quote(quoted, sizeof(quoted), word));
	if (opt)
		return err_fix(err, "long options have two dashes: --%s", opt->name);
	return -EINVAL;
}

static int fail_later(struct err *err, const struct option *opt, const char *word)
{
	char quoted[128];

	word_quote(quoted, sizeof(quoted), word);
	if (word[1] != '-')
		g_snprintf(quoted, sizeof(quoted), "-%c (--%s)", opt->letter, opt->name);
	err_set(err, ERR_OPTION_LATER, 0, "%s is not part of this version", quoted);
	return err_fix(err, "%s", opt->help);
}

static int fail_no_value(struct err *err, const struct option *opt)
{
	err_set(err, ERR_USAGE, 0, "--%s needs a value", opt->name);
	return err_fix(err, "--%s=%s", opt->name, opt->arg);
}

static int fail_flag_value(struct err *err, const struct option *opt)
{
	err_set(err, ERR_USAGE, 0, "--%s takes no value", opt->name);
	if (!option_negatable(opt))
		return err_fix(err, "--%s", opt->name);
	return err_fix(err, "write --%s, or --no-%s for the opposite", opt->name, opt->name);
}

static int fail_negated(struct err *err, const struct option *opt)
{
	err_set(err, ERR_USAGE, 0, "--%s has no --no-%s", opt->name, opt->name);
	return err_fix(err, "leave it out; only flags can be undone");
}

/* ---- occurrences ---- */

static void item_clear(void *data)
{
	struct occurrence *item = data;

	g_free(item->value);
	g_free(item->file);
}

static GArray *items_new(void)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(struct occurrence));

	g_array_set_clear_func(items, item_clear);
	return items;
}

static void item_push(struct parser *p, const struct option *opt, const char *value, bool negated)
{
	/* clang-format off */
	struct occurrence item = {
		.opt = opt, .value = g_strdup(value), .negated = negated,
		.origin = ORIGIN_ARGV, .nth = ++p->count[opt->id],
	};
	/* clang-format on */

	g_array_append_val(p->to->items, item);
}

/* Its lines take its place; it stays only as the origin of an error. */
static int item_env_file(struct parser *p, const struct option *opt, const char *value,
			 struct err *err)
{
	int r = env_file_expand(p->to->items, value, err);

	if (r == 0) {
		p->count[opt->id]++;
		return 0;
	}
	item_push(p, opt, value, false);
	return err_origin(err, p->to->items->len);
}

static void item_profile(struct parser *p, const char *name)
{
	if (!p->profiles)
		p->profiles = g_ptr_array_new();
	g_ptr_array_add(p->profiles, (gpointer)name);
}

static int item_value(struct parser *p, const struct option *opt, const char *value,
		      struct err *err)
{
	g_autofree char *where = NULL;

	if (strlen(value) > VALUE_MAX) {
		where = g_strconcat("--", opt->name, NULL);
		return value_check_length(value, where, err);
	}
	if (opt->id == OPT_ENV_FILE)
		return item_env_file(p, opt, value, err);
	if (opt->id == OPT_PROFILE)
		item_profile(p, value);
	item_push(p, opt, value, false);
	return 0;
}

static void item_flag(struct parser *p, const struct option *opt, bool negated)
{
	item_push(p, opt, NULL, negated);
	if (opt->id == OPT_HELP || opt->id == OPT_VERSION)
		p->stop = true;
	if (opt->id == OPT_EXPLAIN)
		p->to->explain = !negated;
	if (opt->id == OPT_NO_PROFILE) {
		p->no_profile = true;
		if (p->profiles)
			g_ptr_array_set_size(p->profiles, 0);
	}
}

/* ---- words ---- */

/* The next word as the value of `opt`. An option that forgot its value must not swallow `--` or
 * another option; a value that looks like one is given with '='. */
static int take_value(struct parser *p, const struct option *opt, struct err *err)
{
	const char *word = *p->next;
	bool option = word && g_str_has_prefix(word, "--") &&
		      (word[2] == '\0' || option_by_name(word + 2, strcspn(word + 2, "=")));

	if (!word || option)
		return fail_no_value(err, opt);
	p->next++;
	return item_value(p, opt, word, err);
}

static int read_long(struct parser *p, const char *word, struct err *err)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option *opt = option_by_name(name, len);
	bool negated = false;

	if (!opt && len > 3 && g_str_has_prefix(name, "no-")) {
		opt = option_by_name(name + 3, len - 3);
		negated = true;
	}
	if (!opt)
		return fail_unknown(err, word);
	if (opt->flags & OPT_LATER)
		return fail_later(err, opt, word);
	if (negated && !option_negatable(opt))
		return fail_negated(err, opt);
	if (opt->kind == OPT_KIND_FLAG && value)
		return fail_flag_value(err, opt);
	if (opt->kind != OPT_KIND_FLAG)
		return value ? item_value(p, opt, value, err) : take_value(p, opt, err);
	item_flag(p, opt, negated);
	return 0;
}

/* "-qt", "-eA=1", "-qe A=1": flags, the last one may take the rest or the next word. */
static int read_letters(struct parser *p, const char *word, struct err *err)
{
	for (const char *letter = word + 1; *letter && !p->stop; letter++) {
		const struct option *opt = option_by_letter(*letter);

		if (!opt)
			return fail_letter(err, *letter, word);
		if (opt->flags & OPT_LATER)
			return fail_later(err, opt, word);
		if (opt->kind == OPT_KIND_FLAG && letter[1] == '=')
			return fail_flag_value(err, opt);
		if (opt->kind == OPT_KIND_FLAG) {
			item_flag(p, opt, false);
			continue;
		}
		if (letter[1] == '=') {
			err_set(err, ERR_USAGE, 0, "the value of -%c starts with '='", *letter);
			return err_fix(err, "write -%c VALUE or --%s=VALUE", *letter, opt->name);
		}
		return letter[1] ? item_value(p, opt, letter + 1, err) : take_value(p, opt, err);
	}
	return 0;
}

static int read_words(struct parser *p, struct err *err)
{
	int r = 0;

	while (r == 0 && !p->stop && *p->next) {
		const char *word = *p->next;

		if (word[0] != '-' || word[1] == '\0')
			break;
		p->next++;
		if (strcmp(word, "--") == 0) {
			p->to->dashes = true;
			break;
		}
		r = word[1] == '-' ? read_long(p, word, err) : read_letters(p, word, err);
	}
	if (r == 0 && !p->stop && *p->next)
		p->to->command = p->next;
	return r;
}

/* ---- profiles ---- */

static int read_profiles(struct parser *p, GArray *items, struct err *err)
{
	int r = 0;

	if (!p->profiles || p->profiles->len == 0)
		return p->no_profile ? 0 : profile_expand_default(items, p->env, err);
	for (unsigned i = 0; r == 0 && i < p->profiles->len; i++)
		r = profile_expand(items, g_ptr_array_index(p->profiles, i), p->env, err);
	return r;
}

/* Puts the occurrences of profiles in front; hands the strings over. */
static void put_in_front(struct request *to, GArray *items)
{
	if (items->len == 0)
		return;
	g_array_prepend_vals(to->items, items->data, items->len);
	g_array_set_clear_func(items, NULL);
}

static int expand_profiles(struct parser *p, struct err *err)
{
	g_autoptr(GArray) items = items_new();
	int r = read_profiles(p, items, err);

	put_in_front(p->to, items);
	return r;
}

int request_parse(struct request *ret, char **argv, char **environ_in, struct err *err)
{
	struct parser p = { .to = ret, .next = argv, .env = environ_in };
	int r;

	*ret = (struct request){ .items = items_new() };
	r = read_words(&p, err);
	if (r == 0 && !p.stop)
		r = expand_profiles(&p, err);
	if (p.profiles)
		g_ptr_array_unref(p.profiles);
	return r;
}

void request_clear(struct request *request)
{
	if (request->items)
		g_array_unref(request->items);
	request->items = NULL;
	request->command = NULL;
}

int request_check_dashes(const struct request *request, struct err *err)
{
	char quoted[128];

	if (request->dashes || !request->command)
		return 0;
	err_quote(quoted, sizeof(quoted), request->command[0]);
	err_set(err, ERR_USAGE, 0, "'%s' stands where an option or -- should", quoted);
	return err_fix(err, "to run it: sandbox OPTION... -- %s", quoted);
}

bool request_has(const struct request *request, enum opt_id id)
{
	for (unsigned i = request->items->len; i > 0; i--) {
		const struct occurrence *item =
			&g_array_index(request->items, struct occurrence, i - 1);

		if (item->opt->id == id)
			return !item->negated;
	}
	return false;
}

/* A number only where it tells two apart. */
static bool is_numbered(const struct occurrence *item)
{
	return item->opt->kind == OPT_KIND_LIST || item->nth > 1;
}

/* "/home/ann/py.conf:12"; where it is too long, the end is what tells: "...ann/py.conf:12". */
static void origin_of_file(const struct occurrence *item, char *out, size_t size)
{
	char file[4 * 512], line[16];
	size_t len, room;

	err_quote(file, sizeof(file), item->file);
	g_snprintf(line, sizeof(line), ":%u", item->nth);
	len = strlen(file);
	room = size > strlen(line) + 4 ? size - strlen(line) - 1 : 0;
	if (len <= room)
		g_snprintf(out, size, "%s%s", file, line);
	else if (room > 3)
		g_snprintf(out, size, "...%s%s", file + len - (room - 3), line);
}

const char *request_origin(const struct request *request, uint32_t origin, char *out, size_t size)
{
	const struct occurrence *item;

	if (size > 0)
		out[0] = '\0';
	if (origin == 0 || !request->items || origin > request->items->len)
		return out;
	item = &g_array_index(request->items, struct occurrence, origin - 1);
	if (item->origin == ORIGIN_PROFILE || item->origin == ORIGIN_FILE)
		origin_of_file(item, out, size);
	else if (is_numbered(item))
		g_snprintf(out, size, "--%s no. %u", item->opt->name, item->nth);
	else
		g_snprintf(out, size, "--%s%s", item->negated ? "no-" : "", item->opt->name);
	return out;
}
