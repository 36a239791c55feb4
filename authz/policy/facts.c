/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c - one row a fact.
 *
 * A row says the fact's name and type, the variable it is a member of, for which kinds of subject
 * there is such a thing, and whether a list knows it. Texts that the question holds as they are
 * name their place in it; what needs making has a line in make(). A variable whose members are
 * partly unknown is unknown as a whole when it is used as a whole: comparing a half-known map
 * would give an answer that the call need not give. */
#include "facts.h"
#include "../cel/json.h"
#include "../quota.h"
#include "rule.h"
#include "schema.h"

const char *const question_var_names[QUESTION_VARS] = {
    [VAR_JWT] = "jwt",     [VAR_CALLER] = "caller",     [VAR_TOOL] = "tool",
    [VAR_ARGS] = "args",   [VAR_RESOURCE] = "resource", [VAR_PROMPT] = "prompt",
    [VAR_MCP] = "mcp",     [VAR_HTTP] = "http",         [VAR_LLM] = "llm",
    [VAR_USAGE] = "usage", [VAR_QUOTA] = "quota",       [VAR_SOURCE] = "source",
    [VAR_NOW] = "now",     [VAR_VARS] = "vars",
};

enum {
    TOOLS = 1 << SUBJECT_TOOL,
    RESOURCES = 1 << SUBJECT_RESOURCE,
    PROMPTS = 1 << SUBJECT_PROMPT,
    MCP = TOOLS | RESOURCES | PROMPTS,
    LLM = 1 << SUBJECT_MODEL | 1 << SUBJECT_ENDPOINT,
    ALL = MCP | LLM,
    NONE = QUESTION_VARS /* no parent */
};
#define AT(member) offsetof(question, member)

typedef struct {
    const char *name;
    cel_type type;
    unsigned parent; /* slot of the variable it is a member of */
    unsigned kinds;
    bool unlisted; /* unknown while a list is made */
    size_t at;     /* of a str in the question; 0: make() knows */
} fact_row;

