/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_chain.h"
#include "../authz/digest.h"
#include "../base/json.h"
#include <inttypes.h>

enum { HASH_MEMBER = 8 + 1 + AUDIT_HASH + 1 + 1 }; /* ,"hash":"…"} */

audit_chain audit_chain_new(void)
{
    audit_chain c = {.seq = 0};
    memset(c.hash, '0', AUDIT_HASH);
    return c;
}

static void hash_of(arena *scratch, str closed, char out[AUDIT_HASH])
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(closed, digest);
    memcpy(out, digest_hex(scratch, digest, sizeof digest).p, AUDIT_HASH);
}

void audit_chain_add(audit_chain *c, arena *scratch, str members, buf *out)
{
    size_t begin = out->n;
    (void)buf_fmt(out, "{\"v\":1,\"seq\":%" PRIu64 ",", ++c->seq);
    (void)buf_put(out, members);
    (void)buf_put(out, S(",\"prev\":\""));
    (void)buf_put(out, (str){c->hash, AUDIT_HASH});
    (void)buf_put(out, S("\"}"));
    hash_of(scratch, str_drop(buf_str(out), begin), c->hash);
    out->n--; /* the brace comes later */
    (void)buf_put(out, S(",\"hash\":\""));
    (void)buf_put(out, (str){c->hash, AUDIT_HASH});
    (void)buf_put(out, S("\"}\n"));
}

static const err *wrong(arena *a, const char *what)
{
    return err_new(a, ERR_MALFORMED, "%s", what);
}

static bool is_hash(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return s.n == AUDIT_HASH;
}

const err *audit_chain_read(arena *scratch, str line, audit_chain *before, audit_chain *after)
{
    js_value root;
    int64_t seq;
    char hash[AUDIT_HASH];
    if (line.n > AUDIT_LINE_MOST || js_check(scratch, line, 128, &root) || root.kind != JS_OBJECT)
        return wrong(scratch, "this is no line of an audit log");
    str said = js_text(scratch, js_get(root, S("hash"))),
        prev = js_text(scratch, js_get(root, S("prev")));
    if (!str_eq(js_get(root, S("v")).raw, S("1")))
        return wrong(scratch, "it is of another version than 1");
    if (!js_int(js_get(root, S("seq")), &seq) || seq < 1 || !is_hash(said) || !is_hash(prev))
        return wrong(scratch, "seq, prev or hash are missing");
    str member = str_drop(line, line.n - (line.n < HASH_MEMBER ? line.n : HASH_MEMBER));
    if (!str_starts(member, S(",\"hash\":\"")) ||
        !str_eq(str_take(str_drop(member, 9), AUDIT_HASH), said))
        return wrong(scratch, "its hash does not stand at its end");
    str open = str_take(line, line.n - HASH_MEMBER);
    hash_of(scratch, arena_fmt(scratch, STR_FMT "}", STR_ARG(open)), hash);
    if (memcmp(hash, said.p, AUDIT_HASH) != 0)
        return wrong(scratch, "its hash does not match: the line was changed");
    *before = (audit_chain){.seq = (uint64_t)seq - 1};
    memcpy(before->hash, prev.p, AUDIT_HASH);
    *after = (audit_chain){.seq = (uint64_t)seq};
    memcpy(after->hash, hash, AUDIT_HASH);
    return NULL;
}

const err *audit_chain_follows(arena *a, const audit_chain *c, const audit_chain *before)
{
    if (before->seq > c->seq)
        return err_new(a, ERR_MALFORMED, "lines %" PRIu64 " to %" PRIu64 " are missing before it",
                       c->seq + 1, before->seq);
    if (before->seq < c->seq)
        return err_new(a, ERR_MALFORMED, "it is line %" PRIu64 ", but %" PRIu64 " was expected",
                       before->seq + 1, c->seq + 1);
    if (memcmp(c->hash, before->hash, AUDIT_HASH) != 0)
        return wrong(a, "the line before it is another one than it names");
    return NULL;
}
