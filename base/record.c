/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - the names of the facts and the two ways to set one. The last setting wins. */
#include "record.h"
#include <assert.h>

const char *const fact_names[FACT_COUNT] = {
    [FACT_DOOR] = "door",
    [FACT_HTTP_METHOD] = "http.method",
    [FACT_PATH] = "path",
    [FACT_HOST] = "host",
    [FACT_PEER] = "peer",
    [FACT_STATUS] = "status",
    [FACT_ENDPOINT] = "endpoint",
    [FACT_CALLER] = "caller",
    [FACT_MCP_METHOD] = "mcp.method",
    [FACT_MCP_PROTOCOL] = "mcp.protocol",
    [FACT_TOOL] = "tool",
    [FACT_PROMPT] = "prompt",
    [FACT_RESOURCE] = "resource",
    [FACT_SERVER] = "server",
    [FACT_MODEL] = "model",
    [FACT_STREAMED] = "streamed",
    [FACT_LIMITED] = "limited",
    [FACT_QUOTA] = "quota",
    [FACT_QUOTA_SHADOW] = "quota.shadow",
    [FACT_VERDICT] = "verdict",
    [FACT_RULE] = "rule",
    [FACT_RULE_ERROR] = "rule.error",
    [FACT_SHADOW] = "shadow",
    [FACT_MISSING] = "missing",
    [FACT_UPSTREAM_STATUS] = "upstream.status",
    [FACT_UPSTREAM_MS] = "upstream.ms",
    [FACT_DROPPED] = "dropped",
    [FACT_TOKENS_IN] = "tokens.in",
    [FACT_TOKENS_OUT] = "tokens.out",
    [FACT_TOKENS_CACHED] = "tokens.cached",
    [FACT_TOKENS_CACHE_WRITE] = "tokens.cache_write",
    [FACT_TOKENS_REASONING] = "tokens.reasoning",
    [FACT_COST] = "cost.micro_usd",
    [FACT_COST_GUESSED] = "cost.guessed",
    [FACT_BYTES_IN] = "bytes.in",
    [FACT_BYTES_OUT] = "bytes.out",
    [FACT_ERROR] = "error",
    [FACT_ERROR_TEXT] = "error.text",
    [FACT_DURATION_US] = "duration_us",
};

void record_text(record *r, fact f, str text)
{
    assert(f < FACT_COUNT);
    r->v[f] = (fact_value){.set = true, .is_text = true, .text = text};
}

void record_number(record *r, fact f, int64_t number)
{
    assert(f < FACT_COUNT);
    r->v[f] = (fact_value){.set = true, .number = number};
}
