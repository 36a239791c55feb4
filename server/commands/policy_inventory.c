/* SPDX-License-Identifier: Apache-2.0 */
/* policy_inventory.c - the tools of live servers as a file, for those who check policies offline.
 *
 * The members that policies can speak of, as the server wrote them, servers and tools by name: the
 * same servers give the same bytes, so a change shows in a diff. */
#include "policy_inventory.h"
#include "../files.h"
#include "tools_verb.h"
#include <stdio.h>
#include <stdlib.h>

enum { INVENTORY_MOST = 64 << 20 };

static int by_server(const void *a, const void *b)
{
    return str_order(((const inspected *)a)->server, ((const inspected *)b)->server);
}

static int by_name(const void *a, const void *b)
{
    return str_order(((const catalog_item *)a)->name, ((const catalog_item *)b)->name);
}

static void put_tool(buf *b, const catalog_item *t)
{
    static const str members[] = {S("title"), S("description"), S("inputSchema"), S("annotations")};
    (void)buf_put(b, S("{\"name\":"));
    (void)buf_json(b, t->name);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        js_value v = js_get(t->raw, members[i]);
        if (v.kind == JS_ABSENT) continue;
        (void)buf_fmt(b, ",\"" STR_FMT "\":", STR_ARG(members[i]));
        (void)buf_put(b, v.raw);
    }
    (void)buf_put(b, S("}"));
}

static void put_server(buf *b, const inspected *of)
{
    size_t count = of->tools->count;
    catalog_item *sorted = NEW_N(b->a, catalog_item, count + 1);
    for (size_t i = 0; i < count; i++) sorted[i] = of->tools->items[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    (void)buf_json(b, of->server);
    (void)buf_put(b, S(":{\"tools\":["));
    for (size_t i = 0; i < count; i++) {
        (void)buf_put(b, i ? S(",\n") : S("\n"));
        put_tool(b, &sorted[i]);
    }
    (void)buf_put(b, count ? S("\n]}") : S("]}"));
}

static str inventory_of(arena *a, const inspection *from)
{
    size_t count, put = 0;
    const inspected *all = inspection_servers(from, &count);
    inspected *sorted = NEW_N(a, inspected, count + 1);
    for (size_t i = 0; i < count; i++) sorted[i] = all[i];
    qsort(sorted, count, sizeof *sorted, by_server);
    buf b = buf_new(a, INVENTORY_MOST);
    (void)buf_put(&b, S("{\"servers\":{"));
    for (size_t i = 0; i < count; i++) {
        if (!sorted[i].tools) continue;
        (void)buf_put(&b, put++ ? S(",\n") : S("\n"));
        put_server(&b, &sorted[i]);
    }
    (void)buf_put(&b, S("\n}}\n"));
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}

int policy_verb_inventory(arena *a, int argc, char **argv)
{
    const char *settings = "sallyport.yaml", *out = NULL;
    const char **rest = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &settings},
                                      {.name = "--output", .brief_name = "-o", .value = &out},
                                      {0}};
    int count = 0;
    inspection *found = NULL;
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage("policy inventory", "servers are those of the configuration");
    int wrong = tools_verb_ask(a, settings, &found);
    if (wrong) return wrong;
    size_t missing = tools_verb_say_missing(found);
    str text = inventory_of(a, found);
    inspection_end(found);
    if (!text.n) return command_fail(err_new(a, ERR_TOO_LARGE, "over %d bytes", INVENTORY_MOST));
    const err *e = out ? files_replace(a, (str){out, strlen(out)}, text) : NULL;
    if (e) return command_fail(e);
    int printed = out ? 0 : command_print(text);
    return missing || printed ? 1 : 0;
}
