/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - giving out virtual keys, showing them, changing and revoking them. */
#include "../../authz/key_file.h"
#include "../../authz/policy/quota_rule.h"
#include "../../base/json.h"
#include "../files.h"
#include "key_desk.h"
#include <stdio.h>

enum { OVERLAP_S = 24 * 3600 };

/* Making */

typedef struct {
    const char *config, *name, *claims, *scope, *expires, *models, *servers, *budget;
} order;

static const err *wrong(arena *a, const char *option, const char *wants)
{
    return err_new(a, ERR_MALFORMED, "%s wants %s", option, wants);
}

/* "a,b" as a list; NULL when it was not given. */
static const str *listed(arena *a, const char *text)
{
    if (!text) return NULL;
    str rest = {text, strlen(text)};
    str *list = NEW_N(a, str, rest.n + 2), *to = list;
    while (rest.n) {
        str_pair cut = str_cut(rest, ',');
        str one = cut.ok ? cut.head : rest;
        if (one.n) *to++ = one;
        rest = cut.ok ? cut.tail : (str){0};
    }
    return list;
}

static const err *claims_text(arena *a, const order *o, str *out)
{
    *out = o->claims ? (str){o->claims, strlen(o->claims)} : S("{}");
    if (out->n == 0 || out->p[0] != '@') return NULL;
    return files_read(files_new(a, S(".")), a, str_drop(*out, 1), out);
}

static const err *read_claims(arena *a, const order *o, str *to)
{
    str text;
    js_value root;
    const err *e = claims_text(a, o, &text);
    if (!e) e = js_check(a, text, API_KEY_DEPTH, &root);
    if (e) return err_wrap(a, e, "--claims");
    if (root.kind != JS_OBJECT) return wrong(a, "--claims", "a JSON object, or @FILE with one");
    json_t *tree = js_tree(a, root);
    if (o->scope) (void)json_object_set_new(tree, "scope", json_string(o->scope));
    char *line = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!line) return wrong(a, "--scope", "text in UTF-8");
    *to = arena_dup(a, (str){line, strlen(line)});
    free(line);
    return NULL;
}

static const err *read_budget(arena *a, const order *o, api_budget *to)
{
    if (!o->budget) return NULL;
    str_pair cut = str_cut((str){o->budget, strlen(o->budget)}, '/');
    if (!cut.ok || !policy_quota_window(cut.tail, &to->window_ms) ||
        !key_money(cut.head, &to->micro_usd) || !to->micro_usd)
        return wrong(a, "--budget", "US dollars and their window, like 20/month or 0.5/1d");
    to->window = cut.tail;
    return NULL;
}

static const err *fill(key_desk *d, const order *o, api_key *k)
{
    *k = (api_key){.id = api_key_make_id(d->a),
                   .name = {o->name, strlen(o->name)},
                   .created_s = d->now_s,
                   .models = listed(d->a, o->models),
                   .servers = listed(d->a, o->servers)};
    if (!k->name.n || k->name.n > KEY_NAME_MOST)
        return wrong(d->a, "--name", "1 to 100 bytes that say whose key it is");
    if (d->count >= API_KEYS_MOST)
        return err_new(d->a, ERR_TOO_LARGE, "there are %zu keys already", d->count);
    if (o->expires && !key_desk_time(d, o->expires, &k->expires_s))
        return wrong(d->a, "--expires", "a time ahead: 30d, 2027-01-31 or 2027-01-31T12:00:00Z");
    const err *e = read_claims(d->a, o, &k->claims);
    return e ? e : read_budget(d->a, o, &k->budget);
}

static int show_token(arena *a, str token, const api_key *k)
{
    (void)fprintf(stderr, "key " STR_FMT " (" STR_FMT "), shown this once:\n", STR_ARG(k->id),
                  STR_ARG(command_plain(a, k->name)));
    (void)printf(STR_FMT "\n", STR_ARG(token));
    return fflush(stdout) == 0 ? 0 : 1;
}

