/* SPDX-License-Identifier: Apache-2.0 */
/* case.c - a request as a person writes it down: who asks for what, with which arguments.
 *
 * An entry of `tests:` is one, with what must come of it; the file `policy explain` reads is one
 * without. */
#include "case.h"
#include "../cel/times.h"
#include "case_quota.h"

enum { VALUE_MOST = 1 << 16, VALUE_DEPTH = 32, CASES_MOST = 10000 };

#define WRONG(d, n, ...)     problems_add((d)->out, (n)->line, (n)->column, __VA_ARGS__)
#define WRONG_KEY(d, n, ...) problems_add((d)->out, (n)->key_line, (n)->key_column, __VA_ARGS__)

/* A map as checked JSON; absent, or with a problem, JS_ABSENT. */
static js_value json_of(policy_draft *d, const yaml_node *n, const char *what)
{
    js_value v = {0};
    if (!n) return v;
    if (n->kind != YAML_MAP) {
        WRONG(d, n, "error E103: %s must be a map", what);
        return v;
    }
    buf b = buf_new(d->a, VALUE_MOST);
    yaml_put_json(&b, n);
    const err *e = buf_ok(&b) ? js_check(d->a, buf_str(&b), VALUE_DEPTH, &v) : NULL;
    if (!buf_ok(&b)) WRONG(d, n, "error E104: %s is over %d bytes", what, VALUE_MOST);
    if (e) WRONG(d, n, "error E104: %s: " STR_FMT, what, STR_ARG(e->text));
    return e ? (js_value){0} : v;
}

/* A text or a list of texts, ends with {0}; NULL when absent. */
static const str *texts_of(policy_draft *d, const yaml_node *n, const char *what)
{
    if (!n) return NULL;
    str *out = NEW_N(d->a, str, n->count + 2);
    size_t count = 0;
    const yaml_node *at = n->kind == YAML_SCALAR ? n : n->first;
    if (n->kind == YAML_MAP) WRONG(d, n, "error E103: %s must be a list", what);
    for (; at && n->kind != YAML_MAP; at = n->kind == YAML_SCALAR ? NULL : at->next) {
        if (at->kind == YAML_SCALAR)
            out[count++] = at->text;
        else
            WRONG(d, at, "error E103: %s must be text", what);
    }
    return out;
}

static const header *headers_of(policy_draft *d, const yaml_node *n)
{
    if (!n) return NULL;
    header *out = NEW_N(d->a, header, n->count + 1);
    size_t count = 0;
    if (n->kind != YAML_MAP) WRONG(d, n, "error E103: headers must be a map");
    for (const yaml_node *c = n->kind == YAML_MAP ? n->first : NULL; c; c = c->next) {
        if (c->kind == YAML_SCALAR)
            out[count++] = (header){c->key, c->text};
        else
            WRONG(d, c, "error E103: a header must be text");
    }
    return out;
}

static const struct {
    str key;
    subject_kind kind;
} asks[] = {
    {S("call"), SUBJECT_TOOL},     {S("list"), SUBJECT_TOOL},     {S("llm"), SUBJECT_MODEL},
    {S("read"), SUBJECT_RESOURCE}, {S("prompt"), SUBJECT_PROMPT}, {S("endpoint"), SUBJECT_ENDPOINT},
};

static void read_subject(policy_draft *d, const yaml_node *test, policy_case *c)
{
    unsigned found = 0;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        const yaml_node *n = yaml_get(test, asks[i].key);
        if (!n) continue;
        found++;
        c->kind = asks[i].kind;
        c->list = str_eq(asks[i].key, S("list"));
        c->subject = n->text;
        if (n->kind != YAML_SCALAR || !n->text.n)
            WRONG(d, n, "error E103: `" STR_FMT "` must be text", STR_ARG(n->key));
        if (c->list) c->server = n->text;
        if (c->list || c->kind == SUBJECT_MODEL || c->kind == SUBJECT_ENDPOINT) continue;
        str_pair cut = str_cut(n->text, '/');
        if (!cut.ok && n->kind == YAML_SCALAR)
            WRONG(d, n, "error E107: '" STR_FMT "' must be server/name", STR_ARG(n->text));
        c->server = cut.head;
        c->subject = cut.tail;
    }
    if (found != 1)
        WRONG(d, test,
              "error E102: a test asks exactly one of `call`, `list`, `llm`, `read`, `prompt` and "
              "`endpoint`");
}

