/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - the tap looks into an event only if the word is in it.
 *
 * Almost every chunk of a stream has no usage, or null: a search for the word costs far less
 * than reading the JSON of each. The scratch arena is emptied after every event, so a long
 * stream holds no more memory than a short one. */
#include "usage.h"
#include "../transport/sse.h"

enum { DEPTH = 32 };

struct usage_tap {
    sse_reader *events;
    arena *scratch;
    llm_usage total;
    bool broken;
};

/* Counts are not negative; anything else in their place is not known. */
static bool count(js_value v, int64_t *out)
{
    int64_t n = 0;
    if (!js_int(v, &n) || n < 0) return false;
    *out = n;
    return true;
}

bool usage_read(js_value answer, llm_usage *out)
{
    js_value usage = js_get(answer, S("usage"));
    llm_usage u = {0};
    js_iter it = js_iterate(usage);
    while (js_next(&it)) {
        if (str_eq(it.key, S("prompt_tokens")))
            u.known = count(it.value, &u.input) || u.known;
        else if (str_eq(it.key, S("completion_tokens")))
            u.known = count(it.value, &u.output) || u.known;
        else if (str_eq(it.key, S("prompt_tokens_details")))
            (void)count(js_get(it.value, S("cached_tokens")), &u.cached_input);
    }
    if (!u.known) return false;
    if (u.cached_input > u.input)
        u.cached_input = 0; /* not a part of it: somebody else's meaning */
    u.input -= u.cached_input;
    *out = u;
    return true;
}

void usage_record(const llm_usage *u, record *r)
{
    if (!u->known) return;
    record_number(r, FACT_TOKENS_IN, u->input);
    record_number(r, FACT_TOKENS_CACHED, u->cached_input);
    record_number(r, FACT_TOKENS_OUT, u->output);
}

static void on_event(void *ctx, sse_event ev)
{
    usage_tap *t = ctx;
    if (ev.data.n < 8 || !memmem(ev.data.p, ev.data.n, "\"usage\"", 7)) return;
    js_value root;
    const err *e = js_check(t->scratch, ev.data, DEPTH, &root);
    llm_usage u;
    if (!e && usage_read(root, &u)) t->total = u; /* the last one counts: it is the whole */
    arena_reset(t->scratch);
}

static void drop_arena(void *a)
{
    arena_free(a);
}

usage_tap *usage_tap_new(arena *a, size_t event_limit)
{
    usage_tap *t = NEW(a, usage_tap);
    t->scratch = arena_new();
    arena_own(a, drop_arena, t->scratch);
    t->events = sse_reader_new(a, event_limit, on_event, t);
    return t;
}

void usage_tap_feed(usage_tap *t, str bytes)
{
    if (t->broken) return;
    const err *e = sse_feed(t->events, bytes);
    t->broken = e != NULL; /* an event over the limit: the bytes pass, the count is not known */
}

const llm_usage *usage_tap_total(const usage_tap *t)
{
    return &t->total;
}
