/* SPDX-License-Identifier: Apache-2.0 */
#include "../files.h"
#include "../made.h"
#include "../process.h"
#include "command.h"
#include "run.h"
#include <stdio.h>
#include <unistd.h>

const err *run_prepare(arena *a, gateway_options *o)
{
    o->shim = process_shim(a);
    process_harden();
    return process_signals(a, &o->signals);
}

int run_gateway(arena *a, const gateway_options *o, void (*started)(void *ctx, const gateway *g),
                void *ctx)
{
    logger *log = log_new(STDERR_FILENO, LOG_INFO_LEVEL);
    gateway *g = NULL;
    int code = 1;
    const err *e = gateway_start(a, o, log, &g);
    if (e)
        (void)command_fail(e);
    else {
        if (started) started(ctx, g);
        code = gateway_run(g);
        gateway_free(g);
    }
    log_free(log);
    return code;
}

static const err *make(arena *a, const char *clients, const char *port, gateway_options *o)
{
    made_config made = {0};
    const err *e;
    if (clients) {
        str name = {clients, strlen(clients)}, text;
        e = files_read(files_new(a, files_directory_of(a, S("./"))), a, name, &text);
        if (!e) e = made_from_clients(a, name, text, port, &made);
    } else {
        e = made_from_environment(a, port, &made);
        if (!e && !made.file.text.p)
            e = err_new(a, ERR_NOT_FOUND,
                        "there is no ./sallyport.yaml, and the environment names no model "
                        "provider: "
                        "set OPENAI_API_KEY, ANTHROPIC_API_KEY or another (`sallyport help "
                        "serve`), give a file with -c, or try `sallyport demo`");
    }
    if (e) return e;
    o->made = made.file;
    o->extra = made_permit_all;
    o->note =
        arena_fmt(a,
                  "made without a file: policy `permit-all` lets every caller use every tool, "
                  "resource, prompt, model and endpoint; listening on 127.0.0.1:%s only%s" STR_FMT,
                  port, made.models.n ? "; models: " : "", STR_ARG(made.models));
    return NULL;
}

int command_serve(arena *a, int argc, char **argv)
{
    const char *file = NULL, *clients = NULL, *port = NULL,
               **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {.name = "--mcp-config", .value = &clients},
                                      {.name = "--port", .value = &port},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage("serve", "the file is given with -c");
    if (file && clients) return command_usage("serve", "give one of --config and --mcp-config");
    if (port && !command_is_port(port))
        return command_usage("serve", "a port is a number from 0 to 65535");
    if (!file && !clients && files_exists(S("sallyport.yaml"))) file = "sallyport.yaml";
    if (file && port) return command_usage("serve", "with a file, `listen` in it says the port");
    gateway_options o = {0};
    const err *e = NULL;
    if (file)
        o.file = (str){file, strlen(file)};
    else
        e = make(a, clients, port ? port : "8080", &o);
    if (!e) e = run_prepare(a, &o);
    return e ? command_fail(e) : run_gateway(a, &o, NULL, NULL);
}
