/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

bool reply_calls_are_named(const llm_reply *r)
{
    for (const llm_choice *c = r->choices; c < r->choices + r->count; c++)
        for (const llm_part *p = c->parts; p < c->parts + c->count; p++)
            if (p->kind == PART_TOOL_CALL && !p->name.n) return false;
    return true;
}

/* A part that is more than its whole is somebody else's meaning: it is then not taken out. */
static void take_out(opt_int *whole, const opt_int *part)
{
    if (whole->set && part->set && part->v <= whole->v) whole->v -= part->v;
}

static void put_in(opt_int *whole, const opt_int *part)
{
    if (!part->set) return;
    whole->v += part->v;
    whole->set = true;
}

/* Counts are not negative; anything else in their place is not known. */
static void sane(opt_int *n)
{
    const int64_t most = (int64_t)1 << 52;
    if (n->set && (n->v < 0 || n->v > most)) *n = (opt_int){0};
}

void usage_complete(llm_usage *u, unsigned counts)
{
    if (!(counts & COUNTS_ARE_ALL)) return;
    u->input.set = u->cache_read.set = u->output.set = u->reasoning.set = true;
    if (!u->cache_write_1h.set) u->cache_write.set = true;
}

void usage_disjoin(llm_usage *u, unsigned counts)
{
    sane(&u->input);
    sane(&u->cache_read);
    sane(&u->cache_write);
    sane(&u->cache_write_1h);
    sane(&u->output);
    sane(&u->reasoning);
    if (counts & COUNTS_CACHE_IN_INPUT) {
        take_out(&u->input, &u->cache_read);
        take_out(&u->input, &u->cache_write);
    }
    if (counts & COUNTS_1H_IN_WRITE) take_out(&u->cache_write, &u->cache_write_1h);
    if (counts & COUNTS_REASONING_IN_OUTPUT) take_out(&u->output, &u->reasoning);
}

void usage_join(llm_usage *u, unsigned counts)
{
    if (counts & COUNTS_1H_IN_WRITE) put_in(&u->cache_write, &u->cache_write_1h);
    if (counts & COUNTS_CACHE_IN_INPUT) {
        put_in(&u->input, &u->cache_read);
        put_in(&u->input, &u->cache_write);
        if (!(counts & COUNTS_1H_IN_WRITE)) put_in(&u->input, &u->cache_write_1h);
    }
    if (counts & COUNTS_REASONING_IN_OUTPUT) put_in(&u->output, &u->reasoning);
}

static void override(opt_int *total, const opt_int *later)
{
    if (later->set) *total = *later;
}

void usage_merge(llm_usage *total, const llm_usage *later)
{
    override(&total->input, &later->input);
    override(&total->cache_read, &later->cache_read);
    override(&total->cache_write, &later->cache_write);
    override(&total->cache_write_1h, &later->cache_write_1h);
    override(&total->output, &later->output);
    override(&total->reasoning, &later->reasoning);
}

void usage_add(llm_usage *sum, const llm_usage *more)
{
    put_in(&sum->input, &more->input);
    put_in(&sum->cache_read, &more->cache_read);
    put_in(&sum->cache_write, &more->cache_write);
    put_in(&sum->cache_write_1h, &more->cache_write_1h);
    put_in(&sum->output, &more->output);
    put_in(&sum->reasoning, &more->reasoning);
}

bool usage_known(const llm_usage *u)
{
    return u->input.set || u->output.set;
}

int64_t usage_prompt(const llm_usage *u)
{
    return u->input.v + u->cache_read.v + u->cache_write.v + u->cache_write_1h.v;
}

int64_t usage_completion(const llm_usage *u)
{
    return u->output.v + u->reasoning.v;
}
