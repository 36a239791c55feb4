/* SPDX-License-Identifier: Apache-2.0 */
/* caller.c - a caller, from the claims of a token or from a key that was given out. */
#include "caller.h"
#include "../base/buf.h"
#include "cel/json.h"
#include "policy/quota_rule.h"
#include <stdatomic.h>
#include <stdlib.h>

enum {
    ID_MAX = 64 * 1024, /* an escaped issuer and a subject of a token of at most 16 KiB */
    HELD_BYTES = 2048   /* what an ordinary token's caller needs */
};

typedef struct {
    caller c; /* first: a caller is found back from its address */
    atomic_uint refs;
    arena *a;
} held;

static held *held_of(const caller *c)
{
    /* const for readers; the count is ours */
    return (held *)(uintptr_t)c; /* NOLINT(performance-no-int-to-ptr) */
}

void caller_keep(const caller *c)
{
    atomic_fetch_add_explicit(&held_of(c)->refs, 1, memory_order_relaxed);
}

void caller_drop(const caller *c)
{
    if (!c) return;
    held *h = held_of(c);
    if (atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1) return;
    arena_free(h->a); /* in which it lives itself */
}

static void drop_owned(void *c)
{
    caller_drop(c);
}

void caller_own(arena *a, const caller *c)
{
    arena_own(a, drop_owned, held_of(c));
}

str caller_share(arena *a, const caller *c, str address)
{
    if (c->kind != CALLER_ANONYMOUS) return c->id;
    return arena_fmt(a, "anonymous@" STR_FMT, STR_ARG(address));
}

bool caller_has_scope(const caller *c, str scope)
{
    for (const str *s = c->scopes; s && s->p; s++)
        if (str_eq(*s, scope)) return true;
    return false;
}

/* From claims to a caller */

static str text_claim(const json_t *claims, const char *name)
{
    const json_t *v = json_object_get(claims, name);
    if (!json_is_string(v) || json_string_length(v) == 0) return (str){0};
    return (str){json_string_value(v), json_string_length(v)};
}

str caller_issuer(const caller *c)
{
    return c->kind == CALLER_JWT ? text_claim(c->claims, "iss") : (str){0};
}

bool caller_is_of(const caller *c, str issuer)
{
    return c->kind == CALLER_JWT && str_eq(caller_issuer(c), issuer);
}

/* Cuts one claim into scopes; with `out` NULL it only counts. */
static size_t add_words(str text, str *out)
{
    size_t n = 0;
    while (text.n) {
        str_pair cut = str_cut(text, ' ');
        if (cut.head.n) {
            if (out) out[n] = cut.head;
            n++;
        }
        text = cut.tail;
    }
    return n;
}

static size_t add_scopes(const json_t *v, str *out)
{
    if (json_is_string(v))
        return add_words((str){json_string_value(v), json_string_length(v)}, out);
    size_t n = 0;
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        const json_t *one = json_array_get(v, i);
        if (!json_is_string(one)) continue;
        n +=
            add_words((str){json_string_value(one), json_string_length(one)}, out ? out + n : NULL);
    }
    return n;
}

/* '|' ends the issuer, so inside it is written %7C: no two (issuer, subject) give one id. */
static void put_issuer(buf *b, str issuer)
{
    for (size_t i = 0; i < issuer.n; i++) {
        if (issuer.p[i] == '|')
            (void)buf_put(b, S("%7C"));
        else if (issuer.p[i] == '%')
            (void)buf_put(b, S("%25"));
        else
            (void)buf_put(b, (str){issuer.p + i, 1});
    }
}

/* Who the claims name. A client's id has a prefix of its own, or somebody who may choose their
 * `sub` could pass for a client. False: nobody. */
