// SPDX-License-Identifier: MIT
#include "netconfig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "port.h"

enum { MTU_MIN = 1280, MTU_MAX = 65520, FLOWS_MAX = 65536, TCP_FLOWS = 1024, UDP_FLOWS = 1024 };

struct reader {
	GKeyFile *file;
	const char *group, *key;
	struct config *config;
};

/* A setter reads one value; false: it is not of the expected form. */
typedef bool (*setter)(const struct reader *r, const char *value);

static bool number(const char *value, unsigned min, unsigned max, unsigned *ret)
{
	guint64 n;

	if (!g_ascii_string_to_unsigned(value, 10, min, max, &n, NULL))
		return false;
	*ret = (unsigned)n;
	return true;
}

static bool set_mtu(const struct reader *r, const char *value)
{
	return number(value, MTU_MIN, MTU_MAX, &r->config->mtu);
}

static bool set_mac(const struct reader *r, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ":", 7);
	guint64 byte;

	if (g_strv_length(parts) != 6)
		return false;
	for (int i = 0; i < 6; i++) {
		if (!g_ascii_string_to_unsigned(parts[i], 16, 0, UINT8_MAX, &byte, NULL))
			return false;
		r->config->box.mac[i] = (uint8_t)byte;
	}
	return !(r->config->box.mac[0] & 1); /* of one interface, not of a group */
}

static bool set_address(const struct reader *r, const char *value)
{
	struct config *c = r->config;
	bool v4 = strcmp(r->group, "ipv4") == 0;
	struct naddr a;

	if (!naddr_parse(value, &a) || a.family != (v4 ? 4 : 6))
		return false;
	if (strcmp(r->key, "address") == 0)
		*(v4 ? &c->box.ipv4 : &c->box.ipv6) = a;
	else if (strcmp(r->key, "gateway") == 0)
		*(v4 ? &c->gateway4 : &c->gateway6) = a;
	else
		*(v4 ? &c->dns4 : &c->dns6) = a;
	return true;
}

static bool set_prefix4(const struct reader *r, const char *value)
{
	return number(value, 8, 30, &r->config->prefix4);
}

static bool set_prefix6(const struct reader *r, const char *value)
{
	return number(value, 8, 126, &r->config->prefix6);
}

static bool set_resolv(const struct reader *r, const char *value)
{
	g_free(r->config->resolv);
	r->config->resolv = g_strdup(value);
	return true;
}

/* Lists are kept as texts: their readers are the rooms that use them. */
static bool set_list(const struct reader *r, const char *value)
{
	struct config *c = r->config;
	char ***to = strcmp(r->key, "servers") == 0 ? &c->dns_servers
		     : strcmp(r->key, "hosts") == 0 ? &c->dns_hosts
		     : strcmp(r->key, "rules") == 0 ? &c->rules
						    : &c->publish;

	(void)value;
	g_strfreev(*to);
	*to = g_key_file_get_string_list(r->file, r->group, r->key, NULL, NULL);
	return *to != NULL;
}

static bool add_host_port(struct config *c, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", 2);
	struct port_range ports;
	bool udp;

	if (g_strv_length(parts) != 2 || !port_read_range(parts[0], &ports) ||
	    !port_read_proto(parts[1], &udp))
		return false;
	c->host_ports = g_realloc_n(c->host_ports, c->nhost_ports + 1, sizeof(*c->host_ports));
	c->host_ports[c->nhost_ports].first = ports.first;
	c->host_ports[c->nhost_ports].last = ports.last;
	c->host_ports[c->nhost_ports++].udp = udp;
	return true;
}

static bool set_host_ports(const struct reader *r, const char *value)
{
	g_auto(GStrv) list = g_key_file_get_string_list(r->file, r->group, r->key, NULL, NULL);

	(void)value;
	for (char **text = list; text && *text; text++)
		if (!add_host_port(r->config, *text))
			return false;
	return list != NULL;
}

static bool set_flows(const struct reader *r, const char *value)
{
	return number(value, 1, FLOWS_MAX,
		      r->key[0] == 't' ? &r->config->tcp_flows : &r->config->udp_flows);
}

