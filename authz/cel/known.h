/* SPDX-License-Identifier: Apache-2.0 */
/* known.h - what is known of a map that is itself not known: its members, and what they can be.
 *
 * A host that binds a variable to CEL_UNKNOWN may say here what it knows all the same. Then v.x,
 * v.?x, has(v.x) and "x" in v give what is known, and a number between bounds compared with a
 * number gives an answer where the bounds decide. All else about it stays unknown.
 * What is said of a member holds if it is there: an expression over one that may be missing gives
 * what it gives here or an error, never another value.
 * Ownership: the host's; borrowed by the bindings. */
#ifndef SP_CEL_KNOWN_H
#define SP_CEL_KNOWN_H
#include "value.h"

typedef enum { CEL_MAYBE, CEL_PRESENT, CEL_ABSENT } cel_presence;

typedef struct {
    str name;
    cel_presence presence;
    cel_value value;       /* CEL_UNBOUND: not known */
    cel_value least, most; /* if it is a number; CEL_UNBOUND: no bound */
    bool above, below;     /* the bound itself is not reached */
} cel_hint;

typedef struct cel_known {
    size_t slot;
    const cel_hint *members;
    size_t count;
    bool closed; /* there are no members but these */
} cel_known;

const cel_hint *cel_known_member(const cel_known *k, str name); /* NULL: nothing is said of it */
cel_presence cel_known_presence(const cel_known *k, str name);
/* The member if it is there: its value; unknown; an error when it cannot be there. */
cel_value cel_known_value(const cel_known *k, str name);
bool cel_is_exact(cel_value v); /* a number of which ints and doubles say the same */
/* Could it be equal to v? */
bool cel_hint_allows(const cel_hint *h, cel_value v);
#endif
