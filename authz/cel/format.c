/* SPDX-License-Identifier: Apache-2.0 */
/* format.c - "%s has %d".format([name, n]).
 *
 * A clause is % [ . digits ] conversion. What is written is paid for as it is written, so a list
 * that holds itself many times over ends at the bound of cost. A precision on a conversion that
 * has none is read and ignored, and so are arguments nobody asks for: others do the same. */
#include "../../base/buf.h"
#include "../../base/utf8.h"
#include "compare.h"
#include "convert.h"
#include "library.h"
#include "network.h"
#include <math.h>
#include <stdlib.h>

enum { DEEPEST = 64, PRECISION = 6, PRECISION_MOST = 1000, WIDEST_DOUBLE = 400 };

typedef struct {
    cel_scope *s;
    buf out;
    cel_error failed;
    uint64_t unknown;
} writer;

static void refuse(writer *w, cel_error code)
{
    if (!w->failed) w->failed = code;
}

static void put(writer *w, str text)
{
    if (w->failed) return;
    if (!cel_spend(w->s, text.n + 16)) {
        refuse(w, CEL_COST_EXCEEDED);
    } else if (!buf_put(&w->out, text)) {
        refuse(w, CEL_OUT_OF_RANGE);
    }
}

static void put_c(writer *w, const char *text)
{
    put(w, (str){text, strlen(text)});
}

/* Bytes that are no UTF-8 become U+FFFD, one for a run of them. */
static void put_bytes(writer *w, str bytes)
{
    while (bytes.n && !w->failed) {
        size_t good = 0, n;
        while ((n = utf8_one(str_drop(bytes, good))) > 0) good += n;
        if (good) put(w, str_take(bytes, good));
        bytes = str_drop(bytes, good);
        if (bytes.n) put(w, S("\xEF\xBF\xBD"));
        while (bytes.n && !utf8_one(bytes)) bytes = str_drop(bytes, 1);
    }
}

static void show(writer *w, cel_value v, unsigned depth);

static void show_list(writer *w, cel_value v, unsigned depth)
{
    size_t count = cel_count(v);
    put(w, S("["));
    for (size_t i = 0; i < count && !w->failed; i++) {
        if (i) put(w, S(", "));
        show(w, cel_item(v, i), depth + 1);
    }
    put(w, S("]"));
}

typedef struct {
    str key;
    cel_value value;
} entry;

static int by_key(const void *a, const void *b)
{
    cel_value left = cel_string(((const entry *)a)->key),
              right = cel_string(((const entry *)b)->key);
    return (int)cel_order(left, right);
}

/* In the order of the keys' text: that of insertion is nobody's business. */
static void show_map(writer *w, cel_value v, unsigned depth)
{
    size_t count = cel_count(v), n = 0;
    if (!cel_spend(w->s, 64 * count)) {
        refuse(w, CEL_COST_EXCEEDED);
        return;
    }
    entry *entries = NEW_N(w->s->scratch, entry, count);
    cel_walk walk = cel_walk_new(v);
    cel_value key, value;
    while (n < count && cel_walk_next(&walk, &key, &value)) {
        entries[n++] = (entry){cel_convert_text(w->s->scratch, key), value};
    }
    if (n > 1) qsort(entries, n, sizeof *entries, by_key);
    put(w, S("{"));
    for (size_t i = 0; i < n && !w->failed; i++) {
        if (i) put(w, S(", "));
        put(w, entries[i].key);
        put(w, S(": "));
        show(w, entries[i].value, depth + 1);
    }
    put(w, S("}"));
}

static void show(writer *w, cel_value v, unsigned depth)
{
    if (depth > DEEPEST) {
        refuse(w, CEL_COST_EXCEEDED);
        return;
    }
    switch (v.tag) {
    case CEL_NULL: put(w, S("null")); return;
    case CEL_DOUBLE: put(w, cel_convert_decimal(w->s->scratch, v.u.d)); return;
    case CEL_BYTES: put_bytes(w, cel_text(v)); return;
    case CEL_LIST: show_list(w, v, depth); return;
    case CEL_MAP: show_map(w, v, depth); return;
    case CEL_TYPE: put_c(w, cel_type_name(v.u.type)); return;
    case CEL_UNKNOWN: w->unknown |= v.u.unknown; return;
    default: break;
    }
    str text = cel_convert_text(w->s->scratch, v);
    if (!text.p) refuse(w, CEL_NO_SUCH_OVERLOAD);
    put(w, text);
}

