// SPDX-License-Identifier: MIT
/* D-Bus by hand, on a blocking socket: see link.h. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gunixfdlist.h>

#include "link.h"

enum {
	CHUNK = 4096,
	HEADER = 16,           /* enough for the message's length (D-Bus specification) */
	LINE_MAX_BYTES = 16384 /* of the handshake */
};

static int fail(GError **error, const char *what, int num)
{
	g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(num), "%s: %s", what,
		    g_strerror(num));
	return -1;
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* The descriptor goes with the first byte, as unix(7) and the D-Bus specification want it. */
static ssize_t send_some(int to, const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *head;

	if (fd >= 0) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &fd, sizeof(int));
	}
	return sendmsg(to, &message, MSG_NOSIGNAL);
}

static int send_all(struct link *link, const void *data, size_t size, int fd, GError **error)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = send_some(link->fd, at, size, fd);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "the bus", errno);
		fd = -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int receive_more(struct link *link, GError **error)
{
	guint8 chunk[CHUNK];
	ssize_t n;

	do
		n = recv(link->fd, chunk, sizeof(chunk), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(error, "the bus", errno);
	if (n == 0)
		return fail(error, "the bus has closed the connection", EPIPE);
	g_byte_array_append(link->in, chunk, (guint)n);
	return 0;
}

/* --- the handshake --------------------------------------------------------------------------- */

/* One line without its end, or NULL. */
static char *receive_line(struct link *link, GError **error)
{
	for (;;) {
		const guint8 *end =
			link->in->len ? memchr(link->in->data, '\n', link->in->len) : NULL;
		guint size = end ? (guint)(end - link->in->data) : 0;
		char *line;

		if (end) {
			line = g_strndup((const char *)link->in->data, size);
			g_byte_array_remove_range(link->in, 0, size + 1);
			return g_strchomp(line);
		}
		if (link->in->len > LINE_MAX_BYTES) {
			(void)fail(error, "the bus does not speak D-Bus", EPROTO);
			return NULL;
		}
		if (receive_more(link, error) < 0)
			return NULL;
	}
}

/* All questions at once, then the answers: who we are is what the kernel says (SO_PEERCRED), the
 * uid in decimal and that in hexadecimal is only the form of it. */
static int handshake(struct link *link, GError **error)
{
	static const char *const wanted[] = { "OK", "AGREE_UNIX_FD" };
	g_autofree char *uid = g_strdup_printf("%u", (unsigned)getuid());
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_append_c(text, '\0');
	g_string_append(text, "AUTH EXTERNAL ");
	for (const char *digit = uid; *digit; digit++)
		g_string_append_printf(text, "%02x", (unsigned)*digit);
	g_string_append(text, "\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n");
	if (send_all(link, text->str, text->len, -1, error) < 0)
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_autofree char *line = receive_line(link, error);

		if (!line)
			return -1;
		if (!g_str_has_prefix(line, wanted[i]))
			return fail(error, "the bus does not let us in", EACCES);
	}
	return 0;
}

