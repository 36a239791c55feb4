/* SPDX-License-Identifier: Apache-2.0 */
/* following.c - looking at tasks for a client that listens. (mcp.md 4.8, 6.2)
 *
 * A look is a visit without an exchange of its own, like an item of a batch. Where a server has
 * promised to tell of a task it is asked seldom, in case a word was lost; else as often as it
 * says. What only the clock moves is no news. A look that fails is repeated after a growing pause:
 * a server may come back, and rules may change. */
#include "following.h"
#include "../base/clock.h"
#include "call.h"
#include "task_follow.h"
#include "upstream_state.h"

enum { ROOM = 1024, LOOKS_AT_ONCE = 8, ID_MOST = 8192 };
static const int64_t LEAST_MS = 500, DEFAULT_MS = 5000, MOST_MS = 3600000, PROMISED_MS = 60000,
                     SPACE_MS = 250, PAUSE_MS = 1000, PAUSE_MOST_MS = 60000;

typedef struct look {
    visit v;       /* first: its flow knows this one */
    following *of; /* NULL: nobody waits for it any more */
    listener *on;
} look;

static int64_t now_of(const following *k)
{
    return loop_now_ms(k->of->v->w->loop);
}

/* Leaving */

static void unwatch(upstream *u, str own)
{
    watch_remove(u, WATCH_TASK, own);
    upstream_release(u);
}

static void part(following *k)
{
    if (k->u) unwatch(k->u, k->own);
    if (k->side) unwatch(k->side, k->own);
    k->u = k->side = NULL;
}

static void forsake(following *k)
{
    if (!k->look) return;
    k->look->of = NULL;
    corridor_wake(&k->look->v, FLOW_GONE);
    k->look = NULL;
}

static void drop_owed(following *k)
{
    if (k->fresh) arena_free(k->fresh);
    k->fresh = NULL;
    k->owed = (str){0};
}

void following_end(listener *l)
{
    for (following *k = l->follows, *next; k; k = next) {
        next = k->next;
        part(k);
        forsake(k);
        drop_owed(k);
        arena_free(k->a);
    }
    l->follows = NULL;
}

bool following_lets_go(listener *l)
{
    l->let_go = true;
    return !l->looks;
}

/* What a look has found */

static void join(following *k, const visit *v)
{
    const listener *l = k->of;
    const upstream *to = v->call->to;
    size_t i = 0;
    if (k->u) return;
    while (l->servers[i] && l->servers[i] != to) i++;
    if (!l->servers[i]) return;
    if (!k->own.n) k->own = arena_dup(k->a, js_text(k->a, js_view(JS_STRING, v->call->task_id)));
    k->u = upstream_hold(l->servers[i]);
    watch_add(k->u, WATCH_TASK, k->own);
    if (!l->sides[i]) return;
    k->side = upstream_hold(l->sides[i]);
    watch_add(k->side, WATCH_TASK, k->own);
}

static bool is_of_the_clock(const js_iter *it)
{
    return js_key_is(it, S("lastUpdatedAt")) || js_key_is(it, S("ttlMs")) ||
           js_key_is(it, S("pollIntervalMs")) || js_key_is(it, S("createdAt"));
}

static uint64_t sum_of(const following *k, js_value task)
{
    hash_seed seed = k->of->v->w->seed;
    uint64_t pair[3] = {1};
    for (js_iter it = js_iterate(task); js_next(&it);) {
        if (is_of_the_clock(&it)) continue;
        pair[1] = hash_bytes(seed, it.key);
        pair[2] = hash_bytes(seed, it.value.raw);
        pair[0] = hash_bytes(seed, (str){(const char *)pair, sizeof pair}) | 1;
    }
    return pair[0];
}

static void owe(following *k, js_value task)
{
    bool any = false;
    k->fresh = arena_new();
    buf b = buf_new(k->fresh, SIZE_MAX / 2);
    for (js_iter it = js_iterate(task); js_next(&it);)
        if (!js_key_is(&it, S("resultType")) && !js_key_is(&it, S("_meta")))
            dialect_put_member(&b, it.key, it.value.raw, &any);
    k->owed = buf_str(&b);
    corridor_wake(k->of->v, FLOW_WOKEN);
}

static bool ends(js_value task)
{
    js_value status = js_get(task, S("status"));
    return js_text_is(status, S("completed")) || js_text_is(status, S("failed")) ||
           js_text_is(status, S("cancelled"));
}

static int64_t interval_of(const following *k, js_value task)
{
    int64_t ms = DEFAULT_MS;
    (void)js_int(js_get(task, S("pollIntervalMs")), &ms);
    if (ms < LEAST_MS) ms = LEAST_MS;
    if (ms > MOST_MS) ms = MOST_MS;
    bool promised = (k->u && watch_is_promised(k->u, k->own)) ||
                    (k->side && watch_is_promised(k->side, k->own));
    return promised && ms < PROMISED_MS ? PROMISED_MS : ms;
}

static void failed(following *k)
{
    int64_t pause = PAUSE_MS << (k->failures < 6 ? k->failures : 6);
    k->failures++;
    k->next_ms = now_of(k) + (pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS);
}

static void shown(following *k, js_value task)
{
    uint64_t sum = sum_of(k, task);
    k->failures = 0;
    k->over = ends(task);
    k->next_ms = now_of(k) + interval_of(k, task);
    if (sum == k->told) return;
    k->told = sum;
    owe(k, task);
}

static bool read_task(const look *g, js_value *task)
{
    *task = js_get(js_view(JS_OBJECT, g->v.answer), S("result"));
    return js_get(*task, S("taskId")).kind == JS_STRING;
}

