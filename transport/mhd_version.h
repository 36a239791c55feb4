/* SPDX-License-Identifier: Apache-2.0 */
/* mhd_version.h - what differs between libmicrohttpd 0.9 (Debian 12) and 1.0 (Debian 13).
 *
 * Both hand out pointers into the head as it was received, with NULs written over some of its
 * bytes. 0.9 leaves the spaces after a header's value in the value. 1.0 cuts them off by a NUL over
 * the first of them; there the line's own CR LF stay as they were. 1.0 refuses a NUL that was sent,
 * 0.9 takes it for the end of the value: so only there may a NUL be followed by spaces. */
#ifndef SP_MHD_VERSION_H
#define SP_MHD_VERSION_H
#include "../base/str.h"
#include <microhttpd.h>

/* How many bytes stand between a header's value, which ends at `at`, and the next line; 0 when they
 * are not as libmicrohttpd leaves them. */
static inline size_t mhd_line_end(str head, size_t at)
{
    if (MHD_VERSION < 0x01000000) return 2; /* CR LF, each with a NUL over it or not */
    str rest = str_drop(head, at);
    if (rest.n < 2 || rest.p[0] != 0) return 0;
    if (rest.p[1] == '\n') return 2;
    size_t n = 1;
    while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\t')) n++;
    return str_starts(str_drop(rest, n), S("\r\n")) ? n + 2 : 0;
}
#endif
