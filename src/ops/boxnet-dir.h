/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/boxnet.h>

/* The directory of a network of boxes, and what lies in it: see boxnet.h. Everything but
 * boxnet_dir_open() is called with the lock held. */

/* Opens RUNTIME/network/NAME, made where it is missing, and locks it. */
int boxnet_dir_open(struct boxnet *net, const struct boxnet_want *want, struct err *err);

/* Waits for the lock of a directory; -ETIMEDOUT. */
int boxnet_dir_lock(int dir);
void boxnet_dir_unlock(int dir);

/* Removes what dead members have left. The number of those alive. */
unsigned boxnet_dir_sweep(int dir);

/* The same for all networks beside this one, and the directories of those that nobody is in: when all
 * members of one were killed, nobody may ever come for its name again. */
void boxnet_dir_sweep_others(const struct boxnet *net);

/* The hello of the member with this number into ret[NETCTL_HELLO_MAX]; false: there is none. */
bool boxnet_dir_read(int dir, unsigned number, char *ret);

/* Makes and locks the lease of this number: the descriptor that holds it. */
int boxnet_dir_lease(int dir, unsigned number, const char *hello);
void boxnet_dir_release(int dir, unsigned number);

/* The network that is written down; 0: none that could be one of ours. */
uint32_t boxnet_dir_subnet(int dir);
int boxnet_dir_set_subnet(int dir, uint32_t network);

/* Removes the directory if nobody is left in it. */
void boxnet_dir_remove(const struct boxnet *net);
