// SPDX-License-Identifier: MIT
/*
 * Golden plans: NAME.args (one argument a line; the first line may say `# host: NAME`) is taken
 * through request, spec and plan against made-up host facts, and the text of the plan must be
 * NAME.plan. A refusal's text is a plan, too. No privilege is needed and nothing is changed. The
 * length of a filter is left out: it is the policy's and the architecture's (tests/unit).
 *
 *   golden DIR            compares all cases, TAP on stdout
 *   golden --rewrite DIR  writes what is there now: review it as a diff
 */
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/host.h>
#include <sandbox/plan.h>
#include <sandbox/request.h>
#include <sandbox/spec.h>

/* clang-format off */
static struct host_entry entries[] = {
	{ "usr", ENTRY_DIR, NULL },  { "bin", ENTRY_LINK, (char *)"usr/bin" },
	{ "sbin", ENTRY_LINK, (char *)"usr/sbin" }, { "lib", ENTRY_LINK, (char *)"usr/lib" },
	{ "lib64", ENTRY_DIR, NULL }, { "etc", ENTRY_DIR, NULL }, { "opt", ENTRY_ABSENT, NULL },
};
/* clang-format on */
static struct subid_range ranges[] = { { 100000, 65536 } };
/* clang-format off */
static char *host_env[] = {
	(char *)"PATH=/home/ann/bin:/usr/bin", (char *)"HOME=/home/ann", (char *)"USER=ann",
	(char *)"LC_ALL=C.UTF-8", (char *)"API_TOKEN=secret", (char *)"TERM=xterm", NULL,
};
/* clang-format on */

/* An ordinary user in a project directory, Linux 6.12, subordinate ids, no terminal. */
/* clang-format off */
static const struct host plain = {
	.uid = 1000, .euid = 1000, .gid = 1000, .egid = 1000, .ngroups = 2, .user = (char *)"ann",
	.home = (char *)"/home/ann", .home_real = (char *)"/home/ann", .cwd = (char *)"/home/ann/proj",
	.env = host_env, .stdio_open = { true, true, true }, .ram = UINT64_C(8) << 30, .kernel = 6012,
	.nproc_hard = 30000, .landlock_abi = 6,
	.runtime = (char *)"/run/user/1000/sandbox", .token = "0123456789abcdef", .system = entries, .nsystem = G_N_ELEMENTS(entries),
	.subuids = ranges, .subgids = ranges, .nsubuids = 1, .nsubgids = 1,
	.newuidmap = (char *)"/usr/bin/newuidmap", .newgidmap = (char *)"/usr/bin/newgidmap",
};
/* clang-format on */

/* What differs from it. */
static void as_plain(struct host *h)
{
	(void)h;
}
static void as_terminal(struct host *h)
{
	h->tty[0] = h->tty[1] = h->tty[2] = true;
}
static void as_pipeline(struct host *h)
{
	h->tty[0] = h->tty[2] = true;
}
static void as_old(struct host *h)
{
	h->kernel = 5010;
	h->landlock_abi = 0;
}
static void as_older(struct host *h)
{
	h->kernel = 6001;
	h->landlock_abi = 2;
}
static void as_resolved(struct host *h)
{
	h->resolv_target = (char *)"/run/systemd/resolve/stub-resolv.conf";
}
/* A route that covers the first choice, and IPv6; then routes that cover every choice. */
static struct host_net4 some_nets[] = { { 0x0a000200, 24 }, { 0x0a000300, 23 } };
static struct host_net4 wide_nets[] = { { 0x0a000000, 8 }, { 0xac100000, 12 }, { 0xc0a80000, 16 } };
static struct host_net4 all_nets[] = { { 0x0a000000, 19 },
				       { 0xac1ee000, 19 },
				       { 0xc0a8c800, 21 },
				       { 0xc0a8d000, 20 },
				       { 0xc0a8e000, 19 } };

static void as_busy_net(struct host *h)
{
	h->net.nets = some_nets;
	h->net.nnets = G_N_ELEMENTS(some_nets);
	h->net.ipv6 = h->net.ipv6_built_in = true;
	h->net.resolv = (char *)"nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n";
	h->net.hosts = (char *)"127.0.0.1 localhost\n";
}
static void as_wide_net(struct host *h)
{
	h->net.nets = wide_nets;
	h->net.nnets = G_N_ELEMENTS(wide_nets);
}
static void as_full_net(struct host *h)
{
	h->net.nets = all_nets;
	h->net.nnets = G_N_ELEMENTS(all_nets);
}
static void in_home(struct host *h)
{
	h->cwd = h->home;
	h->cwd_is_home = true;
}
static void in_top(struct host *h)
{
	h->cwd = (char *)"/home";
}
static void in_tmp(struct host *h)
{
	h->cwd = (char *)"/tmp/x";
}
static void nowhere(struct host *h)
{
	h->cwd = NULL;
}
static void homeless(struct host *h)
{
	h->home = h->home_real = NULL;
}

static void without_subids(struct host *h)
{
	h->nsubuids = h->nsubgids = 0;
	h->subid_reason = (char *)"ann has no entry in /etc/subuid";
}

static void as_root(struct host *h)
{
	h->uid = h->euid = 0;
	h->gid = h->egid = 0;
	h->home = h->home_real = (char *)"/root";
	without_subids(h);
}

