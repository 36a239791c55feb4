/* SPDX-License-Identifier: Apache-2.0 */
/* config_edit_merge.c - the changes of a route and of its backend, put together once.
 *
 * In order: the backend removes, then sets; the route removes, then sets. So of each name the last
 * word counts, and one list with one word a name says it all. */
#include "../llm/body.h"
#include "config_edit.h"

static size_t count_texts(const str *list)
{
    size_t n = 0;
    while (list && list[n].p) n++;
    return n;
}

static void put_header(header *list, str name, str value)
{
    while (list->name.p && !header_name_is(list->name, name)) list++;
    *list = (header){name, value};
}

static void add_headers(header *list, const config_edits *e)
{
    const config_pair *set = e->headers.items;
    for (const str *s = e->no_headers; s && s->p; s++) put_header(list, *s, (str){0});
    for (size_t i = 0; i < e->headers.count; i++)
        put_header(list, set[i].name, set[i].value.value.p ? set[i].value.value : S(""));
}

const header *config_header_edits(arena *a, const config_edits *backend, const config_edits *route)
{
    size_t most = count_texts(backend->no_headers) + count_texts(route->no_headers) +
                  backend->headers.count + route->headers.count;
    if (!most) return NULL;
    header *list = NEW_N(a, header, most + 1);
    add_headers(list, backend);
    add_headers(list, route);
    return list;
}

static void put_member(body_edit *list, str name, str json)
{
    while (list->name.p && !str_eq(list->name, name)) list++;
    *list = (body_edit){name, json};
}

static void add_members(arena *a, body_edit *list, const config_edits *e)
{
    for (const str *s = e->no_members; s && s->p; s++) put_member(list, *s, (str){0});
    for (const yaml_node *n = e->members ? e->members->first : NULL; n; n = n->next)
        put_member(list, n->key, jn_dump(a, config_json(a, n)));
}

static size_t count_members(const config_edits *e)
{
    return count_texts(e->no_members) + (e->members ? e->members->count : 0);
}

const struct body_edit *config_body_edits(arena *a, const config_edits *backend,
                                          const config_edits *route)
{
    size_t most = count_members(backend) + count_members(route);
    if (!most) return NULL;
    body_edit *list = NEW_N(a, body_edit, most + 1);
    add_members(a, list, backend);
    add_members(a, list, route);
    return list;
}
