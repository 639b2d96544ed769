// SPDX-License-Identifier: MIT
/*
 * Trials: the steps every run depends on, done for real by a forked copy in namespaces of its own
 * (spawn_trial), which end with it. No mount of a trial is seen outside: all of it happens in a
 * mount namespace owned by a new user namespace, where propagation to the host is cut by the
 * kernel (mount_namespaces(7), "less privileged mount namespace").
 *
 * A trial is a list of steps; the copy returns which one failed with which errno, packed in an int,
 * and the parent, which may allocate and read, says what that means.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/host.h>
#include <sandbox/spawn.h>
#include <sandbox/sys.h>

#include "file.h"
#include "procfs.h"

#define TRIAL_MS      10000
#define HELPER_MS     5000
#define MOUNTINFO_MAX (8u << 20)
#define STEP_SHIFT    16
#define BOX_NAMESPACES                                                                             \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP)

/* --- steps, in the copy ---------------------------------------------------------------------- */

struct scene {
	uid_t uid;
	gid_t gid;
	int fs, tree; /* detached mounts */
};

static int put(const char *path, const char *text)
{
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int step_maps(struct scene *scene)
{
	char uid_map[32], gid_map[32];
	int r;

	(void)snprintf(uid_map, sizeof(uid_map), "%u %u 1\n", scene->uid, scene->uid);
	(void)snprintf(gid_map, sizeof(gid_map), "%u %u 1\n", scene->gid, scene->gid);
	r = put("/proc/self/uid_map", uid_map);
	if (r == 0)
		r = put("/proc/self/setgroups", "deny");
	return r < 0 ? r : put("/proc/self/gid_map", gid_map);
}

static int step_private(struct scene *scene)
{
	(void)scene;
	return sys_mount_propagation("/", MS_REC | MS_PRIVATE);
}

/* The attributes a run gives them: in a box of ours they are locked. */
enum { KERNEL_FS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

static int make_fs(struct scene *scene, const char *type, unsigned attrs)
{
	autofd int fs = sys_fsopen(type);
	int r = fs < 0 ? fs : sys_fsconfig_create(fs);

	if (r == 0)
		r = sys_fsmount(fs, attrs);
	if (r < 0)
		return r;
	scene->fs = r;
	return 0;
}

static int step_tmpfs(struct scene *scene)
{
	return make_fs(scene, "tmpfs", 0);
}

static int step_proc(struct scene *scene)
{
	return make_fs(scene, "proc", KERNEL_FS);
}

static int step_sysfs(struct scene *scene)
{
	return make_fs(scene, "sysfs", KERNEL_FS | MOUNT_ATTR_RDONLY);
}

static int step_clone_tree(struct scene *scene)
{
	scene->tree =
		sys_open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return scene->tree < 0 ? scene->tree : 0;
}

static int step_readonly(struct scene *scene)
{
	return sys_mount_setattr(scene->tree, AT_RECURSIVE,
				 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0);
}

/* The new root has to hang somewhere before pivot_root takes it: on "/" itself, which no host
 * lacks, and which pivot_root then moves away. */
static int step_attach(struct scene *scene)
{
	int r = sys_move_mount(scene->fs, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);

	if (r == 0 && mkdirat(scene->fs, "usr", 0755) < 0)
		r = -errno;
	return r < 0 ? r
		     : sys_move_mount(scene->tree, "", scene->fs, "usr", MOVE_MOUNT_F_EMPTY_PATH);
}

static int step_pivot(struct scene *scene)
{
	if (fchdir(scene->fs) < 0)
		return -errno;
	return sys_pivot_root(".", ".");
}

static int step_detach(struct scene *scene)
{
	(void)scene;
	return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

struct step {
	const char *what;
	int (*apply)(struct scene *scene);
};

static const struct step steps_namespaces[] = {
	{ "cannot write the id maps of a new user namespace", step_maps },
	{ NULL, NULL },
};
/* clang-format off */
static const struct step steps_mounts[] = {
	{ "cannot write the id maps of a new user namespace",    step_maps },
	{ "cannot make the mounts of a new namespace private",   step_private },
	{ "cannot make a tmpfs",                                 step_tmpfs },
	{ "cannot copy the mounts below '/usr' (open_tree)",     step_clone_tree },
	{ "cannot make a mount read-only (mount_setattr)",       step_readonly },
	{ "cannot attach a mount (move_mount)",                  step_attach },
	{ "cannot change the root directory (pivot_root)",       step_pivot },
	{ "cannot detach the old root directory",                step_detach },
	{ NULL, NULL },
};
/* clang-format on */
/* clang-format off */
static const struct step steps_proc[] = {
	{ "cannot write the id maps of a new user namespace", step_maps },
	{ "cannot mount a fresh /proc",                       step_proc },
	{ NULL, NULL },
};
/* clang-format on */
/* clang-format off */
static const struct step steps_sysfs[] = {
	{ "cannot write the id maps of a new user namespace", step_maps },
	{ "cannot mount a fresh /sys",                        step_sysfs },
	{ NULL, NULL },
};
/* clang-format on */

/* clang-format off */
static const struct trial {
	uint64_t flags;
	const struct step *steps;
} trials[] = {
	[HOST_TRIAL_NAMESPACES] = { BOX_NAMESPACES,                              steps_namespaces },
	[HOST_TRIAL_MOUNTS]     = { CLONE_NEWUSER | CLONE_NEWNS,                 steps_mounts },
	[HOST_TRIAL_PROC]       = { CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID,  steps_proc },
	[HOST_TRIAL_SYSFS]      = { CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET,  steps_sysfs },
};
/* clang-format on */

struct call {
	const struct trial *trial;
	uid_t uid;
	gid_t gid;
};

static int run_steps(const void *arg)
{
	const struct call *call = arg;
	struct scene scene = { .uid = call->uid, .gid = call->gid, .fs = -EBADF, .tree = -EBADF };
	const struct step *steps = call->trial->steps;

	for (int i = 0; steps[i].apply != NULL; i++) {
		int r = steps[i].apply(&scene);

		if (r < 0)
			return i << STEP_SHIFT | -r;
	}
	return 0;
}

/* --- what a failure means, in the parent ----------------------------------------------------- */

/* The first covered places, for the message: a fresh /proc or /sys is refused as long as any
 * mount hides part of the one outside (mount_too_revealing() in fs/namespace.c). */
static void covered_below(const char *top, char *out, size_t size)
{
	g_autofree char *text = NULL;

	out[0] = '\0';
	if (file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &text) == 0)
		procfs_list_below(text, top, out, size);
}

static int explain_covered(enum host_trial which, const char *what, int num, struct err *err)
{
	const char *top = which == HOST_TRIAL_PROC ? "/proc" : "/sys";
	struct host_confinement facts;
	char covered[320];

	host_confinement_probe(&facts);
	(void)err_set(err, ERR_PROC_MASKED, num, "%s", what);
	covered_below(top, covered, sizeof(covered));
	err_cause(err, "parts of the %s outside are covered by other mounts%s", top,
		  covered[0] != '\0' ? covered : ", or it is not mounted at all");
	if (strcmp(facts.container, "docker") == 0)
		return err_fix(err, "docker run --security-opt systempaths=unconfined ...");
	if (strcmp(facts.container, "podman") == 0)
		return err_fix(err, "podman run --security-opt unmask=ALL ...");
	if (strcmp(facts.container, "sandbox") == 0)
		return err_fix(err, "run the outer sandbox with --nested");
	return err_fix(err,
		       "start the container around this with an unmasked %s (Kubernetes: "
		       "procMount: Unmasked), or unmount what covers it",
		       top);
}

static int explain_step(enum host_trial which, int step, int num, struct err *err)
{
	const char *what = trials[which].steps[step].what;

	/* without the right to write its own map, the namespace was given without capabilities */
	if (step == 0) {
		(void)host_explain_userns(num, trials[which].flags, err);
		return -num;
	}
	if (num == ENOSYS) {
		(void)err_set(err, ERR_KERNEL, num, "%s", what);
		return err_cause(err,
				 "the kernel lacks the system call (Linux 5.12 is needed), or a "
				 "seccomp filter hides it");
	}
	if ((which == HOST_TRIAL_PROC || which == HOST_TRIAL_SYSFS) && num == EPERM)
		return explain_covered(which, what, num, err);
	if (num == EPERM || num == EACCES) {
		(void)host_explain_userns(num, trials[which].flags, err);
		(void)snprintf(err->what, sizeof(err->what), "%s", what);
		return -num;
	}
	return err_set(err, ERR_MOUNT, num, "%s", what);
}

int host_trial_run(enum host_trial which, struct err *err)
{
	struct call call = { .trial = &trials[which], .uid = geteuid(), .gid = getegid() };
	int answer = 0;
	int r = spawn_trial(call.trial->flags, run_steps, &call, &answer, TRIAL_MS);

	if (r == -ETIMEDOUT || r == -ECHILD)
		return err_set(err, ERR_NAMESPACE, r, "a trial of namespaces did not end well");
	if (r < 0)
		return host_explain_userns(r, call.trial->flags, err);
	if (answer == 0)
		return 0;
	return explain_step(which, answer >> STEP_SHIFT, answer & ((1 << STEP_SHIFT) - 1), err);
}

/* newuidmap PID 0 OWN 1 1 START COUNT */
static int run_helper(char *program, pid_t pid, uint32_t own, const struct subid_range *range,
		      struct err *err)
{
	char text[7][16], out[256], quoted[256];
	const uint32_t numbers[7] = { (uint32_t)pid, 0, own, 1, 1, range->start, range->count };
	char *argv[] = { program, text[0], text[1], text[2], text[3],
			 text[4], text[5], text[6], NULL };
	int r;

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		(void)snprintf(text[i], sizeof(text[i]), "%u", numbers[i]);
	r = spawn_run(argv, out, sizeof(out), HELPER_MS);
	if (r == 0)
		return 0;
	(void)err_set(err, ERR_SUBID_HELPER, r < 0 ? r : EPERM, "%s refused to map the range %u:%u",
		      program, range->start, range->count);
	if (r > 0 && out[0] != '\0')
		return err_cause(err, "it said: %s",
				 err_quote(quoted, sizeof(quoted), g_strchomp(out)));
	return -err->num;
}

int host_trial_ranges(const struct host *host, struct err *err)
{
	struct spawn spawn;
	int r = spawn_hold(&spawn, CLONE_NEWUSER);

	if (r < 0)
		return host_explain_userns(r, CLONE_NEWUSER, err);
	r = run_helper(host->newuidmap, spawn.pid, host->uid, &host->subuids[0], err);
	if (r == 0)
		r = run_helper(host->newgidmap, spawn.pid, host->gid, &host->subgids[0], err);
	(void)spawn_finish(&spawn, NULL, 0, 0);
	return r;
}
