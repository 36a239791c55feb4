/* SPDX-License-Identifier: Apache-2.0 */
/* policy_lsp.c - the language server between stdin and stdout. */
#include "../files.h"
#include "../lsp/lsp.h"
#include "../lsp/lsp_frame.h"
#include "../zones.h"
#include "policy_verb.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, ANSWERS_MOST = 64 << 20 };

/* All whole messages that are there. */
static const err *answer_all(lsp *l, lsp_frames *frames, arena *a, lsp_end *end)
{
    while (*end == LSP_GO_ON) {
        str message;
        arena_reset(a);
        const err *e = lsp_frames_next(frames, a, &message);
        if (e || !message.n) return e;
        buf out = buf_new(a, ANSWERS_MOST);
        *end = lsp_handle(l, a, message, &out);
        if (!files_write(STDOUT_FILENO, buf_str(&out))) *end = LSP_EXIT_EARLY;
    }
    return NULL;
}

static int run(lsp *l, arena *a)
{
    lsp_frames frames = lsp_frames_new();
    lsp_end end = LSP_GO_ON;
    const err *e = NULL;
    char chunk[CHUNK];
    while (!e && end == LSP_GO_ON) {
        ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) end = LSP_EXIT_EARLY;
        if (n > 0) lsp_frames_feed(&frames, (str){chunk, (size_t)n});
        if (n > 0) e = answer_all(l, &frames, a, &end);
    }
    if (e) (void)command_fail(e);
    lsp_frames_free(&frames);
    return !e && end == LSP_EXIT ? 0 : 1;
}

int policy_verb_lsp(arena *a, int argc, char **argv)
{
    const char *settings = NULL, *inventory = NULL, **rest = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] =
        {{.name = "--config", .brief_name = "-c", .value = &settings},
         {.name = "--inventory", .brief_name = "-i", .value = &inventory},
         {.name = "--stdio", .given = &(bool){false}}, /* what many clients add */
         {0}};
    int count = 0;
    policy_world world = {.zones = &zones_of_system};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage("policy lsp", "it takes no files: the editor opens them");
    const err *e = policy_verb_world(a, settings, inventory, &world);
    if (e) return command_fail(e);
    lsp *l = lsp_new(&world);
    arena *scratch = arena_new();
    int code = run(l, scratch);
    arena_free(scratch);
    lsp_free(l);
    return code;
}