int link_open(struct link *link, int fd, gboolean is_bus, GError **error)
{
	*link = (struct link){
		.fd = fd,
		.in = g_byte_array_new(),
		.jobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	if (handshake(link, error) < 0)
		return -1;
	/* its answer, our name on the bus, is of no use */
	if (is_bus && !link_send(link, "org.freedesktop.DBus", "/org/freedesktop/DBus",
				 "org.freedesktop.DBus", "Hello", NULL, -1, error))
		return -1;
	return 0;
}

void link_close(struct link *link)
{
	if (!link->in)
		return;
	(void)close(link->fd);
	g_byte_array_unref(link->in);
	g_hash_table_destroy(link->jobs);
	link->in = NULL;
}

/* --- messages -------------------------------------------------------------------------------- */

guint32 link_send(struct link *link, const char *peer, const char *object, const char *interface,
		  const char *method, GVariant *arguments, int fd, GError **error)
{
	g_autoptr(GDBusMessage) message =
		g_dbus_message_new_method_call(peer, object, interface, method);
	g_autoptr(GUnixFDList) list = NULL;
	g_autofree guchar *blob = NULL;
	gsize size;

	if (arguments)
		g_dbus_message_set_body(message, arguments);
	if (fd >= 0) { /* for the count in the header: what goes is `fd` itself */
		list = g_unix_fd_list_new();
		if (g_unix_fd_list_append(list, fd, error) < 0)
			return 0;
		g_dbus_message_set_unix_fd_list(message, list);
	}
	g_dbus_message_set_serial(message, ++link->serial);
	blob = g_dbus_message_to_blob(message, &size, G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING,
				      error);
	if (!blob || send_all(link, blob, size, fd, error) < 0)
		return 0;
	return link->serial;
}

/* The next message, whatever it is. Descriptors that come with one are not asked for, so the
 * kernel drops them. */
static GDBusMessage *receive(struct link *link, GError **error)
{
	GDBusMessage *message;
	gssize size = HEADER;

	while (link->in->len < (gsize)size) {
		if (receive_more(link, error) < 0)
			return NULL;
		if (link->in->len >= HEADER)
			size = g_dbus_message_bytes_needed(link->in->data, link->in->len, error);
		if (size < 0)
			return NULL;
	}
	size = g_dbus_message_bytes_needed(link->in->data, link->in->len, error);
	if (size < 0 || (gsize)size > link->in->len)
		return NULL;
	message = g_dbus_message_new_from_blob(link->in->data, (gsize)size,
					       G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING, error);
	g_byte_array_remove_range(link->in, 0, (guint)size);
	return message;
}

static void note_signal(struct link *link, GDBusMessage *message)
{
	GVariant *body = g_dbus_message_get_body(message);
	const char *job, *result;

	if (g_strcmp0(g_dbus_message_get_member(message), "JobRemoved") != 0 || !body ||
	    !g_variant_is_of_type(body, G_VARIANT_TYPE("(uoss)")))
		return;
	g_variant_get(body, "(u&o&s&s)", NULL, &job, NULL, &result);
	g_hash_table_insert(link->jobs, g_strdup(job), g_strdup(result));
}

/* Reads one message. True: *ret is the answer of `serial` (the caller's). */
static int step(struct link *link, guint32 serial, GDBusMessage **ret, GError **error)
{
	g_autoptr(GDBusMessage) message = receive(link, error);

	*ret = NULL;
	if (!message)
		return -1;
	switch (g_dbus_message_get_message_type(message)) {
	case G_DBUS_MESSAGE_TYPE_SIGNAL: note_signal(link, message); break;
	case G_DBUS_MESSAGE_TYPE_METHOD_RETURN:
	case G_DBUS_MESSAGE_TYPE_ERROR:
		if (g_dbus_message_get_reply_serial(message) == serial)
			*ret = g_steal_pointer(&message);
		break;
	case G_DBUS_MESSAGE_TYPE_METHOD_CALL:
	case G_DBUS_MESSAGE_TYPE_INVALID: break;
	}
	return 0;
}

GVariant *link_answer(struct link *link, guint32 serial, const char *type, GError **error)
{
	g_autoptr(GDBusMessage) answer = NULL;
	GVariant *body;

	if (serial == 0)
		return NULL;
	while (!answer)
		if (step(link, serial, &answer, error) < 0)
			return NULL;
	if (g_dbus_message_to_gerror(answer, error))
		return NULL;
	body = g_dbus_message_get_body(answer);
	if (g_strcmp0(type, "()") == 0)
		return body ? g_variant_ref(body) : g_variant_ref_sink(g_variant_new("()"));
	if (body && g_variant_is_of_type(body, G_VARIANT_TYPE(type)))
		return g_variant_ref(body);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "an answer of another type");
	return NULL;
}

const char *link_job(struct link *link, const char *job, GError **error)
{
	g_autoptr(GDBusMessage) unused = NULL;
	const char *result;

	while (!(result = g_hash_table_lookup(link->jobs, job)))
		if (step(link, 0, &unused, error) < 0)
			return NULL;
	return result;
}
