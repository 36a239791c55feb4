/* SPDX-License-Identifier: Apache-2.0 */
/* lease_read.c - JSON and XML of token endpoints.
 *
 * STS's XML is not parsed as XML: its few elements hold plain text, and are looked for by their
 * names inside <Credentials>. Whatever is no plain text (an entity, an element, a CDATA section) is
 * refused instead of understood. */
#include "lease_read.h"
#include "../base/clock.h"
#include "../base/json.h"

enum { TOKEN_MOST = 16 << 10, KEY_ID_MOST = 128, KEY_MOST = 512, NAME_MOST = 64, DEPTH = 16 };
enum { LIVES_LEAST_MS = 1000, LIVES_MOST_MS = 86400000 };

static bool is_token(str s, size_t most)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > '~') return false;
    return s.n > 0 && s.n <= most;
}

static bool is_name(str s, size_t most)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c < '0' || c > '9') && c != '_' && c != '.') return false;
    }
    return s.n > 0 && s.n <= most;
}

static const err *no_json(arena *a)
{
    return err_new(a, ERR_UPSTREAM, "its answer is no JSON object");
}

static const err *no_token(arena *a)
{
    return err_new(a, ERR_UPSTREAM, "its answer holds no token");
}

static const err *object_of(arena *a, str body, js_value *root)
{
    if (js_check(a, body, DEPTH, root) || root->kind != JS_OBJECT) return no_json(a);
    return NULL;
}

static str member(arena *a, js_value root, const char *name)
{
    return js_text(a, js_get(root, (str){name, strlen(name)}));
}

static int64_t within(int64_t ms)
{
    if (ms < LIVES_LEAST_MS) return LIVES_LEAST_MS;
    return ms < LIVES_MOST_MS ? ms : LIVES_MOST_MS;
}

/* Some say it as text. */
static int64_t lives_of(arena *a, js_value v)
{
    int64_t s = 0;
    js_value inner = v;
    if (v.kind == JS_STRING && js_check(a, js_text(a, v), 1, &inner)) return LIVES_LEAST_MS;
    if (!js_int(inner, &s)) return LIVES_LEAST_MS;
    return within(s > LIVES_MOST_MS / 1000 ? LIVES_MOST_MS : s * 1000);
}

static const err *lives_until(arena *a, str when, int64_t now_ms, lease_token *out)
{
    int64_t end_ms = 0;
    if (!clock_read_rfc3339(when, &end_ms))
        return err_new(a, ERR_UPSTREAM, "its answer does not say when it ends");
    if (end_ms <= now_ms) return err_new(a, ERR_UPSTREAM, "what it lends has ended already");
    out->lives_ms = within(end_ms - now_ms);
    return NULL;
}

const err *lease_read_oauth(arena *a, str body, lease_token *out)
{
    js_value root;
    *out = (lease_token){0};
    const err *e = object_of(a, body, &root);
    if (e) return e;
    str token = member(a, root, "access_token");
    if (!is_token(token, TOKEN_MOST)) return no_token(a);
    *out = (lease_token){.token = token, .lives_ms = lives_of(a, js_get(root, S("expires_in")))};
    return NULL;
}

const err *lease_read_impersonated(arena *a, str body, int64_t now_ms, lease_token *out)
{
    js_value root;
    *out = (lease_token){0};
    const err *e = object_of(a, body, &root);
    if (e) return e;
    str token = member(a, root, "accessToken");
    if (!is_token(token, TOKEN_MOST)) return no_token(a);
    e = lives_until(a, member(a, root, "expireTime"), now_ms, out);
    if (!e) out->token = token;
    return e;
}

static const err *keys_of(arena *a, const lease_token *got, str until, int64_t now_ms,
                          lease_token *out)
{
    bool fine = is_name(got->key_id, KEY_ID_MOST) && is_token(got->secret, KEY_MOST) &&
                (!got->token.p || is_token(got->token, TOKEN_MOST));
    if (!fine) return err_new(a, ERR_UPSTREAM, "its answer holds no keys");
    lease_token made = *got;
    const err *e = lives_until(a, until, now_ms, &made);
    if (!e) *out = made;
    return e;
}

const err *lease_read_keys(arena *a, str body, int64_t now_ms, lease_token *out)
{
    js_value root;
    *out = (lease_token){0};
    const err *e = object_of(a, body, &root);
    if (e) return e;
    const lease_token got = {.key_id = member(a, root, "AccessKeyId"),
                             .secret = member(a, root, "SecretAccessKey"),
                             .token = member(a, root, "Token")};
    return keys_of(a, &got, member(a, root, "Expiration"), now_ms, out);
}

/* Between <name> and </name>, the first of them; {0}: not there. */
static str element(arena *a, str in, const char *name)
{
    str open = arena_fmt(a, "<%s>", name), end = arena_fmt(a, "</%s>", name);
    const char *at = in.n ? memmem(in.p, in.n, open.p, open.n) : NULL;
    if (!at) return (str){0};
    in = str_drop(in, (size_t)(at - in.p) + open.n);
    const char *to = in.n ? memmem(in.p, in.n, end.p, end.n) : NULL;
    return to ? str_take(in, (size_t)(to - in.p)) : (str){0};
}

static bool is_plain(str s)
{
    return s.n && !memchr(s.p, '<', s.n) && !memchr(s.p, '&', s.n);
}

static str plain_element(arena *a, str in, const char *name)
{
    str s = element(a, in, name);
    return is_plain(s) ? s : (str){0};
}

const err *lease_read_sts(arena *a, str body, int64_t now_ms, lease_token *out)
{
    *out = (lease_token){0};
    str in = element(a, body, "Credentials");
    const lease_token got = {.key_id = plain_element(a, in, "AccessKeyId"),
                             .secret = plain_element(a, in, "SecretAccessKey"),
                             .token = plain_element(a, in, "SessionToken")};
    if (!got.token.p) return err_new(a, ERR_UPSTREAM, "its answer holds no keys");
    return keys_of(a, &got, plain_element(a, in, "Expiration"), now_ms, out);
}

static str trimmed(str s)
{
    while (s.n && (unsigned char)s.p[0] <= ' ') s = str_drop(s, 1);
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
    return s;
}

const err *lease_read_subject(arena *a, str text, str field, str *out)
{
    js_value root;
    str token = trimmed(text);
    *out = (str){0};
    if (field.n) {
        const err *e = object_of(a, token, &root);
        if (e) return e;
        token = js_text(a, js_get(root, field));
    }
    if (!is_token(token, TOKEN_MOST)) return no_token(a);
    *out = token;
    return NULL;
}

str lease_read_refusal(arena *a, str body)
{
    js_value root;
    str name = plain_element(a, body, "Code");
    if (!name.n && !object_of(a, body, &root)) {
        js_value error = js_get(root, S("error"));
        if (error.kind == JS_OBJECT) error = js_get(error, S("status")); /* Google's own APIs */
        name = js_text(a, error);
    }
    return is_name(name, NAME_MOST) ? name : (str){0};
}
