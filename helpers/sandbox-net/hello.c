// SPDX-License-Identifier: MIT
#include "hello.h"

#include <glib.h>
#include <string.h>

#include "frame.h"

enum {
	RECORD_HEADER = 5,
	RECORD_MAX = 16384,
	TYPE_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	MESSAGE_HEADER = 4,
	EXT_SERVER_NAME = 0,
	HOST_NAME = 0,
};

/* ---- TLS ---- */

/* What is left of a message; `bad` once it was too short. */
struct reader {
	const uint8_t *p;
	size_t len;
	bool bad;
};

static struct reader take(struct reader *r, size_t len)
{
	struct reader part = { r->p, len, false };

	if (r->bad || len > r->len) {
		r->bad = true;
		return (struct reader){ .bad = true };
	}
	r->p += len;
	r->len -= len;
	return part;
}

static unsigned number(struct reader *r, size_t bytes)
{
	struct reader part = take(r, bytes);
	unsigned n = 0;

	for (size_t i = 0; i < part.len; i++)
		n = n << 8 | part.p[i];
	return n;
}

/* A part that begins with its length in `bytes` bytes. */
static struct reader vector(struct reader *r, size_t bytes)
{
	return take(r, number(r, bytes));
}

/* A name as it may stand in a rule: letters, digits, '-', '_' and dots; lower case. */
static enum hello take_name(const uint8_t *p, size_t len, char *name)
{
	if (len > 0 && p[len - 1] == '.')
		len--;
	if (len == 0 || len >= HELLO_NAME)
		return HELLO_NONE;
	for (size_t i = 0; i < len; i++) {
		char c = (char)p[i];

		if (!g_ascii_isalnum(c) && c != '-' && c != '_' && c != '.')
			return HELLO_NONE;
		name[i] = g_ascii_tolower(c);
	}
	name[len] = '\0';
	return HELLO_FOUND;
}

static enum hello server_name(struct reader ext, char *name)
{
	struct reader list = vector(&ext, 2), host;
	unsigned type = number(&list, 1);

	host = vector(&list, 2);
	if (ext.bad || ext.len || list.bad || list.len || host.bad || type != HOST_NAME)
		return HELLO_NONE;
	return take_name(host.p, host.len, name);
}

static enum hello client_hello(struct reader r, char *name)
{
	enum hello found = HELLO_NONE;
	struct reader list;
	unsigned n = 0;

	(void)take(&r, 2 + 32); /* version, random */
	(void)vector(&r, 1);    /* session */
	(void)vector(&r, 2);    /* ciphers */
	(void)vector(&r, 1);    /* compression */
	list = vector(&r, 2);
	while (!list.bad && list.len) {
		unsigned type = number(&list, 2);
		struct reader ext = vector(&list, 2);

		if (type == EXT_SERVER_NAME && !list.bad && n++ == 0)
			found = server_name(ext, name);
	}
	return r.bad || r.len || list.bad || n != 1 ? HELLO_NONE : found;
}

/* One message may be cut into several records: they are put together in out[HELLO_MAX]. */
static enum hello join(const uint8_t *p, size_t len, uint8_t *out, size_t *ret_len)
{
	*ret_len = 0;
	for (size_t at = 0;;) {
		size_t size, part;

		if (*ret_len >= MESSAGE_HEADER &&
		    *ret_len >= MESSAGE_HEADER + (get32(out) & 0xffffff))
			return HELLO_FOUND;
		if (at < len && p[at] != TYPE_HANDSHAKE)
			return HELLO_NONE;
		if (at + RECORD_HEADER > len)
			return HELLO_MORE;
		size = get16(p + at + 3);
		if (p[at + 1] != 3 || size == 0 || size > RECORD_MAX)
			return HELLO_NONE;
		at += RECORD_HEADER;
		part = MIN(size, len - at);
		if (*ret_len + part > HELLO_MAX)
			return HELLO_NONE;
		memcpy(out + *ret_len, p + at, part);
		*ret_len += part;
		at += size;
		if (*ret_len > 0 && out[0] != CLIENT_HELLO)
			return HELLO_NONE;
		if (at > len && (*ret_len < MESSAGE_HEADER ||
				 *ret_len < MESSAGE_HEADER + (get32(out) & 0xffffff)))
			return HELLO_MORE;
	}
}