/* clang-format off */
static const fact_row rows[FACTS] = {
    [VAR_JWT]      = {"jwt",      CEL_T_MAP, NONE, ALL, false, 0},
    [VAR_CALLER]   = {"caller",   CEL_T_MAP, NONE, ALL, false, 0},
    [VAR_TOOL]     = {"tool",     CEL_T_MAP, NONE, TOOLS, false, 0},
    [VAR_ARGS]     = {"args",     CEL_T_MAP, NONE, ALL, true, 0},
    [VAR_RESOURCE] = {"resource", CEL_T_MAP, NONE, RESOURCES, false, 0},
    [VAR_PROMPT]   = {"prompt",   CEL_T_MAP, NONE, PROMPTS, false, 0},
    [VAR_MCP]      = {"mcp",      CEL_T_MAP, NONE, MCP, false, 0},
    [VAR_HTTP]     = {"http",     CEL_T_MAP, NONE, ALL, true, 0},
    [VAR_LLM]      = {"llm",      CEL_T_MAP, NONE, LLM, true, 0},
    [VAR_USAGE]    = {"usage",    CEL_T_MAP, NONE, 0, true, 0},
    [VAR_QUOTA]    = {"quota",    CEL_T_MAP, NONE, ALL, true, 0},
    [VAR_SOURCE]   = {"source",   CEL_T_MAP, NONE, ALL, false, 0},
    [VAR_NOW]      = {"now",      CEL_T_TIMESTAMP, NONE, ALL, false, 0},
    [VAR_VARS]     = {"vars",     CEL_T_MAP, NONE, 0, false, 0},
    [FACT_CALLER_ID]     = {"caller.id",     CEL_T_STRING, VAR_CALLER, ALL, false, 0},
    [FACT_CALLER_KIND]   = {"caller.kind",   CEL_T_STRING, VAR_CALLER, ALL, false, 0},
    [FACT_CALLER_NAME]   = {"caller.name",   CEL_T_STRING, VAR_CALLER, ALL, false, 0},
    [FACT_CALLER_SCOPES] = {"caller.scopes", CEL_T_LIST,   VAR_CALLER, ALL, false, 0},
    [FACT_TOOL_SERVER]      = {"tool.server",      CEL_T_STRING, VAR_TOOL, TOOLS, false, AT(server)},
    [FACT_TOOL_NAME]        = {"tool.name",        CEL_T_STRING, VAR_TOOL, TOOLS, false, AT(name)},
    [FACT_TOOL_TITLE]       = {"tool.title",       CEL_T_STRING, VAR_TOOL, TOOLS, false, AT(title)},
    [FACT_TOOL_ANNOTATIONS] = {"tool.annotations", CEL_T_MAP,    VAR_TOOL, TOOLS, false, 0},
    [FACT_RESOURCE_SERVER] = {"resource.server", CEL_T_STRING, VAR_RESOURCE, RESOURCES, false, AT(server)},
    [FACT_RESOURCE_URI]    = {"resource.uri",    CEL_T_STRING, VAR_RESOURCE, RESOURCES, false, AT(name)},
    [FACT_PROMPT_SERVER] = {"prompt.server", CEL_T_STRING, VAR_PROMPT, PROMPTS, false, AT(server)},
    [FACT_PROMPT_NAME]   = {"prompt.name",   CEL_T_STRING, VAR_PROMPT, PROMPTS, false, AT(name)},
    [FACT_MCP_METHOD]   = {"mcp.method",   CEL_T_STRING, VAR_MCP, MCP, false, AT(mcp.method)},
    [FACT_MCP_PROTOCOL] = {"mcp.protocol", CEL_T_STRING, VAR_MCP, MCP, false, AT(mcp.protocol)},
    [FACT_MCP_CLIENT]   = {"mcp.client",   CEL_T_MAP,    VAR_MCP, MCP, false, 0},
    [FACT_MCP_CLIENT_NAME]    = {"mcp.client.name",    CEL_T_STRING, FACT_MCP_CLIENT, MCP, false, AT(mcp.client_name)},
    [FACT_MCP_CLIENT_VERSION] = {"mcp.client.version", CEL_T_STRING, FACT_MCP_CLIENT, MCP, false, AT(mcp.client_version)},
    [FACT_HTTP_METHOD]  = {"http.method",  CEL_T_STRING, VAR_HTTP, ALL, false, AT(http.method)},
    [FACT_HTTP_PATH]    = {"http.path",    CEL_T_STRING, VAR_HTTP, ALL, false, AT(http.path)},
    [FACT_HTTP_HOST]    = {"http.host",    CEL_T_STRING, VAR_HTTP, ALL, false, AT(http.host)},
    [FACT_HTTP_HEADERS] = {"http.headers", CEL_T_MAP,    VAR_HTTP, ALL, true, 0},
    [FACT_LLM_MODEL]    = {"llm.model",    CEL_T_STRING, VAR_LLM, LLM, false, AT(llm.model)},
    [FACT_LLM_ENDPOINT] = {"llm.endpoint", CEL_T_STRING, VAR_LLM, LLM, false, AT(llm.endpoint)},
    [FACT_LLM_BACKEND]  = {"llm.backend",  CEL_T_STRING, VAR_LLM, LLM, false, AT(llm.backend)},
    [FACT_LLM_STREAM]   = {"llm.stream",   CEL_T_BOOL,   VAR_LLM, LLM, true, 0},
    [FACT_LLM_PARAMS]   = {"llm.params",   CEL_T_MAP,    VAR_LLM, LLM, true, 0},
    [FACT_LLM_TOOLS]    = {"llm.tools",    CEL_T_LIST,   VAR_LLM, LLM, true, 0},
    [FACT_USAGE_INPUT]        = {"usage.input",        CEL_T_INT,    VAR_USAGE, 0, true, 0},
    [FACT_USAGE_CACHED_INPUT] = {"usage.cached_input", CEL_T_INT,    VAR_USAGE, 0, true, 0},
    [FACT_USAGE_CACHE_WRITE]  = {"usage.cache_write",  CEL_T_INT,    VAR_USAGE, 0, true, 0},
    [FACT_USAGE_OUTPUT]       = {"usage.output",       CEL_T_INT,    VAR_USAGE, 0, true, 0},
    [FACT_USAGE_REASONING]    = {"usage.reasoning",    CEL_T_INT,    VAR_USAGE, 0, true, 0},
    [FACT_USAGE_TOTAL]        = {"usage.total",        CEL_T_INT,    VAR_USAGE, 0, true, 0},
    [FACT_USAGE_USD]          = {"usage.usd",          CEL_T_DOUBLE, VAR_USAGE, 0, true, 0},
    [FACT_SOURCE_IP]   = {"source.ip",   CEL_T_STRING, VAR_SOURCE, ALL, false, AT(source_ip)},
    [FACT_SOURCE_CERT] = {"source.cert", CEL_T_DYN,    VAR_SOURCE, ALL, false, 0},
    [FACT_THIS] = {"this", CEL_T_DYN, NONE, 0, true, 0},
};
/* clang-format on */
_Static_assert(FACTS <= 64, "a set of facts is 64 bits");

cel_variable policy_fact_variable(size_t slot)
{
    const char *name = rows[slot].name;
    return (cel_variable){{name, strlen(name)}, rows[slot].type};
}

str policy_fact_last(size_t slot)
{
    const char *name = rows[slot].name;
    const char *dot = strrchr(name, '.');
    const char *part = dot ? dot + 1 : name;
    return (str){part, strlen(part)};
}

