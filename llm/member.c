/* SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

typedef struct {
    str key;
    js_value v;
    bool taken;
} member;

struct obj {
    llm_reader *rd;
    const char *path;
    member *m;
    size_t n;
    obj *next;
};

typedef struct spot {
    const void *member;
    const char *path;
    struct spot *next;
} spot;

struct llm_reader {
    arena *a;
    obj *first, *last; /* opened, in order */
    spot *first_spot, *last_spot;
    const err *wrong; /* the first member of another kind */
};

llm_reader *reader_new(arena *a)
{
    llm_reader *rd = NEW(a, llm_reader);
    rd->a = a;
    return rd;
}

arena *reader_arena(const llm_reader *rd)
{
    return rd->a;
}

obj *obj_open(llm_reader *rd, js_value v, const char *path)
{
    if (v.kind != JS_OBJECT) return NULL;
    obj *o = NEW(rd->a, obj);
    o->rd = rd;
    o->path = path;
    member here[32] = {0};
    size_t cap = sizeof here / sizeof *here;
    member *m = here;
    js_iter it = js_iterate(v);
    while (js_next(&it)) {
        if (o->n == cap) {
            member *more = NEW_N(rd->a, member, cap * 2);
            for (size_t i = 0; i < o->n; i++) more[i] = m[i];
            m = more;
            cap *= 2;
        }
        m[o->n++] = (member){js_key_text(rd->a, &it), it.value, false};
    }
    if (m == here) {
        m = NEW_N(rd->a, member, o->n + 1);
        for (size_t i = 0; i < o->n; i++) m[i] = here[i];
    }
    o->m = m;
    if (rd->last)
        rd->last->next = o;
    else
        rd->first = o;
    rd->last = o;
    return o;
}

arena *obj_arena(const obj *o)
{
    return o->rd->a;
}

llm_reader *obj_reader(const obj *o)
{
    return o->rd;
}

static member *find(const obj *o, str key)
{
    for (size_t i = 0; i < o->n; i++)
        if (str_eq(o->m[i].key, key)) return &o->m[i];
    return NULL;
}

js_value obj_take_any(obj *o, const char *name)
{
    member *m = find(o, (str){name, strlen(name)});
    if (!m) return (js_value){0};
    m->taken = true;
    return m->v;
}

js_value obj_take(obj *o, const char *name)
{
    js_value v = obj_take_any(o, name);
    return v.kind == JS_NULL ? (js_value){0} : v;
}

js_value obj_peek(const obj *o, const char *name)
{
    const member *m = find(o, (str){name, strlen(name)});
    return m && m->v.kind != JS_NULL ? m->v : (js_value){0};
}

static void note_wrong(obj *o, const char *name)
{
    llm_reader *rd = o->rd;
    if (!rd->wrong)
        rd->wrong = err_new(rd->a, ERR_MALFORMED, "'%s%s%s' has the wrong type", o->path,
                            o->path[0] ? "." : "", name);
}

js_value obj_take_kind(obj *o, const char *name, js_kind kind)
{
    js_value v = obj_take(o, name);
    if (v.kind == kind || v.kind == JS_ABSENT) return v;
    note_wrong(o, name);
    return (js_value){0};
}

str obj_text(obj *o, const char *name)
{
    return js_text(o->rd->a, obj_take_kind(o, name, JS_STRING));
}

const str *obj_texts(obj *o, const char *name, size_t *count)
{
    js_value list = obj_take_kind(o, name, JS_ARRAY);
    size_t most = 0;
    for (js_iter it = js_elements(list); js_next(&it);) most++;
    str *all = NEW_N(o->rd->a, str, most + 1);
    *count = 0;
    for (js_iter it = js_elements(list); js_next(&it);) {
        if (it.value.kind != JS_STRING) note_wrong(o, name);
        all[(*count)++] = js_text(o->rd->a, it.value);
    }
    return all;
}

obj *obj_inner(obj *o, const char *name, const char *path)
{
    return obj_open(o->rd, obj_take_kind(o, name, JS_OBJECT), path);
}

bool obj_has(const obj *o, const char *name)
{
    return obj_peek(o, name).kind != JS_ABSENT;
}

void obj_take_all(obj *o)
{
    for (size_t i = 0; i < o->n; i++) o->m[i].taken = true;
}

