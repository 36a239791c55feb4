/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response.h - reads HTTP/1.1 responses, cut anywhere (RFC 9112).
 *
 * The caller pulls: h1_next() takes bytes off the front of `in` and says what they made. Heads of
 * 1xx are swallowed. After H1_HEAD come H1_DATA pieces (views into `in`), then H1_DONE; bytes
 * still in `in` then belong to no message and the connection must not be used again. H1_MORE:
 * all of `in` was taken; feed more, or call h1_eof() when there is none.
 * Strict: two lengths, a length beside chunks, a coding other than chunked, obs-fold, a bare CR
 * or LF or a control in a head, a chunk size that is no hex number or not below 2^60 are H1_BAD.
 * Any split of the bytes gives the same answer (pieces of data apart).
 * Ownership: the head's bytes are copied once into memory that the reader keeps from message to
 * message; `headers` are views of it, good until the next h1_begin(). Threads: one. */
#ifndef SP_H1_RESPONSE_H
#define SP_H1_RESPONSE_H
#include "../base/buf.h"
#include "../base/header.h"
#include "h1_chunks.h"

typedef enum { H1_MORE, H1_HEAD, H1_DATA, H1_DONE, H1_BAD } h1_event;

enum { H1_HEADERS_MOST = 128, H1_INTERIM_MOST = 16 };

typedef struct {
    /* good from H1_HEAD on */
    int status;
    header *headers; /* ends with {0} */
    int64_t length;  /* Content-Length; -1 unknown */
    bool keep;       /* the peer means to keep the connection */
    int64_t keep_ms; /* Keep-Alive: timeout; -1 not said */
    const char *why; /* after H1_BAD, or a false h1_eof(): what was wrong */

    /* private */
    unsigned state;
    bool to_head, http10, chunked;
    unsigned interim;
    size_t line_at; /* where the unfinished line begins in `head` */
    buf head;
    h1_chunks chunks;
    struct h1_span *spans; /* where each header lies, while `head` may still move */
    size_t count, spans_cap, headers_cap;
    uint64_t left; /* of a body of known length */
} h1_response;

/* Begins a message; a zeroed struct is fine before the first. `to_head`: the request was HEAD. */
void h1_begin(h1_response *r, bool to_head, size_t head_limit);
h1_event h1_next(h1_response *r, str *in, str *data);
/* The stream has ended: true when the message ends there too. */
bool h1_eof(h1_response *r);
void h1_shrink(h1_response *r); /* between messages: gives back what a large head took */
void h1_free(h1_response *r);
#endif
