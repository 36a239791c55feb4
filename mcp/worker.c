/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - making and ending what the door keeps between requests. */
#include "worker.h"
#include "../authz/digest.h"
#include "channel.h"
#include "feed.h"
#include "inflight.h"
#include "listener.h"
#include "parked.h"
#include "parked_task.h"
#include "session.h"
#include "session_end.h"
#include "session_state.h"
#include "shelf.h"
#include "tape.h"
#include "ticket.h"
#include <stdlib.h>

mcp_shared *mcp_shared_new(const mcp_shared_options *o)
{
    mcp_shared *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->log = o->log;
    s->meters = o->meters;
    s->seals = o->seals;
    s->streams = o->streams;
    s->quotas = o->quotas;
    s->parked = tally_new();
    s->audit = o->audit;
    s->spawner = o->spawner;
    s->web = o->web;
    s->kept = o->kept;
    s->words = o->words;
    s->workers = o->workers;
    s->worker = calloc(o->workers ? o->workers : 1, sizeof(mcp_worker *));
    if (!s->worker) abort();
    digest_random(&s->instance, sizeof s->instance);
    s->revoked = session_revoked_new();
    s->sessions = session_states_new();
    s->tapes = tape_names_new();
    s->tasks = parked_names_new();
    s->tickets = tickets_new();
    s->channels = channels_new();
    s->upstreams = upstream_table_new(s);
    session_hear_ends(s);
    return s;
}

void mcp_shared_free(mcp_shared *s)
{
    if (!s) return;
    upstream_table_free(s->upstreams);
    session_states_free(s->sessions);
    tape_names_free(s->tapes);
    channels_free(s->channels);
    session_revoked_free(s->revoked);
    parked_names_free(s->tasks);
    tickets_free(s->tickets);
    tally_free(s->parked);
    free(s->worker);
    free(s);
}

const mcp_config *mcp_config_keep(arena *a, const mcp_config *c)
{
    if (!c->keep) return c;
    c->keep(c->whole);
    arena_own(a, c->drop, c->whole);
    return c;
}

mcp_worker *mcp_worker_new(mcp_shared *s, unsigned index, const mcp_worker_options *o)
{
    mcp_worker *w = calloc(1, sizeof *w);
    if (!w || index >= s->workers) abort();
    w->shared = s;
    w->index = index;
    w->loop = o->loop;
    w->client = o->client;
    w->tokens = o->tokens;
    w->services = o->services;
    w->calls = inflight_new();
    w->scratch = arena_new();
    w->shelves = shelf_room_new();
    w->catalogs = catalog_waits_new(w);
    w->links = link_table_new(w);
    w->seed = hash_seed_new();
    w->listeners = listeners_new(w);
    w->feeds = feeds_new(w);
    w->tapes = tapes_new(w);
    s->worker[index] = w;
    return w;
}

void mcp_worker_take(mcp_worker *w, const mcp_config *c)
{
    w->config = c;
    listeners_take(w->listeners);
}

void mcp_worker_part(mcp_worker *w)
{
    tapes_drain(w->tapes);
}

void mcp_worker_drain(mcp_worker *w)
{
    tapes_drain(w->tapes);
    w->draining = true;
    parked_drain(w);
    tickets_drain(w);
    feeds_drain(w->feeds);
    link_table_drain(w);
}

void mcp_worker_free(mcp_worker *w)
{
    if (!w) return;
    listeners_free(w->listeners);
    feeds_free(w->feeds);
    tapes_free(w->tapes);
    w->shared->worker[w->index] = NULL;
    parked_free_all(w);
    tickets_drain(w);
    link_table_free(w->links);
    catalog_waits_free(w->catalogs);
    shelf_room_free(w->shelves);
    inflight_free(w->calls);
    arena_free(w->scratch);
    free(w);
}
