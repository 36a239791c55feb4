/* SPDX-License-Identifier: Apache-2.0 */
#include "redis.h"
#include "store_check.h"

/* A topic has no NUL, so it ends with the first. */
static str member_of(arena *a, bulletin_word w)
{
    buf b = buf_new(a, BULLETIN_TOPIC_MOST + BULLETIN_KEY_MOST + 1);
    buf_put(&b, w.topic);
    buf_put(&b, S("\0"));
    buf_put(&b, w.key);
    return buf_str(&b);
}

static const err *append(void *ctx, arena *a, const bulletin_told *words, size_t n)
{
    enum { WORDS = 3 };
    const err *e = bulletin_check(a, words, n);
    if (e) return e;
    str *all = NEW_N(a, str, 1 + n * WORDS);
    all[0] = redis_number(a, BULLETIN_WORDS_MOST);
    for (size_t i = 0; i < n; i++) {
        const bulletin_told *w = &words[i];
        int64_t lives = w->lives_s < BULLETIN_LIFE_MOST_S ? w->lives_s : BULLETIN_LIFE_MOST_S;
        str *at = all + 1 + i * WORDS;
        at[0] = member_of(a, w->word);
        at[1] = w->word.value;
        at[2] = redis_number(a, lives * 1000);
    }
    resp said = {0};
    return redis_run(a, ctx, REDIS_APPEND, all, 1 + n * WORDS, &said);
}

/* Three by three: a word's name, its place, its value; nil: it has ended. */
static const err *read_page(arena *a, const resp *said, int64_t *after, bulletin_entry *out,
                            size_t *n)
{
    for (size_t i = 0; i + 2 < said->n; i += 3) {
        const resp *at = said->items + i;
        int64_t place = 0;
        if (at[0].kind != RESP_TEXT || at[1].kind != RESP_TEXT ||
            !resp_integer(at[1].text, &place) || place <= *after)
            return err_new(a, ERR_UPSTREAM, "redis: words out of order");
        *after = place;
        if (at[2].kind != RESP_TEXT) continue;
        str_pair cut = str_cut(at[0].text, '\0');
        bulletin_word w = {cut.head, cut.tail, at[2].text};
        if (bulletin_is_sound(w)) out[(*n)++] = (bulletin_entry){place, w};
    }
    return NULL;
}

static const err *since(void *ctx, arena *a, int64_t after, bulletin_entry *out, size_t room,
                        size_t *n)
{
    *n = 0;
    if (room > BULLETIN_READ_MOST) room = BULLETIN_READ_MOST;
    for (size_t got = room * 3; !*n && got == room * 3;) {
        const str words[] = {redis_number(a, after), redis_number(a, (int64_t)room)};
        resp said = {0};
        const err *e = redis_run(a, ctx, REDIS_SINCE, words, 2, &said);
        if (!e && (said.kind != RESP_LIST || said.n > room * 3 || said.n % 3))
            e = err_new(a, ERR_UPSTREAM, "redis: an answer of another question");
        if (!e) e = read_page(a, &said, &after, out, n);
        if (e) return e;
        got = said.n;
    }
    return NULL;
}

bulletin_log bulletin_redis(redis *r)
{
    return (bulletin_log){.append = append, .since = since, .ctx = r};
}
