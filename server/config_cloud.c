/* SPDX-License-Identifier: Apache-2.0 */
#include "config_cloud.h"
#include "net_address.h"

enum { PROXY_KEY_MOST = 1024 };

str config_variable(const config_reader *r, const char *name)
{
    if (!r->world->variable) return (str){0};
    str value = r->world->variable(r->world->ctx, r->a, (str){name, strlen(name)});
    return value.n ? value : (str){0};
}

str config_path(const config_reader *r, str path)
{
    if (path.n && path.p[0] == '/') return path;
    return arena_fmt(r->a, STR_FMT "/" STR_FMT, STR_ARG(r->world->directory), STR_ARG(path));
}

bool config_may_read(const config_reader *r, str path, str *text)
{
    return r->world->read && !r->world->read(r->world->ctx, r->a, path, text);
}

lease_spec *config_lent(const config_reader *r, lease_kind kind)
{
    lease_spec *s = NEW(r->a, lease_spec);
    s->kind = kind;
    return s;
}

void config_check_proxy(config_reader *r, const config_backend *b)
{
    net_address at;
    const yaml_node *n = config_place(b->at.node, "proxy");
    if (b->proxy.n && (!net_address_parse(b->proxy, &at) || !at.port))
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no proxy: it wants host:port",
                     STR_ARG(b->proxy));
    const yaml_node *key = b->proxy_key.node;
    if (!key) return;
    if (!b->proxy.n) problems_add(r->out, key->line, key->column, "there is no `proxy` to show it");
    if (b->proxy_key.value.n &&
        (!str_cut(b->proxy_key.value, ':').ok || b->proxy_key.value.n > PROXY_KEY_MOST))
        problems_add(r->out, key->line, key->column, "a proxy is shown user:password");
}
