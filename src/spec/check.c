// SPDX-License-Identifier: MIT
/*
 * What contradicts what. A fact is one thing the user said, or what it amounts to; a row of the
 * conflict table is two facts that cannot both hold. What depends on the host is not here: the
 * plan refuses that.
 */
#include <sched.h>
#include <stdio.h>

#include "build.h"

static bool any_volume(const struct spec *s)
{
	return s->volumes->len > 0;
}

static bool has_ulimit(const struct spec *s, const char *name)
{
	for (guint i = 0; i < s->ulimits->len; i++)
		if (g_str_equal(g_array_index(s->ulimits, struct ulimit_row, i).name, name))
			return true;
	return false;
}

/* It is the default too; only what was said contradicts. */
static bool network_none(const struct spec *s)
{
	return s->net == NET_NONE && s->origin[OPT_NETWORK];
}

static bool network_unsaid(const struct spec *s)
{
	return s->net == NET_NONE && !s->origin[OPT_NETWORK] && !build_wants_user_network(s);
}

/* A network that has none of the options of --network user. */
static bool network_other(const struct spec *s)
{
	return network_none(s) || s->net == NET_HOST || s->net == NET_NS ||
	       (s->share & CLONE_NEWNET);
}

static bool nothing_at_ip(const struct spec *s)
{
	for (guint i = 0; i < s->publish->len; i++)
		if (g_array_index(s->publish, struct publish, i).unaddressed)
			return false;
	return true;
}

static bool seccomp_refuses(const struct spec *s)
{
	return s->seccomp == SECCOMP_BASE_STRICT || s->origin[OPT_SECCOMP_DENY];
}

/* With a map of one id, inside 0, nobody else can be. */
static bool user_not_zero(const struct spec *s)
{
	return s->user_set && (s->uid != 0 || (s->gid != SPEC_ID_NONE && s->gid != 0));
}

static bool user_unmapped(const struct spec *s)
{
	uint32_t outside;

	return s->user_set &&
	       (!idmap_outside(&s->map, s->uid, &outside) ||
		!idmap_outside(&s->map, s->gid == SPEC_ID_NONE ? s->uid : s->gid, &outside));
}

