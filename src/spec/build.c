// SPDX-License-Identifier: MIT
/*
 * From the request to the spec. Called once in the launcher, before anything is created, with
 * the caller's rights; it is pure, so whatever is refused here is refused without a trace.
 *
 * Every occurrence is set in the order it was written: a scalar's last one wins, a list's add
 * up. Only then come the defaults and the conflicts (check.c), because `--no-x` or a later value
 * may take back what a profile said.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "build.h"

int build_refuse(struct err *err, const struct build *b, const char *cause, ...)
{
	const char *value = b->occ->value ? b->occ->value : "";
	bool discreet = b->row && b->row->discreet && strchr(value, '=');
	int shown = discreet ? (int)strcspn(value, "=") + 1 : -1;
	char what[256], text[512], quoted[512];
	va_list ap;

	va_start(ap, cause);
	vsnprintf(text, sizeof(text), cause, ap);
	va_end(ap);
	g_snprintf(what, sizeof(what), "%.*s%s", shown, value, discreet ? "..." : "");
	err_set(err, ERR_VALUE, 0, "the value '%s' of --%s cannot be used",
		err_quote(quoted, 160, what), b->occ->opt->name);
	err_cause(err, "%s", err_quote(quoted, sizeof(quoted), text));
	if (b->row && b->row->form)
		err_fix(err, "give --%s %s", b->occ->opt->name, b->row->form);
	return -EINVAL;
}

int build_refuse_later(struct err *err, const char *what, const char *mend)
{
	err_set(err, ERR_OPTION_LATER, EOPNOTSUPP, "%s is not part of this version", what);
	err_cause(err, "a later version of sandbox will have it");
	return err_fix(err, "%s", mend);
}

int build_refuse_number(struct err *err, const struct build *b, int r, const char *text, size_t len)
{
	int shown = len > 64 ? 64 : (int)len;

	if (len == 0)
		return build_refuse(err, b, "a number is missing");
	if (r == -ERANGE)
		return build_refuse(err, b, "'%.*s' is out of range", shown, text);
	return build_refuse(err, b, "'%.*s' is not of the expected form", shown, text);
}

int build_check_path(const struct build *b, const char *path, struct err *err)
{
	const char *fault = value_path_fault(path);

	return fault ? build_refuse(err, b, "%s", fault) : 0;
}

static int set_nothing(struct build *b, struct err *err)
{
	(void)b;
	(void)err;
	return 0; /* the request has acted on it */
}

static int set_flag(struct build *b, struct err *err)
{
	bool *field = (bool *)(void *)((char *)b->spec + b->row->field);

	(void)err;
	*field = !b->occ->negated;
	return 0;
}

static int set_path(struct build *b, struct err *err)
{
	const char **field = (const char **)(void *)((char *)b->spec + b->row->field);
	int r = build_check_path(b, b->occ->value, err);

	if (r < 0)
		return r;
	*field = b->occ->value;
	return 0;
}

#define VOLUME_FORM \
	"SRC[:DST][:ro,rw,noexec,optional,dev]; DST is absolute, '\\:' is a colon in a path"
#define FILE_FORM \
	"DST=TEXT, DST=@FD, or DST=@@TEXT for a text that begins with '@'; DST is absolute"
#define MEMORY_FORM "a size from 1M on such as 512M or 1GiB, or a part of the RAM such as 25%"
#define IO_FORM \
	"10M (bytes a second) or 500iops (operations a second), for one disk as /data:10M or /dev/sda:10M"
#define RULE_FORM \
	"HOST, *.HOST, ADDRESS[/PREFIX] or lan, with [tcp://|udp://] before and [:PORTS] after"
#define SHARE_FORM "a list of mnt, pid, net, ipc, uts, cgroup, time"
#define CAP_FORM   "a list of capabilities such as NET_BIND_SERVICE, or ALL"
#define BITS_FORM \
	"a list of noroot, no-setuid-fixup, keep-caps, no-cap-ambient-raise, or these with -locked"
#define SECCOMP_FORM "a list of system calls by name, @group or number, as in bind,@mount,47"
#define FDS_FORM \
	"a list of descriptors from 3 on, as in 3,5-7 (the descriptors themselves, not how many)"