static int verb_new(arena *a, int argc, char **argv)
{
    order o = {.config = "sallyport.yaml"};
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &o.config},
                                      {.name = "--name", .value = &o.name},
                                      {.name = "--claims", .value = &o.claims},
                                      {.name = "--scope", .value = &o.scope},
                                      {.name = "--expires", .value = &o.expires},
                                      {.name = "--models", .value = &o.models},
                                      {.name = "--servers", .value = &o.servers},
                                      {.name = "--budget", .value = &o.budget},
                                      {0}};
    const char **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count || !o.name)
        return command_usage(argv[0], "it wants --name, and nothing besides options");
    key_desk d;
    int code = key_desk_open(&d, a, o.config);
    if (code) return code;
    api_key *k = &d.keys[d.count];
    api_secret secret;
    const err *e = fill(&d, &o, k);
    str token = api_key_make_token(a, d.seals, k->id, &secret);
    k->secrets = &secret;
    k->secret_count = 1;
    d.count++;
    if (!e) e = key_desk_save(&d);
    key_desk_close(&d);
    return e ? command_fail(e) : show_token(a, token, k);
}

/* Showing */

static const char *state_of(const key_desk *d, const api_key *k)
{
    if (k->revoked_s) return "revoked";
    return k->expires_s && k->expires_s <= d->now_s ? "expired" : "active";
}

static str joined(arena *a, const str *list)
{
    if (!list) return S("*");
    buf b = buf_new(a, SIZE_MAX / 2);
    for (const str *one = list; one->p; one++) {
        if (one != list) (void)buf_put(&b, S(","));
        (void)buf_put(&b, *one);
    }
    return b.n ? buf_str(&b) : S("none");
}

static void show(const key_desk *d, const api_key *k)
{
    str budget = S("-");
    if (k->budget.micro_usd)
        budget = arena_fmt(d->a, "%lld.%02lld/" STR_FMT, (long long)(k->budget.micro_usd / 1000000),
                           (long long)(k->budget.micro_usd % 1000000 / 10000),
                           STR_ARG(k->budget.window));
    (void)printf("%-12.*s %-8s %-16.*s %-12.*s %-24.*s models " STR_FMT "  servers " STR_FMT "\n",
                 STR_ARG(k->id), state_of(d, k), STR_ARG(key_desk_day(d->a, k->expires_s)),
                 STR_ARG(budget), STR_ARG(command_plain(d->a, k->name)),
                 STR_ARG(command_plain(d->a, joined(d->a, k->models))),
                 STR_ARG(command_plain(d->a, joined(d->a, k->servers))));
}

