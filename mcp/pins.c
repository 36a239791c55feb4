/* SPDX-License-Identifier: Apache-2.0 */
/* pins.c - reading and writing a lock file, and asking it.
 *
 * Each withheld definition is told once for each set of pins: which were told is remembered in a
 * table of fixed size, since a server that changes its mind with every list would fill any other.
 */
#include "pins.h"
#include "../base/map.h"
#include "worker.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { TOLD = 8192, NEAR = 8, HEX = 2 * DIGEST_BYTES };

struct pins {
    map *servers; /* name -> map of tool -> pin */
    pin *all;
    size_t count;
    hash_seed seed;
    _Atomic(uint64_t) *told; /* [TOLD], 0: free */
};

const str pin_state_names[PIN_STATES] =
    {[PIN_NEW] = S("new"), [PIN_CHANGED] = S("changed"), [PIN_APPROVED] = S("approved")};

/* Reading */

static bool is_digest(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdef", s.p[i]) || !s.p[i]) return false;
    return s.n == HEX;
}

static void take(pins *p, arena *a, const yaml_node *n, problems *out)
{
    str_pair name = str_cut(n->key, '/');
    if (!name.ok || !name.head.n || !name.tail.n) {
        problems_add(out, n->key_line, n->key_column, "`" STR_FMT "` is not server/tool",
                     STR_ARG(n->key));
        return;
    }
    if (n->kind != YAML_SCALAR || !is_digest(n->text)) {
        problems_add(out, n->line, n->column, "a pin is the SHA-256 of a definition, %d hex digits",
                     HEX);
        return;
    }
    map *tools = map_get(p->servers, name.head);
    if (!tools) {
        tools = map_new(a);
        map_put(p->servers, name.head, tools);
    }
    pin *one = &p->all[p->count++];
    *one = (pin){name.head, name.tail, n->text};
    map_put(tools, one->tool, one);
}

static const yaml_node *tools_of(const yaml_node *root, problems *out)
{
    const yaml_node *version = yaml_get(root, S("version")), *tools = yaml_get(root, S("tools"));
    if (!root->count) return NULL;
    if (!version || !str_eq(version->text, S("1")))
        problems_add(out, root->line, root->column, "a lock file begins with `version: 1`");
    if (!tools || yaml_is_null(tools)) return NULL;
    if (tools->kind == YAML_MAP) return tools;
    problems_add(out, tools->line, tools->column, "`tools` wants a map of server/tool to SHA-256");
    return NULL;
}

pins *pins_read(arena *a, str file, str text, problems *out)
{
    pins *p = NEW(a, pins);
    problems found;
    yaml_node *root = NULL;
    p->servers = map_new(a);
    p->seed = hash_seed_new();
    p->told = NEW_N(a, _Atomic(uint64_t), TOLD);
    const err *e = yaml_parse(a, file, text, &root);
    if (e) {
        problems_add_text(out, e->text);
        return p;
    }
    problems_init(&found, a, file);
    const yaml_node *tools = tools_of(root, &found);
    if (tools) p->all = NEW_N(a, pin, tools->count + 1);
    for (const yaml_node *n = tools ? tools->first : NULL; n; n = n->next) take(p, a, n, &found);
    for (const problem *one = found.first; one; one = one->next) problems_add_text(out, one->text);
    return p;
}

const pin *pins_list(const pins *p, size_t *count)
{
    *count = p->count;
    return p->all;
}

/* Asking */

static bool says_the_same(str hex, const uint8_t digest[DIGEST_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        if (hex.p[2 * i] != digits[digest[i] >> 4] || hex.p[2 * i + 1] != digits[digest[i] & 15])
            return false;
    return true;
}

pin_state pins_state(const pins *p, str server, const catalog_item *t)
{
    const map *tools = map_get(p->servers, server);
    const pin *one = tools ? map_get(tools, t->name) : NULL;
    if (!one) return PIN_NEW;
    return says_the_same(one->digest, t->definition) ? PIN_APPROVED : PIN_CHANGED;
}

/* A definition names its tool, so it is known by its digest and its server. */
static bool is_first_time(const pins *p, str server, const catalog_item *t)
{
    str digest = {(const char *)t->definition, DIGEST_BYTES};
    uint64_t h = (hash_bytes(p->seed, server) * 31 ^ hash_bytes(p->seed, digest)) | 1;
    for (size_t i = 0; i < NEAR; i++) {
        _Atomic(uint64_t) *at = &p->told[(h + i) % TOLD];
        uint64_t was = 0;
        if (atomic_compare_exchange_strong(at, &was, h)) return true;
        if (was == h) return false;
    }
    atomic_store(&p->told[h % TOLD], h);
    return true;
}

static void tell(mcp_shared *s, str server, const catalog_item *t, pin_state state)
{
    arena *a = arena_new();
    str digest = digest_hex(a, t->definition, DIGEST_BYTES), name = arena_dup(a, server);
    log_say(s->log, LOG_WARN_LEVEL, "tool withheld",
            (log_fact[]){{"server", server},
                         {"tool", t->name},
                         {"definition", pin_state_names[state]},
                         {"sha256", digest},
                         {0}});
    if (s->meters)
        metric_add(metric_series(s->meters, METRIC_WITHHELD, name.p, pin_state_names[state].p), 1);
    arena_free(a);
}

bool pins_allow(const pins *p, mcp_shared *s, str server, const catalog_item *t)
{
    pin_state state = p ? pins_state(p, server, t) : PIN_APPROVED;
    if (state == PIN_APPROVED) return true;
    if (is_first_time(p, server, t)) tell(s, server, t, state);
    return false;
}

/* Writing */

static int by_name(const void *a_, const void *b_)
{
    const pin *a = a_, *b = b_;
    int order = str_order(a->server, b->server);
    return order ? order : str_order(a->tool, b->tool);
}

str pins_write(arena *a, pin *all, size_t count)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    buf_put(&b, S("# The tools that were approved, each with the SHA-256 of its definition.\n"
                  "# Written by `sallyport tools pin`; see `sallyport tools diff`.\n"
                  "version: 1\ntools:\n"));
    if (count) qsort(all, count, sizeof *all, by_name);
    for (size_t i = 0; i < count; i++) {
        str name = arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(all[i].server), STR_ARG(all[i].tool));
        buf_put(&b, S("  "));
        buf_json_safe(&b, name); /* a JSON string is a YAML one */
        buf_put(&b, S(": "));
        buf_put(&b, all[i].digest);
        buf_put(&b, S("\n"));
    }
    return buf_str(&b);
}
