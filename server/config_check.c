/* SPDX-License-Identifier: Apache-2.0 */
/* config_check.c - listeners, identity and policies: what the table alone cannot say. */
#include "config_check.h"

#include "../authz/gate.h"
#include "../authz/jwks.h"
#include "../authz/policy/policy.h"
#include "../mcp/upstream.h"
#include "../transport/client.h"
#include "net_address.h"
#include "store.h"

enum { POLICY_FILES_MOST = 1000, SEAL_KEY_LEAST = 32 };

const yaml_node *config_place(const yaml_node *map, const char *key)
{
    const yaml_node *n = yaml_get(map, (str){key, strlen(key)});
    return n ? n : map;
}

bool config_name_ok(str name)
{
    if (name.n == 0 || name.n > 31 || name.p[0] < 'a' || name.p[0] > 'z') return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    return true;
}

void config_check_name(config_reader *r, const config_item *at, const char *what)
{
    if (config_name_ok(at->name)) return;
    problems_add(r->out, at->node->key_line, at->node->key_column,
                 "%s name `" STR_FMT
                 "` must be a lower-case letter, then at most 30 of a-z, 0-9 and -",
                 what, STR_ARG(at->name));
}

void config_check_url(config_reader *r, const yaml_node *n, str url)
{
    url_parts parts;
    const err *e = url_parse(r->a, url, &parts);
    if (e)
        problems_add(r->out, n->line, n->column, "`" STR_FMT "`: " STR_FMT, STR_ARG(url),
                     STR_ARG(e->text));
}

bool config_is_token(str s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain && (c == 0 || !strchr(others, c))) return false;
    }
    return s.n > 0;
}

/* What would cut a header in two. */
static bool is_header_value(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

void config_check_secure_url(config_reader *r, const yaml_node *n, const char *what, str url)
{
    url_parts parts;
    const err *e = url_parse(r->a, url, &parts);
    if (e)
        problems_add(r->out, n->line, n->column, "`" STR_FMT "`: " STR_FMT, STR_ARG(url),
                     STR_ARG(e->text));
    else if (!parts.secure && !gate_is_loopback(parts.authority))
        problems_add(r->out, n->line, n->column, "%s are fetched over https, or http on loopback",
                     what);
}

static void check_secret(config_reader *r, const config_text *secret)
{
    if (secret->value.p && secret->node && !is_header_value(secret->value))
        problems_add(r->out, secret->node->line, secret->node->column,
                     "this secret holds a line break or control character");
}

static void check_grant(config_reader *r, const config_grant *g, str server_url)
{
    url_parts u;
    if (!g->node) return;
    bool asks = !g->token_url.p && !g->issuer.p && !g->allow_private && server_url.p;
    if (asks && !url_parse(r->a, server_url, &u) && !u.secure && !gate_is_loopback(u.authority))
        problems_add(r->out, g->node->line, g->node->column,
                     "`" STR_FMT "`: tokens are looked for over https, or http on loopback",
                     STR_ARG(server_url));
    if (g->token_url.p)
        config_check_secure_url(r, config_place(g->node, "token_url"), "tokens", g->token_url);
    if (g->issuer.p && !g->allow_private)
        config_check_secure_url(r, config_place(g->node, "issuer"), "tokens", g->issuer);
    if (g->issuer.p && g->token_url.p) {
        const yaml_node *n = config_place(g->node, "issuer");
        problems_add(r->out, n->line, n->column, "an `issuer` is asked only without a `token_url`");
    }
    const yaml_node *n = yaml_get(g->node, S("client_secret"));
    if (n && !g->client_id.n)
        problems_add(r->out, n->line, n->column, "a client_secret goes with a client_id");
}

void config_check_auth(config_reader *r, const config_auth *auth, str server_url)
{
    if (!auth->node) return;
    int ways = (auth->bearer.node != NULL) + (auth->header != NULL) +
               (auth->exchange.node != NULL) + (auth->client.node != NULL) +
               (auth->user.node != NULL) + auth->passthrough;
    if (ways > 1 || (!ways && auth->node->count == 0))
        problems_add(r->out, auth->node->line, auth->node->column, "`auth` wants one way%s",
                     ways ? ", not several" : "");
    str name = auth->header ? auth->header_name : (str){0};
    if (name.p && (!config_is_token(name) || config_is_own_header(name))) {
        const yaml_node *n = config_place(auth->header, "name");
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no header name%s", STR_ARG(name),
                     config_is_token(name) ? " for a secret" : "");
    }
    check_secret(r, auth->header ? &auth->header_value : &auth->bearer);
    check_grant(r, &auth->exchange, server_url);
    check_grant(r, &auth->client, server_url);
    check_grant(r, &auth->user, server_url);
}