static int verb_list(arena *a, int argc, char **argv)
{
    const char *file = "sallyport.yaml", **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage(argv[0], "the file is given with -c");
    key_desk d;
    int code = key_desk_open(&d, a, file);
    if (code) return code;
    (void)printf("%-12s %-8s %-16s %-12s %-24s may use\n", "id", "state", "expires", "budget $",
                 "name");
    for (size_t i = 0; i < d.count; i++) show(&d, &d.keys[i]);
    key_desk_close(&d);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* Changing */

static int verb_revoke(arena *a, int argc, char **argv)
{
    const char *file = "sallyport.yaml", **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (!count) return command_usage(argv[0], "it wants the id or name of a key");
    key_desk d;
    int code = key_desk_open(&d, a, file);
    if (code) return code;
    for (int i = 0; i < count && !code; i++) {
        api_key *k = key_desk_find(&d, rest[i]);
        if (k && !k->revoked_s) k->revoked_s = d.now_s;
        code = k ? 0 : 1;
    }
    const err *e = code ? NULL : key_desk_save(&d);
    key_desk_close(&d);
    if (e) return command_fail(e);
    if (!code)
        (void)fprintf(stderr, "%d revoked: running gateways refuse them within a second\n", count);
    return code;
}

/* The new secret first; the older ones end with the overlap, or when they would have anyway. */
static void add_secret(key_desk *d, api_key *k, const api_secret *fresh, int64_t until_s)
{
    api_secret *all = NEW_N(d->a, api_secret, k->secret_count + 1);
    size_t n = 0;
    all[n++] = *fresh;
    for (size_t i = 0; i < k->secret_count; i++) {
        api_secret old = k->secrets[i];
        if (!old.until_s || old.until_s > until_s) old.until_s = until_s;
        if (old.until_s > d->now_s) all[n++] = old;
    }
    k->secrets = all;
    k->secret_count = n;
}

static int verb_rotate(arena *a, int argc, char **argv)
{
    const char *file = "sallyport.yaml", *overlap = NULL,
               **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {.name = "--overlap", .value = &overlap},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count != 1) return command_usage(argv[0], "it wants the id or name of one key");
    key_desk d;
    int code = key_desk_open(&d, a, file);
    if (code) return code;
    int64_t overlap_ms = (int64_t)OVERLAP_S * 1000;
    const err *e = overlap && !config_parse_duration((str){overlap, strlen(overlap)}, &overlap_ms)
                       ? wrong(a, "--overlap", "a duration: 24h, or 0s for none")
                       : NULL;
    api_key *k = e ? NULL : key_desk_find(&d, rest[0]);
    str token = {0};
    if (k && k->revoked_s) e = err_new(a, ERR_FORBIDDEN, "this key was revoked");
    if (k && !e) {
        api_secret secret;
        token = api_key_make_token(a, d.seals, k->id, &secret);
        add_secret(&d, k, &secret, d.now_s + overlap_ms / 1000);
        e = key_desk_save(&d);
    }
    key_desk_close(&d);
    if (e) return command_fail(e);
    return k ? show_token(a, token, k) : 1;
}

/* clang-format off */
static const command verbs[] = {
    {"new", verb_new, "give out a key",
     "usage: sallyport key new --name NAME [option…]\n"
     "\n"
     "Makes a key and prints its token on stdout, this once: what is kept of it is a keyed hash. A client sends it as\n"
     "`Authorization: Bearer`, `x-api-key` or `api-key`; to rules it is caller.kind \"key\" and caller.id \"key:ID\".\n"
     "\n"
     "  --name NAME       whose it is, for people and logs\n"
     "  --claims JSON     what rules see as `jwt`; @FILE reads a file\n"
     "  --scope \"A B\"     its scopes\n"
     "  --expires WHEN    30d, 2027-01-31 or 2027-01-31T12:00:00Z; without it the key does not expire\n"
     "  --models A,B      names or globs of the models it may use at most; rules still decide\n"
     "  --servers A,B     likewise of MCP servers\n"
     "  --budget USD/WINDOW  what it may spend on models: 20/month, 0.5/1d\n"
     "  -c, --config FILE the configuration (./sallyport.yaml); `identity.keys` says where keys are kept\n"
     "\n"
     "  sallyport key new --name 'ci of team a' --claims '{\"team\":\"a\"}' --models 'gpt-4o*' --expires 90d\n"},
    {"list", verb_list, "the keys there are",
     "usage: sallyport key list [-c FILE]\n"
     "\n"
     "A line a key: id, state, when it expires, budget, name, and the models and servers it may use at most.\n"},
    {"rotate", verb_rotate, "a new token for a key, the old one good for a while",
     "usage: sallyport key rotate ID|NAME [--overlap 24h] [-c FILE]\n"
     "\n"
     "Prints a new token for the key. The tokens before it are taken for the time of the overlap (24h; 0s: not at\n"
     "all). Id, claims, limits and what was spent of a budget stay.\n"},
    {"revoke", verb_revoke, "end keys at once",
     "usage: sallyport key revoke ID|NAME… [-c FILE]\n"
     "\n"
     "Running gateways refuse the keys within a second, and end the streams that were opened with them. A revoked\n"
     "key stays in the list and cannot be brought back.\n"},
    {0},
};
/* clang-format on */

int command_key(arena *a, int argc, char **argv)
{
    return command_verb(a, verbs, argc, argv);
}
