// SPDX-License-Identifier: MIT
/*
 * `sandbox doctor`: everything a run depends on, checked before anything fails, each with the
 * command that mends it. One row per check; FAIL is kept for what stops a plain run, so that the
 * exit status is the answer to one question. Nothing is changed.
 */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/cmd.h>
#include <sandbox/host.h>
#include <sandbox/json.h>

#include "config.h"

#define SUBID_COUNT 65536u
#define KEYS_SPARE  8u

enum mark { MARK_OK, MARK_INFO, MARK_WARN, MARK_FAIL };

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

struct facts {
	struct host host;
	struct host_kernel kernel;
	struct host_confinement confinement;
	struct host_cgroup cgroup;
	bool namespaces; /* the first trial went well: the others can be tried */
};

struct result {
	enum mark mark;
	enum err_code code;
	char *detail;
	char *fix; /* may have several lines; NULL: nothing to mend */
};

static void say(struct result *ret, enum mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void mend(struct result *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct result *ret, enum mark mark, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_free(ret->detail);
	ret->detail = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	ret->mark = mark;
}

static void mend(struct result *ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_free(ret->fix);
	ret->fix = g_strdup_vprintf(fmt, ap);
	va_end(ap);
}

/* --- the checks ------------------------------------------------------------------------------ */

static void check_kernel(struct facts *facts, struct result *ret)
{
	const struct host_kernel *kernel = &facts->kernel;
	/* clang-format off */
	const struct { const char *name; bool there, needed; } calls[] = {
		{ "clone3",        kernel->clone3,        false },
		{ "openat2",       kernel->openat2,       false },
		{ "close_range",   kernel->close_range,   true },
		{ "pidfd_open",    kernel->pidfd,         true },
		{ "mount_setattr", kernel->mount_setattr, true },
	};
	/* clang-format on */
	g_autoptr(GString) missing = g_string_new(NULL);
	bool failed = false;

	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		if (calls[i].there)
			continue;
		g_string_append_printf(missing, " %s", calls[i].name);
		failed = failed || calls[i].needed;
	}
	if (failed) {
		say(ret, MARK_FAIL, "Linux %s lacks%s", kernel->release, missing->str);
		ret->code = ERR_KERNEL;
		mend(ret,
		     "use Linux 5.12 or later, or allow these system calls in the seccomp filter "
		     "of the container or service this runs in");
	} else if (missing->len > 0) {
		say(ret, MARK_WARN,
		    "Linux %s works, but these calls are hidden:%s (slower ways are "
		    "taken)",
		    kernel->release, missing->str);
	} else {
		say(ret, MARK_OK, "Linux %s has every system call that is used", kernel->release);
	}
}

static void check_trial(struct facts *facts, enum host_trial trial, const char *good,
			struct result *ret)
{
	struct err err = { 0 };

	if (trial != HOST_TRIAL_NAMESPACES && !facts->namespaces) {
		say(ret, MARK_INFO, "not tried: it needs namespaces");
		return;
	}
	if (host_trial_run(trial, &err) == 0) {
		facts->namespaces = true;
		say(ret, MARK_OK, "%s", good);
		return;
	}
	say(ret, MARK_FAIL, "%s: %s", err.what,
	    err.cause[0] != '\0' ? err.cause : g_strerror(err.num));
	ret->code = err.code;
	if (err.fix[0] != '\0')
		mend(ret, "%s", err.fix);
}

static void check_namespaces(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_NAMESPACES,
		    "user, mnt, pid, net, ipc, uts and cgroup namespaces can be made", ret);
}

static void check_mounts(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_MOUNTS,
		    "tmpfs, recursive read-only binds and pivot_root work inside them", ret);
}

static void check_proc(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_PROC, "a fresh /proc can be mounted", ret);
}

static void check_sysfs(struct facts *facts, struct result *ret)
{
	check_trial(facts, HOST_TRIAL_SYSFS, "a fresh /sys can be mounted", ret);
}

