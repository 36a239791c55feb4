/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_read.c - the items of a list, kept as the bytes the server sent.
 *
 * An item is copied once and its members are views into the copy: a catalog is handed on byte for
 * byte, and its hash is over what was sent. Names are found through an index sorted by name, for
 * a call looks up one tool of perhaps thousands. */
#include "catalog_read.h"
#include "../authz/digest.h"
#include "../authz/policy/schema.h"
#include "../base/map.h"
#include "../base/uri.h"
#include "definition.h"
#include "link_param.h"
#include "upstream_state.h"
#include <stdlib.h>

enum {
    NAME_MOST = 128,
    URI_MOST = 8192,
    SEPARATOR = 1,
    KNOWN_MOST = 20000 /* arguments of a catalog */
};

const catalog_words catalog_words_of[CATALOG_KINDS] = {
    [CATALOG_TOOLS] = {S("tools/list"), S("tools"), S("name"), S("tool")},
    [CATALOG_PROMPTS] = {S("prompts/list"), S("prompts"), S("name"), S("prompt")},
    [CATALOG_RESOURCES] = {S("resources/list"), S("resources"), S("uri"), S("resource")},
    [CATALOG_TEMPLATES] = {S("resources/templates/list"), S("resourceTemplates"), S("uriTemplate"),
                           S("resource template")},
};

typedef struct {
    str name;
    const catalog_item *item;
} entry;

typedef struct {
    catalog list; /* first: a catalog is cast back to its version */
    arena *arena;
    atomic_uint refs;
    entry *by_name;
} version;

struct catalog_draft {
    upstream *u;
    catalog_kind kind;
    arena *arena; /* becomes the version's */
    arena *scratch;
    catalog_item *items;
    size_t count, room, bytes, known;
    map *seen;
    int64_t ttl_ms;
    bool is_private; /* some page did not say public */
    bool done;
};

catalog_draft *catalog_draft_new(upstream *u, catalog_kind kind)
{
    catalog_draft *d = calloc(1, sizeof *d);
    if (!d) abort();
    d->u = u;
    d->kind = kind;
    d->arena = arena_new();
    d->scratch = arena_new();
    d->seen = map_new(d->scratch);
    d->ttl_ms = -1;
    return d;
}

void catalog_draft_free(catalog_draft *d)
{
    if (!d) return;
    if (!d->done) arena_free(d->arena);
    arena_free(d->scratch);
    free(d->items);
    free(d);
}

static void left_out(const catalog_draft *d, str name, const char *why)
{
    log_say(d->u->shared->log, LOG_WARN_LEVEL, "left out of a list",
            (log_fact[]){{"server", d->u->spec.name},
                         {"kind", catalog_words_of[d->kind].noun},
                         {"name", name},
                         {"reason", {why, strlen(why)}},
                         {0}});
}

static const char *unusable(catalog_draft *d, const catalog_item *t)
{
    bool named = d->kind == CATALOG_TOOLS || d->kind == CATALOG_PROMPTS;
    if (!t->name.n) return named ? "it has no name" : "it has no URI";
    if (t->name.n > (named ? NAME_MOST : URI_MOST))
        return named ? "its name is over 128 bytes" : "its URI is over 8192 bytes";
    if (map_get(d->seen, t->name)) return "it is there twice";
    if (!named && uri_is_doubtful(t->name)) return "its URI is not spelled in its plain form";
    if (d->kind != CATALOG_TOOLS) return NULL;
    if (t->input_schema.kind != JS_OBJECT) return "it has no object for inputSchema";
    if (js_get(t->raw, S("description")).raw.n > d->u->spec.description_most)
        return "its description is over the limit";
    return link_param_problem(d->scratch, t->input_schema);
}

static catalog_item read_item(arena *a, catalog_kind kind, js_value raw)
{
    catalog_item t = {.raw = raw};
    js_value title = {0};
    for (js_iter it = js_iterate(raw); js_next(&it);) {
        if (js_key_is(&it, catalog_words_of[kind].key))
            t.name = js_text(a, it.value);
        else if (js_key_is(&it, S("title")))
            title = it.value;
        else if (js_key_is(&it, S("annotations")))
            t.annotations = it.value;
        else if (js_key_is(&it, S("inputSchema")))
            t.input_schema = it.value;
        else if (js_key_is(&it, S("execution")))
            t.only_as_task = js_text_is(js_get(it.value, S("taskSupport")), S("required"));
    }
    if (title.kind != JS_STRING) title = js_get(t.annotations, S("title"));
    t.title = js_text(a, title);
    return t;
}

static void keep(catalog_draft *d, catalog_item t)
{
    if (d->count == d->room) {
        d->room = d->room ? d->room * 2 : 64;
        d->items = reallocarray(d->items, d->room, sizeof *d->items);
        if (!d->items) abort();
    }
    d->items[d->count++] = t;
    map_put(d->seen, t.name, d->u);
}

/* A schema is read once, not with every list. What is over the bound is just not known. */
static void learn(catalog_draft *d, catalog_item *t)
{
    if (d->known < KNOWN_MOST) t->schema = policy_schema_read(d->arena, t->input_schema);
    if (t->schema) d->known += t->schema->known.count;
}

