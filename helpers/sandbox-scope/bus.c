// SPDX-License-Identifier: MIT
/*
 * Where a systemd manager can be spoken to, and one call.
 *
 * The socket is connected here instead of by GDBus's own ways: these would load every GIO module
 * of the host (proxy resolvers, TLS) for a local socket, and could be told by an address to run a
 * program (unixexec:, autolaunch:).
 *
 * A bus that can be reached need not have a systemd on it (dbus-run-session, a container's): then
 * the next place is tried. The manager's own socket, systemd/private, is the last: it is no
 * published interface, but works where there is no D-Bus daemon for users.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus.h"

#define PRIVATE "systemd/private"

enum base { BASE_RUNTIME, BASE_USER, BASE_SYSTEM };

static const struct {
	enum base base;
	const char *socket;
	bool is_bus;
} places[] = {
	{ BASE_RUNTIME, "bus", true },
	{ BASE_USER, "bus", true },
	{ BASE_RUNTIME, PRIVATE, false },
	{ BASE_USER, PRIVATE, false },
	{ BASE_SYSTEM, "dbus/system_bus_socket", true },
	{ BASE_SYSTEM, PRIVATE, false },
};

/* The path of a place, or NULL when this request does not go there. */
static char *place_path(const struct request *request, size_t i)
{
	g_autofree char *user = g_strdup_printf("/run/user/%u", (unsigned)getuid());
	const char *base = NULL;

	switch (places[i].base) {
	case BASE_RUNTIME:
		if (!request->system && g_strcmp0(request->runtime, user) != 0)
			base = request->runtime;
		break;
	case BASE_USER: base = request->system ? NULL : user; break;
	case BASE_SYSTEM: base = request->system ? "/run" : NULL; break;
	}
	return base ? g_strdup_printf("%s/%s", base, places[i].socket) : NULL;
}

/* The socket's path in a D-Bus address, "unix:path=/run/user/1000/bus,guid=...;...": the first
 * entry that has one. An abstract socket comes with a leading '@'. NULL: none. */
static char *address_path(const char *address)
{
	static const struct {
		const char *key, *prefix;
	} keys[] = { { "path=", "" }, { "abstract=", "@" } };
	g_auto(GStrv) entries = g_strsplit(address, ";", -1);

	for (char **entry = entries; *entry; entry++) {
		if (!g_str_has_prefix(*entry, "unix:"))
			continue;
		g_auto(GStrv) words = g_strsplit(*entry + strlen("unix:"), ",", -1);

		for (char **word = words; *word; word++) {
			for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
				if (!g_str_has_prefix(*word, keys[i].key))
					continue;
				g_autofree char *path =
					g_uri_unescape_string(*word + strlen(keys[i].key), NULL);

				return path ? g_strconcat(keys[i].prefix, path, NULL) : NULL;
			}
		}
	}
	return NULL;
}

