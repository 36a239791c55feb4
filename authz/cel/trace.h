/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - a program evaluated once more, for a person who asks why.
 *
 * A condition is told as its terms (what && joins; the whole, when nothing does), each with the
 * values of what it reads. cel_eval knows nothing of this and pays nothing for it: every part is
 * evaluated on its own, so a term behind the one that decided has a value too.
 * Ownership: the scratch arena's; source texts are views of the program's. */
#ifndef SP_CEL_TRACE_H
#define SP_CEL_TRACE_H
#include "ast.h"
#include "cel.h"

typedef struct {
    str source; /* "args.size" */
    cel_value value;
} cel_seen;

typedef struct {
    str source;
    size_t offset; /* in the program's source */
    cel_value value;
    const cel_seen *seen; /* variables and members it reads, each once */
    size_t seen_count;
} cel_term;

/* A node as it was written: it does not know of the parentheses around its first or last part,
 * those that are missing are taken in. A view of the source. */
str cel_source_of(str source, const cel_node *n);
size_t cel_term_count(const cel_program *p);
str cel_term_source(const cel_program *p, size_t i);
const cel_term *cel_trace(const cel_program *p, cel_bindings *b, arena *scratch, size_t *count);
#endif
