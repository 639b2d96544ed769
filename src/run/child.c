// SPDX-License-Identifier: MIT
/*
 * The child's life up to PID 1's loop. It is a copy of the launcher in new namespaces, with all
 * capabilities in the new user namespace and none outside, until LOCKDOWN takes them. Nothing
 * here parses, allocates or asks the name services; every failure goes over the wire and ends it.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/wire.h>

#include "run.h"

enum { CHILD_FAILED = 125 };

static int await(struct run *run, enum stage stage, struct err *err)
{
	struct wire_msg msg;
	int r = wire_recv(run->wire, &msg, NULL, 0);

	if (r == 0 && (msg.kind != WIRE_PROCEED || msg.value != (int)stage))
		r = -EBADMSG;
	return r < 0 ? err_set(err, ERR_DIED, r, "the launcher did not answer before %s",
			       stage_name(stage))
		     : 0;
}

static int idmap(struct run *run, struct err *err)
{
	return run->plan->wait_maps ? await(run, STAGE_IDMAP, err)
				    : stage_walk(run, STAGE_IDMAP, err);
}

/* --block-fd: everything is ready, the command is not started. */
static int hold(struct run *run, struct err *err)
{
	int r;

	if (!run->plan->wait_start)
		return 0;
	r = wire_send(run->wire, WIRE_REACHED, STAGE_LOCKDOWN, NULL, -1);
	if (r < 0)
		return err_set(err, ERR_DIED, r, "the launcher is gone");
	return await(run, STAGE_HANDOFF, err);
}

void child_main(struct run *run)
{
	struct err err = { 0 };
	int r;

	run->umask = umask(0);
	r = idmap(run, &err);
	if (r == 0)
		r = stage_walk(run, STAGE_BUILD, &err);
	if (r == 0)
		r = limiter_start(run, &err);
	if (r == 0)
		r = stage_walk(run, STAGE_LOCKDOWN, &err);
	if (r == 0)
		r = limiter_wait(run, &err);
	if (r == 0)
		r = hold(run, &err);
	if (r == 0) {
		r = wire_send(run->wire, WIRE_REACHED, STAGE_HANDOFF, NULL, -1);
		if (r == 0)
			init_main(run);
		(void)err_set(&err, ERR_DIED, r,
			      "the launcher cannot be told that the box is ready");
	}
	(void)wire_send(run->wire, WIRE_FAILED, 0, &err, -1);
	_exit(CHILD_FAILED);
}
