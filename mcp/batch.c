/* SPDX-License-Identifier: Apache-2.0 */
/* batch.c - several messages in one POST: legal in 2025-03-26 alone, and in no other revision.
 *
 * Each item walks the corridor as a visit of its own, at the same time as the others, from
 * reading on: who asks is already known. The answers are put together in the order of the
 * requests when the last is there. Items cannot stream, so their progress is not told.
 * The batch is not cancelled when its client leaves: its items live in its memory, and each
 * ends by its own timeout. */
#include "corridor.h"
#include "reply.h"

enum { BATCH_MOST = 64 };

struct batch {
    visit *item;
    record *facts;
    size_t count, waiting;
};

/* Whether this client may send one: it has a session, of the revision that has batches. */
static bool allowed(visit *v)
{
    dialect_context c = corridor_context(v);
    session s;
    bool modern = mcp_version_is_modern(dialect_version_header(c.headers));
    if (!modern && header_get(c.headers, S("mcp-session-id")).p) {
        if (!dialect_open_session(&c, &s, &v->no)) return false;
        if (s.version == MCP_2025_03_26) return true;
    }
    v->no = (rpc_refusal){.status = 400,
                          .code = RPC_INVALID_REQUEST,
                          .text = S("batches are not supported")};
    return false;
}

static size_t count_of(js_value array)
{
    size_t n = 0;
    for (js_iter it = js_iterate(array); js_next(&it);) n++;
    return n;
}

static void start_item(visit *v, size_t i, js_value root)
{
    visit *item = &v->batch->item[i];
    item->w = v->w;
    item->x = v->x;
    item->a = v->a;
    item->rec = &v->batch->facts[i];
    item->rq = v->rq;
    item->now_ms = v->now_ms;
    item->who = v->who;
    item->q.speaks = &dialect_legacy;
    item->root = root;
    item->parent = v;
    flow_start(&item->run, loop_flows(v->w->loop), &corridor_item, item);
}

static flow_go each(void *x, flow_why why)
{
    visit *v = x;
    if (why != FLOW_ENTER) return v->batch->waiting ? FLOW_WAIT : FLOW_NEXT;
    if (!allowed(v)) return FLOW_FAIL;
    size_t n = count_of(v->root), i = 0;
    if (n == 0 || n > BATCH_MOST)
        return corridor_refuse_with(v, 400, RPC_INVALID_REQUEST,
                                    n ? S("the batch is too long") : S("the batch is empty"));
    v->batch = NEW(v->a, struct batch);
    v->batch->item = NEW_N(v->a, visit, n);
    v->batch->facts = NEW_N(v->a, record, n);
    v->batch->count = v->batch->waiting = n;
    for (js_iter it = js_iterate(v->root); js_next(&it) && i < n; i++) start_item(v, i, it.value);
    return FLOW_WAIT;
}

void batch_item_over(visit *parent)
{
    if (--parent->batch->waiting == 0) corridor_wake(parent, FLOW_WOKEN);
}

enum { SUBJECT_FACTS = 3 };
static const fact subject_facts[SUBJECT_FACTS] = {FACT_TOOL, FACT_PROMPT, FACT_RESOURCE};

/* The batch's own line in the log names everything that was called; one denial makes it a denial.
 */
static void add_facts(visit *v, const record *item, buf *called)
{
    const fact_value *said = &item->v[FACT_VERDICT];
    for (size_t i = 0; i < SUBJECT_FACTS; i++) {
        const fact_value *what = &item->v[subject_facts[i]];
        if (!what->set) continue;
        if (called[i].n) buf_put(&called[i], S(","));
        buf_put(&called[i], what->text);
    }
    bool refused = v->rec->v[FACT_VERDICT].set && str_eq(v->rec->v[FACT_VERDICT].text, S("deny"));
    if (said->set && !refused) {
        record_text(v->rec, FACT_VERDICT, said->text);
        if (item->v[FACT_RULE].set) record_text(v->rec, FACT_RULE, item->v[FACT_RULE].text);
    }
    if (item->v[FACT_RULE_ERROR].set) v->rec->v[FACT_RULE_ERROR] = item->v[FACT_RULE_ERROR];
}

static flow_go answer(void *x, flow_why why)
{
    visit *v = x;
    (void)why;
    buf out = buf_new(v->a, SIZE_MAX / 2), called[SUBJECT_FACTS];
    for (size_t i = 0; i < SUBJECT_FACTS; i++) called[i] = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&out, S("["));
    for (size_t i = 0; i < v->batch->count; i++) {
        const visit *item = &v->batch->item[i];
        add_facts(v, item->rec, called);
        if (!item->answer.n) continue; /* a notification has none */
        if (out.n > 1) buf_put(&out, S(","));
        buf_put(&out, item->answer);
    }
    buf_put(&out, S("]"));
    record_text(v->rec, FACT_MCP_METHOD, S("batch"));
    record_text(v->rec, FACT_MCP_PROTOCOL, mcp_version_names[MCP_2025_03_26]);
    for (size_t i = 0; i < SUBJECT_FACTS; i++)
        if (called[i].n) record_text(v->rec, subject_facts[i], buf_str(&called[i]));
    if (out.n > 2)
        reply_json(v, 200, buf_str(&out));
    else
        reply_empty(v, 202);
    return FLOW_DONE;
}

static const flow_step batch_steps[] = {CORRIDOR_BEGIN,
                                        {.name = "each", .run = each},
                                        {.name = "answer", .run = answer},
                                        {0}};
const flow corridor_batch = {.name = "mcp batch",
                             .steps = batch_steps,
                             .on_gone = FLOW_DETACH,
                             CORRIDOR_ENDS};
