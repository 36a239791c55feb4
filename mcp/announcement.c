/* SPDX-License-Identifier: Apache-2.0 */
#include "announcement.h"
#include "facet.h"
#include "feed.h"
#include "following.h"
#include "listener.h"
#include "upstream_state.h"

static void changed(upstream *u, unsigned list)
{
    for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++)
        if (listener_list_of(kind) == list) catalog_stale(u, kind);
    listener_hint(u, list);
    feed_changed(u);
}

static void changed_for_all(upstream *u, unsigned list)
{
    arena *a = arena_new();
    for (upstream **f = facets_all(a, u); *f; f++) {
        changed(*f, list);
        upstream_release(*f);
    }
    arena_free(a);
}

static void list_changed(upstream *u, str isolation, unsigned list)
{
    unsigned kinds = 0;
    for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++)
        if (listener_list_of(kind) == list) kinds |= 1u << kind;
    upstream *f = isolation.n ? facet_differs(u, isolation, kinds) : NULL;
    if (f) {
        changed(f, list);
        upstream_release(f);
    }
    changed(u, list);
    if (!isolation.n && atomic_load(&u->facet_count)) changed_for_all(u, list);
}

/* The old revision's name for it, and the new one's. */
static bool is_of_task(js_value method)
{
    return js_text_is(method, S("notifications/tasks/status")) ||
           js_text_is(method, S("notifications/tasks"));
}

void announcement_heard(upstream *u, str isolation, js_value method, js_value params)
{
    for (unsigned i = 0; i < LISTS; i++) {
        if (!js_text_is(method, listener_notices[i])) continue;
        list_changed(u, isolation, 1u << i);
        return;
    }
    if (is_of_task(method)) following_heard(u, js_get(params, S("taskId")));
}

void announcement_for_caller(upstream *u, str caller_id)
{
    arena *a = arena_new();
    for (upstream **f = facets_all(a, u); *f; f++) {
        bool his = str_eq((*f)->eye.caller_id, caller_id);
        for (unsigned i = 0; his && i < LISTS; i++) changed(*f, 1u << i);
        upstream_release(*f);
    }
    arena_free(a);
}
