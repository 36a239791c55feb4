/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include "../authz/digest.h"
#include "direct.h"
#include <pthread.h>
#include <stdlib.h>

enum { ANSWER_MOST = 8 << 20 };
typedef enum { NEEDS_UNSET, NEEDS_NOTHING, NEEDS_TOKEN } admin_needs;

struct admin {
    arena *a;
    pthread_t thread;
    loop *loop;
    server *front;
    metrics *meters;
    audit_log *audit;
    str token;
    bool loopback;
    gate gate;
    pthread_mutex_t lock; /* guards what follows */
    const snapshot *now;
    bool draining;
    buf bad_reload; /* empty: the last one took effect */
};

typedef struct {
    const char *path;
    admin_needs needs;
    int (*answer)(admin *m, exchange *x, buf *out); /* the status */
    const char *content_type;
} admin_row;

/* Answers */

static int live(admin *m, exchange *x, buf *out)
{
    (void)m;
    (void)x;
    buf_put(out, S("{\"live\":true}\n"));
    return 200;
}

static void put_state(buf *out, const char *name, const char *good, str error)
{
    buf_fmt(out, ",\"%s\":{\"%s\":%s", name, good, error.n ? "false,\"error\":" : "true");
    if (error.n) buf_json_safe(out, error);
    buf_put(out, S("}"));
}

/* For a person: one server that fails is no reason to take the gateway out of service. */
static void put_servers(buf *out, const snapshot *s, int64_t now_ms)
{
    if (!*s->servers) return;
    buf_put(out, S(",\"servers\":{"));
    for (upstream *const *u = s->servers; *u; u++) {
        upstream_health h = upstream_health_of(*u, now_ms);
        buf_put(out, u == s->servers ? S("") : S(","));
        buf_json(out, upstream_spec_of(*u)->name);
        buf_fmt(out, ":{\"answers\":%s,\"breaker\":\"%s\",\"calls\":%u}",
                h.answers ? "true" : "false", h.breaker, h.calls);
    }
    buf_put(out, S("}"));
}

/* A bad file on the disk is worth an alarm, but what runs can serve; a gateway that cannot record
 * calls refuses them. */
static int ready(admin *m, exchange *x, buf *out)
{
    str unrecorded = audit_log_trouble(exchange_arena(x), m->audit);
    pthread_mutex_lock(&m->lock);
    bool is_ready = !m->draining && !unrecorded.n;
    buf_fmt(out, "{\"ready\":%s,\"draining\":%s", is_ready ? "true" : "false",
            m->draining ? "true" : "false");
    put_state(out, "config", "current", buf_str(&m->bad_reload));
    const snapshot *s = snapshot_keep(m->now);
    pthread_mutex_unlock(&m->lock);
    put_servers(out, s, loop_now_ms(m->loop));
    snapshot_drop(s);
    if (m->audit) put_state(out, "audit_log", "written", unrecorded);
    buf_put(out, S("}\n"));
    return is_ready ? 200 : 503;
}

static int numbers(admin *m, exchange *x, buf *out)
{
    (void)x;
    metrics_write(m->meters, out);
    return 200;
}

static int show_config(admin *m, exchange *x, buf *out)
{
    pthread_mutex_lock(&m->lock);
    const snapshot *s = snapshot_keep(m->now);
    pthread_mutex_unlock(&m->lock);
    buf_put(out, config_show(exchange_arena(x), s->config));
    snapshot_drop(s);
    return 200;
}

/* clang-format off */
static const admin_row rows[] = {
    {"/livez",   NEEDS_NOTHING, live,        "application/json"},
    {"/readyz",  NEEDS_NOTHING, ready,       "application/json"},
    {"/metrics", NEEDS_NOTHING, numbers,     "text/plain; version=0.0.4; charset=utf-8"},
    {"/config",  NEEDS_TOKEN,   show_config, "application/json"},
    {0},
};
/* clang-format on */

/* Who may ask */

static bool from_another_site(exchange *x)
{
    str site = exchange_header(x, S("sec-fetch-site"));
    return site.p && !str_eq(site, S("same-origin")) && !str_eq(site, S("none"));
}

static bool has_token(const admin *m, exchange *x)
{
    str sent = exchange_header(x, S("authorization"));
    if (!m->token.n || sent.n < 7 || !header_name_is(str_take(sent, 7), S("bearer "))) return false;
    return digest_equal(str_drop(sent, 7), m->token);
}

