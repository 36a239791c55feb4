/* SPDX-License-Identifier: Apache-2.0 */
#include "link_user.h"
#include "../base/clock.h"
#include "consent.h"
#include "link_token.h"

enum { ANSWER_MOST = 64 << 10, DEPTH = 32 };

/* A list of our own is soon asked for again: the account may be connected by then. */
#define SOON "\"ttlMs\":1000,\"cacheScope\":\"private\""

static void put_tool(buf *b, str server)
{
    buf_put(b, S("{\"name\":\""));
    buf_put(b, LINK_USER_TOOL);
    buf_put(b, S("\",\"description\":\"Connects your account at "));
    buf_put(b, server); /* [a-z0-9-] */
    buf_put(b, S(". Call it when the tools of that server are missing.\",\"inputSchema\":"
                 "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}}"));
}

static void end(link_call *c, buf *b, bool is_error)
{
    js_value root = {0};
    const err *e = buf_ok(b) ? js_check(c->arena, buf_str(b), DEPTH, &root) : NULL;
    if (e || !root.kind)
        link_call_fail(c, ERR_BUG, S("an answer of our own that cannot be read"));
    else
        link_call_done(c, is_error ? (js_value){0} : root, is_error ? root : (js_value){0}, NULL);
}

static bool is_list(const link_call *c, const char *kind)
{
    return str_eq(c->rq.method, (str){kind, strlen(kind)});
}

static bool answer_list(link_call *c)
{
    static const struct {
        const char *method, *member;
    } lists[] = {{"tools/list", "tools"},
                 {"prompts/list", "prompts"},
                 {"resources/list", "resources"},
                 {"resources/templates/list", "resourceTemplates"}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (!is_list(c, lists[i].method)) continue;
        buf b = buf_new(c->arena, ANSWER_MOST);
        buf_fmt(&b, "{\"%s\":[]," SOON "}", lists[i].member); /* link_user_list() adds the tool */
        end(c, &b, false);
        return true;
    }
    return false;
}

static str address(link_call *c)
{
    const consent start = {.leg = CONSENT_START,
                           .expires_ms = clock_wall_ms() + CONSENT_LIFE_MS,
                           .server = c->u->spec.name,
                           .caller_id = c->rq.caller_token,
                           .login = c->rq.login,
                           .front = c->rq.front,
                           .scope = link_token_missing(c)};
    str sealed = consent_seal(c->u->shared->seals, c->arena, &start);
    return arena_fmt(c->arena, STR_FMT CONSENT_START_PATH "?c=" STR_FMT, STR_ARG(c->rq.front),
                     STR_ARG(sealed));
}

void link_user_absent(link_call *c)
{
    str name = c->u->spec.name;
    if (answer_list(c)) return;
    if (!c->rq.front.n) {
        link_call_fail(c, ERR_UPSTREAM, S("nobody can say at a browser that he is this caller"));
        return;
    }
    buf b = buf_new(c->arena, ANSWER_MOST);
    str url = address(c);
    buf_put(&b, S("{\"code\":-32042,\"message\":"));
    buf_json(&b, arena_fmt(c->arena,
                           "Your account at " STR_FMT " has to be connected %s: open " STR_FMT
                           " and then try again.",
                           STR_ARG(name), link_token_missing(c).n ? "again, for more" : "first",
                           STR_ARG(url)));
    buf_put(&b, S(",\"data\":{\"elicitations\":[{\"mode\":\"url\",\"elicitationId\":"));
    buf_json(&b, consent_random(c->arena));
    buf_put(&b, S(",\"url\":"));
    buf_json(&b, url);
    buf_put(&b, S(",\"message\":"));
    buf_json(&b, arena_fmt(c->arena, "Connect your account at " STR_FMT, STR_ARG(name)));
    buf_put(&b, S("}]}}"));
    end(c, &b, true);
}

void link_user_connected(link_call *c)
{
    buf b = buf_new(c->arena, ANSWER_MOST);
    buf_put(&b, S("{\"content\":[{\"type\":\"text\",\"text\":\"Your account is connected.\"}]}"));
    end(c, &b, false);
}

js_value link_user_list(const link_call *c, js_value result)
{
    js_value tools = js_get(result, S("tools")), made = {0};
    bool first = is_list(c, "tools/list") && !c->rq.params.n; /* a cursor is the only param */
    if (c->u->spec.grant.kind != GRANT_USER || !first || tools.kind != JS_ARRAY) return result;
    str raw = result.raw;
    size_t at = (size_t)(tools.raw.p - raw.p) + 1; /* behind the [ */
    js_iter any = js_iterate(tools);
    buf b = buf_new(c->arena, raw.n + ANSWER_MOST);
    buf_put(&b, str_take(raw, at));
    put_tool(&b, c->u->spec.name);
    if (js_next(&any)) buf_put(&b, S(","));
    buf_put(&b, str_drop(raw, at));
    const err *e = buf_ok(&b) ? js_check(c->arena, buf_str(&b), JS_DEPTH_MAX, &made) : NULL;
    return !e && made.kind ? made : result;
}