static void read_expectation(policy_draft *d, const yaml_node *test, policy_case *c)
{
    const yaml_node *expect = yaml_get(test, S("expect")),
                    *tools = yaml_get(test, S("expect_tools")),
                    *masks = yaml_get(test, S("expect_masks"));
    c->because = texts_of(d, yaml_get(test, S("because")), "because");
    c->tools = texts_of(d, tools, "expect_tools");
    c->masks = texts_of(d, masks, "expect_masks");
    if (masks && (c->list || c->kind != SUBJECT_TOOL))
        WRONG(d, masks, "error E102: `expect_masks` belongs to `call`");
    if (c->list != !!tools)
        WRONG(d, test, "error E102: `expect_tools` belongs to `list`, and a list must have it");
    c->decides = expect != NULL;
    if (c->list ? expect || c->costs : !expect && !c->costs)
        WRONG(d, test,
              "error E102: `expect` or `expect_cost` belongs to a call, and a call must have one");
    if (!expect) return;
    c->permit = expect->kind == YAML_SCALAR && str_eq(expect->text, S("permit"));
    bool deny = expect->kind == YAML_SCALAR && str_eq(expect->text, S("deny"));
    if (!c->permit && !deny) WRONG(d, expect, "error E104: expect must be permit or deny");
}

/* A moment, so that a rule about office hours has tests that pass at night. */
static int64_t moment_of(policy_draft *d, const yaml_node *n)
{
    if (!n) return -1;
    cel_value v = n->kind == YAML_SCALAR ? cel_time_parse(n->text) : (cel_value){0};
    if (v.tag == CEL_TIMESTAMP && v.u.i >= 0) return v.u.i * 1000 + v.n / 1000000;
    WRONG(d, n, "error E104: now must be a moment since 1970 like 2026-11-23T09:30:00Z");
    return -1;
}

static void check_keys(policy_draft *d, const yaml_node *test)
{
    static const str known[] = {S("name"),        S("as"),           S("call"),
                                S("list"),        S("llm"),          S("read"),
                                S("prompt"),      S("endpoint"),     S("args"),
                                S("headers"),     S("annotations"),  S("expect"),
                                S("because"),     S("expect_tools"), S("now"),
                                S("ip"),          S("usage"),        S("remaining"),
                                S("expect_cost"), S("expect_masks"), {0}};
    for (const yaml_node *n = test->first; n; n = n->next) {
        bool found = false;
        for (const str *k = known; k->p; k++) found |= str_eq(*k, n->key);
        if (found) continue;
        str near = yaml_did_you_mean(n->key, known);
        if (near.n)
            WRONG_KEY(d, n,
                      "error E101: unknown key '" STR_FMT "' in a test, did you mean '" STR_FMT
                      "'?",
                      STR_ARG(n->key), STR_ARG(near));
        else
            WRONG_KEY(d, n, "error E101: unknown key '" STR_FMT "' in a test", STR_ARG(n->key));
    }
}

/* All but what is asked for. */
static void read_circumstances(policy_draft *d, const yaml_node *n, policy_case *c)
{
    const yaml_node *as = yaml_get(n, S("as")), *ip = yaml_get(n, S("ip"));
    const yaml_node *jwt = as ? yaml_get(as, S("jwt")) : NULL;
    check_keys(d, n);
    c->claims = json_of(d, jwt ? jwt : as, "as");
    c->args = json_of(d, yaml_get(n, S("args")), "args");
    c->annotations = json_of(d, yaml_get(n, S("annotations")), "annotations");
    c->headers = headers_of(d, yaml_get(n, S("headers")));
    c->now_ms = moment_of(d, yaml_get(n, S("now")));
    policy_case_read_quotas(d, n, c);
    c->source_ip = ip ? ip->text : (str){0};
    if (ip && ip->kind != YAML_SCALAR) WRONG(d, ip, "error E103: ip must be text");
}

