/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.c - from a key document to keys OpenSSL and libsodium can use.
 *
 * What may not be used is left out when the document is read, not when a token comes: symmetric
 * keys (an HS256 token MACed with a public key is the classic forgery), keys with private
 * members (an issuer that publishes them has lost them), weak RSA, points off their curve, keys
 * meant for encryption. A document none of whose keys can be used is bad as a whole.
 *
 * Taking a reference must not race with the last one being dropped, so acquire and replace share
 * a small lock; it is only met when a token is seen for the first time. */
#include "../base/json.h"
#include "digest.h"
#include "jwk.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    DOCUMENT_MAX = 1 << 20,
    DOCUMENT_DEPTH = 16,
    KEYS_MAX = 256,
    RSA_LEAST_BITS = 2048,
    RSA_MOST_BITS = 8192, /* verification time grows with the square */
    RSA_EXPONENT_BYTES = 4
};

struct jwks_version {
    arena *a;
    atomic_uint refs;
    jwk *keys;
    size_t count;
};

struct jwks {
    pthread_mutex_t lock; /* around `current` */
    jwks_version *current;
    _Atomic uint64_t epoch;
    _Atomic int64_t fetched_ms;
};

/* clang-format off */
static const str alg_names[ALG_COUNT] = {
    [ALG_RS256] = S("RS256"), [ALG_RS384] = S("RS384"), [ALG_RS512] = S("RS512"),
    [ALG_PS256] = S("PS256"), [ALG_PS384] = S("PS384"), [ALG_PS512] = S("PS512"),
    [ALG_ES256] = S("ES256"), [ALG_ES384] = S("ES384"), [ALG_ES512] = S("ES512"),
    [ALG_EDDSA] = S("EdDSA"),
};
/* clang-format on */

jwt_alg jwt_alg_of(str name)
{
    for (int i = ALG_NONE + 1; i < ALG_COUNT; i++)
        if (str_eq(alg_names[i], name)) return (jwt_alg)i;
    return ALG_NONE;
}

static unsigned bit(jwt_alg alg)
{
    return 1u << alg;
}

/* The bytes of a base64url member; empty when absent or badly written. */
static str member_bytes(arena *a, js_value key, str name)
{
    str bytes = {0};
    js_value v = js_get(key, name);
    if (v.kind != JS_STRING || !digest_from_base64url(a, js_text(a, v), &bytes)) return (str){0};
    return bytes;
}

static const unsigned char *raw(str s)
{
    return (const unsigned char *)s.p;
}

static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *b)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static EVP_PKEY *rsa_key(arena *a, js_value key)
{
    str n = member_bytes(a, key, S("n")), e = member_bytes(a, key, S("e"));
    if (n.n == 0 || n.n > RSA_MOST_BITS / 8 + 1) return NULL;
    if (e.n == 0 || e.n > RSA_EXPONENT_BYTES || !(e.p[e.n - 1] & 1)) return NULL;
    EVP_PKEY *pkey = NULL;
    BIGNUM *bn = BN_bin2bn(raw(n), (int)n.n, NULL), *be = BN_bin2bn(raw(e), (int)e.n, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    int bits = bn ? BN_num_bits(bn) : 0;
    bool sane =
        bits >= RSA_LEAST_BITS && bits <= RSA_MOST_BITS && BN_is_odd(bn) && be && !BN_is_one(be);
    if (sane && b && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be))
        pkey = build("RSA", b);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn);
    BN_free(be);
    return pkey;
}

typedef struct {
    str name;
    const char *group;
    size_t bytes; /* of a coordinate */
    jwt_alg alg;
} curve;

static const curve *curve_of(js_value key)
{
    static const curve curves[] = {
        {S("P-256"), "P-256", 32, ALG_ES256},
        {S("P-384"), "P-384", 48, ALG_ES384},
        {S("P-521"), "P-521", 66, ALG_ES512},
    };
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (js_text_is(js_get(key, S("crv")), curves[i].name)) return &curves[i];
    return NULL;
}

static EVP_PKEY *ec_key(arena *a, js_value key, const curve *c)
{
    str x = member_bytes(a, key, S("x")), y = member_bytes(a, key, S("y"));
    if (x.n != c->bytes || y.n != c->bytes) return NULL; /* RFC 7518 6.2.1.2: full length */
    buf point = buf_new(a, 1 + c->bytes * 2);
    (void)buf_put(&point, S("\x04"));
    (void)buf_put(&point, x);
    (void)buf_put(&point, y);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (b && buf_ok(&point) &&
        OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n))
        pkey = build("EC", b);
    OSSL_PARAM_BLD_free(b);
    if (!pkey) return NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool on_curve = ctx && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (on_curve) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static bool is_for_signatures(js_value key)
{
    js_value use = js_get(key, S("use")), ops = js_get(key, S("key_ops"));
    if (use.kind != JS_ABSENT && !js_text_is(use, S("sig"))) return false;
    if (ops.kind == JS_ABSENT) return true;
    bool may_verify = false;
    js_iter it = js_iterate(ops);
    while (js_next(&it)) may_verify |= js_text_is(it.value, S("verify"));
    return ops.kind == JS_ARRAY && may_verify;
}

