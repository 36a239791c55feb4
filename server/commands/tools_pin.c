/* SPDX-License-Identifier: Apache-2.0 */
/* tools_pin.c - approving definitions, and telling what would be approved.
 *
 * Both compare what the servers say with what the lock file says; pin then writes it anew, beside
 * the old one and over it in one step, so that whoever reads it meanwhile reads one or the other.
 */
#include "../../base/map.h"
#include "../files.h"
#include "tools_verb.h"
#include <stdio.h>

typedef struct {
    arena *a;
    inspection *from;
    const pins *kept; /* NULL: no lock file is configured */
    const char **globs;
    int glob_count;
    pin *next; /* what the file will say */
    size_t next_count, differences;
} comparing;

static void tell(comparing *c, const char *what, str server, str tool)
{
    str name = command_plain(c->a, tool);
    buf line = buf_new(c->a, SIZE_MAX / 2);
    (void)buf_fmt(&line, "%-9s" STR_FMT "/" STR_FMT "\n", what, STR_ARG(server), STR_ARG(name));
    (void)command_print(buf_str(&line));
    c->differences++;
}

static bool is_named(const comparing *c, str server, str tool)
{
    str name = arena_fmt(c->a, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(tool));
    for (int i = 0; i < c->glob_count; i++)
        if (policy_glob((str){c->globs[i], strlen(c->globs[i])}, name)) return true;
    return c->glob_count == 0;
}

static void keep(comparing *c, str server, str tool, str digest)
{
    c->next[c->next_count++] = (pin){server, tool, digest};
}

/* What is pinned now: kept where nobody asked about it, or nobody could be asked. */
static void compare_pin(comparing *c, const pin *p)
{
    size_t count;
    const inspected *all = inspection_servers(c->from, &count), *of = NULL;
    for (size_t i = 0; i < count; i++)
        if (str_eq(all[i].server, p->server)) of = &all[i];
    bool asked = !of || of->tools; /* a server that is no longer configured has no tools */
    const catalog_item *t = of && of->tools ? catalog_find(of->tools, p->tool) : NULL;
    if (!asked || !is_named(c, p->server, p->tool)) {
        keep(c, p->server, p->tool, p->digest);
        return;
    }
    if (!t) {
        tell(c, "gone", p->server, p->tool);
        return;
    }
    if (pins_state(c->kept, p->server, t) == PIN_CHANGED) tell(c, "changed", p->server, p->tool);
    keep(c, p->server, p->tool, digest_hex(c->a, t->definition, DIGEST_BYTES));
}

static void compare_server(comparing *c, const inspected *of)
{
    for (size_t i = 0; of->tools && i < of->tools->count; i++) {
        const catalog_item *t = &of->tools->items[i];
        bool is_new = pins_state(c->kept, of->server, t) == PIN_NEW;
        if (!is_new || !is_named(c, of->server, t->name)) continue;
        tell(c, "new", of->server, t->name);
        keep(c, of->server, t->name, digest_hex(c->a, t->definition, DIGEST_BYTES));
    }
}

static void compare(comparing *c)
{
    size_t pinned, servers, room = 1;
    const pin *all = pins_list(c->kept, &pinned);
    const inspected *of = inspection_servers(c->from, &servers);
    for (size_t i = 0; i < servers; i++) room += of[i].tools ? of[i].tools->count : 0;
    c->next = NEW_N(c->a, pin, room + pinned);
    for (size_t i = 0; i < pinned; i++) compare_pin(c, &all[i]);
    for (size_t i = 0; i < servers; i++) compare_server(c, &of[i]);
}

static const err *replace(comparing *c, str path)
{
    return files_replace(c->a, path, pins_write(c->a, c->next, c->next_count));
}

static str lock_path(arena *a, const config *c)
{
    if (c->pins.name.p[0] == '/') return arena_dup(a, c->pins.name);
    return arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(c->directory), STR_ARG(c->pins.name));
}

/* 0, or the exit code: what the two verbs begin with. */
static int begin(comparing *c, int argc, char **argv, bool takes_globs)
{
    const char *file = "sallyport.yaml";
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {0}};
    c->globs = NEW_N(c->a, const char *, (size_t)argc);
    if (!command_options(argc, argv, options, c->globs, &c->glob_count)) return 2;
    if (c->glob_count && !takes_globs) return command_usage(argv[0], "the file is given with -c");
    int wrong = tools_verb_ask(c->a, file, &c->from);
    if (wrong) return wrong;
    c->kept = inspection_config(c->from)->pins;
    if (c->kept) return 0;
    inspection_end(c->from);
    return command_fail(err_new(c->a, ERR_NOT_FOUND,
                                "%s keeps no pins: name a file, as in `mcp: { pins: tools.lock }`",
                                file));
}

static int finish(comparing *c, const err *e, bool is_wrong)
{
    tools_verb_warn(c->a, c->from);
    size_t missing = tools_verb_say_missing(c->from);
    inspection_end(c->from);
    if (e) return command_fail(e);
    return missing || is_wrong ? 1 : 0;
}

int tools_verb_pin(arena *a, int argc, char **argv)
{
    comparing c = {.a = a};
    int wrong = begin(&c, argc, argv, true);
    if (wrong) return wrong;
    compare(&c);
    const config *of = inspection_config(c.from)->config;
    const err *e = replace(&c, lock_path(a, of));
    (void)fprintf(stderr, "%zu approved in " STR_FMT ", %zu differences\n", c.next_count,
                  STR_ARG(of->pins.name), c.differences);
    return finish(&c, e, false);
}

int tools_verb_diff(arena *a, int argc, char **argv)
{
    comparing c = {.a = a};
    int wrong = begin(&c, argc, argv, false);
    if (wrong) return wrong;
    compare(&c);
    return finish(&c, NULL, c.differences > 0);
}
