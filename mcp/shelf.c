/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.c - splicing names into items, and keeping the result.
 *
 * Nothing of an item is re-encoded: the bytes before and after the name are the server's. Only
 * what an older revision cannot say is changed: an outputSchema whose root is no
 * object is wrapped like the results it describes, or, where references into it would break,
 * replaced by one that promises no more than an object; before 2025-06-18 it goes. */
#include "shelf.h"
#include "../base/hash.h"
#include "name.h"
#include <stdlib.h>

enum { SHELVES = 128, CLASHES = 32 };
typedef enum { WORDS_MODERN, WORDS_STRUCTURED, WORDS_PLAIN } words;

typedef struct {
    arena *a; /* NULL: empty */
    str hash, server;
    mcp_naming naming;
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
        if (r->shelves[i].a) arena_free(r->shelves[i].a);
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

static void put_name(buf *b, const catalog_tool *t, str public_name, js_value own)
{
    if (str_eq(t->name, public_name))
        buf_put(b, own.raw);
    else
        buf_json(b, public_name);
}

/* The item up to `from` is written; now what is between there and `value`. */
static const char *put_until(buf *b, const char *from, js_value value)
{
    buf_put(b, (str){from, (size_t)(value.raw.p - from)});
    return value.raw.p + value.raw.n;
}

static str spliced(arena *a, const catalog_tool *t, str public_name, words in)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    (void)buf_need(&b, t->raw.raw.n + public_name.n + 96);
    const char *from = t->raw.raw.p, *end = from + t->raw.raw.n;
    for (js_iter it = js_iterate(t->raw); js_next(&it);) {
        if (js_key_is(&it, S("name"))) {
            from = put_until(&b, from, it.value);
            put_name(&b, t, public_name, it.value);
        } else if (in == WORDS_STRUCTURED && js_key_is(&it, S("outputSchema")) &&
                   !root_is_object(it.value)) {
            from = put_until(&b, from, it.value);
            put_wrapped(&b, it.value);
        }
    }
    buf_put(&b, (str){from, (size_t)(end - from)});
    return buf_str(&b);
}

/* Without outputSchema: a client that saw one would miss the structured content we must leave out.
 */
static str without_schema(arena *a, const catalog_tool *t, str public_name)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    bool any = false;
    buf_put(&b, S("{"));
    for (js_iter it = js_iterate(t->raw); js_next(&it);) {
        if (js_key_is(&it, S("outputSchema"))) continue;
        buf_put(&b, any ? S(",\"") : S("\""));
        any = true;
        buf_put(&b, it.key);
        buf_put(&b, S("\":"));
        if (js_key_is(&it, S("name")))
            put_name(&b, t, public_name, it.value);
        else
            buf_put(&b, it.value.raw);
    }
    buf_put(&b, S("}"));
    return buf_str(&b);
}

str shelf_item(arena *a, const catalog_tool *t, str public_name, mcp_version version)
{
    words in = words_of(version);
    bool has_schema = in == WORDS_PLAIN && js_get(t->raw, S("outputSchema")).kind != JS_ABSENT;
    return has_schema ? without_schema(a, t, public_name) : spliced(a, t, public_name, in);
}

static void fill(shelf *s, const catalog *c, mcp_version version)
{
    s->items = NEW_N(s->a, str, c->count ? c->count : 1);
    for (size_t i = 0; i < c->count; i++) {
        str name = name_public(s->a, s->naming, s->server, c->tools[i].name);
        s->items[i] = shelf_item(s->a, &c->tools[i], name, version);
    }
}

const str *shelf_items(struct shelf_room *r, const catalog *c, str server, mcp_naming naming,
                       mcp_version version)
{
    words in = words_of(version);
    shelf *oldest = &r->shelves[0];
    for (shelf *s = r->shelves; s < r->shelves + SHELVES; s++) {
        if (s->a && s->in == in && s->naming == naming && str_eq(s->hash, c->hash) &&
            str_eq(s->server, server)) {
            s->used = ++r->clock;
            return s->items;
        }
        if (s->used < oldest->used) oldest = s;
    }
    if (oldest->a) arena_free(oldest->a);
    arena *a = arena_new();
    *oldest = (shelf){.a = a,
                      .hash = arena_dup(a, c->hash),
                      .server = arena_dup(a, server),
                      .naming = naming,
                      .in = in,
                      .used = ++r->clock};
    fill(oldest, c, version);
    return oldest->items;
}

bool shelf_clash_is_new(struct shelf_room *r, str name)
{
    uint64_t h = hash_bytes(r->seed, name);
    for (size_t i = 0; i < CLASHES; i++)
        if (r->clash[i] == h) return false;
    r->clash[r->next_clash++ % CLASHES] = h;
    return true;
}
