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

typedef struct {
    const char *p, *end;
    arena *a;
    unsigned depth, most; /* containers open, and allowed */
    unsigned arrays;      /* of them arrays */
    bool escaped;         /* the string just read has a backslash */
    const char *problem;
    str twice;                 /* the key that came twice */
    const js_members *members; /* of the value just read, if they were noted */
    size_t notes_n, notes_kept;
    js_member notes[NOTES_OPEN]; /* members so far of the objects that are open */
    js_keys keys;
} reader;

static bool wrong(reader *r, const char *problem)
{
    if (!r->problem) r->problem = problem;
    return false;
}

static inline void skip_space(reader *r)
{
    while (r->p < r->end && (unsigned char)*r->p <= ' ' &&
           (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
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

static bool read_u(reader *r)
{
    int code = hex4(r, r->p + 2);
    if (code < 0) return wrong(r, "\\u needs four hex digits");
    if (code < 0xD800 || code > 0xDFFF) {
        r->p += 6;
        return true;
    }
    bool pair = code < 0xDC00 && r->end - r->p >= 12 && r->p[6] == '\\' && r->p[7] == 'u';
    int low = pair ? hex4(r, r->p + 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return wrong(r, "half a surrogate pair");
    r->p += 12;
    return true;
}

static bool read_escape(reader *r)
{
    r->escaped = true;
    if (r->end - r->p < 2) return wrong(r, "string has no end");
    switch (r->p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': r->p += 2; return true;
    case 'u': return read_u(r);
    default: return wrong(r, "unknown escape");
    }
}

/* Text that is not plain ASCII, as a rule longer than one character. */
static bool read_wide(reader *r)
{
    while (r->p < r->end && (unsigned char)*r->p >= 0x80) {
        size_t n = utf8_one((str){r->p, (size_t)(r->end - r->p)});
        if (!n) return wrong(r, "invalid UTF-8");
        r->p += n;
    }
    return true;
}

/* From the opening quote to behind the closing one. */
static bool read_string(reader *r)
{
    r->escaped = false;
    r->p++;
    for (;;) {
        r->p += utf8_plain(r->p, (size_t)(r->end - r->p));
        if (r->p == r->end) return wrong(r, "string has no end");
        if (*r->p == '"') break;
        bool good = *r->p == '\\'                  ? read_escape(r)
                    : (unsigned char)*r->p >= 0x80 ? read_wide(r)
                                                   : wrong(r, "control character in a string");
        if (!good) return false;
    }
    r->p++;
    return true;
}

static bool read_digits(reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') r->p++;
    return r->p > from || wrong(r, "digit expected");
}

static bool read_number(reader *r)
{
    if (*r->p == '-') r->p++;
    if (r->p < r->end && *r->p == '0')
        r->p++; /* 01 then fails at the 1 */
    else if (!read_digits(r))
        return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!read_digits(r)) return false;
    }
    if (r->p < r->end && (*r->p | 0x20) == 'e') {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) r->p++;
        if (!read_digits(r)) return false;
    }
    return true;
}

static bool read_word(reader *r, str word)
{
    if (!str_starts((str){r->p, (size_t)(r->end - r->p)}, word)) return wrong(r, "value expected");
    r->p += word.n;
    return true;
}

static bool read_key(reader *r, js_keys_object *o, str *raw)
{
    const char *from = r->p;
    if (r->p == r->end || *r->p != '"') return wrong(r, "key expected");
    if (!read_string(r)) return false;
    str key = {from + 1, (size_t)(r->p - from) - 2};
    *raw = key;
    if (r->escaped) key = js_text(r->a, js_view(JS_STRING, (str){from, key.n + 2}));
    if (!js_keys_add(&r->keys, o, key)) {
        r->twice = key;
        r->p = from;
        return wrong(r, "duplicate key");
    }
    skip_space(r);
    if (r->p == r->end || *r->p != ':') return wrong(r, "':' expected");
    r->p++;
    return true;
}

static bool read_value(reader *r);

static bool open_container(reader *r)
{
    if (r->depth == r->most) return wrong(r, "nested too deeply");
    r->depth++;
    r->p++;
    skip_space(r);
    return true;
}

/* Behind a value: true with *more when a comma follows, true without at the closing bracket. */
static bool read_separator(reader *r, char closing, bool *more)
{
    skip_space(r);
    if (r->p == r->end) return wrong(r, closing == '}' ? "object has no end" : "array has no end");
    *more = *r->p == ',';
    if (!*more && *r->p != closing)
        return wrong(r, closing == '}' ? "',' or '}' expected" : "',' or ']' expected");
    r->p++;
    if (*more)
        skip_space(r);
    else
        r->depth--;
    return true;
}

static js_kind kind_of(char first)
{
    switch (first) {
    case '"': return JS_STRING;
    case '{': return JS_OBJECT;
    case '[': return JS_ARRAY;
    case 't': return JS_TRUE;
    case 'f': return JS_FALSE;
    case 'n': return JS_NULL;
    default: return JS_NUMBER;
    }
}

/* The member whose value has just been read, from `from` on; false when there is no room for it. */
static bool note(reader *r, str key, const char *from)
{
    if (r->notes_n == NOTES_OPEN) return false;
    js_value v = {kind_of(*from), {from, (size_t)(r->p - from)}, r->members};
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

static bool read_members(reader *r)
{
    js_keys_object o = js_keys_open(&r->keys);
    size_t first = r->notes_n;
    bool noted = !r->arrays;
    for (bool more = true; more;) {
        str key;
        if (!read_key(r, &o, &key)) return false;
        skip_space(r);
        const char *from = r->p;
        if (!read_value(r)) return false;
        noted = noted && note(r, key, from);
        if (!read_separator(r, '}', &more)) return false;
    }
    js_keys_close(&r->keys, &o);
    r->members = noted ? keep_notes(r, first) : NULL;
    r->notes_n = first;
    return true;
}

static bool read_object(reader *r)
{
    if (!open_container(r)) return false;
    if (r->p == r->end || *r->p != '}') return read_members(r);
    r->p++;
    r->depth--;
    return true;
}

static bool read_array(reader *r)
{
    if (!open_container(r)) return false;
    if (r->p < r->end && *r->p == ']') {
        r->p++;
        r->depth--;
        return true;
    }
    r->arrays++;
    for (bool more = true; more;) {
        if (!read_value(r) || !read_separator(r, ']', &more)) return false;
    }
    r->arrays--;
    r->members = NULL;
    return true;
}

static bool read_value(reader *r)
{
    skip_space(r);
    if (r->p == r->end) return wrong(r, "value expected");
    r->members = NULL;
    switch (*r->p) {
    case '"': return read_string(r);
    case '{': return read_object(r);
    case '[': return read_array(r);
    case 't': return read_word(r, S("true"));
    case 'f': return read_word(r, S("false"));
    case 'n': return read_word(r, S("null"));
    default: break;
    }
    if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) return read_number(r);
    return wrong(r, "value expected");
}

static const err *describe(const reader *r, size_t offset)
{
    bool deep =
        r->depth == r->most && r->p < r->end && strcmp(r->problem, "nested too deeply") == 0;
    if (deep)
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
    r.p = text.p;
    r.end = text.p + text.n;
    r.a = a;
    r.depth = 0;
    r.most = depth < JS_DEPTH_MAX ? depth : JS_DEPTH_MAX;
    r.problem = NULL;
    r.twice = (str){0};
    r.arrays = 0;
    r.notes_n = r.notes_kept = 0;
    js_keys_init(&r.keys);
    skip_space(&r);
    const char *from = r.p;
    bool good = read_value(&r);
    str raw = {from, (size_t)(r.p - from)};
    if (good) skip_space(&r);
    if (good && r.p < r.end) good = wrong(&r, "text after the value");
    js_keys_free(&r.keys);
    if (!good) return describe(&r, (size_t)(r.p - text.p));
    *root = (js_value){kind_of(*from), raw, r.members};
    return NULL;
}
