// SPDX-License-Identifier: MIT
/* `sandbox [run] [OPTION...] -- COMMAND`: request -> spec -> plan -> run, and nothing else. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sandbox/boxnet.h>
#include <sandbox/cmd.h>
#include <sandbox/filter.h>
#include <sandbox/host.h>
#include <sandbox/log.h>
#include <sandbox/plan.h>
#include <sandbox/run.h>
#include <sandbox/value.h>
#include <sandbox/watch.h>

struct job {
	struct request request;
	struct spec spec;
	struct host host;
	struct boxnet boxnet;
	struct plan plan;
	struct status *status;
	int die_by; /* the signal that ended the command */
	bool have_request, have_spec, have_host, have_plan;
};

static void job_clear(struct job *job)
{
	status_close(job->status);
	boxnet_leave(&job->boxnet);
	if (job->have_plan)
		plan_clear(&job->plan);
	if (job->have_host)
		host_clear(&job->host);
	if (job->have_spec)
		spec_clear(&job->spec);
	if (job->have_request)
		request_clear(&job->request);
}

static bool asked(const struct request *request, enum opt_id id)
{
	for (unsigned i = 0; i < request->items->len; i++)
		if (g_array_index(request->items, struct occurrence, i).opt->id == id)
			return true;
	return false;
}

/* Only what this run may need: probing the subordinate ids reads files and may start programs. */
static unsigned wanted_facts(const struct spec *spec)
{
	bool ranges = spec->userns == USERNS_AUTO || spec->userns == USERNS_MAP ||
		      (spec->userns == USERNS_DEFAULT && spec->view == VIEW_ROOTFS);

	bool limits = spec->cpus || spec->cpu_weight || spec->cpuset_set || spec->memory.bytes ||
		      spec->memory.permille || spec->memory_high.bytes ||
		      spec->memory_high.permille || spec->pids_limit || spec->io->len ||
		      spec->cpu_time_ms;

	return (ranges ? HOST_WANT_SUBIDS : 0) | (limits ? HOST_WANT_CGROUP : 0) |
	       (spec->net != NET_NONE ? HOST_WANT_RESOLV : 0) |
	       (spec->net == NET_USER ? HOST_WANT_NET : 0) |
	       (spec->backend == BACKEND_LANDLOCK || spec->net_box ? HOST_WANT_RUNTIME : 0);
}

/* (status_open() looks at those that are written to.) */
static int check_descriptors(const struct spec *spec, struct err *err)
{
	int r = host_fd_check(spec->block_fd, "--block-fd", spec->origin[OPT_BLOCK_FD], err);

	for (unsigned i = 0; r == 0 && i < spec->preserve_fds->len; i++)
		r = host_fd_check(g_array_index(spec->preserve_fds, int, i), "--preserve-fds",
				  spec->origin[OPT_PRESERVE_FDS], err);
	for (unsigned i = 0; r == 0 && i < spec->volumes->len; i++) {
		const struct volume *v = &g_array_index(spec->volumes, struct volume, i);

		r = v->kind == VOLUME_FILE ? host_fd_check(v->fd, "--file", v->origin, err) : 0;
	}
	return r;
}

/* Before there is a plan: what it says follows from the address. --explain does without. */
static int join_boxes(struct job *job, struct err *err)
{
	struct boxnet_want want = { .runtime = job->host.runtime,
				    .name = job->spec.net_box,
				    .hostname = job->spec.hostname,
				    .ipv6 = plan_net_ipv6(&job->spec, &job->host) };
	int r;

	if (!want.name || job->request.explain || plan_net_pick(&job->host, &want.network) < 0)
		return 0;
	r = boxnet_join(&job->boxnet, &want, err);
	if (r < 0)
		return err_origin(err, job->spec.origin[OPT_NETWORK]);
	job->host.net.box.network = job->boxnet.network;
	job->host.net.box.number = job->boxnet.number;
	return 0;
}