static const char *refusal_of(const admin *m, exchange *x, const admin_row *row, int *status)
{
    gate_result said = gate_check(&m->gate, m->loopback, exchange_host(x),
                                  exchange_header(x, S("origin")), exchange_secure(x));
    *status = 403;
    if (said == GATE_BAD_HOST) return "this host is not served here";
    if (said == GATE_BAD_ORIGIN || from_another_site(x)) return "another site may not ask";
    *status = 404;
    if (!row->path) return "no such page";
    *status = 405;
    if (!str_eq(exchange_method(x), S("GET")) && !str_eq(exchange_method(x), S("HEAD")))
        return "this page is only read";
    *status = 401;
    if (row->needs == NEEDS_TOKEN && !has_token(m, x)) return "this page needs the admin token";
    *status = 403;
    return row->needs == NEEDS_UNSET ? "nobody may read this page" : NULL;
}

static void answer(exchange *x, void *ctx)
{
    admin *m = ctx;
    const admin_row *row = rows;
    int status;
    while (row->path && !str_eq(exchange_path(x), (str){row->path, strlen(row->path)})) row++;
    const char *refused = refusal_of(m, x, row, &status);
    if (refused) {
        const header challenge[] = {{S("content-type"), S("application/json")},
                                    {S("www-authenticate"), S("Bearer realm=\"sallyport admin\"")},
                                    {{0}, {0}}};
        str body = arena_fmt(exchange_arena(x), "{\"error\":{\"message\":\"%s\"}}\n", refused);
        if (status == 401)
            direct_reply(x, status, challenge, body, NULL, NULL);
        else
            direct_refuse(x, status, refused, NULL, NULL);
        return;
    }
    const header headers[] = {{S("content-type"), {row->content_type, strlen(row->content_type)}},
                              {S("cache-control"), S("no-store")},
                              {S("content-security-policy"),
                               S("default-src 'none'; frame-ancestors 'none'")},
                              {S("x-content-type-options"), S("nosniff")},
                              {{0}, {0}}};
    buf out = buf_new(exchange_arena(x), ANSWER_MOST);
    status = row->answer(m, x, &out);
    direct_reply(x, status, headers, buf_str(&out), NULL, NULL);
}

/* Life */

static void *run(void *ctx)
{
    loop_run(((admin *)ctx)->loop);
    return NULL;
}

static admin *make(const admin_options *o)
{
    arena *own = arena_new();
    admin *m = NEW(own, admin);
    m->a = own;
    m->loop = loop_new(o->loop_number);
    m->meters = o->meters;
    m->audit = o->audit;
    m->token = o->token.p ? arena_dup(own, o->token) : (str){0};
    m->loopback = gate_is_loopback(o->address);
    str *hosts = NEW_N(own, str, 2);
    hosts[0] = arena_dup(own, o->address);
    m->gate = (gate){.allowed_origins = hosts + 1, .allowed_hosts = hosts};
    m->now = snapshot_keep(o->first);
    m->bad_reload = buf_new(NULL, 64 << 10);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void unmake(admin *m)
{
    arena *own = m->a;
    if (m->front) server_close(m->front);
    if (m->loop) loop_free(m->loop);
    snapshot_drop(m->now);
    buf_free(&m->bad_reload);
    pthread_mutex_destroy(&m->lock);
    arena_free(own);
}

const err *admin_new(arena *a, const admin_options *o, admin **out)
{
    static const server_limits limits = {.header_bytes = 12 << 10,
                                         .connections = 64,
                                         .header_timeout_ms = 10000,
                                         .idle_timeout_ms = 60000};
    admin *m = make(o);
    server_options so = {.loop = m->loop,
                         .log = o->log,
                         .limits = limits,
                         .on_exchange = answer,
                         .ctx = m,
                         .workers = 1};
    server_listener at = {.address = o->address};
    const err *e = m->loop ? server_open(a, &so, &at, o->fd, &m->front)
                           : err_new(a, ERR_BUG, "no descriptor left");
    if (!e && pthread_create(&m->thread, NULL, run, m) != 0)
        e = err_new(a, ERR_BUG, "no thread left for the admin listener");
    if (e)
        unmake(m);
    else
        *out = m;
    return e;
}

void admin_say_config(admin *m, const snapshot *s)
{
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    const snapshot *was = m->now;
    m->now = snapshot_keep(s);
    buf_drop(&m->bad_reload, m->bad_reload.n);
    pthread_mutex_unlock(&m->lock);
    snapshot_drop(was);
}

void admin_say_bad_reload(admin *m, str why)
{
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    buf_drop(&m->bad_reload, m->bad_reload.n);
    buf_put(&m->bad_reload, str_take(why, 32 << 10));
    pthread_mutex_unlock(&m->lock);
}

void admin_say_draining(admin *m)
{
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    m->draining = true;
    pthread_mutex_unlock(&m->lock);
}

void admin_free(admin *m)
{
    if (!m) return;
    loop_stop(m->loop);
    pthread_join(m->thread, NULL);
    unmake(m);
}
