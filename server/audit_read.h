/* SPDX-License-Identifier: Apache-2.0 */
/* audit_read.h - an audit log, one line after the other, however long the file is.
 *
 * Half a line at the end (torn, or just being written) is not given; *torn says it is there.
 * Ownership: a line and what the callback puts into `scratch` live until it returns. */
#ifndef SP_AUDIT_READ_H
#define SP_AUDIT_READ_H
#include "../base/err.h"
#include <stdint.h>

/* `number` counts lines of this file from 1. An error ends the reading. */
typedef const err *audit_line_fn(void *ctx, arena *scratch, str line, uint64_t number);

/* Errors say "FILE:LINE: what" or "FILE: what"; they live in `a`. */
MUST_CHECK const err *audit_read(arena *a, const char *name, audit_line_fn *fn, void *ctx,
                                 bool *torn);
#endif
