/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - IP addresses and address ranges as values: net.IP and net.CIDR.
 *
 * An IPv4 address inside IPv6 (::ffff:a.b.c.d) is one address with two spellings, and a rule about
 * one must hold for the other: in hexadecimal it becomes the IPv4 address it is, in dotted form
 * it is refused, and in a range it is refused in both. Zones (%eth0) are refused. */
#ifndef SP_CEL_NETWORK_H
#define SP_CEL_NETWORK_H
#include "value.h"

typedef struct cel_net {
    uint8_t bytes[16]; /* an IPv4 address is in the first four, the rest is zero */
    uint8_t size;      /* 4 or 16 */
    uint8_t prefix;    /* of a CIDR, in bits; of an IP 0 */
} cel_net;

bool cel_net_parse_ip(str s, cel_net *out);
bool cel_net_parse_cidr(str s, cel_net *out); /* bits past the prefix are kept */
bool cel_net_same(const cel_net *a, const cel_net *b);
str cel_net_text(arena *a, cel_value v); /* as RFC 5952 writes it */

/* What an address can be asked; `op` in its rows of the library. */
typedef enum {
    NET_UNSPECIFIED,
    NET_LOOPBACK,
    NET_GLOBAL_UNICAST,
    NET_LINK_LOCAL_MULTICAST,
    NET_LINK_LOCAL_UNICAST
} cel_net_kind;
#endif
