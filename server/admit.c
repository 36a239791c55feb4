/* SPDX-License-Identifier: Apache-2.0 */
#include "admit.h"

static void answer_preflight(const admittance *a, exchange *x)
{
    str asked = exchange_header(x, S("access-control-request-headers"));
    const header allowed[] = {
        {S("Access-Control-Allow-Methods"), S("GET, POST, DELETE")},
        {S("Access-Control-Allow-Headers"), asked.n ? asked : S("Authorization, Content-Type")},
        {S("Access-Control-Max-Age"), S("600")},
        {{0}, {0}},
    };
    direct_reply(x, 204, allowed, (str){0}, a->finished, a->ctx);
}

bool admit(const admittance *a, exchange *x)
{
    str origin = exchange_header(x, S("origin"));
    record_text(exchange_record(x), FACT_DOOR,
                S("other")); /* a door that takes it says so itself */
    switch (gate_check(a->rules, a->loopback, exchange_host(x), origin, exchange_secure(x))) {
    case GATE_OPEN: break;
    case GATE_BAD_HOST:
        direct_refuse(x, 403, "this Host is not served here", a->finished, a->ctx);
        return false;
    case GATE_BAD_ORIGIN:
        direct_refuse(x, 403, "this Origin is not allowed", a->finished, a->ctx);
        return false;
    }
    if (!origin.p) return true;
    exchange_add_header(x, S("Access-Control-Allow-Origin"), origin);
    exchange_add_header(x, S("Access-Control-Expose-Headers"),
                        S("Mcp-Session-Id, WWW-Authenticate"));
    exchange_add_header(x, S("Vary"), S("Origin"));
    if (!str_eq(exchange_method(x), S("OPTIONS"))) return true;
    answer_preflight(a, x);
    return false;
}
