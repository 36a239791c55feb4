/* SPDX-License-Identifier: Apache-2.0 */
/* question.h - what a rule is asked, and what it says.
 *
 * A flat struct that mcp/ and llm/ fill; rules see nothing else. The question of a list is the
 * question of the call with `listing` set: then args, http.headers, quota, usage and llm.params
 * are unknown (but for what the schema says of args), everything else is as now
 * (architecture.md §9.5).
 * Views live as long as the request. */
#ifndef SP_QUESTION_H
#define SP_QUESTION_H
#include "../base/header.h"
#include "../base/json.h"
#include "identity.h"

typedef enum {
    SUBJECT_TOOL,
    SUBJECT_RESOURCE,
    SUBJECT_PROMPT,
    SUBJECT_MODEL,
    SUBJECT_ENDPOINT,
    SUBJECTS
} subject_kind;

/* The CEL variables, in slot order (contract §5). */
typedef enum {
    VAR_JWT,
    VAR_CALLER,
    VAR_TOOL,
    VAR_ARGS,
    VAR_RESOURCE,
    VAR_PROMPT,
    VAR_MCP,
    VAR_HTTP,
    VAR_LLM,
    VAR_USAGE,
    VAR_QUOTA,
    VAR_SOURCE,
    VAR_NOW,
    VAR_VARS,
    QUESTION_VARS
} question_var;
extern const char *const question_var_names[QUESTION_VARS];

typedef struct {
    subject_kind kind;
    str server; /* tools, resources, prompts: the upstream server */
    str name;   /* the upstream's own name, URI, model or endpoint path */
    bool listing;
    bool is_template; /* resources, listing: `name` is a URI template, any of its URIs is meant */
    const caller *who;
    int64_t now_ms;

    str title;                          /* tools */
    js_value annotations;               /* tools: raw, checked JSON or JS_ABSENT */
    js_value args;                      /* tools, prompts: raw, checked JSON or JS_ABSENT (= {}) */
    const struct policy_schema *schema; /* tools: policy/schema.h; NULL: nothing is known */

    struct {
        str method, client_name, client_version, protocol;
    } mcp;
    struct {
        str method, path, host;
        const header *headers;
    } http;
    struct {
        str model, endpoint, backend;
        bool stream;
        js_value params;
    } llm; /* params: the request body */
    str source_ip;
    struct quotas *quotas;         /* quota.h: what `quota` tells of; NULL: nothing is used yet */
    const struct cel_value *given; /* values of facts by slot, where they are known otherwise, and
                                      CEL_UNKNOWN where they are not (policy/replay.h); or NULL */
} question;

typedef enum {
    DENIED_NOT,     /* permitted */
    DENIED_DEFAULT, /* no permit matched */
    DENIED_FORBID,
    DENIED_FORBID_ERROR, /* a forbid could not be evaluated: fail closed */
    DENIED_REQUIRE,
    DENIED_SCOPES,     /* some permit misses nothing but scopes */
    DENIED_SCHEMA,     /* the arguments do not fit the schema by which the tool is listed */
    DENIED_UNRECORDED, /* audit.h: permitted, but it could not be written down */
    DENIED_KEY         /* outside of what the caller's key may use */
} denied;

typedef struct {
    bool permit;
    bool listed; /* deny only: a list would show it (the arguments decided) */
    bool open;   /* permit only: it hangs on something unknown */
    denied why;
    str rule;    /* id of the rule that decided; {0} for default */
    str place;   /* its "file:line" */
    str message; /* what the client may be told; {0}: nothing of its own */
    str error;   /* the first rule that could not be evaluated: "rule: reason", for the operator */
    const str *scopes;  /* DENIED_SCOPES: the smallest missing set, ends with {0} */
    const char *shadow; /* audit.h: "permit" or "deny" when the shadow policies say otherwise */
} verdict;
#endif