/* The switch as such; whether it hits us is what the trial has shown. */
static void check_apparmor(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;
	g_autofree char *profile = host_apparmor_profile(c->exe);

	if (c->apparmor_restrict != 1) {
		say(ret, MARK_OK,
		    c->apparmor[0] == '\0' ? "not active" : "does not restrict user namespaces");
		return;
	}
	if (facts->namespaces) {
		say(ret, MARK_OK, "restricts user namespaces, but not this program (%s)",
		    c->sys_admin ? "root" : c->apparmor);
		return;
	}
	say(ret, MARK_WARN,
	    "kernel.apparmor_restrict_unprivileged_userns is 1: only programs with a "
	    "profile may use user namespaces");
	if (profile == NULL)
		mend(ret,
		     "install sandbox where its path has only letters, digits and ._+-, then run "
		     "this again");
	else
		mend(ret,
		     "save this as /etc/apparmor.d/sandbox, then run: sudo apparmor_parser -r "
		     "/etc/apparmor.d/sandbox\n%s",
		     profile);
}

static void check_quota(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;
	const struct host_ns *low_row = NULL;
	int64_t low = INT64_MAX;

	for (size_t i = 0; i < HOST_NS_MAX; i++) {
		if (c->ns_max[i] < 0 || c->ns_max[i] >= low)
			continue;
		low = c->ns_max[i];
		low_row = &host_ns_rows[i];
	}
	if (low_row == NULL)
		say(ret, MARK_INFO, "the quotas of namespaces cannot be read");
	else if (low >= 64)
		say(ret, MARK_OK, "at least %" PRId64 " of each kind of namespace a user", low);
	else
		say(ret, MARK_WARN, "%s is %" PRId64, low_row->sysctl, low);
	if (ret->mark == MARK_WARN && !c->in_userns)
		mend(ret,
		     "echo %s=16384 | sudo tee -a /etc/sysctl.d/60-sandbox.conf && "
		     "sudo sysctl -p /etc/sysctl.d/60-sandbox.conf",
		     low_row->sysctl);
}

static void check_confined(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;
	g_autoptr(GString) text = g_string_new(NULL);

	if (c->container[0] != '\0')
		g_string_append_printf(text, ", inside a container (%s)", c->container);
	if (c->in_userns)
		g_string_append(text, ", inside a user namespace");
	if (c->in_chroot)
		g_string_append(text, ", inside a chroot");
	if (c->proc_missing)
		g_string_append(text, ", without /proc");
	if (c->seccomp == 2)
		g_string_append(text, ", under a seccomp filter");
	if (c->no_new_privs)
		g_string_append(text, ", no_new_privs is set (setuid programs have no effect)");
	if (c->selinux[0] != '\0')
		g_string_append_printf(text, ", SELinux context %s", c->selinux);
	say(ret, MARK_INFO, "%s",
	    text->len > 0 ? text->str + 2 : "this process is not confined itself");
}

static void check_root(struct facts *facts, struct result *ret)
{
	if (facts->host.euid == 0 && facts->confinement.in_userns)
		say(ret, MARK_OK, "root of a user namespace");
	else if (facts->host.euid == 0)
		say(ret, MARK_INFO,
		    "run by root: what is visible in a box is used with root's file "
		    "rights");
	else
		say(ret, MARK_OK, "%s (uid %u), no privilege needed", facts->host.user,
		    facts->host.uid);
}

static bool all_digits(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

static char *shell_word(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("._-", *p) == NULL)
			return g_shell_quote(text);
	return g_strdup(text);
}

/* usermod(8) knows local users; for others the lines are written by hand. */
static void mend_subids(const struct host *host, struct result *ret)
{
	g_autofree char *shown = shell_word(host->user);
	uint32_t start = host_subid_free(SUBID_COUNT);

	if (host->subid_nss) {
		mend(ret,
		     "add ranges for %s in the service that 'subid:' in /etc/nsswitch.conf names",
		     shown);
		return;
	}
	if (start == 0)
		return;
	if (all_digits(host->user))
		mend(ret, "echo %s:%u:%u | sudo tee -a /etc/subuid /etc/subgid", shown, start,
		     SUBID_COUNT);
	else
		mend(ret, "sudo usermod --add-subuids %u-%u --add-subgids %u-%u %s", start,
		     start + SUBID_COUNT - 1, start, start + SUBID_COUNT - 1, shown);
}

static uint64_t count_ids(const struct subid_range *ranges, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ranges[i].count;
	return sum;
}

