/* SPDX-License-Identifier: Apache-2.0 */
/* llm_case.h - what tests and fuzzers of dialects do: translate, cut, fold. */
#ifndef SP_TEST_LLM_CASE_H
#define SP_TEST_LLM_CASE_H
#include "../../llm/frames.h"
#include "../../llm/parts.h"
#include "../../llm/schema.h"

static const llm_backend a_backend = {.prefix = {"v1", 2}};
static const llm_target a_target = {.backend = &a_backend};

static inline const err *case_read(arena *a, const llm_dialect *from, str body, llm_chat *c)
{
    const err *e = js_check(a, body, 64, &c->root);
    if (e) return e;
    c->from = from;
    c->reader = reader_new(a);
    c->now_s = 1700000000;
    return from->read_request(c->reader, c->root, c);
}

static inline const err *case_write(arena *a, const llm_dialect *to, const llm_chat *c, str *out,
                                    str *lost)
{
    jnode *j = jn_object(a);
    llm_loss *l = loss_new(a);
    loss_said(l, &c->stream);
    loss_said(l, &c->include_usage);
    const err *e = to->write_request(c, &a_target, l, j);
    if (e) return e;
    *out = jn_dump(a, j);
    *lost = loss_list(a, c->reader, l);
    return NULL;
}

/* What is made up at random reads alike. */
static inline str case_without_ids(arena *a, str s)
{
    char *p = arena_bytes(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t run = 0;
        while (i + run < s.n && ((s.p[i + run] >= 'a' && s.p[i + run] <= 'z') ||
                                 (s.p[i + run] >= '2' && s.p[i + run] <= '7')))
            run++;
        if (run == 24) {
            memcpy(p + n, "ID", 2);
            n += 2;
            i += run;
            continue;
        }
        size_t step = run ? run : 1;
        memcpy(p + n, s.p + i, step);
        n += step;
        i += step;
    }
    return (str){p, n};
}

typedef struct {
    llm_stream s;
    const err *broken;
} case_stream;

static inline void case_frame(void *ctx, llm_frame f)
{
    case_stream *t = ctx;
    if (t->broken || t->s.ended || t->s.failed) return;
    t->broken = t->s.provider->read_event(&t->s, f);
}

/* What a client gets of a stream that comes in two pieces. */
static inline str case_translate(arena *a, const llm_dialect *from, const llm_dialect *to,
                                 const llm_chat *c, const str pieces[2], const err **broken)
{
    buf *out = NEW(a, buf);
    *out = buf_new(a, 64 << 20);
    case_stream *t = NEW(a, case_stream);
    t->s =
        (llm_stream){.a = a, .scratch = a, .chat = c, .client = to, .provider = from, .out = out};
    t->s.model = c->model;
    llm_frames *frames = frames_new(a, from->framing, case_frame, t);
    const err *e = NULL;
    for (int i = 0; i < 2 && !e; i++) e = frames_feed(frames, pieces[i]);
    if (!e && !t->broken && t->s.stopped && !t->s.ended) stream_end(&t->s);
    *broken = e ? e : t->broken;
    return buf_str(out);
}

/* A client that puts the events together again: the law is that this is the plain answer. */
typedef struct {
    llm_reply reply;
    llm_choice choice;
    part_list parts;
    buf *text, *signature;
} case_folded;

static inline void case_fold_event(llm_stream *s, const llm_event *ev)
{
    case_folded *f = s->writing;
    llm_part *p = f->parts.n ? &f->parts.p[f->parts.n - 1] : NULL;
    switch (ev->kind) {
    case EVENT_START:
        f->reply.id = ev->id.p ? arena_dup(s->a, ev->id) : ev->id;
        f->reply.model = ev->model.p ? arena_dup(s->a, ev->model) : ev->model;
        f->reply.created = ev->created;
        return;
    case EVENT_PART:
        p = part_add(&f->parts, ev->part.kind);
        *p = ev->part;
        p->origin = (str){0};
        *f->text = buf_new(s->a, 1 << 20);
        *f->signature = buf_new(s->a, 1 << 20);
        return;
    case EVENT_DELTA: buf_put(ev->signature ? f->signature : f->text, ev->delta); return;
    case EVENT_PART_END:
        if (f->text->n) p->text = arena_dup(s->a, buf_str(f->text));
        if (f->signature->n) p->signature = arena_dup(s->a, buf_str(f->signature));
        return;
    case EVENT_STOP: f->choice.stop = ev->stop; return;
    default: return;
    }
}

static const llm_dialect case_fold = {.name = "fold", .write_event = case_fold_event};

static inline llm_reply *case_folded_reply(arena *a, const llm_dialect *from, const llm_chat *c,
                                           str stream)
{
    case_folded *f = NEW(a, case_folded);
    f->parts = parts_new(a, 64);
    f->text = NEW(a, buf);
    f->signature = NEW(a, buf);
    *f->text = *f->signature = buf_new(a, 1 << 20);
    buf none = buf_new(a, 16);
    case_stream t = {
        .s = {.a = a, .scratch = a, .chat = c, .client = &case_fold, .provider = from}};
    t.s.out = &none;
    t.s.writing = f;
    llm_frames *frames = frames_new(a, from->framing, case_frame, &t);
    if (frames_feed(frames, stream) || t.broken || t.s.failed) return NULL;
    f->choice.parts = f->parts.p;
    f->choice.count = f->parts.n;
    f->reply.choices = &f->choice;
    f->reply.count = 1;
    f->reply.usage = t.s.usage;
    return &f->reply;
}
#endif
