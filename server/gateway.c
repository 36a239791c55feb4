/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c - the order in which everything begins and ends.
 *
 * Sockets are opened before anything that costs, so that a busy port is said at once; workers start
 * after everything they need stands; the end is the beginning backwards. */
#include "gateway_private.h"

#include "../authz/digest.h"
#include "process.h"
#include "seals.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WEB_THREADS = 4, ERRANDS_MOST = 1000 };

/* Reading */

bool gateway_read(gateway *g, snapshot_plan *p, problems *out)
{
    arena *own = arena_new();
    str path = g->o.file, text = g->o.made.text, name = path.p ? path : g->o.made.name;
    files *f = NULL;
    const err *e = NULL;
    bool ok = false;
    if (path.p)
        e = files_open(own, path, &f, &text);
    else
        f = files_new(own, files_directory_of(own, S("./")));
    config_world world = files_world(f);
    if (e)
        problems_add_text(out,
                          arena_fmt(own, STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(e->text)));
    else
        ok = snapshot_read(p, &world, name, arena_dup(own, text), g->o.extra, out);
    for (const problem *w = ok ? p->warnings.first : NULL; w; w = w->next) {
        log_fact facts[] = {{"problem", w->text}, {0}};
        log_say(g->log, LOG_WARN_LEVEL, "policy", facts);
    }
    if (g->read_arena) arena_free(g->read_arena);
    g->read = f;
    g->read_arena = own;
    return ok;
}

/* Sockets */

/* SO_REUSEPORT lets a second gateway share our port in silence; so each is first bound without. */
static const err *check_free(arena *a, str address)
{
    net_address parts;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE},
                    *found = NULL;
    if (!net_address_parse(address, &parts) || parts.port == 0) return NULL;
    if (getaddrinfo(arena_dup(a, parts.host).p, arena_fmt(a, "%u", parts.port).p, &hints, &found) !=
        0)
        return NULL;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool busy = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) != 0 && errno == EADDRINUSE;
    freeaddrinfo(found);
    if (fd >= 0) close(fd);
    return busy ? err_new(a, ERR_MALFORMED, STR_FMT " is in use by another program",
                          STR_ARG(address))
                : NULL;
}

static const err *open_door(gateway *g, arena *a, size_t i, const config_listen *l)
{
    const err *e = check_free(a, l->address);
    str address = l->address, bound;
    for (unsigned w = 0; !e && w < g->house.count; w++) {
        e = server_listen_fd(a, address, &g->fds[w][i], &bound);
        if (!e && w == 0)
            address = g->bound[i] =
                arena_dup(g->a, bound); /* port 0: the rest take what the first got */
    }
    if (!e && l->tls)
        e = tls_server_new(a, l->certificate.value, l->key.value, l->client_ca.value, &g->tls[i]);
    g->doors[i] =
        (worker_door){.at = {.address = g->bound[i], .index = (unsigned)i, .tls = g->tls[i]},
                      .loopback = gate_is_loopback(address)};
    return e ? err_wrap(a, e, "listen") : NULL;
}

static const err *open_doors(gateway *g, arena *a, const config *c)
{
    const config_listen *listeners = c->listen.items;
    g->house.count = c->workers ? (unsigned)c->workers : process_cores();
    g->door_count = c->listen.count;
    g->doors = NEW_N(g->a, worker_door, g->door_count);
    g->tls = NEW_N(g->a, tls_server *, g->door_count);
    g->bound = NEW_N(g->a, str, g->door_count + 1);
    g->fds = NEW_N(g->a, int *, g->house.count);
    for (unsigned w = 0; w < g->house.count; w++) {
        g->fds[w] = NEW_N(g->a, int, g->door_count);
        for (size_t i = 0; i < g->door_count; i++) g->fds[w][i] = -1;
    }
    for (size_t i = 0; i < g->door_count; i++) {
        const err *e = open_door(g, a, i, &listeners[i]);
        if (e) return e;
    }
    return NULL;
}

/* Parts */

static void warn(gateway *g, const char *event)
{
    log_fact none[] = {{0}};
    log_say(g->log, LOG_WARN_LEVEL, event, none);
}

