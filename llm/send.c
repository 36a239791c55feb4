/* SPDX-License-Identifier: Apache-2.0 */
/* send.c - the client's request as this attempt's provider takes it, and the call.
 *
 * Every attempt starts from the client's own bytes: they pass, edited, to a provider of the same
 * family, and are translated for any other. */
#include "../base/clock.h"
#include "answer.h"
#include "credential.h"
#include "kept.h"
#include "origin.h"
#include "parts.h"
#include "schema.h"
#include "upload.h"

enum { EDIT_DEPTH = 520 };              /* a client's at its deepest, in a provider's */
static const int64_t CONNECT_MS = 5000; /* or the whole time of a route that has less */

/* All that same-family edits look at (dialect.h). */
static void read_little(llm_run *r)
{
    r->chat = (llm_chat){.model = r->body.model,
                         .stream = {r->body.stream, r->body.stream},
                         .from = r->client,
                         .root = r->body.root,
                         .headers = exchange_headers(r->x),
                         .now_s = r->now_ms / 1000,
                         .kept = kept_wanted(r),
                         .mixed = origins_mix(r->route, r->body.model),
                         .previous = r->went_on ? r->goes_on_from : (str){0}};
    if (!r->body.stream) return;
    js_value asked = js_at(r->body.root, "stream_options.include_usage");
    r->chat.include_usage = (opt_bool){asked.kind != JS_ABSENT, js_bool(asked, false)};
}

static const err *read_all(llm_run *r)
{
    if (r->chat.reader) return NULL;
    llm_chat *c = &r->chat;
    read_little(r);
    c->reader = reader_new(r->a);
    return r->client->read_request(c->reader, r->body.root, c);
}

static void pass(llm_run *r)
{
    if (!r->chat.from) read_little(r);
    r->hides_usage = r->provider == &openai_chat && r->body.stream && !r->chat.include_usage.v;
    const body_edit *edits =
        r->provider->edit_request ? r->provider->edit_request(r->a, &r->chat, r->target) : NULL;
    bool little =
        !edits || !edits[0].name.p || (!edits[1].name.p && str_eq(edits[0].name, S("model")));
    if (little) {
        body_splice(r->a, &r->body, edits && !edits[0].name.p ? (str){0} : r->target->model,
                    r->request);
        return;
    }
    r->request[0] = body_edited(r->a, r->body.root, edits);
    r->request[1] = r->request[2] = (str){0};
}

static const err *translate(llm_run *r)
{
    const err *e = read_all(r);
    if (e) return e;
    r->loss = loss_new(r->a);
    loss_said(r->loss, &r->chat.stream); /* how it is said is each dialect's own way */
    loss_said(r->loss, &r->chat.include_usage);
    jnode *out = jn_object(r->a);
    e = r->provider->write_request(&r->chat, r->target, r->loss, out);
    if (!e) e = files_were_said(r->a, &r->chat, r->loss);
    if (e) return e;
    r->request[0] = jn_dump(r->a, out);
    r->request[1] = r->request[2] = (str){0};
    return NULL;
}

/* What is written of a body's members comes after the translation. */
static void edit_body(llm_run *r)
{
    js_value root;
    const body_edit *edits = r->target->edits;
    if (!edits || r->upload) return;
    if (js_check(r->a, body_joined(r->a, r->request, 3), EDIT_DEPTH, &root) ||
        root.kind != JS_OBJECT)
        return;
    r->request[0] = body_edited(r->a, root, edits);
    r->request[1] = r->request[2] = (str){0};
}

static credential_request credential_question(const llm_run *r, str content_type)
{
    return (credential_request){.method = S("POST"),
                                .target = r->head.target,
                                .content_type = content_type,
                                .body = r->request,
                                .parts = 3,
                                .now_ms = clock_wall_ms(),
                                .client = exchange_headers(r->x),
                                .who = r->who,
                                .lent = &r->lent};
}

