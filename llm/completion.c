/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - POST /v1/chat/completions to a backend of the same dialect.
 *
 * The bytes pass both ways; what is ours is who may, where to, the model's name, and what it
 * cost. A stream that breaks must not look finished: the client gets an error event of its
 * own dialect and then an aborted connection. A target that the rules deny is skipped, the
 * next one of the route is asked (the chosen backend is a fact of the question). */
#include "route.h"
#include "schema.h"
#include "worker.h"

enum { ANSWER_LIMIT = 64 << 20, EVENT_LIMIT = 4 << 20, TARGETS = 64 };

/* Before the call */

static flow_go read_request(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    bool whole = false;
    str bytes = {0};
    const err *e = exchange_body(r->x, r->rq.config->body_limit, &whole, &bytes);
    if (!e && !whole) return FLOW_WAIT;
    if (!e) e = body_read(r->a, bytes, r->rq.config->json_depth, &r->body);
    if (e) return llm_fail(r, refusal_of(e));
    record_text(exchange_record(r->x), FACT_MODEL, r->body.model);
    return FLOW_NEXT;
}

static flow_go route(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    r->route = route_find(r->rq.config, exchange_host(r->x), r->body.model);
    if (!r->route) return llm_fail(r, refusal_no_model(r->a, r->body.model));
    return FLOW_NEXT;
}

static llm_refusal denial(const llm_run *r)
{
    if (!r->said.listed && r->said.why != DENIED_SCOPES)
        return refusal_no_model(r->a, r->body.model);
    llm_refusal no = {.status = 403, .type = "permission_error", .code = "denied_by_policy"};
    no.message = r->said.message.p ? r->said.message : S("denied by policy");
    if (r->said.why == DENIED_SCOPES) no.message = S("the token lacks a scope this model needs");
    return no;
}

static flow_go pick(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    r->target = route_pick(r->route, &r->tried, r->w->turn++);
    return r->target ? FLOW_NEXT : llm_fail(r, denial(r));
}

static llm_refusal unrecorded(void)
{
    return (llm_refusal){.status = 503,
                         .type = "server_error",
                         .code = "audit_unavailable",
                         .message = S("requests cannot be recorded now")};
}

static flow_go authorize(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    record *facts = exchange_record(r->x);
    question q;
    llm_question(r, r->body.model, r->target->backend->name, false, &q);
    const llm_config *c = r->rq.config;
    const audit_case asked = {c->rules, c->shadow, c->redact, &q, q.llm.endpoint};
    audit_decide(&r->w->o.audit, &asked, r->a, &r->said);
    record_text(facts, FACT_VERDICT, r->said.permit ? S("permit") : S("deny"));
    record_text(facts, FACT_RULE, r->said.rule);
    if (r->said.error.p) record_text(facts, FACT_RULE_ERROR, r->said.error);
    if (r->said.shadow)
        record_text(facts, FACT_SHADOW, (str){r->said.shadow, strlen(r->said.shadow)});
    if (r->said.why == DENIED_UNRECORDED) return llm_fail(r, unrecorded());
    return r->said.permit ? FLOW_NEXT : FLOW_AGAIN;
}

/* Held before the provider is asked: what it would answer costs money. */
static flow_go take_stream(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    if (!r->body.stream || r->holds_stream) return FLOW_NEXT;
    unsigned most = r->rq.config->streams_per_caller;
    str share = caller_share(r->a, r->who, exchange_record(r->x)->v[FACT_PEER].text);
    r->holds_stream = tally_take(r->w->o.streams, share, most, r->a);
    if (r->holds_stream) return FLOW_NEXT;
    record_text(exchange_record(r->x), FACT_LIMITED, S("streams_per_caller"));
    llm_refusal no = refusal_of(&(err){.kind = ERR_QUOTA});
    no.message = arena_fmt(r->a, "no more than %u streams at the same time", most);
    no.retry = true;
    return llm_fail(r, no);
}

/* The call */

