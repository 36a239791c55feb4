/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_uri.c - any template, glob, URI and result: matching ends and keeps its laws, a public URI
 * leads back, and rewriting gives sound JSON of the same shape. */
#include "../../authz/policy/policy.h"
#include "../../base/uri.h"
#include "../../mcp/name.h"
#include "../../mcp/rewrite.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { TEXT_MOST = 512 };

/* What is within a glob meets it; what a template makes and a glob holds, makes them meet. */
static void match(str template, str glob, str uri)
{
    bool meets = uri_meets_glob(template, glob), within = uri_within_glob(template, glob);
    assert(!within || meets);
    if (!uri_fits(template, uri)) return;
    bool held = policy_glob(glob, uri);
    assert(!held || meets);
    assert(held || !within);
}

static void lead_back(arena *a, str uri)
{
    str_pair cut = name_own_uri(a, name_public_uri(a, NAMING_PREFIX, S("srv"), uri));
    assert(cut.ok && str_eq(cut.head, S("srv")) && str_eq(cut.tail, uri));
    (void)name_own_uri(a, uri);
}

static void rewrite(arena *a, str text)
{
    js_value v, again;
    const rewrite_from f = {a, NAMING_PREFIX, S("srv")}, none = {a, NAMING_NONE, S("srv")};
    if (js_check(a, text, 64, &v)) return;
    js_value made = rewrite_result(&f, v);
    assert(!js_check(a, made.raw, 64, &again) && again.kind == v.kind);
    assert(rewrite_result(&none, v).raw.p == v.raw.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    str all = {(const char *)p, n};
    str_pair first = str_cut(str_take(all, TEXT_MOST), '\n');
    str_pair second = str_cut(first.tail, '\n');
    if (first.ok && second.ok) match(first.head, second.head, second.tail);
    lead_back(a, str_take(all, TEXT_MOST));
    (void)uri_is_doubtful(all);
    rewrite(a, all);
    arena_free(a);
    return 0;
}
