/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

#include "link.h"
#include "protocol.h"

#define BUS_SYSTEMD      "org.freedesktop.systemd1"
#define BUS_MANAGER      BUS_SYSTEMD ".Manager"
#define BUS_MANAGER_PATH "/org/freedesktop/systemd1"

/* A connection to a systemd manager. */
struct bus {
	struct link *link;
	const char *manager; /* the peer's name on a bus; NULL on the manager's own socket */
};

/* What is to be done at a manager: 0 and an answer on standard output, or -1 and a problem. With
 * CODE_NOBUS it is done again at the next place. */
typedef int (*bus_act)(const struct request *request, const struct bus *bus,
		       struct problem *problem);

/* Does `act` at the manager that `request` means: at the first place where one answers. 0, or -1
 * with the manager's problem, or with CODE_NOBUS and what each place said. */
int bus_do(const struct request *request, bus_act act, struct problem *problem);

/* Calls a method and waits. Returns its answer (the caller's), or NULL with `error` set. `type` is
 * the answer's; `fd` goes with the call, -1: none. */
GVariant *bus_call(const struct bus *bus, const char *object, const char *interface,
		   const char *method, GVariant *arguments, const char *type, int fd,
		   GError **error);

/* Has the ends of jobs told to us (JobRemoved): to be called before one is begun. */
void bus_watch_jobs(const struct bus *bus);

/* A string property of an object (the caller's), or NULL with `error` set. */
char *bus_property(const struct bus *bus, const char *object, const char *interface,
		   const char *property, GError **error);

/* Turns GDBus's error into ours: CODE_NOBUS when nobody there is systemd. Always -1. */
int bus_problem(struct problem *problem, const char *what, const GError *error);