/* What a provider says beside the body that a client has use for. */
static bool passes(str name)
{
    static const str kept[] = {{"content-type", 12},         {"retry-after", 11},
                               {"retry-after-ms", 14},       {"x-request-id", 12},
                               {"openai-processing-ms", 20}, {0}};
    for (const str *k = kept; k->p; k++)
        if (header_name_is(name, *k)) return true;
    return name.n > 12 && header_name_is(str_take(name, 12), S("x-ratelimit-"));
}

static header *kept_headers(arena *a, const header *all)
{
    size_t n = 0;
    for (const header *h = all; h && h->name.p; h++) n += passes(h->name);
    header *kept = NEW_N(a, header, n + 1), *to = kept;
    for (const header *h = all; h && h->name.p; h++)
        if (passes(h->name)) *to++ = (header){arena_dup(a, h->name), arena_dup(a, h->value)};
    return kept;
}

static void drained(void *run)
{
    llm_run *r = run;
    if (r->call) call_resume(r->call);
}

static bool is_event_stream(const call_head *h)
{
    str type = str_cut(call_head_get(h, S("content-type")), ';').head;
    while (type.n && type.p[type.n - 1] == ' ') type.n--;
    return header_name_is(type, S("text/event-stream"));
}

/* We ask for no coding; who sends one anyway would be metered as noise and read as garbage. */
static bool is_coded(const call_head *h)
{
    str coding = call_head_get(h, S("content-encoding"));
    return coding.n && !header_name_is(coding, S("identity"));
}

static void on_head(void *owner, const call_head *h)
{
    llm_run *r = owner;
    r->has_head = true;
    r->upstream_status = h->status;
    r->reply_headers = kept_headers(r->a, h->headers);
    record_number(exchange_record(r->x), FACT_UPSTREAM_STATUS, h->status);
    r->coded = is_coded(h);
    if (h->status == 200 && is_event_stream(h) && !r->coded) {
        r->tap = usage_tap_new(r->a, &openai_chat, EVENT_LIMIT);
        r->out = exchange_stream(r->x, h->status, r->reply_headers);
        sink_source(r->out, drained, r);
        r->streamed = true;
        return;
    }
    r->answer = buf_new(r->a, ANSWER_LIMIT);
    if (h->length > 0 && h->length <= ANSWER_LIMIT) (void)buf_need(&r->answer, (size_t)h->length);
}

static void on_data(void *owner, str bytes)
{
    llm_run *r = owner;
    if (!r->streamed) {
        buf_put(&r->answer, bytes);
        return;
    }
    usage_tap_feed(r->tap, bytes);
    if (!sink_write(r->out, bytes)) call_pause(r->call);
}

static void on_end(void *owner, const err *why)
{
    llm_run *r = owner;
    r->call = NULL;
    r->ended = true;
    r->failed = why != NULL;
    if (why) {
        record_text(exchange_record(r->x), FACT_ERROR_TEXT, arena_dup(r->a, why->text));
        r->refusal = refusal_of(why->kind == ERR_TIMEOUT ? why : &(err){.kind = ERR_UPSTREAM});
    }
    flow_wake(loop_flows(r->w->o.loop), r->flow.self, FLOW_WOKEN);
}

static str upstream_path(arena *a, const llm_backend *b)
{
    static const str end = {"/chat/completions", 17};
    buf path = buf_new(a, 8192);
    (void)buf_need(&path, b->base_path.n + 1 + b->prefix.n + end.n);
    buf_put(&path, b->base_path);
    if (b->prefix.n) buf_put(&path, S("/"));
    buf_put(&path, b->prefix);
    buf_put(&path, end);
    return buf_str(&path);
}

static const header *request_headers(arena *a, const llm_backend *b, bool stream)
{
    size_t n = 0;
    while (b->auth && b->auth[n].name.p) n++;
    header *h = NEW_N(a, header, n + 3);
    h[0] = (header){S("content-type"), S("application/json")};
    h[1] = (header){S("accept"), stream ? S("text/event-stream") : S("application/json")};
    for (size_t i = 0; i < n; i++) h[2 + i] = b->auth[i];
    return h;
}

