/* SPDX-License-Identifier: Apache-2.0 */
/* offer.c - capabilities of a server, as bits that outlive its sessions. */
#include "offer.h"
#include "upstream_state.h"

static bool has(js_value capabilities, str name)
{
    return js_get(capabilities, name).kind == JS_OBJECT;
}

/* The first revision had completion without a capability for it. */
static unsigned bits_of(js_value result)
{
    js_value said = js_get(result, S("capabilities"));
    unsigned bits = OFFER_KNOWN;
    if (has(said, S("prompts"))) bits |= OFFER_PROMPTS;
    if (has(said, S("resources"))) bits |= OFFER_RESOURCES;
    if (has(said, S("logging"))) bits |= OFFER_LOGS;
    if (has(said, S("completions")) ||
        js_text_is(js_get(result, S("protocolVersion")), S("2024-11-05")))
        bits |= OFFER_COMPLETIONS;
    return bits;
}

static void remember_instructions(upstream *u, js_value text)
{
    bool fits = text.kind == JS_STRING && text.raw.n <= INSTRUCTIONS_MOST;
    arena *now = fits ? arena_new_of(text.raw.n + 64) : NULL, *before;
    str said = fits ? arena_dup(now, js_text(now, text)) : (str){0};
    pthread_mutex_lock(&u->lock);
    before = u->told;
    u->told = now;
    u->instructions = said;
    pthread_mutex_unlock(&u->lock);
    arena_free(before);
}

void offer_heard(upstream *u, js_value result)
{
    if (result.kind != JS_OBJECT) return;
    if (u->spec.instructions) remember_instructions(u, js_get(result, S("instructions")));
    atomic_store(&u->offers, bits_of(result));
}

str offer_instructions(upstream *u, arena *a)
{
    pthread_mutex_lock(&u->lock);
    str said = u->instructions.n ? arena_dup(a, u->instructions) : (str){0};
    pthread_mutex_unlock(&u->lock);
    return said;
}

bool offer_is_known(const upstream *u)
{
    return atomic_load(&u->of->offers) & OFFER_KNOWN;
}

bool offer_logs(const upstream *u)
{
    return atomic_load(&u->of->offers) & OFFER_LOGS;
}

unsigned offer_of(const upstream *u)
{
    unsigned bits = atomic_load(&u->of->offers);
    return bits & OFFER_KNOWN ? bits & OFFER_ALL : OFFER_ALL;
}

bool offer_covers(const upstream *u, str method)
{
    static const struct {
        str begins;
        unsigned bit;
    } rows[] = {{S("prompts/"), OFFER_PROMPTS},
                {S("resources/"), OFFER_RESOURCES},
                {S("completion/"), OFFER_COMPLETIONS}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_starts(method, rows[i].begins)) return offer_of(u) & rows[i].bit;
    return true;
}
