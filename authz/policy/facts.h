/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - the names a rule may use, and their values for one question.
 *
 * Every fact has a slot. The first are the variables of question.h; behind them stands each
 * member of a variable with fixed members as a slot of its own ("http.headers"), so that in a
 * list one member can be unknown while its neighbours are known, and so that its type is known
 * to the checker. Behind the facts stand the vars of the policy files. A value is made when a
 * rule first reads it. */
#ifndef SP_POLICY_FACTS_H
#define SP_POLICY_FACTS_H
#include "../cel/cel.h"
#include "../question.h"

enum {
    FACT_CALLER_ID = QUESTION_VARS,
    FACT_CALLER_KIND,
    FACT_CALLER_NAME,
    FACT_CALLER_SCOPES,
    FACT_TOOL_SERVER,
    FACT_TOOL_NAME,
    FACT_TOOL_TITLE,
    FACT_TOOL_ANNOTATIONS,
    FACT_RESOURCE_SERVER,
    FACT_RESOURCE_URI,
    FACT_PROMPT_SERVER,
    FACT_PROMPT_NAME,
    FACT_MCP_METHOD,
    FACT_MCP_PROTOCOL,
    FACT_MCP_CLIENT,
    FACT_MCP_CLIENT_NAME,
    FACT_MCP_CLIENT_VERSION,
    FACT_HTTP_METHOD,
    FACT_HTTP_PATH,
    FACT_HTTP_HOST,
    FACT_HTTP_HEADERS,
    FACT_LLM_MODEL,
    FACT_LLM_ENDPOINT,
    FACT_LLM_BACKEND,
    FACT_LLM_STREAM,
    FACT_LLM_PARAMS,
    FACT_LLM_TOOLS,
    FACT_USAGE_INPUT,
    FACT_USAGE_CACHED_INPUT,
    FACT_USAGE_CACHE_WRITE,
    FACT_USAGE_OUTPUT,
    FACT_USAGE_REASONING,
    FACT_USAGE_TOTAL,
    FACT_USAGE_USD,
    FACT_SOURCE_IP,
    FACT_SOURCE_CERT,
    FACT_THIS, /* the value of one argument, inside `args:` */
    FACTS
};

/* {name, type} of a slot; "this" only where it has a meaning. */
cel_variable policy_fact_variable(size_t slot);
/* Variables with fixed members: their names, ends with {0}. NULL: members are free. */
const str *policy_fact_members(arena *a, size_t slot);
/* The fact that is this member of a fact ("path" of VAR_HTTP); FACTS: its members are free. */
size_t policy_fact_member(size_t slot, str member);
str policy_fact_last(size_t slot);         /* "name" of "tool.name" */
bool policy_fact_is_of_calls(size_t slot); /* a list does not know it: args, http.headers, … */
/* Facts that differ between callers, as bits. */
uint64_t policy_facts_of_caller(void);

typedef struct {
    const question *q;
    const struct policy *p;
    arena *scratch;
    cel_bindings bindings;
    size_t failed_var; /* 1 + number of the first var that could not be evaluated */
    cel_value failed;
} policy_facts;

/* The struct must not move afterwards: the bindings point back to it. */
void policy_facts_begin(policy_facts *f, const struct policy *p, const question *q, arena *scratch);
cel_value policy_fact_value(policy_facts *f, size_t slot); /* CEL_UNBOUND: there is none */
#endif
