/* SPDX-License-Identifier: Apache-2.0 */
/* resp.h - the protocol of Redis (RESP2): commands written, replies read.
 *
 * A reply is a peer's bytes: its lines, texts, lists and their nesting are bounded, and nothing is
 * allocated for a number the peer merely names beyond these bounds. Pure.
 * Ownership: texts are views into what was read; items come from the arena. */
#ifndef SP_RESP_H
#define SP_RESP_H
#include "../base/buf.h"
#include <stdint.h>

enum {
    RESP_LINE_MOST = 4096,
    RESP_TEXT_MOST = (16 << 20) + 64, /* a value of the store */
    RESP_ITEMS_MOST = 8192,           /* of a reply, lists within lists too */
    RESP_DEPTH_MOST = 4
};

typedef struct resp {
    enum { RESP_NIL, RESP_NUMBER, RESP_TEXT, RESP_ERROR, RESP_LIST } kind;
    int64_t number;
    str text;
    struct resp *items;
    size_t n;
} resp;

void resp_put(buf *b, const str *words, size_t n); /* a command */

typedef enum { RESP_DONE, RESP_MORE, RESP_BAD } resp_state;
/* DONE: *out is the reply, *used its bytes. MORE: it is not whole yet. */
resp_state resp_read(arena *a, str in, resp *out, size_t *used);
/* A whole number in decimal, and nothing else. */
bool resp_integer(str text, int64_t *out);
#endif
