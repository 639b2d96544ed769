/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

/*
 * A D-Bus connection that does one thing at a time: it writes, then reads until the answer is
 * there. GDBusConnection does more than a helper of a few messages needs, at a price that every
 * start with limits would pay: a thread that is woken for every byte, and a round trip for each
 * line of the handshake. Messages are GDBus's own (GDBusMessage).
 *
 * Reads and writes block; main's alarm is the bound on all of them.
 */
struct link {
	int fd;
	guint32 serial;   /* of the last message sent */
	GByteArray *in;   /* read, and not yet taken apart */
	GHashTable *jobs; /* JobRemoved that came meanwhile: the job's path to its result */
};

/* Takes the connected socket over and does the handshake as this uid (SASL EXTERNAL). `is_bus`: a
 * D-Bus daemon answers, which must know us (Hello) before it forwards anything. */
int link_open(struct link *link, int fd, gboolean is_bus, GError **error);
void link_close(struct link *link);

/* Sends a call and returns its serial; 0 with `error` set. An answer that nobody waits for is
 * dropped. `fd` (or -1) goes with the message. */
guint32 link_send(struct link *link, const char *peer, const char *object, const char *interface,
		  const char *method, GVariant *arguments, int fd, GError **error);

/* The answer of the call `serial`, of the given type (the caller's), or NULL with `error` set. */
GVariant *link_answer(struct link *link, guint32 serial, const char *type, GError **error);

/* The result of a job, waited for; NULL with `error` set when the connection ends first. */
const char *link_job(struct link *link, const char *job, GError **error);
