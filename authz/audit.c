/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - the members of one audit line. */
#include "audit.h"
#include "../base/clock.h"
#include "digest.h"
#include "policy/outcome.h"
#include "policy/witness.h"

enum { LINE_MOST = 60 << 10 };

const char *const audit_kinds[SUBJECTS] = {[SUBJECT_TOOL] = "tool",
                                           [SUBJECT_RESOURCE] = "resource",
                                           [SUBJECT_PROMPT] = "prompt",
                                           [SUBJECT_MODEL] = "model",
                                           [SUBJECT_ENDPOINT] = "endpoint"};
const char *const audit_whys[] =
    {[DENIED_NOT] = NULL,          [DENIED_DEFAULT] = "default",
     [DENIED_FORBID] = "forbid",   [DENIED_FORBID_ERROR] = "forbid_error",
     [DENIED_REQUIRE] = "require", [DENIED_SCOPES] = "scopes",
     [DENIED_SCHEMA] = "schema",   [DENIED_UNRECORDED] = "unrecorded",
     [DENIED_KEY] = "key"};

static void put(buf *b, const char *key, str value)
{
    (void)buf_fmt(b, ",\"%s\":", key);
    (void)buf_json(b, value);
}

static void put_if(buf *b, const char *key, str value)
{
    if (value.n) put(b, key, value);
}

static str text_of(const char *s)
{
    return (str){s, strlen(s)};
}

static void put_verdict(buf *b, const policy *rules, const verdict *v)
{
    (void)buf_put(b, S("\"policy\":"));
    (void)buf_json(b, policy_revision(rules));
    put(b, "decision", v->permit ? S("permit") : S("deny"));
    if (audit_whys[v->why]) put(b, "why", text_of(audit_whys[v->why]));
    put_if(b, "rule", v->rule);
    put_if(b, "error", v->error);
}

static void put_ids(buf *b, const char *key, const str *ids)
{
    if (!ids->p) return;
    (void)buf_fmt(b, ",\"%s\":", key);
    for (const str *id = ids; id->p; id++) {
        (void)buf_put(b, id == ids ? S("[") : S(","));
        (void)buf_json(b, *id);
    }
    (void)buf_put(b, S("]"));
}

static void put_outcome(buf *b, const audit_case *c, const verdict *v, arena *scratch)
{
    policy_outcome o = policy_outcome_of(c->rules, c->q, v, scratch);
    put_ids(b, "rules", o.deciding);
    put_ids(b, "broken", o.broken);
}

static void put_subject(buf *b, const audit_case *c)
{
    const question *q = c->q;
    uint8_t digest[DIGEST_BYTES];
    arena *a = b->a;
    if (q->who) put(b, "caller", q->who->id);
    put_if(b, "method", q->mcp.method);
    put(b, "kind", text_of(audit_kinds[q->kind]));
    put_if(b, "server", q->server);
    put(b, "name", q->name);
    put_if(b, "backend", q->llm.backend);
    put_if(b, "endpoint", c->endpoint);
    if (q->args.kind == JS_ABSENT) return;
    digest_sha256(q->args.raw, digest);
    put(b, "args_sha256", digest_hex(a, digest, sizeof digest));
}

static void put_facts(buf *b, const audit_case *c, bool brief, arena *scratch)
{
    (void)buf_put(b, S(","));
    if (brief)
        (void)buf_put(b, S("\"facts\":{},\"absent\":[],\"withheld\":[\"*\"]"));
    else
        policy_witness(c->rules, c->q, c->redact, scratch, b);
}

/* {0}: it is longer than a line may be. */
static str line_of(const audit_case *c, const verdict *v, const verdict *shadow, bool brief,
                   arena *scratch)
{
    buf b = buf_new(scratch, LINE_MOST);
    (void)buf_put(&b, S("\"time\":"));
    (void)buf_json(&b, clock_rfc3339(scratch, c->q->now_ms));
    (void)buf_put(&b, S(","));
    put_verdict(&b, c->rules, v);
    if (!brief) put_outcome(&b, c, v, scratch);
    put_subject(&b, c);
    put_facts(&b, c, brief, scratch);
    if (c->shadow) {
        (void)buf_put(&b, S(",\"shadow\":{"));
        put_verdict(&b, c->shadow, shadow);
        (void)buf_put(&b, S("}"));
    }
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}

/* Facts that are too many are left out, which the line says; a line that is too long even so is
 * not written. */
static bool recorded(const audit_sink *to, const audit_case *c, const verdict *v,
                     const verdict *shadow, arena *scratch)
{
    if (!to->keep) return true;
    str line = line_of(c, v, shadow, false, scratch);
    if (!line.n) line = line_of(c, v, shadow, true, scratch);
    return line.n && to->keep(to->ctx, line);
}

void audit_decide(const audit_sink *to, const audit_case *c, arena *scratch, verdict *out)
{
    verdict shadow = {0};
    policy_decide(c->rules, c->q, scratch, out);
    if (c->shadow) policy_decide(c->shadow, c->q, scratch, &shadow);
    if (c->shadow && shadow.permit != out->permit) out->shadow = shadow.permit ? "permit" : "deny";
    if (recorded(to, c, out, &shadow, scratch) || !out->permit) return;
    *out = (verdict){.why = DENIED_UNRECORDED, .listed = out->listed, .shadow = out->shadow};
}

void audit_quota(const audit_sink *to, const audit_case *c, str quota, bool shadow, arena *scratch)
{
    buf b = buf_new(scratch, LINE_MOST);
    if (!to->keep) return;
    (void)buf_put(&b, S("\"time\":"));
    (void)buf_json(&b, clock_rfc3339(scratch, c->q->now_ms));
    put(&b, "event", shadow ? S("quota_shadow") : S("quota"));
    put(&b, "quota", quota);
    put(&b, "policy", policy_revision(c->rules));
    put_subject(&b, c);
    if (buf_ok(&b)) (void)to->keep(to->ctx, buf_str(&b)); /* a refusal needs no witness */
}