bool obj_each(obj *o, size_t *at, str *key, js_value *v)
{
    if (*at >= o->n) return false;
    *key = o->m[*at].key;
    *v = o->m[*at].v;
    ++*at;
    return true;
}

void obj_taken(obj *o, str key)
{
    member *m = find(o, key);
    if (m) m->taken = true;
}

void reader_spot(llm_reader *rd, const void *at, const char *path)
{
    spot *s = NEW(rd->a, spot);
    *s = (spot){at, path, NULL};
    if (rd->last_spot)
        rd->last_spot->next = s;
    else
        rd->first_spot = s;
    rd->last_spot = s;
}

const err *reader_checked(const llm_reader *rd)
{
    return rd->wrong;
}

const err *reader_wrong(const llm_reader *rd, const char *what)
{
    return err_new(rd->a, ERR_MALFORMED, "%s", what);
}

/* What was said is a set of addresses: open addressing, never more than half full. */
struct llm_loss {
    arena *a;
    const void **set;
    size_t n, cap;
    spot *added;
};

enum { FIRST_CAP = 64, LIST_LIMIT = 4096 };

llm_loss *loss_new(arena *a)
{
    llm_loss *l = NEW(a, llm_loss);
    l->a = a;
    l->cap = FIRST_CAP;
    l->set = NEW_N(a, const void *, l->cap);
    return l;
}

/* Addresses are ours, not a peer's: any spreading will do. */
static const void **slot_of(const llm_loss *l, const void *at)
{
    size_t i = (size_t)((uintptr_t)at * 0x9e3779b97f4a7c15u >> 20) & (l->cap - 1);
    while (l->set[i] && l->set[i] != at) i = (i + 1) & (l->cap - 1);
    return &l->set[i];
}

static void grow(llm_loss *l)
{
    const void **old = l->set;
    size_t count = l->cap;
    l->cap *= 2;
    l->set = NEW_N(l->a, const void *, l->cap);
    for (size_t i = 0; i < count; i++)
        if (old[i]) *slot_of(l, old[i]) = old[i];
}

void loss_said(llm_loss *l, const void *at)
{
    if (!l) return;
    if (l->n * 2 >= l->cap) grow(l);
    const void **slot = slot_of(l, at);
    l->n += *slot == NULL;
    *slot = at;
}

bool loss_has_said(const llm_loss *l, const void *at)
{
    return *slot_of(l, at) != NULL;
}

void loss_add(llm_loss *l, const char *path)
{
    if (!l) return;
    spot *s = NEW(l->a, spot);
    *s = (spot){NULL, path, l->added};
    l->added = s;
}

/* Is this name in the list already? The list is short: what a client sends has few kinds. */
static bool listed(const buf *b, str name)
{
    str rest = buf_str(b);
    while (rest.n) {
        str_pair cut = str_cut(rest, ',');
        if (str_eq(cut.head, name)) return true;
        rest = cut.tail;
    }
    return false;
}

/* Only what is printable and no separator goes out: a member's name is the client's own text. */
static void put_name(arena *a, buf *b, const char *path, str key)
{
    if (!buf_ok(b)) return; /* as many as there is room for */
    bool inner = path[0] && key.n;
    str whole = arena_fmt(a, "%s%s" STR_FMT, path, inner ? "." : "", STR_ARG(str_take(key, 64)));
    char *p = arena_bytes(a, whole.n + 1);
    for (size_t i = 0; i < whole.n; i++) {
        char c = whole.p[i];
        bool printable = c > ' ' && c < 0x7f && c != ',';
        p[i] = '_';
        if (printable) p[i] = c;
    }
    str clean = {p, whole.n};
    if (listed(b, clean)) return;
    if (b->n) buf_put(b, S(","));
    buf_put(b, clean);
}

str loss_list(arena *a, const llm_reader *rd, const llm_loss *l)
{
    buf b = buf_new(a, LIST_LIMIT);
    for (const spot *s = rd->first_spot; s; s = s->next)
        if (!*slot_of(l, s->member)) put_name(a, &b, s->path, (str){0});
    for (const obj *o = rd->first; o; o = o->next)
        for (size_t i = 0; i < o->n; i++)
            if (!o->m[i].taken && o->m[i].v.kind != JS_NULL) put_name(a, &b, o->path, o->m[i].key);
    for (const spot *s = l->added; s; s = s->next) put_name(a, &b, s->path, (str){0});
    return b.n ? buf_str(&b) : (str){0};
}
