/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * sandbox-seccomp turns what a user wrote about system calls into a program for seccomp(2), and
 * tells about system calls. It runs with the rights of the user who started it, as a child of the
 * launcher before the box exists, reads standard input, writes standard output, opens no file and
 * ends. It is a program of its own because libseccomp and jansson cost the launcher 0.2 ms at
 * every start, and because it reads what others wrote.
 *
 *   sandbox-seccomp compile [OPTION...] < PROFILE > ANSWER
 *       --base default|strict|open|profile   what is in force if no list names the call; "profile" is
 *                                            read from standard input (docker's or OCI's JSON)
 *       --action errno|kill|log              what lists and strict do to a refused call
 *       --deny LIST, --allow LIST            names, @groups, numbers; as often as wanted
 *       --caps HEX --kernel MAJOR*1000+MINOR what profiles may ask for
 *       --multiarch --nested                 variants of the default filter
 *   sandbox-seccomp list [@GROUP]
 *   sandbox-seccomp resolve [--arch AUDIT_ARCH] NAME|NUMBER...
 *   sandbox-seccomp check [OPTION...] < PROFILE
 *
 * The answer to compile is
 *
 *   sandbox-seccomp 1 COUNT FLAGS\n    number of instructions, SECCOMP_FILTER_FLAG_*, both decimal
 *   library DEV INODE SIZE MTIME PATH\n    of libseccomp: whoever keeps the answer looks whether it
 *                                          is still the same
 *   note TEXT\n                        any number, for the user
 *   \n
 *   COUNT struct sock_filter
 *
 * Exit status 0. What cannot be done is told on standard error, exit status 1:
 *
 *   at N\n         the Nth of --deny and --allow, in the order given; absent if it was none of them
 *   what TEXT\n
 *   cause TEXT\n
 *   fix TEXT\n
 *
 * The texts hold no control characters.
 */

enum { ANSWER_VERSION = 1, PROFILE_MAX = 1 << 20 };
