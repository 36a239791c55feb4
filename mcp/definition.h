/* SPDX-License-Identifier: Apache-2.0 */
/* definition.h - what a tool says about itself, in one canonical form.
 *
 * A model acts on a tool's name, title, description, schemas and annotations; who changes one of
 * them changes the tool. The form is those members of the server's own bytes: keys sorted, no
 * spaces, strings spelled one way, numbers as they were sent. So a server may reorder or re-indent
 * what it sends, and nothing else. Pure. Threads: any. */
#ifndef SP_MCP_DEFINITION_H
#define SP_MCP_DEFINITION_H
#include "../authz/digest.h"
#include "../base/json.h"

/* `tool`: a checked item of tools/list. */
str definition_canonical(arena *a, js_value tool);
void definition_digest(js_value tool, uint8_t out[DIGEST_BYTES]); /* SHA-256 of that form */
#endif
