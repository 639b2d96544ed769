// SPDX-License-Identifier: MIT
#include "ops.h"

/* A new kind of row: a line in enum op_kind, a line here, its apply() in a file of its concern,
 * its describe() in plan/describe.c. */
/* clang-format off */
const struct op_class op_classes[_OP_MAX] = {
	[OP_PIN]          = { op_pin_apply },
	[OP_NETNS_JOIN]   = { NULL },             /* run/netns.c */
	[OP_CLONE]        = { NULL },             /* run/parent.c */
	[OP_IDMAP]        = { op_idmap_apply },
	[OP_IDENTITY]     = { op_identity_apply },
	[OP_GUARD]        = { op_guard_apply },
	[OP_CGROUPNS]     = { op_cgroupns_apply },
	[OP_LOOPBACK]     = { op_loopback_apply },
	[OP_LINK]         = { op_link_apply },
	[OP_ADDRESS]      = { op_address_apply },
	[OP_NET_HELPER]   = { op_net_helper_apply },
	[OP_NET_READY]    = { op_net_ready_apply },
	[OP_HOSTNAME]     = { op_hostname_apply },
	[OP_PROPAGATION]  = { op_propagation_apply },
	[OP_ROOT]         = { op_root_apply },
	[OP_SYMLINK]      = { op_symlink_apply },
	[OP_BIND]         = { op_bind_apply },
	[OP_PROTECT]      = { op_protect_apply },
	[OP_HIDE]         = { op_hide_apply },
	[OP_TMPFS]        = { op_tmpfs_apply },
	[OP_SCRATCH]      = { op_scratch_apply },
	[OP_DATA]         = { op_data_apply },
	[OP_DEV]          = { op_dev_apply },
	[OP_PROC]         = { op_proc_apply },
	[OP_SYSFS]        = { op_sysfs_apply },
	[OP_MASK]         = { op_mask_apply },
	[OP_SYSCTL]       = { op_sysctl_apply },
	[OP_ROOT_ATTR]    = { op_root_attr_apply },
	[OP_MQUEUE]       = { op_mqueue_apply },
	[OP_PIVOT]        = { op_pivot_apply },
	[OP_RLIMIT]       = { op_rlimit_apply },
	[OP_NICE]         = { op_nice_apply },
	[OP_AFFINITY]     = { op_affinity_apply },
	[OP_IDLE]         = { op_idle_apply },
	[OP_SCOPE]        = { op_scope_apply },
	[OP_CGROUP]       = { op_cgroup_apply },
	[OP_KEYRING]      = { op_keyring_apply },
	[OP_BOUNDING]     = { op_bounding_apply },
	[OP_SECUREBITS]   = { op_securebits_apply },
	[OP_CAPSET]       = { op_capset_apply },
	[OP_NO_NEW_PRIVS] = { op_no_new_privs_apply },
	[OP_LANDLOCK]     = { op_landlock_apply },
	[OP_CHDIR]        = { op_chdir_apply },
	[OP_SECCOMP]      = { op_seccomp_apply },
	[OP_CLOSE_FDS]    = { op_close_fds_apply },
};
/* clang-format on */