const str *policy_fact_members(arena *a, size_t slot)
{
    size_t n = 0;
    str *out = NEW_N(a, str, FACTS + 1);
    for (size_t i = QUESTION_VARS; i < FACTS; i++)
        if (rows[i].parent == slot) out[n++] = policy_fact_last(i);
    return n ? out : NULL;
}

size_t policy_fact_member(size_t slot, str member)
{
    for (size_t i = QUESTION_VARS; i < FACTS; i++)
        if (rows[i].parent == slot && str_eq(policy_fact_last(i), member)) return i;
    return FACTS;
}

bool policy_fact_is_of_calls(size_t slot)
{
    return rows[slot].unlisted;
}

uint64_t policy_facts_of_caller(void)
{
    static const unsigned parents[] = {VAR_CALLER, VAR_MCP, FACT_MCP_CLIENT, VAR_HTTP, VAR_SOURCE};
    uint64_t set = (uint64_t)1 << VAR_JWT | (uint64_t)1 << VAR_QUOTA;
    for (size_t i = 0; i < FACTS; i++)
        for (size_t k = 0; k < sizeof parents / sizeof *parents; k++)
            if (i == parents[k] || rows[i].parent == parents[k]) set |= (uint64_t)1 << i;
    return set & ~((uint64_t)1 << FACT_MCP_METHOD);
}

static cel_value tree_or_empty(arena *scratch, js_value v)
{
    if (v.kind != JS_OBJECT) return cel_fields(scratch, NULL, 0);
    return cel_read_json(scratch, v);
}

static cel_value moment(int64_t ms)
{
    int64_t seconds = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        seconds--;
        rest += 1000;
    }
    return (cel_value){.tag = CEL_TIMESTAMP, .n = (uint32_t)rest * 1000000, .u.i = seconds};
}

/* RFC 9110 5.3: repeated fields are one list. Names are lower case, as HTTP/2 has them. */
static cel_value headers_map(arena *scratch, const header *list)
{
    size_t n = 0, seen = 0;
    while (list && list[n].name.p) n++;
    cel_entry *entries = NEW_N(scratch, cel_entry, n);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < seen && !header_name_is(cel_text(entries[k].key), list[i].name)) k++;
        if (k < seen) {
            str had = cel_text(entries[k].value);
            entries[k].value = cel_string(
                arena_fmt(scratch, STR_FMT ", " STR_FMT, STR_ARG(had), STR_ARG(list[i].value)));
            continue;
        }
        char *name = NEW_N(scratch, char, list[i].name.n);
        for (size_t c = 0; c < list[i].name.n; c++) {
            char ch = list[i].name.p[c];
            if (ch >= 'A' && ch <= 'Z') ch = (char)(ch + ('a' - 'A'));
            name[c] = ch;
        }
        entries[seen++] =
            (cel_entry){cel_string((str){name, list[i].name.n}), cel_string(list[i].value)};
    }
    return cel_fields(scratch, entries, seen);
}

/* Names of the tools a request offers: OpenAI's tools[].function.name, others' tools[].name. */
static cel_value offered_tools(arena *scratch, js_value params)
{
    js_value tools = js_get(params, S("tools"));
    size_t n = 0;
    for (js_iter it = js_iterate(tools); tools.kind == JS_ARRAY && js_next(&it);) n++;
    str *names = NEW_N(scratch, str, n);
    n = 0;
    for (js_iter it = js_iterate(tools); tools.kind == JS_ARRAY && js_next(&it);) {
        js_value name = js_get(js_get(it.value, S("function")), S("name"));
        if (name.kind != JS_STRING) name = js_get(it.value, S("name"));
        if (name.kind == JS_STRING) names[n++] = js_text(scratch, name);
    }
    return cel_strings(scratch, names, n);
}

static cel_value caller_fact(const policy_facts *f, size_t slot)
{
    static const str kinds[] = {[CALLER_ANONYMOUS] = S("anonymous"),
                                [CALLER_JWT] = S("jwt"),
                                [CALLER_KEY] = S("key"),
                                [CALLER_CERT] = S("cert")};
    const caller *c = f->q->who;
    if (!c) return (cel_value){0};
    size_t n = 0;
    switch (slot) {
    case VAR_JWT: return c->jwt;
    case FACT_CALLER_ID: return cel_string(c->id);
    case FACT_CALLER_KIND: return cel_string(kinds[c->kind]);
    case FACT_CALLER_NAME: return cel_string(c->name);
    default: break;
    }
    while (c->scopes && c->scopes[n].p) n++;
    return cel_strings(f->scratch, c->scopes, n);
}

/* What remains of the quotas that rules ask about. Of one whose key cannot be told there is
 * nothing to say: reading it is an error, and what cannot be evaluated counts against the call. */
