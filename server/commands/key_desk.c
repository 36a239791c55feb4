/* SPDX-License-Identifier: Apache-2.0 */
#include "key_desk.h"

#include "../../authz/cel/times.h"
#include "../../authz/key_file.h"
#include "../../base/clock.h"
#include "../files.h"
#include "../seals.h"
#include <stdio.h>

#define LAST_S ((int64_t)253402300799) /* a year has four digits: the end of 9999 */

static int said(const problems *p)
{
    for (const problem *one = p->first; one; one = one->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(one->text));
    return 1;
}

static const config *read_config(arena *a, const char *file, problems *out)
{
    str path = {file, strlen(file)}, text = {0};
    files *f = NULL;
    config *c = NULL;
    const err *e = files_open(a, path, &f, &text);
    config_world world = files_world(f);
    if (e)
        problems_add_text(out, e->text);
    else
        config_load(a, &world, path, text, out, &c);
    return out->count ? NULL : c;
}

static const err *open_place(key_desk *d, const config *c)
{
    sealer *seals = NULL;
    const err *e = seals_new(d->a, c, &seals);
    d->seals = seals;
    if (!e && !c->keys_file.p) e = store_keeper_new(d->a, c->store, c->directory, &d->keeper);
    if (e) return e;
    d->at = keys_place_of(d->a, c, d->keeper ? store_keeper_store(d->keeper) : (store){0});
    return NULL;
}

int key_desk_open(key_desk *d, arena *a, const char *file)
{
    *d = (key_desk){.a = a, .now_s = clock_wall_ms() / 1000};
    problems found;
    problems_init(&found, a, (str){file, strlen(file)});
    const config *c = read_config(a, file, &found);
    if (!c) return said(&found);
    if (!c->keys)
        return command_fail(err_new(a, ERR_NOT_FOUND,
                                    "%s gives out no keys: write `identity: { keys: { file: "
                                    "keys.yaml } }`",
                                    file));
    str text;
    const api_key *kept = NULL;
    const err *e = open_place(d, c);
    if (!e) e = keys_load(a, &d->at, &text);
    bool sound = !e && key_file_read(a, d->at.file.p ? d->at.file : S("keys of the store"), text,
                                     &found, &kept, &d->count);
    if (sound) {
        d->keys = NEW_N(a, api_key, d->count + 1);
        for (size_t i = 0; i < d->count; i++) d->keys[i] = kept[i];
        return 0;
    }
    key_desk_close(d);
    return e ? command_fail(e) : said(&found);
}

/* Keys that nobody can read are in force for ever: no change reaches a gateway any more. */
const err *key_desk_save(key_desk *d)
{
    const api_key *again;
    size_t count;
    problems found;
    str text = key_file_write(d->a, d->keys, d->count);
    problems_init(&found, d->a, S("the keys would be"));
    if (!key_file_read(d->a, S("the keys would be"), text, &found, &again, &count))
        return err_new(d->a, ERR_MALFORMED, STR_FMT "; nothing was changed",
                       STR_ARG(found.first->text));
    return keys_save(d->a, &d->at, text);
}

void key_desk_close(key_desk *d)
{
    store_keeper_free(d->keeper);
    d->keeper = NULL;
}

api_key *key_desk_find(key_desk *d, const char *which)
{
    str name = {which, strlen(which)};
    api_key *found = NULL;
    size_t alike = 0;
    for (size_t i = 0; i < d->count; i++) {
        api_key *k = &d->keys[i];
        if (str_eq(k->id, name)) return k;
        if (!str_eq(k->name, name)) continue;
        found = k;
        alike++;
    }
    if (alike == 1) return found;
    const char *why = alike ? "is the name of several keys: give the id" : "is no key";
    (void)command_fail(
        err_new(d->a, ERR_NOT_FOUND, "`%.100s` %s; `sallyport key list` shows them", which, why));
    return NULL;
}

bool key_desk_time(const key_desk *d, const char *text, int64_t *at_s)
{
    str s = {text, strlen(text)};
    int64_t ms;
    if (config_parse_duration(s, &ms))
        *at_s = d->now_s + ms / 1000;
    else {
        bool is_day = s.n == 10;
        cel_value t =
            cel_time_parse(is_day ? arena_fmt(d->a, STR_FMT "T00:00:00Z", STR_ARG(s)) : s);
        if (t.tag != CEL_TIMESTAMP) return false;
        *at_s = t.u.i;
    }
    return *at_s > d->now_s && *at_s <= LAST_S;
}

str key_desk_day(arena *a, int64_t at_s)
{
    if (!at_s) return S("-");
    str text = cel_time_text(a, cel_time_of(at_s, 0));
    return arena_fmt(a, STR_FMT " " STR_FMT, STR_ARG(str_take(text, 10)),
                     STR_ARG(str_take(str_drop(text, 11), 5)));
}
