/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

/* A batch of rtnetlink(7) requests: built up without allocation, sent as one datagram, each
 * acknowledged. A batch that is too long fails when it is sent, not before. */

enum { RTNL_MAX = 64 };

struct rtnl {
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[4096];
	size_t len;
	size_t begin;               /* of the message under construction */
	unsigned n;                 /* messages */
	const char *what[RTNL_MAX]; /* what each is for, for the error */
};

void rtnl_begin(struct rtnl *b, const char *what, uint16_t type, uint16_t flags, const void *head,
		size_t size);
void rtnl_attr(struct rtnl *b, uint16_t type, const void *data, size_t len);
void rtnl_u32(struct rtnl *b, uint16_t type, uint32_t value);
void rtnl_str(struct rtnl *b, uint16_t type, const char *text);
/* Bytes without a header, padded: the ifinfomsg in VETH_INFO_PEER. */
void rtnl_raw(struct rtnl *b, const void *data, size_t len);
size_t rtnl_nest(struct rtnl *b, uint16_t type);
void rtnl_nest_end(struct rtnl *b, size_t nest);

/* A socket for it in the network namespace of the caller, or negative errno. */
int rtnl_open(void);

/* Sends the batch and reads every answer. 0, or the first error, with *ret_what. */
int rtnl_commit(struct rtnl *b, int sock, const char **ret_what);
