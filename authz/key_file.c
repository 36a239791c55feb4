/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.c - reading and writing the document of virtual keys. */
#include "key_file.h"

#include "../base/json.h"
#include "../base/map.h"
#include "cel/times.h"
#include "digest.h"
#include "policy/quota_rule.h"

enum { CLAIMS_MOST = 16 << 10, DECIMALS = 6 };

typedef struct {
    arena *a;
    problems *out;
} reader;

#define WRONG(r, n, ...) problems_add((r)->out, (n)->line, (n)->column, __VA_ARGS__)

/* Values */

bool key_money(str text, int64_t *micro_usd)
{
    str_pair cut = str_cut(text, '.');
    str whole = cut.ok ? cut.head : text, part = cut.ok ? cut.tail : (str){0};
    int64_t sum = 0;
    if (!whole.n || whole.n > 9 || part.n > DECIMALS || (cut.ok && !part.n)) return false;
    for (size_t i = 0; i < whole.n + DECIMALS; i++) {
        char c = '0';
        if (i < whole.n)
            c = whole.p[i];
        else if (i - whole.n < part.n)
            c = part.p[i - whole.n];
        if (c < '0' || c > '9') return false;
        sum = sum * 10 + (c - '0');
    }
    *micro_usd = sum;
    return true;
}

static bool is_text(reader *r, const yaml_node *n, const char *what)
{
    if (n->kind == YAML_SCALAR && n->text.n) return true;
    WRONG(r, n, "%s wants a text", what);
    return false;
}

static void read_time(reader *r, const yaml_node *n, int64_t *to)
{
    if (!n) return;
    cel_value t = cel_time_parse(n->text);
    if (n->kind != YAML_SCALAR || t.tag != CEL_TIMESTAMP || t.u.i <= 0)
        WRONG(r, n, "wants a time like 2027-01-31T00:00:00Z");
    else
        *to = t.u.i;
}

static const str *read_globs(reader *r, const yaml_node *n)
{
    if (!n) return NULL;
    if (n->kind != YAML_LIST || n->count > KEY_LIST_MOST) {
        WRONG(r, n, "wants a list of at most %d names or globs", KEY_LIST_MOST);
        return NULL;
    }
    str *list = NEW_N(r->a, str, n->count + 1), *to = list;
    for (const yaml_node *one = n->first; one; one = one->next)
        if (is_text(r, one, "a name or glob")) *to++ = one->text;
    return list;
}

static str read_claims(reader *r, const yaml_node *n)
{
    if (!n) return S("{}");
    buf b = buf_new(r->a, CLAIMS_MOST);
    js_value v;
    yaml_put_json(&b, n);
    if (n->kind != YAML_MAP)
        WRONG(r, n, "claims are a map");
    else if (!buf_ok(&b))
        WRONG(r, n, "claims are over %d bytes", CLAIMS_MOST);
    else if (js_check(r->a, buf_str(&b), API_KEY_DEPTH, &v))
        WRONG(r, n, "claims are nested too deep, or name a member twice");
    return buf_str(&b);
}

/* Entries */

/* Every member has a name of the list, which ends with {0}. */
static bool is_map_of(reader *r, const yaml_node *n, const char *what, const str *names)
{
    if (n->kind != YAML_MAP) {
        WRONG(r, n, "%s is a map", what);
        return false;
    }
    for (const yaml_node *c = n->first; c; c = c->next) {
        const str *known = names;
        while (known->p && !str_eq(*known, c->key)) known++;
        if (known->p) continue;
        str near = yaml_did_you_mean(c->key, names);
        problems_add(r->out, c->key_line, c->key_column,
                     "unknown key `" STR_FMT "` in %s%s" STR_FMT "%s", STR_ARG(c->key), what,
                     near.n ? ", did you mean `" : "", STR_ARG(near), near.n ? "`?" : "");
    }
    return true;
}

