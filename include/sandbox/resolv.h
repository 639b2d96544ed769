/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The servers that resolv.conf(5) names, as launcher, network helper and doctor read them alike. One on a
 * link of the host's has its interface behind it, "fe80::1%eth0", as router advertisements bring them about
 * (RFC 8106). Only who may still open a socket of any kind can ask the kernel for its number, so the launcher
 * does, and the helper gets "fe80::1%2".
 */

struct resolv_server {
	char text[64]; /* as it stands there */
	char address[64];
	uint32_t scope;  /* number of the interface, 0: none */
	const char *why; /* it cannot be asked; NULL: it can */
};

/* if_nametoindex(3), or NULL: only numbers are understood. */
typedef unsigned (*resolv_index)(const char *name);

/* The next server from *at on, which is moved behind it. False: no more. */
bool resolv_next(const char **at, resolv_index index, struct resolv_server *ret);

/* The text with numbers in place of the interfaces that are there. */
char *resolv_number(const char *text, resolv_index index);
