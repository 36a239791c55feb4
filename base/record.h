/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - the facts of one request, collected on its way and written once at its end.
 *
 * Products set facts; server/export.c turns the same record into the access-log line, the
 * metrics and (later) the audit line and spans. One enum holds every key, so that no two
 * places spell a fact differently. Texts are views that live as long as the request's arena. */
#ifndef SP_RECORD_H
#define SP_RECORD_H
#include "str.h"
#include <stdint.h>

typedef enum {
    FACT_DOOR, /* mcp, llm, wellknown, … */
    FACT_HTTP_METHOD,
    FACT_PATH,
    FACT_HOST,
    FACT_PEER,     /* client address */
    FACT_STATUS,   /* HTTP status sent */
    FACT_ENDPOINT, /* the configured MCP endpoint or LLM path */
    FACT_CALLER,   /* caller.id */
    FACT_MCP_METHOD,
    FACT_MCP_PROTOCOL,
    FACT_TOOL, /* server/name, the upstream's own name; likewise: */
    FACT_PROMPT,
    FACT_RESOURCE, /* its URI, or the template a completion is about */
    FACT_SERVER,   /* MCP server or LLM backend that was called */
    FACT_MODEL,
    FACT_STREAMED,     /* 1: answered as a stream */
    FACT_LIMITED,      /* the limit that was reached: "streams_per_caller" */
    FACT_QUOTA,        /* the quota that refused */
    FACT_QUOTA_SHADOW, /* the one in shadow mode that would have */
    FACT_VERDICT,      /* permit, deny */
    FACT_RULE,         /* the rule that decided */
    FACT_RULE_ERROR,   /* the first rule that could not be evaluated, and why */
    FACT_SHADOW,       /* what the shadow policies say, when it is something else */
    FACT_MISSING,      /* servers whose lists are missing from an answer */
    FACT_UPSTREAM_STATUS,
    FACT_UPSTREAM_MS,
    FACT_DROPPED, /* what the client asked for and the provider could not be told */
    FACT_TOKENS_IN,
    FACT_TOKENS_OUT,
    FACT_TOKENS_CACHED,
    FACT_TOKENS_CACHE_WRITE,
    FACT_TOKENS_REASONING,
    FACT_COST,         /* in micro-dollars */
    FACT_COST_GUESSED, /* 1: a provider has not said all that it did */
    FACT_BYTES_IN,
    FACT_BYTES_OUT,
    FACT_ERROR,      /* kind of failure */
    FACT_ERROR_TEXT, /* for the operator only */
    FACT_DURATION_US,
    FACT_COUNT
} fact;

typedef struct {
    bool set, is_text;
    union {
        str text;
        int64_t number;
    };
} fact_value;

typedef struct {
    fact_value v[FACT_COUNT];
} record;

extern const char *const fact_names[FACT_COUNT]; /* "door", "http.method", "tool" … */

void record_text(record *r, fact f, str text);
void record_number(record *r, fact f, int64_t number);
#endif