static str beside_config(arena *a, const config *c, str path)
{
    if (path.n && path.p[0] == '/') return path;
    return arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(c->directory), STR_ARG(path));
}

static const err *open_logs(gateway *g, arena *a, const config *c)
{
    str to = c->access_log;
    bool is_file = !str_eq(to, S("stdout")) && !str_eq(to, S("stderr")) && !str_eq(to, S("none"));
    if (is_file) to = beside_config(a, c, to);
    const err *e = export_new(a, to, g->log, g->house.meters, &g->house.out);
    if (e || !c->audit_log.p) return e;
    return audit_log_new(a, beside_config(a, c, c->audit_log), g->log, g->house.meters,
                         &g->house.audit);
}

/* A store that was named is tried at once; the usual one is made when something is to be kept. */
static const err *try_store(gateway *g, arena *a, const config *c)
{
    str doubts = {0};
    if (!yaml_get(c->root, S("store"))) return NULL;
    const err *e = store_keeper_try(a, g->keeper, &doubts);
    if (e && c->on_store_loss == CONFIG_STORE_LOSS_LOCAL) doubts = e->text;
    log_fact facts[] = {{"doubt", doubts}, {0}};
    if (doubts.p) log_say(g->log, LOG_WARN_LEVEL, "the store is not what it should be", facts);
    return c->on_store_loss == CONFIG_STORE_LOSS_LOCAL ? NULL : e;
}

static const err *open_store(gateway *g, arena *a, const config *c)
{
    const err *e = store_keeper_new(a, c->store, c->directory, &g->keeper);
    if (!e) e = try_store(g, a, c);
    if (e) return e;
    g->replicas = herald_new(store_keeper_words(g->keeper), g->log);
    g->house.kept = store_keeper_store(g->keeper);
    g->house.spent = store_keeper_ledger(g->keeper);
    g->house.words = herald_bulletin(g->replicas);
    g->house.disk = errands_new(1, ERRANDS_MOST);
    g->house.web = errands_new(WEB_THREADS, ERRANDS_MOST);
    g->house.lent =
        leases_new(&(lease_world){.web = g->house.web, .log = g->log, .read = files_read_once});
    return NULL;
}

static const err *open_keys(gateway *g, arena *a, const config *c, const sealer *seals)
{
    if (!c->keys) return NULL;
    keys_place at = keys_place_of(a, c, g->house.kept);
    g->keys = keyring_new(seals);
    return keys_watch_new(a, &at, g->keys, g->log, &g->keys_watch);
}

/* The file of the cells is only there while somebody has quotas: a leftover of none is no leftover.
 */
static void open_quotas(gateway *g, const config *c)
{
    bool kept = g->counts && !str_eq(c->store, S("memory:"));
    const quota_house_options o = {.store = g->house.spent,
                                   .file = kept ? beside_config(g->a, c, S("sallyport.cells"))
                                                : (str){0},
                                   .local_on_loss = c->on_store_loss == CONFIG_STORE_LOSS_LOCAL,
                                   .log = g->log};
    g->quota = quota_house_new(&o);
    g->house.quotas = quota_house_quotas(g->quota);
}

static void refresh_servers(void *mcp)
{
    upstream_refresh(mcp);
}

static const err *make_house(gateway *g, arena *a, const config *c)
{
    sealer *seals = NULL;
    const err *e = seals_new(g->a, c, &seals);
    if (e) return e;
    g->house.log = g->log;
    g->house.meters = metrics_new();
    g->house.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e = open_logs(g, a, c);
    if (!e) e = open_store(g, a, c);
    if (!e) e = open_keys(g, a, c, seals);
    if (e) return e;
    g->house.net = refresh_new(g->log);
    g->spawner = child_spawner_new(g->log, g->o.shim);
    g->house.streams = tally_new();
    open_quotas(g, c);
    mcp_shared_options mo = {.log = g->log,
                             .meters = g->house.meters,
                             .seals = seals,
                             .quotas = g->house.quotas,
                             .streams = g->house.streams,
                             .audit = audit_log_sink(g->house.audit),
                             .spawner = g->spawner,
                             .web = g->house.web,
                             .kept = g->house.kept,
                             .words = g->house.words,
                             .workers = g->house.count};
    g->house.mcp = mcp_shared_new(&mo);
    g->house.backends = standings_new();
    refresh_also(g->house.net, refresh_servers, g->house.mcp);
    return NULL;
}

