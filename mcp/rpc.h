/* SPDX-License-Identifier: Apache-2.0 */
/* rpc.h - one JSON-RPC message of MCP, read from checked bytes and written.
 *
 * The id is kept as its bytes: 1 and "1" are two ids, and both go back as they came.
 * Reading never fails in silence: what cannot be served is an rpc_refusal that says which HTTP
 * status, code and text the client is told.
 * Ownership: a message holds views of the checked text; texts of refusals are static or of
 * the arena. Threads: any. */
#ifndef SP_MCP_RPC_H
#define SP_MCP_RPC_H
#include "../base/json.h"

enum {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL = -32603,
    RPC_HEADER_MISMATCH = -32020,
    RPC_MISSING_CAPABILITY = -32021,
    RPC_UNSUPPORTED_VERSION = -32022,
    RPC_SESSION_NOT_FOUND = -32001, /* what clients of the old era know */
    RPC_RESOURCE_NOT_FOUND = -32002,
    RPC_URL_ELICITATION = -32042,
    RPC_UNAUTHENTICATED = 401, /* application codes are outside -32768..-32000 */
    RPC_FORBIDDEN = 403,
    RPC_LIMITED = 429
};

typedef enum { RPC_REQUEST, RPC_NOTIFICATION, RPC_RESPONSE } rpc_kind;

typedef struct {
    rpc_kind kind;
    str id;                 /* raw; {0}: a notification, or it could not be read */
    str method;             /* unescaped */
    js_value params;        /* an object, or absent */
    js_value result, error; /* of a response; one of them is absent */
} rpc_message;

typedef struct {
    int status, code;
    str text;
    str data;        /* JSON, or {0} */
    int64_t retry_s; /* Retry-After; 0: none */
} rpc_refusal;

/* 429, with when to come again; retry_ms 0: never, as it is. */
rpc_refusal rpc_limited(arena *a, str text, int64_t retry_ms);

/* `body` to a checked value; false: *no says why not. */
MUST_CHECK bool rpc_check(arena *a, str body, unsigned depth, js_value *root, rpc_refusal *no);
/* One message of a checked value. Even when refused, out->id is set if it could be read. */
MUST_CHECK bool rpc_read(arena *a, js_value root, rpc_message *out, rpc_refusal *no);

void rpc_write_error(buf *b, str id, const rpc_refusal *no);
/* {"jsonrpc":"2.0","id":…,"result": and after the result's bytes, rpc_close_result(). */
void rpc_open_result(buf *b, str id);
void rpc_close_result(buf *b);
/* {"jsonrpc":"2.0","method":…,"params": and after the params' bytes, rpc_close_result(). */
void rpc_open_notice(buf *b, str method);
#endif
