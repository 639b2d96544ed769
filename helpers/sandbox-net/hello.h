/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The name of the server in the first bytes of a connection. Pure; what is not clear is no name. */

enum { HELLO_MAX = 16384 + 512, HELLO_NAME = 256 };

enum hello {
	HELLO_MORE,  /* it goes on */
	HELLO_FOUND, /* the name is there */
	HELLO_NONE,  /* it is none of the kind, or names no server, or two */
};

/* A TLS ClientHello: the server name (RFC 6066, 3) into name[HELLO_NAME]. */
enum hello hello_tls(const uint8_t *p, size_t len, char *name);

/* The head of an HTTP/1 request: its Host, which the target must not contradict. Only the first
 * request of a connection is ever seen. */
enum hello hello_http(const uint8_t *p, size_t len, char *name);
