/* SPDX-License-Identifier: Apache-2.0 */
/* config_edit.c - what may be changed in a request on its way to a provider, and how often it is
 * tried. What the gateway decides itself (how a message is framed, which model, whether it
 * streams) is no matter of these keys. */
#include "config_edit.h"
#include "../llm/field.h"
#include "config_check.h"

static bool is_in(const char *const *names, str name)
{
    for (; *names; names++)
        if (header_name_is((str){*names, strlen(*names)}, name)) return true;
    return false;
}

bool config_is_own_header(str name)
{
    static const char *const ours[] = {"host",       "content-length",    "content-type",
                                       "connection", "transfer-encoding", "accept-encoding",
                                       "te",         "upgrade",           NULL};
    return is_in(ours, name);
}

static void check_header(config_reader *r, const yaml_node *n, str name)
{
    if (!config_is_token(name) || config_is_own_header(name))
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no header that can be changed",
                     STR_ARG(name));
}

static void check_member(config_reader *r, const yaml_node *n, str name)
{
    static const char *const ours[] = {"model", "stream", NULL};
    bool plain = name.n && !memchr(name.p, '"', name.n) && !memchr(name.p, '\\', name.n);
    if (!plain || is_in(ours, name))
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no member that can be changed",
                     STR_ARG(name));
}

static bool is_clean(str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f) return false;
    return true;
}

void config_check_edits(config_reader *r, const yaml_node *owner, const config_edits *e)
{
    const config_pair *set = e->headers.items;
    if (owner->kind != YAML_MAP) return;
    const yaml_node *headers = config_place(owner, "headers"), *body = config_place(owner, "body");
    for (size_t i = 0; i < e->headers.count; i++) {
        check_header(r, set[i].value.node, set[i].name);
        if (!is_clean(set[i].value.value))
            problems_add(r->out, set[i].value.node->line, set[i].value.node->column,
                         "a header's value has no control characters");
    }
    for (const str *s = e->no_headers; s && s->p; s++) check_header(r, headers, *s);
    for (const str *s = e->no_members; s && s->p; s++) check_member(r, body, *s);
    if (!e->members) return;
    if (e->members->kind != YAML_MAP)
        problems_add(r->out, e->members->line, e->members->column, "`set` wants a map");
    for (const yaml_node *n = e->members->first; n; n = n->next) check_member(r, n, n->key);
}

void config_check_own_key(config_reader *r, const config_backend *b)
{
    const yaml_node *n = b->own;
    if (!n) return;
    if ((b->own_header.n != 0) == (b->own_claim.n != 0))
        problems_add(r->out, n->line, n->column,
                     "`credential` wants one of from_header and from_claim");
    if (b->own_header.n && !config_is_token(b->own_header))
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no header's name",
                     STR_ARG(b->own_header));
    if (b->own_claim.n && b->aws)
        problems_add(r->out, n->line, n->column,
                     "AWS wants from_header: its key has several parts");
    if (b->own_fallback && !b->auth.node)
        problems_add(r->out, n->line, n->column, "`fallback` wants `auth` to fall back to");
}

/* Paths and retries */

static str without_slash(str path)
{
    return path.n && path.p[path.n - 1] == '/' ? str_take(path, path.n - 1) : path;
}

llm_prefixes config_prefixes(const config *c)
{
    return (llm_prefixes){.openai = without_slash(c->openai_prefix),
                          .anthropic = without_slash(c->anthropic_prefix),
                          .cohere = without_slash(c->cohere_prefix)};
}

unsigned config_retry_bit(str name)
{
    static const name_row rows[] = {{"connect", RETRY_CONNECT}, {"reset", RETRY_RESET},
                                    {"429", RETRY_429},         {"5xx", RETRY_5XX},
                                    {"idle", RETRY_IDLE},       {0}};
    return (unsigned)name_value(rows, name, 0);
}

void config_check_retry(config_reader *r, const config_route *route)
{
    if (!route->retry) return;
    for (const str *s = route->retry_on; s && s->p; s++)
        if (!config_retry_bit(*s))
            problems_add(r->out, route->retry->line, route->retry->column,
                         "`" STR_FMT "` is none of connect, reset, 429, 5xx and idle", STR_ARG(*s));
}

/* Values */

static bool is_number(arena *a, str text)
{
    js_value v;
    bool starts = text.n && ((text.p[0] >= '0' && text.p[0] <= '9') || text.p[0] == '-');
    return starts && !js_check(a, text, 1, &v) && v.kind == JS_NUMBER;
}

static jnode *scalar(arena *a, const yaml_node *n)
{
    bool plain = n->style == YAML_PLAIN;
    bool word = str_eq(n->text, S("true")) || str_eq(n->text, S("false"));
    if (yaml_is_null(n)) return jn_null(a);
    if (plain && (word || is_number(a, n->text))) return jn_raw(a, n->text);
    return jn_text(a, n->text.p ? n->text : S(""));
}

jnode *config_json(arena *a, const yaml_node *n)
{
    if (n->kind == YAML_SCALAR) return scalar(a, n);
    jnode *out = n->kind == YAML_MAP ? jn_object(a) : jn_array(a);
    for (const yaml_node *one = n->first; one; one = one->next) {
        if (n->kind == YAML_MAP)
            jn_set_key(out, one->key, config_json(a, one));
        else
            jn_add(out, config_json(a, one));
    }
    return out;
}
