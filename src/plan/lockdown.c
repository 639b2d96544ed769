// SPDX-License-Identifier: MIT
/*
 * The order of locking down, and why:
 *
 *   limits        before anything could use them up; NPROC counts in the new user namespace
 *   keyring       a new session keyring: no namespace covers the caller's
 *   bounding set  needs CAP_SETPCAP, so before the capabilities go
 *   securebits    the same
 *   capset        what remains is read back and compared
 *   no_new_privs  after that nothing can raise them again by exec
 *   Landlock      needs no_new_privs, and the finished tree; with --allow-new-privs it needs
 *                 CAP_SYS_ADMIN in its place, and comes before the capset; with a shared PID
 *                 namespace it is the command's process that enters the domain, so that the first
 *                 one stays out of its reach
 *   chdir         with the command's own rights, and checked to lie inside the new root
 *   calls         with a shared PID namespace, those on other processes
 *   seccomp       last: from here on only the command's start and PID 1's loop. Without
 *                 no_new_privs it needs CAP_SYS_ADMIN, so before the capabilities go; what follows
 *                 then is in every filter
 *   descriptors   in the command's own process
 *   own filter    the user's, in the command's own process: nothing but execve comes after it
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/resource.h>

#include "build.h"

#define CAP(c) (UINT64_C(1) << CAP_##c)

/* What root inside needs for su, chown, apt and adduser: docker's working set, less what only
 * devices and raw sockets need. */
static const uint64_t root_caps = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) |
				  CAP(KILL) | CAP(SETGID) | CAP(SETUID) | CAP(SETPCAP) |
				  CAP(SYS_CHROOT) | CAP(NET_BIND_SERVICE) | CAP(SETFCAP);
static const uint64_t all_caps = (UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1;

/* An own-uid box: uid 0 is nobody special, and that is final. */
static const unsigned user_securebits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
					SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
					SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
					SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

/* Root inside was asked for, by an option or by the view; real root in its own-uid box is not. */
static bool root_inside(const struct build *b)
{
	const struct spec *s = b->spec;

	return b->uid == 0 && (s->user_set || s->view == VIEW_ROOTFS || s->userns == USERNS_ROOT ||
			       s->userns == USERNS_AUTO || s->userns == USERNS_MAP);
}

uint64_t plan_capabilities(const struct build *b)
{
	const struct spec *s = b->spec;
	uint64_t set = root_inside(b) ? root_caps : 0;

	if (s->cap_drop_all)
		set = 0;
	if (s->cap_add_all)
		set = all_caps;
	return (set | s->cap_add) & ~s->cap_drop;
}

/* What the command may ever hold: with --allow-new-privs a set-user-id program of the root
 * directory may get root's set. */
static uint64_t bounding(const struct build *b)
{
	return b->spec->allow_new_privs && b->spec->view == VIEW_ROOTFS && !root_inside(b)
		       ? b->caps | root_caps
		       : b->caps;
}

static void plan_bounding(struct build *b, bool root, bool by_ambient, unsigned bits)
{
	struct op *op = plan_add(b, OP_BOUNDING, STAGE_LOCKDOWN, b->spec->origin[OPT_CAP_ADD]);

	op->u.bounding.keep = bounding(b);
	/* the ambient set is raised after the securebits are set */
	if (by_ambient && b->caps && !b->spec->securebits_set)
		bits &= ~(unsigned)(SECBIT_NO_CAP_AMBIENT_RAISE |
				    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
	if (b->spec->securebits_set || !root) {
		op = plan_add(b, OP_SECUREBITS, STAGE_LOCKDOWN, b->spec->origin[OPT_SECUREBITS]);
		op->u.securebits.bits = bits;
	}
}

static void plan_caps(struct build *b)
{
	uint64_t keep = b->caps, strong = keep & (CAP(SYS_ADMIN) | CAP(SYS_PTRACE));
	bool root = root_inside(b);
	unsigned bits = b->spec->securebits_set ? b->spec->securebits : root ? 0 : user_securebits;
	bool by_ambient = !root || (bits & SECBIT_NOROOT);
	struct op *op;

	if (strong)
		plan_notice(
			b,
			"with CAP_SYS_ADMIN or CAP_SYS_PTRACE the command can undo read-only and "
			"hidden places, masks and the rest of its confinement%s",
			b->host->euid == 0 ? ", and is root on this host" : "");
	/* without a user namespace only root has CAP_SETPCAP, and nobody else anything to drop */
	if (!b->plan->landlock_only || b->host->euid == 0)
		plan_bounding(b, root, by_ambient, bits);
	if (b->spec->allow_new_privs)
		plan_landlock(b, STAGE_LOCKDOWN);
	op = plan_add(b, OP_CAPSET, STAGE_LOCKDOWN, b->spec->origin[OPT_CAP_ADD]);
	op->u.capset.permitted = keep;
	/* to load the command's own filter without no_new_privs; exec takes it, as it is in no other set */
	if (b->spec->allow_new_privs && plan_own_filter(b, bounding(b)))
		op->u.capset.permitted |= CAP(SYS_ADMIN);
	op->u.capset.inheritable = by_ambient ? keep : 0;
	op->u.capset.ambient = by_ambient ? keep : 0;
}

static void plan_chdir(struct build *b)
{
	const char *dir = b->spec->workdir;
	struct op *op;

	if (!dir)
		dir = b->spec->view == VIEW_ROOTFS ? "/"
		      : b->cwd                     ? b->cwd
		      : b->home                    ? b->home
						   : "/";
	op = plan_add(b, OP_CHDIR, STAGE_LOCKDOWN, b->spec->origin[OPT_WORKDIR]);
	op->u.chdir.path = dir;
}

/* Without a PID namespace there are processes outside to be reached by more than signals and tracing,
 * which Landlock keeps inside. Where it stands the seccomp filter could stand, for the same reasons. */
static void plan_calls(struct build *b)
{
	struct op *op;

	if (b->plan->pid_namespace || b->plan->landlock_only)
		return;
	op = plan_add(b, OP_CALLS, STAGE_LOCKDOWN, b->spec->origin[OPT_SHARE]);
	op->u.calls.processes = true;
}

int plan_lockdown(struct build *b, struct err *err)
{
	int r = plan_landlock_check(b, err);
	struct op *op;

	plan_rlimits(b);
	(void)plan_add(b, OP_KEYRING, STAGE_LOCKDOWN, 0);
	if (b->spec->allow_new_privs) {
		plan_calls(b);
		plan_seccomp(b, STAGE_LOCKDOWN, bounding(b));
	}
	plan_caps(b);
	if (!b->spec->allow_new_privs) {
		(void)plan_add(b, OP_NO_NEW_PRIVS, STAGE_LOCKDOWN, 0);
		if (b->plan->pid_namespace)
			plan_landlock(b, STAGE_LOCKDOWN);
	}
	plan_chdir(b);
	plan_ulimits(b);
	if (!b->spec->allow_new_privs && !b->plan->pid_namespace)
		plan_landlock(b, STAGE_HANDOFF);
	if (!b->spec->allow_new_privs) {
		plan_calls(b);
		plan_seccomp(b, STAGE_LOCKDOWN, bounding(b));
	}
	op = plan_add(b, OP_CLOSE_FDS, STAGE_HANDOFF, b->spec->origin[OPT_PRESERVE_FDS]);
	op->u.fds.keep = (const int *)(const void *)b->spec->preserve_fds->data;
	op->u.fds.n = b->spec->preserve_fds->len;
	return r < 0 ? r : plan_filter(b, bounding(b), err);
}