/* clang-format off */
static const struct { const char *group, *key; setter set; bool required; } keys[] = {
	{ "link",    "mtu",       set_mtu,        true },
	{ "link",    "mac",       set_mac,        true },
	{ "ipv4",    "address",   set_address,    true },
	{ "ipv4",    "gateway",   set_address,    true },
	{ "ipv4",    "dns",       set_address,    true },
	{ "ipv4",    "prefix",    set_prefix4,    true },
	{ "ipv6",    "address",   set_address,    true },
	{ "ipv6",    "gateway",   set_address,    true },
	{ "ipv6",    "dns",       set_address,    true },
	{ "ipv6",    "prefix",    set_prefix6,    true },
	{ "dns",     "resolv",    set_resolv,     false },
	{ "dns",     "servers",   set_list,       false },
	{ "dns",     "hosts",     set_list,       false },
	{ "host",    "ports",     set_host_ports, false },
	{ "egress",  "rules",     set_list,       false },
	{ "publish", "ports",     set_list,       false },
	{ "limits",  "tcp-flows", set_flows,      false },
	{ "limits",  "udp-flows", set_flows,      false },
};
/* clang-format on */

static int fault_at(char *fault, size_t size, const char *what, const char *group, const char *key)
{
	(void)snprintf(fault, size, "%s: [%.32s] %.32s", what, group, key);
	for (char *p = fault; *p; p++) /* it is one line of an answer */
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return -EINVAL;
}

static int check_keys(GKeyFile *file, const char *group, char *fault, size_t size)
{
	g_auto(GStrv) found = g_key_file_get_keys(file, group, NULL, NULL);

	for (char **key = found; key && *key; key++) {
		bool known = false;

		for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
			known |= !strcmp(keys[i].group, group) && !strcmp(keys[i].key, *key);
		if (!known)
			return fault_at(fault, size, "unknown key in the configuration", group,
					*key);
	}
	return 0;
}

static int check_unknown(GKeyFile *file, char *fault, size_t size)
{
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	int r = 0;

	for (char **group = groups; *group && r == 0; group++) {
		bool known = false;

		for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
			known |= strcmp(keys[i].group, *group) == 0;
		r = known ? check_keys(file, *group, fault, size)
			  : fault_at(fault, size, "unknown group in the configuration", *group, "");
	}
	return r;
}

static int read_keys(GKeyFile *file, struct config *config, char *fault, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		struct reader r = { file, keys[i].group, keys[i].key, config };
		g_autofree char *value = NULL;
		bool optional = !keys[i].required || strcmp(r.group, "ipv6") == 0;

		if (strcmp(r.group, "ipv6") == 0 && g_key_file_has_group(file, "ipv6"))
			optional = false;
		if (!g_key_file_has_key(file, r.group, r.key, NULL)) {
			if (optional)
				continue;
			return fault_at(fault, size, "missing in the configuration", r.group,
					r.key);
		}
		value = g_key_file_get_string(file, r.group, r.key, NULL);
		if (!value || !keys[i].set(&r, value))
			return fault_at(fault, size, "bad value in the configuration", r.group,
					r.key);
	}
	return 0;
}

int config_parse(struct config *ret, const char *text, size_t len, char *fault, size_t size)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	struct config config = { .tcp_flows = TCP_FLOWS, .udp_flows = UDP_FLOWS };
	int r;

	if (!g_key_file_load_from_data(file, text, len, G_KEY_FILE_NONE, NULL)) {
		(void)snprintf(fault, size, "the configuration is no key file");
		return -EINVAL;
	}
	r = check_unknown(file, fault, size);
	if (r == 0)
		r = read_keys(file, &config, fault, size);
	if (r < 0)
		config_clear(&config);
	else
		*ret = config;
	return r;
}

int config_read(struct config *ret, int fd, char *fault, size_t size)
{
	g_autofree char *text = g_malloc(CONFIG_MAX);
	ssize_t n = fd_read_all(fd, text, CONFIG_MAX);

	if (n < 0) {
		(void)snprintf(fault, size, "the configuration cannot be read: %s",
			       g_strerror((int)-n));
		return (int)n;
	}
	return config_parse(ret, text, (size_t)n, fault, size);
}

void config_clear(struct config *config)
{
	g_clear_pointer(&config->resolv, g_free);
	g_clear_pointer(&config->dns_servers, g_strfreev);
	g_clear_pointer(&config->dns_hosts, g_strfreev);
	g_clear_pointer(&config->rules, g_strfreev);
	g_clear_pointer(&config->publish, g_strfreev);
	g_clear_pointer(&config->host_ports, g_free);
}