static void read_budget(reader *r, const yaml_node *n, api_budget *to)
{
    static const str names[] = {S("usd"), S("window"), {0}};
    if (!n || !is_map_of(r, n, "a budget", names)) return;
    const yaml_node *usd = yaml_get(n, names[0]), *window = yaml_get(n, names[1]);
    if (!usd || !window)
        WRONG(r, n, "a budget is { usd: 20, window: month }");
    else if (usd->kind != YAML_SCALAR || !key_money(usd->text, &to->micro_usd) || !to->micro_usd)
        WRONG(r, usd, "wants US dollars, like 20 or 0.5");
    else if (window->kind != YAML_SCALAR || !policy_quota_window(window->text, &to->window_ms))
        WRONG(r, window, "wants a window: month, or 1s to 30d");
    else
        to->window = window->text;
}

static bool read_hash(arena *a, str text, uint8_t to[SEAL_HASH_BYTES])
{
    str raw;
    if (!digest_from_base64url(a, text, &raw) || raw.n != SEAL_HASH_BYTES) return false;
    memcpy(to, raw.p, SEAL_HASH_BYTES);
    return true;
}

static void read_secrets(reader *r, const yaml_node *key, api_key *to)
{
    static const str names[] = {S("hash"), S("until"), {0}};
    const yaml_node *list = yaml_get(key, S("secrets"));
    if (!list || list->kind != YAML_LIST || !list->count) {
        WRONG(r, list ? list : key, "a key has `secrets`: a list of { hash: … }");
        return;
    }
    api_secret *all = NEW_N(r->a, api_secret, list->count);
    for (const yaml_node *n = list->first; n; n = n->next) {
        if (!is_map_of(r, n, "a secret", names)) continue;
        const yaml_node *hash = yaml_get(n, names[0]);
        api_secret *one = &all[to->secret_count++];
        read_time(r, yaml_get(n, names[1]), &one->until_s);
        if (!hash || !read_hash(r->a, hash->text, one->hash))
            WRONG(r, hash ? hash : n, "a hash has 43 characters, as `sallyport key` writes it");
    }
    to->secrets = all;
}

static bool is_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr("0123456789abcdef", s.p[i])) return false;
    return s.n == API_KEY_ID;
}

static void read_key(reader *r, const yaml_node *n, map *seen, api_key *to)
{
    static const str names[] = {S("id"),      S("name"),    S("created"), S("expires"),
                                S("revoked"), S("claims"),  S("models"),  S("servers"),
                                S("budget"),  S("secrets"), {0}};
    if (!is_map_of(r, n, "a key", names)) return;
    const yaml_node *id = yaml_get(n, names[0]), *name = yaml_get(n, names[1]);
    if (!id || id->kind != YAML_SCALAR || !is_id(id->text)) {
        WRONG(r, id ? id : n, "a key has an `id` of %d hex digits", API_KEY_ID);
        return;
    }
    if (map_get(seen, id->text))
        WRONG(r, id, "the id `" STR_FMT "` is used twice", STR_ARG(id->text));
    map_put(seen, id->text, to);
    to->id = id->text;
    to->name = name && is_text(r, name, "a name") ? str_take(name->text, KEY_NAME_MOST) : id->text;
    read_time(r, yaml_get(n, names[2]), &to->created_s);
    read_time(r, yaml_get(n, names[3]), &to->expires_s);
    read_time(r, yaml_get(n, names[4]), &to->revoked_s);
    to->claims = read_claims(r, yaml_get(n, names[5]));
    to->models = read_globs(r, yaml_get(n, names[6]));
    to->servers = read_globs(r, yaml_get(n, names[7]));
    read_budget(r, yaml_get(n, names[8]), &to->budget);
    read_secrets(r, n, to);
}

