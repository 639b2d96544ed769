// SPDX-License-Identifier: MIT
/*
 * Why the kernel refuses namespaces. The errno alone says little: EPERM has a dozen causes. Here
 * the facts are gathered (host_confinement_probe), and a table of reasons, most certain first, is
 * held against them (host_explain_userns_from, pure).
 */
#include <errno.h>
#include <glib.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/host.h>
#include <sandbox/sys.h>

#include "config.h"
#include "file.h"
#include "procfs.h"

#define PROC_TEXT_MAX (1u << 20)
#define MOUNTINFO_MAX (8u << 20)

/* clang-format off */
const struct host_ns host_ns_rows[HOST_NS_MAX] = {
	{ CLONE_NEWUSER,   "user",   "user.max_user_namespaces" },
	{ CLONE_NEWNS,     "mnt",    "user.max_mnt_namespaces" },
	{ CLONE_NEWPID,    "pid",    "user.max_pid_namespaces" },
	{ CLONE_NEWNET,    "net",    "user.max_net_namespaces" },
	{ CLONE_NEWIPC,    "ipc",    "user.max_ipc_namespaces" },
	{ CLONE_NEWUTS,    "uts",    "user.max_uts_namespaces" },
	{ CLONE_NEWCGROUP, "cgroup", "user.max_cgroup_namespaces" },
	{ CLONE_NEWTIME,   "time",   "user.max_time_namespaces" },
};
/* clang-format on */

/* --- facts ----------------------------------------------------------------------------------- */

static void probe_namespaces(struct host_confinement *ret)
{
	for (size_t i = 0; i < HOST_NS_MAX; i++) {
		const struct host_ns *row = &host_ns_rows[i];
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", row->name);
		if (access(path, F_OK) == 0)
			ret->ns_built_in |= row->flag;
		(void)snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", row->name);
		ret->ns_max[i] = file_number(path, -1);
	}
	ret->userns_built_in = (ret->ns_built_in & CLONE_NEWUSER) != 0;
}

static bool id_mapped(const char *path, uint32_t id, bool *ret_whole)
{
	g_autofree char *text = NULL;

	*ret_whole = true;
	return file_read(path, PROC_TEXT_MAX, &text) < 0 || procfs_id_mapped(text, id, ret_whole);
}

static void probe_userns(struct host_confinement *ret)
{
	bool whole_uids, whole_gids;

	ret->id_unmapped = !id_mapped("/proc/self/uid_map", geteuid(), &whole_uids);
	ret->id_unmapped |= !id_mapped("/proc/self/gid_map", getegid(), &whole_gids);
	ret->in_userns = !whole_uids || !whole_gids;
}

/* The root directory of a mount namespace is a mount point, and mountinfo lists what is below our
 * root only: where no row is at "/", our root is a directory inside of a mount. A chroot into a
 * mount point (schroot) is not seen this way. */
static bool in_chroot(void)
{
	g_autofree char *text = NULL;

	return file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &text) == 0 && *text != '\0' &&
	       !procfs_has_root(text);
}

static void probe_status(struct host_confinement *ret)
{
	g_autofree char *text = NULL;
	bool known = file_read("/proc/self/status", PROC_TEXT_MAX, &text) == 0;
	const struct procfs_status status = procfs_status(known ? text : "");

	ret->seccomp = status.seccomp;
	ret->no_new_privs = status.no_new_privs;
	ret->sys_admin = status.sys_admin;
}

static void probe_lsm(struct host_confinement *ret)
{
	char enabled[8];

	(void)file_line("/sys/kernel/security/lsm", ret->lsm, sizeof(ret->lsm));
	if (file_line("/sys/module/apparmor/parameters/enabled", enabled, sizeof(enabled)) == 0 &&
	    enabled[0] == 'Y' &&
	    file_line("/proc/self/attr/apparmor/current", ret->apparmor, sizeof(ret->apparmor)) < 0)
		(void)file_line("/proc/self/attr/current", ret->apparmor, sizeof(ret->apparmor));
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		(void)file_line("/proc/self/attr/current", ret->selinux, sizeof(ret->selinux));
}

/* The variable is the field's convention (systemd's container interface); the files are docker's
 * and podman's own. */
