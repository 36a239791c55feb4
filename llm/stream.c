/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - the middle of a translated stream: what readers hand on, writers get in order. */
#include "refuse.h"
#include <assert.h>

static void note(llm_stream *s, const llm_event *ev)
{
    switch (ev->kind) {
    case EVENT_START:
        s->started = true;
        usage_merge(&s->usage, &ev->usage);
        return;
    case EVENT_PART:
        s->has_content = s->part_open = true;
        s->left_out = s->left_out || ev->part.kind == PART_OTHER;
        s->parts = ev->index + 1;
        s->part = ev->part;
        return;
    case EVENT_PART_END: s->part_open = false; return;
    case EVENT_STOP: s->has_content = s->stopped = true; return;
    case EVENT_USAGE: usage_merge(&s->usage, &ev->usage); return;
    case EVENT_END: s->ended = true; return;
    case EVENT_ERROR:
        s->failed = true;
        s->error = *ev->error;
        s->error.type = arena_dup(s->a, s->error.type);
        s->error.code = arena_dup(s->a, s->error.code);
        s->error.message = arena_dup(s->a, s->error.message);
        return;
    case EVENT_DELTA: s->said += (int64_t)ev->delta.n; return;
    case EVENT_PING: return;
    }
}

void stream_emit(llm_stream *s, const llm_event *ev)
{
    if (s->ended || s->failed) return; /* what comes after the end is not the answer's */
    note(s, ev);
    s->client->write_event(s, ev);
}

void stream_start(llm_stream *s, const llm_event *start)
{
    llm_event ev = start ? *start : (llm_event){0};
    ev.kind = EVENT_START;
    if (!s->started) stream_emit(s, &ev);
}

void stream_part_end(llm_stream *s)
{
    if (!s->part_open) return;
    llm_event ev = {.kind = EVENT_PART_END, .index = s->parts - 1, .choice = s->choice};
    ev.part = s->part;
    stream_emit(s, &ev);
}

void stream_part(llm_stream *s, const llm_part *p)
{
    if (p->kind == PART_TOOL_CALL && !p->name.n) { /* nobody can call a tool without a name */
        llm_error e = refusal_of(&(err){.kind = ERR_UPSTREAM}).said;
        stream_fail(s, &e);
        return;
    }
    stream_start(s, NULL);
    stream_part_end(s);
    llm_event ev = {.kind = EVENT_PART, .index = s->parts, .choice = s->choice, .part = *p};
    /* The open part is remembered beyond this frame. */
    ev.part.id = p->id.p ? arena_dup(s->a, p->id) : p->id;
    ev.part.name = p->name.p ? arena_dup(s->a, p->name) : p->name;
    stream_emit(s, &ev);
}

static void delta(llm_stream *s, part_kind kind, str text, bool signature)
{
    if (!s->part_open || s->part.kind != kind) stream_part(s, &(llm_part){.kind = kind});
    llm_event ev = {.kind = EVENT_DELTA, .index = s->parts - 1, .choice = s->choice};
    ev.part = s->part;
    ev.delta = text;
    ev.signature = signature;
    stream_emit(s, &ev);
}

void stream_text(llm_stream *s, part_kind kind, str text)
{
    delta(s, kind, text, false);
}

void stream_signature(llm_stream *s, part_kind kind, str signature)
{
    delta(s, kind, signature, true);
}

void stream_stop(llm_stream *s, int stop, str detail, str sequence)
{
    stream_start(s, NULL);
    stream_part_end(s);
    llm_event ev = {.kind = EVENT_STOP, .choice = s->choice, .stop = stop};
    ev.stop_detail = detail;
    ev.stop_sequence = sequence;
    stream_emit(s, &ev);
}

void stream_usage(llm_stream *s, const llm_usage *u)
{
    stream_emit(s, &(llm_event){.kind = EVENT_USAGE, .usage = *u});
}

void stream_end(llm_stream *s)
{
    stream_start(s, NULL);
    stream_part_end(s);
    stream_emit(s, &(llm_event){.kind = EVENT_END});
}

void stream_fail(llm_stream *s, const llm_error *e)
{
    stream_emit(s, &(llm_event){.kind = EVENT_ERROR, .error = e});
}

static void whole_part(llm_stream *s, const llm_part *p)
{
    stream_part(s, p);
    if (p->signature.n && p->kind == PART_TOOL_CALL) stream_signature(s, p->kind, p->signature);
    if (p->text.n && p->kind != PART_REDACTED) stream_text(s, p->kind, p->text);
    if (p->signature.n && p->kind == PART_THINKING) stream_signature(s, p->kind, p->signature);
    stream_part_end(s);
}

void stream_reply(llm_stream *s, const llm_reply *r)
{
    stream_start(s, &(llm_event){.id = r->id,
                                 .model = r->model,
                                 .service_tier = r->service_tier,
                                 .created = r->created});
    for (size_t i = 0; i < r->count; i++) {
        const llm_choice *c = &r->choices[i];
        s->choice = (unsigned)i;
        for (size_t k = 0; k < c->count; k++) whole_part(s, &c->parts[k]);
        stream_stop(s, c->stop ? c->stop : STOP_END, c->stop_detail, c->stop_sequence);
    }
    stream_usage(s, &r->usage);
    stream_end(s);
}
