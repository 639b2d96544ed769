// SPDX-License-Identifier: MIT
/*
 * Profiles in JSON: docker's (archMap, includes, excludes) and the OCI runtime specification's
 * (config-linux.md, "Seccomp"), which is the same without them. What is not known is refused with
 * its place: a key that is passed over may be the one that mattered.
 *
 * Where several entries name one call, those with conditions are tried before those without, which
 * is the order that libseccomp gives them.
 */
#include <glib.h>
#include <jansson.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include "profile.h"
#include "wide.h"
#include "words.h"

enum { ERRNO_MAX = 4095, DEFAULT_ERRNO = 1 /* EPERM */ };

struct reader {
	struct policy *policy;
	struct profile_notes *notes;
	const struct profile_facts *facts;
	struct fault *fault;
	GArray *general; /* struct policy_rule without conditions: they come last */
	char place[160]; /* "syscalls[3].args[0]" */
};

/* ---- small things ---- */

static int bad(struct reader *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(struct reader *r, const char *key, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fault_cause(r->fault, "%s%s%s%s%s", r->place, r->place[0] && key[0] ? "." : "", key,
			   r->place[0] || key[0] ? ": " : "", text);
}

/* The value of a key; NULL if it is not there, or null. */
static const json_t *get(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

/* Every key must be one of `known`, a list of words apart by spaces. */
static int check_keys(struct reader *r, const json_t *object, const char *known)
{
	g_auto(GStrv) words = g_strsplit(known, " ", -1);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (g_strv_contains((const char *const *)words, key))
			continue;
		(void)bad(r, "", "the key '%.64s' is not known", key);
		return fault_fix(r->fault, "known here: %s", known);
	}
	return 0;
}

static int get_string(struct reader *r, const json_t *object, const char *key, const char **ret)
{
	const json_t *value = get(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return bad(r, key, "a string is expected");
	*ret = json_string_value(value);
	return 0;
}

static int get_array(struct reader *r, const json_t *object, const char *key, const json_t **ret)
{
	*ret = get(object, key);
	return !*ret || json_is_array(*ret) ? 0 : bad(r, key, "a list is expected");
}

static int get_number(struct reader *r, const json_t *object, const char *key, uint64_t max,
		      uint64_t *ret)
{
	const json_t *value = get(object, key);
	uint64_t number = (uint64_t)json_integer_value(value); /* 0 for others */
	bool wide = json_is_string(value) && wide_value(json_string_value(value), &number);

	if (!value)
		return 0;
	if ((!wide && (!json_is_integer(value) || json_integer_value(value) < 0)) || number > max)
		return bad(r, key, "a number from 0 to %llu is expected", (unsigned long long)max);
	*ret = number;
	return 0;
}

/* ---- actions ---- */

/* Ending one thread of a program leaves the others in a state nobody has thought of: the whole
 * process ends, as libseccomp's manual advises. */
/* clang-format off */
static const struct { const char *name; enum policy_action action; } actions[] = {
	{ "SCMP_ACT_ALLOW",        POLICY_ALLOW },        { "SCMP_ACT_ERRNO",       POLICY_ERRNO },
	{ "SCMP_ACT_KILL",         POLICY_KILL_PROCESS }, { "SCMP_ACT_KILL_THREAD", POLICY_KILL_PROCESS },
	{ "SCMP_ACT_KILL_PROCESS", POLICY_KILL_PROCESS }, { "SCMP_ACT_TRAP",        POLICY_TRAP },
	{ "SCMP_ACT_TRACE",        POLICY_TRACE },        { "SCMP_ACT_LOG",         POLICY_LOG },
};
/* clang-format on */

static int get_action(struct reader *r, const json_t *object, const char *key,
		      const char *errno_key, struct policy_do *ret)
{
	const char *name = NULL;
	uint64_t num = DEFAULT_ERRNO;

	if (get_string(r, object, key, &name) < 0 ||
	    get_number(r, object, errno_key, ERRNO_MAX, &num) < 0)
		return -1;
	if (!name)
		return bad(r, key, "it is missing");
	for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
		bool has_data =
			actions[i].action == POLICY_ERRNO || actions[i].action == POLICY_TRACE;

		if (strcmp(actions[i].name, name) != 0)
			continue;
		*ret = (struct policy_do){ actions[i].action, has_data ? (uint16_t)num : 0 };
		return 0;
	}
	(void)bad(r, key, "'%.64s' is no action", name);
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return fault_fix(r->fault,
				 "there is nobody to notify: use SCMP_ACT_ERRNO or SCMP_ACT_LOG");
	return fault_fix(
		r->fault,
		"SCMP_ACT_ followed by ALLOW, ERRNO, KILL, KILL_THREAD, KILL_PROCESS, TRAP, TRACE or LOG");
}

static bool lets(struct policy_do act)
{
	return act.action == POLICY_ALLOW || act.action == POLICY_LOG;
}

/* ---- architectures ---- */

/* clang-format off */
static const struct { const char *scmp, *docker; enum policy_arch arch; } arches[] = {
	{ "SCMP_ARCH_X86_64",  "amd64",   POLICY_X86_64 },  { "SCMP_ARCH_X86", "386", POLICY_X86 },
	{ "SCMP_ARCH_X32",     "x32",     POLICY_X32 },     { "SCMP_ARCH_ARM", "arm", POLICY_ARM },
	{ "SCMP_ARCH_AARCH64", "arm64",   POLICY_AARCH64 },
	{ "SCMP_ARCH_RISCV64", "riscv64", POLICY_RISCV64 },
};
/* clang-format on */

static const char *docker_arch(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(arches); i++)
		if (arches[i].arch == policy_arch_native())
			return arches[i].docker;
	return "?";
}