static cel_value quota_map(policy_facts *f)
{
    size_t n = 0;
    cel_entry *all = NEW_N(f->scratch, cel_entry, f->p->quota_count);
    for (size_t i = 0; i < f->p->quota_count; i++) {
        const policy_quota *q = &f->p->quotas[i];
        policy_due due;
        if (!q->told) continue;
        policy_quota_tell(f, q, &due);
        if (!due.key.p) continue;
        quota_view v = quota_look(f->q->quotas, &due, f->scratch, f->q->now_ms);
        cel_value left = cel_int(v.remaining), in = cel_int((v.reset_ms + 999) / 1000);
        if (v.money) left = (cel_value){.tag = CEL_DOUBLE, .u.d = (double)v.remaining / 1e6};
        cel_entry *members = NEW_N(f->scratch, cel_entry, 2);
        members[0] = (cel_entry){cel_string(S("remaining")), left};
        members[1] = (cel_entry){cel_string(S("reset_in")), in};
        all[n++] = (cel_entry){cel_string(q->id), cel_fields(f->scratch, members, 2)};
    }
    return cel_fields(f->scratch, all, n);
}

static cel_value fact(policy_facts *f, size_t slot);

/* A variable used as a whole: a map of its members. */
static cel_value whole(policy_facts *f, size_t slot)
{
    size_t n = 0;
    cel_entry *entries = NEW_N(f->scratch, cel_entry, FACTS);
    for (size_t i = QUESTION_VARS; i < FACTS; i++) {
        if (rows[i].parent != slot) continue;
        cel_value v = fact(f, i);
        if (v.tag != CEL_UNBOUND) entries[n++] = (cel_entry){cel_string(policy_fact_last(i)), v};
    }
    return cel_fields(f->scratch, entries, n);
}

static cel_value make(policy_facts *f, size_t slot)
{
    const question *q = f->q;
    switch (slot) {
    case VAR_JWT:
    case FACT_CALLER_ID:
    case FACT_CALLER_KIND:
    case FACT_CALLER_NAME:
    case FACT_CALLER_SCOPES: return caller_fact(f, slot);
    case VAR_ARGS: /* what is no object has no arguments to be judged by: an error when read */
        if (q->args.kind > JS_NULL && q->args.kind != JS_OBJECT) return (cel_value){0};
        return tree_or_empty(f->scratch, q->args);
    case VAR_NOW: return moment(q->now_ms);
    case VAR_QUOTA: return quota_map(f);
    case FACT_TOOL_ANNOTATIONS: return tree_or_empty(f->scratch, q->annotations);
    case FACT_HTTP_HEADERS: return headers_map(f->scratch, q->http.headers);
    case FACT_LLM_STREAM: return cel_bool(q->llm.stream);
    case FACT_LLM_PARAMS: return tree_or_empty(f->scratch, q->llm.params);
    case FACT_LLM_TOOLS: return offered_tools(f->scratch, q->llm.params);
    case FACT_SOURCE_CERT: return (cel_value){.tag = CEL_NULL};
    default: return whole(f, slot);
    }
}

static cel_value fact(policy_facts *f, size_t slot)
{
    const fact_row *row = &rows[slot];
    if (!(row->kinds & (1u << f->q->kind))) return (cel_value){0};
    if (f->q->listing && row->unlisted) return cel_unknown(slot);
    if (f->q->is_template && (slot == FACT_RESOURCE_URI || slot == VAR_RESOURCE))
        return cel_unknown(slot);
    if (row->at) return cel_string(*(const str *)((const char *)f->q + row->at));
    return make(f, slot);
}

static cel_value lazy(void *ctx, size_t slot)
{
    policy_facts *f = ctx;
    if (slot < FACTS) return fact(f, slot);
    const policy_var *var = &f->p->vars[slot - FACTS];
    cel_value v = cel_eval(var->program, &f->bindings, f->scratch, 0);
    if (v.tag == CEL_ERROR && !f->failed_var) {
        f->failed_var = slot - FACTS + 1;
        f->failed = v;
    }
    return v;
}

void policy_facts_begin(policy_facts *f, const struct policy *p, const question *q, arena *scratch)
{
    size_t count = FACTS + p->var_count;
    *f = (policy_facts){.q = q, .p = p, .scratch = scratch};
    f->bindings = (cel_bindings){.values = NEW_N(scratch, cel_value, count),
                                 .count = count,
                                 .lazy = lazy,
                                 .ctx = f,
                                 .exact = q->given && !q->listing,
                                 .known = q->listing && q->schema ? &q->schema->known : NULL};
    for (size_t i = 0; q->given && i < FACTS; i++)
        if (!q->listing || !rows[i].unlisted) f->bindings.values[i] = q->given[i];
}

cel_value policy_fact_value(policy_facts *f, size_t slot)
{
    cel_value *v = &f->bindings.values[slot];
    if (v->tag == CEL_UNBOUND) *v = lazy(f, slot);
    return *v;
}
