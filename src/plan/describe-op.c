// SPDX-License-Identifier: MIT
/* The text of each kind of row. Every field of a row is shown: the golden tests compare nothing else. */
#include "describe.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/capability.h>

#include <sandbox/landlock.h>

struct flag {
	uint64_t bit;
	const char *name;
};

/* clang-format off */
static const struct flag attr_flags[] = {
	{ ATTR_RDONLY, "ro" }, { ATTR_NOSUID, "nosuid" }, { ATTR_NODEV, "nodev" }, { ATTR_NOEXEC, "noexec" },
	{ 0, NULL },
};
/* clang-format on */

/* clang-format off */
static const struct flag clone_flags[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mnt" }, { CLONE_NEWPID, "pid" }, { CLONE_NEWNET, "net" },
	{ CLONE_NEWIPC, "ipc" },   { CLONE_NEWUTS, "uts" }, { CLONE_NEWCGROUP, "cgroup" },
	{ CLONE_NEWTIME, "time" }, { 0, NULL },
};
/* clang-format on */

/* clang-format off */
static const struct flag securebit_flags[] = {
	{ 1 << 0, "noroot" },          { 1 << 1, "noroot-locked" },
	{ 1 << 2, "no-setuid-fixup" }, { 1 << 3, "no-setuid-fixup-locked" },
	{ 1 << 4, "keep-caps" },       { 1 << 5, "keep-caps-locked" },
	{ 1 << 6, "no-cap-ambient-raise" }, { 1 << 7, "no-cap-ambient-raise-locked" },
	{ 0, NULL },
};
/* clang-format on */

static void put_flags(GString *out, const struct flag *rows, uint64_t bits)
{
	const char *sep = "";

	for (; rows->name; rows++) {
		if (!rows->bit || (bits & rows->bit) != rows->bit)
			continue;
		g_string_append_printf(out, "%s%s", sep, rows->name);
		sep = ",";
	}
	if (!*sep)
		g_string_append(out, "none");
}

static void put_caps(GString *out, uint64_t set)
{
	const char *sep = "";

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		g_autofree char *upper = NULL;
		char *name;

		if (!(set >> cap & 1))
			continue;
		name = cap_to_name(cap);
		upper = g_ascii_strup(name + (strncmp(name, "cap_", 4) == 0 ? 4 : 0), -1);
		g_string_append_printf(out, "%s%s", sep, upper);
		sep = ",";
		(void)cap_free(name);
	}
	if (!*sep)
		g_string_append(out, "none");
}

void describe_quoted(GString *out, const char *text)
{
	char buf[4200];

	g_string_append_printf(out, "'%s'", err_quote(buf, sizeof(buf), text));
}

static void put_attrs(GString *out, unsigned attrs, bool recursive)
{
	g_string_append_c(out, ' ');
	put_flags(out, attr_flags, attrs);
	if (recursive)
		g_string_append(out, " recursive");
}

static void put_slot(GString *out, int slot)
{
	if (slot >= 0)
		g_string_append_printf(out, " pinned=%d", slot);
}

void describe_limit(GString *out, uint64_t value)
{
	if (value == UINT64_MAX)
		g_string_append(out, "unlimited");
	else
		g_string_append_printf(out, "%" PRIu64, value);
}

static void put_map(GString *out, const char *what, const struct idmap *map)
{
	g_string_append_printf(out, " %s", what);
	for (size_t i = 0; i < map->n; i++)
		g_string_append_printf(out, "%c%u:%u:%u", i ? ',' : '=', map->rows[i].inside,
				       map->rows[i].outside, map->rows[i].count);
}

static void put_make(GString *out, bool make)
{
	if (make)
		g_string_append(out, " make");
}

#define DESCRIBE(name) static void describe_##name(const struct op *op, GString *out)

DESCRIBE(pin)
{
	static const char *const want[] = { "", " directory", " file" };

	describe_quoted(out, op->u.pin.src);
	g_string_append_printf(out, " as=%u%s%s", op->u.pin.slot, want[op->u.pin.want],
			       op->u.pin.optional ? " optional" : "");
}

DESCRIBE(netns)
{
	describe_quoted(out, op->u.netns.path);
}
DESCRIBE(clone)
{
	put_flags(out, clone_flags, op->u.clone.flags);
}

