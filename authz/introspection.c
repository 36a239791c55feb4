/* SPDX-License-Identifier: Apache-2.0 */
#include "introspection.h"
#include "../base/form.h"

enum { DEPTH = 16 };

const jwt_issuer *introspection_asks(arena *a, const jwt_issuer *issuers, size_t count, str token)
{
    str names;
    bool is_jwt = jwt_unverified_issuer(a, token, &names);
    for (size_t i = 0; i < count; i++)
        if (issuers[i].introspection && (!is_jwt || str_eq(issuers[i].issuer, names)))
            return &issuers[i];
    return NULL;
}

str introspection_body(arena *a, str token)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    form_put(&b, S("token"), token);
    form_put(&b, S("token_type_hint"), S("access_token"));
    return buf_str(&b);
}

/* RFC 7662 2.2: all but `active` is optional; what is there must fit. */
static const err *check(arena *a, const jwt_issuer *issuer, js_value root, int64_t now_s,
                        int64_t *until_s)
{
    js_value iss = js_get(root, S("iss")), exp = js_get(root, S("exp"));
    int64_t ends_s = 0;
    if (root.kind != JS_OBJECT || js_get(root, S("active")).kind == JS_ABSENT)
        return err_new(a, ERR_UPSTREAM, "introspection: the answer does not say `active`");
    if (!js_bool(js_get(root, S("active")), false))
        return err_new(a, ERR_UNAUTHENTICATED, "introspection: the token is not active");
    if (iss.kind != JS_ABSENT && !js_text_is(iss, issuer->issuer))
        return err_new(a, ERR_UNAUTHENTICATED, "introspection: the token is another issuer's");
    *until_s = now_s + issuer->introspection->keep_s;
    if (exp.kind == JS_ABSENT) return NULL;
    if (!js_int(exp, &ends_s) || ends_s <= now_s)
        return err_new(a, ERR_UNAUTHENTICATED, "introspection: the token has expired");
    if (ends_s < *until_s) *until_s = ends_s;
    return NULL;
}

const err *introspection_read(arena *a, const jwt_issuer *issuer, str body, int64_t now_s,
                              json_t **claims, int64_t *until_s)
{
    js_value root = {0};
    const err *e = js_check(a, body, DEPTH, &root);
    if (!e) e = check(a, issuer, root, now_s, until_s);
    if (e) return e;
    json_t *said = json_deep_copy(js_tree(a, root)); /* outlives the arena */
    if (!said || json_object_set_new(said, "iss", json_stringn(issuer->issuer.p, issuer->issuer.n)))
        abort();
    if (!jwt_audience_suits(issuer, said)) {
        json_decref(said);
        return err_new(a, ERR_UNAUTHENTICATED, "introspection: the token is for another audience");
    }
    *claims = said;
    return NULL;
}
