/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - tools/list and its sisters: every server's catalog, what the rules let this caller
 * see, one page.
 *
 * Fresh catalogs answer at once. For each that is not, a small flow of its own waits, so that
 * one wake cannot be taken for another's; the list goes on when the last is over, at the
 * latest after a list_timeout. A server that has nothing to give misses only its own tools.
 * So the list is not cancelled when its client leaves: those flows live in its memory.
 * Order is the config's, then the server's. The same rules as for a call are asked, with the
 * arguments unknown. */
#include "list.h"
#include "../authz/digest.h"
#include "../base/map.h"
#include "annotate.h"
#include "facet.h"
#include "offer.h"
#include "pins.h"
#include "question_of.h"
#include "reply.h"
#include "shelf.h"

enum { PAGE = 500, PAGE_GUESS = 16384, CURSOR_PLAIN = 8 + DIGEST_BYTES };

typedef struct {
    flow_run run;
    visit *v;
    size_t at;
} waiting_for;

struct listing {
    catalog_kind kind;
    catalog_view *view; /* [count], as the endpoint's servers */
    size_t count, waiting;
    map *seen; /* naming none, several servers: name -> how often */
    buf page;  /* the members of the answer */
    size_t shown;
    size_t begin, next; /* positions in all items of all servers; next 0: no further page */
    uint8_t bond[DIGEST_BYTES];
};

static upstream *server_at(const visit *v, size_t i)
{
    return v->rq.endpoint->servers[i];
}
static str name_of_server(const visit *v, size_t i)
{
    return upstream_spec_of(server_at(v, i))->name;
}

/* One catalog's wait. */
static flow_go want(void *x, flow_why why)
{
    waiting_for *f = x;
    visit *v = f->v;
    catalog_view *view = &v->list->view[f->at];
    if (view->now) catalog_drop(view->now);
    *view = facet_catalog(v, server_at(v, f->at), v->list->kind, f->run.self, why != FLOW_ENTER);
    return view->pending ? FLOW_WAIT : FLOW_NEXT;
}

static void want_over(void *x)
{
    visit *v = ((waiting_for *)x)->v;
    if (--v->list->waiting == 0) corridor_wake(v, FLOW_WOKEN);
}

static const flow_step want_steps[] = {{.name = "want", .run = want}, {0}};
static const flow want_flow = {.name = "catalog",
                               .steps = want_steps,
                               .settle = want_over,
                               .on_gone = FLOW_DETACH};

static void wait_for(visit *v, size_t i)
{
    waiting_for *f = NEW(v->a, waiting_for);
    f->v = v;
    f->at = i;
    v->list->waiting++;
    flow_start(&f->run, loop_flows(v->w->loop), &want_flow, f);
}

static flow_go gather_kind(visit *v, catalog_kind kind)
{
    struct listing *l = v->list = NEW(v->a, struct listing);
    l->kind = kind;
    while (server_at(v, l->count)) l->count++;
    l->view = NEW_N(v->a, catalog_view, l->count ? l->count : 1);
    for (size_t i = 0; i < l->count; i++) {
        l->view[i] = facet_catalog(v, server_at(v, i), l->kind, 0, false); /* only looks */
        if (l->view[i].pending) wait_for(v, i);
    }
    return l->waiting ? FLOW_WAIT : FLOW_NEXT;
}

static flow_go gather(void *x, flow_why why)
{
    visit *v = x;
    catalog_kind kind = CATALOG_TOOLS;
    if (why != FLOW_ENTER) return v->list->waiting ? FLOW_WAIT : FLOW_NEXT;
    while (!str_eq(catalog_words_of[kind].method, v->q.method->name)) kind++;
    return gather_kind(v, kind);
}

flow_go list_gather(void *x, flow_why why)
{
    visit *v = x;
    if (why != FLOW_ENTER) return v->list->waiting ? FLOW_WAIT : FLOW_NEXT;
    return gather_kind(v, CATALOG_TOOLS);
}

flow_go list_acquaint(void *x, flow_why why)
{
    visit *v = x;
    size_t i = 0;
    if (why != FLOW_ENTER) return v->list->waiting ? FLOW_WAIT : FLOW_NEXT;
    while (server_at(v, i) && offer_is_known(server_at(v, i))) i++;
    return server_at(v, i) ? gather_kind(v, CATALOG_TOOLS) : FLOW_NEXT;
}