/* One name adds its bit; an architecture that no machine of ours has is none of our business. */
static int add_arch(struct reader *r, const json_t *name, const char *key, unsigned *mask)
{
	const char *text = json_string_value(name);

	if (!text || !g_str_has_prefix(text, "SCMP_ARCH_"))
		return bad(r, key, "a name such as SCMP_ARCH_X86_64 is expected");
	for (unsigned i = 0; i < G_N_ELEMENTS(arches); i++)
		if (strcmp(arches[i].scmp, text) == 0)
			*mask |= arches[i].arch;
	return 0;
}

static int add_arches(struct reader *r, const json_t *object, const char *key, unsigned *mask)
{
	const json_t *list, *item;
	size_t i;

	if (get_array(r, object, key, &list) < 0)
		return -1;
	json_array_foreach((json_t *)list, i, item)
	{
		if (add_arch(r, item, key, mask) < 0)
			return -1;
	}
	return 0;
}

/* Of archMap the row counts that begins with this machine's architecture. */
static int read_arch_map(struct reader *r, const json_t *top, unsigned *mask)
{
	const json_t *map, *row;
	size_t i;

	if (get_array(r, top, "archMap", &map) < 0)
		return -1;
	json_array_foreach((json_t *)map, i, row)
	{
		unsigned main = 0, subs = 0;

		(void)snprintf(r->place, sizeof(r->place), "archMap[%zu]", i);
		if (!json_is_object(row))
			return bad(r, "", "an object is expected");
		if (check_keys(r, row, "architecture subArchitectures") < 0 ||
		    add_arch(r, get(row, "architecture"), "architecture", &main) < 0 ||
		    add_arches(r, row, "subArchitectures", &subs) < 0)
			return -1;
		if (main & policy_arch_native())
			*mask |= subs;
	}
	r->place[0] = '\0';
	return 0;
}

static int read_arches(struct reader *r, const json_t *top)
{
	unsigned native = policy_arch_native(), mask = 0;

	if (get(top, "archMap") && json_array_size(get(top, "architectures")) > 0)
		return bad(r, "", "both archMap and architectures are given");
	if (add_arches(r, top, "architectures", &mask) < 0 || read_arch_map(r, top, &mask) < 0)
		return -1;
	r->policy->archs = native | (mask & policy_arch_others(native));
	return 0;
}

/* ---- includes, excludes ---- */

static bool array_has(const json_t *list, const char *word)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (strcmp(json_string_value(item), word) == 0)
			return true;
	}
	return false;
}

