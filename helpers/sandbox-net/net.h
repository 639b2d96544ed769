/* SPDX-License-Identifier: MIT */
#pragma once

#include <libslirp.h>
#include <stdbool.h>
#include <stdint.h>

#include "netconfig.h"
#include "dns.h"
#include "filter.h"
#include "hostaddr.h"
#include "link.h"
#include "log.h"
#include "names.h"
#include "peers.h"
#include "pollset.h"
#include "relay.h"
#include "talks.h"

/* The whole helper. Rooms know their own struct; this one is for loop.c, slirp.c, control.c. */
struct net {
	struct config config;
	struct filter filter;
	struct hostaddr hostaddr;
	struct talks talks;
	struct link link;
	struct names *names;
	struct dns *dns;
	struct relay *relay;
	struct peers *peers; /* NULL: --network user */
	struct rules *rules;
	struct log *log;
	struct slirp_glue *slirp;
	int exit, control;
	int exit_index, control_index;
	bool leave;       /* as soon as what is there has been passed on, ... */
	int64_t leave_by; /* ... and not later */
	int64_t now;
	unsigned frames;            /* of the box's, counted to look at memory now and then */
	bool heavy;                 /* more memory is in use than the box should cost */
	int64_t told_heavy;         /* when that was said last; 0: never */
	uint8_t buf[FRAME_MAX + 1]; /* the frame at hand; a longer one shows by its length */
};

/* control.c: messages of the launcher. */
void control_fill(struct net *net, struct pollset *set);
void control_handle(struct net *net, const struct pollset *set);

/* loop.c */
int64_t loop_now(void);
void loop_run(struct net *net);
/* names_setup.refused */
void loop_refused_name(void *opaque, const char *name, const struct naddr *a, enum names_why why);
/* dns_setup.flooded */
void loop_flooded(void *opaque);
/* dns_reply: an answer as a frame. */
void loop_reply(void *opaque, const struct dns_client *client, const uint8_t *data, size_t len);

/* slirp.c: libslirp. */
struct slirp_glue *slirp_open(struct net *net);
void slirp_close(struct slirp_glue *glue);
/* A frame that the filter has passed. */
void slirp_take(struct slirp_glue *glue, const uint8_t *p, size_t len);
/* With `hold`, its sockets are left alone: the box does not take frames. */
void slirp_fill(struct slirp_glue *glue, struct pollset *set, bool hold);
void slirp_handle(struct slirp_glue *glue, const struct pollset *set);
/* Whether something of the box's waits to be written to a socket, as of slirp_fill(). */
bool slirp_is_full(const struct slirp_glue *glue);
/* The sockets it has for `proto`. */
unsigned slirp_flows(const struct slirp_glue *glue, uint8_t proto);
