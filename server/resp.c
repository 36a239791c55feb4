/* SPDX-License-Identifier: Apache-2.0 */
/* resp.c - hiredis's reader builds our replies instead of its own, and stops where we say no. */
#include "resp.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

/* Commands */

void resp_put(buf *b, const str *words, size_t n)
{
    const char **at = NEW_N(b->a, const char *, n);
    size_t *sizes = NEW_N(b->a, size_t, n);
    for (size_t i = 0; i < n; i++) {
        at[i] = words[i].n ? words[i].p : "";
        sizes[i] = words[i].n;
    }
    char *made = NULL;
    long long size = redisFormatCommandArgv(&made, (int)n, at, sizes);
    if (size < 0) abort(); /* no memory */
    (void)buf_put(b, (str){made, (size_t)size});
    redisFreeCommand(made);
}

bool resp_integer(str text, int64_t *out)
{
    bool minus = text.n && text.p[0] == '-';
    str digits = str_drop(text, minus);
    int64_t v = 0;
    if (!digits.n) return false;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[i] - '0';
        if (digit < 0 || digit > 9 || v > (INT64_MAX - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = minus ? -v : v;
    return true;
}

/* Replies */

struct resp_reader {
    arena *a;
    redisReader *of;
    resp root;
    size_t items; /* how many more there may be */
};

/* Where the value of this task goes; NULL: deeper than a reply may be. */
static resp *place(const redisReadTask *t)
{
    unsigned depth = 0;
    for (const redisReadTask *at = t->parent; at; at = at->parent) depth++;
    if (depth > RESP_DEPTH_MOST) return NULL;
    if (!t->parent) return &((resp_reader *)t->privdata)->root;
    return &((resp *)t->parent->obj)->items[t->idx];
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as hiredis calls it */
static void *make_text(const redisReadTask *t, char *p, size_t n)
{
    resp *to = place(t);
    if (!to) return NULL;
    to->kind = t->type == REDIS_REPLY_ERROR ? RESP_ERROR : RESP_TEXT;
    to->text = arena_dup(((resp_reader *)t->privdata)->a, (str){p, n});
    return to;
}

static void *make_number(const redisReadTask *t, long long n)
{
    resp *to = place(t);
    if (!to) return NULL;
    to->kind = RESP_NUMBER;
    to->number = n;
    return to;
}

static void *make_nil(const redisReadTask *t)
{
    return place(t); /* zeroed, which is nil */
}

static void *make_list_of(const redisReadTask *t, size_t n)
{
    resp_reader *r = t->privdata;
    resp *to = place(t);
    if (!to || n > r->items || t->type != REDIS_REPLY_ARRAY) return NULL;
    r->items -= n;
    to->kind = RESP_LIST;
    to->n = n;
    to->items = NEW_N(r->a, resp, n + 1);
    return to;
}

static void keep(void *reply)
{
    (void)reply; /* the arena's */
}

#if HIREDIS_MAJOR < 1
static void *make_list(const redisReadTask *t, int n)
{
    return n < 0 ? NULL : make_list_of(t, (size_t)n);
}

static redisReplyObjectFunctions makers = {make_text, make_list, make_number, make_nil, keep};
#else
/* What only RESP3 has is never asked for. */
static void *make_double(const redisReadTask *t, double value, char *p, size_t n)
{
    (void)t, (void)value, (void)p, (void)n;
    return NULL;
}

static void *make_bool(const redisReadTask *t, int value)
{
    (void)t, (void)value;
    return NULL;
}

static redisReplyObjectFunctions makers = {.createString = make_text,
                                           .createArray = make_list_of,
                                           .createInteger = make_number,
                                           .createDouble = make_double,
                                           .createNil = make_nil,
                                           .createBool = make_bool,
                                           .freeObject = keep};
#endif

static void end(void *reader)
{
    redisReaderFree(reader);
}

resp_reader *resp_reader_new(arena *a)
{
    resp_reader *r = NEW(a, resp_reader);
    *r = (resp_reader){.a = a, .items = RESP_ITEMS_MOST};
    r->of = redisReaderCreateWithFunctions(&makers);
    if (!r->of) abort();
    r->of->privdata = r;
    arena_own(a, end, r->of);
    return r;
}

resp_state resp_read(resp_reader *r, str more, resp *out)
{
    void *whole = NULL;
    if (redisReaderFeed(r->of, more.p, more.n) != REDIS_OK ||
        redisReaderGetReply(r->of, &whole) != REDIS_OK)
        return RESP_BAD;
    if (!whole) return RESP_MORE;
    if (r->of->len > r->of->pos) return RESP_BAD;
    *out = r->root;
    return RESP_DONE;
}
