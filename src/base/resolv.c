// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <glib.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/resolv.h>

/* The word behind "nameserver"; NULL: the line is another one. */
static const char *server_of(const char *line, size_t *ret_len)
{
	static const char key[] = "nameserver";

	line += strspn(line, " \t");
	if (strncmp(line, key, sizeof(key) - 1) != 0)
		return NULL;
	line += sizeof(key) - 1;
	if (*line != ' ' && *line != '\t')
		return NULL;
	line += strspn(line, " \t");
	*ret_len = strcspn(line, " \t\r\n");
	return *ret_len ? line : NULL;
}

/* 0: there is none such. */
static uint32_t number_of(const char *name, resolv_index index)
{
	uint32_t found = index && strlen(name) < IF_NAMESIZE ? index(name) : 0;
	guint64 number;

	if (found == 0 && g_ascii_string_to_unsigned(name, 10, 1, INT32_MAX, &number, NULL))
		found = (uint32_t)number;
	return found;
}

static bool is_of_link(const char *address)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, address, &a) == 1 && IN6_IS_ADDR_LINKLOCAL(&a);
}

static const char *check(struct resolv_server *s, const char *scope, resolv_index index)
{
	struct in6_addr any;

	if (inet_pton(AF_INET6, s->address, &any) != 1 &&
	    (scope || inet_pton(AF_INET, s->address, &any) != 1))
		return "it is no address";
	if (!scope)
		return is_of_link(s->address) ? "it names no interface" : NULL;
	s->scope = number_of(scope, index);
	return s->scope ? NULL : "there is no such interface";
}

static void read_server(const char *word, size_t len, resolv_index index, struct resolv_server *ret)
{
	char *scope;

	*ret = (struct resolv_server){ .scope = 0 };
	(void)snprintf(ret->text, sizeof(ret->text), "%.*s", (int)MIN(len, sizeof(ret->text)),
		       word);
	(void)memcpy(ret->address, ret->text, sizeof(ret->address));
	scope = strchr(ret->address, '%');
	if (scope)
		*scope++ = '\0';
	ret->why = len < sizeof(ret->text) ? check(ret, scope, index) : "it is no address";
}

bool resolv_next(const char **at, resolv_index index, struct resolv_server *ret)
{
	while (**at) {
		size_t len;
		const char *word = server_of(*at, &len);

		*at += strcspn(*at, "\n");
		*at += **at == '\n';
		if (!word)
			continue;
		read_server(word, len, index, ret);
		return true;
	}
	return false;
}

char *resolv_number(const char *text, resolv_index index)
{
	GString *out = g_string_new(NULL);

	for (const char *line = text, *end; *line; line = end) {
		struct resolv_server server;
		size_t len = 0;
		const char *word = server_of(line, &len);

		end = line + strcspn(line, "\n");
		end += *end == '\n';
		if (word)
			read_server(word, len, index, &server);
		if (!word || server.why || server.scope == 0) {
			g_string_append_len(out, line, end - line);
			continue;
		}
		g_string_append_printf(out, "nameserver %s%%%u", server.address, server.scope);
		g_string_append_len(out, word + len, end - (word + len));
	}
	return g_string_free(out, FALSE);
}
