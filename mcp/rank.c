/* SPDX-License-Identifier: Apache-2.0 */
/* rank.c - BM25 with the usual constants (k1 1.2, b 0.75), read off in one pass over each text. */
#include "rank.h"
#include <math.h>
#include <stdlib.h>

enum { WORD_MOST = 48, NAME_WEIGHT = 3 };
static const double K1 = 1.2, B = 0.75;

typedef struct {
    char p[WORD_MOST];
    size_t n;
} word;

typedef struct hit {
    size_t id, at; /* at: which it was, for equals */
    unsigned times[RANK_WORDS], length;
    double score;
    struct hit *next;
} hit;

struct rank {
    arena *a;
    word words[RANK_WORDS];
    size_t count, texts, hits;
    uint64_t length;         /* of all texts, in words */
    unsigned in[RANK_WORDS]; /* how many texts hold it */
    hit *first;
};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || is_upper(c) || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

/* False: there is none left. */
static bool next_word(str *text, word *out)
{
    size_t at = 0, end;
    while (at < text->n && !is_letter(text->p[at])) at++;
    for (end = at; end < text->n && is_letter(text->p[end]); end++)
        if (end > at && is_upper(text->p[end]) && !is_upper(text->p[end - 1])) break;
    out->n = 0;
    for (size_t i = at; i < end && out->n < WORD_MOST; i++)
        out->p[out->n++] = (char)(is_upper(text->p[i]) ? text->p[i] + ('a' - 'A') : text->p[i]);
    if (out->n > 3 && out->p[out->n - 1] == 's' && out->p[out->n - 2] != 's') out->n--;
    *text = str_drop(*text, end);
    return out->n > 0;
}

static size_t word_at(const rank *r, const word *w)
{
    size_t i = 0;
    while (i < r->count && !str_eq((str){r->words[i].p, r->words[i].n}, (str){w->p, w->n})) i++;
    return i;
}

rank *rank_new(arena *a, str query)
{
    rank *r = NEW(a, rank);
    word w;
    r->a = a;
    while (r->count < RANK_WORDS && next_word(&query, &w))
        if (word_at(r, &w) == r->count) r->words[r->count++] = w;
    return r;
}

static void count_words(const rank *r, hit *h, str text, unsigned weight)
{
    word w;
    while (next_word(&text, &w)) {
        size_t i = word_at(r, &w);
        h->length += weight;
        if (i < r->count) h->times[i] += weight;
    }
}

void rank_add(rank *r, size_t id, str name, str text, str more)
{
    hit h = {.id = id, .at = r->texts++};
    bool any = false;
    count_words(r, &h, name, NAME_WEIGHT);
    count_words(r, &h, text, 1);
    count_words(r, &h, more, 1);
    r->length += h.length;
    for (size_t i = 0; i < r->count; i++) {
        if (!h.times[i]) continue;
        r->in[i]++;
        any = true;
    }
    if (!any) return;
    hit *kept = NEW(r->a, hit);
    *kept = h;
    kept->next = r->first;
    r->first = kept;
    r->hits++;
}

static double score(const rank *r, const hit *h)
{
    double usual = (double)r->length / (double)r->texts, sum = 0;
    double norm = K1 * (1 - B + B * (double)h->length / usual);
    for (size_t i = 0; i < r->count; i++) {
        double in = r->in[i], times = h->times[i];
        double rare = log(1 + ((double)r->texts - in + 0.5) / (in + 0.5));
        sum += rare * times * (K1 + 1) / (times + norm);
    }
    return sum;
}

static int best_first(const void *a_, const void *b_)
{
    const hit *a = a_, *b = b_;
    if (a->score > b->score || a->score < b->score) return a->score > b->score ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

size_t rank_best(rank *r, size_t *ids, size_t most)
{
    hit *row = NEW_N(r->a, hit, r->hits + 1);
    size_t n = 0;
    for (hit *h = r->first; h; h = h->next) {
        row[n] = *h;
        row[n++].score = score(r, h);
    }
    if (n) qsort(row, n, sizeof *row, best_first);
    if (n > most) n = most;
    for (size_t i = 0; i < n; i++) ids[i] = row[i].id;
    return n;
}