static void probe_container(struct host_confinement *ret)
{
	/* clang-format off */
	static const struct { const char *file, *name; } rows[] = {
		{ "/run/.containerenv", "podman" },
		{ "/.dockerenv",        "docker" },
	};
	/* clang-format on */
	const char *said = getenv("container");

	if (said != NULL && *said != '\0') {
		(void)err_quote(ret->container, sizeof(ret->container), said);
		return;
	}
	if (file_line("/run/systemd/container", ret->container, sizeof(ret->container)) == 0)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(rows) && ret->container[0] == '\0'; i++)
		if (access(rows[i].file, F_OK) == 0)
			(void)snprintf(ret->container, sizeof(ret->container), "%s", rows[i].name);
}

/* The profile that was installed together with this very program, if it is at that place. */
static void probe_profile(struct host_confinement *ret)
{
	static const char path[] = SANDBOX_PKGDATADIR "/apparmor/sandbox";
	g_autofree char *text = NULL, *head = g_strdup_printf("\nprofile sandbox %s ", ret->exe);

	if (ret->exe[0] == '/' && file_read(path, PROC_TEXT_MAX, &text) == 0 &&
	    strstr(text, head) != NULL)
		(void)g_strlcpy(ret->profile, path, sizeof(ret->profile));
}

void host_confinement_probe(struct host_confinement *ret)
{
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	ret->proc_missing = access("/proc/self/status", F_OK) < 0;
	probe_namespaces(ret);
	probe_userns(ret);
	probe_status(ret);
	probe_lsm(ret);
	probe_container(ret);
	ret->in_chroot = in_chroot();
	ret->unprivileged_clone =
		(int)file_number("/proc/sys/kernel/unprivileged_userns_clone", -1);
	ret->apparmor_restrict =
		(int)file_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", -1);
	n = readlink("/proc/self/exe", ret->exe, sizeof(ret->exe));
	ret->exe[n > 0 && (size_t)n < sizeof(ret->exe) ? n : 0] = '\0';
	probe_profile(ret);
}

/* --- the AppArmor profile -------------------------------------------------------------------- */

/* In a profile's path []{}*?^"\ and spaces have meanings, in the shell line of the fix ' has. */
static bool plain_path(const char *path)
{
	if (path == NULL || path[0] != '/')
		return false;
	for (const char *p = path; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("/._+-", *p) == NULL)
			return false;
	return true;
}

char *host_apparmor_profile(const char *exe)
{
	if (!plain_path(exe))
		return NULL;
	return g_strdup_printf("abi <abi/4.0>,\n"
			       "include <tunables/global>\n"
			       "\n"
			       "profile sandbox %s flags=(unconfined) {\n"
			       "  userns,\n"
			       "  include if exists <local/sandbox>\n"
			       "}\n",
			       exe);
}

static void fix_apparmor(const struct host_confinement *facts, struct err *err)
{
	if (facts->profile[0] != '\0') {
		err_fix(err,
			"sudo cp %s /etc/apparmor.d/sandbox && "
			"sudo apparmor_parser -r /etc/apparmor.d/sandbox",
			facts->profile);
		return;
	}
	if (!plain_path(facts->exe)) {
		err_fix(err, "install sandbox as /usr/local/bin/sandbox and run 'sandbox doctor' "
			     "there: it prints the AppArmor profile to load");
		return;
	}
	err_fix(err,
		"printf '%%s\\n' 'abi <abi/4.0>,' 'include <tunables/global>' "
		"'profile sandbox %s flags=(unconfined) {' '  userns,' '}' | "
		"sudo tee /etc/apparmor.d/sandbox && "
		"sudo apparmor_parser -r /etc/apparmor.d/sandbox",
		facts->exe);
}

static void fix_sysctl(struct err *err, const char *name, int64_t value)
{
	err_fix(err,
		"echo %s=%lld | sudo tee -a /etc/sysctl.d/60-sandbox.conf && "
		"sudo sysctl -p /etc/sysctl.d/60-sandbox.conf",
		name, (long long)value);
}

/* --- reasons for EPERM and EACCES ------------------------------------------------------------ */

static bool is_blind(const struct host_confinement *facts)
{
	return facts->proc_missing;
}

static void say_blind(const struct host_confinement *facts, struct err *err)
{
	(void)facts;
	err_cause(err,
		  "/proc is not mounted here, so the reason cannot be found; most often it is a "
		  "chroot, where the kernel allows no user namespace");
	err_fix(err, "mount /proc and run 'sandbox doctor' again");
}

