/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

typedef struct {
    const llm_dialect *chat, *responses; /* responses NULL: as chat */
} schema_row;

static const schema_row rows[] = {
    [SCHEMA_OPENAI] = {&openai_chat, NULL},
};

const llm_dialect *schema_dialect(llm_schema schema, const llm_dialect *asked)
{
    const schema_row *row = &rows[schema];
    if (row->responses && row->responses == asked) return row->responses;
    return row->chat;
}
