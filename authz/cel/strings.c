/* SPDX-License-Identifier: Apache-2.0 */
/* strings.c - the extension functions over strings.
 *
 * Offsets count code points. What is read and what is written is paid for before either is done,
 * so a doubling chain of replace() ends at the bound of cost, not at the end of memory. Results
 * are views of the argument where they can be. */
#include "../../base/buf.h"
#include "../../base/utf8.h"
#include "compare.h"
#include "library.h"

static str rest_of(str s, size_t at)
{
    return (str){s.p + at, s.n - at};
}

/* The length of the code point at the start of s; a byte that is none counts as one. */
static size_t step(str s)
{
    size_t n = utf8_one(s);
    return n || !s.n ? n : 1;
}

/* Where code point `n` begins; false when there are fewer. The end counts as a place. */
static bool place(str s, int64_t n, size_t *at)
{
    *at = 0;
    if (n < 0) return false;
    for (; n > 0 && *at < s.n; n--) *at += step(rest_of(s, *at));
    return n == 0;
}

static int64_t points(str s)
{
    int64_t n = 0;
    for (; s.n; s = rest_of(s, step(s))) n++;
    return n;
}

cel_value cel_fn_char_at(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str text = cel_text(args[0]);
    size_t at;
    if (!cel_spend(s, text.n)) return cel_failed(CEL_COST_EXCEEDED);
    if (!place(text, args[1].u.i, &at)) return cel_failed(CEL_OUT_OF_RANGE);
    str rest = rest_of(text, at);
    return cel_string(str_take(rest, step(rest)));
}

static bool at_here(str text, size_t at, str part)
{
    return part.n <= text.n - at && str_eq((str){text.p + at, part.n}, part);
}

cel_value cel_fn_index_of(cel_scope *s, const cel_function *f, const cel_value *args)
{
    str text = cel_text(args[0]), part = cel_text(args[1]);
    int64_t from = f->op == 3 ? args[2].u.i : 0;
    size_t at;
    if (!cel_spend(s, text.n + part.n)) return cel_failed(CEL_COST_EXCEEDED);
    if (!place(text, from, &at)) return cel_failed(CEL_OUT_OF_RANGE);
    if (!part.n) return cel_int(from);
    const char *found = text.n - at ? memmem(text.p + at, text.n - at, part.p, part.n) : NULL;
    return cel_int(found ? points((str){text.p, (size_t)(found - text.p)}) : -1);
}

cel_value cel_fn_last_index_of(cel_scope *s, const cel_function *f, const cel_value *args)
{
    str text = cel_text(args[0]), part = cel_text(args[1]);
    size_t at = text.n;
    /* every place may be compared with all of the part */
    if (!cel_spend(s, text.n) || !cel_spend(s, text.n * (part.n < 64 ? part.n / 8 : part.n))) {
        return cel_failed(CEL_COST_EXCEEDED);
    }
    if (f->op == 3 && !place(text, args[2].u.i, &at)) return cel_failed(CEL_OUT_OF_RANGE);
    for (;; at--) {
        if (at_here(text, at, part)) return cel_int(points(str_take(text, at)));
        if (!at) return cel_int(-1);
    }
}

cel_value cel_fn_substring(cel_scope *s, const cel_function *f, const cel_value *args)
{
    str text = cel_text(args[0]);
    size_t from, to = text.n;
    if (!cel_spend(s, text.n)) return cel_failed(CEL_COST_EXCEEDED);
    if (!place(text, args[1].u.i, &from)) return cel_failed(CEL_OUT_OF_RANGE);
    if (f->op == 3 && !place(text, args[2].u.i, &to)) return cel_failed(CEL_OUT_OF_RANGE);
    if (from > to) return cel_failed(CEL_OUT_OF_RANGE);
    return cel_string((str){text.p + from, to - from});
}

