/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - what is known beside policy files: tools, claims, which servers are trusted.
 *
 * From an inventory ({"servers": {NAME: {"tools": [{name, description, inputSchema}]}}}, as
 * `sallyport policy inventory` writes it) and from sallyport.yaml. Either may be missing, and then
 * nothing is concluded from what is not there. An inventory is peers' bytes: bounded, and what in
 * it is no tool is left out. Ownership: the arena; immutable. */
#ifndef SP_POLICY_WORLD_H
#define SP_POLICY_WORLD_H
#include "../../base/json.h"
#include "../../base/yaml.h"
#include "../cel/cel.h"

typedef struct {
    str server, name, description;
    js_value schema, properties; /* its input schema, and of that the properties */
} policy_tool;

typedef struct {
    str name, type; /* type: "string", "list(string)", "dyn" */
} policy_claim;

typedef struct {
    str name;
    bool trusted; /* may its tool annotations be believed? */
} policy_server;

typedef struct {
    const policy_tool *tools;     /* those of one server stand together */
    const str *inventory;         /* servers it has, ends with {0}; NULL: there is no inventory */
    const policy_claim *claims;   /* of all issuers, each name once */
    const policy_server *servers; /* as configured; NULL: there is no configuration */
    size_t tool_count, claim_count, server_count;
    bool claims_open;       /* some issuer does not say which claims it gives */
    const cel_zones *zones; /* NULL: names of time zones are problems */
} policy_world;

MUST_CHECK const err *policy_world_read_inventory(arena *a, str text, policy_world *w);
MUST_CHECK const err *policy_world_read_config(arena *a, str file, str text, policy_world *w);
/* The tool's number in w->tools; w->tool_count: there is none of that name. */
size_t policy_world_tool(const policy_world *w, str server, str name);
/* What an argument is, for a person: "string, one of …: its description". */
str policy_schema_text(arena *a, js_value schema);
#endif
