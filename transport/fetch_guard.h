/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_guard.h - which addresses a URL that we did not write ourselves may lead to.
 *
 * Only globally reachable unicast: no loopback, private, link-local (the cloud's metadata service
 * is one), shared, benchmark, documentation, multicast or reserved range of IANA's registries,
 * and no IPv4 address in an IPv6 wrapper (mapped, NAT64, 6to4, Teredo). Pure. */
#ifndef SP_FETCH_GUARD_H
#define SP_FETCH_GUARD_H
#include <stdbool.h>
#include <sys/socket.h>

bool fetch_may_reach(const struct sockaddr *address);
#endif