/* clang-format off */
/* id                option that is named   how it is called           when it holds */
#define FACTS(F) \
	F(SHARE_MNT,     OPT_SHARE,      "--share mnt",             s->share & CLONE_NEWNS) \
	F(SHARE_PID,     OPT_SHARE,      "--share pid",             s->share & CLONE_NEWPID) \
	F(SHARE_UTS,     OPT_SHARE,      "--share uts",             s->share & CLONE_NEWUTS) \
	F(SHARE_NET,     OPT_SHARE,      "--share net",             s->share & CLONE_NEWNET) \
	F(UNSHARE_NET,   OPT_UNSHARE,    "--unshare net",           s->unshare & CLONE_NEWNET) \
	F(NET_NONE,      OPT_NETWORK,    "--network none",          network_none(s)) \
	F(NET_HOST,      OPT_NETWORK,    "--network host",          s->net == NET_HOST) \
	F(NET_NS,        OPT_NETWORK,    "--network ns:",           s->net == NET_NS) \
	F(NET_USER,      OPT_NETWORK,    "--network user",          s->net == NET_USER) \
	F(NET_OTHER,     OPT_NETWORK,    "--network none, host or ns:", network_other(s)) \
	F(NET_UNSAID,    OPT_NETWORK,    "no network at all",       network_unsaid(s)) \
	F(PUBLISH,       OPT_PUBLISH,    "--publish",               s->publish->len > 0) \
	F(IP,            OPT_IP,         "--ip",                    s->ip.kind != OWN_IP_NONE) \
	F(NOTHING_AT_IP, OPT_PUBLISH,    "nothing published there", nothing_at_ip(s)) \
	F(HOST_PORT,     OPT_HOST_PORT,  "--host-port",             s->host_ports->len > 0) \
	F(IPV6,          OPT_IPV6,       "--ipv6",                  s->origin[OPT_IPV6]) \
	F(ALLOW,         OPT_ALLOW,      "--allow",                 s->origin[OPT_ALLOW]) \
	F(DENY,          OPT_DENY,       "--deny",                  s->origin[OPT_DENY]) \
	F(DNS,           OPT_DNS,        "--dns",                   s->origin[OPT_DNS]) \
	F(ADD_HOST,      OPT_ADD_HOST,   "--add-host",              s->origin[OPT_ADD_HOST]) \
	F(NET_LOG,       OPT_NET_LOG,    "--net-log",               s->net_log) \
	F(NO_HOST,       OPT_HOST,       "--no-host",               b->no_host) \
	F(HOST_VIEW,     OPT_HOST,       "the host view",           s->view == VIEW_HOST) \
	F(ROOTFS,        OPT_ROOTFS,     "--rootfs",                s->view == VIEW_ROOTFS) \
	F(HOME,          OPT_HOME,       "--home",                  s->home != HOME_DEFAULT) \
	F(CWD,           OPT_CWD,        "--cwd rw or ro",          s->cwd == CWD_RW || s->cwd == CWD_RO) \
	F(CWD_ANY,       OPT_CWD,        "--cwd",                   s->cwd != CWD_DEFAULT) \
	F(READ_ONLY,     OPT_READ_ONLY,  "--read-only",             s->read_only) \
	F(VOLUMES,       OPT_VOLUME,     "a volume, tmpfs, file or secret", any_volume(s)) \
	F(ROOT,          OPT_ROOT,       "--root",                  b->root) \
	F(USERNS_ROOT,   OPT_USERNS,     "--userns root",           s->userns == USERNS_ROOT) \
	F(USERNS_MAP,    OPT_USERNS,     "--userns map:",           s->userns == USERNS_MAP) \
	F(USER_NOT_ZERO, OPT_USER,       "--user other than 0",     user_not_zero(s)) \
	F(USER_UNMAPPED, OPT_USER,       "--user outside the map",  user_unmapped(s)) \
	F(HOSTNAME,      OPT_HOSTNAME,   "--hostname",              s->hostname) \
	F(TIMEOUT,       OPT_TIMEOUT,    "--timeout",               s->timeout_ms) \
	F(ENV_ALL,       OPT_ENV_ALL,    "--env-all",               s->env_all) \
	F(CLEAR_ENV,     OPT_CLEAR_ENV,  "--clear-env",             s->clear_env) \
	F(PIDS_LIMIT,    OPT_PIDS_LIMIT, "--pids-limit",            s->pids_limit) \
	F(LANDLOCK_ONLY, OPT_BACKEND,    "--backend landlock",      s->backend == BACKEND_LANDLOCK) \
	F(LANDLOCK_OFF,  OPT_LANDLOCK,   "--landlock off",          s->landlock == LANDLOCK_OFF) \
	F(MULTIARCH,     OPT_MULTIARCH,  "--multiarch",             s->multiarch) \
	F(STRICT,        OPT_STRICT,     "--strict",                s->strict) \
	F(USER,          OPT_USER,       "--user",                  s->user_set && !b->root) \
	F(USERNS,        OPT_USERNS,     "--userns",                s->userns != USERNS_DEFAULT && !b->root) \
	F(SHARE,         OPT_SHARE,      "--share",                 s->share & ~(unsigned)CLONE_NEWNET) \
	F(UNSHARE,       OPT_UNSHARE,    "--unshare",               s->unshare) \
	F(NESTED,        OPT_NESTED,     "--nested",                s->nested) \
	F(CAP_ADD,       OPT_CAP_ADD,    "--cap-add",               s->cap_add || s->cap_add_all) \
	F(SECUREBITS,    OPT_SECUREBITS, "--securebits",            s->securebits_set) \
	F(NEW_PRIVS,     OPT_ALLOW_NEW_PRIVS, "--allow-new-privs",  s->allow_new_privs) \
	F(SECCOMP_OFF,   OPT_SECCOMP,    "--seccomp off",           s->seccomp == SECCOMP_BASE_OFF) \
	F(SECCOMP_ALLOW, OPT_SECCOMP_ALLOW, "--seccomp-allow",      s->origin[OPT_SECCOMP_ALLOW]) \
	F(SECCOMP_ACTION, OPT_SECCOMP_ACTION, "--seccomp-action",   s->seccomp_action) \
	F(SECCOMP_NO_DENY, OPT_SECCOMP,  "a filter that refuses nothing of your choice", !seccomp_refuses(s)) \
	F(ULIMIT_NPROC,  OPT_ULIMIT,     "--ulimit nproc",          has_ulimit(s, "nproc"))
/* clang-format on */

enum fact_id {
#define F(id, opt, label, expr) FACT_##id,
	FACTS(F)
#undef F
		_FACT_MAX,
};

#define F(id, opt, label, expr)                       \
	static bool holds_##id(const struct build *b) \
	{                                             \
		const struct spec *s = b->spec;       \
		(void)s;                              \
		return expr;                          \
	}
FACTS(F)
#undef F

