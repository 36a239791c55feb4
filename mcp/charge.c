/* SPDX-License-Identifier: Apache-2.0 */
#include "charge.h"
#include "../authz/quota_say.h"
#include "call.h"

enum { HOLD_BYTES = 512 };

void charge_settle(charge *c, quota_end how)
{
    if (!c->a) return;
    quota_settle(c->hold, NULL, how);
    arena_free(c->a);
    *c = (charge){0};
}

static void say(const visit *v, const quota_view *tightest)
{
    header list[QUOTA_HEADERS];
    if (v->parent || v->channel) return;
    quota_headers(v->a, tightest, list);
    for (const header *h = list; h->name.p; h++) exchange_add_header(v->x, h->name, h->value);
}

static void write_down(const visit *v, const question *about, str quota, bool shadow)
{
    const mcp_config *c = v->rq.config;
    const audit_case asked = {c->rules, c->shadow, c->redact, about, v->rq.endpoint->path};
    record_text(v->rec, shadow ? FACT_QUOTA_SHADOW : FACT_QUOTA, arena_dup(v->a, quota));
    audit_quota(&v->w->shared->audit, &asked, quota, shadow, v->a);
}

static void note_room(const visit *v, const question *about, const charge *c)
{
    quota_view tightest;
    str shadowed = quota_shadowed(c->hold);
    if (shadowed.p) write_down(v, about, shadowed, true);
    if (quota_tightest(c->hold, &tightest)) say(v, &tightest);
}

static flow_go refuse(visit *v, const question *about, const quota_refusal *no)
{
    str text = arena_dup(v->a, no->message);
    record_text(v->rec, FACT_LIMITED, S("quota"));
    write_down(v, about, no->view.id, false);
    if (no->error.n) record_text(v->rec, FACT_ERROR_TEXT, arena_dup(v->a, no->error));
    if (no->why == QUOTA_UNTOLD) return corridor_refuse_with(v, 403, RPC_FORBIDDEN, text);
    if (no->why == QUOTA_AWAY) return corridor_refuse_with(v, 503, RPC_INTERNAL, text);
    v->no = rpc_limited(v->a, text, no->retry_after_ms);
    say(v, &no->view);
    return FLOW_FAIL;
}

flow_go charge_take(visit *v, const question *about)
{
    charge *c = &v->call->charge;
    struct quotas *q = v->w->shared->quotas;
    quota_refusal no = {0};
    if (!q || !policy_quota_count(v->rq.config->rules)) return FLOW_NEXT;
    arena *a = arena_new_of(HOLD_BYTES);
    const quota_request rq = {.rules = v->rq.config->rules, .about = about, .waiter = v->run.self};
    quota_answer answer = quota_reserve(q, &rq, a, &c->hold, &no);
    flow_go go = FLOW_NEXT;
    if (answer == QUOTA_FULL) go = refuse(v, about, &no);
    if (answer == QUOTA_WAIT) go = FLOW_WAIT;
    if (answer != QUOTA_ROOM || !c->hold) {
        arena_free(a);
        return go;
    }
    c->a = a;
    note_room(v, about, c);
    return FLOW_NEXT;
}

static void end_parked(void *c)
{
    charge held = *(charge *)c; /* it lives in the arena that goes */
    charge_settle(&held, QUOTA_DONE);
}

void charge_park(visit *v)
{
    struct subject_call *k = v->call;
    if (!k->charge.a) return;
    charge *moved = NEW(k->charge.a, charge);
    *moved = k->charge;
    k->charge = (charge){0};
    parked_carry(v->w, &k->parked, end_parked, moved);
}

void charge_end(visit *v)
{
    charge *c = &v->call->charge;
    if (v->call->link) c->sent |= link_was_sent(v->call->link);
    charge_settle(c, c->sent ? QUOTA_DONE : QUOTA_UNSENT);
}
