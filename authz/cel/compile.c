/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c - the passes in order, and what a host may ask of a program. */
#include "../../base/utf8.h"
#include "check.h"
#include "lex.h"
#include "parse.h"
#include "plan.h"

enum { DEPTH = 64, SOURCE = 16384, DEPTH_MOST = 120 /* what the stack of a worker bears */ };

static cel_options filled(const cel_options *options)
{
    cel_options o = options ? *options : (cel_options){0};
    if (!o.limits.depth) o.limits.depth = DEPTH;
    if (o.limits.depth > DEPTH_MOST) o.limits.depth = DEPTH_MOST;
    if (!o.limits.source) o.limits.source = SOURCE;
    if (o.limits.source > INT32_MAX) o.limits.source = INT32_MAX;
    return o;
}

static bool readable(cel_notes *notes, str source, const cel_options *o)
{
    if (source.n > o->limits.source) {
        cel_note(notes, (cel_span){(uint32_t)o->limits.source, 0}, "E008",
                 arena_fmt(notes->a, "longer than %zu bytes", o->limits.source), (str){0});
        return false;
    }
    size_t at = 0, n;
    while ((n = utf8_one(str_drop(source, at))) > 0) at += n;
    if (at == source.n) return true;
    cel_note(notes, (cel_span){(uint32_t)at, 1}, "E002", S("not valid UTF-8"), (str){0});
    return false;
}

static void compile(cel_notes *notes, cel_program *p, const cel_env *env, const cel_options *o)
{
    if (!readable(notes, p->source, o)) return;
    p->root = cel_parse(notes, p->source, &o->limits);
    if (notes->count) return;
    cel_check(notes, p->root, env, o);
    if (notes->count) return;
    cel_zone_book *zones = NEW(notes->a, cel_zone_book);
    zones->source = o->zones;
    p->zones = zones;
    cel_plan(notes, p->root, !o->unchecked, zones);
    p->places = cel_share_paths(notes->a, p->root);
    p->reads = cel_collect_reads(notes->a, p->root, &p->read_count);
}

const cel_problem *cel_checked_tree(arena *a, str source, const cel_env *env,
                                    const cel_options *options, cel_node **root)
{
    cel_options o = filled(options);
    cel_notes notes = {.a = a};
    *root = NULL;
    if (!readable(&notes, source, &o)) return notes.first;
    cel_node *parsed = cel_parse(&notes, source, &o.limits);
    if (notes.count) return notes.first;
    cel_check(&notes, parsed, env, &o);
    *root = parsed;
    return notes.first;
}

const cel_problem *cel_compile_with(arena *a, str source, const cel_env *env,
                                    const cel_options *options, cel_program **out)
{
    static const cel_env empty = {0};
    cel_options o = filled(options);
    cel_notes notes = {.a = a};
    cel_program *p = NEW(a, cel_program);
    /* The tree and its constants are views of the source: the program keeps a copy. */
    p->source = source.n <= o.limits.source ? arena_dup(a, source) : source;
    compile(&notes, p, env ? env : &empty, &o);
    *out = notes.first ? NULL : p;
    return notes.first;
}

const cel_problem *cel_compile(arena *a, str source, const cel_env *env, const cel_limits *limits,
                               cel_program **out)
{
    cel_options o = {.limits = limits ? *limits : (cel_limits){0}};
    return cel_compile_with(a, source, env, &o, out);
}

const cel_read *cel_reads(const cel_program *p, size_t *count)
{
    *count = p->read_count;
    return p->reads;
}

bool cel_reads_slot(const cel_program *p, size_t slot)
{
    for (size_t i = 0; i < p->read_count; i++) {
        if (p->reads[i].slot == slot) return true;
    }
    return false;
}

cel_type cel_result_type(const cel_program *p)
{
    int kind = cel_type_seen(p->root->type)->kind;
    return kind < CEL_T_KINDS ? (cel_type)kind : CEL_T_DYN;
}

str cel_result_type_text(arena *a, const cel_program *p)
{
    return cel_type_text(a, p->root->type);
}