static bool put_id(buf *b, str issuer, const json_t *claims)
{
    str sub = text_claim(claims, "sub"), client = text_claim(claims, "client_id");
    if (!client.n) client = text_claim(claims, "azp");
    (void)buf_put(b, sub.n ? S("jwt:") : S("jwt-client:"));
    put_issuer(b, issuer);
    (void)buf_put(b, S("|"));
    (void)buf_put(b, sub.n ? sub : client);
    return buf_ok(b) && (sub.n || client.n);
}

static str name_of(const json_t *claims)
{
    static const char *const names[] = {"preferred_username", "name", "email", "sub",
                                        "client_id",          "azp"};
    str name = {0};
    for (size_t i = 0; !name.n && i < sizeof names / sizeof *names; i++)
        name = text_claim(claims, names[i]);
    return name;
}

static size_t count_scopes(const json_t *claims)
{
    return add_scopes(json_object_get(claims, "scope"), NULL) +
           add_scopes(json_object_get(claims, "scp"), NULL);
}

static void fill_scopes(const json_t *claims, str *out)
{
    size_t n = add_scopes(json_object_get(claims, "scope"), out);
    (void)add_scopes(json_object_get(claims, "scp"), out + n);
}

/* All but who it is, which hangs on the issuer. */
static void fill(caller *c, arena *a, const json_t *claims)
{
    str *scopes = NEW_N(a, str, count_scopes(claims) + 1);
    fill_scopes(claims, scopes);
    *c = (caller){.kind = CALLER_JWT,
                  .claims = claims,
                  .jwt = cel_own_json(a, claims),
                  .scopes = scopes,
                  .name = name_of(claims)};
}

static void become_anonymous(caller *c)
{
    c->kind = CALLER_ANONYMOUS;
    c->id = c->name = S("anonymous");
}

static bool name_caller(caller *c, arena *a, str issuer)
{
    buf id = buf_new(a, ID_MAX);
    bool named = put_id(&id, issuer, c->claims);
    if (named) c->id = buf_str(&id);
    return named;
}

const caller *caller_of_claims(arena *a, const json_t *claims)
{
    caller *c = NEW(a, caller);
    fill(c, a, claims);
    (void)name_caller(c, a, text_claim(claims, "iss"));
    if (!json_object_size(claims)) become_anonymous(c);
    return c;
}

static void drop_claims(void *claims)
{
    json_decref(claims);
}

/* Takes the claims over. */
static held *held_new(json_t *claims)
{
    if (!claims) abort();
    arena *a = arena_new_of(HELD_BYTES);
    held *h = NEW(a, held);
    h->refs = 1;
    h->a = a;
    arena_own(a, drop_claims, claims);
    fill(&h->c, a, claims);
    return h;
}

const caller *caller_of_token(json_t *claims, str issuer, int64_t expires_s)
{
    held *h = held_new(claims);
    if (!name_caller(&h->c, h->a, issuer.p ? issuer : text_claim(claims, "iss"))) {
        caller_drop(&h->c);
        return NULL;
    }
    h->c.expires_s = expires_s;
    return &h->c;
}

const caller *caller_of_key(const api_key *key, int64_t until_s)
{
    arena *scratch = arena_new();
    js_value claims;
    bool read = !js_check(scratch, key->claims, API_KEY_DEPTH, &claims);
    held *h = held_new(read ? json_incref(js_tree(scratch, claims)) : json_object());
    arena_free(scratch);
    h->c.kind = CALLER_KEY;
    h->c.id = arena_fmt(h->a, "key:" STR_FMT, STR_ARG(key->id));
    h->c.name = arena_dup(h->a, key->name);
    h->c.models = key->models ? arena_dup_all(h->a, key->models) : NULL;
    h->c.servers = key->servers ? arena_dup_all(h->a, key->servers) : NULL;
    if (key->budget.micro_usd)
        h->c.budget = policy_quota_budget(h->a, key->budget.micro_usd, key->budget.window_ms);
    h->c.expires_s = until_s;
    return &h->c;
}

const caller *caller_anonymous(void)
{
    held *h = held_new(json_object());
    become_anonymous(&h->c);
    return &h->c;
}
