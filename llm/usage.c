/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - the tap looks into an event only if the word is in it.
 *
 * Almost every chunk of a stream has no usage, or null: a search for the word costs far less
 * than reading the JSON of each. What is read has an arena for that one event: between events,
 * which is where thousands of streams stand, nothing is held. */
#include "usage.h"
#include "../transport/sse.h"

enum { DEPTH = 32, SCRATCH = 2048 };

struct usage_tap {
    sse_reader *events;
    const llm_dialect *dialect;
    llm_usage total;
    frame_sense furthest;
    int64_t seen;
    str error;
    arena *a;
    bool broken, ending;
};

llm_usage usage_of(llm_reader *rd, js_value counts, const llm_dialect *d)
{
    llm_usage u = {0};
    obj *o = obj_open(rd, counts, "usage");
    if (o) fields_take(o, d->usage, &u);
    usage_disjoin(&u, d->counts);
    return u;
}

bool usage_read(const llm_dialect *d, arena *a, js_value answer, llm_usage *out)
{
    *out = (llm_usage){0};
    llm_reader *rd = reader_new(a);
    for (const char *const *at = d->usage_at; *at; at++) {
        obj *o = obj_open(rd, js_at(answer, *at), "usage");
        if (o) fields_take(o, d->usage, out);
    }
    usage_disjoin(out, d->counts);
    return usage_known(out);
}

static void record_count(record *r, fact f, const opt_int *n)
{
    if (n->set) record_number(r, f, n->v);
}

void usage_record(const llm_usage *u, record *r)
{
    if (!usage_known(u)) return;
    record_count(r, FACT_TOKENS_IN, &u->input);
    record_count(r, FACT_TOKENS_CACHED, &u->cache_read);
    record_count(r, FACT_TOKENS_OUT, &u->output);
    record_count(r, FACT_TOKENS_REASONING, &u->reasoning);
    opt_int written = {u->cache_write.set || u->cache_write_1h.set,
                       u->cache_write.v + u->cache_write_1h.v};
    record_count(r, FACT_TOKENS_CACHE_WRITE, &written);
}

static void one_event(usage_tap *t, llm_frame f)
{
    frame_sense now = t->dialect->sense(f);
    if (now == FRAME_ERROR && !t->error.p) t->error = arena_dup(t->a, f.data);
    if (now > t->furthest) t->furthest = now;
    t->seen += now == FRAME_CONTENT;
    if (f.data.n < 8 || !memmem(f.data.p, f.data.n, "\"usage\"", 7)) return;
    arena *once = arena_new_of(SCRATCH);
    js_value root;
    const err *e = js_check(once, f.data, DEPTH, &root);
    llm_usage u;
    if (!e && usage_read(t->dialect, once, root, &u)) usage_merge(&t->total, &u);
    arena_free(once);
}

static js_value object_in(arena *once, str line)
{
    js_value root = {0};
    const err *e = js_check(once, line, DEPTH, &root);
    return e || root.kind != JS_OBJECT ? (js_value){0} : root;
}

static bool is_objects(str data)
{
    arena *once = arena_new_of(SCRATCH);
    bool all = data.n > 0;
    for (str_pair cut = {.tail = data}; cut.tail.n && all;) {
        cut = str_cut(cut.tail, '\n');
        all = object_in(once, cut.head).kind == JS_OBJECT;
    }
    arena_free(once);
    return all;
}

void usage_tap_event(usage_tap *t, llm_frame f)
{
    if (!f.data.n || !memchr(f.data.p, '\n', f.data.n) || !is_objects(f.data)) {
        one_event(t, f);
        return;
    }
    arena *once = arena_new_of(SCRATCH);
    for (str_pair cut = {.tail = f.data}; cut.tail.n;) {
        cut = str_cut(cut.tail, '\n');
        str type = js_text(once, js_get(object_in(once, cut.head), S("type")));
        one_event(t, (llm_frame){.type = type, .data = cut.head});
        arena_reset(once);
    }
    arena_free(once);
}

/* The last event may lack its empty line: whether it is whole, its JSON tells. */
static void on_event(void *ctx, sse_event ev)
{
    usage_tap *t = ctx;
    if (t->ending && !str_eq(ev.data, S("[DONE]")) && !is_objects(ev.data)) return;
    usage_tap_event(t, (llm_frame){.type = ev.event, .data = ev.data});
}

usage_tap *usage_tap_new(arena *a, const llm_dialect *d, size_t event_limit)
{
    usage_tap *t = NEW(a, usage_tap);
    t->dialect = d;
    t->a = a;
    t->events = sse_reader_new(a, event_limit, on_event, t);
    return t;
}

void usage_tap_feed(usage_tap *t, str bytes)
{
    if (t->broken) return;
    const err *e = sse_feed(t->events, bytes);
    t->broken = e != NULL; /* an event over the limit: the bytes pass, the count is not known */
}

void usage_tap_end(usage_tap *t)
{
    t->ending = true;
    usage_tap_feed(t, S("\n\n"));
}

int64_t usage_tap_seen(const usage_tap *t)
{
    return t->seen;
}

const llm_usage *usage_tap_total(const usage_tap *t)
{
    return &t->total;
}

frame_sense usage_tap_sense(const usage_tap *t)
{
    return t->broken && t->furthest < FRAME_CONTENT ? FRAME_CONTENT : t->furthest;
}

str usage_tap_error(const usage_tap *t)
{
    return t->error;
}
