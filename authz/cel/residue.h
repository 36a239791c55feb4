/* SPDX-License-Identifier: Apache-2.0 */
/* residue.h - what a condition still asks of single members of a map that is not known.
 *
 * Given is what the condition must come out as. Each demand is necessary: unless it holds of the
 * member, where that is there, the condition does not come out so, whatever all else is. They
 * need not be all there are: what asks for several members at once, or for something no demand can
 * say, is left out. Demands may contradict each other.
 * Ownership: the scratch arena's; values borrow from the bindings and the program. */
#ifndef SP_CEL_RESIDUE_H
#define SP_CEL_RESIDUE_H
#include "cel.h"

typedef enum {
    DEMAND_IS, /* one of the values of a list */
    DEMAND_LESS,
    DEMAND_AT_MOST,
    DEMAND_MORE,
    DEMAND_AT_LEAST,
    DEMAND_STARTS,
    DEMAND_ENDS,
    DEMAND_CONTAINS,
    DEMAND_MATCHES /* a pattern of RE2 */
} cel_demand_kind;

typedef struct {
    str member;
    cel_demand_kind kind;
    bool not ;  /* never of a comparison: that is turned round */
    bool there; /* the member must be there too */
    cel_value value;
} cel_demand;

/* Which map, and what stands for a member of it or for a condition of its own. */
typedef struct {
    size_t slot;
    size_t alias; /* a variable that is the member `alias_member`; as `slot`: there is none */
    str alias_member;
    const cel_program *(*program)(void *ctx, size_t slot); /* NULL: the variable is no program */
    void *ctx;
} cel_residue_of;

typedef struct {
    cel_demand *list;
    size_t count, room; /* further demands are dropped */
    bool never;         /* it cannot come out so, whatever the members are */
} cel_demands;

/* In how many places the program names it. */
size_t cel_mentions(const cel_program *p, size_t slot);

/* Adds to `out`. */
void cel_residue(const cel_program *p, const cel_bindings *b, arena *scratch,
                 const cel_residue_of *of, bool must_be, cel_demands *out);
#endif
