/* SPDX-License-Identifier: Apache-2.0 */
/* check_report.h - what the policy checker found, for people, programs and code scanners.
 *
 * text: a line a finding as compilers print it, with the line of the file and a caret under the
 * place; json: one object; sarif: SARIF 2.1.0. Peers' words in it (names of tools) are escaped
 * where they could steer a terminal. Ownership: the arena's. */
#ifndef SP_CHECK_REPORT_H
#define SP_CHECK_REPORT_H
#include "../authz/policy/check.h"

typedef struct {
    const policy_finding *list;
    size_t count, errors;
    const policy_source *sources; /* excerpts are of these */
    size_t source_count, rules;
} check_report;

check_report check_report_of(arena *a, const problems *found, const policy_source *sources,
                             size_t count);
str check_report_text(arena *a, const check_report *r);
str check_report_json(arena *a, const check_report *r);
str check_report_sarif(arena *a, const check_report *r);
#endif