/* Whom this cursor is for and what it counts in. */
static void bond_of(const visit *v, uint8_t out[DIGEST_BYTES])
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, v->who->id);
    buf_put(&b, S("\n"));
    buf_put(&b, v->rq.endpoint->path);
    buf_put(&b, catalog_words_of[v->list->kind].member);
    for (size_t i = 0; i < v->list->count; i++) {
        const catalog *c = v->list->view[i].now;
        buf_put(&b, S("\n"));
        buf_put(&b, name_of_server(v, i));
        if (c) buf_put(&b, c->hash);
    }
    digest_sha256(buf_str(&b), out);
}

static bool read_cursor(visit *v)
{
    struct listing *l = v->list;
    uint8_t bond[DIGEST_BYTES];
    str plain;
    if (v->q.cursor.kind == JS_ABSENT) return true;
    str sealed = js_text(v->a, v->q.cursor);
    if (!sealed.n || !unseal(v->w->shared->seals, v->a, SEAL_CURSOR, sealed, &plain) ||
        plain.n != CURSOR_PLAIN)
        return false;
    bond_of(v, bond);
    for (size_t i = 0; i < 8; i++) l->begin = l->begin << 8 | (unsigned char)plain.p[i];
    return digest_equal((str){(const char *)bond, DIGEST_BYTES}, str_drop(plain, 8));
}

static str write_cursor(const visit *v)
{
    char plain[CURSOR_PLAIN];
    uint8_t bond[DIGEST_BYTES];
    bond_of(v, bond);
    for (size_t i = 0; i < 8; i++) plain[i] = (char)(v->list->next >> (8 * (7 - i)));
    memcpy(plain + 8, bond, DIGEST_BYTES);
    return seal(v->w->shared->seals, v->a, SEAL_CURSOR, (str){plain, sizeof plain});
}

/* With naming none, a name two servers have belongs to neither. In the map it stands for the
 * listing, any other name for the view it came from. */
static void find_clashes(visit *v)
{
    struct listing *l = v->list;
    if (v->rq.endpoint->naming != NAMING_NONE || l->count < 2) return;
    l->seen = map_new(v->a);
    for (size_t i = 0; i < l->count; i++) {
        const catalog *c = l->view[i].now;
        for (size_t j = 0; c && j < c->count; j++) {
            str name = c->items[j].name;
            const catalog_view *first = map_get(l->seen, name);
            map_put(l->seen, name, first ? (void *)l : (void *)&l->view[i]);
            if (first && (const void *)first != l)
                shelf_clash(v->w, l->kind, name, name_of_server(v, (size_t)(first - l->view)),
                            name_of_server(v, i));
        }
    }
}

static bool shown(const visit *v, size_t server, const catalog *c, size_t item, question *q,
                  verdict *said)
{
    str name = name_of_server(v, server);
    if (c->kind == CATALOG_TOOLS &&
        !pins_allow(v->rq.config->pins, v->w->shared, name, &c->items[item]))
        return false;
    question_about_item(q, name, c, item);
    if (v->list->seen && map_get(v->list->seen, q->name) == v->list) return false;
    policy_decide(v->rq.config->rules, q, v->w->scratch, said);
    return said->permit;
}

const catalog *list_catalog(const visit *v, size_t server)
{
    return v->list->view[server].now;
}

void list_each(visit *v, list_fn *fn, void *ctx)
{
    question q;
    find_clashes(v);
    question_of(v, S("tools/call"), true, &q);
    for (size_t i = 0; i < v->list->count; i++) {
        const catalog *c = list_catalog(v, i);
        for (size_t j = 0; c && j < c->count; j++) {
            verdict said = {0};
            if (shown(v, i, c, j, &q, &said)) fn(ctx, i, c, j);
            arena_reset(v->w->scratch);
        }
    }
}

/* With what the rules still ask of its arguments, where the endpoint wants that said. */
static str as_shown(const visit *v, const question *q, const verdict *said, str item)
{
    policy_overlay o;
    bool wanted = q->kind == SUBJECT_TOOL && v->rq.endpoint->annotate_schema && said->open;
    if (!wanted || !policy_overlay_of(v->rq.config->rules, q, v->w->scratch, &o)) return item;
    return annotate_tool(v->w->scratch, item, &o);
}

