/* SPDX-License-Identifier: Apache-2.0 */
/* request_state.h - what a modern client carries from one round of a call to the next.
 *
 * It is in the hands of an attacker, so it is sealed, and good only for the caller, the endpoint
 * and the very call it was made for (method, subject, arguments), for a while. Whatever is wrong
 * with one, the client hears the same. It can be used again within that while where the server
 * behind it keeps no state here; what is parked in this process counts its rounds itself.
 * (MCP 2026-07-28 basic/patterns, multi round-trip requests.) Pure. Threads: any. */
#ifndef SP_MCP_REQUEST_STATE_H
#define SP_MCP_REQUEST_STATE_H
#include "../authz/seal.h"
#include "../base/handle.h"
#include "../base/json.h"

enum { STATE_NONCE = 16, STATE_THEIRS_MOST = 64 << 10, STATE_LIFE_MS = 10 * 60 * 1000 };

typedef enum {
    STATE_UPSTREAM = 1, /* the server's own state, in `theirs` */
    STATE_PARKED,       /* a call that waits here: `parked`, `nonce`, `instance` */
    STATE_AGAIN,        /* nothing waits: the call is made anew */
    STATE_TASK,         /* no round: a task of a server's, in `theirs` */
    STATE_ASKED         /* the server gave none, and waits for answers alone */
} state_kind;

typedef struct {
    state_kind kind;
    unsigned round; /* how many came before; 0 to 255 */
    int64_t expires_ms;
    str theirs; /* unescaped */
    uint64_t instance;
    handle parked;
    bool paid; /* the call was: `nonce` is its ticket (ticket.h); not with PARKED */
    uint8_t nonce[STATE_NONCE];
} request_state;

/* What a state is good for. */
typedef struct {
    str caller_id, endpoint, method, subject;
    js_value arguments;
} state_bond;

/* {0}: `theirs` is too long. */
str state_seal(const sealer *s, arena *a, const request_state *made, const state_bond *bond);
MUST_CHECK bool state_open(const sealer *s, arena *a, str text, const state_bond *bond,
                           int64_t now_ms, request_state *out);
#endif