static int get_words(struct reader *r, const json_t *object, const char *key, const json_t **ret)
{
	const json_t *item;
	size_t i;

	if (get_array(r, object, key, ret) < 0)
		return -1;
	json_array_foreach((json_t *)*ret, i, item)
	{
		if (!json_is_string(item))
			return bad(r, key, "a list of strings is expected");
	}
	return 0;
}

static int cap_held(struct reader *r, const char *name, bool *ret)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);
	cap_value_t cap;

	if (!g_str_has_prefix(lower, "cap_") || strchr(lower, '=') ||
	    cap_from_name(lower, &cap) < 0 || cap < 0 || cap > 63)
		return bad(r, "caps", "'%.64s' is no capability", name);
	*ret = r->facts->caps >> cap & 1;
	return 0;
}

/* How many of the capabilities named are held. */
static int count_caps(struct reader *r, const json_t *list, size_t *ret)
{
	const json_t *item;
	size_t i;

	*ret = 0;
	json_array_foreach((json_t *)list, i, item)
	{
		bool held = false;

		if (cap_held(r, json_string_value(item), &held) < 0)
			return -1;
		*ret += held;
	}
	return 0;
}

static int kernel_is(struct reader *r, const char *text, bool *ret)
{
	g_auto(GStrv) words = g_strsplit(text, ".", 3);
	guint64 major, minor;

	if (g_strv_length(words) < 2 ||
	    !g_ascii_string_to_unsigned(words[0], 10, 0, 999, &major, NULL) ||
	    !g_ascii_string_to_unsigned(words[1], 10, 0, 999, &minor, NULL))
		return bad(r, "minKernel", "'%.32s' is no version such as 4.8", text);
	*ret = r->facts->kernel >= major * 1000 + minor;
	return 0;
}

/* All conditions of "includes" have to hold; one of "excludes" is enough. *ret: the entry is not
 * for this place. */
static int filter_entry(struct reader *r, const json_t *entry, const char *key, bool any, bool *ret)
{
	const json_t *which = get(entry, key), *arch_list, *cap_list;
	const char *min = NULL;
	bool kernel = false, arch;
	size_t held = 0;

	if (!which)
		return 0;
	if (!json_is_object(which))
		return bad(r, key, "an object is expected");
	if (check_keys(r, which, "arches caps minKernel") < 0 ||
	    get_words(r, which, "arches", &arch_list) < 0 ||
	    get_words(r, which, "caps", &cap_list) < 0 ||
	    get_string(r, which, "minKernel", &min) < 0 || count_caps(r, cap_list, &held) < 0 ||
	    (min && min[0] && kernel_is(r, min, &kernel) < 0))
		return -1;
	arch = array_has(arch_list, docker_arch());
	min = min && min[0] ? min : NULL;
	if (any)
		*ret |= arch || held > 0 || (min && kernel);
	else
		*ret |= (json_array_size(arch_list) > 0 && !arch) ||
			held < json_array_size(cap_list) || (min && !kernel);
	return 0;
}

/* ---- arguments ---- */

/* clang-format off */
static const struct { const char *name; enum policy_op op; } ops[] = {
	{ "SCMP_CMP_NE", POLICY_NE }, { "SCMP_CMP_LT", POLICY_LT }, { "SCMP_CMP_LE", POLICY_LE },
	{ "SCMP_CMP_EQ", POLICY_EQ }, { "SCMP_CMP_GE", POLICY_GE }, { "SCMP_CMP_GT", POLICY_GT },
	{ "SCMP_CMP_MASKED_EQ", POLICY_MASKED_EQ },
};
/* clang-format on */

static int find_op(struct reader *r, const char *name, enum policy_op *ret)
{
	for (unsigned i = 0; name && i < G_N_ELEMENTS(ops); i++) {
		if (strcmp(ops[i].name, name) != 0)
			continue;
		*ret = ops[i].op;
		return 0;
	}
	(void)bad(r, "op", "'%.64s' is no comparison", name ? name : "");
	return fault_fix(r->fault, "SCMP_CMP_ followed by NE, LT, LE, EQ, GE, GT or MASKED_EQ");
}

