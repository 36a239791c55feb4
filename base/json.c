/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - walks a checked text without a tree.
 *
 * Of an object whose members were noted these are looked at. In others a value is found by skipping
 * those before it: strings from quote to quote, containers by counting brackets outside strings;
 * who needs many members iterates once. On text that was not checked the answers are worthless, yet
 * every step is bounded by the end of the view. */
#include "json.h"
#include "json_scan.h"
#include <limits.h>

#ifdef __SSE2__
/* Which of sixteen bytes are `c`, as bits. */
static unsigned places(__m128i x, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(c)));
}

/* Sets every bit with an odd number of quotes at or below it: what lies inside them. */
static unsigned between(unsigned quotes)
{
    quotes ^= quotes << 1;
    quotes ^= quotes << 2;
    quotes ^= quotes << 4;
    return quotes ^ quotes << 8;
}

/* Sixteen bytes of a container, of which the first is outside strings; those before a backslash, if
 * there is one. Returns how many it stepped over, a string that began among them included. Stops at
 * the container's end, with *depth 0. */
static size_t step_block(str s, size_t *depth)
{
    enum { WIDTH = 16 };
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)s.p);
    __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20)); /* [ is { and ] is } then */
    unsigned slashes = places(x, '\\');
    size_t n = slashes ? (size_t)__builtin_ctz(slashes) : WIDTH;
    if (n == 0) return 1;
    unsigned ours = (1u << n) - 1, text = between(places(x, '"') & ours);
    unsigned closes = places(folded, '}');
    for (unsigned left = (places(folded, '{') | closes) & ours & ~text; left; left &= left - 1) {
        unsigned bit = left & -left;
        if (closes & bit)
            --*depth;
        else
            ++*depth;
        if (!*depth) return (size_t)__builtin_ctz(bit) + 1;
    }
    bool inside = text & 1u << (WIDTH - 1);
    return inside ? n - 1 + js_string_length(str_drop(s, n - 1)) : n;
}
#endif