/* Adds 32 to, or takes it from, the letters that begin at `first`. */
static cel_value shifted(cel_scope *s, str text, char first, int by)
{
    if (!cel_spend(s, 2 * text.n)) return cel_failed(CEL_COST_EXCEEDED);
    char *out = NEW_N(s->scratch, char, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        bool letter = text.p[i] >= first && text.p[i] < first + 26;
        out[i] = text.p[i];
        if (letter) out[i] = (char)(out[i] + by);
    }
    return cel_string((str){out, text.n});
}

cel_value cel_fn_lower_ascii(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    return shifted(s, cel_text(args[0]), 'A', 32);
}

cel_value cel_fn_upper_ascii(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    return shifted(s, cel_text(args[0]), 'a', -32);
}

/* The code points Unicode calls white space. */
static bool is_space(str point)
{
    if (!point.n) return false;
    uint32_t c = utf8_code(point.p, point.n);
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Where the last code point of s begins. */
static size_t last_point(str s)
{
    size_t at = s.n - 1;
    while (at && s.n - at < 4 && ((unsigned char)s.p[at] & 0xC0) == 0x80) at--;
    return utf8_one(rest_of(s, at)) == s.n - at ? at : s.n - 1;
}

static str checked_point(str s, size_t at)
{
    size_t n = utf8_one(rest_of(s, at));
    return (str){s.p + at, n};
}

cel_value cel_fn_trim(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str text = cel_text(args[0]);
    if (!cel_spend(s, text.n)) return cel_failed(CEL_COST_EXCEEDED);
    while (text.n && is_space(checked_point(text, 0))) text = rest_of(text, step(text));
    while (text.n && is_space(checked_point(text, last_point(text)))) text.n = last_point(text);
    return cel_string(text);
}

cel_value cel_fn_reverse(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    str text = cel_text(args[0]);
    if (!cel_spend(s, 2 * text.n)) return cel_failed(CEL_COST_EXCEEDED);
    buf out = buf_new(s->scratch, text.n);
    while (text.n) {
        size_t at = last_point(text);
        (void)buf_put(&out, rest_of(text, at));
        text.n = at;
    }
    return buf_ok(&out) ? cel_string(buf_str(&out)) : cel_failed(CEL_OUT_OF_RANGE);
}

cel_value cel_fn_quote(cel_scope *s, const cel_function *f, const cel_value *args)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    (void)f;
    str text = cel_text(args[0]);
    if (!cel_spend(s, 4 * text.n)) return cel_failed(CEL_COST_EXCEEDED);
    buf out = buf_new(s->scratch, 2 * text.n + 2);
    (void)buf_put(&out, S("\""));
    for (size_t i = 0; i < text.n; i++) {
        const char *special = text.p[i] ? strchr(from, text.p[i]) : NULL;
        if (special) (void)buf_put(&out, S("\\"));
        (void)buf_put(&out, (str){special ? to + (special - from) : text.p + i, 1});
    }
    (void)buf_put(&out, S("\""));
    return buf_ok(&out) ? cel_string(buf_str(&out)) : cel_failed(CEL_OUT_OF_RANGE);
}

/* Goes through the places where `part` stands, left to right; an empty part stands before each
 * code point and, when `at_end`, after the last. */
typedef struct {
    str text, part;
    size_t at; /* where to look next */
    bool at_end, over;
} finder;

static bool find(finder *w, size_t *found)
{
    if (w->over) return false;
    if (!w->part.n) {
        *found = w->at;
        w->over = w->at >= w->text.n;
        w->at += w->over ? 0 : step(rest_of(w->text, w->at));
        return !w->over || w->at_end;
    }
    size_t left = w->text.n - w->at;
    const char *p =
        left >= w->part.n ? memmem(w->text.p + w->at, left, w->part.p, w->part.n) : NULL;
    if (!p) return false;
    *found = (size_t)(p - w->text.p);
    w->at = *found + w->part.n;
    return true;
}