enum hello hello_tls(const uint8_t *p, size_t len, char *name)
{
	uint8_t message[HELLO_MAX];
	size_t have, size;
	enum hello r = join(p, len, message, &have);

	if (r == HELLO_MORE && len >= HELLO_MAX)
		return HELLO_NONE;
	if (r != HELLO_FOUND)
		return r;
	size = get32(message) & 0xffffff;
	return client_hello((struct reader){ message + MESSAGE_HEADER, size, false }, name);
}

/* ---- HTTP ---- */

/* One line without its end; false: it has not ended yet. */
static bool take_line(struct reader *r, struct reader *ret)
{
	const uint8_t *end = r->len ? memchr(r->p, '\n', r->len) : NULL; /* p may be NULL */

	if (!end)
		return false;
	*ret = take(r, (size_t)(end - r->p));
	(void)take(r, 1);
	if (ret->len && ret->p[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

/* "name[:port]" */
static enum hello authority(const uint8_t *p, size_t len, char *name)
{
	const uint8_t *colon = memchr(p, ':', len);

	for (const uint8_t *c = colon ? colon + 1 : p + len; c < p + len; c++)
		if (!g_ascii_isdigit(*c))
			return HELLO_NONE;
	return take_name(p, colon ? (size_t)(colon - p) : len, name);
}

/* "METHOD TARGET HTTP/1.x": the target is a path, or names the server itself, as to a proxy. */
static enum hello request_line(const struct reader *line, char *name)
{
	g_autofree char *text = g_strndup((const char *)line->p, line->len);
	g_auto(GStrv) words = g_strsplit(text, " ", 4);
	const char *target;

	name[0] = '\0';
	if (strlen(text) != line->len || g_strv_length(words) != 3 ||
	    !g_str_has_prefix(words[2], "HTTP/1."))
		return HELLO_NONE;
	target = words[1];
	if (target[0] == '/' || strcmp(target, "*") == 0)
		return HELLO_FOUND;
	if (g_ascii_strncasecmp(target, "http://", 7) == 0)
		target += 7;
	else if (strcmp(words[0], "CONNECT") != 0)
		return HELLO_NONE;
	return authority((const uint8_t *)target, strcspn(target, "/?#"), name);
}

/* A header that is not "NAME: VALUE" could be read in two ways. */
static enum hello header(const struct reader *line, char *name, unsigned *count)
{
	const uint8_t *colon = memchr(line->p, ':', line->len), *value, *end = line->p + line->len;

	if (!colon || colon == line->p || memchr(line->p, '\0', line->len) ||
	    memchr(line->p, '\r', line->len) || memchr(line->p, ' ', (size_t)(colon - line->p)) ||
	    memchr(line->p, '\t', (size_t)(colon - line->p)))
		return HELLO_NONE;
	if (colon - line->p != 4 || g_ascii_strncasecmp((const char *)line->p, "host", 4) != 0)
		return HELLO_FOUND;
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	(*count)++;
	return authority(value, (size_t)(end - value), name);
}

enum hello hello_http(const uint8_t *p, size_t len, char *name)
{
	struct reader r = { p, len, false }, line;
	char target[HELLO_NAME];
	unsigned hosts = 0;

	if (!take_line(&r, &line))
		return len >= HELLO_MAX || (len && !g_ascii_isupper(p[0])) ? HELLO_NONE
									   : HELLO_MORE;
	if (request_line(&line, target) != HELLO_FOUND)
		return HELLO_NONE;
	while (take_line(&r, &line)) {
		if (line.len == 0)
			return hosts == 1 && (!target[0] || strcmp(target, name) == 0) ? HELLO_FOUND
										       : HELLO_NONE;
		if (header(&line, name, &hosts) != HELLO_FOUND)
			return HELLO_NONE;
	}
	return len >= HELLO_MAX ? HELLO_NONE : HELLO_MORE;
}
