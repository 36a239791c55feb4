/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request_head.h - the head of an HTTP/1.1 request, found and read (RFC 9112).
 *
 * Two steps, both over bytes alone. h1_head_find() looks for the end and is called again as more
 * comes: it looks at each byte once, however the bytes are cut, and refuses at the first line that
 * does not end in CR LF. h1_head_read() then takes the whole head apart.
 * Strict: one space between the parts of the request line, HTTP/1.1 or 1.0, names that are tokens
 * right before their colon, no line that continues another, no control byte but the tab in a value.
 * What the headers mean together (framing, Host) is not judged here.
 * Ownership: everything handed out is a view of the head. Threads: any. */
#ifndef SP_H1_REQUEST_HEAD_H
#define SP_H1_REQUEST_HEAD_H
#include "../base/header.h"

typedef enum { H1_HEAD_MORE, H1_HEAD_WHOLE, H1_HEAD_BAD, H1_HEAD_LONG } h1_head_found;

enum { H1_REQUEST_HEADERS_MOST = 128, H1_METHOD_MOST = 32 };

typedef struct {
    size_t seen, line_at; /* how far was looked; where the unfinished line begins */
    size_t lines;         /* whole ones before it */
} h1_head_scan;           /* {0} before the first look */

/* Does `bytes` begin with a whole head? Then *size is its length, the empty line included.
 * H1_HEAD_LONG: there is none within `limit` bytes. */
h1_head_found h1_head_find(h1_head_scan *scan, str bytes, size_t limit, size_t *size);

typedef struct {
    str method, target;
    bool old;        /* HTTP/1.0 */
    header *headers; /* ends with {0}; in the arena */
} h1_request_head;

typedef enum {
    H1_READ_OK,
    H1_READ_SYNTAX,
    H1_READ_NAME,
    H1_READ_VALUE,
    H1_READ_MANY
} h1_head_fault;

/* `head` is what h1_head_find() found, with as many lines as it counted. */
h1_head_fault h1_head_read(arena *a, str head, size_t lines, h1_request_head *out);
#endif
