/* SPDX-License-Identifier: Apache-2.0 */
/* offer.h - what a server said it has, when it was last shaken hands with.
 *
 * A server is not asked for what it does not offer: a list it does not have is empty, and our own
 * handshakes name what the servers behind them have. Before its first handshake a server may have
 * anything. Tools are always asked for: there are servers that have them and do not say so.
 * Threads: any. */
#ifndef SP_MCP_OFFER_H
#define SP_MCP_OFFER_H
#include "../base/json.h"
#include "upstream.h"

enum {
    OFFER_KNOWN = 1 << 0, /* it was asked */
    OFFER_PROMPTS = 1 << 1,
    OFFER_RESOURCES = 1 << 2,
    OFFER_COMPLETIONS = 1 << 3,
    OFFER_LOGS = 1 << 4, /* not of OFFER_ALL: nobody is refused for it */
    OFFER_ALL = OFFER_PROMPTS | OFFER_RESOURCES | OFFER_COMPLETIONS
};

enum { INSTRUCTIONS_MOST = 16 << 10 };

unsigned offer_of(const upstream *u); /* OFFER_ALL while it is not known */
bool offer_is_known(const upstream *u);
bool offer_logs(const upstream *u); /* it said so */
/* The result of initialize or server/discover. */
void offer_heard(upstream *u, js_value result);
/* What it told models at its last handshake, if its spec hands that on: in the arena; {0}: nothing,
 * or more than INSTRUCTIONS_MOST bytes. */
str offer_instructions(upstream *u, arena *a);
/* May this method be asked of it? */
bool offer_covers(const upstream *u, str method);
#endif