static bool is_sysctl(const struct host_confinement *facts)
{
	return facts->unprivileged_clone == 0 && !facts->sys_admin;
}

static void say_sysctl(const struct host_confinement *facts, struct err *err)
{
	(void)facts;
	err_cause(err,
		  "kernel.unprivileged_userns_clone is 0, so only root may make user namespaces");
	fix_sysctl(err, "kernel.unprivileged_userns_clone", 1);
}

/* The restriction is for unconfined programs. The profile it moves them to, "unprivileged_userns",
 * lets the namespace be made and takes every capability in it, so the id map is what fails. A
 * program with a profile of its own ("sandbox (unconfined)") is judged by that. */
static bool is_apparmor(const struct host_confinement *facts)
{
	bool plain = strcmp(facts->apparmor, "unconfined") == 0 || facts->apparmor[0] == '\0';

	if (g_str_has_prefix(facts->apparmor, "unprivileged_userns"))
		return true;
	return facts->apparmor_restrict == 1 && plain && !facts->sys_admin;
}

static void say_apparmor(const struct host_confinement *facts, struct err *err)
{
	err_cause(err,
		  "kernel.apparmor_restrict_unprivileged_userns is 1 and no AppArmor profile "
		  "allows '%s' to use user namespaces",
		  facts->exe);
	fix_apparmor(facts, err);
}

static bool is_unmapped(const struct host_confinement *facts)
{
	return facts->id_unmapped;
}

static void say_unmapped(const struct host_confinement *facts, struct err *err)
{
	(void)facts;
	err_cause(err,
		  "this process is in a user namespace in which its own uid or gid is not mapped");
	err_fix(err, "map uid %u and gid %u in the outer container", geteuid(), getegid());
}

static bool is_chroot(const struct host_confinement *facts)
{
	return facts->in_chroot;
}

static void say_chroot(const struct host_confinement *facts, struct err *err)
{
	(void)facts;
	err_cause(err,
		  "this process runs inside a chroot, where the kernel allows no user namespace "
		  "(user_namespaces(7))");
	err_fix(err, "enter the directory by pivot_root instead, for example from outside: "
		     "sandbox --nested --rootfs DIR -- CMD");
}

static bool is_seccomp(const struct host_confinement *facts)
{
	return facts->seccomp == 2;
}

static void fix_container(const struct host_confinement *facts, struct err *err)
{
	/* clang-format off */
	static const struct { const char *container, *fix; } rows[] = {
		{ "docker", "docker run --security-opt seccomp=unconfined --security-opt "
			    "apparmor=unconfined --security-opt systempaths=unconfined ..." },
		{ "podman", "podman run --security-opt seccomp=unconfined --security-opt "
			    "unmask=ALL ..." },
		{ "sandbox", "run the outer one with --nested" },
	};
	/* clang-format on */

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(facts->container, rows[i].container) == 0) {
			err_fix(err, "%s", rows[i].fix);
			return;
		}
	err_fix(err, "allow clone, unshare and mount with namespaces in the seccomp filter of the "
		     "container or service this runs in (Kubernetes: seccompProfile Unconfined and "
		     "procMount Unmasked; systemd: RestrictNamespaces=no)");
}

static void say_seccomp(const struct host_confinement *facts, struct err *err)
{
	if (facts->container[0] != '\0')
		err_cause(err,
			  "a seccomp filter is active (container: %s), and nothing else here "
			  "forbids it",
			  facts->container);
	else
		err_cause(err, "a seccomp filter is active, and nothing else here forbids it");
	fix_container(facts, err);
}

static bool is_profile(const struct host_confinement *facts)
{
	return g_str_has_suffix(facts->apparmor, "(enforce)");
}

static void say_profile(const struct host_confinement *facts, struct err *err)
{
	err_cause(err, "this process is confined by the AppArmor profile '%s'", facts->apparmor);
	if (facts->container[0] != '\0')
		fix_container(facts, err);
	else
		err_fix(err, "add 'userns,' and 'mount,' to that profile, or look for the denial: "
			     "sudo journalctl -k -g apparmor");
}

static bool is_selinux(const struct host_confinement *facts)
{
	return facts->selinux[0] != '\0';
}