static void read_request(policy_draft *d, const yaml_node *n, policy_case *c)
{
    read_circumstances(d, n, c);
    read_subject(d, n, c);
}

static void read_case(policy_draft *d, const policy_source *source, const yaml_node *test)
{
    if (test->kind != YAML_MAP) {
        WRONG(d, test, "error E103: a test must be a map");
        return;
    }
    if (d->case_count++ == CASES_MOST) {
        WRONG(d, test, "error E104: over %d tests", CASES_MOST);
        return;
    }
    case_node *node = NEW(d->a, case_node);
    node->written = test;
    node->source = source;
    policy_case *c = &node->test;
    const yaml_node *name = yaml_get(test, S("name"));
    c->place = arena_fmt(d->a, STR_FMT ":%u", STR_ARG(source->name), test->line);
    c->name = name && name->kind == YAML_SCALAR ? name->text : c->place;
    read_request(d, test, c);
    read_expectation(d, test, c);
    *d->cases_end = node;
    d->cases_end = &node->next;
}

static bool read_file(arena *a, const policy_source *source, problems *out, policy_case *c,
                      void (*read)(policy_draft *d, const yaml_node *n, policy_case *c))
{
    policy_draft d = {.a = a, .out = out};
    yaml_node *root = NULL;
    size_t before = out->count;
    const err *e = yaml_parse(a, source->name, source->text, &root);
    if (e) {
        problems_add_text(out, e->text);
        return false;
    }
    if (root->kind != YAML_MAP) {
        problems_add(out, 1, 1, "error E103: a request must be a map: as, call, args …");
        return false;
    }
    read(&d, root, c);
    c->place = source->name;
    if (c->list)
        problems_add(out, 1, 1, "error E102: a request asks for one thing, not for a list");
    return out->count == before;
}

bool policy_case_read(arena *a, const policy_source *source, problems *out, policy_case *c)
{
    return read_file(a, source, out, c, read_request);
}

bool policy_case_read_caller(arena *a, const policy_source *source, problems *out, policy_case *c)
{
    return read_file(a, source, out, c, read_circumstances);
}

void policy_test_read(policy_draft *d, const policy_source *source, const yaml_node *tests)
{
    if (tests->kind != YAML_LIST) {
        WRONG(d, tests, "error E103: tests must be a list");
        return;
    }
    for (const yaml_node *n = tests->first; n; n = n->next) read_case(d, source, n);
}

/* Asking */

question policy_case_question(const policy_case *c, int64_t now_ms, arena *scratch)
{
    static const str methods[SUBJECTS] = {[SUBJECT_TOOL] = S("tools/call"),
                                          [SUBJECT_RESOURCE] = S("resources/read"),
                                          [SUBJECT_PROMPT] = S("prompts/get")};
    js_value claims = c->claims.kind == JS_OBJECT ? c->claims : js_view(JS_OBJECT, S("{}"));
    bool llm = c->kind == SUBJECT_MODEL || c->kind == SUBJECT_ENDPOINT;
    question q = {.kind = c->kind,
                  .server = c->server,
                  .name = c->subject,
                  .now_ms = c->now_ms < 0 ? now_ms : c->now_ms,
                  .source_ip = c->source_ip,
                  .args = c->args,
                  .annotations = c->annotations};
    q.who = caller_of_claims(scratch, js_tree(scratch, claims));
    q.mcp.method = methods[c->kind];
    q.http.method = S("POST");
    q.http.headers = c->headers;
    if (llm) {
        q.llm.model = c->kind == SUBJECT_MODEL ? c->subject : (str){0};
        q.llm.endpoint = c->kind == SUBJECT_ENDPOINT ? c->subject : S("/v1/chat/completions");
        q.llm.params = c->args;
        q.llm.stream = js_bool(js_get(c->args, S("stream")), false);
    }
    return q;
}
