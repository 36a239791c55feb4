/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_parts.h - the products' parts of a snapshot. */
#ifndef SP_SNAPSHOT_PARTS_H
#define SP_SNAPSHOT_PARTS_H
#include "snapshot.h"

typedef struct {
    arena *a, *scratch; /* a: the snapshot's own */
    const snapshot_needs *needs;
    snapshot *s;
} snapshot_maker;

MUST_CHECK const err *snapshot_make_mcp(snapshot_maker *m, mcp_config *out); /* and the gate */
/* Compiles what of the config is an expression. `text`: the file, for places. */
void snapshot_read_conditions(arena *a, config *c, str text, problems *out);
MUST_CHECK const err *snapshot_make_llm(snapshot_maker *m, llm_config *out);
/* What a bearer token or a header of one's own puts into a request; ends with {0}. */
const header *snapshot_auth(arena *a, const config_auth *auth);
/* Attributes that audit lines withhold; ends with {0}. */
const str *snapshot_redact(arena *a, const config *c);
const jwt_alg *snapshot_algorithms(arena *a, const str *names);
#endif
