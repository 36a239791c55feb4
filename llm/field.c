/* SPDX-License-Identifier: Apache-2.0 */
#include "field.h"

int name_value(const name_row *rows, str name, int otherwise)
{
    for (; rows && rows->name; rows++)
        if (str_eq(name, (str){rows->name, strlen(rows->name)})) return rows->value;
    return otherwise;
}

const char *name_text(const name_row *rows, int value)
{
    for (; rows && rows->name; rows++)
        if (rows->value == value) return rows->name;
    return NULL;
}

opt_bool obj_bool(obj *o, const char *name)
{
    js_value v = obj_peek(o, name);
    bool known = v.kind == JS_TRUE || v.kind == JS_FALSE;
    (void)obj_take_kind(o, name, known ? v.kind : JS_TRUE);
    return (opt_bool){known, js_bool(v, false)};
}

static bool read_one(arena *a, const field_row *row, js_value v, void *to)
{
    int64_t n = 0;
    switch (row->kind) {
    case FIELD_STR:
        if (v.kind != JS_STRING) return false;
        *(str *)to = js_text(a, v);
        return true;
    case FIELD_NUM:
        if (v.kind != JS_NUMBER) return false;
        *(opt_num *)to = (opt_num){true, js_double(v), v.raw};
        return true;
    case FIELD_INT:
        if (!js_int(v, &n)) {
            double d = v.kind == JS_NUMBER ? js_double(v) : 0.5; /* 4096.0 is how some print it */
            if (d < -9e15 || d > 9e15 || (double)(int64_t)d != d) return false;
            n = (int64_t)d;
        }
        *(opt_int *)to = (opt_int){true, n};
        return true;
    case FIELD_BOOL:
        if (v.kind != JS_TRUE && v.kind != JS_FALSE) return false;
        *(opt_bool *)to = (opt_bool){true, v.kind == JS_TRUE};
        return true;
    case FIELD_NAME:
        if (v.kind != JS_STRING) return false;
        *(int *)to = name_value(row->names, js_text(a, v), 0);
        return *(int *)to != 0;
    case FIELD_JSON: *(js_value *)to = v; return true;
    }
    return false;
}

typedef struct {
    const field_row *bad; /* the first row whose value did not fit */
    bool spots;           /* every member read is a spot */
} reading;

/* The rows of one level: `prefix` is "" or "generationConfig." */
static void read_level(obj *o, const field_row *rows, str prefix, void *into, reading *r)
{
    arena *a = obj_arena(o);
    for (const field_row *row = rows; row->path; row++) {
        str path = {row->path, strlen(row->path)};
        if (!str_starts(path, prefix)) continue;
        const char *name = row->path + prefix.n;
        if (strchr(name, '.')) continue;
        js_value v = obj_take(o, name);
        if (v.kind == JS_ABSENT) continue;
        void *to = (char *)into + row->at;
        if (!read_one(a, row, v, to))
            r->bad = r->bad ? r->bad : row;
        else if (r->spots)
            reader_spot(obj_reader(o), to, row->path);
    }
}

static bool seen_before(const field_row *rows, const field_row *row, str prefix)
{
    for (; rows < row; rows++)
        if (str_starts((str){rows->path, strlen(rows->path)}, prefix)) return true;
    return false;
}

static void read_all(obj *o, const field_row *rows, void *into, reading *r)
{
    read_level(o, rows, S(""), into, r);
    for (const field_row *row = rows; row->path; row++) {
        str_pair cut = str_cut((str){row->path, strlen(row->path)}, '.');
        if (!cut.ok) continue;
        str prefix = str_take((str){row->path, strlen(row->path)}, cut.head.n + 1);
        if (seen_before(rows, row, prefix)) continue;
        str name = arena_dup(obj_arena(o), cut.head);
        obj *inner = obj_open(obj_reader(o), obj_peek(o, name.p), name.p);
        if (!inner) continue;
        (void)obj_take(o, name.p);
        read_level(inner, rows, prefix, into, r);
    }
}

const err *fields_read(obj *o, const field_row *rows, void *into)
{
    reading r = {.spots = true};
    read_all(o, rows, into, &r);
    if (!r.bad) return NULL;
    return err_new(obj_arena(o), ERR_MALFORMED, "'%s' has the wrong type or an unknown value",
                   r.bad->path);
}

void fields_take(obj *o, const field_row *rows, void *into)
{
    reading r = {0};
    read_all(o, rows, into, &r);
}

static jnode *number(arena *a, const opt_num *n)
{
    return n->text.n ? jn_raw(a, n->text) : jn_num(a, n->v);
}

static jnode *write_one(arena *a, const field_row *row, const void *m)
{
    const char *name = NULL;
    switch (row->kind) {
    case FIELD_STR: return jn_text(a, *(const str *)m);
    case FIELD_NUM: return ((const opt_num *)m)->set ? number(a, m) : NULL;
    case FIELD_INT: return ((const opt_int *)m)->set ? jn_int(a, ((const opt_int *)m)->v) : NULL;
    case FIELD_BOOL:
        return ((const opt_bool *)m)->set ? jn_bool(a, ((const opt_bool *)m)->v) : NULL;
    case FIELD_NAME:
        name = name_text(row->names, *(const int *)m);
        return name ? jn_text(a, (str){name, strlen(name)}) : NULL;
    case FIELD_JSON: return jn_raw(a, ((const js_value *)m)->raw);
    }
    return NULL;
}

void fields_write(const field_row *rows, const void *from, jnode *into, llm_loss *l)
{
    for (; rows->path; rows++) {
        if (rows->alias) continue;
        const void *m = (const char *)from + rows->at;
        jnode *leaf = write_one(jn_arena(into), rows, m);
        if (!leaf) continue;
        const char *dot = strrchr(rows->path, '.');
        str where = {rows->path, dot ? (size_t)(dot - rows->path) : 0};
        jn_set(jn_open(into, where), dot ? dot + 1 : rows->path, leaf);
        loss_said(l, m);
    }
}
