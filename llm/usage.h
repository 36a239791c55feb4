/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - what a call cost, read from bytes that pass by.
 *
 * The counters are disjoint: OpenAI's prompt count includes cached tokens, ours does not. Each
 * is known or not. A tap never changes or delays the bytes; what it cannot read it ignores. */
#ifndef SP_LLM_USAGE_H
#define SP_LLM_USAGE_H
#include "../base/json.h"
#include "../base/record.h"

typedef struct {
    bool known;
    int64_t input, cached_input, output;
} llm_usage;

/* From the `usage` member of an OpenAI chat completion or chunk; false when there is none. */
bool usage_read(js_value answer, llm_usage *out);
void usage_record(const llm_usage *u, record *r);

typedef struct usage_tap usage_tap;
usage_tap *usage_tap_new(arena *a, size_t event_limit);
void usage_tap_feed(usage_tap *t, str bytes); /* a piece of the event stream */
const llm_usage *usage_tap_total(const usage_tap *t);
#endif
