/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_guard.c - two tables from IANA's special-purpose address registries (RFC 6890).
 *
 * IPv6 is turned round: global unicast is 2000::/3, everything else is refused, and then a few
 * ranges within it. */
#include "fetch_guard.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint32_t net;
    unsigned bits;
} range4;

typedef struct {
    unsigned char net[8];
    unsigned bits;
} range6;

#define IP4(a, b, c, d)                                                                            \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* clang-format off */
static const range4 closed4[] = {
    {IP4(0, 0, 0, 0), 8},       {IP4(10, 0, 0, 0), 8},      {IP4(100, 64, 0, 0), 10},
    {IP4(127, 0, 0, 0), 8},     {IP4(169, 254, 0, 0), 16},  {IP4(172, 16, 0, 0), 12},
    {IP4(192, 0, 0, 0), 24},    {IP4(192, 0, 2, 0), 24},    {IP4(192, 31, 196, 0), 24},
    {IP4(192, 52, 193, 0), 24}, {IP4(192, 88, 99, 0), 24},  {IP4(192, 168, 0, 0), 16},
    {IP4(192, 175, 48, 0), 24}, {IP4(198, 18, 0, 0), 15},   {IP4(198, 51, 100, 0), 24},
    {IP4(203, 0, 113, 0), 24},  {IP4(224, 0, 0, 0), 3},     /* multicast, reserved, broadcast */
    {IP4(168, 63, 129, 16), 32},                            /* Azure's platform service */
};
static const range6 closed6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},             /* Teredo, ORCHID, benchmarking … */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
    {{0x20, 0x02}, 16},                         /* 6to4 holds an IPv4 address */
    {{0x3f, 0xff}, 20},                         /* documentation */
};
/* clang-format on */

static bool may_reach4(uint32_t address)
{
    for (size_t i = 0; i < sizeof closed4 / sizeof *closed4; i++) {
        uint32_t mask = ~(uint32_t)0 << (32 - closed4[i].bits);
        if ((address & mask) == closed4[i].net) return false;
    }
    return true;
}

static bool within6(const unsigned char *address, const range6 *r)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(address, r->net, whole) != 0) return false;
    return rest == 0 || (address[whole] ^ r->net[whole]) >> (8 - rest) == 0;
}

static bool may_reach6(const unsigned char *address)
{
    if (address[0] >> 5 != 1) return false; /* 2000::/3 */
    for (size_t i = 0; i < sizeof closed6 / sizeof *closed6; i++)
        if (within6(address, &closed6[i])) return false;
    return true;
}

bool fetch_may_reach(const struct sockaddr *address)
{
    const void *any = address;
    if (address->sa_family == AF_INET)
        return may_reach4(ntohl(((const struct sockaddr_in *)any)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return may_reach6(((const struct sockaddr_in6 *)any)->sin6_addr.s6_addr);
    return false;
}
