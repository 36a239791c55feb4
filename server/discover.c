/* SPDX-License-Identifier: Apache-2.0 */
#include "discover.h"

#include "../base/json.h"
#include "../mcp/authority.h"
#include "../transport/client.h"

enum { METADATA_DEPTH = 16 };

const err *discover_read(arena *a, str issuer, str document, str *url)
{
    js_value root;
    const err *e = js_check(a, document, METADATA_DEPTH, &root);
    if (e) return e;
    if (!js_text_is(js_get(root, S("issuer")), issuer))
        return err_new(a, ERR_UPSTREAM, "the metadata is another issuer's");
    *url = js_text(a, js_get(root, S("jwks_uri")));
    return url->n ? NULL : err_new(a, ERR_UPSTREAM, "the metadata names no jwks_uri");
}

static const err *check_place(arena *a, str issuer, str url, bool *trusted)
{
    url_parts from, to;
    const err *e = url_parse(a, issuer, &from);
    if (!e) e = url_parse(a, url, &to);
    if (e) return e;
    *trusted = from.port == to.port && header_name_is(from.host, to.host);
    if (!to.secure && !(*trusted && !from.secure))
        return err_new(a, ERR_UPSTREAM, "keys are fetched over https");
    return NULL;
}

const err *discover_keys_url(arena *a, str issuer, str *url, bool *trusted)
{
    str places[4];
    const err *e = authority_places(a, issuer, places);
    for (size_t i = 0; !e && places[i].p; i++) {
        int status = 0;
        str document = {0};
        fetch_request rq = {.url = places[i], .allow_private = true};
        const err *failed = fetch(a, &rq, &status, &document);
        if (failed && !places[i + 1].p) return failed;
        if (failed || status != 200) continue;
        e = discover_read(a, issuer, document, url);
        if (!e) e = check_place(a, issuer, *url, trusted);
        return e;
    }
    return e ? e
             : err_new(a, ERR_UPSTREAM, "the issuer has no metadata at " STR_FMT,
                       STR_ARG(places[0]));
}