/* A login session: systemd can be asked. */
static void in_session(struct host *h)
{
	h->cgroup = (struct host_cgroup){
		.layout = CGROUP_V2,
		.dir = (char *)"/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope",
		.controllers = (char *)"memory pids",
		.manager = (char *)"/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service",
		.delegated = (char *)"cpuset cpu io memory pids",
		.bus = (char *)"/run/user/1000/bus",
	};
}

/* A service of the user's manager, with a cgroup of its own. */
static void in_service(struct host *h)
{
	in_session(h);
	h->cgroup.dir =
		(char *)"/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/a.service";
	h->cgroup.writable = true;
	h->cgroup.controllers = (char *)"cpu memory pids";
}

/* clang-format off */
static const struct { const char *name; void (*change)(struct host *); } hosts[] = {
	{ "plain", as_plain },     { "terminal", as_terminal }, { "pipeline", as_pipeline },
	{ "old-kernel", as_old }, { "older-kernel", as_older },
	 { "resolved", as_resolved }, { "in-home", in_home },
	{ "in-top", in_top },      { "in-tmp", in_tmp },        { "nowhere", nowhere },
	{ "busy-net", as_busy_net }, { "full-net", as_full_net },
	{ "wide-net", as_wide_net },
	{ "homeless", homeless },  { "no-subids", without_subids }, { "root", as_root },
	{ "session", in_session }, { "service", in_service },
};
/* clang-format on */

static bool host_named(const char *name, struct host *ret)
{
	*ret = plain;
	for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++)
		if (strcmp(hosts[i].name, name) == 0) {
			hosts[i].change(ret);
			return true;
		}
	return false;
}

static void put_error(GString *out, const struct request *request, const struct err *err)
{
	char origin[128];

	g_string_append_printf(out, "error[%s]: %s\n", err_code_name(err->code), err->what);
	if (err->cause[0])
		g_string_append_printf(out, "cause: %s\n", err->cause);
	if (err->fix[0])
		g_string_append_printf(out, "fix: %s\n", err->fix);
	if (err->origin)
		g_string_append_printf(out, "from: %s\n",
				       request_origin(request, err->origin, origin,
						      sizeof(origin)));
}

static void put_plan(GString *out, const struct request *request, const struct host *host)
{
	struct spec spec;
	struct plan plan;
	struct err err = { 0 };

	if (spec_build(&spec, request, &err) < 0) {
		put_error(out, request, &err);
		return;
	}
	if (plan_compile(&plan, &spec, host, &err) < 0) {
		put_error(out, request, &err);
	} else {
		plan_describe(&plan, request, out);
		plan_clear(&plan);
	}
	spec_clear(&spec);
}

static void hide_length(GString *text)
{
	char *end;

	while ((end = strstr(text->str, " instructions")) != NULL && g_ascii_isdigit(end[-1])) {
		char *start = end;

		while (g_ascii_isdigit(start[-1]))
			start--;
		g_string_erase(text, start - text->str - 2,
			       end + strlen(" instructions") - start + 2);
	}
}

static GString *compile_case(char **lines)
{
	GString *out = g_string_new(NULL);
	struct request request = { 0 };
	struct err err = { 0 };
	struct host host;
	const char *name = "plain";

	if (lines[0] && g_str_has_prefix(lines[0], "# host: "))
		name = *lines++ + strlen("# host: ");
	if (!host_named(name, &host))
		g_string_append_printf(out, "no such host: %s\n", name);
	else if (request_parse(&request, lines, host_env, &err) < 0)
		put_error(out, &request, &err);
	else
		put_plan(out, &request, &host);
	request_clear(&request);
	hide_length(out);
	return out;
}

static bool run_case(const char *dir, const char *file, bool rewrite, unsigned nth)
{
	g_autofree char *args = g_build_filename(dir, file, NULL);
	g_autofree char *base = g_strndup(file, strlen(file) - strlen(".args"));
	g_autofree char *plan_file = g_strconcat(dir, "/", base, ".plan", NULL);
	g_autofree char *text = NULL, *want = NULL;
	g_autoptr(GString) got = NULL;
	g_auto(GStrv) lines = NULL;
	size_t len;
	bool same;

	if (!g_file_get_contents(args, &text, &len, NULL))
		return false;
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	lines = g_strsplit(text, "\n", -1);
	got = compile_case(lines);
	if (rewrite)
		return g_file_set_contents(plan_file, got->str, (gssize)got->len, NULL);
	same = g_file_get_contents(plan_file, &want, NULL, NULL) && strcmp(want, got->str) == 0;
	printf("%s %u - %s\n", same ? "ok" : "not ok", nth, base);
	if (!same)
		printf("# --- expected\n%s# --- got\n%s", want ? want : "(no such file)\n",
		       got->str);
	return same;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	bool rewrite = argc == 3 && strcmp(argv[1], "--rewrite") == 0, good = true;
	const char *dir = argv[argc - 1], *name;
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) d = argc == 2 + rewrite ? g_dir_open(dir, 0, NULL) : NULL;

	if (!d) {
		fprintf(stderr, "usage: golden [--rewrite] DIR\n");
		return 2;
	}
	while ((name = g_dir_read_name(d)))
		if (g_str_has_suffix(name, ".args"))
			g_ptr_array_add(cases, g_strdup(name));
	g_ptr_array_sort(cases, by_name);
	if (!rewrite)
		printf("1..%u\n", cases->len);
	for (unsigned i = 0; i < cases->len; i++)
		good &= run_case(dir, g_ptr_array_index(cases, i), rewrite, i + 1);
	return good && cases->len ? 0 : 1;
}