flow_go llm_borrow(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    const llm_backend *b = r->target->backend;
    const credential_request asked = credential_question(r, (str){0});
    r->lent = (lease_token){0};
    if (!b->lease || !credential_is_lent(r->a, b, &asked)) return FLOW_NEXT;
    const lease_ask ask = {.a = r->a, .at = r->w->o.loop, .who = r->flow.self};
    lease_state state = lease_take(b->lease, &ask, &r->lent);
    if (state == LEASE_READY) return FLOW_NEXT;
    if (state == LEASE_WAIT) return FLOW_WAIT;
    r->tried_in_vain = true;
    r->refusal = refusal_of(&(err){.kind = ERR_UPSTREAM});
    record_text(exchange_record(r->x), FACT_ERROR_TEXT,
                S("no token could be had for the provider"));
    return FLOW_AGAIN;
}

/* Another target may have a key of its own. */
static flow_go refuse_keyless(llm_run *r)
{
    r->tried_in_vain = true;
    r->refusal = refusal_of(&(err){.kind = ERR_UNAUTHENTICATED});
    r->refusal.said.message = S("missing upstream credential");
    r->refusal.said.code = S("missing_upstream_credential");
    return FLOW_AGAIN;
}

static flow_go refuse_request(llm_run *r, const err *e)
{
    const err shown = {.kind = ERR_MALFORMED, .text = e->text};
    return llm_fail(r, refusal_of(e->kind == ERR_UNSUPPORTED ? &shown : e));
}

static void pass_flat(llm_run *r, const flat_ask *q)
{
    const body_edit *edits = r->flat->edit ? r->flat->edit(q) : NULL;
    r->passes = true;
    r->hides_usage = r->endpoint->flat == FLAT_COMPLETIONS && r->body.stream &&
                     !js_bool(js_at(r->body.root, "stream_options.include_usage"), false);
    if (r->upload) return; /* it follows the call */
    body_splice(r->a, &r->body, r->target->model, r->request);
    if (!edits || !edits[0].name.p) return;
    r->request[0] = body_edited(r->a, r->body.root, edits);
    r->request[1] = r->request[2] = (str){0};
}

static flat_ask flat_question(const llm_run *r)
{
    return (flat_ask){.a = r->a,
                      .body = r->body.root,
                      .model = r->target->model.p ? r->target->model : r->body.model,
                      .to = r->target,
                      .headers = exchange_headers(r->x)};
}

/* What a provider has no endpoint for, the next target may have. */
static flow_go translate_flat(llm_run *r)
{
    const llm_schema schema = r->target->backend->schema;
    const flat_ask q = flat_question(r);
    const err *e = NULL;
    r->flat = flat_find(r->endpoint->flat, schema);
    if (!r->flat) {
        r->tried_in_vain = true;
        r->refusal =
            refusal_of(&(err){.kind = ERR_MALFORMED,
                              .text = S("the provider of this model has no such endpoint")});
        return FLOW_AGAIN;
    }
    read_little(r);
    r->loss = NULL;
    r->passes = r->hides_usage = false;
    r->provider = r->flat->put ? schema_dialect(schema, &openai_chat) : r->client;
    r->head = (llm_head){.target = flat_target(r->flat, &q)};
    if (!r->flat->put) {
        e = r->body.misspelt;
        if (!e && r->flat->check) e = r->flat->check(&q);
        pass_flat(r, &q);
    } else {
        jnode *out = jn_object(r->a);
        e = r->flat->put(&q, out);
        r->request[0] = jn_dump(r->a, out);
        r->request[1] = r->request[2] = (str){0};
    }
    if (!e) edit_body(r);
    return e ? refuse_request(r, e) : FLOW_NEXT;
}

/* These two give a client signatures that name their maker. */
static bool may_hold_foreign(const llm_run *r)
{
    return r->client == &openai_responses || r->client == &anthropic_messages;
}