static int prepare(struct job *job, char **argv, bool dashes, struct err *err)
{
	int r = request_parse(&job->request, argv + 1, environ, err);

	job->have_request = true;
	if (r < 0 || asked(&job->request, OPT_HELP) || asked(&job->request, OPT_VERSION))
		return r;
	r = dashes ? request_check_dashes(&job->request, err) : 0;
	if (r == 0)
		r = spec_build(&job->spec, &job->request, err);
	job->have_spec = r == 0;
	if (r == 0)
		r = check_descriptors(&job->spec, err);
	if (r == 0)
		r = host_probe(&job->host, wanted_facts(&job->spec), environ, err);
	job->have_host = r == 0;
	if (r == 0)
		r = join_boxes(job, err);
	if (r == 0)
		r = plan_compile(&job->plan, &job->spec, &job->host, err);
	job->have_plan = r == 0;
	job->plan.scrub_argv = argv;
	job->plan.scrub_env = environ;
	job->plan.boxnet = &job->boxnet;
	return r;
}

static int explain(const struct job *job, struct err *err)
{
	g_autoptr(GString) text = g_string_new(NULL);

	plan_describe(&job->plan, &job->request, text);
	(void)fputs(text->str, stdout);
	return cmd_flush(err);
}

static unsigned clone_flags(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->ops->len; i++) {
		const struct op *op = &g_array_index(plan->ops, struct op, i);

		if (op->kind == OP_CLONE)
			return op->u.clone.flags;
	}
	return 0;
}

/* The errno alone does not tell why the host refuses: the facts in /proc do. Where AppArmor is the
 * reason the namespaces come, without any right in them, and the first use of one fails. */
static void explain_namespaces(const struct job *job, struct err *err)
{
	if (err->stage == STAGE_CLONE && err->code == ERR_NAMESPACE)
		(void)host_explain_userns(err->num, clone_flags(&job->plan), err);
	else if (err->stage == STAGE_IDMAP || err->stage == STAGE_BUILD)
		(void)host_explain_stripped(err);
}

/* Where the command is outside, if the caller would find it there. */
static char *find_outside(const struct plan *plan)
{
	g_auto(GStrv) dirs = g_strsplit(plan->path_env, ":", -1);

	if (strchr(plan->file, '/'))
		return access(plan->file, X_OK) == 0 ? g_strdup(plan->file) : NULL;
	for (char **d = dirs; *d; d++) {
		g_autofree char *path = g_strconcat(*d, "/", plan->file, NULL);

		if (access(path, X_OK) == 0)
			return g_steal_pointer(&path);
	}
	return NULL;
}

static void explain_not_found(const struct job *job, struct err *err)
{
	g_autofree char *outside = NULL;

	if (err->code != ERR_NOT_FOUND || job->spec.view != VIEW_HOST)
		return;
	outside = find_outside(&job->plan);
	if (outside && outside[0] == '/')
		(void)err_fix(err,
			      "it exists outside of the box: --show %s (or the directory it needs)",
			      outside);
	else if (outside)
		(void)err_fix(
			err,
			"it exists in the current directory, which the box does not show: --cwd rw");
}

/* A file that Landlock keeps from the command looks as if it were not executable. */
static void explain_not_shown(const struct job *job, struct err *err)
{
	g_autofree char *outside = NULL;

	if (!job->plan.landlock_only || err->code != ERR_NOT_EXECUTABLE || err->num != EACCES)
		return;
	outside = find_outside(&job->plan);
	if (!outside)
		return;
	(void)err_cause(err, "the box is not shown it");
	(void)err_fix(err, "--show %s (or the directory it needs)", outside);
}

/* Where namespaces are refused there is something less. */
static void offer_landlock(struct err *err)
{
	size_t n = strlen(err->fix);

	if (err->code < ERR_USERNS_APPARMOR || err->code > ERR_USERNS_DENIED || err->stage == 0 ||
	    host_landlock_abi() < 2)
		return;
	(void)g_snprintf(err->fix + n, sizeof(err->fix) - n,
			 "%sor confine it less, without namespaces: --backend landlock",
			 n ? "; " : "");
}

