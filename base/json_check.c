/* SPDX-License-Identifier: Apache-2.0 */
/* json_check.c - the one pass over a text that makes everything after it safe.
 *
 * It runs on every request: strings are read sixteen bytes at a time, and the keys of the objects
 * that are open lie in the frame of js_check(). What it passes anyway it notes for those who come
 * after it: where the members stand of objects that are reached by keys alone, as are the outermost
 * one and "params", and of no more than NOTES_MOST.
 *
 * Recursion is bounded by the caller's depth and by JS_DEPTH_MAX. */
#include "json_keys.h"
#include "json_scan.h"

enum { NOTES_OPEN = 48, NOTES_MOST = 256 };
static const char TOO_DEEP[] = "nested too deeply";

typedef struct {
    const char *end;
    arena *a;
    unsigned depth, most; /* containers open, and allowed */
    unsigned arrays;      /* of them arrays */
    bool escaped;         /* a backslash was read */
    const char *problem, *at;
    str twice;                 /* the key that came twice */
    const js_members *members; /* of the value just read, if they were noted */
    size_t notes_n, notes_kept;
    js_member notes[NOTES_OPEN]; /* members so far of the objects that are open */
    js_keys keys;
} reader;

/* Every read_ function begins at p, and returns what is behind that which it read: NULL when there
 * is a problem. */
static __attribute__((cold)) const char *wrong(reader *r, const char *at, const char *problem)
{
    r->problem = problem;
    r->at = at;
    return NULL;
}

