/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - an error is a value: NULL is success, anything else says what and why.
 *
 * A function that can fail returns `const err *` and nothing else; results go out through
 * pointers. The kind decides what the peer sees (one table per protocol turns it into a
 * status or code); the text is for the operator's log. */
#ifndef SP_ERR_H
#define SP_ERR_H
#include "arena.h"

typedef enum {
    ERR_MALFORMED,
    ERR_UNAUTHENTICATED,
    ERR_FORBIDDEN,
    ERR_NOT_FOUND,
    ERR_TOO_LARGE,
    ERR_QUOTA,
    ERR_UPSTREAM,
    ERR_TIMEOUT,
    ERR_CANCELLED,
    ERR_UNSUPPORTED,
    ERR_BUG,
    ERR_KINDS
} err_kind;

typedef struct err {
    err_kind kind;
    str text;
} err;

#define MUST_CHECK __attribute__((warn_unused_result))

const err *err_new(arena *a, err_kind kind, const char *fmt, ...)
    __attribute__((cold, format(printf, 3, 4)));
const err *err_wrap(arena *a, const err *cause, const char *fmt, ...)
    __attribute__((cold, format(printf, 3, 4)));
const char *err_kind_name(err_kind kind); /* "malformed", "upstream" …, for logs and metrics */
#endif