static flow_go send_request(void *run, flow_why why)
{
    static const call_events events = {on_head, on_data, on_end};
    (void)why;
    llm_run *r = run;
    const llm_backend *b = r->target->backend;
    record_text(exchange_record(r->x), FACT_SERVER, b->name);
    call_request rq = {
        .to = b->to,
        .method = S("POST"),
        .target = upstream_path(r->a, b),
        .headers = request_headers(r->a, b, r->body.stream),
        .connect_ms = 5000,
        .answer_ms = r->route->timeout_ms,
        .idle_ms = r->body.stream ? r->route->stream_idle_ms : r->route->timeout_ms,
    };
    body_splice(r->a, &r->body, r->target->model, rq.body);
    r->sent_ms = loop_now_ms(r->w->o.loop);
    r->call = call_start(r->w->o.client, &rq, &llm_run_type, r->self, &events);
    return FLOW_NEXT;
}

/* The answer */

static flow_go end_stream(llm_run *r)
{
    if (r->failed) {
        buf b = buf_new(r->a, 65536);
        buf_put(&b, S("\n\ndata: ")); /* whatever was cut in the middle ends here */
        buf_put(&b, refusal_body(r->a, &r->refusal));
        buf_put(&b, S("\n\n"));
        (void)sink_write(r->out, buf_str(&b));
        record_text(exchange_record(r->x), FACT_ERROR, S("upstream_cut"));
    }
    sink_end(r->out, r->failed ? err_new(r->a, ERR_UPSTREAM, "the upstream's stream broke") : NULL);
    return FLOW_DONE;
}

/* A provider's own error goes to the client as it is, if it is in the shape the client reads. */
static flow_go end_error(llm_run *r, js_value root)
{
    if (js_get(root, S("error")).kind == JS_OBJECT) {
        exchange_reply(r->x, r->upstream_status, r->reply_headers, buf_str(&r->answer));
        record_text(exchange_record(r->x), FACT_ERROR, S("upstream_refused"));
        return FLOW_DONE;
    }
    llm_refusal bad = refusal_of(&(err){.kind = ERR_UPSTREAM});
    if (r->upstream_status == 429) bad = refusal_of(&(err){.kind = ERR_QUOTA});
    return llm_fail(r, bad);
}

static flow_go relay(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (!r->ended) return FLOW_WAIT;
    record_number(exchange_record(r->x), FACT_UPSTREAM_MS, loop_now_ms(r->w->o.loop) - r->sent_ms);
    if (r->streamed) return end_stream(r);
    if (r->failed) return FLOW_FAIL; /* on_end has said why */
    if (r->coded)
        record_text(exchange_record(r->x), FACT_ERROR_TEXT, S("the answer is compressed"));
    if (r->coded || !buf_ok(&r->answer))
        return llm_fail(r, refusal_of(&(err){.kind = ERR_UPSTREAM}));
    js_value root;
    const err *e = js_check(r->a, buf_str(&r->answer), 128, &root);
    if (e || root.kind != JS_OBJECT) root = (js_value){0};
    if (r->upstream_status >= 400) return end_error(r, root);
    if (root.kind != JS_OBJECT || r->upstream_status != 200)
        return llm_fail(r, refusal_of(&(err){.kind = ERR_UPSTREAM}));
    llm_usage used = {0};
    if (usage_read(&openai_chat, r->a, root, &used)) usage_record(&used, exchange_record(r->x));
    exchange_reply(r->x, 200, r->reply_headers, buf_str(&r->answer));
    return FLOW_DONE;
}

static const flow_step attempt[] = {
    {.name = "pick", .run = pick},
    {.name = "authorize", .run = authorize},
    {.name = "stream", .run = take_stream},
    {.name = "send", .run = send_request},
    {0},
};
static const flow_step steps[] = {
    {.name = "identify", .run = llm_identify},
    {.name = "read", .run = read_request},
    {.name = "route", .run = route},
    {.name = "attempt", .sub = attempt, .most = TARGETS + 1},
    {.name = "relay", .run = relay},
    {0},
};
const flow llm_chat_flow = {
    .name = "chat",
    .steps = steps,
    .refuse = llm_refuse,
    .settle = llm_settle,
    .release = llm_release,
    .on_gone = FLOW_CANCEL,
};