static inline const char *skip_space(const reader *r, const char *p)
{
    while (p < r->end && (unsigned char)*p <= ' ' &&
           (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits after \u, or -1. */
static int hex4(const reader *r, const char *at)
{
    if (r->end - at < 4) return -1;
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int h = hex(at[i]);
        if (h < 0) return -1;
        code = code * 16 + h;
    }
    return code;
}

static const char *read_u(reader *r, const char *p)
{
    int code = hex4(r, p + 2);
    if (code < 0) return wrong(r, p, "\\u needs four hex digits");
    if (code < 0xD800 || code > 0xDFFF) return p + 6;
    bool pair = code < 0xDC00 && r->end - p >= 12 && p[6] == '\\' && p[7] == 'u';
    int low = pair ? hex4(r, p + 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return wrong(r, p, "half a surrogate pair");
    return p + 12;
}

static const char *read_escape(reader *r, const char *p)
{
    r->escaped = true;
    if (r->end - p < 2) return wrong(r, p, "string has no end");
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return p + 2;
    case 'u': return read_u(r, p);
    default: return wrong(r, p, "unknown escape");
    }
}

/* Text that is not plain ASCII, as a rule longer than one character. */
static const char *read_wide(reader *r, const char *p)
{
    while (p < r->end && (unsigned char)*p >= 0x80) {
        size_t n = utf8_one((str){p, (size_t)(r->end - p)});
        if (!n) return wrong(r, p, "invalid UTF-8");
        p += n;
    }
    return p;
}

/* From the opening quote to behind the closing one. */
static const char *read_string(reader *r, const char *p)
{
    for (p++;;) {
        p += utf8_plain(p, (size_t)(r->end - p));
        if (p == r->end) return wrong(r, p, "string has no end");
        if (*p == '"') return p + 1;
        p = *p == '\\'                  ? read_escape(r, p)
            : (unsigned char)*p >= 0x80 ? read_wide(r, p)
                                        : wrong(r, p, "control character in a string");
        if (!p) return NULL;
    }
}

static const char *read_digits(reader *r, const char *p)
{
    const char *from = p;
    while (p < r->end && *p >= '0' && *p <= '9') p++;
    return p > from ? p : wrong(r, p, "digit expected");
}

static const char *read_number(reader *r, const char *p)
{
    if (*p == '-') p++;
    if (p < r->end && *p == '0')
        p++; /* 01 then fails at the 1 */
    else
        p = read_digits(r, p);
    if (p && p < r->end && *p == '.') p = read_digits(r, p + 1);
    if (p && p < r->end && (*p | 0x20) == 'e') {
        p++;
        if (p < r->end && (*p == '+' || *p == '-')) p++;
        p = read_digits(r, p);
    }
    return p;
}

static const char *read_word(reader *r, const char *p, str word)
{
    bool whole = str_starts((str){p, (size_t)(r->end - p)}, word);
    return whole ? p + word.n : wrong(r, p, "value expected");
}

/* A key, to behind its colon. */
static const char *read_key(reader *r, const char *p, js_keys_object *o, str *raw)
{
    const char *from = p;
    if (p == r->end || *p != '"') return wrong(r, p, "key expected");
    r->escaped = false;
    p = read_string(r, p);
    if (!p) return NULL;
    str key = {from + 1, (size_t)(p - from) - 2};
    *raw = key;
    if (r->escaped) key = js_text(r->a, js_view(JS_STRING, (str){from, key.n + 2}));
    if (!js_keys_add(&r->keys, o, key)) {
        r->twice = key;
        return wrong(r, from, "duplicate key");
    }
    p = skip_space(r, p);
    if (p == r->end || *p != ':') return wrong(r, p, "':' expected");
    return p + 1;
}

static js_kind kind_of(char first)
{
    static const uint8_t kinds[256] =
        {['"'] = JS_STRING, ['{'] = JS_OBJECT,         ['['] = JS_ARRAY,  ['t'] = JS_TRUE,
         ['f'] = JS_FALSE,  ['0' ... '9'] = JS_NUMBER, ['-'] = JS_NUMBER, ['n'] = JS_NULL};
    return (js_kind)kinds[(unsigned char)first];
}

/* The member whose value stands from `from` to `to`; false when there is no room for it. */
static bool note(reader *r, str key, const char *from, const char *to)
{
    if (r->notes_n == NOTES_OPEN) return false;
    js_value v = {kind_of(*from), {from, (size_t)(to - from)}, r->members};
    r->notes[r->notes_n++] = (js_member){key, v};
    return true;
}

/* The notes of the object that ends here, from `first` on. */
static const js_members *keep_notes(reader *r, size_t first)
{
    size_t n = r->notes_n - first;
    if (n > NOTES_MOST - r->notes_kept) return NULL;
    r->notes_kept += n;
    js_members *m = arena_alloc(r->a, sizeof *m + n * sizeof *m->at, _Alignof(js_members), 1);
    m->n = n;
    memcpy(m->at, &r->notes[first], n * sizeof *m->at);
    return m;
}

static const char *read_value(reader *r, const char *p);

static const char *read_members(reader *r, const char *p)
{
    js_keys_object o = js_keys_open(&r->keys);
    size_t first = r->notes_n;
    bool noted = !r->arrays;
    for (;;) {
        str key;
        p = read_key(r, p, &o, &key);
        if (!p) return NULL;
        const char *from = skip_space(r, p);
        p = read_value(r, from);
        if (!p) return NULL;
        noted = noted && note(r, key, from, p);
        p = skip_space(r, p);
        if (p == r->end) return wrong(r, p, "object has no end");
        if (*p != ',') break;
        p = skip_space(r, p + 1);
    }
    if (*p != '}') return wrong(r, p, "',' or '}' expected");
    js_keys_close(&r->keys, &o);
    r->members = noted ? keep_notes(r, first) : NULL;
    r->notes_n = first;
    return p + 1;
}

static const char *read_elements(reader *r, const char *p)
{
    r->arrays++;
    for (;;) {
        p = read_value(r, p);
        if (!p) return NULL;
        p = skip_space(r, p);
        if (p == r->end) return wrong(r, p, "array has no end");
        if (*p != ',') break;
        p = skip_space(r, p + 1);
    }
    if (*p != ']') return wrong(r, p, "',' or ']' expected");
    r->arrays--;
    r->members = NULL;
    return p + 1;
}

static const char *read_container(reader *r, const char *p)
{
    bool object = *p == '{';
    if (r->depth == r->most) return wrong(r, p, TOO_DEEP);
    r->depth++;
    p = skip_space(r, p + 1);
    if (p < r->end && *p == (object ? '}' : ']'))
        p++;
    else
        p = object ? read_members(r, p) : read_elements(r, p);
    r->depth--;
    return p;
}

static const char *read_value(reader *r, const char *p)
{
    r->members = NULL;
    switch (p < r->end ? kind_of(*p) : JS_ABSENT) {
    case JS_STRING: return read_string(r, p);
    case JS_NUMBER: return read_number(r, p);
    case JS_OBJECT:
    case JS_ARRAY: return read_container(r, p);
    case JS_TRUE: return read_word(r, p, S("true"));
    case JS_FALSE: return read_word(r, p, S("false"));
    case JS_NULL: return read_word(r, p, S("null"));
    case JS_ABSENT: break;
    }
    return wrong(r, p, "value expected");
}

static const err *describe(const reader *r, size_t offset)
{
    if (r->problem == TOO_DEEP)
        return err_new(r->a, ERR_TOO_LARGE, "JSON nested over %u levels at byte %zu", r->most,
                       offset);
    if (r->twice.n && r->twice.n <= 64 && !memchr(r->twice.p, 0, r->twice.n))
        return err_new(r->a, ERR_MALFORMED, "JSON: duplicate key \"" STR_FMT "\" at byte %zu",
                       STR_ARG(r->twice), offset);
    return err_new(r->a, ERR_MALFORMED, "JSON: %s at byte %zu", r->problem, offset);
}

const err *js_check(arena *a, str text, unsigned depth, js_value *root)
{
    reader r; /* not zeroed as a whole: most of its keys and notes are never touched */
    *root = (js_value){0};
    if (text.n >= UINT32_MAX) return err_new(a, ERR_TOO_LARGE, "JSON of %zu bytes", text.n);
    if (!text.p) text = S("");
    r.end = text.p + text.n;
    r.a = a;
    r.depth = r.arrays = 0;
    r.most = depth < JS_DEPTH_MAX ? depth : JS_DEPTH_MAX;
    r.twice = (str){0};
    r.notes_n = r.notes_kept = 0;
    js_keys_init(&r.keys);
    const char *from = skip_space(&r, text.p), *p = read_value(&r, from);
    str raw = {from, p ? (size_t)(p - from) : 0};
    if (p) p = skip_space(&r, p);
    if (p && p < r.end) p = wrong(&r, p, "text after the value");
    js_keys_free(&r.keys);
    if (!p) return describe(&r, (size_t)(r.at - text.p));
    *root = (js_value){kind_of(*from), raw, r.members};
    return NULL;
}
