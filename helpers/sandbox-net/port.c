// SPDX-License-Identifier: MIT
#include "port.h"

#include <glib.h>
#include <string.h>

bool port_read(const char *text, uint16_t *ret)
{
	guint64 port;

	if (!g_ascii_string_to_unsigned(text, 10, 1, UINT16_MAX, &port, NULL))
		return false;
	*ret = (uint16_t)port;
	return true;
}

bool port_read_range(const char *text, struct port_range *ret)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 2);

	return ends[0] && ends[1] && port_read(ends[0], &ret->first) &&
	       port_read(ends[1], &ret->last) && ret->first <= ret->last;
}

bool port_read_proto(const char *text, bool *ret_udp)
{
	*ret_udp = strcmp(text, "udp") == 0;
	return *ret_udp || strcmp(text, "tcp") == 0;
}