static void put_digits(writer *w, uint64_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[64];
    size_t at = sizeof text;
    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value);
    put(w, (str){text + at, sizeof text - at});
}

static void whole(writer *w, cel_value v, unsigned base, bool upper)
{
    if (v.tag == CEL_INT && v.u.i < 0) {
        put(w, S("-"));
        put_digits(w, 0 - v.u.u, base, upper);
    } else if (v.tag == CEL_INT || v.tag == CEL_UINT) {
        put_digits(w, v.u.u, base, upper);
    } else {
        refuse(w, CEL_NO_SUCH_OVERLOAD);
    }
}

static void hex(writer *w, cel_value v, bool upper)
{
    if (v.tag != CEL_STRING && v.tag != CEL_BYTES) {
        whole(w, v, 16, upper);
        return;
    }
    str bytes = cel_text(v);
    for (size_t i = 0; i < bytes.n && !w->failed; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        if (byte < 16) put(w, S("0"));
        put_digits(w, byte, 16, upper);
    }
}

static void real(writer *w, cel_value v, char conversion, int precision)
{
    double d = v.u.d;
    if (v.tag == CEL_INT) d = (double)v.u.i;
    if (v.tag == CEL_UINT) d = (double)v.u.u;
    if (v.tag != CEL_INT && v.tag != CEL_UINT && v.tag != CEL_DOUBLE) {
        refuse(w, CEL_NO_SUCH_OVERLOAD);
    } else if (!isfinite(d)) {
        put(w, cel_convert_decimal(w->s->scratch, d));
    } else if (!cel_spend(w->s, (size_t)precision + WIDEST_DOUBLE)) {
        refuse(w, CEL_COST_EXCEEDED);
    } else if (conversion == 'e') {
        put(w, arena_fmt(w->s->scratch, "%.*e", precision, d));
    } else {
        put(w, arena_fmt(w->s->scratch, "%.*f", precision, d));
    }
}

static void convert(writer *w, cel_value v, char conversion, int precision)
{
    if (v.tag == CEL_UNKNOWN) {
        w->unknown |= v.u.unknown;
        return;
    }
    switch (conversion) {
    case 's': show(w, v, 0); return;
    case 'd':
        if (v.tag == CEL_DOUBLE) {
            show(w, v, 0);
        } else {
            whole(w, v, 10, false);
        }
        return;
    case 'b':
        if (v.tag == CEL_BOOL) {
            put(w, v.u.b ? S("1") : S("0"));
        } else {
            whole(w, v, 2, false);
        }
        return;
    case 'o': whole(w, v, 8, false); return;
    case 'x':
    case 'X': hex(w, v, conversion == 'X'); return;
    case 'e':
    case 'f': real(w, v, conversion, precision); return;
    default: refuse(w, CEL_BAD_ARGUMENT);
    }
}

/* Takes ".3" off the front when it is there; false when what is there is no precision. */
static bool take_precision(str *s, int *precision)
{
    *precision = PRECISION;
    if (!s->n || *s->p != '.') return true;
    *s = str_drop(*s, 1);
    *precision = 0;
    size_t n = 0;
    for (; s->n && *s->p >= '0' && *s->p <= '9' && *precision <= PRECISION_MOST; n++) {
        *precision = *precision * 10 + (*s->p - '0');
        *s = str_drop(*s, 1);
    }
    return n && *precision <= PRECISION_MOST;
}

cel_value cel_fn_format(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    writer w = {.s = s, .out = buf_new(s->scratch, UINT32_MAX)};
    str rest = cel_text(args[0]);
    size_t next = 0, count = cel_count(args[1]);
    while (rest.n && !w.failed) {
        str_pair cut = str_cut(rest, '%');
        int precision;
        put(&w, cut.head);
        rest = cut.tail;
        if (!cut.ok) break;
        if (!take_precision(&rest, &precision) || !rest.n) return cel_failed(CEL_BAD_ARGUMENT);
        char conversion = *rest.p;
        rest = str_drop(rest, 1);
        if (conversion == '%') {
            put(&w, S("%"));
        } else if (next < count) {
            convert(&w, cel_item(args[1], next++), conversion, precision);
        } else {
            refuse(&w, CEL_OUT_OF_RANGE);
        }
    }
    if (w.failed) return cel_failed(w.failed);
    if (w.unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = w.unknown};
    return cel_string(buf_str(&w.out));
}