flow_go llm_translate(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    const llm_backend *b = r->target->backend;
    const credential_request asked = credential_question(r, (str){0});
    if (!credential_is_there(r->a, b, &asked)) return refuse_keyless(r);
    if (r->endpoint->flat) return translate_flat(r);
    bool responds = r->client == &openai_responses;
    bool foreign = may_hold_foreign(r) && origin_stands_in(r->body.root.raw);
    /* OpenAI would refuse what others sealed, and does not know what is kept here. */
    r->provider =
        schema_dialect(b->schema, responds && (r->went_on || foreign) ? &openai_chat : r->client);
    r->passes = !foreign && !strcmp(r->provider->family, r->client->family);
    r->hides_usage = false;
    r->loss = NULL;
    const err *e = r->passes ? r->body.misspelt : translate(r);
    if (r->passes) pass(r);
    if (!e) e = r->provider->write_head(r->a, &r->chat, r->target, &r->head);
    if (!e) edit_body(r);
    return e ? refuse_request(r, e) : FLOW_NEXT;
}

static size_t count(const header *h)
{
    size_t n = 0;
    while (h && h[n].name.p) n++;
    return n;
}

/* Of a transcript that may be text or subtitles, or is streamed as a later field of the form says,
 * anything. */
static str accepted(const llm_run *r)
{
    if (r->upload) return S("*/*");
    return r->body.stream ? frames_content_type(r->provider->framing) : S("application/json");
}

static bool is_in(const header *list, str name)
{
    for (; list && list->name.p; list++)
        if (header_name_is(list->name, name)) return true;
    return false;
}

/* The provider's headers, but for those that the configuration changes; then what it sets. What
 * lets the request in comes last, and nothing takes its place. */
static void put_headers(const llm_run *r, const header *auth, header *out)
{
    const header *edits = r->target->headers;
    size_t n = 0;
    for (const header *h = r->head.headers; h && h->name.p; h++)
        if (!is_in(edits, h->name)) out[n++] = *h;
    for (const header *h = edits; h && h->name.p; h++)
        if (h->value.p && !is_in(auth, h->name)) out[n++] = *h;
    for (const header *h = auth; h->name.p; h++) out[n++] = *h;
}

static const header *request_headers(const llm_run *r)
{
    static const str json = {"application/json", 16};
    const credential_request asked =
        credential_question(r, r->upload ? upload_content_type(r) : json);
    const header *auth = credential_headers(r->a, r->target->backend, &asked);
    size_t most = count(r->head.headers) + count(auth) + count(r->target->headers);
    header *h = NEW_N(r->a, header, most + 3);
    size_t n = 1;
    h[0] = (header){S("content-type"), asked.content_type};
    if (!is_in(r->target->headers, S("accept"))) h[n++] = (header){S("accept"), accepted(r)};
    put_headers(r, auth, h + n);
    return h;
}

flow_go llm_send(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    const llm_backend *b = r->target->backend;
    record_text(exchange_record(r->x), FACT_SERVER, b->name);
    answer_begin(r);
    upload_begin(r);
    call_request rq = {
        .to = b->to,
        .method = S("POST"),
        .target = r->head.target,
        .headers = request_headers(r),
        .body = {r->request[0], r->request[1], r->request[2]},
        .upload = upload_length(r),
        .wants = upload_wants,
        .connect_ms = r->route->timeout_ms < CONNECT_MS ? r->route->timeout_ms : CONNECT_MS,
        .answer_ms = r->route->timeout_ms,
        .idle_ms = r->body.stream ? r->route->stream_idle_ms : r->route->timeout_ms,
    };
    r->sent_ms = loop_now_ms(r->w->o.loop);
    r->attempts++;
    r->over_quota = false;
    r->bill.sent = true;
    r->call = call_start(r->w->o.client, &rq, &llm_run_type, r->self, &llm_answer_events);
    return FLOW_NEXT;
}