static const err *make_workers(gateway *g, arena *a, const config *c)
{
    worker_options o = {.doors = g->doors,
                        .count = g->door_count,
                        .limits = {.header_bytes = (size_t)c->header,
                                   .connections = (unsigned)c->connections,
                                   .header_timeout_ms = c->header_timeout_ms,
                                   .idle_timeout_ms = c->idle_timeout_ms},
                        .first = g->now};
    g->workers = NEW_N(g->a, worker *, g->house.count);
    for (unsigned i = 0; i < g->house.count; i++) {
        o.fds = g->fds[i];
        const err *e = worker_new(a, &g->house, i, &o, &g->workers[i]);
        g->fds[i] = NULL; /* the worker's, or closed with it */
        if (e) return e;
    }
    loop **loops = NEW_N(a, loop *, g->house.count);
    for (unsigned i = 0; i < g->house.count; i++) loops[i] = g->workers[i]->loop;
    quota_house_loops(g->quota, loops, g->house.count);
    return NULL;
}

static str one_time_token(gateway *g, arena *a)
{
    uint8_t bytes[16];
    digest_random(bytes, sizeof bytes);
    str token = digest_hex(a, bytes, sizeof bytes);
    log_fact facts[] = {{"token", token}, {0}};
    log_say(g->log, LOG_INFO_LEVEL, "admin token for this run", facts);
    return token;
}

static const err *make_admin(gateway *g, arena *a, const config *c)
{
    admin_options o = {.fd = -1,
                       .first = g->now,
                       .log = g->log,
                       .meters = g->house.meters,
                       .audit = g->house.audit,
                       .loop_number = g->house.count};
    if (!c->admin) return NULL;
    const err *e = check_free(a, c->admin_address);
    if (!e) e = server_listen_fd(a, c->admin_address, &o.fd, &o.address);
    if (e) return err_wrap(a, e, "admin");
    o.token = c->admin_token.value.p ? c->admin_token.value : one_time_token(g, a);
    e = admin_new(a, &o, &g->admin);
    g->admin_bound = arena_dup(g->a, o.address);
    log_fact facts[] = {{"address", arena_fmt(a, "http://" STR_FMT, STR_ARG(o.address))}, {0}};
    if (!e) log_say(g->log, LOG_INFO_LEVEL, "admin is listening", facts);
    return e;
}

/* Start */

static void say_started(gateway *g, arena *a)
{
    const config *c = g->now->config;
    for (size_t i = 0; i < g->door_count; i++) {
        const char *scheme = g->tls[i] ? "https" : "http";
        log_fact at[] = {{"address", arena_fmt(a, "%s://" STR_FMT, scheme, STR_ARG(g->bound[i]))},
                         {0}};
        log_say(g->log, LOG_INFO_LEVEL, "listening", at);
    }
    log_fact facts[] = {{"config", c->file},
                        {"workers", arena_fmt(a, "%u", g->house.count)},
                        {"mcp_servers", arena_fmt(a, "%zu", c->servers.count)},
                        {"llm_backends", arena_fmt(a, "%zu", c->backends.count)},
                        {"rules", arena_fmt(a, "%zu", policy_rule_count(g->now->rules))},
                        {"policy_revision", policy_revision(g->now->rules)},
                        {0}};
    log_say(g->log, LOG_INFO_LEVEL, "sallyport " SALLYPORT_VERSION " is ready", facts);
    if (policy_rule_count(g->now->rules) == 0)
        warn(g, "there are no policy rules: nothing is allowed");
    if (c->seal_keys.count == 0 && c->servers.count)
        warn(g, "no seal_keys: sessions end with this process");
    if (c->pins.name.p && !c->pins.text.n)
        warn(g, "no tool is approved yet: all are withheld until `sallyport tools pin`");
    if (c->servers.count == 0 && c->backends.count == 0)
        warn(g, "no MCP servers and no LLM backends: nothing to serve");
    if (g->o.note.p) {
        log_fact note[] = {{"note", g->o.note}, {0}};
        log_say(g->log, LOG_WARN_LEVEL, "made configuration", note);
    }
}