static void read_keys(reader *r, const yaml_node *root, const api_key **keys, size_t *count)
{
    static const str names[] = {S("version"), S("keys"), {0}};
    if (!root->count || !is_map_of(r, root, "the document", names)) return;
    const yaml_node *version = yaml_get(root, names[0]), *list = yaml_get(root, names[1]);
    if (!version || !str_eq(version->text, S("1")))
        WRONG(r, root, "a file of keys begins with `version: 1`");
    if (!list || yaml_is_null(list)) return;
    if (list->kind != YAML_LIST || list->count > API_KEYS_MOST) {
        WRONG(r, list, "`keys` wants a list of at most %d", API_KEYS_MOST);
        return;
    }
    api_key *all = NEW_N(r->a, api_key, list->count + 1);
    map *seen = map_new(r->a);
    for (const yaml_node *n = list->first; n; n = n->next) read_key(r, n, seen, &all[(*count)++]);
    *keys = all;
}

bool key_file_read(arena *a, str file, str text, problems *out, const api_key **keys, size_t *count)
{
    problems found;
    yaml_node *root = NULL;
    *keys = NULL;
    *count = 0;
    problems_init(&found, a, file);
    const err *e = yaml_parse(a, file, text, &root);
    if (e)
        problems_add_text(&found, e->text);
    else
        read_keys(&(reader){a, &found}, root, keys, count);
    for (const problem *one = found.first; one; one = one->next) problems_add_text(out, one->text);
    return found.count == 0;
}

/* Writing */

static void put_time(buf *b, const char *name, int64_t s)
{
    if (!s) return;
    str text = cel_time_text(b->a, cel_time_of(s, 0));
    (void)buf_fmt(b, "    %s: " STR_FMT "\n", name, STR_ARG(text));
}

static void put_globs(buf *b, const char *name, const str *list)
{
    if (!list) return;
    (void)buf_fmt(b, "    %s: [", name);
    for (const str *one = list; one->p; one++) {
        if (one != list) (void)buf_put(b, S(", "));
        (void)buf_json(b, *one);
    }
    (void)buf_put(b, S("]\n"));
}

static void put_budget(buf *b, const api_budget *budget)
{
    if (!budget->micro_usd) return;
    (void)buf_fmt(b, "    budget: { usd: %lld.%06lld, window: ",
                  (long long)(budget->micro_usd / 1000000),
                  (long long)(budget->micro_usd % 1000000));
    (void)buf_json(b, budget->window);
    (void)buf_put(b, S(" }\n"));
}

static void put_key(buf *b, const api_key *k)
{
    (void)buf_fmt(b, "  - id: \"" STR_FMT "\"\n    name: ", STR_ARG(k->id));
    (void)buf_json(b, k->name);
    (void)buf_put(b, S("\n"));
    put_time(b, "created", k->created_s);
    put_time(b, "expires", k->expires_s);
    put_time(b, "revoked", k->revoked_s);
    if (k->claims.n > 2) (void)buf_fmt(b, "    claims: " STR_FMT "\n", STR_ARG(k->claims));
    put_globs(b, "models", k->models);
    put_globs(b, "servers", k->servers);
    put_budget(b, &k->budget);
    (void)buf_put(b, S("    secrets:\n"));
    for (size_t i = 0; i < k->secret_count; i++) {
        str hash = digest_base64url(b->a, (str){(const char *)k->secrets[i].hash, SEAL_HASH_BYTES});
        (void)buf_fmt(b, "      - { hash: \"" STR_FMT "\"", STR_ARG(hash));
        if (k->secrets[i].until_s) {
            str until = cel_time_text(b->a, cel_time_of(k->secrets[i].until_s, 0));
            (void)buf_fmt(b, ", until: " STR_FMT, STR_ARG(until));
        }
        (void)buf_put(b, S(" }\n"));
    }
}

str key_file_write(arena *a, const api_key *keys, size_t count)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    (void)
        buf_put(&b,
                S("# Written by `sallyport key`; what is changed by hand stays, comments do not.\n"
                  "version: 1\nkeys:\n"));
    for (size_t i = 0; i < count; i++) put_key(&b, &keys[i]);
    return buf_str(&b);
}
