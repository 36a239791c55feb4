/* SPDX-License-Identifier: Apache-2.0 */
/* net_address.h - host:port, and networks written as 10.0.0.0/8. No names are resolved. */
#ifndef SP_NET_ADDRESS_H
#define SP_NET_ADDRESS_H
#include "../base/arena.h"
#include <stdint.h>

typedef struct {
    str host; /* without brackets */
    unsigned port;
} net_address;
bool net_address_parse(str text, net_address *out);

typedef struct {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
} net_range;
bool net_range_parse(str text, net_range *out); /* an address alone is a range of one */
bool net_range_has(const net_range *r, str address);

/* The client behind proxies: the last address of X-Forwarded-For that is not one of `proxies`, when
 * the peer is one; otherwise the peer. A field that is no list of addresses is not believed from
 * there on. */
str net_client_address(const net_range *proxies, size_t count, str peer, str forwarded_for);
#endif
