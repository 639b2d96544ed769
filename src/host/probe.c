// SPDX-License-Identifier: MIT
/*
 * host_probe(): the facts a plan is made from. It runs in front of every start, so it is a
 * handful of cheap system calls; files are read only for what was asked for, or where the
 * environment does not say who the caller is.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sandbox/host.h>

#include "file.h"
#include "subid.h"
#include "user.h"

/* clang-format off */
const char *const host_system_names[] = {
	"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32", "etc", "opt", "nix",
	"gnu", NULL,
};
/* clang-format on */

/* TCGETS, as isatty(3) does, without its errno and its struct. */
static bool is_tty(int fd)
{
	struct termios unused;

	return ioctl(fd, TCGETS, &unused) == 0;
}

/* The row of 0: "inside outside count". Where it is 0 outside too (a box that root has started) we
 * count as root. */
static bool is_userns_root(void)
{
	char line[64];
	uint32_t row[3];

	return file_line("/proc/self/uid_map", line, sizeof(line)) == 0 &&
	       file_scan(line, row, G_N_ELEMENTS(row)) && row[0] == 0 && row[1] != 0;
}

static void probe_ids(struct host *ret)
{
	int groups = getgroups(0, NULL);

	ret->uid = getuid();
	ret->euid = geteuid();
	ret->gid = getgid();
	ret->egid = getegid();
	ret->ngroups = groups > 0 ? (size_t)groups : 0;
	ret->userns_root = ret->euid == 0 && is_userns_root();
	ret->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void probe_machine(struct host *ret)
{
	struct rlimit nproc;
	struct utsname uts;
	struct sysinfo info;

	if (sysinfo(&info) == 0)
		ret->ram = (uint64_t)info.totalram * info.mem_unit;
	if (uname(&uts) == 0)
		ret->kernel = host_kernel_version(uts.release);
	ret->landlock_abi = host_landlock_abi();
	ret->nproc_hard = UINT64_MAX;
	if (getrlimit(RLIMIT_NPROC, &nproc) == 0 && nproc.rlim_max != RLIM_INFINITY)
		ret->nproc_hard = nproc.rlim_max;
}

static const char *env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* Where a link of /etc like resolv.conf really leads when that is not below /etc, which the box
 * shows anyway: systemd-resolved and resolvconf(8) keep the file in /run. */
static char *resolv_target(void)
{
	char link[PATH_MAX], real[PATH_MAX];

	if (readlink("/etc/resolv.conf", link, sizeof(link)) < 0)
		return NULL;
	if (realpath("/etc/resolv.conf", real) == NULL || g_str_has_prefix(real, "/etc/"))
		return NULL;
	return g_strdup(real);
}

static bool same_dir(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* getcwd(2) answers "(unreachable)/..." for a directory outside of our root. */
static char *probe_cwd(void)
{
	char path[PATH_MAX];

	return getcwd(path, sizeof(path)) != NULL && path[0] == '/' ? g_strdup(path) : NULL;
}

/* The name and the home: the environment's word is enough for a view of the caller's own files,
 * but subordinate ids belong to whom the kernel says we are. A HOME of "/" is none. */
static void probe_user(struct host *ret, unsigned want)
{
	const char *home = env_get(ret->env, "HOME"), *name = env_get(ret->env, "USER");
	bool name_known = (want & HOST_WANT_SUBIDS) == 0 && user_name_ok(name);
	bool home_known = home != NULL && strcmp(home, "/") == 0;
	struct user user = { NULL, NULL };

	ret->home = user_home_clean(home);
	home_known = home_known || ret->home != NULL;
	if (!name_known || !home_known)
		(void)user_find(ret->uid, &user);
	if (!home_known)
		ret->home = g_steal_pointer(&user.home);
	if (name_known)
		ret->user = g_strdup(name);
	else if (user.name != NULL)
		ret->user = g_steal_pointer(&user.name);
	else
		ret->user = g_strdup_printf("%u", ret->uid);
	user_clear(&user);
}

static void probe_places(struct host *ret)
{
	char real[PATH_MAX];

	ret->cwd = probe_cwd();
	if (ret->home != NULL && realpath(ret->home, real) != NULL)
		ret->home_real = g_strdup(real);
	ret->cwd_is_home = ret->home_real != NULL && same_dir(ret->home_real, ".");
}

/* readlink tells links from all else in one call; EINVAL is "no link". */
static struct host_entry probe_entry(const char *name)
{
	struct host_entry entry = { .name = name, .kind = ENTRY_ABSENT };
	char path[32], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	(void)g_snprintf(path, sizeof(path), "/%s", name);
	n = readlink(path, target, sizeof(target));
	if (n > 0 && (size_t)n < sizeof(target)) {
		entry.kind = ENTRY_LINK;
		entry.target = g_strndup(target, (gsize)n);
	} else if (n < 0 && errno == EINVAL && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		entry.kind = ENTRY_DIR;
	}
	return entry;
}

static void probe_system(struct host *ret)
{
	ret->nsystem = G_N_ELEMENTS(host_system_names) - 1;
	ret->system = g_new0(struct host_entry, ret->nsystem);
	for (size_t i = 0; i < ret->nsystem; i++)
		ret->system[i] = probe_entry(host_system_names[i]);
}

static void probe_runtime(struct host *ret)
{
	const char *dir = env_get(ret->env, "XDG_RUNTIME_DIR");
	uint64_t number = 0;

	ret->runtime = dir != NULL && host_runtime_fault(dir, ret->euid) == NULL
			       ? g_strconcat(dir, "/sandbox", NULL)
			       : g_strdup_printf("/tmp/sandbox-%u", ret->euid);
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		number = (uint64_t)g_get_real_time() ^ ((uint64_t)getpid() << 40);
	(void)g_snprintf(ret->token, sizeof(ret->token), "%016" G_GINT64_MODIFIER "x", number);
}

int host_probe(struct host *ret, unsigned want, char **environ_in, struct err *err)
{
	(void)err;
	memset(ret, 0, sizeof(*ret));
	ret->env = environ_in;
	for (int fd = 0; fd < 3; fd++)
		ret->tty[fd] = is_tty(fd);
	probe_ids(ret);
	probe_machine(ret);
	probe_user(ret, want);
	probe_places(ret);
	probe_system(ret);
	if ((want & HOST_WANT_SUBIDS) != 0)
		subid_probe(ret);
	if ((want & HOST_WANT_CGROUP) != 0)
		host_cgroup_probe(&ret->cgroup, ret->euid);
	if ((want & HOST_WANT_NET) != 0)
		host_net_probe(&ret->net);
	if ((want & HOST_WANT_RESOLV) != 0)
		ret->resolv_target = resolv_target();
	if ((want & HOST_WANT_RUNTIME) != 0)
		probe_runtime(ret);
	return 0;
}

void host_clear(struct host *host)
{
	for (size_t i = 0; i < host->nsystem; i++)
		g_free(host->system[i].target);
	g_free(host->system);
	g_free(host->user);
	g_free(host->home);
	g_free(host->home_real);
	g_free(host->cwd);
	g_free(host->resolv_target);
	g_free(host->subuids);
	g_free(host->subgids);
	g_free(host->newuidmap);
	g_free(host->newgidmap);
	g_free(host->subid_reason);
	g_free(host->runtime);
	host_cgroup_clear(&host->cgroup);
	host_net_clear(&host->net);
	memset(host, 0, sizeof(*host));
}
