/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lsp.c - lines of JSON-RPC to a server in which a document is open. The first line is the
 * document, with | for the ends of its lines. Whatever comes, every answer is JSON. */
#include "../../server/lsp/lsp.h"
#include "../../server/lsp/lsp_frame.h"
#include <stdint.h>
#include <stdlib.h>

static lsp_end handle(lsp *l, str message)
{
    arena *a = arena_new();
    buf out = buf_new(a, 32 << 20);
    lsp_end end = lsp_handle(l, a, message, &out);
    lsp_frames frames = lsp_frames_new();
    if (out.n < LSP_BODY_MOST) lsp_frames_feed(&frames, buf_str(&out));
    for (str body;;) {
        js_value root;
        if (lsp_frames_next(&frames, a, &body)) abort();
        if (!body.n) break;
        if (js_check(a, body, 64, &root)) abort();
    }
    lsp_frames_free(&frames);
    arena_free(a);
    return end;
}

static void open_document(lsp *l, arena *a, str text)
{
    char *lines = arena_bytes(a, text.n + 1);
    for (size_t i = 0; i < text.n; i++) lines[i] = text.p[i] == '|' ? '\n' : text.p[i];
    buf b = buf_new(a, 8 * text.n + 1024);
    (void)buf_put(&b, S("{\"method\":\"textDocument/"
                        "didOpen\",\"params\":{\"textDocument\":{\"uri\":\"u\","
                        "\"version\":1,\"text\":"));
    (void)buf_json(&b, (str){lines, text.n});
    (void)buf_put(&b, S("}}}"));
    (void)handle(l, S("{\"id\":1,\"method\":\"initialize\"}"));
    (void)handle(l, buf_str(&b));
}

/* Every question at a place that the input chooses. */
static void ask_all(lsp *l, arena *a, size_t line, size_t character)
{
    static const char *const methods[] = {"hover", "completion", "definition", "codeAction",
                                          "formatting"};
    for (size_t i = 0; i < 5; i++)
        (void)handle(l, arena_fmt(a,
                                  "{\"id\":2,\"method\":\"textDocument/"
                                  "%s\",\"params\":{\"textDocument\":{\"uri\":"
                                  "\"u\"},\"position\":{\"line\":%zu,\"character\":%zu},\"range\":{"
                                  "\"start\":{"
                                  "\"line\":%zu,\"character\":%zu}}}}",
                                  methods[i], line, character, line, character));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 2) return 0;
    static const str inventory =
        S("{\"servers\":{\"fs\":{\"tools\":[{\"name\":\"read\",\"inputSchema\":{"
          "\"properties\":{\"path\":{\"type\":\"string\",\"enum\":[\"a\"]}}}}]}}}");
    arena *a = arena_new();
    policy_world world = {0};
    if (policy_world_read_inventory(a, inventory, &world)) abort();
    lsp *l = lsp_new(&world);
    str rest = {(const char *)p + 2, n - 2};
    str_pair cut = str_cut(rest, '\n');
    open_document(l, a, cut.head);
    ask_all(l, a, p[0], p[1]);
    lsp_end end = LSP_GO_ON;
    for (rest = cut.tail; rest.n && end == LSP_GO_ON; rest = cut.tail) {
        cut = str_cut(rest, '\n');
        end = handle(l, cut.head);
    }
    lsp_free(l);
    arena_free(a);
    return 0;
}