static bool has_private_members(js_value key)
{
    static const str names[] = {S("d"),  S("p"),  S("q"),   S("dp"),
                                S("dq"), S("qi"), S("oth"), S("k")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (js_get(key, names[i]).kind != JS_ABSENT) return true;
    return false;
}

static void drop_pkey(void *pkey)
{
    EVP_PKEY_free(pkey);
}

/* Fills the material and returns the algorithms its type can do; 0: unusable. */
static unsigned read_material(arena *a, js_value key, jwk *out)
{
    js_value kty = js_get(key, S("kty"));
    unsigned can = 0;
    if (js_text_is(kty, S("RSA"))) {
        out->pkey = rsa_key(a, key);
        can = bit(ALG_RS256) | bit(ALG_RS384) | bit(ALG_RS512) | bit(ALG_PS256) | bit(ALG_PS384) |
              bit(ALG_PS512);
    } else if (js_text_is(kty, S("EC"))) {
        const curve *c = curve_of(key);
        out->pkey = c ? ec_key(a, key, c) : NULL;
        can = c ? bit(c->alg) : 0;
    } else if (js_text_is(kty, S("OKP")) && js_text_is(js_get(key, S("crv")), S("Ed25519"))) {
        str x = member_bytes(a, key, S("x"));
        if (x.n != JWK_ED25519) return 0;
        for (size_t i = 0; i < x.n; i++) out->ed25519[i] = (uint8_t)x.p[i];
        return bit(ALG_EDDSA);
    }
    if (!out->pkey) return 0;
    arena_own(a, drop_pkey, out->pkey);
    return can;
}

static bool read_key(arena *a, js_value key, jwk *out)
{
    *out = (jwk){0};
    if (key.kind != JS_OBJECT || has_private_members(key) || !is_for_signatures(key)) return false;
    out->algs = read_material(a, key, out);
    js_value alg = js_get(key, S("alg")), kid = js_get(key, S("kid"));
    if (alg.kind == JS_STRING)
        out->algs &= bit(jwt_alg_of(js_text(a, alg)));
    else if (alg.kind != JS_ABSENT)
        return false;
    if (kid.kind == JS_STRING)
        out->kid = arena_dup(a, js_text(a, kid));
    else if (kid.kind != JS_ABSENT)
        return false;
    return out->algs != 0;
}

static const err *read_document(arena *a, str document, jwks_version *v, unsigned *skipped)
{
    js_value root;
    if (document.n > DOCUMENT_MAX)
        return err_new(a, ERR_TOO_LARGE, "key document over %d bytes", DOCUMENT_MAX);
    const err *e = js_check(a, document, DOCUMENT_DEPTH, &root);
    if (e) return err_wrap(a, e, "key document");
    js_value keys = js_get(root, S("keys"));
    if (keys.kind != JS_ARRAY) return err_new(a, ERR_MALFORMED, "key document has no list `keys`");
    size_t seen = 0;
    v->keys = NEW_N(v->a, jwk, KEYS_MAX);
    for (js_iter it = js_iterate(keys); js_next(&it); seen++) {
        if (seen == KEYS_MAX) return err_new(a, ERR_TOO_LARGE, "over %d keys", KEYS_MAX);
        if (read_key(v->a, it.value, &v->keys[v->count]))
            v->count++;
        else
            *skipped += 1;
    }
    if (seen && !v->count) return err_new(a, ERR_UNSUPPORTED, "none of %zu keys can be used", seen);
    return NULL;
}

jwks *jwks_new(void)
{
    jwks *k = calloc(1, sizeof *k);
    if (!k || pthread_mutex_init(&k->lock, NULL) != 0) abort();
    /* A random start: a cache that remembers (set, epoch) cannot mistake a new set at an old
     * address. */
    uint32_t start = 0;
    digest_random(&start, sizeof start);
    k->epoch = (uint64_t)start << 24;
    k->fetched_ms = INT64_MIN;
    return k;
}

void jwks_free(jwks *k)
{
    if (!k) return;
    jwks_release(k->current);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

static void free_version(jwks_version *v)
{
    arena_free(v->a); /* v itself lives in it */
}

const err *jwks_replace(arena *a, jwks *k, str document, int64_t now_ms, unsigned *skipped)
{
    unsigned bad = 0;
    arena *own = arena_new();
    jwks_version *v = NEW(own, jwks_version);
    v->a = own;
    v->refs = 1;
    const err *e = read_document(a, document, v, &bad);
    if (skipped) *skipped = bad;
    if (e) {
        free_version(v);
        return e;
    }
    (void)pthread_mutex_lock(&k->lock);
    jwks_version *old = k->current;
    k->current = v;
    k->epoch++;
    (void)pthread_mutex_unlock(&k->lock);
    k->fetched_ms = now_ms;
    jwks_release(old);
    return NULL;
}

bool jwks_due(jwks *k, int64_t now_ms)
{
    int64_t last = k->fetched_ms;
    /* a clock that was set back must not stop fetching for ever */
    bool inside = last != INT64_MIN && now_ms >= last && now_ms - last < JWKS_FLOOR_MS;
    return !inside && atomic_compare_exchange_strong(&k->fetched_ms, &last, now_ms);
}

uint64_t jwks_epoch(const jwks *k)
{
    return atomic_load_explicit(&k->epoch, memory_order_acquire);
}

const jwks_version *jwks_acquire(jwks *k)
{
    (void)pthread_mutex_lock(&k->lock);
    jwks_version *v = k->current;
    if (v) v->refs++;
    (void)pthread_mutex_unlock(&k->lock);
    return v;
}

void jwks_release(const jwks_version *v)
{
    /* const for readers; the count is ours */
    jwks_version *mine = (jwks_version *)(uintptr_t)v; /* NOLINT(performance-no-int-to-ptr) */
    if (mine && atomic_fetch_sub(&mine->refs, 1) == 1) free_version(mine);
}

const jwk *jwks_key(const jwks_version *v, size_t at)
{
    return at < v->count ? &v->keys[at] : NULL;
}
