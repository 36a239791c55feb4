/* SPDX-License-Identifier: Apache-2.0 */
/* demo.c - a gateway, what it calls and who calls it, in one process.
 *
 * Everything printed is made to work as it stands: a line's headers come from a file, so that a
 * token of three hundred letters does not hide what the line does. */
#include "../../authz/digest.h"
#include "../../authz/jwt_mint.h"
#include "../../base/clock.h"
#include "../demo/demo_files.h"
#include "../demo/demo_world.h"
#include "../files.h"
#include "../process.h"
#include "command.h"
#include "run.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_DAYS = 30 };

typedef struct {
    const char *name, *groups;
    str token;
} person;

typedef struct {
    arena *a;
    str directory;
    person people[2];
} demo;

/* The directory */

static const err *cannot(arena *a, const char *what, str path)
{
    return err_new(a, ERR_NOT_FOUND, "cannot %s " STR_FMT ": %m", what, STR_ARG(path));
}

static const err *make_directory(demo *d, const char *wanted)
{
    arena *a = d->a;
    if (wanted) {
        d->directory = arena_dup(a, (str){wanted, strlen(wanted)});
        if (mkdir(d->directory.p, 0700) != 0) return cannot(a, "make", d->directory);
        d->directory = files_directory_of(a, arena_fmt(a, "%s/.", wanted));
        return NULL;
    }
    static const char tail[] = "/sallyport-demo-XXXXXX";
    const char *tmp = process_variable("TMPDIR");
    str base = tmp && *tmp ? (str){tmp, strlen(tmp)} : S("/tmp");
    char *path = arena_bytes(a, base.n + sizeof tail);
    for (size_t i = 0; i < base.n; i++) path[i] = base.p[i];
    for (size_t i = 0; i < sizeof tail; i++) path[base.n + i] = tail[i];
    d->directory = (str){path, base.n + sizeof tail - 1};
    return mkdtemp(path) ? NULL : cannot(a, "make", d->directory);
}

static const err *put(demo *d, const char *name, str text)
{
    return files_create(d->a, arena_fmt(d->a, STR_FMT "/%s", STR_ARG(d->directory), name), text);
}

static const err *copy_files(demo *d)
{
    str policies = arena_fmt(d->a, STR_FMT "/policies", STR_ARG(d->directory));
    if (mkdir(policies.p, 0700) != 0) return cannot(d->a, "make", policies);
    const err *e = NULL;
    for (const embedded_file *f = demo_files; !e && f->name; f++)
        e = put(d, f->name, (str){(const char *)f->bytes, f->size});
    return e;
}

/* People */

static const err *make_people(demo *d)
{
    static const char headers[] = "Authorization: Bearer " STR_FMT "\n"
                                  "Content-Type: application/json\n"
                                  "Accept: application/json, text/event-stream\n"
                                  "MCP-Protocol-Version: 2026-07-28\n";
    uint8_t seed[JWT_SEED];
    long long now = clock_wall_ms() / 1000;
    digest_random(seed, sizeof seed);
    const err *e = put(d, "keys.json", jwt_mint_jwks(d->a, seed, S("demo")));
    for (size_t i = 0; !e && i < 2; i++) {
        person *p = &d->people[i];
        str claims = arena_fmt(d->a,
                               "{\"iss\":\"https://"
                               "demo.sallyport.example\",\"aud\":\"sallyport-demo\",\"sub\":\"%s\","
                               "\"groups\":[\"%s\"],\"iat\":%lld,\"exp\":%lld}",
                               p->name, p->groups, now, now + TOKEN_DAYS * 86400LL);
        p->token = jwt_mint(d->a, seed, S("demo"), claims);
        e = put(d, p->name, arena_fmt(d->a, headers, STR_ARG(p->token)));
    }
    return e;
}

/* The page */

typedef struct {
    const char *what, *who, *method, *name, *params; /* params: members after _meta */
} mcp_line;

static const mcp_line mcp_lines[] = {
    {"alice sees every tool", "alice", "tools/list", NULL, ""},
    {"bob sees fewer: writing and deleting do not exist for him", "bob", "tools/list", NULL, ""},
    {"alice writes a note of her own", "alice", "tools/call", "notes__write_note",
     ",\"name\":\"notes__write_note\",\"arguments\":{\"title\":\"alice/"
     "shopping\",\"text\":\"apples, bread\"}"},
    {"bob may read it", "bob", "tools/call", "notes__read_note",
     ",\"name\":\"notes__read_note\",\"arguments\":{\"title\":\"alice/shopping\"}"},
    {"alice is refused by a rule that looks at the arguments, and told why", "alice", "tools/call",
     "notes__write_note",
     ",\"name\":\"notes__write_note\",\"arguments\":{\"title\":\"alice/secret "
     "plans\",\"text\":\"…\"}"},
    {"for bob the same tool is not there at all", "bob", "tools/call", "notes__write_note",
     ",\"name\":\"notes__write_note\",\"arguments\":{\"title\":\"bob/"
     "shopping\",\"text\":\"pears\"}"},
};

