/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - error values, made in the arena of whoever asked.
 *
 * A text is cut at 511 bytes: it may quote what a peer sent, and ends in one log line. */
#include "err.h"
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 0))) static str vtext(arena *a, const char *fmt, va_list ap)
{
    char buf[512];
    int n = vsnprintf(buf, sizeof buf, fmt, ap);
    return arena_dup(a, (str){buf, n < 0                    ? 0
                                   : (size_t)n < sizeof buf ? (size_t)n
                                                            : sizeof buf - 1});
}

const err *err_new(arena *a, err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err *e = NEW(a, err);
    *e = (err){kind, vtext(a, fmt, ap)};
    va_end(ap);
    return e;
}

const err *err_wrap(arena *a, const err *cause, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str outer = vtext(a, fmt, ap);
    va_end(ap);
    err *e = NEW(a, err);
    *e = (err){cause->kind,
               arena_fmt(a, STR_FMT ": " STR_FMT, STR_ARG(outer), STR_ARG(cause->text))};
    return e;
}

const char *err_kind_name(err_kind kind)
{
    static const char *const names[] = {
        [ERR_MALFORMED] = "malformed",
        [ERR_UNAUTHENTICATED] = "unauthenticated",
        [ERR_FORBIDDEN] = "forbidden",
        [ERR_NOT_FOUND] = "not_found",
        [ERR_TOO_LARGE] = "too_large",
        [ERR_QUOTA] = "quota",
        [ERR_UPSTREAM] = "upstream",
        [ERR_TIMEOUT] = "timeout",
        [ERR_CANCELLED] = "cancelled",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_BUG] = "bug",
    };
    _Static_assert(sizeof names / sizeof *names == ERR_KINDS, "a name for each kind");
    return (unsigned)kind < ERR_KINDS ? names[kind] : "bug";
}
