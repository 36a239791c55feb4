/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_world.h - what is known beside the files being edited: tools, claims.
 *
 * From an inventory ({"servers": {NAME: {"tools": [{name, description, inputSchema}]}}}) and from
 * `claims:` of sallyport.yaml. Both may be missing. Ownership: the arena; immutable. */
#ifndef SP_LSP_WORLD_H
#define SP_LSP_WORLD_H
#include "../../authz/cel/cel.h"
#include "../../base/json.h"
#include "../../base/yaml.h"

typedef struct {
    str server, name, description;
    js_value properties; /* of its input schema */
} lsp_tool;

typedef struct {
    str name, type;
} lsp_claim;

typedef struct {
    const lsp_tool *tools;
    const lsp_claim *claims;
    size_t tool_count, claim_count;
    const cel_zones *zones; /* NULL: names of time zones are problems */
} lsp_world;

MUST_CHECK const err *lsp_world_read_inventory(arena *a, str text, lsp_world *w);
MUST_CHECK const err *lsp_world_read_config(arena *a, str file, str text, lsp_world *w);
/* What an argument is, for a person: "string, one of …: its description". */
str lsp_argument_text(arena *a, js_value schema);
#endif