/* clang-format off */
#define ROW(id, setter)                [OPT_##id] = { .set = setter }
#define VALUE(id, setter, text)        [OPT_##id] = { .set = setter, .form = text }
#define PRIVATE(id, setter, text)      [OPT_##id] = { .set = setter, .form = text, .discreet = true }
#define FIELD(id, setter, member)      [OPT_##id] = { .set = setter, .field = offsetof(struct spec, member) }
#define INTO(id, setter, member, text) [OPT_##id] = { .set = setter, .field = offsetof(struct spec, member), \
						      .form = text }

/* What an option means. A row that is missing is an option of a later version. */
static const struct setter setters[_OPT_MAX] = {
	ROW(PROFILE,           set_nothing),
	ROW(NO_PROFILE,        set_nothing),
	FIELD(STRICT,          set_flag, strict),
	ROW(EXPLAIN,           set_nothing),

	ROW(HOST,              set_host),
	VALUE(ROOTFS,          set_rootfs, "DIR"),
	VALUE(HOME,            set_home, "private, ro, rw, or a directory with a slash in it"),
	VALUE(CWD,             set_cwd, "rw, ro or none"),
	VALUE(WORKDIR,         set_workdir, "an absolute directory inside the box"),
	FIELD(READ_ONLY,       set_flag, read_only),
	VALUE(SHOW,            set_show, "PATH"),
	VALUE(HIDE,            set_hide, "PATH"),
	VALUE(PROTECT,         set_protect, "PATH"),

	VALUE(VOLUME,          set_volume, VOLUME_FORM),
	VALUE(TMPFS,           set_tmpfs, "DST[:size=64M,mode=1777,ro,noexec]; DST is absolute"),
	PRIVATE(FILE,          set_file, FILE_FORM),
	VALUE(SECRET,          set_secret, "NAME=FILE or NAME=env:VARIABLE"),

	VALUE(USER,            set_user, "UID[:GID], decimal numbers from 0 to 4294967294"),
	ROW(ROOT,              set_root),
	VALUE(USERNS,          set_userns, "keep-id, root, auto or map:INSIDE:OUTSIDE:COUNT,..."),
	VALUE(HOSTNAME,        set_hostname, "NAME: letters, digits, '-' and '.', at most 64"),
	VALUE(SHARE,           set_share, SHARE_FORM),
	VALUE(UNSHARE,         set_unshare, SHARE_FORM),
	FIELD(NESTED,          set_flag, nested),

	PRIVATE(ENV,           set_env, "NAME=VALUE, or NAME to pass the caller's on"),
	ROW(ENV_FILE,          set_nothing),
	FIELD(ENV_ALL,         set_flag, env_all),
	FIELD(CLEAR_ENV,       set_flag, clear_env),

	VALUE(CPUS,            set_cpus, "N or N%: 0.5 and 50% are half of one CPU, 2 and 200% are two; from 1% to 16384"),
	VALUE(CPU_WEIGHT,      set_cpu_weight, "a number from 1 to 10000; 100 is what others have"),
	VALUE(CPUSET,          set_cpuset, "a list of CPUs such as 0-3,5"),
	INTO(MEMORY,           set_memory, memory, MEMORY_FORM),
	INTO(MEMORY_HIGH,      set_memory, memory_high, MEMORY_FORM),
	VALUE(MEMORY_SWAP,     set_memory_swap, "a size at least that of --memory, or unlimited"),
	VALUE(IO_READ,         set_io_read, IO_FORM),
	VALUE(IO_WRITE,        set_io_write, IO_FORM),
	VALUE(CPU_TIME,        set_cpu_time, "a time such as 10, 500ms or 2m; 0 for none"),
	FIELD(BACKGROUND,      set_flag, background),
	VALUE(LIMITS,          set_limits, "auto, cgroup, soft or off"),
	VALUE(PIDS_LIMIT,      set_pids_limit, "a number from 1 to 4194304, or unlimited"),
	VALUE(ULIMIT,          set_ulimit, "NAME=SOFT[:HARD], as in nofile=1024:4096 or core=unlimited"),
	VALUE(TIMEOUT,         set_timeout, "a time such as 30, 30s, 500ms or 1h30m; 0 for none"),
	VALUE(NICE,            set_nice, "a number from -20 to 19"),

	VALUE(NETWORK,         set_network, "none, user, host, box:NAME or ns:PATH"),
	VALUE(PUBLISH,         set_publish, "[IP:]HOST:BOX, ports or ranges of them, as in 8080:80, 0.0.0.0:80:80, [::1]:8000-8009:8000-8009, 53:53/udp, 80:80,src=keep"),
	VALUE(HOST_PORT,       set_host_port, "PORT[/tcp|/udp] or FIRST-LAST, ports from 1 to 65535"),
	VALUE(IP,              set_ip, "auto, or an address of this host"),
	VALUE(IPV6,            set_ipv6, "auto, on or off"),
	VALUE(ALLOW,           set_allow, RULE_FORM),
	VALUE(DENY,            set_deny, RULE_FORM),
	VALUE(DNS,             set_dns, "an address of IPv4 or IPv6"),
	VALUE(ADD_HOST,        set_add_host, "NAME:ADDRESS"),
	INTO(NET_LOG,          set_path, net_log, "FILE, or - for standard error"),

	VALUE(CAP_ADD,         set_cap_add, CAP_FORM),
	VALUE(CAP_DROP,        set_cap_drop, CAP_FORM),
	VALUE(SECUREBITS,      set_securebits, BITS_FORM),
	FIELD(ALLOW_NEW_PRIVS, set_flag, allow_new_privs),
	VALUE(SECCOMP,         set_seccomp, "default, strict, off, or a file with a slash in it or .json at its end"),
	VALUE(SECCOMP_ALLOW,   set_seccomp_list, SECCOMP_FORM),
	VALUE(SECCOMP_DENY,    set_seccomp_list, SECCOMP_FORM),
	VALUE(SECCOMP_ACTION,  set_seccomp_action, "errno, kill or log"),
	FIELD(MULTIARCH,       set_flag, multiarch),
	VALUE(LANDLOCK,        set_landlock, "auto, on or off"),
	VALUE(BACKEND,         set_backend, "auto, namespaces or landlock"),

	ROW(TTY,               set_tty),
	VALUE(STOP_SIGNAL,     set_stop_signal, "a signal such as TERM, SIGTERM, 15 or RTMIN+3"),
	VALUE(PRESERVE_FDS,    set_preserve_fds, FDS_FORM),
	VALUE(ARGV0,           set_argv0, "NAME"),

	INTO(STATUS_FD,        set_fd_out, status_fd, "an open descriptor from 1 on"),
	INTO(REPORT,           set_path, report, "FILE, or - for standard error"),
	INTO(BLOCK_FD,         set_fd_in, block_fd, "an open descriptor: 0, or from 3 on"),
	INTO(READY_FD,         set_fd_out, ready_fd, "an open descriptor from 1 on"),
	INTO(PIDFILE,          set_path, pidfile, "FILE"),
	FIELD(QUIET,           set_flag, quiet),

	ROW(HELP,              set_nothing),
	ROW(VERSION,           set_nothing),
};
/* clang-format on */