static int read_arg(struct reader *r, const json_t *item, struct policy_arg *ret)
{
	uint64_t index = UINT64_MAX, value = 0, second = 0;
	const char *name = NULL;

	if (!json_is_object(item))
		return bad(r, "", "an object is expected");
	if (check_keys(r, item, "index value valueTwo op") < 0 ||
	    get_number(r, item, "index", 5, &index) < 0 ||
	    get_number(r, item, "value", UINT64_MAX, &value) < 0 ||
	    get_number(r, item, "valueTwo", UINT64_MAX, &second) < 0 ||
	    get_string(r, item, "op", &name) < 0)
		return -1;
	if (index == UINT64_MAX)
		return bad(r, "index", "it is missing");
	*ret = (struct policy_arg){ .index = (uint8_t)index, .value = value };
	if (find_op(r, name, &ret->op) < 0)
		return -1;
	if (ret->op == POLICY_MASKED_EQ) {
		ret->mask = value;
		ret->value = second & value;
	}
	return 0;
}

static int read_args(struct reader *r, const json_t *entry, struct policy_rule *rule,
		     bool *ret_either)
{
	const json_t *list, *item;
	unsigned seen = 0;
	char entry_place[sizeof(r->place)];
	size_t i;

	if (get_array(r, entry, "args", &list) < 0)
		return -1;
	if (json_array_size(list) > POLICY_ARGS_MAX)
		return bad(r, "args", "more than %d conditions", POLICY_ARGS_MAX);
	(void)snprintf(entry_place, sizeof(entry_place), "%s", r->place);
	json_array_foreach((json_t *)list, i, item)
	{
		(void)snprintf(r->place, sizeof(r->place), "%.120s.args[%zu]", entry_place, i);
		if (read_arg(r, item, &rule->args[rule->nargs]) < 0)
			return -1;
		*ret_either |= seen >> rule->args[rule->nargs].index & 1;
		seen |= 1u << rule->args[rule->nargs++].index;
	}
	(void)snprintf(r->place, sizeof(r->place), "%s", entry_place);
	return 0;
}

/* ---- entries ---- */

static int read_names(struct reader *r, const json_t *entry, const json_t **ret, json_t **ret_own)
{
	const char *name = NULL;

	if (get_string(r, entry, "name", &name) < 0 || get_words(r, entry, "names", ret) < 0)
		return -1;
	name = name && name[0] ? name : NULL;
	if (name && json_array_size(*ret) > 0)
		return bad(r, "", "both name and names are given");
	if (!name && json_array_size(*ret) == 0)
		return bad(r, "names", "it is missing or empty");
	if (name)
		*ret = *ret_own = json_pack("[s]", name);
	return 0;
}

static void add_unknown(struct reader *r, const char *name, struct policy_do act)
{
	if (!g_ptr_array_find_with_equal_func(r->notes->unknown, name, g_str_equal, NULL))
		g_ptr_array_add(r->notes->unknown, g_strdup(name));
	r->notes->unknown_slips |= lets(r->policy->otherwise) && !lets(act);
}

/* Conditions on one argument that is named twice are alternatives, as runc reads them: one rule
 * each. */
static void add_rules(struct reader *r, const struct policy_rule *rule, bool either)
{
	if (rule->nargs == 0) {
		struct policy_rule later = *rule;

		later.name = g_string_chunk_insert_const(r->policy->names, rule->name);
		g_array_append_val(r->general, later);
	} else if (!either) {
		rule_add(r->policy, rule);
	} else {
		for (unsigned i = 0; i < rule->nargs; i++) {
			struct policy_rule one = *rule;

			one.nargs = 1;
			one.args[0] = rule->args[i];
			rule_add(r->policy, &one);
		}
	}
}

