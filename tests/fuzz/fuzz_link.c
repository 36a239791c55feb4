/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_link.c - any bytes from an MCP server: no fault, and whatever is passed on is sound JSON. */
#include "../../mcp/catalog_read.h"
#include "../../mcp/link_message.h"
#include "../../mcp/link_param.h"
#include "../../mcp/upstream_state.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool sound(arena *a, str text)
{
    js_value root;
    return js_check(a, text, LINK_DEPTH + 2, &root) == NULL;
}

static void read_notice(arena *a, const link_message *m)
{
    str method;
    js_value params;
    const link_wanted want = {1, S("debug")};
    if (!link_message_wanted(a, m, want, &method, &params)) return;
    assert(sound(a, params.raw));
    bool progress = str_eq(method, S("notifications/progress"));
    assert(!progress || js_get(params, S("progressToken")).kind == JS_ABSENT);
}

static void read_headers(arena *a, const catalog_item *t)
{
    header row[LINK_PARAMS_MOST + 1];
    size_t count = 0;
    assert(t->input_schema.kind == JS_OBJECT);
    link_param_headers(a, t->input_schema, t->raw, row, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < row[i].value.n; k++) {
            unsigned char c = (unsigned char)row[i].value.p[k];
            assert(c == '\t' || (c >= 0x20 && c < 0x7F));
        }
    }
}

static void read_list(arena *a, catalog_kind kind, js_value result)
{
    static const str none[] = {{0}};
    mcp_shared shared = {.log = log_new(-1, LOG_ERROR_LEVEL), .workers = 1};
    upstream u = {.shared = &shared, .spec = {.include = none, .exclude = none}};
    catalog_draft *d = catalog_draft_new(&u, kind);
    str cursor;
    const err *e = catalog_draft_page(d, result, &cursor);
    if (!e) {
        const catalog *c = catalog_draft_finish(d);
        for (size_t i = 0; i < c->count; i++) {
            assert(c->items[i].name.n > 0 && sound(a, c->items[i].raw.raw));
            if (kind == CATALOG_TOOLS) read_headers(a, &c->items[i]);
            assert(catalog_find(c, c->items[i].name) == &c->items[i]);
        }
        catalog_drop(c);
    }
    catalog_draft_free(d);
    log_free(shared.log);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    link_message m;
    const err *e = link_message_read(a, (str){(const char *)p, n}, &m);
    if (!e) {
        buf b = buf_new(a, n + 4096);
        assert(m.kind != LINK_JUNK);
        if (m.kind == LINK_QUESTION) {
            link_message_reply(&b, &m);
            assert(buf_ok(&b) && sound(a, buf_str(&b)));
        }
        if (m.kind == LINK_NOTICE) read_notice(a, &m);
        if (m.kind == LINK_ANSWER) {
            assert((m.result.kind == JS_OBJECT) != (m.error.kind == JS_OBJECT));
            (void)link_message_code(&m);
            (void)link_message_modern(m.result);
            for (int kind = 0; kind < CATALOG_KINDS && m.result.kind == JS_OBJECT; kind++)
                read_list(a, (catalog_kind)kind, m.result);
        }
    }
    arena_free(a);
    return 0;
}
