/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"
#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

enum { ARGUMENTS_DEPTH = 256 };

size_t list_count(js_value array)
{
    size_t n = 0;
    js_iter it = js_elements(array);
    while (js_next(&it)) n++;
    return n;
}

part_list parts_new(arena *a, size_t most)
{
    return (part_list){.p = NEW_N(a, llm_part, most + 1), .most = most};
}

llm_part *part_add(part_list *l, part_kind kind)
{
    assert(l->n < l->most);
    llm_part *p = &l->p[l->n++];
    p->kind = kind;
    return p;
}

llm_part *part_of_type(obj *o, const part_row *rows, part_list *l)
{
    str type = obj_text(o, "type");
    while (rows->type && !str_eq(type, (str){rows->type, strlen(rows->type)})) rows++;
    llm_part *p = part_add(l, rows->kind);
    reader_spot(obj_reader(o), p, rows->path);
    return p;
}

void part_keep(obj *o, js_value raw, str origin, llm_part *p)
{
    p->raw = raw;
    p->origin = origin;
    obj_take_all(o);
}

const err *content_read(llm_reader *rd, js_value content, const content_form *form, part_list *l)
{
    if (content.kind == JS_STRING) {
        llm_part *p = part_add(l, PART_TEXT);
        p->text = js_text(reader_arena(rd), content);
        reader_spot(rd, p, form->path);
        return NULL;
    }
    if (content.kind != JS_ARRAY) return reader_wrong(rd, form->neither);
    js_iter it = js_elements(content);
    while (js_next(&it)) {
        obj *o = obj_open(rd, it.value, form->path);
        if (!o) return reader_wrong(rd, form->no_parts);
        const err *e = form->read(o, it.value, l);
        if (e) return e;
    }
    return NULL;
}

const err *tools_read(obj *o, llm_chat *c, const err *(*read)(obj *o, js_value raw, llm_tool *t))
{
    llm_reader *rd = obj_reader(o);
    js_value list = obj_take_kind(o, "tools", JS_ARRAY);
    llm_tool *tools = NEW_N(obj_arena(o), llm_tool, list_count(list) + 1);
    c->tools = tools;
    js_iter it = js_elements(list);
    while (js_next(&it)) {
        obj *tool = obj_open(rd, it.value, "tools");
        if (!tool) return reader_wrong(rd, "each of 'tools' must be an object");
        llm_tool *t = &tools[c->tool_count];
        const err *e = read(tool, it.value, t);
        if (e) return e;
        c->tool_count += t->kind != 0;
    }
    return NULL;
}

void tool_take(obj *o, const char *schema, const char *strict_path, llm_tool *t)
{
    t->name = obj_text(o, "name");
    t->description = obj_text(o, "description");
    t->schema = obj_take(o, schema);
    t->strict = obj_bool(o, "strict");
    if (t->strict.set) reader_spot(obj_reader(o), &t->strict, strict_path);
}

void format_take(obj *o, const char *name_path, const char *description_path, llm_format *f)
{
    llm_reader *rd = obj_reader(o);
    f->name = obj_text(o, "name");
    if (f->name.n) reader_spot(rd, &f->name, name_path);
    f->description = obj_text(o, "description");
    if (f->description.n) reader_spot(rd, &f->description, description_path);
    f->schema = obj_take_kind(o, "schema", JS_OBJECT);
    f->strict = obj_bool(o, "strict");
}

str tool_schema(const llm_tool *t, llm_loss *l)
{
    if (t->schema.kind == JS_OBJECT) return t->schema.raw;
    if (t->schema.kind != JS_ABSENT) loss_add(l, "tools.schema");
    return S("{\"type\":\"object\",\"properties\":{}}");
}

void cache_read(obj *o, cache_mark *m, const char *path)
{
    obj *mark = obj_inner(o, "cache_control", path);
    if (!mark) return;
    m->set = true;
    (void)obj_text(mark, "type");
    m->ttl = obj_text(mark, "ttl");
    reader_spot(obj_reader(o), m, path);
}

void cache_write(jnode *into, const cache_mark *m, llm_loss *l)
{
    if (!m->set) return;
    jnode *mark = jn_object(jn_arena(into));
    jn_set_text(mark, "type", S("ephemeral"));
    jn_set_text(mark, "ttl", m->ttl);
    jn_set(into, "cache_control", mark);
    loss_said(l, m);
}

media media_of_url(arena *a, str url)
{
    static const str end = {";base64", 7};
    if (!str_starts(url, S("data:"))) return (media){.from = MEDIA_URL, .value = url};
    str_pair cut = str_cut(str_drop(url, 5), ',');
    str type = cut.head;
    if (!cut.ok || type.n < end.n || !str_eq(str_drop(type, type.n - end.n), end))
        return (media){.from = MEDIA_URL, .value = url};
    type = str_cut(str_take(type, type.n - end.n), ';').head;
    str mime = type.n ? arena_dup(a, type) : S("text/plain");
    return (media){.from = MEDIA_DATA, .mime = mime, .value = cut.tail.p ? cut.tail : S("")};
}

