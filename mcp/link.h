/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - speaking to an upstream, whatever its era and transport.
 *
 * The caller thinks in the modern revision: a method, params, no session. Behind it stand the
 * modern HTTP request, the legacy HTTP session (initialized by its owner, renewed after a 404
 * without the caller noticing) and the stdio child (its messages cross to its owner as letters).
 * Era is probed once per upstream (mcp.md 5.1). What comes back is neutral too: bytes of `result`
 * or `error` as the upstream sent them.
 *
 * The request is copied: its views may go when link_start() returns. timeout_ms is for the whole
 * call, whatever has to be opened first; it stands still while a question is open, and begins
 * anew with the answer. Messages below log_level are not reported. Errors are
 * ERR_UPSTREAM, ERR_TIMEOUT, ERR_QUOTA (no session or child is left for this caller),
 * ERR_UNSUPPORTED (offer.h) or ERR_CANCELLED (the worker is draining). Events come on the asking
 * worker, none from inside link_start(), none after link_cancel(). link_cancel tells the upstream
 * (closes the stream, or notifications/cancelled) and declines what it still asks.
 *
 * Questions: an old server may ask its client something during a call. It is told that it can only
 * to the extent of `capabilities`, and is refused here when nobody takes the question, when it
 * cannot be told whose call it belongs to, or on a server that all callers share. A new server's
 * questions are its result (input_required). */
#ifndef SP_LINK_H
#define SP_LINK_H
#include "../base/json.h"
#include "mcp.h"

typedef struct link_call link_call;
struct link_table;

typedef struct {
    upstream *to;
    str method; /* "tools/call" */
    str name;   /* what Mcp-Name carries; {0}: none */
    str params; /* members of params but _meta, without the braces: `"name":"x","arguments":{}` */
    str meta;   /* members of _meta to carry, without the braces, no envelope keys, no progressToken
                 */
    bool endless;    /* subscriptions/listen: no time is too long, every notice is told. A server
                      * of the old era gives its GET stream, or ERR_UNSUPPORTED */
    bool progress;   /* ask for progress */
    str log_level;   /* {0}: none */
    bool hears_logs; /* they were asked for in as many words: they are waited for, link_log.c */
    js_value input_schema; /* tools/call: for Mcp-Param-* headers (x-mcp-header) */
    js_value arguments;
    unsigned capabilities; /* capability.h: what this call's client can be asked */
    str again; /* further members of params, for a modern server only: what the last round gave */
    str caller_id, session_id; /* for isolation; session {0}: none */
    const header *headers;     /* further headers for HTTP (forwarded ones), ends with {0} */
    bool repeatable;           /* it may be sent twice: a connection that breaks is mended unseen */
    str caller_token;          /* for a server's grant; {0}: none, or not wanted. USER: who it is */
    str front, login;          /* USER: where a browser finds us, and who knows the caller there */
    bool uncounted;            /* the gateway asks it by itself: no call of the caller's */
    int64_t timeout_ms;
} link_request;

typedef struct {
    str id; /* JSON, as the server sent it */
    str method;
    js_value params;
} link_question;

typedef struct {
    /* endless, a server of the old era: the stream is open. May be NULL. */
    void (*began)(void *owner);
    /* notifications/progress and notifications/message of this call. progress: params without
     * progressToken are the caller's to re-address. Views live until return. */
    void (*notice)(void *owner, str method, js_value params);
    /* True: taken, link_answer() will follow. False (or NULL): it is refused. Views live until
     * return; the call must not be cancelled from inside. */
    bool (*asked)(void *owner, const link_question *q);
    /* The server no longer wants an answer to one that was taken. May be NULL. */
    void (*withdrawn)(void *owner, str id);
    /* once, last: result, or error object, or (both absent) why it failed */
    void (*done)(void *owner, js_value result, js_value error, const err *why);
} link_events;

/* Which session or child of its server it would use; "": everybody's. */
str link_isolation(arena *a, const link_request *rq);
/* Of a facet, on its owner: is there a session or child of its isolation id? */
bool link_stands(const struct link_table *t, const upstream *facet);
link_call *link_start(mcp_worker *w, const link_request *rq, const void *type, handle owner,
                      const link_events *ev);
void link_cancel(link_call *c);
/* What its server has asked that the call's client cannot be asked, as bits of capability.h. */
unsigned link_lacked(const link_call *c);
/* Can it have reached its server? */
bool link_was_sent(const link_call *c);
/* `said`: `"result":{…}` or `"error":{…}`. An id that is not open is ignored. */
void link_answer(link_call *c, str id, str said);
/* The call goes on for another owner on the same worker; nothing is lost between. */
void link_hand_over(link_call *c, const void *type, handle owner, const link_events *ev);
#endif