void config_check_hosts(config_reader *r, const yaml_node *n, const str *hosts)
{
    for (; hosts->p; hosts++) {
        str rest = str_starts(*hosts, S("*.")) ? str_drop(*hosts, 2) : *hosts;
        bool odd = rest.n == 0;
        for (size_t i = 0; i < rest.n; i++)
            odd =
                odd || rest.p[i] == '*' || rest.p[i] == '/' || rest.p[i] == ':' || rest.p[i] <= ' ';
        if (odd)
            problems_add(r->out, n->line, n->column,
                         "`" STR_FMT "` wants a host or *.domain, without port", STR_ARG(*hosts));
    }
}

bool config_check_known(config_reader *r, const yaml_node *n, const char *what, str name,
                        const str *names)
{
    for (const str *one = names; one->p; one++)
        if (str_eq(*one, name)) return true;
    str missing = arena_fmt(r->a, "there is no %s", what);
    problems_add_word(r->out, n->line, n->column, missing.p, name, names);
    return false;
}

const str *config_names(arena *a, const config_list *items, size_t item)
{
    str *names = NEW_N(a, str, items->count + 1);
    const char *at = items->items;
    for (size_t i = 0; i < items->count; i++, at += item)
        names[i] = ((const config_item *)(const void *)at)->name;
    return names;
}

/* Listeners */