static const err *count_problems(arena *a, const problems *p)
{
    for (const problem *one = p->first; one; one = one->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(one->text));
    return err_new(a, ERR_MALFORMED, "%zu problem%s in the configuration", p->count,
                   p->count == 1 ? "" : "s");
}

static const err *start(gateway *g, arena *a)
{
    snapshot_plan plan = {0};
    problems found;
    problems_init(&found, a, g->o.file.p ? g->o.file : g->o.made.name);
    if (!gateway_read(g, &plan, &found)) return count_problems(a, &found);
    const config *c = plan.config;
    g->counts = policy_quota_count(plan.rules) > 0;
    const err *e = open_doors(g, a, c);
    if (!e) e = make_house(g, a, c);
    if (e) {
        snapshot_plan_free(&plan);
        return e;
    }
    snapshot_needs needs = {.mcp = g->house.mcp,
                            .standings = g->house.backends,
                            .net = g->house.net,
                            .keys = g->keys,
                            .lent = g->house.lent};
    e = snapshot_new(a, &needs, &plan, &g->now);
    if (!e) e = make_workers(g, a, c);
    if (!e) e = make_admin(g, a, c);
    if (!e) herald_start(g->replicas);
    for (unsigned i = 0; !e && i < g->house.count; i++) e = worker_start(a, g->workers[i]);
    if (!e) files_watch(g->read, g->inotify);
    return e;
}

const err *gateway_start(arena *a, const gateway_options *o, logger *log, gateway **out)
{
    arena *own = arena_new();
    gateway *g = NEW(own, gateway);
    g->a = own;
    g->o = *o;
    g->log = log;
    g->house.done = -1;
    g->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    const err *e = start(g, a);
    if (e) {
        gateway_free(g);
        return e;
    }
    say_started(g, a);
    *out = g;
    return NULL;
}

str gateway_address(const gateway *g, size_t i)
{
    return i < g->door_count ? g->bound[i] : (str){0};
}

str gateway_admin_address(const gateway *g)
{
    return g->admin_bound;
}

/* End */

static void close_sockets(gateway *g)
{
    for (unsigned w = 0; g->fds && w < g->house.count; w++)
        for (size_t i = 0; g->fds[w] && i < g->door_count; i++)
            if (g->fds[w][i] >= 0) close(g->fds[w][i]);
    for (size_t i = 0; g->tls && i < g->door_count; i++)
        if (g->tls[i]) tls_server_free(g->tls[i]);
    if (g->inotify >= 0) close(g->inotify);
    if (g->house.done >= 0) close(g->house.done);
}

void gateway_free(gateway *g)
{
    for (unsigned i = 0; g->workers && i < g->house.count; i++) {
        if (!g->workers[i]) continue;
        loop_stop(g->workers[i]->loop);
        worker_join(g->workers[i]);
    }
    admin_free(g->admin);
    keys_watch_free(g->keys_watch);
    if (g->house.net) refresh_stop(g->house.net);
    if (g->house.web) errands_stop(g->house.web);
    if (g->house.disk) errands_stop(g->house.disk);
    if (g->replicas) herald_stop(g->replicas);
    for (unsigned i = 0; g->workers && i < g->house.count; i++) worker_close(g->workers[i]);
    quota_house_stop(g->quota);                     /* while there are loops to wake somebody on */
    if (g->spawner) child_spawner_free(g->spawner); /* before the loops its children report to */
    for (unsigned i = 0; g->workers && i < g->house.count; i++) worker_free(g->workers[i]);
    snapshot_drop(g->now);
    keyring_free(g->keys);
    if (g->house.mcp) mcp_shared_free(g->house.mcp);
    standings_free(g->house.backends);
    tally_free(g->house.streams);
    quota_house_free(g->quota);
    refresh_free(g->house.net);
    leases_free(g->house.lent);
    errands_free(g->house.web);
    errands_free(g->house.disk);
    herald_free(g->replicas);
    store_keeper_free(g->keeper);
    export_free(g->house.out);
    audit_log_free(g->house.audit);
    if (g->house.meters) metrics_free(g->house.meters);
    close_sockets(g);
    if (g->read_arena) arena_free(g->read_arena);
    arena_free(g->a);
}