static int set_one(struct build *b, struct err *err)
{
	const struct option *opt = b->occ->opt;
	char what[80];

	b->row = &setters[opt->id];
	if (!b->row->set || (opt->flags & OPT_LATER)) {
		snprintf(what, sizeof(what), "--%s", opt->name);
		return build_refuse_later(err, what, opt->help ? opt->help : "leave it out");
	}
	if (opt->kind != OPT_KIND_FLAG && !b->occ->value)
		return build_refuse(err, b, "the value is missing");
	return b->row->set(b, err);
}

static int set_all(struct build *b, const struct request *request, struct err *err)
{
	for (guint i = 0; i < request->items->len; i++) {
		int r;

		b->occ = &g_array_index(request->items, struct occurrence, i);
		b->origin = i + 1;
		r = set_one(b, err);
		if (r < 0) {
			err_origin(err, b->origin);
			return r;
		}
		b->spec->origin[b->occ->opt->id] = b->origin;
	}
	return 0;
}

static int set_command(struct spec *spec, char *const *command, struct err *err)
{
	size_t n = 0;

	while (command && command[n] && n <= WORDS_MAX)
		n++;
	if (n == 0) {
		err_set(err, ERR_USAGE, 0, "no command given");
		err_cause(err, "a command follows '--' or the word 'run'");
		return err_fix(err, "sandbox -- CMD [ARG...]");
	}
	if (n > WORDS_MAX) {
		err_set(err, ERR_USAGE, E2BIG, "the command has more than %d words", WORDS_MAX);
		err_cause(err, "so many are more likely a mistake than a command");
		return err_fix(err,
			       "pass them on standard input, or through xargs(1) inside the box");
	}
	if (command[0][0] == '\0') {
		err_set(err, ERR_NOT_FOUND, ENOENT, "cannot run ''");
		err_cause(err, "the name of the command is empty");
		return err_fix(err, "sandbox -- CMD [ARG...]");
	}
	spec->command = command;
	return 0;
}

