/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "filter.h"

/*
 * The outlet: every connect(), send() and sendto() of libslirp goes through here, since this program defines
 * these names itself and exports them (outlet.syms), so that the dynamic linker binds libslirp's
 * calls to them. It is
 *
 *   - the second lock: what is connected to is checked by the address the kernel is given, however
 *     the frame was read;
 *   - the place where a connection is led elsewhere, to our own name server over TCP; where its first
 *     bytes are looked at (peek.c); and later where it goes round libslirp altogether.
 */

enum outlet_action {
	OUTLET_DIRECT,  /* as libslirp wants it */
	OUTLET_DIVERT,  /* to outlet_setup.divert */
	OUTLET_INSPECT, /* as libslirp wants it, but peek.c looks at what goes out first */
};

struct peeks;

struct outlet_setup {
	const struct filter *filter;
	/* Decides about a TCP connection that the filter has passed. NULL: direct. */
	enum outlet_action (*decide)(void *opaque, const struct naddr *dst, uint16_t port);
	/* Gets our end of a stream whose other end libslirp takes for the connection. Owns it. */
	void (*divert)(void *opaque, const struct naddr *dst, uint16_t port, int fd);
	/* For INSPECT; may be NULL when that is never decided. */
	struct peeks *peeks;
	void *opaque;
};

/* Until this is called nothing is let out at all. */
void outlet_open(const struct outlet_setup *setup);

/* Whether libslirp's calls really come here: the linker was asked. */
bool outlet_is_bound(void);

/* IPPROTO_* of a socket; 0 of one of another family. */
uint8_t outlet_proto(int fd);

/* For our own sockets (name servers, published ports): past the outlet. */
int outlet_raw_connect(int fd, const struct sockaddr *to, socklen_t len);
ssize_t outlet_raw_send(int fd, const void *data, size_t size);
