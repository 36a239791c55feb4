/* SPDX-License-Identifier: Apache-2.0 */
/* demo_tools.c - the two MCP servers of the demo: enough of the protocol for a gateway before them.
 */
#include "../../base/json.h"
#include "../../base/map.h"
#include "demo_world.h"
#include <stdlib.h>

enum { DEPTH = 32, REPLY_MOST = 4 << 20, TITLE_MOST = 200 };

struct demo_notes {
    map *texts; /* title -> buf on the heap */
};

typedef struct {
    arena *a;
    demo_notes *notes;
    js_value arguments;
    buf *out; /* the text a tool answers with */
} tool_call;

typedef struct {
    bool of_weather;
    const char *name, *title, *description, *properties, *required, *annotations;
    bool (*run)(tool_call *c); /* false: the text says what is wrong */
} tool_row;

static str text_of(const char *s)
{
    return (str){s, strlen(s)};
}

/* Weather */

static bool get_forecast(tool_call *c)
{
    static const char *const skies[] = {"sunny", "cloudy", "light rain", "windy", "snow"};
    str city = js_text(c->a, js_get(c->arguments, S("city")));
    int64_t days = 3;
    (void)js_int(js_get(c->arguments, S("days")), &days);
    if (!city.n || days < 1 || days > 7)
        return buf_put(c->out, S("a city and 1 to 7 days, please")), false;
    unsigned seed = 0;
    for (size_t i = 0; i < city.n; i++) seed = seed * 31 + (unsigned char)city.p[i];
    buf_fmt(c->out, "Forecast for " STR_FMT ":", STR_ARG(city));
    for (unsigned d = 0; d < (unsigned)days; d++)
        buf_fmt(c->out, " day %u %s, %u C;", d + 1, skies[(seed + d * 7) % 5],
                5 + (seed + d * 3) % 20);
    return true;
}

static bool get_alerts(tool_call *c)
{
    str city = js_text(c->a, js_get(c->arguments, S("city")));
    return buf_fmt(c->out, "No alerts for " STR_FMT ".", STR_ARG(city));
}

/* Notes */

demo_notes *demo_notes_new(void)
{
    demo_notes *n = calloc(1, sizeof *n);
    if (!n) abort();
    n->texts = map_new(NULL);
    return n;
}

static void free_note(str title, buf *b)
{
    char *key =
        (char *)(uintptr_t)title.p; /* NOLINT(performance-no-int-to-ptr): ours, see put_note */
    if (b) buf_free(b);
    free(b);
    free(key);
}

void demo_notes_free(demo_notes *n)
{
    if (!n) return;
    size_t at = 0;
    str title;
    void *b;
    while (map_each(n->texts, &at, &title, &b)) free_note(title, b);
    map_free(n->texts);
    free(n);
}

static bool put_note(demo_notes *n, str title, str text)
{
    buf *b = map_get(n->texts, title);
    if (!b && map_count(n->texts) >= DEMO_NOTES) return false;
    if (!b) {
        char *key = malloc(title.n + 1);
        b = calloc(1, sizeof *b);
        if (!key || !b) abort();
        for (size_t i = 0; i < title.n; i++) key[i] = title.p[i];
        *b = buf_new(NULL, DEMO_NOTE_BYTES);
        map_put(n->texts, (str){key, title.n}, b);
    }
    buf_drop(b, b->n);
    return buf_put(b, text);
}

static bool list_notes(tool_call *c)
{
    size_t at = 0;
    str title;
    void *b;
    if (map_count(c->notes->texts) == 0) buf_put(c->out, S("(no notes)"));
    while (map_each(c->notes->texts, &at, &title, &b))
        buf_fmt(c->out, STR_FMT "\n", STR_ARG(title));
    return true;
}

static bool read_note(tool_call *c)
{
    buf *b = map_get(c->notes->texts, js_text(c->a, js_get(c->arguments, S("title"))));
    return buf_put(c->out, b ? buf_str(b) : S("there is no such note")), b != NULL;
}

static bool write_note(tool_call *c)
{
    str title = js_text(c->a, js_get(c->arguments, S("title"))),
        text = js_text(c->a, js_get(c->arguments, S("text")));
    bool ok = title.n && title.n <= TITLE_MOST && text.n <= DEMO_NOTE_BYTES &&
              put_note(c->notes, title, text);
    return buf_put(c->out, ok ? S("written")
                              : S("a title and a text of at most 16 KiB, and at most 100 notes")),
           ok;
}

static bool delete_note(tool_call *c)
{
    str title = js_text(c->a, js_get(c->arguments, S("title"))), key = {0}, found = {0};
    size_t at = 0;
    void *b = NULL;
    while (map_each(c->notes->texts, &at, &key, &b))
        if (str_eq(key, title)) found = key;
    b = found.p ? map_del(c->notes->texts, found) : NULL;
    if (b) free_note(found, b);
    return buf_put(c->out, b ? S("deleted") : S("there is no such note")), b != NULL;
}

