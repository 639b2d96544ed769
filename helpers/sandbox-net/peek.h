/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "addr.h"

/*
 * The first bytes of connections that were allowed by a name: they are held until they say which
 * server they want (TLS on 443, HTTP on 80), and go out if that is a name which a rule allows and
 * which was resolved to this address. A part of outlet.c: it sees what libslirp sends, and libslirp
 * knows nothing of it. What the server sends is not held.
 */

struct peeks;
struct rules;

struct peeks_setup {
	const struct rules *rules;
	/* It names another server; "": none. */
	void (*refused)(void *opaque, const struct naddr *dst, uint16_t port, const char *name);
	void *opaque;
};

struct peeks *peeks_new(const struct peeks_setup *setup);
void peeks_free(struct peeks *peeks);

/* libslirp connects this socket, and rules_inspect() wants its first bytes looked at. */
void peek_begin(struct peeks *peeks, int fd, const struct naddr *dst, uint16_t port);

/* The socket is about to be closed, or is a new one. */
void peek_end(struct peeks *peeks, int fd);

/* Whether something is held, or to be looked at, before more goes to this socket. */
bool peek_has(const struct peeks *peeks, int fd);

/* send(2) for a socket that peek_has(): what is held counts as sent. */
ssize_t peek_send(struct peeks *peeks, int fd, const void *data, size_t size);
