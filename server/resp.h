/* SPDX-License-Identifier: Apache-2.0 */
/* resp.h - the protocol of Redis, as hiredis speaks it, over connections of our own (talk.h).
 *
 * hiredis writes commands and reads replies; sockets, TLS and deadlines are those of every other
 * peer. A reply is a peer's bytes: how many there may be is bounded by who feeds them, lists and
 * their nesting here, before anything is allocated for a number the peer merely names.
 * Ownership: replies lie in the arena of their reader, which ends with it. */
#ifndef SP_RESP_H
#define SP_RESP_H
#include "../base/buf.h"
#include <stdint.h>

enum { RESP_ITEMS_MOST = 8192 /* of a reply, lists within lists too */, RESP_DEPTH_MOST = 4 };

typedef struct resp {
    enum { RESP_NIL, RESP_NUMBER, RESP_TEXT, RESP_ERROR, RESP_LIST } kind;
    int64_t number;
    str text;
    struct resp *items;
    size_t n;
} resp;

/* A command behind what is in the buffer, which has an arena. */
void resp_put(buf *b, const str *words, size_t n);

typedef struct resp_reader resp_reader;
typedef enum { RESP_DONE, RESP_MORE, RESP_BAD } resp_state;
resp_reader *resp_reader_new(arena *a); /* for one reply */
/* DONE: *out is the reply, and nothing came behind it. MORE: it is not whole yet. */
resp_state resp_read(resp_reader *r, str more, resp *out);
/* A whole number in decimal, and nothing else. */
bool resp_integer(str text, int64_t *out);
#endif