str media_url(arena *a, const media *m)
{
    if (m->from == MEDIA_URL) return m->value;
    if (m->from != MEDIA_DATA) return (str){0};
    str mime = m->mime.n ? m->mime : S("application/octet-stream");
    buf b = buf_new(a, mime.n + m->value.n + 16);
    (void)buf_need(&b, mime.n + m->value.n + 16);
    buf_put(&b, S("data:"));
    buf_put(&b, mime);
    buf_put(&b, S(";base64,"));
    buf_put(&b, m->value);
    return buf_str(&b);
}

bool part_is_file(const llm_part *p)
{
    return p->kind == PART_IMAGE || p->kind == PART_AUDIO || p->kind == PART_VIDEO ||
           p->kind == PART_DOCUMENT;
}

static const llm_part *unsaid_file(const llm_part *parts, size_t count, const llm_loss *l)
{
    for (const llm_part *p = parts; p < parts + count; p++) {
        if (part_is_file(p) && !loss_has_said(l, p)) return p;
        for (const llm_part *in = p->inner; in < p->inner + p->inner_count; in++)
            if (part_is_file(in) && !loss_has_said(l, in)) return in;
    }
    return NULL;
}

const err *files_were_said(arena *a, const llm_chat *c, const llm_loss *l)
{
    static const char *const words[] = {[PART_IMAGE] = "image",
                                        [PART_AUDIO] = "audio",
                                        [PART_VIDEO] = "video",
                                        [PART_DOCUMENT] = "document"};
    for (size_t i = 0; i < c->turn_count; i++) {
        const llm_part *p = unsaid_file(c->turns[i].parts, c->turns[i].count, l);
        if (p)
            return err_new(a, ERR_UNSUPPORTED, "the provider of this model does not take this %s",
                           words[p->kind]);
    }
    return NULL;
}

bool is_json_object(arena *a, str text)
{
    js_value v;
    return !js_check(a, text, ARGUMENTS_DEPTH, &v) && v.kind == JS_OBJECT;
}

jnode *arguments_object(arena *a, const llm_part *call)
{
    if (!call->custom && is_json_object(a, call->text)) return jn_raw(a, call->text);
    jnode *o = jn_object(a);
    if (call->text.n) jn_set_text(o, "input", call->text);
    return o;
}

void stops_write(const llm_chat *c, const char *member, jnode *into, llm_loss *l)
{
    if (!c->stop_count) return;
    arena *a = jn_arena(into);
    jnode *list = jn_array(a);
    for (size_t i = 0; i < c->stop_count; i++) jn_add(list, jn_text(a, c->stops[i]));
    jn_set(into, member, list);
    loss_said(l, &c->stops);
}

jnode *turn_add(jnode *turns, const char *role)
{
    jnode *j = jn_object(jn_arena(turns));
    jn_set_text(j, "role", (str){role, strlen(role)});
    jn_add(turns, j);
    return j;
}

jnode *content_of(jnode *list, bool plain, const llm_part *parts, size_t count)
{
    arena *a = jn_arena(list);
    if (!jn_count(list)) return NULL;
    return plain ? jn_text(a, parts_text(a, parts, count)) : list;
}

void spoken_add(spoken *s, const char *role, jnode *part)
{
    if (!s->role || strcmp(s->role, role) != 0) {
        jn_set(turn_add(s->turns, role), s->member, jn_array(jn_arena(s->turns)));
        s->role = role;
    }
    jn_add(jn_get(jn_last(s->turns), s->member), part);
}

jnode *object_of_type(arena *a, const char *type)
{
    jnode *j = jn_object(a);
    jn_set_text(j, "type", (str){type, strlen(type)});
    return j;
}

str json_compact(arena *a, str json)
{
    char *out = arena_bytes(a, json.n + 1);
    size_t n = 0;
    bool in_string = false, escaped = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (!in_string && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) continue;
        if (c == '"' && !escaped) in_string = !in_string;
        escaped = in_string && c == '\\' && !escaped;
        out[n++] = c;
    }
    return (str){out, n};
}

str made_id(arena *a, const char *prefix)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[24];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) abort();
    char text[sizeof bytes + 1] = {0};
    for (size_t i = 0; i < sizeof bytes; i++) text[i] = letters[bytes[i] & 31];
    return arena_fmt(a, "%s%s", prefix, text);
}

str made_uuid(arena *a)
{
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != sizeof b) abort();
    b[6] = (unsigned char)((b[6] & 15) | 0x40); /* RFC 9562, version 4 */
    b[8] = (unsigned char)((b[8] & 63) | 0x80);
    return arena_fmt(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                     b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                     b[12], b[13], b[14], b[15]);
}
