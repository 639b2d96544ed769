// SPDX-License-Identifier: MIT
/*
 * -p ...,src=keep: connections in the box whose source is the client outside. The agent's sockets for
 * them carry a mark (netctl.h). What has it is the box's own, whatever address it is for: it goes to
 * "lo" and comes back in there. Answers have the mark too: accepted sockets by tcp_fwmark_accept,
 * resets by fwmark_reflect (the plan sets both), so nothing of it is routed to the interface.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <sys/socket.h>

#include <sandbox/fd.h>
#include <sandbox/netctl.h>

#include "ops.h"
#include "rtnl.h"

enum { TABLE = 100, LOOPBACK = 1 }; /* the index of "lo" in every network namespace */

static void put(struct rtnl *b, uint8_t family)
{
	const struct fib_rule_hdr rule = { .family = family,
					   .table = TABLE,
					   .action = FR_ACT_TO_TBL };
	const struct rtmsg route = { .rtm_family = family,
				     .rtm_table = TABLE,
				     .rtm_protocol = RTPROT_STATIC,
				     .rtm_scope = RT_SCOPE_HOST,
				     .rtm_type = RTN_LOCAL };

	rtnl_begin(b, "a rule for marked packets", RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &rule,
		   sizeof(rule));
	rtnl_u32(b, FRA_FWMARK, NETCTL_KEEP_MARK);
	rtnl_begin(b, "their route", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route,
		   sizeof(route));
	rtnl_u32(b, RTA_OIF, LOOPBACK);
}

int op_keep_source_apply(const struct op *op, struct run *run, struct err *err)
{
	autofd int sock = rtnl_open();
	struct rtnl b = { .len = 0 };
	const char *what = "";
	int r = sock;

	(void)run;
	put(&b, AF_INET);
	if (op->u.keep_source.ipv6)
		put(&b, AF_INET6);
	if (r >= 0)
		r = rtnl_commit(&b, sock, &what);
	if (r == 0)
		return 0;
	(void)err_set(err, ERR_NETNS, r, "cannot set %s, for src=keep", what);
	return err_fix(err, "leave src=keep out: the server sees its clients as from inside then");
}
