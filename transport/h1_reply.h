/* SPDX-License-Identifier: Apache-2.0 */
/* h1_reply.h - writes the head of an answer.
 *
 * What frames it is ours: Content-Length, Transfer-Encoding, Connection and Date are left out of
 * what the caller gives, and so are headers without a value. Pure. */
#ifndef SP_H1_REPLY_H
#define SP_H1_REPLY_H
#include "../base/buf.h"
#include "../base/header.h"

enum { H1_REPLY_CHUNKED = -1, H1_REPLY_UNFRAMED = -2 }; /* unframed: until the connection closes */

typedef struct {
    int status;
    int64_t length;                /* of the body, or one of the above */
    const header *headers, *added; /* each ends with {0}, or is NULL */
    str date;
    str connection; /* {0}: left unsaid */
} h1_reply;

/* False: a header was left out, because a byte of it must not be sent (a second header or answer
 * could begin there). */
bool h1_reply_write(buf *b, const h1_reply *r);
#endif