static void take_item(catalog_draft *d, js_value item)
{
    catalog_item seen = read_item(d->scratch, d->kind, item);
    const char *why = item.kind == JS_OBJECT ? unusable(d, &seen) : "it is no object";
    if (why) {
        left_out(d, str_take(seen.name, NAME_MOST), why);
        return;
    }
    if (d->kind == CATALOG_TOOLS && !upstream_tool_selected(d->u, seen.name)) return;
    js_value copy = js_view(JS_OBJECT, arena_dup(d->arena, item.raw));
    catalog_item kept = read_item(d->arena, d->kind, copy);
    if (d->kind == CATALOG_TOOLS) {
        definition_digest(copy, kept.definition);
        learn(d, &kept);
    }
    keep(d, kept);
}

static void read_hints(catalog_draft *d, js_value result)
{
    int64_t ttl;
    if (js_int(js_get(result, S("ttlMs")), &ttl)) {
        ttl = ttl < 0 ? 0 : ttl > CATALOG_TTL_MOST_MS ? CATALOG_TTL_MOST_MS : ttl;
        if (d->ttl_ms < 0 || ttl < d->ttl_ms) d->ttl_ms = ttl;
    }
    if (!js_text_is(js_get(result, S("cacheScope")), S("public"))) d->is_private = true;
}

const err *catalog_draft_page(catalog_draft *d, js_value result, str *cursor)
{
    str member = catalog_words_of[d->kind].member;
    js_value items = js_get(result, member);
    *cursor = (str){0};
    if (items.kind != JS_ARRAY)
        return err_new(d->scratch, ERR_UPSTREAM, "a list without " STR_FMT, STR_ARG(member));
    read_hints(d, result);
    size_t n = d->count;
    for (js_iter it = js_iterate(items); js_next(&it);) {
        if (++n > CATALOG_ITEMS)
            return err_new(d->scratch, ERR_UPSTREAM, "more than %d " STR_FMT, CATALOG_ITEMS,
                           STR_ARG(member));
        if (it.value.raw.n > CATALOG_BYTES - d->bytes) {
            return err_new(d->scratch, ERR_UPSTREAM, "a list of more than %d bytes", CATALOG_BYTES);
        }
        d->bytes += it.value.raw.n;
        take_item(d, it.value);
    }
    js_value next = js_get(result, S("nextCursor"));
    if (next.kind == JS_STRING) *cursor = arena_dup(d->scratch, js_text(d->scratch, next));
    return NULL;
}

int64_t catalog_draft_ttl_ms(const catalog_draft *d)
{
    return d->ttl_ms;
}

static int by_name(const void *a, const void *b)
{
    return str_order(((const entry *)a)->name, ((const entry *)b)->name);
}

/* Items hold no raw line end between them: they are separated by one. */
static str hash_of(arena *a, arena *scratch, const catalog_item *items, size_t n, size_t bytes)
{
    buf b = buf_new(scratch, bytes + n * SEPARATOR);
    (void)buf_need(&b, bytes + n * SEPARATOR);
    for (size_t i = 0; i < n; i++) {
        buf_put(&b, items[i].raw.raw);
        buf_put(&b, S("\n"));
    }
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(buf_str(&b), sum);
    return digest_hex(a, sum, sizeof sum);
}

const catalog *catalog_draft_finish(catalog_draft *d)
{
    arena *a = d->arena;
    version *v = NEW(a, version);
    catalog_item *items = NEW_N(a, catalog_item, d->count + 1);
    v->arena = a;
    v->by_name = NEW_N(a, entry, d->count + 1);
    for (size_t i = 0; i < d->count; i++) {
        items[i] = d->items[i];
        v->by_name[i] = (entry){items[i].name, &items[i]};
    }
    qsort(v->by_name, d->count, sizeof *v->by_name, by_name);
    v->list = (catalog){.kind = d->kind,
                        .items = items,
                        .count = d->count,
                        .hash = hash_of(a, d->scratch, items, d->count, d->bytes),
                        .is_public = !d->is_private};
    atomic_init(&v->refs, 1);
    d->done = true;
    return &v->list;
}

/* The count is not part of what is constant about a catalog. */
static version *version_of(const catalog *c)
{
    union {
        const catalog *in;
        version *out;
    } p = {.in = c};
    return p.out;
}

const catalog *catalog_hold(const catalog *c)
{
    if (c) atomic_fetch_add(&version_of(c)->refs, 1);
    return c;
}

void catalog_drop(const catalog *c)
{
    if (c && atomic_fetch_sub(&version_of(c)->refs, 1) == 1) arena_free(version_of(c)->arena);
}

const catalog_item *catalog_find(const catalog *c, str name)
{
    const entry want = {.name = name}, *row = version_of(c)->by_name;
    if (!c->count || !name.n) return NULL;
    const entry *at = bsearch(&want, row, c->count, sizeof *row, by_name);
    return at ? at->item : NULL;
}