/* A socket of somebody else's could tell us anything. */
static int check_owner(const char *path, bool system, struct problem *problem)
{
	struct stat st;

	if (path[0] == '@')
		return 0;
	if (stat(path, &st) < 0)
		return problem_set(problem, CODE_NOBUS, NULL, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return problem_set(problem, CODE_NOBUS, NULL, "%s: not a socket", path);
	if (st.st_uid != (system ? 0 : getuid()))
		return problem_set(problem, CODE_NOBUS, NULL, "%s: belongs to uid %u", path,
				   (unsigned)st.st_uid);
	return 0;
}

/* Connects to `path`. Returns the descriptor, or -1. */
static int connect_path(const char *path, struct problem *problem)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(address.sun_path))
		return problem_set(problem, CODE_NOBUS, NULL, "%s: not a socket's path", path);
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		len++;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return fd;
	problem_set(problem, CODE_NOBUS, NULL, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Connects one place and does `act` there. */
static int try_path(const struct request *request, const char *path, bool is_bus, bus_act act,
		    struct problem *problem)
{
	struct link link = { .fd = -1 };
	struct bus bus = { .link = &link, .manager = is_bus ? BUS_SYSTEMD : NULL };
	g_autoptr(GError) error = NULL;
	int fd, r;

	if (check_owner(path, request->system, problem) < 0)
		return -1;
	fd = connect_path(path, problem);
	if (fd < 0)
		return -1;
	r = link_open(&link, fd, is_bus, &error);
	if (r < 0) {
		(void)problem_set(problem, CODE_NOBUS, NULL, "%s: %s", path, error->message);
	} else {
		(void)alarm(ANSWER_SECONDS); /* a sign of life */
		r = act(request, &bus, problem);
	}
	link_close(&link);
	return r;
}

/* True when the next place may still have the answer; notes what this one said. */
static bool go_on(GString *tried, const struct problem *problem)
{
	g_string_append_printf(tried, "%s%s", tried->len ? "; " : "", problem->text);
	return problem->code == CODE_NOBUS;
}

static int try_address(const struct request *request, bus_act act, struct problem *problem)
{
	g_autofree char *path = address_path(request->address);

	if (path)
		return try_path(request, path, !g_str_has_suffix(path, PRIVATE), act, problem);
	return problem_set(problem, CODE_NOBUS, NULL, "no unix: socket in the bus's address");
}

int bus_do(const struct request *request, bus_act act, struct problem *problem)
{
	g_autoptr(GString) tried = g_string_new(NULL);
	g_autofree char *name = NULL;

	if (request->address) {
		if (try_address(request, act, problem) == 0)
			return 0;
		if (!go_on(tried, problem))
			return -1;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = place_path(request, i);

		if (!path)
			continue;
		if (try_path(request, path, places[i].is_bus, act, problem) == 0)
			return 0;
		if (!go_on(tried, problem))
			return -1;
	}
	name = g_strdup(problem->name);
	return problem_set(problem, CODE_NOBUS, name, "%s", tried->str);
}

GVariant *bus_call(const struct bus *bus, const char *object, const char *interface,
		   const char *method, GVariant *arguments, const char *type, int fd,
		   GError **error)
{
	guint32 serial =
		link_send(bus->link, bus->manager, object, interface, method, arguments, fd, error);

	return link_answer(bus->link, serial, type, error);
}

/* The manager's own socket tells all it has to all who are there. On a bus it tells the end of a
 * job to the one who asked for it, without Subscribe, which would have it tell every change of
 * every unit; the daemon must be asked to pass it on. */
void bus_watch_jobs(const struct bus *bus)
{
	static const char rule[] = "type='signal',sender='" BUS_SYSTEMD "',interface='" BUS_MANAGER
				   "',member='JobRemoved',path='" BUS_MANAGER_PATH "'";

	if (bus->manager)
		(void)link_send(bus->link, "org.freedesktop.DBus", "/org/freedesktop/DBus",
				"org.freedesktop.DBus", "AddMatch", g_variant_new("(s)", rule), -1,
				NULL);
}

char *bus_property(const struct bus *bus, const char *object, const char *interface,
		   const char *property, GError **error)
{
	g_autoptr(GVariant) value = NULL;
	g_autoptr(GVariant) answer =
		bus_call(bus, object, "org.freedesktop.DBus.Properties", "Get",
			 g_variant_new("(ss)", interface, property), "(v)", -1, error);

	if (!answer)
		return NULL;
	g_variant_get(answer, "(v)", &value);
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
		return g_variant_dup_string(value, NULL);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s is not a string", property);
	return NULL;
}

/* The bus itself says that nobody there is systemd. */
static bool nobody_there(const char *name)
{
	static const char *const names[] = {
		"org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.Disconnected",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	/* dbus-user-session's activation file for systemd runs /bin/false. */
	return g_str_has_prefix(name, "org.freedesktop.DBus.Error.Spawn.");
}

int bus_problem(struct problem *problem, const char *what, const GError *error)
{
	g_autofree char *name = NULL;
	g_autoptr(GError) text = g_error_copy(error);
	enum code code = CODE_REFUSED;

	if (g_dbus_error_is_remote_error(error))
		name = g_dbus_error_get_remote_error(error);
	if (!name || nobody_there(name))
		code = CODE_NOBUS;
	(void)g_dbus_error_strip_remote_error(text);
	return problem_set(problem, code, name, "%s: %s", what, text->message);
}