static void print_mcp(const demo *d, str at, const mcp_line *l)
{
    (void)printf("# %s\ncurl -s http://" STR_FMT "/mcp -H @" STR_FMT "/%s -H 'Mcp-Method: %s'",
                 l->what, STR_ARG(at), STR_ARG(d->directory), l->who, l->method);
    if (l->name) (void)printf(" -H 'Mcp-Name: %s'", l->name);
    (void)printf(" -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"_meta\":{"
                 "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                 "\"io.modelcontextprotocol/clientCapabilities\":{}}%s}}'; echo\n\n",
                 l->method, l->params);
}

static void print_chat(const demo *d, str at, const char *what, const char *who, bool stream)
{
    (void)printf("# %s\ncurl -s%s http://" STR_FMT "/v1/chat/completions -H @" STR_FMT
                 "/%s -d '{\"model\":\"demo-small\",%s"
                 "\"messages\":[{\"role\":\"user\",\"content\":\"Hello there\"}]}'; echo\n\n",
                 what, stream ? "N" : "", STR_ARG(at), STR_ARG(d->directory), who,
                 stream ? "\"stream\":true," : "");
}

static void print_page(void *ctx, const gateway *g)
{
    const demo *d = ctx;
    str at = gateway_address(g, 0), admin = gateway_admin_address(g);
    (void)printf("\nThe demo gateway serves MCP at http://" STR_FMT
                 "/mcp and models at http://" STR_FMT "/v1\n"
                 "Try these in another terminal:\n\n",
                 STR_ARG(at), STR_ARG(at));
    for (size_t i = 0; i < sizeof mcp_lines / sizeof *mcp_lines; i++)
        print_mcp(d, at, &mcp_lines[i]);
    print_chat(d, at, "bob talks to the model", "bob", false);
    print_chat(d, at, "alice gets the answer word by word", "alice", true);
    (void)printf("# what happened: one line a request\ncat " STR_FMT "/access.log\n\n",
                 STR_ARG(d->directory));
    (void)printf("# the numbers\ncurl -s http://" STR_FMT "/metrics\n\n", STR_ARG(admin));
    for (size_t i = 0; i < 2; i++)
        (void)printf("Token of %s, for clients of your own:\n" STR_FMT "\n", d->people[i].name,
                     STR_ARG(d->people[i].token));
    (void)printf("\nThe rules are in " STR_FMT
                 "/policies/demo.yaml: edit them, and the next request is judged by the new ones.\n"
                 "Ctrl-C ends the demo; the directory stays.\n\n",
                 STR_ARG(d->directory));
    (void)fflush(stdout);
}

/* The command */

static const err *prepare(demo *d, const char *directory, logger *log, demo_world **world,
                          gateway_options *o)
{
    const err *e = run_prepare(d->a, o); /* before the world's thread */
    if (!e) e = make_directory(d, directory);
    if (!e) e = copy_files(d);
    if (!e) e = make_people(d);
    if (!e) e = demo_world_new(d->a, log, world);
    if (e) return e;
    o->file = arena_fmt(d->a, STR_FMT "/sallyport.yaml", STR_ARG(d->directory));
    return NULL;
}

int command_demo(arena *a, int argc, char **argv)
{
    const char *port = "8080", *admin_port = "9901", **rest = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--port", .value = &port},
                                      {.name = "--admin-port", .value = &admin_port},
                                      {0}};
    int count = 0;
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count > 1) return command_usage("demo", "one directory at most");
    if (!command_is_port(port) || !command_is_port(admin_port))
        return command_usage("demo", "a port is a number from 0 to 65535");
    logger *log = log_new(STDERR_FILENO, LOG_WARN_LEVEL);
    demo d = {.a = a,
              .people = {{.name = "alice", .groups = "writers"},
                         {.name = "bob", .groups = "readers"}}};
    demo_world *world = NULL;
    gateway_options o = {0};
    const err *e = prepare(&d, count ? rest[0] : NULL, log, &world, &o);
    int code = 1;
    if (e)
        code = command_fail(e);
    else {
        str upstream = arena_fmt(a, "http://" STR_FMT, STR_ARG(demo_world_address(world)));
        /* NOLINTBEGIN(concurrency-mt-unsafe): the world asks for no variables */
        (void)setenv("DEMO_UPSTREAM", upstream.p, 1);
        (void)setenv("DEMO_KEYS", "file:keys.json", 1);
        (void)setenv("DEMO_PORT", port, 1);
        (void)setenv("DEMO_ADMIN_PORT", admin_port, 1);
        /* NOLINTEND(concurrency-mt-unsafe) */
        code = run_gateway(a, &o, print_page, &d);
        if (code)
            (void)fprintf(stderr, "If a port is taken, choose others: sallyport demo --port N "
                                  "--admin-port N\n");
    }
    demo_world_free(world);
    log_free(log);
    return code;
}
