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

static const err *choose(arena *a, const char *file, const char *clients, gateway_options *o)
{
    if (file)
        o->file = (str){file, strlen(file)};
    else if (clients) {
        str name = {clients, strlen(clients)}, text;
        const err *e = files_read(files_new(a, files_directory_of(a, S("./"))), a, name, &text);
        if (!e) e = made_from_clients(a, name, text, &o->made);
        if (e) return e;
    } else if (files_exists(S("sallyport.yaml")))
        o->file = S("sallyport.yaml");
    else {
        made_from_environment(a, &o->made);
        if (!o->made.text.p)
            return err_new(a, ERR_NOT_FOUND,
                           "there is no ./sallyport.yaml and no OPENAI_API_KEY; give a file with "
                           "-c, or try `sallyport demo`");
    }
    if (o->file.p) return NULL;
    o->extra = made_permit_all;
    o->note = S("made without a file: policy `permit-all` lets every caller use every tool, "
                "resource, prompt, model and endpoint; listening on loopback only");
    return NULL;
}

int command_serve(arena *a, int argc, char **argv)
{
    const char *file = NULL, *clients = NULL, **rest = NEW_N(a, const char *, (size_t)argc);
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {.name = "--mcp-config", .value = &clients},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage("serve", "the file is given with -c");
    if (file && clients) return command_usage("serve", "give one of --config and --mcp-config");
    gateway_options o = {0};
    const err *e = choose(a, file, clients, &o);
    if (!e) e = run_prepare(a, &o);
    return e ? command_fail(e) : run_gateway(a, &o, NULL, NULL);
}
