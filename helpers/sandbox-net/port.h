/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Port numbers as the launcher writes them: 1 to 65535, decimal, nothing before or after. */

struct port_range {
	uint16_t first, last;
};

bool port_read(const char *text, uint16_t *ret);

/* "80-89", one port too: "80-80" */
bool port_read_range(const char *text, struct port_range *ret);

/* "tcp" or "udp" */
bool port_read_proto(const char *text, bool *ret_udp);
