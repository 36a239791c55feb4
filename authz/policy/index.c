/* SPDX-License-Identifier: Apache-2.0 */
/* index.c - which rules name this subject?
 *
 * A pattern whose server is spelled out is kept under that server, by its exact name or in the
 * server's list of globs; the rest in one list that is always walked. Models and endpoints
 * have no server and live under the empty one. So a question meets the rules that could name
 * it, however many others there are. */
#include "../../base/map.h"
#include "../../base/uri.h"
#include "rule.h"

typedef struct hit {
    str pattern;
    size_t rule;
    struct hit *next;
} hit;

typedef struct {
    map *names; /* exact name -> list of hits */
    hit *globs;
} shelf;

struct policy_index {
    arena *a;
    map *servers[SUBJECTS]; /* server -> shelf */
    hit *anywhere[SUBJECTS];
};

/* A text of two parts with a slash between, or of one. */
typedef struct {
    str head, tail;
    bool joined;
} pair;

static size_t pair_length(const pair *t)
{
    return t->joined ? t->head.n + 1 + t->tail.n : t->tail.n;
}

static char pair_at(const pair *t, size_t i)
{
    if (!t->joined) return t->tail.p[i];
    if (i < t->head.n) return t->head.p[i];
    if (i == t->head.n) return '/';
    return t->tail.p[i - t->head.n - 1];
}

/* The end of the UTF-8 character that begins at i: `?` is one character, not one byte. */
static size_t after_character(const pair *t, size_t i)
{
    size_t n = pair_length(t);
    for (i++; i < n && ((unsigned char)pair_at(t, i) & 0xC0) == 0x80; i++) {
    }
    return i;
}

/* On a mismatch only the last * need be tried again, one character longer. */
static bool fits(str pattern, const pair *t)
{
    size_t p = 0, i = 0, star = SIZE_MAX, from = 0, n = pair_length(t);
    if (pattern.n && n) { /* most that do not fit end otherwise */
        char last = pattern.p[pattern.n - 1];
        if (last != '*' && last != '?' && last != pair_at(t, n - 1)) return false;
    }
    while (i < n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            if (p + 1 == pattern.n) return true;
            star = p++;
            from = i;
        } else if (p < pattern.n && pattern.p[p] == '?') {
            p++;
            i = after_character(t, i);
        } else if (p < pattern.n && pattern.p[p] == pair_at(t, i)) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            from = after_character(t, from);
            i = from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

bool policy_glob(str pattern, str text)
{
    return fits(pattern, &(pair){.tail = text});
}

static bool is_glob(str s)
{
    return s.n && (memchr(s.p, '*', s.n) || memchr(s.p, '?', s.n));
}

policy_index *policy_index_new(arena *a)
{
    policy_index *ix = NEW(a, policy_index);
    ix->a = a;
    for (int kind = 0; kind < SUBJECTS; kind++) ix->servers[kind] = map_new(a);
    return ix;
}

static shelf *shelf_of(policy_index *ix, subject_kind kind, str server)
{
    shelf *s = map_get(ix->servers[kind], server);
    if (s) return s;
    s = NEW(ix->a, shelf);
    s->names = map_new(ix->a);
    map_put(ix->servers[kind], server, s);
    return s;
}

static bool has_server(subject_kind kind)
{
    return kind != SUBJECT_MODEL && kind != SUBJECT_ENDPOINT;
}

void policy_index_add(policy_index *ix, subject_kind kind, str pattern, size_t rule)
{
    hit *h = NEW(ix->a, hit);
    str_pair cut = has_server(kind) ? str_cut(pattern, '/')
                                    : (str_pair){.head = S(""), .tail = pattern, .ok = true};
    *h = (hit){cut.tail, rule, NULL};
    if (!cut.ok || is_glob(cut.head)) {
        h->pattern = pattern;
        h->next = ix->anywhere[kind];
        ix->anywhere[kind] = h;
        return;
    }
    shelf *s = shelf_of(ix, kind, cut.head);
    if (is_glob(cut.tail)) {
        h->next = s->globs;
        s->globs = h;
        return;
    }
    h->next = map_get(s->names, cut.tail);
    map_put(s->names, cut.tail, h);
}

void policy_index_find(const policy_index *ix, subject_kind kind, str server, str name,
                       policy_hit_fn *fn, void *ctx)
{
    const shelf *s = map_get(ix->servers[kind], has_server(kind) ? server : S(""));
    if (s) {
        for (const hit *h = map_get(s->names, name); h; h = h->next) fn(ctx, h->rule);
        for (const hit *h = s->globs; h; h = h->next)
            if (policy_glob(h->pattern, name)) fn(ctx, h->rule);
    }
    const pair whole = {server, name, true};
    for (const hit *h = ix->anywhere[kind]; h; h = h->next)
        if (fits(h->pattern, &whole)) fn(ctx, h->rule);
}

void policy_index_find_template(const policy_index *ix, str server, str template, arena *scratch,
                                policy_part_fn *fn, void *ctx)
{
    const shelf *s = map_get(ix->servers[SUBJECT_RESOURCE], server);
    size_t at = 0;
    str name;
    void *hits;
    while (s && map_each(s->names, &at, &name, &hits))
        for (const hit *h = hits; uri_fits(template, name) && h; h = h->next)
            fn(ctx, h->rule, false);
    for (const hit *h = s ? s->globs : NULL; h; h = h->next)
        if (uri_meets_glob(template, h->pattern))
            fn(ctx, h->rule, uri_within_glob(template, h->pattern));
    str whole = arena_fmt(scratch, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(template));
    for (const hit *h = ix->anywhere[SUBJECT_RESOURCE]; h; h = h->next)
        if (uri_meets_glob(whole, h->pattern)) fn(ctx, h->rule, uri_within_glob(whole, h->pattern));
}
