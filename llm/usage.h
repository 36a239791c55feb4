/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - what a call cost, read from bytes that pass by, and how such a stream ends.
 *
 * A tap never changes or delays the bytes; what it cannot read it ignores. It reads what some
 * servers send without the empty lines between events, too: several lines of data that are an
 * object each are an event each. */
#ifndef SP_LLM_USAGE_H
#define SP_LLM_USAGE_H
#include "../base/record.h"
#include "dialect.h"

/* An object of counts, as this dialect counts; of anything else nothing is known. */
llm_usage usage_of(llm_reader *rd, js_value counts, const llm_dialect *d);
/* What the dialect's usage_at and usage find in a reply or an event; false when nothing is known.
 */
bool usage_read(const llm_dialect *d, arena *a, js_value answer, llm_usage *out);
void usage_record(const llm_usage *u, record *r);

typedef struct usage_tap usage_tap;
usage_tap *usage_tap_new(arena *a, const llm_dialect *d, size_t event_limit);
void usage_tap_feed(usage_tap *t, str bytes); /* a piece of the event stream, or: */
void usage_tap_event(usage_tap *t, llm_frame f);
void usage_tap_end(usage_tap *t);           /* no piece comes after it */
str usage_tap_error(const usage_tap *t);    /* the data of the event that said ERROR */
int64_t usage_tap_seen(const usage_tap *t); /* events with something of the answer in them */
const llm_usage *usage_tap_total(const usage_tap *t);
/* The furthest that was seen: PREAMBLE, CONTENT, END or ERROR. CONTENT when it cannot be read. */
frame_sense usage_tap_sense(const usage_tap *t);
#endif