DESCRIBE(idmap)
{
	static const char *const by[] = { "by=self", "by=parent", "by=newuidmap" };

	g_string_append(out, by[op->u.idmap.by]);
	put_map(out, "uid", op->u.idmap.uids);
	put_map(out, "gid", op->u.idmap.gids);
	if (op->u.idmap.by == IDMAP_HELPER)
		g_string_append_printf(out, " %s %s", op->u.idmap.newuidmap, op->u.idmap.newgidmap);
}

DESCRIBE(identity)
{
	if (op->u.identity.set)
		g_string_append_printf(out, "uid=%u gid=%u caller=%u:%u", op->u.identity.uid,
				       op->u.identity.gid, op->u.identity.caller_uid,
				       op->u.identity.caller_gid);
	else
		g_string_append(out, "as-mapped");
	if (op->u.identity.drop_groups)
		g_string_append(out, " drop-groups");
}

DESCRIBE(guard)
{
	g_string_append(out, op->u.guard.pid_namespace ? "pid-namespace" : "subreaper");
}
DESCRIBE(nothing)
{
	(void)op;
	(void)out;
}
DESCRIBE(hostname)
{
	describe_quoted(out, op->u.hostname.name);
}

/* The whole of it: these are the rules that hold outside of the box. */
DESCRIBE(net_helper)
{
	g_string_append(out, "sandbox-net");
	for (const char *line = op->u.net_helper.config; *line; line = strchr(line, '\n') + 1) {
		g_string_append(out, "\n    ");
		g_string_append_len(out, line, strchr(line, '\n') - line);
	}
}

static const char *protocol(const struct publish_at *at)
{
	return at->udp ? "udp" : "tcp";
}

DESCRIBE(own_ip)
{
	struct in_addr first = { htonl(op->u.own_ip.first) };
	char text[INET_ADDRSTRLEN];

	g_string_append_printf(out, "%s or the next free one, for",
			       inet_ntop(AF_INET, &first, text, sizeof(text)));
	for (unsigned i = 0; i < op->u.own_ip.n; i++)
		g_string_append_printf(out, " %s/%u", protocol(&op->u.own_ip.ports[i]),
				       op->u.own_ip.ports[i].port);
}

/* The first member's address stands for that which is not known before there is a lease. */
DESCRIBE(net_peers)
{
	describe_quoted(out, op->u.net_peers.name);
	if (!op->u.net_peers.joined)
		g_string_append(out, " (network and address are chosen at the start)");
}

DESCRIBE(publish)
{
	const struct publish_at *at = &op->u.publish.at;
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(at->ipv6 ? AF_INET6 : AF_INET, at->address, text, sizeof(text));
	if (op->u.publish.own)
		g_string_append_printf(out, "its own address, port %u", at->port);
	else
		g_string_append_printf(out, at->ipv6 ? "[%s]:%u" : "%s:%u", text, at->port);
	g_string_append_printf(out, " -> box port %u, %s%s", op->u.publish.inner, protocol(at),
			       op->u.publish.keep ? " src=keep" : "");
}

DESCRIBE(keep_source)
{
	g_string_append(out, op->u.keep_source.ipv6 ? "IPv4 and IPv6" : "IPv4");
}

DESCRIBE(link)
{
	g_string_append_printf(out, "%s mtu=%u mac=", op->u.link.name, op->u.link.mtu);
	for (int i = 0; i < 6; i++)
		g_string_append_printf(out, "%s%02x", i ? ":" : "", op->u.link.mac[i]);
}

static void put_ipv4(GString *out, const char *what, uint32_t number)
{
	struct in_addr a = { htonl(number) };
	char text[INET_ADDRSTRLEN];

	g_string_append_printf(out, " %s%s", what, inet_ntop(AF_INET, &a, text, sizeof(text)));
}

