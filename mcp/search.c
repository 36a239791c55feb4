/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - the two tools of a search endpoint.
 *
 * What is searched is what tools/list would show: the same catalogs, the same pins, the same rules
 * with the arguments unknown. An answer carries whole definitions as the list would, so that the
 * next call needs no other round. Tools can be called by their own names too; the search only
 * spares a model the list. */
#include "search.h"
#include "list.h"
#include "reply.h"
#include "shelf.h"

enum { FOUND = 10, FOUND_MOST = 50 };

#define SEARCH "search_tools"
#define CALL   "call_tool"

typedef struct {
    rank *ranking;
    size_t count, room;
    struct place {
        size_t server, item;
    } * places; /* of what was ranked, by its id */
    arena *a;
} searching;

static flow_go show_both(void *x, flow_why why)
{
    static const str both = S(
        "\"tools\":[{\"name\":\"" SEARCH
        "\",\"description\":\"Finds tools by what they do, and gives the "
        "definitions of those that fit best. Call one of them with " CALL
        ".\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\","
        "\"description\":"
        "\"Words for what is to be "
        "done\"},\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":50,"
        "\"description\":\"How many at most; 10\"}},\"required\":[\"query\"]}},"
        "{\"name\":\"" CALL "\",\"description\":\"Calls a tool that " SEARCH " found, by its exact "
        "name.\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
        "\"string\"},\"arguments\":{\"type\":\"object\",\"description\":\"As the tool's own "
        "inputSchema wants "
        "them\"}},\"required\":[\"name\"]}}]");
    static const dialect_hints hints = {.ttl_ms = 300000};
    visit *v = x;
    (void)why;
    reply_made(v, both, &hints);
    return FLOW_DONE;
}

static void add(void *s_, size_t server, const catalog *c, size_t item)
{
    searching *s = s_;
    const catalog_item *t = &c->items[item];
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 256;
        struct place *more = NEW_N(s->a, struct place, room);
        for (size_t i = 0; i < s->count; i++) more[i] = s->places[i];
        s->places = more;
        s->room = room;
    }
    s->places[s->count] = (struct place){server, item};
    rank_add(s->ranking, s->count++, t->name, t->title,
             js_text(s->a, js_get(t->raw, S("description"))));
}

static size_t limit_of(const visit *v)
{
    int64_t limit = FOUND;
    (void)js_int(js_get(v->q.arguments, S("limit")), &limit);
    return limit < 1 ? 1 : limit > FOUND_MOST ? FOUND_MOST : (size_t)limit;
}

static str found_text(visit *v, const searching *s, const size_t *ids, size_t n)
{
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("{\"tools\":["));
    for (size_t i = 0; i < n; i++) {
        const struct place *p = &s->places[ids[i]];
        str server = upstream_spec_of(v->rq.endpoint->servers[p->server])->name;
        const shelf_words whose = {NULL, server, v->rq.endpoint->naming, v->q.version};
        if (i) buf_put(&b, S(","));
        buf_put(&b, shelf_items(v->w->shelves, list_catalog(v, p->server), &whose)[p->item]);
    }
    buf_put(&b, S("]}"));
    return buf_str(&b);
}

static flow_go find(void *x, flow_why why)
{
    visit *v = x;
    size_t ids[FOUND_MOST];
    js_value query = js_get(v->q.arguments, S("query"));
    (void)why;
    if (query.kind != JS_STRING) {
        reply_json(v, 200, reply_tool_error(v, S("query must be a string")));
        return FLOW_DONE;
    }
    searching s = {.a = v->a, .ranking = rank_new(v->a, js_text(v->a, query))};
    list_each(v, add, &s);
    str found = found_text(v, &s, ids, rank_best(s.ranking, ids, limit_of(v)));
    buf b = buf_new(v->a, SIZE_MAX / 2);
    buf_put(&b, S("\"content\":[{\"type\":\"text\",\"text\":"));
    buf_json(&b, found);
    buf_put(&b, S("}]"));
    reply_made(v, buf_str(&b), NULL);
    return FLOW_DONE;
}

static const flow_step list_steps[] = {CORRIDOR_BEGIN, {.name = "both", .run = show_both}, {0}};
static const flow both_flow = {.name = "tools/list", .steps = list_steps, CORRIDOR_ENDS};

static const flow_step search_steps[] = {
    CORRIDOR_BEGIN,
    {.name = "gather", .run = list_gather},
    {.name = "find", .run = find}, /* what the rules let this caller see, the best first */
    {0},
};
static const flow search_flow = {.name = "tools/call search_tools",
                                 .steps = search_steps,
                                 .on_gone = FLOW_DETACH,
                                 CORRIDOR_ENDS};

const flow *search_take(visit *v)
{
    if (!v->rq.endpoint->search) return NULL;
    if (str_eq(v->q.method->name, S("tools/list"))) return &both_flow;
    if (!str_eq(v->q.method->name, S("tools/call"))) return NULL;
    if (js_text_is(v->q.name, S(SEARCH))) {
        record_text(v->rec, FACT_TOOL, S(SEARCH));
        return &search_flow;
    }
    if (!js_text_is(v->q.name, S(CALL))) return NULL;
    js_value arguments = v->q.arguments;
    v->q.name = js_get(arguments, S("name"));
    v->q.arguments = js_get(arguments, S("arguments"));
    v->unwrapped = true;
    return NULL;
}