/* False: the page is full. */
static bool take_server(visit *v, size_t i, size_t *at, question *q)
{
    struct listing *l = v->list;
    const catalog *c = l->view[i].now;
    const str *items = NULL;
    const shelf_words whose = {NULL, name_of_server(v, i), v->rq.endpoint->naming, v->q.version};
    for (size_t j = 0; c && j < c->count; j++, (*at)++) {
        verdict said = {0};
        if (*at < l->begin) continue;
        arena_reset(v->w->scratch);
        if (!shown(v, i, c, j, q, &said)) continue;
        if (l->shown == PAGE) return false; /* only here: a cursor must not tell of hidden tools */
        if (!items) items = shelf_items(v->w->shelves, c, &whose);
        if (l->shown++) buf_put(&l->page, S(","));
        buf_put(&l->page, as_shown(v, q, &said, items[j]));
    }
    return true;
}

static flow_go filter(void *x, flow_why why)
{
    visit *v = x;
    struct listing *l = v->list;
    (void)why;
    if (!read_cursor(v))
        return corridor_refuse_with(v, 200, RPC_INVALID_PARAMS, S("Invalid cursor"));
    find_clashes(v);
    question q;
    question_of(v, v->q.method->acting, true, &q);
    size_t at = 0;
    l->page = buf_new(v->a, SIZE_MAX / 2);
    (void)buf_need(&l->page, PAGE_GUESS);
    buf_put(&l->page, S("\""));
    buf_put(&l->page, catalog_words_of[l->kind].member);
    buf_put(&l->page, S("\":["));
    for (size_t i = 0; i < l->count; i++) {
        if (take_server(v, i, &at, &q)) continue;
        l->next = at;
        break;
    }
    arena_reset(v->w->scratch);
    return FLOW_NEXT;
}

static dialect_hints hints_of(visit *v)
{
    static const subject_kind asked[CATALOG_KINDS] = {SUBJECT_TOOL, SUBJECT_PROMPT,
                                                      SUBJECT_RESOURCE, SUBJECT_RESOURCE};
    struct listing *l = v->list;
    dialect_hints h = {.ttl_ms = INT64_MAX,
                       .is_private =
                           (l->kind == CATALOG_TOOLS && v->rq.endpoint->annotate_schema) ||
                           corridor_tells_callers_apart(v->rq.config, asked[l->kind])};
    buf missing = buf_new(v->a, SIZE_MAX / 2);
    for (size_t i = 0; i < l->count; i++) {
        const catalog_view *view = &l->view[i];
        bool known = view->none || (view->now && !view->stale);
        if (!view->none && (!view->now || !view->now->is_public)) h.is_private = true;
        int64_t fresh = known ? view->fresh_ms : 0;
        if (fresh < h.ttl_ms) h.ttl_ms = fresh;
        if (known) continue;
        if (missing.n) buf_put(&missing, S(","));
        buf_put(&missing, name_of_server(v, i));
    }
    if (h.ttl_ms == INT64_MAX) h.ttl_ms = 0;
    if (missing.n) record_text(v->rec, FACT_MISSING, buf_str(&missing));
    return h;
}

static flow_go reply(void *x, flow_why why)
{
    visit *v = x;
    struct listing *l = v->list;
    (void)why;
    buf_put(&l->page, S("]"));
    if (l->next) {
        buf_put(&l->page, S(",\"nextCursor\":"));
        buf_json(&l->page, write_cursor(v));
    }
    dialect_hints hints = hints_of(v);
    reply_made(v, buf_str(&l->page), &hints);
    return FLOW_DONE;
}

void list_end(visit *v)
{
    for (size_t i = 0; i < v->list->count; i++) {
        if (v->list->view[i].now) catalog_drop(v->list->view[i].now);
        v->list->view[i].now = NULL;
    }
}

static const flow_step list_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "gather", .run = gather}, /* fresh catalogs, or waiting for them */
    {.name = "filter", .run = filter}, /* the same rules, arguments unknown */
    {.name = "reply", .run = reply},
    {0},
};
#define LIST(called)                                                                               \
    {                                                                                              \
        .name = (called), .steps = list_steps, .on_gone = FLOW_DETACH, CORRIDOR_ENDS               \
    }
const flow corridor_tools_list = LIST("tools/list");
const flow corridor_prompts_list = LIST("prompts/list");
const flow corridor_resources_list = LIST("resources/list");
const flow corridor_templates_list = LIST("resources/templates/list");
