/* SPDX-License-Identifier: Apache-2.0 */
/* call_find.c - whose subject is this, and what does its server call it?
 *
 * Tools and prompts are what the lists say: a name that is in no list does not exist. Resources are
 * more than their lists, for a template stands for many and a server may read what it never
 * lists; so with prefixed URIs the server's name decides alone, and with bare ones the lists decide
 * only between several servers. What two servers have belongs to neither. */
#include "../base/uri.h"
#include "call.h"
#include "facet.h"
#include "name.h"
#include "shelf.h"

static str server_name(const upstream *u)
{
    return upstream_spec_of(u)->name;
}

static bool is_named(const struct subject_call *k)
{
    return k->kind == CATALOG_TOOLS || k->kind == CATALOG_PROMPTS;
}

/* Shortened names cannot be cut back: each long one is made again and compared. */
static const catalog_item *find_name(visit *v, const catalog *c, upstream *u, str own)
{
    struct subject_call *k = v->call;
    const catalog_item *t = catalog_find(c, own);
    bool prefixed = v->rq.endpoint->naming == NAMING_PREFIX;
    size_t room = NAME_MOST - 2 - server_name(u).n;
    if (t && (!prefixed || own.n <= room)) return t;
    if (!prefixed || !name_is_shortened(k->public_name)) return NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (c->items[i].name.n <= room) continue;
        str made = name_public(v->a, NAMING_PREFIX, server_name(u), c->items[i].name);
        if (str_eq(made, k->public_name)) return &c->items[i];
    }
    return NULL;
}

/* A URI may be one that a template makes. */
static const catalog_item *find_item(visit *v, const catalog *c, upstream *u, str own)
{
    if (c->kind == CATALOG_TOOLS || c->kind == CATALOG_PROMPTS) return find_name(v, c, u, own);
    const catalog_item *t = catalog_find(c, own);
    bool makes = c->kind == CATALOG_TEMPLATES && !v->call->completes;
    for (size_t i = 0; makes && !t && i < c->count; i++)
        if (uri_fits(c->items[i].name, own)) t = &c->items[i];
    return t;
}

static bool knows(visit *v, const catalog *c, upstream *u, str own)
{
    return c && find_item(v, c, u, own);
}

/* WAIT while its catalog is fetched; NEXT: looked, k->to may be set. */
static flow_go look_in(visit *v, upstream *u, catalog_kind kind, str own)
{
    struct subject_call *k = v->call;
    catalog_view view = facet_catalog(v, u, kind, v->run.self, k->asked);
    if (view.pending && /* a list that has it is good enough to call by, once */
        (k->anew || !knows(v, view.now, u, own))) {
        if (view.now) catalog_drop(view.now);
        k->asked = true;
        return FLOW_WAIT;
    }
    k->asked = false;
    if (view.none) return FLOW_NEXT;
    if (!view.now) {
        record_text(v->rec, FACT_MISSING, server_name(u));
        return FLOW_NEXT;
    }
    const catalog_item *t = find_item(v, view.now, u, own);
    if (!t || k->to) {
        if (t && k->to != u) k->clash = u;
        catalog_drop(view.now);
        return FLOW_NEXT;
    }
    k->known = view.now;
    k->item = t;
    k->own = is_named(k) ? t->name : own;
    k->to = u;
    return FLOW_NEXT;
}

static upstream *server_of_name(const visit *v, str name)
{
    for (upstream *const *u = v->rq.endpoint->servers; *u; u++)
        if (str_eq(server_name(*u), name)) return *u;
    return NULL;
}

static flow_go find_prefixed(visit *v)
{
    struct subject_call *k = v->call;
    if (is_named(k)) {
        str_pair cut = name_split(k->public_name);
        upstream *u = cut.ok ? server_of_name(v, cut.head) : NULL;
        return u ? look_in(v, u, k->kind, cut.tail) : FLOW_NEXT;
    }
    str_pair cut = name_own_uri(v->a, k->public_name);
    k->to = cut.ok && cut.tail.n ? server_of_name(v, cut.head) : NULL;
    k->own = cut.tail;
    return FLOW_NEXT;
}

/* Every server is asked, since a name that two have belongs to neither. */
static flow_go look_everywhere(visit *v, catalog_kind kind)
{
    struct subject_call *k = v->call;
    for (; v->rq.endpoint->servers[k->asking]; k->asking++)
        if (look_in(v, v->rq.endpoint->servers[k->asking], kind, k->public_name) == FLOW_WAIT)
            return FLOW_WAIT;
    return FLOW_NEXT;
}

/* A resource that a server lists is its own, whatever templates of others would make of it. */
static flow_go find_bare_uri(visit *v)
{
    struct subject_call *k = v->call;
    upstream *const *servers = v->rq.endpoint->servers;
    if (servers[0] && !servers[1]) {
        k->to = servers[0];
        k->own = k->public_name;
        return FLOW_NEXT;
    }
    if (!k->in_templates && look_everywhere(v, CATALOG_RESOURCES) == FLOW_WAIT) return FLOW_WAIT;
    if (k->to && !k->in_templates) return FLOW_NEXT;
    if (!k->in_templates) k->asking = 0;
    k->in_templates = true;
    return look_everywhere(v, CATALOG_TEMPLATES);
}

static flow_go find_bare(visit *v)
{
    struct subject_call *k = v->call;
    flow_go go = is_named(k) ? look_everywhere(v, k->kind) : find_bare_uri(v);
    if (go == FLOW_WAIT) return FLOW_WAIT;
    if (!k->clash) return FLOW_NEXT;
    shelf_clash(v->w, k->kind, k->public_name, server_name(k->to), server_name(k->clash));
    k->to = NULL;
    return FLOW_NEXT;
}

flow_go call_find(visit *v)
{
    return v->rq.endpoint->naming == NAMING_PREFIX ? find_prefixed(v) : find_bare(v);
}