static void check_subids(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;
	uint64_t uids = count_ids(host->subuids, host->nsubuids);
	uint64_t gids = count_ids(host->subgids, host->nsubgids);

	if (uids > 0 && gids > 0) {
		say(ret, MARK_OK, "%" PRIu64 " uids from %u, %" PRIu64 " gids from %u", uids,
		    host->subuids[0].start, gids, host->subgids[0].start);
		if (uids < SUBID_COUNT || gids < SUBID_COUNT)
			say(ret, MARK_WARN,
			    "only %" PRIu64 " uids and %" PRIu64 " gids; packages of a "
			    "distribution expect 65536",
			    uids, gids);
	} else {
		say(ret, MARK_WARN,
		    "%s has no subordinate %s: a box with --rootfs has one id instead "
		    "of many",
		    host->user,
		    uids > 0   ? "gids"
		    : gids > 0 ? "uids"
			       : "uids and gids");
		ret->code = ERR_SUBID_NONE;
	}
	/* inside a container the ids would have to exist outside as well */
	if (facts->confinement.in_userns && ret->mark == MARK_WARN)
		ret->mark = MARK_INFO;
	if (ret->mark == MARK_WARN)
		mend_subids(host, ret);
}

static void try_ranges(const struct host *host, struct result *ret)
{
	struct err err = { 0 };

	if (host_trial_ranges(host, &err) == 0) {
		say(ret, MARK_OK, "%s and %s map those ids", host->newuidmap, host->newgidmap);
		return;
	}
	say(ret, MARK_WARN, "%s: %s", err.what,
	    err.cause[0] != '\0' ? err.cause : g_strerror(err.num));
	ret->code = err.code;
	if (err.fix[0] != '\0')
		mend(ret, "%s", err.fix);
}

static void check_newuidmap(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;
	bool there = host->newuidmap != NULL && host->newgidmap != NULL;

	if (host->euid == 0) {
		say(ret, MARK_OK, "not needed by root");
		return;
	}
	if (host->subid_reason == NULL && facts->namespaces) {
		try_ranges(host, ret);
		return;
	}
	if (there && (host->subid_reason == NULL || host->nsubuids == 0 || host->nsubgids == 0)) {
		say(ret, MARK_OK, "%s and %s are installed and privileged", host->newuidmap,
		    host->newgidmap);
		return;
	}
	ret->code = ERR_SUBID_HELPER;
	if (!there) {
		say(ret, MARK_WARN,
		    "newuidmap or newgidmap is not installed: subordinate ids cannot be "
		    "used");
		mend(ret, "sudo apt install uidmap (Debian, Ubuntu); sudo dnf install shadow-utils "
			  "(Fedora, RHEL); sudo zypper install shadow (openSUSE); sudo apk add "
			  "shadow-uidmap (Alpine); sudo pacman -S shadow (Arch)");
		return;
	}
	say(ret, MARK_WARN, "%s", host->subid_reason);
	/* seen from inside a user namespace, root's files are nobody's */
	if (!host->no_new_privs && !facts->confinement.in_userns)
		mend(ret, "sudo chown root:root %s %s && sudo chmod u+s %s %s", host->newuidmap,
		     host->newgidmap, host->newuidmap, host->newgidmap);
}

static bool has_word(const char *list, const char *word)
{
	g_auto(GStrv) words = g_strsplit(list != NULL ? list : "", " ", -1);

	return g_strv_contains((const char *const *)words, word);
}

static void mend_delegation(struct result *ret)
{
	mend(ret, "sudo mkdir -p /etc/systemd/system/user@.service.d\n"
		  "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
		  "sudo tee /etc/systemd/system/user@.service.d/delegate.conf\n"
		  "sudo systemctl daemon-reload\n"
		  "then log out and in again");
}

/* Limits fall back to ways without cgroups, so nothing here is a failure. */
static void check_cgroup(struct facts *facts, struct result *ret)
{
	static const char *const wanted[] = { "cpu", "memory", "pids", "io", "cpuset" };
	static const char *const layouts[] = {
		[CGROUP_ABSENT] = "no cgroups are mounted",
		[CGROUP_V1] = "cgroup v1 only",
		[CGROUP_HYBRID] = "hybrid: cgroup v1 with a v2 tree beside it",
		[CGROUP_V2] = "cgroup v2",
	};
	const struct host_cgroup *cgroup = &facts->cgroup;
	const char *have = cgroup->writable ? cgroup->controllers : cgroup->delegated;
	g_autoptr(GString) missing = g_string_new(NULL);

	if (cgroup->layout != CGROUP_V2) {
		say(ret, MARK_INFO, "%s; limits are enforced without cgroups",
		    layouts[cgroup->layout]);
		return;
	}
	if (!cgroup->writable && cgroup->manager == NULL) {
		say(ret, MARK_INFO,
		    "cgroup v2, nothing delegated to this user; limits are enforced "
		    "without cgroups");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!has_word(have, wanted[i]))
			g_string_append_printf(missing, " %s", wanted[i]);
	say(ret, missing->len > 0 ? MARK_WARN : MARK_OK, "cgroup v2, delegated: %s%s%s",
	    have != NULL && *have != '\0' ? have : "none",
	    missing->len > 0 ? "; not delegated:" : "", missing->str);
	if (missing->len > 0 && cgroup->manager != NULL)
		mend_delegation(ret);
}