static const struct fact {
	enum opt_id opt;
	const char *label;
	bool (*holds)(const struct build *b);
} facts[_FACT_MAX] = {
#define F(id, opt, label, expr) [FACT_##id] = { opt, label, holds_##id },
	FACTS(F)
#undef F
};

static const char own_tree[] = "with the host's mount namespace the box has no tree of its own";
static const char all_ended[] =
	"only a PID namespace of its own lets all that was started be ended";
static const char one_net[] = "--share net is --network host";
static const char only_user[] = "this is an option of --network user";
static const char not_new[] = "a network that is there already is not a new one";

static const char no_userns[] =
	"without a user namespace there is no such right or identity to give";
static const char no_namespace[] = "it makes no namespaces";
static const char leave_out[] = "leave one of them out";
static const char take_back[] = "leave one of them out; --unshare net takes --share net back";
static const char show_home[] = "leave --home out, or show a directory by --volume DIR:/root";
static const char show_cwd[] = "leave --cwd out, or show it by --volume .:/work --workdir /work";

/* clang-format off */
static const struct conflict {
	enum fact_id a, b;
	const char *cause;
	const char *fix;
} conflicts[] = {
	{ FACT_SHARE_MNT, FACT_ROOTFS,    own_tree, leave_out },
	{ FACT_SHARE_MNT, FACT_HOME,      own_tree, leave_out },
	{ FACT_SHARE_MNT, FACT_CWD_ANY,   own_tree, leave_out },
	{ FACT_SHARE_MNT, FACT_READ_ONLY, own_tree, leave_out },
	{ FACT_SHARE_MNT, FACT_VOLUMES,   own_tree, leave_out },
	{ FACT_SHARE_PID, FACT_TIMEOUT,   all_ended, "leave one of them out, or use timeout(1) around it all" },
	{ FACT_SHARE_UTS, FACT_HOSTNAME,  "the name would be the host's", leave_out },

	{ FACT_SHARE_NET,   FACT_NET_NONE, one_net, take_back },
	{ FACT_SHARE_NET,   FACT_NET_NS,   one_net, take_back },
	{ FACT_SHARE_NET,   FACT_NET_USER, one_net, take_back },
	{ FACT_NET_OTHER,   FACT_PUBLISH,   only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_IP,        only_user, "use --network user" },
	{ FACT_IP,          FACT_NOTHING_AT_IP, "it is where ports are published that name no address", "add --publish HOST:BOX" },
	{ FACT_NET_OTHER,   FACT_HOST_PORT, only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_IPV6,      only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_ALLOW,     only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_DENY,      only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_DNS,       only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_ADD_HOST,  only_user, "use --network user" },
	{ FACT_NET_OTHER,   FACT_NET_LOG,   only_user, "use --network user" },
	{ FACT_NET_UNSAID,  FACT_NET_LOG,   "there would be nothing to log", "add --network user, or --allow what it may reach" },
	{ FACT_UNSHARE_NET, FACT_NET_HOST, not_new, leave_out },
	{ FACT_UNSHARE_NET, FACT_NET_NS,   not_new, leave_out },

	{ FACT_NO_HOST, FACT_HOST_VIEW, "without the host's files there must be others", "add --rootfs DIR" },
	{ FACT_ROOTFS,  FACT_HOME,      "a root directory has homes of its own", show_home },
	{ FACT_ROOTFS,  FACT_CWD,       "a root directory does not show the caller's directory", show_cwd },

	{ FACT_ROOT,        FACT_USER_NOT_ZERO, "--root is --user 0",
	  "leave one of them out; --no-root takes --root back" },
	{ FACT_USERNS_ROOT, FACT_USER_NOT_ZERO, "this map has the one id 0 inside",
	  "use --userns keep-id or --userns auto" },
	{ FACT_USERNS_MAP,  FACT_USER_UNMAPPED, "the map has to have the user and the group among its inside ids",
	  "add them to the map, or choose ids that are in it" },

	{ FACT_LANDLOCK_ONLY, FACT_LANDLOCK_OFF, "nothing would confine the box", leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_SECCOMP_OFF, "the filter refuses what Landlock does not confine", leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_MULTIARCH,  "the calls of 32-bit programs for sockets cannot be looked into", leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_STRICT,     "it is less than namespaces, and --strict takes nothing less", leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_ROOTFS,     "another root directory needs a mount namespace", leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_ROOT,       no_userns, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_USER,       no_userns, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_USERNS,     no_userns, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_CAP_ADD,    no_userns, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_SECUREBITS, no_userns, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_NEW_PRIVS,  "Landlock needs no_new_privs", leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_HOSTNAME,   no_namespace, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_SHARE,      no_namespace, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_UNSHARE,    no_namespace, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_NESTED,     no_namespace, leave_out },
	{ FACT_LANDLOCK_ONLY, FACT_NET_USER,   no_namespace, "use --network none or host" },
	{ FACT_LANDLOCK_ONLY, FACT_NET_NS,     no_namespace, "use --network none or host" },

	{ FACT_CLEAR_ENV,  FACT_ENV_ALL,      "one keeps none of the caller's variables, the other all", leave_out },
	{ FACT_SECCOMP_OFF, FACT_SECCOMP_ALLOW, "without a filter everything is allowed", leave_out },
	{ FACT_SECCOMP_ACTION, FACT_SECCOMP_NO_DENY, "the action is for what --seccomp-deny and --seccomp strict refuse",
	  "add --seccomp-deny LIST or --seccomp strict, or leave --seccomp-action out" },
	{ FACT_PIDS_LIMIT, FACT_ULIMIT_NPROC, "both set the number of processes", "use --pids-limit alone" },
};
/* clang-format on */