static size_t container_length(str s)
{
    enum { PLAIN, QUOTE, OPEN, CLOSE };
    static const uint8_t kind[256] =
        {['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE};
    size_t at = 0, depth = 0;
    while (at < s.n) {
#ifdef __SSE2__
        if (s.n - at >= 16) {
            at += step_block(str_drop(s, at), &depth);
            if (!depth) return at;
            continue;
        }
#endif
        uint8_t k = kind[(unsigned char)s.p[at]];
        if (k == QUOTE) {
            at += js_string_length(str_drop(s, at));
            continue;
        }
        at++;
        if (k == OPEN) depth++;
        if (k == CLOSE && --depth == 0) return at;
    }
    return s.n;
}

/* The value at the start of s; JS_ABSENT when none can begin there. */
static js_value first_value(str s)
{
    if (!s.n) return (js_value){0};
    switch (*s.p) {
    case '"': return js_view(JS_STRING, str_take(s, js_string_length(s)));
    case '{': return js_view(JS_OBJECT, str_take(s, container_length(s)));
    case '[': return js_view(JS_ARRAY, str_take(s, container_length(s)));
    case 't': return js_view(JS_TRUE, str_take(s, js_scalar_length(s)));
    case 'f': return js_view(JS_FALSE, str_take(s, js_scalar_length(s)));
    case 'n': return js_view(JS_NULL, str_take(s, js_scalar_length(s)));
    default: break;
    }
    size_t n = js_scalar_length(s);
    return n ? js_view(JS_NUMBER, str_take(s, n)) : (js_value){0};
}

js_token js_read(str *rest)
{
    str s = js_skip_space(*rest);
    while (s.n && *s.p == ',') s = js_skip_space(str_drop(s, 1));
    *rest = str_drop(s, 1);
    if (!s.n) return (js_token){0};
    switch (*s.p) {
    case '{': return (js_token){.kind = JS_OPEN_OBJECT};
    case '[': return (js_token){.kind = JS_OPEN_ARRAY};
    case '}':
    case ']': return (js_token){.kind = JS_CLOSE};
    default: break;
    }
    js_value v = first_value(s);
    *rest = js_skip_space(str_drop(s, v.raw.n ? v.raw.n : 1));
    if (v.kind != JS_STRING || !rest->n || *rest->p != ':') return (js_token){JS_SCALAR, v};
    *rest = str_drop(*rest, 1);
    return (js_token){JS_KEY, v};
}

/* What is between the quotes. */
static str inside(js_value string)
{
    str raw = string.raw;
    return raw.n < 2 ? (str){0} : (str){raw.p + 1, raw.n - 2};
}

static uint32_t hex4(str s)
{
    uint32_t code = 0;
    for (size_t i = 0; i < 4 && i < s.n; i++) {
        uint32_t c = (unsigned char)s.p[i];
        code = code << 4 | ((c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15);
    }
    return code;
}

/* Reads one character or one run of plain ones from *s; writes at most as much as it reads. */
static size_t unescape_step(str *s, char *out)
{
    const char *slash = memchr(s->p, '\\', s->n);
    size_t run = slash ? (size_t)(slash - s->p) : s->n;
    if (run) {
        memcpy(out, s->p, run);
        *s = str_drop(*s, run);
        return run;
    }
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = '\\';
    if (s->n > 1) c = s->p[1];
    *s = str_drop(*s, 2);
    if (c != 'u') {
        const char *at = memchr(from, c, sizeof from - 1);
        *out = c;
        if (at) *out = to[at - from];
        return 1;
    }
    uint32_t code = hex4(*s);
    *s = str_drop(*s, 4);
    if (code >= 0xD800 && code < 0xDC00 && s->n >= 6) {
        code = 0x10000 + ((code & 0x3FF) << 10 | (hex4(str_drop(*s, 2)) & 0x3FF));
        *s = str_drop(*s, 6);
    }
    return utf8_write(out, code);
}

/* Compares piece by piece, so that nothing is copied. A run is never longer than what it is
 * compared with: only so much of it is read. */
static bool escaped_is(str raw, str text)
{
    while (raw.n) {
        if (*raw.p != '\\') {
            if (!text.n || *raw.p != *text.p) return false;
            raw = str_drop(raw, 1);
            text = str_drop(text, 1);
            continue;
        }
        char one[4];
        size_t n = unescape_step(&raw, one);
        if (!str_starts(text, (str){one, n})) return false;
        text = str_drop(text, n);
    }
    return text.n == 0;
}

static bool raw_is(str raw, str text)
{
    if (raw.n < text.n) return false; /* an escape is longer than what it stands for */
    if (!text.n) return raw.n == 0;
    if (*raw.p != *text.p && *raw.p != '\\') return false; /* as almost all that differ */
    bool escapes = memchr(raw.p, '\\', raw.n) != NULL;
    return escapes ? escaped_is(raw, text) : str_eq(raw, text);
}

js_iter js_iterate(js_value container)
{
    js_iter it = {0};
    if (container.kind != JS_OBJECT && container.kind != JS_ARRAY) return it;
    it.members = container.members;
    it.rest = str_drop(container.raw, 1);
    /* a key that points somewhere says: this is an object */
    if (container.kind == JS_OBJECT) it.key = (str){container.raw.p, 0};
    return it;
}

js_iter js_elements(js_value list)
{
    return list.kind == JS_ARRAY ? js_iterate(list) : (js_iter){0};
}

static bool next_noted(js_iter *it)
{
    bool any = it->at < it->members->n;
    js_member m = any ? it->members->at[it->at++] : (js_member){0};
    it->key = m.key;
    it->value = m.value;
    return any;
}

bool js_next(js_iter *it)
{
    if (it->members) return next_noted(it);
    str s = js_skip_space(it->rest);
    if (s.n && *s.p == ',') s = js_skip_space(str_drop(s, 1));
    it->rest = (str){0};
    it->value = (js_value){0};
    if (it->key.p) {
        if (!s.n || *s.p != '"') return false;
        js_value key = first_value(s);
        it->key = inside(key);
        if (!it->key.p) return false;
        s = js_skip_space(str_drop(s, key.raw.n));
        if (!s.n || *s.p != ':') return false;
        s = js_skip_space(str_drop(s, 1));
    }
    it->value = first_value(s);
    if (it->value.kind == JS_ABSENT) return false;
    it->rest = str_drop(s, it->value.raw.n);
    return true;
}

bool js_key_is(const js_iter *it, str name)
{
    return it->key.p && raw_is(it->key, name);
}

js_value js_get(js_value object, str name)
{
    if (object.kind != JS_OBJECT) return (js_value){0};
    for (size_t i = 0; object.members && i < object.members->n; i++) {
        const js_member *m = &object.members->at[i];
        if (raw_is(m->key, name)) return m->value;
    }
    if (object.members) return (js_value){0};
    js_iter it = js_iterate(object);
    while (js_next(&it)) {
        if (raw_is(it.key, name)) return it.value;
    }
    return (js_value){0};
}

js_value js_at(js_value root, const char *dotted)
{
    str path = {dotted, strlen(dotted)};
    for (;;) {
        str_pair cut = str_cut(path, '.');
        root = js_get(root, cut.head);
        if (!cut.ok || root.kind == JS_ABSENT) return root;
        path = cut.tail;
    }
}

str js_text(arena *a, js_value string)
{
    if (string.kind != JS_STRING) return (str){0};
    str raw = inside(string);
    if (!raw.n || !memchr(raw.p, '\\', raw.n)) return raw;
    char *out = arena_bytes(a, raw.n + 1);
    size_t n = 0;
    while (raw.n) n += unescape_step(&raw, out + n);
    out[n] = 0;
    return (str){out, n};
}

str js_key_text(arena *a, const js_iter *it)
{
    if (!it->key.n || !memchr(it->key.p, '\\', it->key.n)) return it->key;
    return js_text(a,
                   js_view(JS_STRING, (str){it->key.p - 1, it->key.n + 2})); /* with its quotes */
}

bool js_text_is(js_value string, str text)
{
    return string.kind == JS_STRING && string.raw.n >= 2 && raw_is(inside(string), text);
}

bool js_int(js_value number, int64_t *out)
{
    if (number.kind != JS_NUMBER) return false;
    str s = number.raw;
    bool negative = s.n && *s.p == '-';
    if (negative) s = str_drop(s, 1);
    if (!s.n) return false;
    uint64_t v = 0, most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || v > (most - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool js_bool(js_value v, bool otherwise)
{
    return v.kind == JS_TRUE ? true : v.kind == JS_FALSE ? false : otherwise;
}
