/* SPDX-License-Identifier: Apache-2.0 */
/* client_request.h - requests of ours to a client of the old era, and their answers.
 *
 * The question goes out on the stream of the call it belongs to; its answer is a POST of its own
 * that may reach any worker, and travels by letter to the one that asked. The id on the wire is a
 * handle beside a 128-bit nonce, and the owner looks at both, at the session and at the caller
 * again: an answer that is forged, late or somebody else's is dropped, and whoever sent it learns
 * nothing. A request is answered once.
 * Ownership: the struct is its user's, zeroed before and ended before its memory goes. Threads:
 * its worker's; client_request_answer() on the worker the answer came to. */
#ifndef SP_MCP_CLIENT_REQUEST_H
#define SP_MCP_CLIENT_REQUEST_H
#include "rpc.h"
#include "session.h"
#include "worker.h"

enum { CLIENT_REQUEST_NONCE = 16 };

typedef struct client_request {
    handle self; /* 0: not open */
    uint8_t nonce[CLIENT_REQUEST_NONCE];
    const uint8_t *sid; /* of the session that is asked; views */
    str caller_id;
    /* Exactly one of result and error is there; views until return. */
    void (*answered)(void *ctx, struct client_request *r, js_value result, js_value error);
    void *ctx;
} client_request;

/* Opens it; what it is called on the wire, without quotes. {0}: no handle is left. */
str client_request_open(mcp_worker *w, client_request *r, arena *a);
str client_request_id(const client_request *r, arena *a);
void client_request_end(mcp_worker *w, client_request *r); /* twice is fine */

/* A response that came from this caller in this session. */
void client_request_answer(mcp_worker *w, const session *s, str caller_id, const rpc_message *m);
#endif
