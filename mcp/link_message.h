/* SPDX-License-Identifier: Apache-2.0 */
/* link_message.h - the JSON-RPC bytes we send upstream, and what comes back.
 *
 * Private to link*.c and catalog*.c. What is written is correct by construction; what is read is
 * checked whole (grammar, UTF-8, duplicate keys, depth) before any member is looked at.
 * Views in a link_message live as long as the text it was read from. */
#ifndef SP_MCP_LINK_MESSAGE_H
#define SP_MCP_LINK_MESSAGE_H
#include "link.h"
#include <stdatomic.h>

enum { LINK_MESSAGE_MOST = 16 << 20, LINK_DEPTH = 128 };
#define LINK_MODERN S("2026-07-28")
#define LINK_LEGACY S("2025-11-25") /* what we offer; any of link_message_knows() is accepted */
#define LINK_PROBE  "server/discover"
#define LINK_SILENT ((link_wanted){0})

typedef enum { LINK_JUNK, LINK_ANSWER, LINK_QUESTION, LINK_NOTICE } link_kind;
typedef struct {
    link_kind kind;
    js_value id, method, params; /* question, notice */
    js_value result, error;      /* answer: exactly one is there */
} link_message;

/* JUNK with `why` when it is no JSON-RPC message we can use. */
MUST_CHECK const err *link_message_read(arena *a, str text, link_message *out);
bool link_message_answers(const link_message *m, int64_t id);
int64_t link_message_code(const link_message *m); /* of its error; 0: none */
bool link_message_knows(js_value version);        /* a legacy revision we can speak */
bool link_message_modern(js_value result);        /* a DiscoverResult that names our revision */

/* Requests. `era` decides on the envelope. Progress tokens are the request's id. */
void link_message_request(buf *b, upstream_era era, int64_t id, const link_request *rq);
void link_message_initialize(buf *b, int64_t id, unsigned capabilities);
void link_message_initialized(buf *b);
void link_message_level(buf *b, int64_t id, int level); /* logging/setLevel */
void link_message_cancelled(buf *b, int64_t id);
/* The answer to a question of the server's: {} to a ping, else -32601. */
void link_message_reply(buf *b, const link_message *asked);
/* The answer somebody gave; `said` as in link_answer(). */
void link_message_say(buf *b, str id, str said);

/* A legacy server has one log level for all who share it: the least grave that anybody wanted.
 * True: `wanted` is less grave than what it was told. */
typedef struct {
    bool has_log; /* it declared the capability */
    atomic_int told;
} link_log;
void link_log_init(link_log *l, js_value initialized); /* the result of initialize */
bool link_log_wants(link_log *l, str wanted, int *level);

/* What a call wants to hear beside its answer. */
typedef struct {
    int64_t token; /* 0: no progress */
    str log_level; /* {0}: no messages */
} link_wanted;
/* Whether the notice is for that call; *params is then what its owner gets: no progressToken of
 * ours. */
bool link_message_wanted(arena *a, const link_message *m, link_wanted want, str *method,
                         js_value *params);
#endif
