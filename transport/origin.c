/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - one upstream server: its name for ever, its addresses until the next refresh.
 *
 * A refresh that finds nothing keeps what was known: a resolver that is down must not take the
 * upstreams down with it. */
#include "origin.h"
#include "tls_private.h"
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct origin {
    atomic_uint shares;
    atomic_bool retired;
    arena *a; /* holds itself */
    str host, authority;
    unsigned port;
    proxy_at proxy; /* host.p NULL: none */
    SSL_CTX *tls;
    pthread_mutex_t lock; /* of addresses */
    origin_addresses addresses;
};

static proxy_at proxy_dup(arena *a, const proxy_at *via)
{
    if (!via || !via->host.p) return (proxy_at){0};
    return (proxy_at){.host = arena_dup(a, via->host),
                      .port = via->port,
                      .authorization = arena_dup(a, via->authorization)};
}

const err *origin_new(arena *a, const url_parts *u, const tls_client *tls, origin **out)
{
    return origin_new_via(a, u, tls, NULL, out);
}

const err *origin_new_via(arena *a, const url_parts *u, const tls_client *tls, const proxy_at *via,
                          origin **out)
{
    if (u->secure && !tls) return err_new(a, ERR_BUG, "an https origin needs trust settings");
    arena *own = arena_new();
    origin *o = NEW(own, origin);
    o->a = own;
    o->host = arena_dup(own, u->host);
    o->authority = arena_dup(own, u->authority);
    atomic_init(&o->shares, 1);
    atomic_init(&o->retired, false);
    o->port = u->port;
    o->proxy = proxy_dup(own, via);
    if (u->secure) {
        o->tls = tls_client_ctx(tls);
        SSL_CTX_up_ref(o->tls);
    }
    if (pthread_mutex_init(&o->lock, NULL)) abort();
    origin_refresh(o);
    *out = o;
    return NULL;
}

static void resolve(const origin *o, origin_addresses *out)
{
    char port[8];
    struct addrinfo want = {.ai_family = AF_UNSPEC,
                            .ai_socktype = SOCK_STREAM,
                            .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    bool direct = !o->proxy.host.p;
    (void)snprintf(port, sizeof port, "%u", direct ? o->port : o->proxy.port);
    if (getaddrinfo(direct ? o->host.p : o->proxy.host.p, port, &want, &found)) return;
    for (const struct addrinfo *i = found; i && out->count < ORIGIN_ADDRESSES; i = i->ai_next) {
        if (i->ai_addrlen > sizeof out->at[0]) continue;
        memcpy(&out->at[out->count], i->ai_addr, i->ai_addrlen);
        out->size[out->count++] = i->ai_addrlen;
    }
    freeaddrinfo(found);
}

void origin_refresh(origin *o)
{
    origin_addresses fresh = {.count = 0};
    resolve(o, &fresh);
    if (fresh.count == 0) return;
    pthread_mutex_lock(&o->lock);
    o->addresses = fresh;
    pthread_mutex_unlock(&o->lock);
}

void origin_addresses_get(origin *o, origin_addresses *out)
{
    pthread_mutex_lock(&o->lock);
    *out = o->addresses;
    pthread_mutex_unlock(&o->lock);
}

void origin_hold(origin *o)
{
    atomic_fetch_add_explicit(&o->shares, 1, memory_order_relaxed);
}

void origin_release(origin *o)
{
    if (atomic_fetch_sub_explicit(&o->shares, 1, memory_order_acq_rel) != 1) return;
    if (o->tls) SSL_CTX_free(o->tls);
    pthread_mutex_destroy(&o->lock);
    arena_free(o->a);
}

void origin_free(origin *o)
{
    if (!o) return;
    atomic_store_explicit(&o->retired, true, memory_order_relaxed);
    origin_release(o);
}

bool origin_retired(const origin *o)
{
    return atomic_load_explicit(&o->retired, memory_order_relaxed);
}

str origin_host(const origin *o)
{
    return o->host;
}

str origin_authority(const origin *o)
{
    return o->authority;
}

SSL_CTX *origin_tls(const origin *o)
{
    return o->tls;
}

const proxy_at *origin_proxy(const origin *o)
{
    return o->proxy.host.p ? &o->proxy : NULL;
}

unsigned origin_port(const origin *o)
{
    return o->port;
}
