/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - calling an upstream over HTTP.
 *
 * A `client` is one worker's pool of upstream connections; an `origin` is where to go, shared
 * by all workers and immutable but for its addresses. A call starts with call_start() and
 * reports through call_events, in this order: head once, data any number of times, end once.
 * `end` with NULL means the message was complete; with an error it was not, and what came
 * before must not be taken for the whole. No event comes from inside call_start(), and none
 * after call_cancel(). The owner is named by handle: when it is stale the call cancels itself.
 *
 * Strict: responses with two lengths, a bad chunk, a bare CR, obs-fold, over-long heads or
 * bytes after the end are errors and the connection is closed. 1xx is skipped. A dead kept
 * connection is retried once on a fresh one if no byte of an answer came back.
 * A body may follow its call: `wants` says when the upstream takes more of it, call_upload() gives
 * it. Such a call takes no kept connection and is never sent twice; `answer_ms` begins anew with
 * each piece, and does not run while it is the caller who has nothing to give.
 * Ownership: request views must live until `head` or `end`; heads are views until `end`.
 * Threads: its worker's only; origin_* as said. */
#ifndef SP_CLIENT_H
#define SP_CLIENT_H
#include "../base/log.h"
#include "exchange.h"
#include "tls.h"
#include <stdatomic.h>

typedef struct origin origin;
typedef struct client client;
typedef struct call call;

typedef struct {
    bool secure;
    str host, path; /* path: from the first '/', with query; "/" when absent */
    unsigned port;
    str authority; /* host[:port] as for a Host header */
} url_parts;
/* http:// and https:// only; no user info, no fragment. */
MUST_CHECK const err *url_parse(arena *a, str url, url_parts *out);

/* A proxy that opens tunnels (RFC 9110 9.3.6): whoever goes through it is known to it by name, and
 * the rest it only carries. */
typedef struct {
    str host;
    unsigned port;
    str authorization; /* the value of Proxy-Authorization; {0}: none. A secret */
} proxy_at;

/* Blocking (resolves names): not on a worker. tls may be NULL for http. A name that does not
 * resolve is no error here: calls fail until origin_refresh() succeeds. */
MUST_CHECK const err *origin_new(arena *a, const url_parts *u, const tls_client *tls, origin **out);
/* Likewise by a tunnel, when `via` has a host: then it is the proxy's name that is resolved. */
MUST_CHECK const err *origin_new_via(arena *a, const url_parts *u, const tls_client *tls,
                                     const proxy_at *via, origin **out);
void origin_refresh(origin *o); /* blocking; any thread but a worker */
void origin_free(origin *o);

client *client_new(loop *l, logger *log, size_t idle_per_origin);
void client_free(client *c);
size_t client_open(const client *c); /* connections, for tests and metrics */

typedef struct {
    origin *to;
    str method, target;    /* target: path and query */
    const header *headers; /* ends with {0}; Host, Content-Length, Connection, Accept-Encoding are
                              the client's */
    str body[3];           /* sent one after the other, uncopied */
    uint64_t upload;       /* bytes that follow these by call_upload() */
    void (*wants)(void *owner); /* an event like the others: some of them may be given now */
    int64_t connect_ms, answer_ms, idle_ms; /* to connect; to the head; between bytes. 0: none */
    size_t head_limit;                      /* 0: 64 KiB */
    bool no_retry;                          /* not even on a dead kept connection */
} call_request;

typedef struct {
    int status;
    const header *headers; /* ends with {0} */
    int64_t length;        /* Content-Length, -1 unknown */
} call_head;
str call_head_get(const call_head *h, str name); /* case-insensitive; p NULL when absent */

typedef struct {
    void (*head)(void *owner, const call_head *h);
    void (*data)(void *owner, str bytes);
    void (*end)(void *owner, const err *why); /* `why` lives until the next turn: copy its text */
} call_events;

/* `owner` must be in the loop's handle table under `type`; events get the pointer it resolves to.
 */
call *call_start(client *c, const call_request *rq, const void *type, handle owner,
                 const call_events *ev);
/* The next bytes of an upload, which are copied as far as they are not sent at once. Only after
 * `wants`, as long as it returns true; false: wait for the next `wants`. */
bool call_upload(call *k, str bytes);
void call_pause(call *k); /* stop reading the upstream: back-pressure */
void call_resume(call *k);
/* Can nothing of it have reached the upstream? For whoever is charged for it. In `end`, too. */
bool call_unsent(const call *k);
void call_cancel(call *k); /* closes its connection; no more events; the pointer is dead */

/* Blocking fetch through libcurl, for service threads only (JWKS, discovery, tokens). */
typedef struct {
    str url;
    str method; /* p NULL: GET, or POST with a body */
    const header *headers;
    str post_body;      /* p NULL: GET */
    size_t limit;       /* bytes of body; 0: 1 MiB */
    int64_t timeout_ms; /* 0: 10 s */
    bool allow_private; /* else https only, and loopback, link-local and private addresses are
                           refused */
    str *challenge;     /* out: the last answer's WWW-Authenticate, {0}: none. NULL: not wanted */
    str *date;          /* likewise its Date */
    proxy_at proxy;     /* the tunnel it goes through; only with allow_private. host.p NULL: none */
    const atomic_bool *stop; /* set: ends as an error within a second. NULL: nobody sets it */
} fetch_request;
MUST_CHECK const err *fetch(arena *a, const fetch_request *rq, int *status, str *body);
#endif
