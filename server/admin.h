/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h - the operator's listener: health, metrics and what the configuration is.
 *
 * A thread and loop of its own, so that it answers when workers are busy. What each path needs is a
 * column of one table; zero is unset and denied. Host, Origin and Sec-Fetch-Site are checked
 * before anything is said, so that a web page cannot ask in an operator's name.
 * Ownership: admin_status texts are copied. Threads: admin_say_* any. */
#ifndef SP_ADMIN_H
#define SP_ADMIN_H
#include "../base/metric.h"
#include "../transport/server.h"
#include "audit_log.h"
#include "snapshot.h"

typedef struct admin admin;

typedef struct {
    int fd; /* listening, then the admin's */
    str address;
    str token;             /* {0}: nothing that needs one can be had */
    const snapshot *first; /* kept */
    logger *log;
    metrics *meters;
    audit_log *audit;     /* NULL: none */
    unsigned loop_number; /* not a worker's */
} admin_options;

MUST_CHECK const err *admin_new(arena *a, const admin_options *o, admin **out);
void admin_say_config(admin *m, const snapshot *s); /* a reload took effect; kept */
void admin_say_bad_reload(admin *m, str why);       /* what runs is older than the files */
void admin_say_draining(admin *m);
void admin_free(admin *m);
#endif
