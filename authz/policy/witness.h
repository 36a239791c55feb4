/* SPDX-License-Identifier: Apache-2.0 */
/* witness.h - what a decision was made from: exactly the attributes that its rules read.
 *
 * An attribute is a fact, or one member of a fact with free members: `jwt.groups`, `args.path`,
 * `http.headers["x-tenant"]`, `source.ip`; written as CEL would name it. The rules that count are
 * those that could apply to the question, their vars included.
 * Ownership: the scratch arena's. Threads: any. */
#ifndef SP_POLICY_WITNESS_H
#define SP_POLICY_WITNESS_H
#include "condition.h"

enum { WITNESS_VALUE_MOST = 4 << 10 }; /* bytes of JSON; what is larger is withheld */

typedef struct {
    size_t slot;
    str member; /* {0}: the whole fact */
} policy_attribute;

typedef struct {
    const policy_attribute *list;
    size_t count;
    bool argument_names; /* some rule asks which arguments there are */
} policy_attributes;

policy_attributes policy_attributes_read(policy_ask *k);
/* Puts three members of an object:
 *   "facts":{"jwt.sub":"alice","args.path":"/srv/x"},   values as JSON
 *   "absent":["args.mode"],      read and not there; "args.*": no arguments but the named ones
 *   "withheld":["args.token"]    there, but not to be written: named in `redact`, or too large
 * `redact` are paths of attributes or of what is inside them, in lists too; it ends with {0}, NULL
 * is none. Headers that carry credentials are always withheld. */
void policy_witness(const policy *p, const question *q, const str *redact, arena *scratch,
                    buf *out);
#endif