static int read_rules(struct reader *r, const json_t *entry)
{
	json_auto_t *own = NULL;
	struct policy_rule rule = { .nr = -1 };
	const json_t *names, *item;
	bool either = false;
	size_t i;

	if (read_names(r, entry, &names, &own) < 0 ||
	    get_action(r, entry, "action", "errnoRet", &rule.act) < 0 ||
	    read_args(r, entry, &rule, &either) < 0)
		return -1;
	json_array_foreach((json_t *)names, i, item)
	{
		rule.name = json_string_value(item);
		if (!word_is_known(rule.name))
			add_unknown(r, rule.name, rule.act);
		else
			add_rules(r, &rule, either);
	}
	return 0;
}

static int read_entry(struct reader *r, const json_t *entry)
{
	bool skip = false;

	if (!json_is_object(entry))
		return bad(r, "", "an object is expected");
	if (check_keys(r, entry, "names name action errnoRet args comment includes excludes") < 0 ||
	    filter_entry(r, entry, "excludes", true, &skip) < 0 ||
	    filter_entry(r, entry, "includes", false, &skip) < 0)
		return -1;
	r->notes->entries++;
	r->notes->skipped += skip;
	return skip ? 0 : read_rules(r, entry);
}

static int read_syscalls(struct reader *r, const json_t *top)
{
	const json_t *list, *entry;
	size_t i;

	if (get_array(r, top, "syscalls", &list) < 0)
		return -1;
	json_array_foreach((json_t *)list, i, entry)
	{
		(void)snprintf(r->place, sizeof(r->place), "syscalls[%zu]", i);
		if (read_entry(r, entry) < 0)
			return -1;
	}
	for (guint n = 0; n < r->general->len; n++)
		rule_add(r->policy, &g_array_index(r->general, struct policy_rule, n));
	return 0;
}

/* ---- the whole ---- */

/* Threads there are none when it is loaded, and the rest is how the kernel waits and mitigates:
 * only LOG is passed on. */
static int read_flags(struct reader *r, const json_t *top)
{
	static const char *const known[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
					     "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
					     "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };
	const json_t *list, *item;
	size_t i;

	if (get_words(r, top, "flags", &list) < 0)
		return -1;
	json_array_foreach((json_t *)list, i, item)
	{
		const char *flag = json_string_value(item);

		if (!g_strv_contains(known, flag))
			return bad(r, "flags", "'%.64s' is no flag", flag);
		if (strcmp(flag, "SECCOMP_FILTER_FLAG_LOG") == 0)
			r->notes->flags |= SECCOMP_FILTER_FLAG_LOG;
	}
	return 0;
}

static int read_top(struct reader *r, const json_t *top)
{
	static const char keys[] = "defaultAction defaultErrnoRet archMap architectures flags "
				   "listenerPath listenerMetadata syscalls comment";
	const char *listener = NULL;

	if (!json_is_object(top))
		return bad(r, "", "an object with defaultAction is expected");
	if (check_keys(r, top, keys) < 0 || get_string(r, top, "listenerPath", &listener) < 0 ||
	    get_action(r, top, "defaultAction", "defaultErrnoRet", &r->policy->otherwise) < 0)
		return -1;
	if (listener && listener[0])
		return bad(r, "listenerPath", "there is nobody to notify here");
	if (read_flags(r, top) < 0 || read_arches(r, top) < 0)
		return -1;
	return read_syscalls(r, top);
}

/* The seccomp part of a bundle's config.json, or the text itself. */
static const json_t *find_top(const json_t *root)
{
	const json_t *within = json_object_get(json_object_get(root, "linux"), "seccomp");

	return within && !json_object_get(root, "defaultAction") ? within : root;
}

int profile_read(struct policy *ret, struct profile_notes *notes, const char *text, size_t len,
		 const struct profile_facts *facts, struct fault *fault)
{
	g_autoptr(GArray) general = g_array_new(FALSE, FALSE, sizeof(struct policy_rule));
	struct reader r = { ret, notes, facts, fault, general, "" };
	json_error_t error;
	g_autoptr(GString) quoted = wide_quote(text, len);
	json_auto_t *root = NULL;

	policy_init(ret, policy_arch_native());
	root = json_loadb(quoted->str, quoted->len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return fault_cause(fault, "line %d, column %d: %s", error.line, error.column,
				   error.text);
	return read_top(&r, find_top(root));
}
