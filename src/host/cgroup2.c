// SPDX-License-Identifier: MIT
/*
 * Which cgroups are here and which of them are ours to use. Only looked at: whether limits really
 * hold is found out by writing, when a limit is asked for.
 */
#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sandbox/host.h>

#include "file.h"
#include "procfs.h"

#define PROC_TEXT_MAX (8u << 20)

static bool is_fs(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

static enum cgroup_layout probe_layout(void)
{
	if (is_fs("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC))
		return CGROUP_V2;
	if (is_fs("/sys/fs/cgroup/unified", CGROUP2_SUPER_MAGIC))
		return CGROUP_HYBRID;
	return is_fs("/sys/fs/cgroup", TMPFS_MAGIC) ? CGROUP_V1 : CGROUP_ABSENT;
}

static const char *layout_mount(enum cgroup_layout layout)
{
	switch (layout) {
	case CGROUP_V2: return "/sys/fs/cgroup";
	case CGROUP_HYBRID: return "/sys/fs/cgroup/unified";
	case CGROUP_V1:
	case CGROUP_ABSENT: break;
	}
	return NULL;
}

static char *own_path(void)
{
	g_autofree char *text = NULL;

	return file_read("/proc/self/cgroup", PROC_TEXT_MAX, &text) < 0 ? NULL
									: procfs_own_cgroup(text);
}

static char *read_controllers(const char *dir)
{
	g_autofree char *path = g_strdup_printf("%s/cgroup.controllers", dir);
	char line[256];

	return file_line(path, line, sizeof(line)) == 0 ? g_strdup(line) : NULL;
}

/* A process may be put into a child only if the directory, its cgroup.procs and the switch for
 * controllers are ours (cgroups(7), delegation). */
static bool may_write(const char *dir)
{
	static const char *const names[] = { "", "cgroup.procs", "cgroup.subtree_control" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("%s/%s", dir, names[i]);

		if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
			return false;
	}
	return true;
}

static void probe_manager(struct host_cgroup *ret, const char *mount, uid_t uid)
{
	g_autofree char *dir =
		g_strdup_printf("%s/user.slice/user-%u.slice/user@%u.service", mount, uid, uid);

	if (access(dir, F_OK) < 0)
		return;
	ret->delegated = read_controllers(dir);
	ret->manager = g_steal_pointer(&dir);
}

static bool is_own_socket(const char *path, uid_t uid)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == uid;
}

/* "unix:path=/run/user/1000/bus,guid=...;..." */
static char *bus_from_env(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *prefix = "unix:path=";

	if (address == NULL || !g_str_has_prefix(address, prefix))
		return NULL;
	address += strlen(prefix);
	return g_strndup(address, strcspn(address, ",;"));
}

/* Where the user's systemd can be asked: the bus, from the environment first, as a shell after su(1)
 * may lack the variable while the manager runs; where users have no bus (Debian without
 * dbus-user-session) the manager's own socket. Root uses the system's. */
static char *probe_bus(uid_t uid)
{
	g_autofree char *said = uid != 0 ? bus_from_env() : NULL;
	g_autofree char *own = g_strdup_printf("/run/user/%u", uid);
	/* clang-format off */
	const struct { const char *dir, *socket; } places[] = {
		{ uid != 0 ? own : "/run/dbus", uid != 0 ? "bus" : "system_bus_socket" },
		{ uid != 0 ? own : "/run",      "systemd/private" },
	};
	/* clang-format on */

	if (said != NULL && is_own_socket(said, uid))
		return g_steal_pointer(&said);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		char *path = g_build_filename(places[i].dir, places[i].socket, NULL);

		if (is_own_socket(path, uid))
			return path;
		g_free(path);
	}
	return NULL;
}

void host_cgroup_probe(struct host_cgroup *ret, uid_t uid)
{
	g_autofree char *path = own_path();
	const char *mount;

	memset(ret, 0, sizeof(*ret));
	ret->layout = probe_layout();
	ret->bus = probe_bus(uid);
	mount = layout_mount(ret->layout);
	if (mount == NULL)
		return;
	probe_manager(ret, mount, uid);
	if (path == NULL)
		return;
	ret->dir = g_strdup_printf("%s%s", mount, strcmp(path, "/") == 0 ? "" : path);
	ret->writable = may_write(ret->dir);
	ret->controllers = read_controllers(ret->dir);
	if (ret->controllers == NULL)
		ret->controllers = g_strdup("");
}

void host_cgroup_clear(struct host_cgroup *cgroup)
{
	g_free(cgroup->dir);
	g_free(cgroup->controllers);
	g_free(cgroup->manager);
	g_free(cgroup->delegated);
	g_free(cgroup->bus);
	memset(cgroup, 0, sizeof(*cgroup));
}
