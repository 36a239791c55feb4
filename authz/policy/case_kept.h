/* SPDX-License-Identifier: Apache-2.0 */
/* case_kept.h - a request as a person wrote it down, as it is kept: an entry of `tests:`, or one
 * that is to be explained. Read by case.c. Ownership: the policy's arena. */
#ifndef SP_POLICY_CASE_KEPT_H
#define SP_POLICY_CASE_KEPT_H
#include "quota_rule.h"

typedef struct {
    str quota;
    double amount; /* units, or dollars */
} policy_amount;

/* One entry of `tests:`. */
typedef struct {
    str name, place;
    subject_kind kind;
    bool list; /* of all tools of a server */
    str server, subject;
    js_value claims, args, annotations;
    const header *headers; /* ends with {0} */
    int64_t now_ms;        /* -1: the time it is run at */
    str source_ip;
    quota_usage usage;
    const policy_amount *remaining, *costs; /* end with {0}; NULL: not said */
    bool decides;                           /* `expect` is said */
    bool permit;
    const str *because; /* ids, ends with {0}; NULL: not said */
    const str *tools;   /* list: names, ends with {0} */
    const str *masks;   /* ids of those that apply, ends with {0}; NULL: not said */
} policy_case;
#endif