static void check_bus(struct facts *facts, struct result *ret)
{
	const struct host *host = &facts->host;

	if (facts->cgroup.bus != NULL) {
		say(ret, MARK_OK, "%s", facts->cgroup.bus);
		return;
	}
	say(ret, MARK_INFO, "no systemd to ask for a cgroup (no bus socket of uid %u)", host->uid);
	if (access("/run/systemd/system", F_OK) == 0 && host->uid != 0) {
		ret->mark = MARK_WARN;
		mend(ret, "log in by ssh or on a console, or: sudo loginctl enable-linger %u",
		     host->uid);
	}
}

static void check_tun(struct facts *facts, struct result *ret)
{
	int r = host_tun_probe();

	(void)facts;
	if (r == 0) {
		say(ret, MARK_OK, "/dev/net/tun can be opened");
	} else if (r == -EACCES || r == -EPERM) {
		say(ret, MARK_WARN, "/dev/net/tun cannot be opened: %s", g_strerror(-r));
		mend(ret, "sudo chmod 0666 /dev/net/tun\n"
			  "echo 'KERNEL==\"tun\", MODE=\"0666\"' | "
			  "sudo tee /etc/udev/rules.d/60-tun.rules");
	} else {
		say(ret, MARK_WARN, "/dev/net/tun cannot be opened: %s", g_strerror(-r));
		mend(ret,
		     facts->confinement.container[0] != '\0'
			     ? "start the container with --device /dev/net/tun"
			     : "sudo modprobe tun && echo tun | sudo tee /etc/modules-load.d/tun.conf");
	}
}

static void check_landlock(struct facts *facts, struct result *ret)
{
	const struct host_confinement *c = &facts->confinement;

	if (facts->kernel.landlock_abi > 0)
		say(ret, MARK_OK, "ABI %d", facts->kernel.landlock_abi);
	else
		say(ret, MARK_INFO, "not available%s%s",
		    c->lsm[0] != '\0' ? "; active modules: " : "", c->lsm);
	if (facts->kernel.landlock_abi == 0 && facts->kernel.version >= 5013 && c->lsm[0] != '\0')
		mend(ret, "add to the kernel's command line: lsm=landlock,%s", c->lsm);
}

static void check_seccomp(struct facts *facts, struct result *ret)
{
	if (facts->kernel.seccomp)
		say(ret, MARK_OK, "filters can be loaded");
	else
		say(ret, MARK_WARN, "the kernel has no seccomp filters");
}

static void check_keys(struct facts *facts, struct result *ret)
{
	unsigned used, max;

	if (host_keys_probe(facts->host.uid, &used, &max) < 0)
		say(ret, MARK_OK, "no keys in use");
	else if (max - used > KEYS_SPARE || used > max)
		say(ret, MARK_OK, "%u of %u in use", used, max);
	else
		say(ret, MARK_WARN, "%u of %u in use; each box needs one", used, max);
	if (ret->mark == MARK_WARN)
		mend(ret, "sudo sysctl -w kernel.keys.maxkeys=2000");
}

static void check_nproc(struct facts *facts, struct result *ret)
{
	uint64_t max = facts->host.nproc_hard;

	if (max == UINT64_MAX)
		say(ret, MARK_OK, "unlimited");
	else if (max >= 256)
		say(ret, MARK_OK, "%" PRIu64, max);
	else
		say(ret, MARK_WARN, "only %" PRIu64 " processes; a box counts against it", max);
	if (ret->mark == MARK_WARN)
		mend(ret, "raise the hard limit of nproc in /etc/security/limits.conf, then log in "
			  "again");
}

static void check_runtime(struct facts *facts, struct result *ret)
{
	const char *dir = g_getenv("XDG_RUNTIME_DIR");
	const char *fault = dir != NULL ? host_runtime_fault(dir, facts->host.uid) : NULL;

	if (dir == NULL)
		say(ret, MARK_INFO, "XDG_RUNTIME_DIR is not set");
	else if (fault != NULL)
		say(ret, MARK_WARN, "XDG_RUNTIME_DIR: '%s' %s", dir, fault);
	else
		say(ret, MARK_OK, "%s", dir);
	if (fault != NULL)
		mend(ret, "unset XDG_RUNTIME_DIR, or log in again");
}

