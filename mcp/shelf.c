/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.c - splicing names and URIs into items, and keeping the result.
 *
 * Nothing of an item is re-encoded: the bytes before and after the name are the server's. Only
 * what an older revision cannot say is changed: an outputSchema whose root is no
 * object is wrapped like the results it describes, or, where references into it would break,
 * replaced by one that promises no more than an object; before 2025-06-18 it goes. */
#include "shelf.h"
#include "../base/hash.h"
#include "name.h"
#include "rewrite.h"
#include "worker.h"
#include <stdlib.h>

enum { SHELVES = 128, CLASHES = 32 };
typedef enum { WORDS_MODERN, WORDS_STRUCTURED, WORDS_PLAIN } words;

typedef struct {
    shelf_words whose; /* a NULL: empty */
    catalog_kind kind;
    str hash;
    words in;
    str *items;
    uint64_t used;
} shelf;

struct shelf_room {
    shelf shelves[SHELVES];
    uint64_t clock;
    hash_seed seed;
    uint64_t clash[CLASHES];
    size_t next_clash;
};

struct shelf_room *shelf_room_new(void)
{
    struct shelf_room *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->seed = hash_seed_new();
    return r;
}

void shelf_room_free(struct shelf_room *r)
{
    if (!r) return;
    for (size_t i = 0; i < SHELVES; i++)
        if (r->shelves[i].whose.a) arena_free(r->shelves[i].whose.a);
    free(r);
}

static words words_of(mcp_version v)
{
    if (v >= MCP_2026_07_28) return WORDS_MODERN;
    return v >= MCP_2025_06_18 ? WORDS_STRUCTURED : WORDS_PLAIN;
}

static bool root_is_object(js_value schema)
{
    return js_text_is(js_get(schema, S("type")), S("object"));
}

static void put_wrapped(buf *b, js_value schema)
{
    bool refers = memmem(schema.raw.p, schema.raw.n, "$ref", 4) ||
                  memmem(schema.raw.p, schema.raw.n, "$dynamicRef", 11) ||
                  memchr(schema.raw.p, '\\', schema.raw.n); /* it may be spelled with escapes */
    if (refers) {
        buf_put(b, S("{\"type\":\"object\"}"));
        return;
    }
    buf_put(b, S("{\"type\":\"object\",\"properties\":{\"result\":"));
    buf_put(b, schema.raw);
    buf_put(b, S("},\"required\":[\"result\"]}"));
}

static str public_of(const shelf_words *in, catalog_kind kind, const catalog_item *t)
{
    bool named = kind == CATALOG_TOOLS || kind == CATALOG_PROMPTS;
    return named ? name_public(in->a, in->naming, in->server, t->name)
                 : name_public_uri(in->a, in->naming, in->server, t->name);
}

/* A member's value as it is said; absent: it is left out. */
static js_value said(const shelf_words *in, catalog_kind kind, const catalog_item *t,
                     const js_iter *it)
{
    buf b = buf_new(in->a, SIZE_MAX / 2);
    words w = words_of(in->version);
    if (js_key_is(it, catalog_words_of[kind].key)) {
        str name = public_of(in, kind, t);
        if (str_eq(t->name, name)) return it->value;
        buf_json(&b, name);
        return js_view(JS_STRING, buf_str(&b));
    }
    if (kind != CATALOG_TOOLS) return it->value;
    if (js_key_is(it, S("execution"))) return (js_value){0}; /* tasks are our affair: task.h */
    if (js_key_is(it, S("_meta")))
        return rewrite_meta(&(rewrite_from){in->a, in->naming, in->server}, it->value);
    if (!js_key_is(it, S("outputSchema")) || w == WORDS_MODERN) return it->value;
    if (w == WORDS_PLAIN) return (js_value){0};
    if (root_is_object(it->value)) return it->value;
    put_wrapped(&b, it->value);
    return js_view(JS_OBJECT, buf_str(&b));
}

/* Member for member, once one of them is left out. */
static str rebuilt(const shelf_words *in, catalog_kind kind, const catalog_item *t)
{
    buf b = buf_new(in->a, SIZE_MAX / 2);
    bool any = false;
    buf_put(&b, S("{"));
    for (js_iter it = js_iterate(t->raw); js_next(&it);) {
        js_value v = said(in, kind, t, &it);
        if (v.kind == JS_ABSENT) continue;
        buf_put(&b, any ? S(",\"") : S("\""));
        any = true;
        buf_put(&b, it.key);
        buf_put(&b, S("\":"));
        buf_put(&b, v.raw);
    }
    buf_put(&b, S("}"));
    return buf_str(&b);
}

str shelf_item(const shelf_words *in, catalog_kind kind, const catalog_item *t)
{
    buf b = buf_new(in->a, SIZE_MAX / 2);
    const char *from = t->raw.raw.p, *end = from + t->raw.raw.n;
    (void)buf_need(&b, t->raw.raw.n + in->server.n + 96);
    for (js_iter it = js_iterate(t->raw); js_next(&it);) {
        js_value v = said(in, kind, t, &it);
        if (v.kind == JS_ABSENT) return rebuilt(in, kind, t);
        if (v.raw.p == it.value.raw.p) continue;
        buf_put(&b, (str){from, (size_t)(it.value.raw.p - from)});
        buf_put(&b, v.raw);
        from = it.value.raw.p + it.value.raw.n;
    }
    buf_put(&b, (str){from, (size_t)(end - from)});
    return buf_str(&b);
}

static void fill(shelf *s, const catalog *c)
{
    s->items = NEW_N(s->whose.a, str, c->count ? c->count : 1);
    for (size_t i = 0; i < c->count; i++)
        s->items[i] = shelf_item(&s->whose, c->kind, &c->items[i]);
}

static bool serves(const shelf *s, const catalog *c, const shelf_words *whose)
{
    return s->whose.a && s->kind == c->kind && s->in == words_of(whose->version) &&
           s->whose.naming == whose->naming && str_eq(s->hash, c->hash) &&
           str_eq(s->whose.server, whose->server);
}

const str *shelf_items(struct shelf_room *r, const catalog *c, const shelf_words *whose)
{
    shelf *oldest = &r->shelves[0];
    for (shelf *s = r->shelves; s < r->shelves + SHELVES; s++) {
        if (serves(s, c, whose)) {
            s->used = ++r->clock;
            return s->items;
        }
        if (s->used < oldest->used) oldest = s;
    }
    if (oldest->whose.a) arena_free(oldest->whose.a);
    arena *a = arena_new();
    *oldest = (shelf){.whose = {a, arena_dup(a, whose->server), whose->naming, whose->version},
                      .kind = c->kind,
                      .hash = arena_dup(a, c->hash),
                      .in = words_of(whose->version),
                      .used = ++r->clock};
    fill(oldest, c);
    return oldest->items;
}

static bool is_new_clash(struct shelf_room *r, str name)
{
    uint64_t h = hash_bytes(r->seed, name);
    for (size_t i = 0; i < CLASHES; i++)
        if (r->clash[i] == h) return false;
    r->clash[r->next_clash++ % CLASHES] = h;
    return true;
}

void shelf_clash(mcp_worker *w, catalog_kind kind, str name, str server, str other)
{
    if (!is_new_clash(w->shelves, name)) return;
    log_say(w->shared->log, LOG_WARN_LEVEL, "two servers have the same, so it is nobody's",
            (log_fact[]){{"kind", catalog_words_of[kind].noun},
                         {"name", name},
                         {"server", server},
                         {"other", other},
                         {0}});
}
