/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request.h - writes the head of a request, or refuses to.
 *
 * The headers that frame the message and the hop are ours: Host, Content-Length, Connection,
 * Accept-Encoding (identity) and their like are left out of what the caller gives.
 * Failure: false when a byte of the head must not be sent (a CR or LF in a value would be a second
 * header or request), or the head is over the buffer's limit. Pure. */
#ifndef SP_H1_REQUEST_H
#define SP_H1_REQUEST_H
#include "../base/buf.h"
#include "../base/header.h"

typedef struct {
    str method, target, authority;
    const header *headers; /* ends with {0} */
    size_t body_n;
} h1_request;

bool h1_request_write(buf *b, const h1_request *rq);
#endif