/* clang-format off */
static const struct check {
	const char *id, *title;
	void (*run)(struct facts *facts, struct result *ret);
} checks[] = {
	{ "user",       "user",               check_root },
	{ "confined",   "surroundings",       check_confined },
	{ "kernel",     "kernel",             check_kernel },
	{ "namespaces", "namespaces",         check_namespaces },
	{ "apparmor",   "AppArmor",           check_apparmor },
	{ "quota",      "namespace quota",    check_quota },
	{ "mounts",     "mounts",             check_mounts },
	{ "proc",       "fresh /proc",        check_proc },
	{ "sysfs",      "fresh /sys",         check_sysfs },
	{ "nproc",      "process limit",      check_nproc },
	{ "keys",       "kernel keys",        check_keys },
	{ "subids",     "subordinate ids",    check_subids },
	{ "newuidmap",  "newuidmap",          check_newuidmap },
	{ "seccomp",    "seccomp",            check_seccomp },
	{ "landlock",   "Landlock",           check_landlock },
	{ "cgroup",     "cgroups",            check_cgroup },
	{ "bus",        "user's systemd",     check_bus },
	{ "runtime",    "runtime directory",  check_runtime },
	{ "tun",        "network device",     check_tun },
};
/* clang-format on */

/* --- output ---------------------------------------------------------------------------------- */

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
	g_string_append_c(out, '}');
}

static void report_human(GString *out, const struct result *results, unsigned failed)
{
	g_string_append(out, "sandbox " SANDBOX_VERSION "\n\n");
	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
		append_human(out, &checks[i], &results[i]);
	if (failed == 0)
		g_string_append(out, "\nA plain run works here: sandbox -- CMD\n");
	else
		g_string_append_printf(out,
				       "\nA plain run does not work here: %u check%s failed.\n",
				       failed, failed == 1 ? "" : "s");
}

static void report_json(GString *out, const struct result *results, unsigned failed)
{
	g_string_append_printf(out,
			       "{\"v\":1,\"version\":\"" SANDBOX_VERSION "\",\"ok\":%s,"
			       "\"checks\":[",
			       failed == 0 ? "true" : "false");
	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
		if (i > 0)
			g_string_append_c(out, ',');
		append_json(out, &checks[i], &results[i]);
	}
	g_string_append(out, "]}\n");
}

struct arguments {
	bool json, help;
};

static int parse(int argc, char **argv, struct arguments *ret, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ret->json = true;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			ret->help = true;
		else
			return cmd_no_more(argv, i, err);
	}
	return 0;
}

static unsigned run_checks(struct facts *facts, struct result *results)
{
	unsigned failed = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
		checks[i].run(facts, &results[i]);
		failed += results[i].mark == MARK_FAIL;
	}
	return failed;
}

static void free_all(struct facts *facts, struct result *results)
{
	for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
		g_free(results[i].detail);
		g_free(results[i].fix);
	}
	host_clear(&facts->host);
	host_cgroup_clear(&facts->cgroup);
}

static int examine(bool json, struct err *err)
{
	struct result results[G_N_ELEMENTS(checks)] = { 0 };
	g_autoptr(GString) out = g_string_new(NULL);
	struct facts facts = { 0 };
	unsigned failed;
	int r = host_probe(&facts.host, HOST_WANT_SUBIDS, environ, err);

	if (r < 0)
		return r;
	host_kernel_probe(&facts.kernel);
	host_confinement_probe(&facts.confinement);
	host_cgroup_probe(&facts.cgroup, facts.host.uid);
	failed = run_checks(&facts, results);
	(json ? report_json : report_human)(out, results, failed);
	free_all(&facts, results);
	(void)fputs(out->str, stdout);
	r = cmd_flush(err);
	return r < 0 || failed == 0 ? r : 125;
}

/* 0: a plain run works here; 125: it does not. */
int cmd_doctor(int argc, char **argv, struct err *err)
{
	struct arguments args = { 0 };
	char help[] = "help", doctor[] = "doctor", *topic[] = { help, doctor, NULL };
	int r = parse(argc, argv, &args, err);

	if (r < 0)
		return r;
	return args.help ? cmd_help(2, topic, err) : examine(args.json, err);
}
