// SPDX-License-Identifier: MIT
/* What is asked for: words and a profile to a policy. The user's lists stand in front of the rest, deny
 * before allow, so that deny wins. */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol.h"
#include "request.h"
#include "words.h"

enum word {
	OPT_BASE = 1,
	OPT_ACTION,
	OPT_DENY,
	OPT_ALLOW,
	OPT_CAPS,
	OPT_KERNEL,
	OPT_MULTIARCH,
	OPT_NESTED
};

/* clang-format off */
static const struct option options[] = {
	{ "base",      required_argument, NULL, OPT_BASE },
	{ "action",    required_argument, NULL, OPT_ACTION },
	{ "deny",      required_argument, NULL, OPT_DENY },
	{ "allow",     required_argument, NULL, OPT_ALLOW },
	{ "caps",      required_argument, NULL, OPT_CAPS },
	{ "kernel",    required_argument, NULL, OPT_KERNEL },
	{ "multiarch", no_argument,       NULL, OPT_MULTIARCH },
	{ "nested",    no_argument,       NULL, OPT_NESTED },
	{ NULL, 0, NULL, 0 },
};

static const char *const bases[] = {
	[BASE_DEFAULT] = "default", [BASE_STRICT] = "strict", [BASE_OPEN] = "open",
	[BASE_PROFILE] = "profile",
};

static const struct { const char *name; struct policy_do act; } actions[] = {
	{ "errno", { POLICY_ERRNO, EPERM } },
	{ "kill",  { POLICY_KILL_PROCESS, 0 } },
	{ "log",   { POLICY_LOG, 0 } },
};
/* clang-format on */

static int take_base(struct request *request, const char *value)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(bases); i++)
		if (strcmp(bases[i], value) == 0) {
			request->base = (enum base)i;
			return 0;
		}
	return -1;
}

static int take_action(struct request *request, const char *value)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++)
		if (strcmp(actions[i].name, value) == 0) {
			request->act = actions[i].act;
			return 0;
		}
	return -1;
}

static int take(struct request *request, int option, const char *value)
{
	struct request_list list = { value, option == OPT_DENY };
	guint64 number;

	switch (option) {
	case OPT_BASE: return take_base(request, value);
	case OPT_ACTION: return take_action(request, value);
	case OPT_DENY:
	case OPT_ALLOW: g_array_append_val(request->lists, list); return 0;
	case OPT_CAPS:
		if (!g_ascii_string_to_unsigned(value, 16, 0, UINT64_MAX, &number, NULL))
			return -1;
		request->facts.caps = number;
		return 0;
	case OPT_KERNEL:
		if (!g_ascii_string_to_unsigned(value, 10, 0, 1000000, &number, NULL))
			return -1;
		request->facts.kernel = (unsigned)number;
		return 0;
	case OPT_MULTIARCH: request->multiarch = true; return 0;
	case OPT_NESTED: request->nested = true; return 0;
	default: return -1;
	}
}

static int read_source(struct request *request, struct fault *fault)
{
	char *text = request->source = g_malloc(PROFILE_MAX + 1);
	ssize_t n = 1;

	while (n != 0 && request->len <= PROFILE_MAX) {
		n = read(STDIN_FILENO, text + request->len, PROFILE_MAX + 1 - request->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_cause(fault, "standard input: %s", g_strerror(errno));
		request->len += (size_t)n;
	}
	return request->len > PROFILE_MAX ? fault_cause(fault, "it is larger than 1 MiB") : 0;
}

int request_read(struct request *ret, int argc, char **argv, struct fault *fault)
{
	int option;

	*ret = (struct request){ .act = { POLICY_ERRNO, EPERM },
				 .lists = g_array_new(FALSE, FALSE, sizeof(struct request_list)) };
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc + 1, argv - 1, "+", options, NULL)) != -1)
		if (take(ret, option, optarg) < 0)
			return fault_cause(fault, "the words of the request make no sense");
	if (optind != argc + 1)
		return fault_cause(fault, "the words of the request make no sense");
	return ret->base == BASE_PROFILE ? read_source(ret, fault) : 0;
}

void request_clear(struct request *request)
{
	g_clear_pointer(&request->lists, g_array_unref);
	g_clear_pointer(&request->source, g_free);
}

/* ---- the policy ---- */

static int add_lists(const struct request *request, bool deny, struct policy *policy,
		     struct fault *fault)
{
	static const struct policy_do allow = { POLICY_ALLOW, 0 };

	for (guint i = 0; i < request->lists->len; i++) {
		const struct request_list *list =
			&g_array_index(request->lists, struct request_list, i);

		if (list->deny != deny)
			continue;
		if (words_add(policy, list->text, deny ? request->act : allow, fault) < 0) {
			fault->at = i + 1;
			return -1;
		}
	}
	return 0;
}

/* Without a base everything is allowed, on every architecture the machine runs: a refused name is
 * refused on all of them. */
static void open_policy(struct policy *ret)
{
	unsigned native = policy_arch_native();

	policy_init(ret, native | policy_arch_others(native));
	ret->otherwise = (struct policy_do){ POLICY_ALLOW, 0 };
	ret->bad_arch = (struct policy_do){ POLICY_ALLOW, 0 };
}

static int base_policy(const struct request *request, struct policy *ret,
		       struct profile_notes *notes, struct fault *fault)
{
	const struct policy_facts facts = { .caps = request->facts.caps,
					    .nested = request->nested,
					    .multiarch = request->multiarch };

	switch (request->base) {
	case BASE_DEFAULT: policy_default(ret, &facts); return 0;
	case BASE_STRICT: strict_policy(ret, request->multiarch, request->act); return 0;
	case BASE_OPEN: open_policy(ret); return 0;
	case BASE_PROFILE:
		return profile_read(ret, notes, request->source, request->len, &request->facts,
				    fault);
	}
	return -1;
}

int request_policy(const struct request *request, struct policy *ret, struct profile_notes *notes,
		   struct fault *fault)
{
	auto_policy base = { 0 };
	int r;

	*notes = (struct profile_notes){ .unknown = g_ptr_array_new_with_free_func(g_free) };
	policy_init(ret, policy_arch_native());
	r = base_policy(request, &base, notes, fault);
	if (r < 0)
		return r;
	ret->archs = base.archs;
	ret->otherwise = base.otherwise;
	ret->bad_arch = base.bad_arch;
	r = add_lists(request, true, ret, fault);
	if (r == 0)
		r = add_lists(request, false, ret, fault);
	for (guint i = 0; r == 0 && i < base.rules->len; i++)
		policy_add(ret, &g_array_index(base.rules, struct policy_rule, i));
	return r;
}