static void put_ipv6(GString *out, const char *what, const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN];

	g_string_append_printf(out, " %s%s", what, inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

DESCRIBE(address)
{
	g_string_append(out, op->u.address.name);
	put_ipv4(out, "", op->u.address.address);
	g_string_append_printf(out, "/%u", op->u.address.prefix);
	put_ipv4(out, "via=", op->u.address.gateway);
	if (!op->u.address.ipv6)
		return;
	put_ipv6(out, "", op->u.address.address6);
	g_string_append_printf(out, "/%u", op->u.address.prefix6);
	put_ipv6(out, "via=", op->u.address.gateway6);
}

DESCRIBE(root)
{
	if (op->u.root.src) {
		describe_quoted(out, op->u.root.src);
		put_slot(out, op->u.root.slot);
		put_attrs(out, op->u.root.attrs, op->u.root.recursive);
	} else {
		g_string_append_printf(out, "tmpfs size=%" PRIu64, op->u.root.size);
		put_attrs(out, op->u.root.attrs, false);
	}
}

DESCRIBE(symlink)
{
	describe_quoted(out, op->u.symlink.dst);
	g_string_append(out, " -> ");
	describe_quoted(out, op->u.symlink.target);
}

DESCRIBE(bind)
{
	describe_quoted(out, op->u.bind.dst);
	if (strcmp(op->u.bind.src, op->u.bind.dst) != 0) {
		g_string_append(out, " from ");
		describe_quoted(out, op->u.bind.src);
	}
	put_attrs(out, op->u.bind.attrs, op->u.bind.recursive);
	put_slot(out, op->u.bind.slot);
	put_make(out, op->u.bind.make);
}

DESCRIBE(path)
{
	describe_quoted(out, op->u.path.dst);
}

DESCRIBE(tmpfs)
{
	describe_quoted(out, op->u.tmpfs.dst);
	g_string_append_printf(out, " size=%" PRIu64 " mode=%04o", op->u.tmpfs.size,
			       op->u.tmpfs.mode);
	put_attrs(out, op->u.tmpfs.attrs, false);
	put_make(out, op->u.tmpfs.make);
}

DESCRIBE(scratch)
{
	describe_quoted(out, op->u.scratch.dst);
	g_string_append_printf(out, " mode=%04o", op->u.scratch.mode);
	put_make(out, op->u.scratch.make);
}

DESCRIBE(data)
{
	describe_quoted(out, op->u.data.dst);
	g_string_append_printf(out, " mode=%04o", op->u.data.mode);
	if (op->u.data.slot >= 0) {
		g_string_append(out, " content-of ");
		describe_quoted(out, op->u.data.text);
		put_slot(out, op->u.data.slot);
	} else if (op->u.data.fd >= 0) {
		g_string_append_printf(out, " content-of fd=%d", op->u.data.fd);
	} else {
		g_string_append_printf(out, " bytes=%zu", op->u.data.len); /* never the content */
	}
	if (op->u.data.secret)
		g_string_append(out, " secret");
	put_make(out, op->u.data.make);
}

DESCRIBE(dev)
{
	g_string_append_printf(out, "shm-size=%s%s%s", op->u.dev.shm_size,
			       op->u.dev.pty ? " pty" : "", op->u.dev.data ? " data" : "");
	put_make(out, op->u.dev.make);
}

DESCRIBE(proc)
{
	g_string_append(out, op->u.proc.fresh ? "fresh" : "the host's, read-only");
	put_make(out, op->u.proc.make);
}

DESCRIBE(sysfs)
{
	g_string_append(out, op->u.sysfs.fresh ? "fresh, read-only" : "the host's, read-only");
	put_make(out, op->u.sysfs.make);
}

DESCRIBE(mask)
{
	describe_quoted(out, op->u.mask.path);
	g_string_append(out, op->u.mask.readonly ? " ro" : " empty");
}

DESCRIBE(sysctl)
{
	g_string_append_printf(out, "%s=%s", op->u.sysctl.path, op->u.sysctl.value);
}
DESCRIBE(private)
{
	describe_quoted(out, op->u.private.base);
	g_string_append_c(out, ' ');
	describe_quoted(out, op->u.private.name);
	g_string_append_printf(out, " home=%u tmp=%u", op->u.private.home, op->u.private.tmp);
}

DESCRIBE(calls)
{
	if (op->u.calls.processes) {
		g_string_append(out, "none-on-other-processes");
		return;
	}
	g_string_append_printf(out, "no-unix-sockets%s%s%s",
			       op->u.calls.network ? "" : " no-sockets",
			       op->u.calls.truncate ? "" : " no-truncate",
			       op->u.calls.signals ? "" : " no-kill-all");
}

DESCRIBE(mqueue)
{
	g_string_append(out, op->u.mqueue.fresh ? "own" : "the host's");
}

DESCRIBE(root_attr)
{
	put_flags(out, attr_flags, op->u.root_attr.attrs);
}

DESCRIBE(rlimit)
{
	g_string_append_printf(out, "%s soft=", op->u.rlimit.name);
	describe_limit(out, op->u.rlimit.soft);
	g_string_append(out, " hard=");
	describe_limit(out, op->u.rlimit.hard);
}

DESCRIBE(scope)
{
	describe_quoted(out, op->u.scope.bus);
	if (op->u.scope.system)
		g_string_append(out, " system");
}

DESCRIBE(cgroup)
{
	if (op->u.cgroup.own) {
		g_string_append(out, "own=");
		describe_quoted(out, op->u.cgroup.own);
		g_string_append_c(out, ' ');
	}
	g_string_append(out, op->u.cgroup.bus ? "scope" : "no-scope");
	if (op->u.cgroup.required)
		g_string_append(out, " required");
}

DESCRIBE(affinity)
{
	describe_quoted(out, op->u.affinity.text);
}

DESCRIBE(nice)
{
	g_string_append_printf(out, "%d", op->u.nice.value);
}

DESCRIBE(bounding)
{
	g_string_append(out, "keep=");
	put_caps(out, op->u.bounding.keep);
}

DESCRIBE(securebits)
{
	put_flags(out, securebit_flags, op->u.securebits.bits);
}

DESCRIBE(capset)
{
	g_string_append(out, "permitted=");
	put_caps(out, op->u.capset.permitted);
	g_string_append(out, " inheritable=");
	put_caps(out, op->u.capset.inheritable);
	g_string_append(out, " ambient=");
	put_caps(out, op->u.capset.ambient);
}

/* clang-format off */
static const struct flag landlock_rights[] = {
	{ LL_FS_READ_FILE, "read" },
	{ LL_FS_READ_DIR, "list" }, { LL_FS_EXECUTE, "execute" },
	{ LL_FS_WRITE_FILE, "write" }, { LL_FS_REMOVE_DIR | LL_FS_REMOVE_FILE, "remove" },
	{ LL_FS_MAKE_CHAR | LL_FS_MAKE_DIR | LL_FS_MAKE_REG | LL_FS_MAKE_SOCK | LL_FS_MAKE_FIFO |
	  LL_FS_MAKE_SYM, "make" },
	{ LL_FS_MAKE_BLOCK, "make-block" }, { LL_FS_REFER, "refer" }, { LL_FS_TRUNCATE, "truncate" },
	{ LL_FS_IOCTL_DEV, "ioctl-dev" }, { 0, NULL },
};
/* clang-format on */

static const struct flag landlock_scopes[] = { { LL_SCOPE_ABSTRACT_UNIX, "abstract-unix" },
					       { LL_SCOPE_SIGNAL, "signal" },
					       { 0, NULL } };

DESCRIBE(landlock)
{
	g_string_append_printf(out, "abi=%d files=", op->u.landlock.abi);
	put_flags(out, landlock_rights, op->u.landlock.fs);
	if (op->u.landlock.net)
		g_string_append(out, " net=bind,connect");
	g_string_append(out, " scope=");
	put_flags(out, landlock_scopes, op->u.landlock.scoped);
	if (op->u.landlock.flags & LL_RESTRICT_LOG_SUBDOMAINS_OFF)
		g_string_append(out, " log=own-alone");
	for (size_t i = 0; i < op->u.landlock.nkeep; i++)
		g_string_append_printf(out, "%s%d", i ? "," : " inherited=0,1,2,",
				       op->u.landlock.keep[i]);
	for (unsigned i = 0; i < op->u.landlock.n; i++) {
		const struct landlock_place *place = &op->u.landlock.places[i];

		g_string_append(out, "\n    allow      ");
		describe_quoted(out, place->path);
		put_slot(out, place->slot);
		if (place->access == op->u.landlock.inherited)
			continue;
		g_string_append_c(out, ' ');
		put_flags(out, landlock_rights, place->access);
	}
}

DESCRIBE(chdir)
{
	describe_quoted(out, op->u.chdir.path);
}

DESCRIBE(seccomp)
{
	if (op->u.seccomp.program)
		g_string_append_printf(out, "%s, %u instructions", op->u.seccomp.name,
				       op->u.seccomp.program->n);
	else
		g_string_append_printf(out, "%s, as made", op->u.seccomp.name);
}

DESCRIBE(filter)
{
	char buf[4200];

	for (char **word = op->u.filter.argv + 2; *word; word++)
		g_string_append_printf(out, "%s%s", word == op->u.filter.argv + 2 ? "" : " ",
				       err_quote(buf, sizeof(buf), *word));
	if (op->u.filter.file) {
		g_string_append(out, " file=");
		describe_quoted(out, op->u.filter.file);
	}
	g_string_append(out, " cache=");
	describe_quoted(out, op->u.filter.cache ? op->u.filter.cache : "none");
}

DESCRIBE(fds)
{
	g_string_append(out, "keep=0,1,2");
	for (size_t i = 0; i < op->u.fds.n; i++)
		g_string_append_printf(out, ",%d", op->u.fds.keep[i]);
}

/* clang-format off */
static const struct { const char *name; void (*describe)(const struct op *, GString *); } kinds[_OP_MAX] = {
	[OP_SCOPE]        = { "scope",        describe_scope },
	[OP_CGROUP]       = { "cgroup",       describe_cgroup },
	[OP_AFFINITY]     = { "affinity",     describe_affinity },
	[OP_IDLE]         = { "sched-idle",   describe_nothing },
	[OP_PIN]          = { "pin",          describe_pin },
	[OP_NETNS_JOIN]   = { "netns-join",   describe_netns },
	[OP_CLONE]        = { "clone",        describe_clone },
	[OP_IDMAP]        = { "idmap",        describe_idmap },
	[OP_IDENTITY]     = { "identity",     describe_identity },
	[OP_GUARD]        = { "guard",        describe_guard },
	[OP_CGROUPNS]     = { "cgroupns",     describe_nothing },
	[OP_LOOPBACK]     = { "loopback-up",  describe_nothing },
	[OP_NET_HELPER]   = { "net-helper",   describe_net_helper },
	[OP_NET_PEERS]    = { "net-peers",    describe_net_peers },
	[OP_NET_READY]    = { "net-ready",    describe_nothing },
	[OP_OWN_IP]       = { "own-ip",       describe_own_ip },
	[OP_PUBLISH]      = { "publish",      describe_publish },
	[OP_KEEP_SOURCE]  = { "keep-source",  describe_keep_source },
	[OP_NET_DOOR]     = { "net-door",     describe_nothing },
	[OP_LINK]         = { "link",         describe_link },
	[OP_ADDRESS]      = { "address",      describe_address },
	[OP_HOSTNAME]     = { "hostname",     describe_hostname },
	[OP_PROPAGATION]  = { "private",      describe_nothing },
	[OP_ROOT]         = { "root",         describe_root },
	[OP_SYMLINK]      = { "symlink",      describe_symlink },
	[OP_BIND]         = { "bind",         describe_bind },
	[OP_PROTECT]      = { "protect",      describe_path },
	[OP_HIDE]         = { "hide",         describe_path },
	[OP_TMPFS]        = { "tmpfs",        describe_tmpfs },
	[OP_SCRATCH]      = { "scratch",      describe_scratch },
	[OP_DATA]         = { "data",         describe_data },
	[OP_DEV]          = { "dev",          describe_dev },
	[OP_PROC]         = { "proc",         describe_proc },
	[OP_SYSFS]        = { "sysfs",        describe_sysfs },
	[OP_MASK]         = { "mask",         describe_mask },
	[OP_SYSCTL]       = { "sysctl",       describe_sysctl },
	[OP_ROOT_ATTR]    = { "root-attr",    describe_root_attr },
	[OP_MQUEUE]       = { "mqueue",       describe_mqueue },
	[OP_PRIVATE]      = { "private-home", describe_private },
	[OP_PTY]          = { "pty",          describe_nothing },
	[OP_CALLS]        = { "calls",        describe_calls },
	[OP_PIVOT]        = { "pivot-root",   describe_nothing },
	[OP_RLIMIT]       = { "rlimit",       describe_rlimit },
	[OP_NICE]         = { "nice",         describe_nice },
	[OP_KEYRING]      = { "keyring",      describe_nothing },
	[OP_BOUNDING]     = { "bounding-set", describe_bounding },
	[OP_SECUREBITS]   = { "securebits",   describe_securebits },
	[OP_CAPSET]       = { "capset",       describe_capset },
	[OP_NO_NEW_PRIVS] = { "no-new-privs", describe_nothing },
	[OP_LANDLOCK]     = { "landlock",     describe_landlock },
	[OP_CHDIR]        = { "chdir",        describe_chdir },
	[OP_SECCOMP]      = { "seccomp",      describe_seccomp },
	[OP_FILTER]       = { "filter",       describe_filter },
	[OP_CLOSE_FDS]    = { "close-fds",    describe_fds },
};
/* clang-format on */

const char *op_kind_name(enum op_kind kind)
{
	return kind < _OP_MAX ? kinds[kind].name : "?";
}

void describe_op(const struct op *op, GString *out)
{
	g_string_append_printf(out, "  %-13s", kinds[op->kind].name);
	kinds[op->kind].describe(op, out);
}