static void looked(following *k, const look *g)
{
    js_value task;
    bool permitted = g->v.call && g->v.permitted;
    k->look = NULL;
    k->decided = true;
    if (!permitted && !k->acknowledged) {
        k->left = true;
        return;
    }
    if (permitted) join(k, &g->v);
    if (permitted && read_task(g, &task))
        shown(k, task);
    else
        failed(k);
    if (k->heard && k->next_ms > k->looked_ms + SPACE_MS) k->next_ms = k->looked_ms + SPACE_MS;
}

/* Looking */

static void look_settle(void *x)
{
    look *g = x;
    if (g->v.call) call_end(&g->v);
    if (g->of) looked(g->of, g);
    g->on->looks--;
    if (g->of) following_tend(g->on);
}

static void look_release(void *x)
{
    look *g = x;
    listener *l = g->on;
    exchange *last = l->let_go && !l->looks ? g->v.x : NULL;
    arena_free(g->v.a); /* it lives there */
    if (last) exchange_release(last);
}

static const flow looks = {.name = "tasks/get",
                           .steps = call_look_steps,
                           .refuse = corridor_refuse,
                           .settle = look_settle,
                           .release = look_release};

static str params_of(arena *a, str id)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    buf_put(&b, S("{\"taskId\":"));
    buf_json(&b, id);
    buf_put(&b, S("}"));
    return buf_str(&b);
}

static void begin_look(following *k)
{
    listener *l = k->of;
    visit *his = l->v;
    arena *a = arena_new();
    look *g = k->look = NEW(a, look);
    visit *v = &g->v;
    *g = (look){.of = k, .on = l};
    *v = (visit){.w = his->w,
                 .x = his->x,
                 .a = a,
                 .rec = NEW(a, record),
                 .rq = {.config = mcp_config_keep(a, his->w->config), .endpoint = l->at},
                 .now_ms = clock_wall_ms(),
                 .who = his->who,
                 .credential = his->credential,
                 .q = his->q,
                 .msg = {.kind = RPC_REQUEST, .id = S("0"), .method = S("tasks/get")},
                 .parent = his};
    v->msg.params = js_view(JS_OBJECT, params_of(a, k->id));
    v->q.method = mcp_method_find(v->msg.method, ERA_IS_MODERN);
    v->q.meta = (dialect_meta){.capabilities = his->q.meta.capabilities};
    v->q.log_level = (str){0};
    record_text(v->rec, FACT_PEER, his->rec->v[FACT_PEER].text);
    k->looked_ms = now_of(k);
    k->heard = false;
    l->looks++;
    flow_start(&v->run, loop_flows(his->w->loop), &looks, g);
    flow_let_go(&v->run); /* nobody outside uses it */
}

/* A client that does not read is looked at nothing for. */
void following_tend(listener *l)
{
    bool unread = false;
    for (const following *k = l->follows; k; k = k->next) unread = unread || k->owed.n;
    for (following *k = l->follows; k && l->listed && !l->over && !unread; k = k->next) {
        bool due = !k->left && !k->over && !k->look && now_of(k) >= k->next_ms;
        if (due && l->looks < LOOKS_AT_ONCE) begin_look(k);
    }
}

/* Beginning */

static bool is_followed(const listener *l, str id)
{
    const following *k = l->follows;
    while (k && !str_eq(k->id, id)) k = k->next;
    return k;
}

static following *take(listener *l, js_value id)
{
    arena *a = arena_new_of(ROOM);
    following *k = NEW(a, following);
    k->a = a;
    k->of = l;
    k->id = id.kind == JS_STRING && id.raw.n <= ID_MOST ? js_text(a, id) : (str){0};
    if (k->id.n && !is_followed(l, k->id) && task_follow_is_his(l->v, l->bond, k->id, a)) return k;
    arena_free(a);
    return NULL;
}

void following_begin(listener *l, js_value ids)
{
    following **end = &l->follows;
    size_t n = 0;
    for (js_iter it = js_iterate(ids); n < FOLLOWING_MOST && js_next(&it);) {
        following *k = l->listed ? take(l, it.value) : NULL;
        if (!k) continue;
        *end = k;
        end = &k->next;
        n++;
    }
    following_tend(l);
}

bool following_is_decided(const listener *l)
{
    for (const following *k = l->follows; k; k = k->next) {
        bool allowed = k->look && k->look->v.permitted;
        if (!k->left && !k->decided && !allowed) return false;
    }
    return true;
}

void following_acknowledge(listener *l)
{
    for (following *k = l->follows; k; k = k->next) k->acknowledged = !k->left;
}

void following_told(following *k)
{
    drop_owed(k);
    if (k->over) part(k);
}

/* What was found under another configuration is not told. */
void following_again(listener *l)
{
    for (following *k = l->follows; k; k = k->next) {
        if (k->owed.n) {
            k->told = 0;
            k->over = false;
        }
        drop_owed(k);
        forsake(k);
        part(k);
        if (!k->over) k->next_ms = 0;
    }
}

/* Words of servers */

static void hear(listener *l, const listener_news *news)
{
    for (following *k = l->follows; k; k = k->next) {
        if ((k->u != news->from && k->side != news->from) || !str_eq(k->own, news->about)) continue;
        k->heard = true;
        if (k->next_ms > k->looked_ms + SPACE_MS) k->next_ms = k->looked_ms + SPACE_MS;
    }
    following_tend(l);
}

void following_heard(upstream *u, js_value id)
{
    arena *a = arena_new_of(ROOM);
    if (id.kind == JS_STRING && id.raw.n <= ID_MOST) {
        const listener_news news = {.from = u, .about = js_text(a, id)};
        if (watch_has(u, WATCH_TASK, news.about)) listeners_hear(&news, hear);
    }
    arena_free(a);
}
