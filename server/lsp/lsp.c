/* SPDX-License-Identifier: Apache-2.0 */
/* lsp.c - JSON-RPC, the table of methods, and the documents that are open.
 *
 * A document keeps the tree of the last text that was YAML beside its text: people ask what
 * completes a line while the line is not finished. */
#include "lsp.h"
#include "lsp_ask.h"
#include <stdlib.h>

enum {
    DEPTH = 64,
    DOCUMENTS_MOST = 64,
    TEXT_MOST = 1 << 20,
    EDITS_MOST = 1000,
    URI_MOST = 4096,
    ANSWER_MOST = 16 << 20
};

enum {
    PARSE_ERROR = -32700,
    INVALID_REQUEST = -32600,
    METHOD_NOT_FOUND = -32601,
    INVALID_PARAMS = -32602,
    NOT_INITIALIZED = -32002
};

struct lsp {
    const policy_world *world;
    lsp_document *documents;
    size_t count;
    bool initialized, shut_down;
};

typedef struct {
    lsp *l;
    arena *a;
    js_value id, params;
    buf *out;
} call;

/* Writing */

static void put_framed(buf *out, str body)
{
    (void)buf_fmt(out, "Content-Length: %zu\r\n\r\n", body.n);
    (void)buf_put(out, body);
}