/* clang-format off */
#define READS "{\"readOnlyHint\":true}"
#define CITY  "\"city\":{\"type\":\"string\",\"description\":\"Name of the city\"}"
#define TITLE "\"title\":{\"type\":\"string\",\"maxLength\":200,\"description\":\"For example alice/shopping\"}"
static const tool_row tools[] = {
    {true, "get_forecast", "Forecast", "The weather of the next days in a city.",
     CITY ",\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":7}", "\"city\"", READS, get_forecast},
    {true, "get_alerts", "Alerts", "Weather warnings for a city.", CITY, "\"city\"", READS, get_alerts},
    {false, "list_notes", "List notes", "The titles of all notes.", "", "", READS, list_notes},
    {false, "read_note", "Read a note", "The text of a note.", TITLE, "\"title\"", READS, read_note},
    {false, "write_note", "Write a note", "Creates or replaces a note.",
     TITLE ",\"text\":{\"type\":\"string\"}", "\"title\",\"text\"", "{\"readOnlyHint\":false,\"idempotentHint\":true}", write_note},
    {false, "delete_note", "Delete a note", "Removes a note for ever.", TITLE, "\"title\"", "{\"destructiveHint\":true}", delete_note},
};
/* clang-format on */
enum { TOOLS = sizeof tools / sizeof *tools };

/* The protocol */

#define MODERN_END ",\"resultType\":\"complete\"}"

static void put_tools(buf *out, bool modern)
{
    bool first = true;
    buf_put(out, S("{\"tools\":["));
    for (size_t i = 0; i < TOOLS; i++) {
        const tool_row *t = &tools[i];
        if (t->of_weather != modern) continue;
        buf_fmt(out,
                "%s{\"name\":\"%s\",\"title\":\"%s\",\"description\":\"%s\",\"inputSchema\":{"
                "\"type\":\"object\","
                "\"properties\":{%s},\"required\":[%s],\"additionalProperties\":false},"
                "\"annotations\":%s}",
                first ? "" : ",", t->name, t->title, t->description, t->properties, t->required,
                t->annotations);
        first = false;
    }
    buf_put(out, modern ? S("],\"ttlMs\":60000,\"cacheScope\":\"public\"" MODERN_END) : S("]}"));
}

static bool put_call(arena *a, buf *out, demo_notes *notes, bool modern, js_value params)
{
    str name = js_text(a, js_get(params, S("name")));
    for (size_t i = 0; i < TOOLS; i++) {
        if (tools[i].of_weather != modern || !str_eq(name, text_of(tools[i].name))) continue;
        buf said = buf_new(a, REPLY_MOST);
        tool_call c = {.a = a,
                       .notes = notes,
                       .arguments = js_get(params, S("arguments")),
                       .out = &said};
        bool ok = tools[i].run(&c);
        buf_put(out, S("{\"content\":[{\"type\":\"text\",\"text\":"));
        buf_json(out, buf_str(&said));
        buf_fmt(out, "}],\"isError\":%s%s", ok ? "false" : "true", modern ? MODERN_END : "}");
        return true;
    }
    return false;
}

static void put_hello(buf *out, bool modern)
{
    if (modern)
        buf_put(out,
                S("{\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
                  "\"ttlMs\":3600000,"
                  "\"cacheScope\":\"public\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"
                  "{\"name\":\"weather\",\"version\":\"1\"}}" MODERN_END));
    else
        buf_put(out, S("{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},"
                       "\"serverInfo\":{\"name\":\"notes\",\"version\":\"1\"}}"));
}

/* False: no such method or tool. */
static bool put_result(arena *a, buf *out, demo_notes *notes, bool modern, js_value root)
{
    js_value method = js_get(root, S("method"));
    if (js_text_is(method, modern ? S("server/discover") : S("initialize")))
        put_hello(out, modern);
    else if (js_text_is(method, S("tools/list")))
        put_tools(out, modern);
    else if (js_text_is(method, S("tools/call")))
        return put_call(a, out, notes, modern, js_get(root, S("params")));
    else if (!modern && js_text_is(method, S("ping")))
        buf_put(out, S("{}"));
    else
        return false;
    return true;
}

int demo_tools_answer(demo_notes *notes, bool modern, arena *a, str body, str *reply)
{
    js_value root;
    buf out = buf_new(a, REPLY_MOST);
    const err *e = js_check(a, body, DEPTH, &root);
    *reply = S("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"Parse "
               "error\"}}");
    if (e || root.kind != JS_OBJECT) return 400;
    js_value id = js_get(root, S("id"));
    *reply = (str){0};
    if (id.kind == JS_ABSENT) return 202;
    buf_put(&out, S("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_put(&out, id.raw);
    size_t before = out.n;
    buf_put(&out, S(",\"result\":"));
    bool known = put_result(a, &out, notes, modern, root);
    if (!known) {
        out.n = before;
        buf_put(&out, S(",\"error\":{\"code\":-32601,\"message\":\"Method not found\"}"));
    }
    buf_put(&out, S("}"));
    *reply = buf_str(&out);
    return known || !modern ? 200 : 404;
}