static void spec_init(struct spec *spec)
{
	*spec = (struct spec){
		.arena = g_string_chunk_new(1024),
		.volumes = g_array_new(FALSE, FALSE, sizeof(struct volume)),
		.env = g_array_new(FALSE, FALSE, sizeof(struct env_row)),
		.ulimits = g_array_new(FALSE, FALSE, sizeof(struct ulimit_row)),
		.io = g_array_new(FALSE, FALSE, sizeof(struct io_rate)),
		.seccomp_lists = g_array_new(FALSE, FALSE, sizeof(struct seccomp_list)),
		.preserve_fds = g_array_new(FALSE, FALSE, sizeof(int)),
		.publish = g_array_new(FALSE, FALSE, sizeof(struct publish)),
		.host_ports = g_array_new(FALSE, FALSE, sizeof(struct host_port)),
		.net_rules = g_ptr_array_new_with_free_func(g_free),
		.dns = g_ptr_array_new_with_free_func(g_free),
		.hosts = g_ptr_array_new_with_free_func(g_free),
		.uid = SPEC_ID_NONE,
		.gid = SPEC_ID_NONE,
		.stop_signal = SIGTERM,
		.status_fd = -1,
		.block_fd = -1,
		.ready_fd = -1,
	};
}

/* --root is -u 0 with a map of one id, unless --userns asks for another map. */
static void settle_root(const struct build *b)
{
	struct spec *spec = b->spec;

	if (!b->root)
		return;
	if (!spec->user_set) {
		spec->user_set = true;
		spec->uid = 0;
	}
	if (spec->userns == USERNS_DEFAULT)
		spec->userns = USERNS_ROOT;
}

/* What only --network user has means it. */
bool build_wants_user_network(const struct spec *spec)
{
	return spec->origin[OPT_PUBLISH] || spec->origin[OPT_IP] || spec->origin[OPT_HOST_PORT] ||
	       spec->origin[OPT_IPV6] || spec->origin[OPT_ALLOW] || spec->origin[OPT_DENY] ||
	       spec->origin[OPT_DNS] || spec->origin[OPT_ADD_HOST];
}

/* Two spellings of one wish: afterwards both fields say it. */
static void settle_network(struct spec *spec)
{
	if (spec->share & CLONE_NEWNET)
		spec->net = NET_HOST;
	if (spec->net == NET_HOST)
		spec->share |= CLONE_NEWNET;
	if (spec->net == NET_NONE && build_wants_user_network(spec))
		spec->net = NET_USER;
}

static int build_all(struct build *b, const struct request *request, struct err *err)
{
	int r = set_all(b, request, err);

	if (r < 0)
		return r;
	settle_root(b);
	r = check_conflicts(b, request, err);
	if (r < 0)
		return r;
	settle_network(b->spec);
	return set_command(b->spec, request->command, err);
}

int spec_build(struct spec *ret, const struct request *request, struct err *err)
{
	struct spec spec;
	struct build b = { .spec = &spec };
	int r;

	spec_init(&spec);
	r = build_all(&b, request, err);
	if (r < 0) {
		spec_clear(&spec);
		return r;
	}
	*ret = spec;
	return 0;
}

static void list_clear(GArray **list)
{
	if (*list)
		g_array_unref(*list);
	*list = NULL;
}

void spec_clear(struct spec *spec)
{
	list_clear(&spec->volumes);
	list_clear(&spec->env);
	list_clear(&spec->ulimits);
	list_clear(&spec->io);
	list_clear(&spec->preserve_fds);
	list_clear(&spec->publish);
	list_clear(&spec->host_ports);
	list_clear(&spec->seccomp_lists);
	g_clear_pointer(&spec->net_rules, g_ptr_array_unref);
	g_clear_pointer(&spec->dns, g_ptr_array_unref);
	g_clear_pointer(&spec->hosts, g_ptr_array_unref);
	idmap_clear(&spec->map);
	if (spec->arena)
		g_string_chunk_free(spec->arena);
	spec->arena = NULL;
}
