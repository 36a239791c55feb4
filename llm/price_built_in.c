/* SPDX-License-Identifier: Apache-2.0 */
/* price_built_in.c - the table of prices that is built in, and how a price is written.
 *
 * The table is read whenever a configuration is, so its form (llm/prices.txt) is one that is read
 * at once. Decimals are read as the whole numbers they stand for, never through a float: six
 * places of a price per million tokens are one millionth of a micro-dollar per token. */
#include "../base/embedded.h"
#include "price_table.h"
#include <assert.h>

extern const embedded_file price_files[];

enum { MICRO = 1000000 };

bool price_digits(str s, int64_t most, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        *out = *out * 10 + (s.p[i] - '0');
        if (*out > most) return false;
    }
    return s.n > 0;
}

bool price_dollars(str s, int64_t *out)
{
    str_pair cut = str_cut(s, '.');
    int64_t whole, part = 0;
    if (!price_digits(cut.head, PRICE_DOLLARS_MOST, &whole)) return false;
    if (cut.ok && (cut.tail.n > PRICE_PLACES || !price_digits(cut.tail, MICRO, &part)))
        return false;
    for (size_t i = cut.tail.n; i < PRICE_PLACES; i++) part *= 10;
    *out = whole * MICRO + part;
    return true;
}

void price_fill(price *p)
{
    if (p->cached_input < 0) p->cached_input = p->input;
    if (p->cache_write < 0) p->cache_write = p->input;
    if (p->cache_write_1h < 0) p->cache_write_1h = p->cache_write;
    if (p->reasoning < 0) p->reasoning = p->output;
    p->request *= MICRO; /* it is not per million */
}

static str word(str *line)
{
    str_pair cut = str_cut(*line, ' ');
    *line = cut.tail;
    return cut.head;
}

static price *read_columns(arena *a, str *line)
{
    price *p = NEW(a, price);
    int64_t *const columns[] = {&p->input,       &p->output,         &p->cached_input,
                                &p->cache_write, &p->cache_write_1h, &p->reasoning,
                                &p->request};
    *p = (price){.cached_input = -1, .cache_write = -1, .cache_write_1h = -1, .reasoning = -1};
    for (size_t i = 0; line->n && line->p[0] != '>'; i++) {
        str s = word(line);
        assert(i < sizeof columns / sizeof *columns);
        bool good = str_eq(s, S("-")) || price_dollars(s, columns[i]);
        assert(good); /* our own table; a test reads it, too */
    }
    price_fill(p);
    return p;
}

static void read_line(arena *a, price_table *t, str line)
{
    str name = word(&line);
    price *p = read_columns(a, &line);
    if (line.n) {
        (void)word(&line);
        bool good = price_digits(word(&line), PRICE_TOKENS_MOST, &p->above);
        assert(good);
        p->then = read_columns(a, &line);
    }
    price_table_put(t, a, name, p);
}

void price_read_built_in(arena *a, prices *p)
{
    const embedded_file *file = &price_files[0];
    price_table *t = NULL;
    str rest = {(const char *)file->bytes, file->size};
    p->sellers = map_new(a);
    while (rest.n) {
        str_pair cut = str_cut(rest, '\n');
        str line = cut.head;
        rest = cut.tail;
        if (str_starts(line, S("@ "))) p->date = str_drop(line, 2);
        if (!line.n || line.p[0] == '#' || line.p[0] == '@') continue;
        if (line.p[0] == '=') {
            if (t) price_table_sort(t);
            t = NEW(a, price_table);
            map_put(p->sellers, str_drop(line, 2), t);
        } else if (t) {
            read_line(a, t, line);
        }
    }
    if (t) price_table_sort(t);
}
