/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - how a node of the tree begins and ends, for the parser and its macros. */
#include "parse.h"

cel_node *cel_node_new(cel_notes *notes, cel_node_kind kind, uint32_t offset)
{
    cel_node *n = NEW(notes->a, cel_node);
    n->kind = (uint8_t)kind;
    n->offset = n->at = offset;
    return n;
}

bool cel_node_raise(cel_notes *notes, cel_node *n, unsigned height)
{
    n->height = (uint16_t)height;
    if (height <= CEL_HEIGHT) return true;
    cel_note(notes, (cel_span){n->offset, n->length}, "E008",
             arena_fmt(notes->a, "more than %d operators deep", CEL_HEIGHT),
             S("split the rule in two"));
    return false;
}

bool cel_node_close(cel_notes *notes, cel_node *n)
{
    unsigned height = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->kids[i]->height > height) height = n->kids[i]->height;
    }
    return cel_node_raise(notes, n, height + 1);
}

cel_op cel_op_turned(cel_op op)
{
    switch (op) {
    case OP_LT: return OP_GT;
    case OP_LE: return OP_GE;
    case OP_GT: return OP_LT;
    case OP_GE: return OP_LE;
    default: return op;
    }
}
