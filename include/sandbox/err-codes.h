/* SPDX-License-Identifier: MIT */
/* No include guard: included with ERR(id, name, exit status, summary) defined (err.h, err.c).
 * The codes are stable: scripts match them. Every row is documented in sandbox-errors(7). */

/* what the user wrote */
ERR(USAGE,           "E-USAGE",            125, "the command line cannot be understood")
ERR(OPTION_UNKNOWN,  "E-OPTION-UNKNOWN",   125, "no such option or profile key")
ERR(OPTION_LATER,    "E-OPTION-LATER",     125, "the option is known but not part of this version")
ERR(VALUE,           "E-VALUE",            125, "the value of an option has the wrong form or range")
ERR(CONFLICT,        "E-CONFLICT",         125, "two options contradict each other")
ERR(PROFILE,         "E-PROFILE",          125, "a profile cannot be found, read or understood")
ERR(FILE,            "E-FILE",             125, "a file named by an option cannot be read or written")
ERR(FD,              "E-FD",               125, "a descriptor named by an option is not open or not usable")

/* the command */
ERR(NOT_EXECUTABLE,  "E-NOT-EXECUTABLE",   126, "the command was found but cannot be executed")
ERR(NOT_FOUND,       "E-NOT-FOUND",        127, "the command does not exist inside the box")

/* paths and mounts */
ERR(SOURCE,          "E-SOURCE",           125, "the source of a volume or root directory is missing or of the wrong kind")
ERR(DEST,            "E-DEST",             125, "a mount point is missing or cannot be made without touching the host's files")
ERR(RACE,            "E-RACE",             125, "a path changed between the moment it was checked and the moment it was used")
ERR(MOUNT,           "E-MOUNT",            125, "a mount was refused by the kernel")
ERR(PROC_MASKED,     "E-PROC-MASKED",      125, "a fresh /proc or /sys was refused because the one outside is covered in part")
ERR(WORKDIR,         "E-WORKDIR",          125, "the working directory cannot be entered inside the box")

/* namespaces and identity */
ERR(USERNS_APPARMOR, "E-USERNS-APPARMOR",  125, "AppArmor refuses user namespaces to this program")
ERR(USERNS_SYSCTL,   "E-USERNS-SYSCTL",    125, "a sysctl switches user namespaces off for ordinary users")
ERR(USERNS_QUOTA,    "E-USERNS-QUOTA",     125, "the quota of namespaces is used up or zero")
ERR(USERNS_CHROOT,   "E-USERNS-CHROOT",    125, "user namespaces cannot be made from inside a chroot")
ERR(USERNS_DENIED,   "E-USERNS-DENIED",    125, "a seccomp filter, LSM or container refuses namespaces")
ERR(NAMESPACE,       "E-NAMESPACE",        125, "a namespace could not be made or joined")
ERR(NETNS,           "E-NETNS",            125, "the network namespace cannot be joined or set up")
ERR(NET_LINK,        "E-NET-LINK",         125, "no network interface can be made for the box")
ERR(NET_ADDRESS,     "E-NET-ADDRESS",      125, "no free network addresses, or one that cannot be used")
ERR(NET_BOX,         "E-NET-BOX",          125, "a network of boxes cannot be joined")
ERR(PUBLISH,         "E-PUBLISH",          125, "a port of the host cannot be published")
ERR(NET_HELPER,      "E-NET-HELPER",       125, "the network helper is missing, failed or ended")
ERR(SUBID_NONE,      "E-SUBID-NONE",       125, "the user has no subordinate ids and they are needed")
ERR(SUBID_HELPER,    "E-SUBID-HELPER",     125, "newuidmap or newgidmap is missing, unprivileged or refused the map")
ERR(IDMAP,           "E-IDMAP",            125, "the id map is not valid or was refused")
ERR(IDENTITY,        "E-IDENTITY",         125, "the user or group could not be taken on inside the box")

/* confinement and the process */
ERR(CAPS,            "E-CAPS",             125, "capabilities or securebits could not be set")
ERR(LOCKDOWN,        "E-LOCKDOWN",         125, "a protection could not be applied")
ERR(SECCOMP,         "E-SECCOMP",          125, "the system call filter asked for cannot be made")
ERR(LIMIT,           "E-LIMIT",            125, "a limit cannot be enforced")
ERR(TTY,             "E-TTY",              125, "the terminal could not be set up")
ERR(KERNEL,          "E-KERNEL",           125, "the kernel lacks something that is needed")
ERR(NOMEM,           "E-NOMEM",            125, "out of memory or processes")
ERR(DIED,            "E-DIED",             125, "the box ended before the command was started")
ERR(INTERNAL,        "E-INTERNAL",         125, "a defect of sandbox itself")