static uint64_t limit_of(const cel_function *f, const cel_value *args, uint8_t with)
{
    if (f->op != with || args[with - 1].u.i < 0) return UINT64_MAX;
    return (uint64_t)args[with - 1].u.i;
}

static uint64_t count_of(str text, str part, bool at_end, uint64_t most)
{
    finder w = {.text = text, .part = part, .at_end = at_end};
    uint64_t n = 0;
    for (size_t at; n < most && find(&w, &at);) n++;
    return n;
}

cel_value cel_fn_replace(cel_scope *s, const cel_function *f, const cel_value *args)
{
    str text = cel_text(args[0]), from = cel_text(args[1]), to = cel_text(args[2]);
    if (!cel_spend(s, 2 * text.n)) return cel_failed(CEL_COST_EXCEEDED);
    uint64_t count = count_of(text, from, true, limit_of(f, args, 4));
    if (!count) return args[0];
    /* both factors are below 2^32 */
    if (!cel_spend(s, text.n + count * to.n + count)) return cel_failed(CEL_COST_EXCEEDED);
    buf out = buf_new(s->scratch, text.n + count * to.n);
    finder w = {.text = text, .part = from, .at_end = true};
    size_t done = 0, at;
    for (; count && find(&w, &at); count--) {
        (void)buf_put(&out, (str){text.p + done, at - done});
        (void)buf_put(&out, to);
        done = at + from.n;
    }
    (void)buf_put(&out, rest_of(text, done));
    return buf_ok(&out) ? cel_string(buf_str(&out)) : cel_failed(CEL_OUT_OF_RANGE);
}

static cel_value split_into(cel_scope *s, str text, str part, uint64_t pieces)
{
    if (!cel_spend(s, 16 * pieces)) return cel_failed(CEL_COST_EXCEEDED);
    cel_list *list = NEW(s->scratch, cel_list);
    cel_value *items = NEW_N(s->scratch, cel_value, pieces);
    list->items = items;
    finder w = {.text = text, .part = part};
    size_t done = 0, at;
    if (!part.n && text.n) (void)find(&w, &at); /* before the first code point nothing ends */
    while (list->count + 1 < pieces && find(&w, &at)) {
        items[list->count++] = cel_string((str){text.p + done, at - done});
        done = at + part.n;
    }
    if (list->count < pieces) items[list->count++] = cel_string(rest_of(text, done));
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

cel_value cel_fn_split(cel_scope *s, const cel_function *f, const cel_value *args)
{
    str text = cel_text(args[0]), part = cel_text(args[1]);
    if (!cel_spend(s, 2 * text.n)) return cel_failed(CEL_COST_EXCEEDED);
    uint64_t most = limit_of(f, args, 3);
    uint64_t pieces = part.n ? count_of(text, part, false, most) + 1 : (uint64_t)points(text);
    return split_into(s, text, part, pieces < most ? pieces : most);
}

cel_value cel_fn_join(cel_scope *s, const cel_function *f, const cel_value *args)
{
    str between = f->op == 2 ? cel_text(args[1]) : (str){0};
    size_t count = cel_count(args[0]), size = 0;
    for (size_t i = 0; i < count; i++) {
        cel_value item = cel_item(args[0], i);
        if (item.tag == CEL_UNKNOWN) return item;
        if (item.tag != CEL_STRING) return cel_failed(CEL_NO_SUCH_OVERLOAD);
        size += item.n + (i ? between.n : 0);
        if (!cel_spend(s, item.n + between.n + 16)) return cel_failed(CEL_COST_EXCEEDED);
    }
    buf out = buf_new(s->scratch, size);
    for (size_t i = 0; i < count; i++) {
        if (i) (void)buf_put(&out, between);
        (void)buf_put(&out, cel_text(cel_item(args[0], i)));
    }
    return buf_ok(&out) ? cel_string(buf_str(&out)) : cel_failed(CEL_OUT_OF_RANGE);
}