static bool on_terminal(const struct host *host)
{
	return host->tty[0] || host->tty[1] || host->tty[2];
}

static void say_memory(const struct plan *plan, const struct outcome *outcome)
{
	g_autofree char *limit =
		g_format_size_full(plan->limits[LIMIT_MEMORY].value, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *size = g_format_size_full(outcome->memory_peak, G_FORMAT_SIZE_IEC_UNITS);
	/* memory.peak is there since Linux 5.19 */
	g_autofree char *peak = outcome->memory_peak ? g_strdup_printf(" (peak %s)", size) : NULL;

	log_always("out of memory: limit %s reached%s, all processes killed. "
		   "Raise it with --memory.",
		   limit, peak ? peak : "");
}

/* Why a limit, or the host, has ended it, in one line: never silenced. */
static void say_end(const struct plan *plan, const struct outcome *outcome)
{
	if (outcome->reason == REASON_OOM)
		say_memory(plan, outcome);
	else if (outcome->reason == REASON_CPU_TIME)
		log_always("out of CPU time: %.3f s used, all processes killed. Raise it with "
			   "--cpu-time.",
			   outcome->cpu_s);
	else if (outcome->host_oom)
		log_always("killed by the kernel: the host, or a cgroup around the box, was out of "
			   "memory; the box had not reached a limit of its own.");
	else if (outcome->reason == REASON_KILLED)
		log_always("killed from outside by signal %d: by an administrator, systemd-oomd or "
			   "the kernel; no limit of the box was reached.",
			   outcome->signal);
	if (outcome->reason == REASON_PIDS)
		log_always("--pids-limit was reached: %" G_GUINT64_FORMAT
			   " times a process or thread could not be made",
			   outcome->pids_denied);
	else if (outcome->pids_denied && outcome->code != 0)
		log_notice("--pids-limit was reached: %" G_GUINT64_FORMAT
			   " times a process or thread could not be made",
			   outcome->pids_denied);
}

/* Only now somebody is needed who knows names. The result is the caller's. */
static char *syscall_name(const struct outcome_blocked *b)
{
	char arch[16], nr[16];
	char *argv[] = { NULL, (char *)"resolve", (char *)"--arch", arch, nr, NULL };
	struct err ignored = { 0 };
	char *text = NULL, *name = NULL, *space;

	if (b->nr < 0)
		return NULL;
	(void)g_snprintf(arch, sizeof(arch), "%u", b->arch);
	(void)g_snprintf(nr, sizeof(nr), "%d", b->nr);
	if (filter_ask(argv, NULL, 0, &text, &ignored) < 0)
		return NULL;
	space = strchr(g_strchomp(text), ' ');
	if (space && space[1] != '-')
		name = g_strdup(space + 1);
	g_free(text);
	return name;
}

static void say_blocked(const char *who, const struct outcome_blocked *b, const char *name)
{
	if (b->nr < 0)
		log_always(
			"%skilled by the seccomp filter; which system call it was cannot be known here: "
			"the kernel's log has it",
			who);
	else if (name)
		log_always("%skilled by the seccomp filter: system call '%s' (%d)%s", who, name,
			   b->nr,
			   b->arch == filter_native_arch() ? "" : " of another architecture");
	else
		log_always("%skilled by the seccomp filter: system call %d", who, b->nr);
}

/* What a filter has ended, in a line each: never silenced. */
static void say_seccomp(const struct outcome *outcome)
{
	unsigned shown = MIN(outcome->nothers, OUTCOME_BLOCKED_MAX);

	for (unsigned i = 0; i < shown; i++) {
		g_autofree char *who =
			g_strdup_printf("process %d of the box was ", outcome->others[i].pid);
		g_autofree char *name = syscall_name(&outcome->others[i]);

		say_blocked(who, &outcome->others[i], name);
	}
	if (outcome->nothers > shown)
		log_always("%u more processes of the box were killed by the seccomp filter",
			   outcome->nothers - shown);
	if (outcome->reason == REASON_SECCOMP)
		say_blocked("", &outcome->blocked, outcome->syscall);
}

static int run(struct job *job, struct err *err)
{
	g_autofree char *name = NULL;
	struct outcome outcome = { 0 };
	char origin[128];
	int r;

	log_quiet(job->plan.quiet);
	for (unsigned i = 0; i < job->plan.notices->len; i++)
		log_notice("%s", (const char *)g_ptr_array_index(job->plan.notices, i));
	r = status_open(&job->status, &job->plan, err);
	if (r == 0)
		r = run_plan(&job->plan, job->status, &outcome, err);
	if (r == 0 && outcome.reason == REASON_SECCOMP)
		name = syscall_name(&outcome.blocked);
	outcome.syscall = name;
	if (r == 0)
		r = status_exit(job->status, &outcome, err);
	if (r == 0 && outcome.reason == REASON_SIGNALED && on_terminal(&job->host))
		job->die_by = outcome.signal;
	if (r == 0) {
		say_end(&job->plan, &outcome);
		say_seccomp(&outcome);
		status_say_refused(job->status);
		return outcome.code;
	}
	explain_namespaces(job, err);
	explain_not_found(job, err);
	explain_not_shown(job, err);
	offer_landlock(err);
	status_error(job->status, err,
		     request_origin(&job->request, err->origin, origin, sizeof(origin)));
	return r;
}

static const char *last_value(const struct request *request, enum opt_id id)
{
	const char *value = NULL;

	for (unsigned i = 0; i < request->items->len; i++) {
		const struct occurrence *o = &g_array_index(request->items, struct occurrence, i);

		if (o->opt->id == id)
			value = o->value;
	}
	return value;
}

/* A mistake found before there is a plan reaches --status-fd and --report too, as far as these
 * were read before it. */
static void report_early(struct job *job, const struct err *err)
{
	struct plan plan = { .status_fd = -1, .ready_fd = -1 };
	const char *fd = last_value(&job->request, OPT_STATUS_FD);
	struct status *status = NULL;
	struct err ignored = { 0 };
	uint64_t number;

	if (fd && value_u64(fd, strlen(fd), INT_MAX, &number) == 0)
		plan.status_fd = (int)number;
	plan.report = last_value(&job->request, OPT_REPORT);
	if (plan.status_fd < 0 && !plan.report)
		return;
	if (status_open(&status, &plan, &ignored) == 0)
		status_error(status, err, err->from);
	status_close(status);
}

/* On a terminal: a shell stops a loop or a script on ^C only if the program it waited for has died
 * of SIGINT. ($? is 130 either way.) */
static void die_alike(int sig)
{
	const struct rlimit no_core = { 0, 0 };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set;

	if (sig != SIGINT && sig != SIGQUIT)
		return;
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)fflush(NULL);
	(void)sigaction(sig, &sa, NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, sig);
	(void)raise(sig);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int cmd_run(int argc, char **argv, struct err *err)
{
	struct job job = { 0 };
	bool dashes = strcmp(argv[0], "run") != 0;
	int r;

	(void)argc;
	boxnet_init(&job.boxnet);
	r = prepare(&job, argv, dashes, err);
	if (r == 0 && asked(&job.request, OPT_HELP))
		r = cmd_help(1, (char *[]){ (char *)"help", NULL }, err);
	else if (r == 0 && asked(&job.request, OPT_VERSION))
		r = cmd_version(1, (char *[]){ (char *)"version", NULL }, err);
	else if (r == 0 && job.request.explain)
		r = explain(&job, err);
	else if (r == 0)
		r = run(&job, err);
	if (r < 0 && job.have_request)
		(void)request_origin(&job.request, err->origin, err->from, sizeof(err->from));
	if (r < 0 && job.have_request && !job.have_plan)
		report_early(&job, err);
	job_clear(&job);
	die_alike(job.die_by);
	return r;
}
