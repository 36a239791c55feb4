/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.h - how each era says the same request and the same answer.
 *
 * Inside, everything is thought in the modern revision: a request carries its own context, a
 * result its resultType. A dialect reads a client's message into that form (with all the
 * checks its era demands, in the order its revision implies) and writes results and errors back.
 * There is no bridge between eras beyond what the two dialects do to the neutral form. Ownership:
 * views into the message, the headers and the arena. Threads: any; pure but for looking up ended
 * sessions. */
#ifndef SP_MCP_DIALECT_H
#define SP_MCP_DIALECT_H
#include "../base/header.h"
#include "method.h"
#include "rpc.h"
#include "session.h"

#define DIALECT_PREFIX "io.modelcontextprotocol/"

/* The members of params._meta that belong to this hop. */
typedef struct {
    js_value version, capabilities, client_info, log_level, progress_token;
    bool has_more; /* there are others, which travel on */
} dialect_meta;

typedef struct dialect dialect;
typedef struct {
    const dialect *speaks;
    const mcp_method *method; /* NULL: no such method in this era */
    mcp_version version;
    js_value meta_raw; /* params._meta, or absent */
    dialect_meta meta;
    js_value name, arguments, cursor, request_state, input_responses; /* of params, as they are */
    str client_name, client_version;
    str log_level; /* {0}: no log messages wanted */
    bool has_session;
    session session;
    str server_name; /* our own, for serverInfo */
} dialect_request;

/* What reading needs beside the message. */
typedef struct {
    arena *a;
    const header *headers;
    const sealer *seals;
    session_revoked *revoked;
    session_bond bond;
    int64_t now_ms;
    str server_name;
} dialect_context;

/* How long an answer is fresh, and for whom. */
typedef struct {
    int64_t ttl_ms;
    bool is_private;
} dialect_hints;

struct dialect {
    str name;
    unsigned era;
    int no_method_status; /* of a -32601 */
    bool (*read)(const dialect_context *c, const rpc_message *m, dialect_request *q,
                 rpc_refusal *no);
    /* A server's result object, made fit for this client. hints NULL: not cacheable. `b` has an
     * arena. */
    void (*write_result)(buf *b, const dialect_request *q, js_value result,
                         const dialect_hints *hints);
    /* A result of our own: its members without braces, may be empty; hints NULL: not cacheable. */
    void (*write_made)(buf *b, const dialect_request *q, str members, const dialect_hints *hints);
};
extern const dialect dialect_modern, dialect_legacy;

/* Chooses the era, reads, and finds the method. False: *no; out->speaks is set even then. */
MUST_CHECK bool dialect_read(const dialect_context *c, const rpc_message *m, dialect_request *out,
                             rpc_refusal *no);
/* A session of the old era from its header: for what is no single message (DELETE, a batch). */
MUST_CHECK bool dialect_open_session(const dialect_context *c, session *out, rpc_refusal *no);
/* "2025-11-25" of the version header, trimmed; p NULL when absent. */
str dialect_version_header(const header *headers);

/* A server's error as this client may see it. False: it describes our hop; what is to be said
 * instead is in no->text and no->data. */
bool dialect_error(arena *a, const dialect_request *q, js_value error, rpc_refusal *no);

/* Helpers of the two dialects. */
str dialect_trim(str s); /* optional white space around a header's value */
/* Writes the members of a _meta that travel on; *any says whether a member was written before. */
void dialect_put_meta(arena *a, buf *b, js_value meta, bool *any);
void dialect_put_member(buf *b, str raw_key, str raw_value, bool *any);
void dialect_put_server_info(buf *b, const dialect_request *q);
#endif