static void check_address(config_reader *r, const yaml_node *n, str address)
{
    net_address parts;
    if (address.p && !net_address_parse(address, &parts))
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` wants host:port", STR_ARG(address));
}

static void check_listen(config_reader *r, config *c)
{
    if (c->listen.count == 0) {
        config_listen *one = NEW(r->a, config_listen);
        one->at.node = c->root;
        one->address = S("127.0.0.1:8080");
        c->listen = (config_list){.items = one, .count = 1};
    }
    const config_listen *all = c->listen.items;
    for (size_t i = 0; i < c->listen.count; i++) {
        const yaml_node *n = config_place(all[i].at.node, "address");
        check_address(r, n, all[i].address);
        for (size_t k = 0; k < i; k++)
            if (all[i].address.p && str_eq(all[i].address, all[k].address))
                problems_add(r->out, n->line, n->column, "`" STR_FMT "` is listed twice",
                             STR_ARG(all[i].address));
    }
    if (!c->admin) return;
    const yaml_node *n = config_place(c->admin, "address");
    check_address(r, n, c->admin_address);
    bool has_token = yaml_get(c->admin, S("token")) != NULL;
    if (c->admin_address.p && !gate_is_loopback(c->admin_address) && !has_token)
        problems_add(r->out, n->line, n->column,
                     "an admin listener that is not on loopback wants a `token`");
}

static void check_lists(config_reader *r, const config *c)
{
    const yaml_node *n = config_place(c->root, "allowed_origins");
    for (const str *o = c->allowed_origins; o->p; o++) {
        bool web = str_starts(*o, S("http://")) || str_starts(*o, S("https://"));
        if (!web || o->p[o->n - 1] == '/')
            problems_add(r->out, n->line, n->column,
                         "origin `" STR_FMT "` wants scheme://host[:port], without a path",
                         STR_ARG(*o));
    }
    net_range range;
    n = config_place(c->root, "trusted_proxies");
    for (const str *p = c->trusted_proxies; p->p; p++)
        if (!net_range_parse(*p, &range))
            problems_add(r->out, n->line, n->column,
                         "`" STR_FMT "` is neither an address nor a network like 10.0.0.0/8",
                         STR_ARG(*p));
    const config_text *keys = c->seal_keys.items;
    for (size_t i = 0; i < c->seal_keys.count; i++)
        if (keys[i].value.n < SEAL_KEY_LEAST && (r->world->read || !keys[i].from_file))
            problems_add(r->out, keys[i].node->line, keys[i].node->column,
                         "a seal key has at least %d bytes, this one %zu", SEAL_KEY_LEAST,
                         keys[i].value.n);
}

/* Identity */

/* Nothing in a token without claims says whom to ask. */
static void check_introspection(config_reader *r, const config_issuer *one,
                                const config_issuer *all, size_t before)
{
    const yaml_node *n = config_place(one->introspection, "url");
    if (one->introspection_url.p)
        config_check_secure_url(r, n, "answers about tokens", one->introspection_url);
    for (size_t i = 0; i < before; i++)
        if (all[i].introspection)
            problems_add(r->out, n->line, n->column, "only one issuer may have `introspection`");
    if (one->jwks.node)
        problems_add(r->out, n->line, n->column,
                     "an issuer is asked about its tokens, or its `jwks` are, not both");
}

static void check_issuer(config_reader *r, const config_issuer *one, const config_issuer *all,
                         size_t before)
{
    const yaml_node *n = config_place(one->at.node, "issuer");
    for (size_t i = 0; i < before; i++)
        if (one->issuer.p && str_eq(one->issuer, all[i].issuer))
            problems_add(r->out, n->line, n->column, "issuer `" STR_FMT "` is listed twice",
                         STR_ARG(one->issuer));
    if (one->introspection)
        check_introspection(r, one, all, before);
    else if (!one->jwks.node && one->issuer.p)
        config_check_secure_url(r, n, "keys", one->issuer);
    else if (one->jwks.node && one->jwks.value.p && !one->jwks.from_file)
        config_check_secure_url(r, one->jwks.node, "keys", one->jwks.value);
    n = config_place(one->at.node, "algorithms");
    for (const str *a = one->algorithms; a && a->p; a++)
        if (jwt_alg_of(*a) == ALG_NONE)
            problems_add(r->out, n->line, n->column,
                         "`" STR_FMT "` is no signature algorithm that is accepted here",
                         STR_ARG(*a));
}

/* Policies */

static void add_policy(config_reader *r, config_policies *set, const yaml_node *n, str path)
{
    config_file *file = &set->files[set->count];
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(set->files[i].name, path)) return; /* two globs may meet */
    file->name = path;
    const err *e = r->world->read(r->world->ctx, r->a, path, &file->text);
    if (e)
        problems_add(r->out, n->line, n->column, STR_FMT, STR_ARG(e->text));
    else
        set->count++;
}

static void check_policies(config_reader *r, config_policies *set, const yaml_node *n)
{
    if (!r->world->glob || !r->world->read) return;
    set->files = NEW_N(r->a, config_file, POLICY_FILES_MOST);
    for (const str *pattern = set->patterns; pattern->p; pattern++) {
        const str *paths = r->world->glob(r->world->ctx, r->a, *pattern);
        if (!paths->p)
            problems_add(r->out, n->line, n->column, "no file matches `" STR_FMT "`",
                         STR_ARG(*pattern));
        for (; paths->p; paths++) {
            if (set->count == POLICY_FILES_MOST) {
                problems_add(r->out, n->line, n->column, "more than %d policy files",
                             POLICY_FILES_MOST);
                return;
            }
            add_policy(r, set, n, *paths);
        }
    }
}

/* No file yet: nothing is approved, and the first `sallyport tools pin` makes one. */
static void read_pins(config_reader *r, config *c)
{
    if (!c->pins.name.p || !r->world->glob || !r->world->read) return;
    const err *e = r->world->read(r->world->ctx, r->a, c->pins.name, &c->pins.text);
    if (e && r->world->glob(r->world->ctx, r->a, c->pins.name)->p) {
        const yaml_node *n = config_place(c->mcp, "pins");
        problems_add(r->out, n->line, n->column, STR_FMT, STR_ARG(e->text));
    }
    if (!c->pins.text.p) c->pins.text = S("");
}

static void check_audit(config_reader *r, const config *c)
{
    const yaml_node *section = yaml_get(config_place(c->root, "telemetry"), S("audit_log"));
    if (!section) return;
    const yaml_node *n = config_place(section, "redact");
    for (const str *path = c->redact; path->p; path++)
        if (!policy_is_attribute(*path))
            problems_add(r->out, n->line, n->column,
                         "`" STR_FMT "` is no attribute; write for example args.password",
                         STR_ARG(*path));
}

static bool is_open_to_others(const config *c)
{
    const config_listen *all = c->listen.items;
    for (size_t i = 0; i < c->listen.count; i++)
        if (all[i].address.p && !gate_is_loopback(all[i].address)) return true;
    return false;
}

/* An account is connected by its caller alone, so a browser must be able to say who it is. */
static void check_user_oauth(config_reader *r, const config *c, const config_server *s)
{
    const yaml_node *n = s->auth.user.node;
    const config_issuer *issuers = c->issuers.items;
    for (size_t i = 0; i < c->issuers.count; i++)
        if (!issuers[i].login || issuers[i].introspection)
            problems_add(r->out, n->line, n->column,
                         "callers of issuer `" STR_FMT "` cannot say at a browser who they are: it "
                         "wants a `login`, and keys",
                         STR_ARG(issuers[i].issuer));
    if (c->anonymous == CONFIG_ANONYMOUS_ALLOW && is_open_to_others(c))
        problems_add(r->out, n->line, n->column,
                     "anonymous callers share one account: only while every listener is loopback");
    if (s->isolation == ISOLATION_SHARED)
        problems_add(r->out, n->line, n->column, "accounts apart need sessions apart");
}

static void check_keys(config_reader *r, const config *c)
{
    if (c->keys && !yaml_get(c->root, S("seal_keys")))
        problems_add(r->out, c->keys->line, c->keys->column,
                     "keys are known again by hashes that `seal_keys` make: give some, as in "
                     "seal_keys: [\"file:seal.key\"]");
}

static void check_store(config_reader *r, const config *c)
{
    const yaml_node *n = config_place(c->root, "store");
    const err *e = c->store.p ? store_keeper_check(r->a, c->store) : NULL;
    if (e) problems_add(r->out, n->line, n->column, STR_FMT, STR_ARG(e->text));
}

void config_check(config_reader *r, config *c)
{
    check_listen(r, c);
    check_lists(r, c);
    const config_issuer *issuers = c->issuers.items;
    for (size_t i = 0; i < c->issuers.count; i++) check_issuer(r, &issuers[i], issuers, i);
    config_check_mcp(r, c);
    const config_server *servers = c->servers.items;
    for (size_t i = 0; i < c->servers.count; i++)
        if (servers[i].auth.user.node) check_user_oauth(r, c, &servers[i]);
    config_check_llm(r, c);
    check_keys(r, c);
    check_policies(r, &c->live, config_place(c->root, "policies"));
    check_policies(r, &c->shadow, config_place(c->root, "shadow_policies"));
    read_pins(r, c);
    check_audit(r, c);
    check_store(r, c);
}
