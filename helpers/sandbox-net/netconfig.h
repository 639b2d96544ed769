/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "filter.h"

/*
 * What the launcher wants, read from a key file in a sealed memfd. One table of groups and keys;
 * an unknown group or key is an error, so that launcher and helper cannot drift apart in silence.
 *
 *   [link]    mtu, mac
 *   [ipv4]    address, gateway, dns, prefix
 *   [ipv6]    the same; the group is absent where IPv6 is off
 *   [dns]     resolv (text of a resolv.conf), servers, hosts ("NAME ADDRESS;..."), search
 *   [host]    ports ("80-80/tcp;53-53/udp;")
 *   [egress]  rules ("allow tcp 192.0.2.0/24 443;...")
 *   [publish] ports, one number for each NETCTL_LISTEN ("tcp 80;udp 53;")
 *   [limits]  tcp-flows, udp-flows
 */
struct config {
	unsigned mtu;
	struct filter_box box;
	struct naddr gateway4, gateway6, dns4, dns6; /* family 0: absent */
	unsigned prefix4, prefix6;
	char *resolv;
	char **dns_servers, **dns_hosts; /* --dns, --add-host; may be NULL */
	char **rules;
	char **publish;
	struct {
		unsigned first, last;
		bool udp;
	} * host_ports;
	size_t nhost_ports;
	unsigned tcp_flows, udp_flows;
};

enum { CONFIG_MAX = 1 << 20 };

/* 0, or -EINVAL with fault[size]: one line that names group and key. */
int config_parse(struct config *ret, const char *text, size_t len, char *fault, size_t size);
int config_read(struct config *ret, int fd, char *fault, size_t size);
void config_clear(struct config *config);