/* Any of seven options fills the list of volumes; every other fact has its own option. */
static uint32_t fact_origin(const struct build *b, enum fact_id id)
{
	const GArray *volumes = b->spec->volumes;

	if (id == FACT_VOLUMES)
		return g_array_index(volumes, struct volume, volumes->len - 1).origin;
	return b->spec->origin[facts[id].opt];
}

/* Named is what was written last: with a profile, that is usually the command line. */
static int refuse_conflict(const struct build *b, const struct conflict *row, struct err *err)
{
	const struct fact *one = &facts[row->a], *two = &facts[row->b];
	uint32_t last = MAX(fact_origin(b, row->a), fact_origin(b, row->b));

	err_set(err, ERR_CONFLICT, 0, "cannot have both %s and %s", one->label, two->label);
	err_cause(err, "%s", row->cause);
	err_fix(err, "%s", row->fix);
	return err_origin(err, last);
}

/* Who uses a descriptor number. */
struct claim {
	int fd;
	uint32_t origin;
};

static void claim_add(GArray *claims, int fd, uint32_t origin)
{
	struct claim claim = { fd, origin };

	if (fd >= 0)
		g_array_append_val(claims, claim);
}

static GArray *claims_of(const struct spec *s)
{
	GArray *claims = g_array_new(FALSE, FALSE, sizeof(struct claim));

	claim_add(claims, s->status_fd, s->origin[OPT_STATUS_FD]);
	claim_add(claims, s->block_fd, s->origin[OPT_BLOCK_FD]);
	claim_add(claims, s->ready_fd, s->origin[OPT_READY_FD]);
	for (guint i = 0; i < s->volumes->len; i++) {
		const struct volume *v = &g_array_index(s->volumes, struct volume, i);

		claim_add(claims, v->fd, v->origin);
	}
	for (guint i = 0; i < s->preserve_fds->len; i++)
		claim_add(claims, g_array_index(s->preserve_fds, int, i),
			  s->origin[OPT_PRESERVE_FDS]);
	return claims;
}

static gint claim_order(gconstpointer a, gconstpointer b)
{
	const struct claim *one = a, *two = b;

	if (one->fd != two->fd)
		return one->fd < two->fd ? -1 : 1;
	return one->origin < two->origin ? -1 : one->origin > two->origin;
}

static const char *option_of(const struct request *request, uint32_t origin)
{
	return g_array_index(request->items, struct occurrence, origin - 1).opt->name;
}

/* One descriptor has one use: what the command could write to forges the status, and a file
 * that is read twice is empty the second time. */
static int check_fds(const struct build *b, const struct request *request, struct err *err)
{
	g_autoptr(GArray) claims = claims_of(b->spec);

	g_array_sort(claims, claim_order);
	for (guint i = 1; i < claims->len; i++) {
		const struct claim *one = &g_array_index(claims, struct claim, i - 1);
		const struct claim *two = &g_array_index(claims, struct claim, i);

		if (one->fd != two->fd)
			continue;
		err_set(err, ERR_CONFLICT, 0, "cannot use descriptor %d for both --%s and --%s",
			one->fd, option_of(request, one->origin), option_of(request, two->origin));
		err_cause(err, "a descriptor has one use");
		err_fix(err, "open another one");
		return err_origin(err, two->origin);
	}
	return 0;
}

int check_conflicts(const struct build *b, const struct request *request, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(conflicts); i++)
		if (facts[conflicts[i].a].holds(b) && facts[conflicts[i].b].holds(b))
			return refuse_conflict(b, &conflicts[i], err);
	return check_fds(b, request, err);
}
