/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_where.h - what in a policy file a place is in, told from the lines around it.
 *
 * People ask while they type, so most of the time the text is no YAML: only indentation, dashes,
 * keys and braces are looked at, upwards from the place. */
#ifndef SP_LSP_WHERE_H
#define SP_LSP_WHERE_H
#include "../../authz/policy/fmt_write.h"

enum { LSP_PATH_MOST = 12 };

typedef struct {
    str path[LSP_PATH_MOST]; /* keys from the root, "-" for an entry of a list */
    size_t depth;
    fmt_role role; /* of the value, or of the map whose key is being written */
    bool in_key;
    size_t value_at; /* where the value begins; of a key: where the key does */
} lsp_where;

lsp_where lsp_where_at(str text, size_t offset);
/* Does the path end so? "because", "-" */
bool lsp_where_ends(const lsp_where *w, const char *key, bool in_list);

/* jwt.groups.exists: the names before and at the offset, a ? left out. */
typedef struct {
    str text;         /* of the source, from the first name on */
    str word;         /* the name at the offset: whole */
    str before;       /* what the word is a member of, with its ?s: "args.?x"; {0}: nothing */
    bool after_value; /* it is a member of something that is no name: f(x).word */
} lsp_chain;
/* `from`: no further back than this. */
lsp_chain lsp_chain_at(str text, size_t from, size_t offset);
#endif
