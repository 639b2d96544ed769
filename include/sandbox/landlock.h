/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/*
 * Landlock's words (landlock(7), Linux uapi/linux/landlock.h), under names of our own: the headers a
 * distribution has lag behind the kernels it may be run on. Each line of bits says which ABI
 * brought it; the kernel refuses a bit that it does not know.
 */

enum { LL_CREATE_VERSION = 1 };    /* flag of landlock_create_ruleset(2): answers the ABI */
enum { LL_RULE_PATH_BENEATH = 1 }; /* kind of rule */

#define LL_FS_EXECUTE     (UINT64_C(1) << 0)
#define LL_FS_WRITE_FILE  (UINT64_C(1) << 1)
#define LL_FS_READ_FILE   (UINT64_C(1) << 2)
#define LL_FS_READ_DIR    (UINT64_C(1) << 3)
#define LL_FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define LL_FS_REMOVE_FILE (UINT64_C(1) << 5)
#define LL_FS_MAKE_CHAR   (UINT64_C(1) << 6)
#define LL_FS_MAKE_DIR    (UINT64_C(1) << 7)
#define LL_FS_MAKE_REG    (UINT64_C(1) << 8)
#define LL_FS_MAKE_SOCK   (UINT64_C(1) << 9)
#define LL_FS_MAKE_FIFO   (UINT64_C(1) << 10)
#define LL_FS_MAKE_BLOCK  (UINT64_C(1) << 11)
#define LL_FS_MAKE_SYM    (UINT64_C(1) << 12)
#define LL_FS_REFER       (UINT64_C(1) << 13) /* 2, Linux 5.19 */
#define LL_FS_TRUNCATE    (UINT64_C(1) << 14) /* 3, Linux 6.2 */
#define LL_FS_IOCTL_DEV   (UINT64_C(1) << 15) /* 5, Linux 6.10 */

/* What a rule for something else than a directory may grant; EINVAL for more. */
#define LL_FS_OF_FILES \
	(LL_FS_EXECUTE | LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_TRUNCATE | LL_FS_IOCTL_DEV)

#define LL_NET_BIND_TCP    (UINT64_C(1) << 0) /* 4, Linux 6.7 */
#define LL_NET_CONNECT_TCP (UINT64_C(1) << 1)

#define LL_SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* 6, Linux 6.12 */
#define LL_SCOPE_SIGNAL        (UINT64_C(1) << 1)

#define LL_RESTRICT_LOG_SUBDOMAINS_OFF (1u << 2) /* 7, Linux 6.15 */

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes it if what it lacks is zero. */
struct ll_ruleset {
	uint64_t fs;     /* what no rule grants is denied, of these rights */
	uint64_t net;    /* the same */
	uint64_t scoped; /* what reaches no further than this domain and those inside it */
};

/* struct landlock_path_beneath_attr, the same in every ABI. */
struct ll_path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));