static void say_selinux(const struct host_confinement *facts, struct err *err)
{
	err_cause(err, "probably SELinux: this process is '%s'", facts->selinux);
	err_fix(err, "look for the denial: sudo ausearch -m avc -ts recent");
}

/* By elimination: no filter, no module that confines, ids mapped, no sysctl. */
static bool is_likely_chroot(const struct host_confinement *facts)
{
	return facts->seccomp == 0 && facts->apparmor[0] == '\0' && facts->selinux[0] == '\0';
}

static void say_likely_chroot(const struct host_confinement *facts, struct err *err)
{
	say_chroot(facts, err);
	err_cause(err,
		  "most likely this process runs inside a chroot, where the kernel allows no user "
		  "namespace: no seccomp filter and no security module is in the way");
}

static bool always(const struct host_confinement *facts)
{
	(void)facts;
	return true;
}

static void say_unknown(const struct host_confinement *facts, struct err *err)
{
	err_cause(err,
		  "a security module (%s), the container around this process, or a chroot "
		  "refuses it",
		  facts->lsm[0] != '\0' ? facts->lsm : "unknown");
	err_fix(err, "look for the denial in the kernel's log: sudo dmesg | tail");
}

/* clang-format off */
static const struct reason {
	enum err_code code;
	bool (*applies)(const struct host_confinement *facts);
	void (*say)(const struct host_confinement *facts, struct err *err);
} refusals[] = {
	{ ERR_USERNS_DENIED,   is_blind,    say_blind },
	{ ERR_USERNS_SYSCTL,   is_sysctl,   say_sysctl },
	{ ERR_USERNS_APPARMOR, is_apparmor, say_apparmor },
	{ ERR_USERNS_DENIED,   is_unmapped, say_unmapped },
	{ ERR_USERNS_CHROOT,   is_chroot,   say_chroot },
	{ ERR_USERNS_DENIED,   is_seccomp,  say_seccomp },
	{ ERR_USERNS_APPARMOR, is_profile,  say_profile },
	{ ERR_USERNS_DENIED,   is_selinux,  say_selinux },
	{ ERR_USERNS_CHROOT,   is_likely_chroot, say_likely_chroot },
	{ ERR_USERNS_DENIED,   always,      say_unknown },
};
/* clang-format on */

/* --- by errno -------------------------------------------------------------------------------- */

static const char WHAT[] = "cannot make the namespaces of the box";

static int explain_refusal(const struct host_confinement *facts, int num, uint64_t flags,
			   struct err *err)
{
	const struct reason *reason = refusals;

	(void)flags;
	while (!reason->applies(facts))
		reason++;
	(void)err_set(err, reason->code, num, WHAT);
	reason->say(facts, err);
	return -num;
}

/* ENOSPC does not say which quota: a zero is certain, else the lowest is the likeliest. */
static int explain_quota(const struct host_confinement *facts, int num, uint64_t flags,
			 struct err *err)
{
	size_t low = HOST_NS_MAX;
	int64_t max;

	(void)err_set(err, ERR_USERNS_QUOTA, num, WHAT);
	for (size_t i = 0; i < HOST_NS_MAX; i++)
		if ((flags & host_ns_rows[i].flag) != 0 && facts->ns_max[i] >= 0 &&
		    (low == HOST_NS_MAX || facts->ns_max[i] < facts->ns_max[low]))
			low = i;
	if (low == HOST_NS_MAX)
		return err_cause(err,
				 "a quota of namespaces is used up, or they are nested too deep");
	max = facts->ns_max[low];
	if (max == 0 && facts->in_userns) {
		err_cause(err, "this process is itself inside a box or container, in which %s is 0",
			  host_ns_rows[low].sysctl);
		return err_fix(err, "run the outer sandbox with --nested");
	}
	/* A user namespace has quotas of its own, as good as none; what is used up is one further
	 * out, which cannot be read from here. */
	if (facts->in_userns) {
		err_cause(
			err,
			"a quota of namespaces is used up in a user namespace around this process, "
			"as bwrap --disable-userns sets it, or they are nested more than 32 deep");
		return err_fix(err, "leave --disable-userns out of the outer bwrap, or raise "
				    "user.max_*_namespaces in the outer container");
	}
	if (max == 0)
		err_cause(err, "%s is 0", host_ns_rows[low].sysctl);
	else
		err_cause(err,
			  "the quota of namespaces of this user is used up (the lowest is "
			  "%s=%lld), or they are nested more than 32 deep",
			  host_ns_rows[low].sysctl, (long long)max);
	fix_sysctl(err, host_ns_rows[low].sysctl, max < 8192 ? 16384 : 2 * max);
	return -num;
}