static void answer(const call *c, str result)
{
    buf b = buf_new(c->a, ANSWER_MOST);
    (void)buf_put(&b, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    (void)buf_put(&b, c->id.kind == JS_ABSENT ? S("null") : c->id.raw);
    (void)buf_put(&b, S(",\"result\":"));
    (void)buf_put(&b, result);
    (void)buf_put(&b, S("}"));
    put_framed(c->out, buf_str(&b));
}

static void refuse(const call *c, int code, const char *what)
{
    buf b = buf_new(c->a, ANSWER_MOST);
    (void)buf_put(&b, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    (void)buf_put(&b, c->id.kind == JS_ABSENT ? S("null") : c->id.raw);
    (void)buf_fmt(&b, ",\"error\":{\"code\":%d,\"message\":\"%s\"}}", code, what);
    put_framed(c->out, buf_str(&b));
}

static void publish(const call *c, const lsp_document *doc, str diagnostics)
{
    buf b = buf_new(c->a, ANSWER_MOST);
    (void)buf_put(&b, S("{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/publishDiagnostics\","
                        "\"params\":{\"uri\":"));
    (void)buf_json(&b, doc->uri);
    (void)buf_put(&b, S(",\"version\":"));
    (void)buf_int(&b, doc->version);
    (void)buf_put(&b, S(",\"diagnostics\":"));
    (void)buf_put(&b, diagnostics);
    (void)buf_put(&b, S("}}"));
    if (buf_ok(&b)) put_framed(c->out, buf_str(&b));
}

/* Documents */

static lsp_document *document_of(const lsp *l, str uri)
{
    lsp_document *d = l->documents;
    while (d && !str_eq(d->uri, uri)) d = d->next;
    return d;
}

/* The text becomes the document's; its tree too, if it is YAML. */
static void take_text(lsp_document *d, str text)
{
    arena *memory = arena_new(), *old = d->memory;
    yaml_layout *tree = NULL;
    yaml_comment *loose;
    text = arena_dup(memory, text);
    const err *e = yaml_layout_read(memory, S("policy"), text, &tree, &loose);
    if (!e && tree) {
        if (d->tree_memory && d->tree_memory != old) arena_free(d->tree_memory);
        d->tree_memory = memory;
        d->tree = tree;
    }
    d->memory = memory;
    d->text = text;
    if (old && old != d->tree_memory) arena_free(old);
}

static void drop(lsp_document *d)
{
    if (d->tree_memory && d->tree_memory != d->memory) arena_free(d->tree_memory);
    if (d->memory) arena_free(d->memory);
    d->memory = d->tree_memory = NULL;
    d->tree = NULL;
}

static void close_document(lsp *l, lsp_document *d)
{
    lsp_document **at = &l->documents;
    while (*at != d) at = &(*at)->next;
    *at = d->next;
    l->count--;
    drop(d);
    arena_free(d->own);
}

static lsp_document *open_document(lsp *l, str uri)
{
    arena *own = arena_new();
    lsp_document *d = NEW(own, lsp_document);
    d->own = own;
    d->uri = arena_dup(own, uri);
    d->next = l->documents;
    l->documents = d;
    l->count++;
    return d;
}

static lsp_position position_of(js_value v)
{
    int64_t line = 0, character = 0;
    (void)js_int(js_get(v, S("line")), &line);
    (void)js_int(js_get(v, S("character")), &character);
    if (line < 0 || character < 0) return (lsp_position){0, 0};
    return (lsp_position){line > TEXT_MOST ? TEXT_MOST : (uint32_t)line,
                          character > TEXT_MOST ? TEXT_MOST : (uint32_t)character};
}

static lsp_ask ask_of(const call *c, const lsp_document *d, buf *out)
{
    return (lsp_ask){.a = c->a, .world = c->l->world, .doc = d, .out = out};
}

static void check_document(const call *c, const lsp_document *d)
{
    buf out = buf_new(c->a, ANSWER_MOST);
    lsp_ask q = ask_of(c, d, &out);
    lsp_diagnose(&q);
    publish(c, d, buf_str(&out));
}

/* Notifications */

static js_value named_document(const call *c)
{
    return js_get(c->params, S("textDocument"));
}

static void did_open(const call *c)
{
    js_value item = named_document(c);
    str uri = js_text(c->a, js_get(item, S("uri"))), text = js_text(c->a, js_get(item, S("text")));
    lsp_document *d = document_of(c->l, uri);
    if (!uri.n || uri.n > URI_MOST || text.n > TEXT_MOST) return;
    if (!d && c->l->count == DOCUMENTS_MOST) return;
    if (!d) d = open_document(c->l, uri);
    (void)js_int(js_get(item, S("version")), &d->version);
    take_text(d, text);
    check_document(c, d);
}

/* One edit; {0} with `bad` set when the text would grow over the limit. */
static str edited(const call *c, str text, js_value change, bool *bad)
{
    js_value range = js_get(change, S("range"));
    str put = js_text(c->a, js_get(change, S("text")));
    size_t from = 0, to = text.n;
    if (range.kind == JS_OBJECT) {
        from = lsp_text_offset(text, position_of(js_get(range, S("start"))));
        to = lsp_text_offset(text, position_of(js_get(range, S("end"))));
        if (to < from) to = from;
    }
    buf b = buf_new(c->a, TEXT_MOST);
    (void)buf_put(&b, str_take(text, from));
    (void)buf_put(&b, put);
    (void)buf_put(&b, str_drop(text, to));
    *bad |= !buf_ok(&b);
    return buf_str(&b);
}

static void did_change(const call *c)
{
    js_value item = named_document(c), changes = js_get(c->params, S("contentChanges"));
    lsp_document *d = document_of(c->l, js_text(c->a, js_get(item, S("uri"))));
    if (!d || changes.kind != JS_ARRAY) return;
    str text = d->text;
    bool bad = false;
    size_t count = 0;
    for (js_iter it = js_iterate(changes); js_next(&it) && !bad;) {
        text = edited(c, text, it.value, &bad);
        bad |= ++count > EDITS_MOST;
    }
    if (bad) { /* what we have is not what the editor has: better none */
        close_document(c->l, d);
        return;
    }
    (void)js_int(js_get(item, S("version")), &d->version);
    take_text(d, text);
    check_document(c, d);
}

static void did_close(const call *c)
{
    lsp_document *d = document_of(c->l, js_text(c->a, js_get(named_document(c), S("uri"))));
    if (!d) return;
    publish(c, d, S("[]"));
    close_document(c->l, d);
}

/* Requests */

static void initialize(const call *c)
{
    c->l->initialized = true;
    answer(c, S("{\"capabilities\":{\"positionEncoding\":\"utf-16\","
                "\"textDocumentSync\":{\"openClose\":true,\"change\":2},\"hoverProvider\":true,"
                "\"completionProvider\":{\"triggerCharacters\":[\".\",\"/\",\"?\"]},"
                "\"definitionProvider\":true,\"codeActionProvider\":{\"codeActionKinds\":"
                "[\"quickfix\",\"refactor.rewrite\"]},\"documentFormattingProvider\":true},"
                "\"serverInfo\":{\"name\":\"sallyport\",\"version\":\"" SALLYPORT_VERSION "\"}}"));
}

static void shut_down(const call *c)
{
    c->l->shut_down = true;
    answer(c, S("null"));
}

/* The document and the place a request is about; false: it was refused. */
static bool place_of(const call *c, js_value position, buf *out, lsp_ask *q)
{
    const lsp_document *d = document_of(c->l, js_text(c->a, js_get(named_document(c), S("uri"))));
    if (!d) {
        refuse(c, INVALID_PARAMS, "the document is not open");
        return false;
    }
    *q = ask_of(c, d, out);
    q->offset = lsp_text_offset(d->text, position_of(position));
    q->where = lsp_where_at(d->text, q->offset);
    return true;
}

static void ask(const call *c, void (*fn)(const lsp_ask *))
{
    buf out = buf_new(c->a, ANSWER_MOST);
    lsp_ask q;
    if (!place_of(c, js_get(c->params, S("position")), &out, &q)) return;
    fn(&q);
    answer(c, buf_ok(&out) ? buf_str(&out) : S("null"));
}

static void hover(const call *c)
{
    ask(c, lsp_hover);
}

static void complete(const call *c)
{
    ask(c, lsp_complete);
}

static void define(const call *c)
{
    ask(c, lsp_define);
}

static void format(const call *c)
{
    ask(c, lsp_format);
}

static void code_action(const call *c)
{
    js_value range = js_get(c->params, S("range"));
    buf out = buf_new(c->a, ANSWER_MOST);
    lsp_ask q;
    if (!place_of(c, js_get(range, S("start")), &out, &q)) return;
    size_t to = lsp_text_offset(q.doc->text, position_of(js_get(range, S("end"))));
    lsp_fix(&q, q.offset, to < q.offset ? q.offset : to);
    answer(c, buf_ok(&out) ? buf_str(&out) : S("[]"));
}

/* Methods */

typedef struct {
    const char *name;
    bool request; /* wants an answer */
    void (*run)(const call *c);
} method;

static const method methods[] = {
    {"initialize", true, initialize},
    {"shutdown", true, shut_down},
    {"textDocument/didOpen", false, did_open},
    {"textDocument/didChange", false, did_change},
    {"textDocument/didClose", false, did_close},
    {"textDocument/hover", true, hover},
    {"textDocument/completion", true, complete},
    {"textDocument/definition", true, define},
    {"textDocument/codeAction", true, code_action},
    {"textDocument/formatting", true, format},
};

static const method *method_of(str name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_eq((str){methods[i].name, strlen(methods[i].name)}, name)) return &methods[i];
    return NULL;
}

static void dispatch(const call *c, str name)
{
    bool wants_answer = c->id.kind == JS_NUMBER || c->id.kind == JS_STRING;
    const method *m = method_of(name);
    bool first = m && m->run == initialize;
    if (!wants_answer) {
        if (m && !m->request && c->l->initialized && !c->l->shut_down) m->run(c);
        return;
    }
    if (c->l->shut_down)
        refuse(c, INVALID_REQUEST, "the server is shutting down");
    else if (!c->l->initialized && !first)
        refuse(c, NOT_INITIALIZED, "initialize comes first");
    else if (c->l->initialized && first)
        refuse(c, INVALID_REQUEST, "initialize comes once");
    else if (!m || !m->request)
        refuse(c, METHOD_NOT_FOUND, "there is no such request");
    else
        m->run(c);
}

lsp *lsp_new(const policy_world *world)
{
    lsp *l = calloc(1, sizeof *l);
    if (!l) abort();
    l->world = world;
    return l;
}

void lsp_free(lsp *l)
{
    while (l->documents) close_document(l, l->documents);
    free(l);
}

lsp_end lsp_handle(lsp *l, arena *a, str message, buf *out)
{
    js_value root;
    call c = {.l = l, .a = a, .out = out};
    const err *e = js_check(a, message, DEPTH, &root);
    if (e) {
        refuse(&c, PARSE_ERROR, "not JSON");
        return LSP_GO_ON;
    }
    js_value name = js_get(root, S("method"));
    c.id = js_get(root, S("id"));
    if (c.id.kind != JS_NUMBER && c.id.kind != JS_STRING) c.id = (js_value){0};
    c.params = js_get(root, S("params"));
    if (name.kind != JS_STRING) {
        bool response = root.kind == JS_OBJECT && name.kind == JS_ABSENT && c.id.kind != JS_ABSENT;
        if (!response) refuse(&c, INVALID_REQUEST, "not a request");
        return LSP_GO_ON;
    }
    if (js_text_is(name, S("exit"))) return l->shut_down ? LSP_EXIT : LSP_EXIT_EARLY;
    dispatch(&c, js_text(a, name));
    return LSP_GO_ON;
}
