/* SPDX-License-Identifier: Apache-2.0 */
#include "pick.h"
#include "../base/clock.h"
#include "retry.h"
#include "route.h"

/* Bytes of a request for a token of it, and what its answer may have when it sets no bound. */
enum { BYTES_A_TOKEN = 4, ANSWER_TOKENS = 256, TOKENS_MOST = 1 << 22 };

/* What the attempt will cost of a limit in tokens: a guess, put right when it has answered. */
static int64_t guess(const llm_run *r)
{
    int64_t most = r->body.answer_most;
    int64_t answer = most > 0 && most < TOKENS_MOST ? most : ANSWER_TOKENS;
    return (int64_t)(r->body.root.raw.n / BYTES_A_TOKEN) + answer;
}

/* Who is alone is asked whatever it said before: its own refusal says more than ours would. */
static standing_ask ask_of(const llm_run *r, const llm_target *t)
{
    return (standing_ask){.model = t->model.p ? t->model : r->body.model,
                          .tokens = guess(r),
                          .now_ms = loop_now_ms(r->w->o.loop),
                          .alone = route_targets(r->route) == 1};
}

static standing_view look(const llm_run *r, const llm_target *t, bool heeds_all)
{
    standing_ask k = ask_of(r, t);
    if (heeds_all) k.alone = false;
    if (!t->backend->standing) return (standing_view){0};
    return standing_look(t->backend->standing, &t->backend->terms, &k);
}

typedef struct {
    standing_view of[ROUTE_TARGETS];
    uint64_t is[STANDING_FULL + 1]; /* sets of targets */
} views;

static uint64_t bit(size_t i)
{
    return (uint64_t)1 << i;
}

/* Of a set, which is not empty, the one that is well again first. */
static size_t soonest(const llm_run *r, const views *v, uint64_t of)
{
    size_t best = ROUTE_TARGETS;
    for (size_t i = 0; i < route_targets(r->route); i++)
        if (of & bit(i) && (best == ROUTE_TARGETS || v->of[i].until_ms < v->of[best].until_ms))
            best = i;
    return best;
}

/* No more may be out than the route allows, the least bad are let in again. */
static void let_in(const llm_run *r, views *v)
{
    size_t most = route_targets(r->route) * r->route->eject_most / 100;
    while ((size_t)__builtin_popcountll(v->is[STANDING_OUT]) > most) {
        uint64_t one = bit(soonest(r, v, v->is[STANDING_OUT]) % ROUTE_TARGETS);
        v->is[STANDING_OUT] &= ~one;
        v->is[STANDING_GOOD] |= one;
    }
}

/* `heeds_all`: also what one that is alone has said of its limits. */
static views look_at_all(const llm_run *r, bool heeds_all)
{
    views v = {0};
    for (size_t i = 0; i < route_targets(r->route); i++) {
        v.of[i] = look(r, &r->route->to[i], heeds_all);
        v.is[v.of[i].kind] |= bit(i);
    }
    let_in(r, &v);
    return v;
}

static str sticky_value(const llm_run *r, str from)
{
    str named = S("header:");
    if (str_starts(from, named)) return exchange_header(r->x, str_drop(from, named.n));
    if (str_eq(from, S("caller"))) return r->who->id;
    js_value key = js_get(r->body.root, from);
    return key.kind == JS_STRING ? js_text(r->a, key) : (str){0};
}

static str sticky_key(const llm_run *r)
{
    for (const str *from = r->route->sticky; from && from->p; from++) {
        str key = sticky_value(r, *from);
        if (key.n) return key;
    }
    return (str){0};
}

/* ROUTE_TARGETS: there is none. */
static size_t choose(llm_run *r, const views *v)
{
    uint64_t good = v->is[STANDING_GOOD] & ~r->tried, out = v->is[STANDING_OUT] & ~r->tried,
             full = v->is[STANDING_FULL] & ~r->tried;
    if (!good) return soonest(r, v, out ? out : full);
    good = route_best(r->route, good);
    str key = sticky_key(r);
    return key.n ? route_pick_by(r->route, good, key) : route_pick(r->route, good, r->w->turn++);
}

const llm_target *pick_target(llm_run *r)
{
    const standing_outcome unasked = {.how = STANDING_UNASKED};
    (void)standing_end(&r->hold, &unasked);
    const views v = look_at_all(r, false);
    size_t i = choose(r, &v);
    if (i == ROUTE_TARGETS) return NULL;
    r->tried |= bit(i);
    return &r->route->to[i];
}

flow_go llm_room(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    const llm_backend *b = r->target->backend;
    const standing_ask k = ask_of(r, r->target);
    int64_t full = 0;
    if (!b->standing || standing_begin(b->standing, &b->terms, &k, &r->hold, &full))
        return FLOW_NEXT;
    if (!r->full_ms || full < r->full_ms) r->full_ms = full;
    return FLOW_AGAIN;
}

/* A failure is what another attempt might mend; being full is none. */
static standing_end_kind ended_how(const llm_run *r)
{
    unsigned failure = retry_failure(r);
    if (!r->ended && !r->broken) return STANDING_UNKNOWN;
    return failure & ~(unsigned)RETRY_429 ? STANDING_FAILED : STANDING_WORKED;
}

void pick_over(llm_run *r, int64_t tokens)
{
    const str name = r->hold.of ? r->target->backend->name : (str){0};
    const standing_outcome o = {.how = ended_how(r),
                                .reached = r->has_head,
                                .tokens = tokens,
                                .now_ms = loop_now_ms(r->w->o.loop)};
    if (!standing_end(&r->hold, &o)) return;
    metric_add(metric_series(r->w->o.meters, METRIC_BREAKER_OPENED, arena_dup(r->a, name).p, NULL),
               1);
    log_say(r->w->o.log, LOG_WARN_LEVEL, "backend is left alone for a while",
            (log_fact[]){{"server", name}, {0}});
}

bool pick_all_full(const llm_run *r)
{
    if (!r->full_ms || r->over_quota) return false;
    return !r->tried_in_vain || r->refusal.said.status == 429;
}

llm_refusal pick_refusal(llm_run *r)
{
    const views v = look_at_all(r, false);
    size_t first = soonest(r, &v, v.is[STANDING_FULL]);
    int64_t now = loop_now_ms(r->w->o.loop);
    int64_t wait_ms = first < ROUTE_TARGETS ? v.of[first].until_ms - now : 1; /* meanwhile: soon */
    record_text(exchange_record(r->x), FACT_LIMITED, S("backend_limits"));
    llm_refusal no = refusal_of(&(err){.kind = ERR_QUOTA});
    no.said.message = S("every provider of this model is at its limits for now");
    no.said.retry_after = arena_fmt(r->a, "%lld", (long long)((wait_ms + 999) / 1000));
    return no;
}

int64_t pick_room_at(llm_run *r)
{
    const views v = look_at_all(r, true);
    uint64_t full = v.is[STANDING_FULL];
    size_t all = route_targets(r->route);
    if ((size_t)__builtin_popcountll(full) < all) return 0;
    return v.of[soonest(r, &v, full)].until_ms;
}