static int explain_invalid(const struct host_confinement *facts, int num, uint64_t flags,
			   struct err *err)
{
	for (size_t i = 0; i < HOST_NS_MAX && !facts->proc_missing; i++) {
		const struct host_ns *row = &host_ns_rows[i];

		if ((flags & row->flag) == 0 || (facts->ns_built_in & row->flag) != 0)
			continue;
		(void)err_set(err, ERR_KERNEL, num, WHAT);
		err_cause(err, "the kernel was built without %s namespaces", row->name);
		if (row->flag == CLONE_NEWUSER)
			return err_fix(err, "use a kernel with CONFIG_USER_NS=y");
		return err_fix(err,
			       "leave that namespace out with --share %s, or use another kernel",
			       row->name);
	}
	(void)err_set(err, ERR_NAMESPACE, num, WHAT);
	return err_cause(err, "the kernel does not accept this set of namespaces (%s)",
			 g_strerror(num));
}

static int explain_absent(const struct host_confinement *facts, int num, uint64_t flags,
			  struct err *err)
{
	(void)flags;
	(void)err_set(err, ERR_KERNEL, num, WHAT);
	if (facts->seccomp == 2) {
		err_cause(err, "a seccomp filter hides the system calls for it");
		fix_container(facts, err);
		return -num;
	}
	return err_cause(err, "the kernel lacks the system calls for it (Linux 5.12 is needed)");
}

static int explain_memory(const struct host_confinement *facts, int num, uint64_t flags,
			  struct err *err)
{
	(void)facts;
	(void)flags;
	(void)err_set(err, ERR_NOMEM, num, WHAT);
	return err_cause(err,
			 "the kernel is out of memory for it, or the PID namespace this runs in "
			 "is ending");
}

static int explain_processes(const struct host_confinement *facts, int num, uint64_t flags,
			     struct err *err)
{
	(void)facts;
	(void)flags;
	(void)err_set(err, ERR_NOMEM, num, WHAT);
	err_cause(err, "no more processes are allowed: RLIMIT_NPROC of this user, pids.max of its "
		       "cgroup, or kernel.pid_max");
	return err_fix(err, "end some processes, or raise the limit: ulimit -u; "
			    "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/pids.max");
}

int host_explain_userns_from(const struct host_confinement *facts, int num, uint64_t clone_flags,
			     struct err *err)
{
	/* clang-format off */
	static const struct {
		int num;
		int (*explain)(const struct host_confinement *facts, int num, uint64_t flags,
			       struct err *err);
	} rows[] = {
		{ EPERM,  explain_refusal },
		{ EACCES, explain_refusal },
		{ ENOSPC, explain_quota },
		{ EUSERS, explain_quota },
		{ EINVAL, explain_invalid },
		{ ENOSYS, explain_absent },
		{ ENOMEM, explain_memory },
		{ EAGAIN, explain_processes },
	};
	/* clang-format on */

	if (num < 0)
		num = -num;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].num == num)
			return rows[i].explain(facts, num, clone_flags, err);
	return err_set(err, ERR_NAMESPACE, num, WHAT);
}

int host_explain_userns(int num, uint64_t clone_flags, struct err *err)
{
	uint32_t origin = err->origin;
	uint16_t stage = err->stage;
	struct host_confinement facts;
	int r;

	host_confinement_probe(&facts);
	r = host_explain_userns_from(&facts, num, clone_flags, err);
	err->origin = origin;
	err->stage = stage;
	return r;
}

bool host_explain_stripped_from(const struct host_confinement *facts, struct err *err)
{
	if ((err->num != EPERM && err->num != EACCES) || !is_apparmor(facts))
		return false;
	err->code = ERR_USERNS_APPARMOR;
	say_apparmor(facts, err);
	return true;
}

bool host_explain_stripped(struct err *err)
{
	struct host_confinement facts;

	host_confinement_probe(&facts);
	return host_explain_stripped_from(&facts, err);
}
