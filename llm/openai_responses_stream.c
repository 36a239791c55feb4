/* SPDX-License-Identifier: Apache-2.0 */
/* openai_responses_stream.c - events of responses, written for a client.
 *
 * Each part is an item of its own. An item is said three times: added, in pieces, done; and the
 * last event says the whole response again, so its text is kept until then. */
#include "../transport/sse.h"
#include "openai_responses.h"

enum { ITEM_LIMIT = 64 << 20 };

typedef struct {
    jnode *response; /* in the request's arena */
    jnode *output;   /* its finished items, as bytes */
    int64_t seq;
    int stop;
    int64_t index; /* of the open item */
    str id;
    llm_part part; /* of the open item */
    bool custom;   /* a free-form call: its pieces wait until its input can be read */
    buf text, signature;
} writing;

static jnode *event(llm_stream *s, const char *type)
{
    writing *w = s->writing;
    jnode *j = object_of_type(s->scratch, type);
    jn_set(j, "sequence_number", jn_int(s->scratch, w->seq++));
    return j;
}

static void put(llm_stream *s, const char *type, const jnode *j)
{
    sse_write(s->out, (str){type, strlen(type)}, (str){0}, jn_dump(s->scratch, j));
}

static void put_response(llm_stream *s, const char *type)
{
    const writing *w = s->writing;
    jnode *j = event(s, type);
    jn_set(j, "response", jn_raw(s->scratch, jn_dump(s->scratch, w->response)));
    put(s, type, j);
}

static writing *begin(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing = NEW(s->a, writing);
    str id = ev->id.n ? ev->id : made_id(s->scratch, "");
    str model = ev->model.n ? arena_dup(s->a, ev->model) : s->model;
    w->response =
        responses_object(s->a, s->chat, arena_fmt(s->a, "resp_" STR_FMT, STR_ARG(id)), model);
    w->output = jn_array(s->a);
    return w;
}

static void put_item(llm_stream *s, const char *type, jnode *item)
{
    const writing *w = s->writing;
    jnode *j = event(s, type);
    jn_set(j, "output_index", jn_int(s->scratch, w->index));
    jn_set(j, "item", item);
    put(s, type, j);
}

/* An event about a piece of the open item. `at`: the member that counts pieces, NULL: none. */
static jnode *piece(llm_stream *s, const char *type, const char *at)
{
    const writing *w = s->writing;
    jnode *j = event(s, type);
    jn_set_text(j, "item_id", w->id);
    jn_set(j, "output_index", jn_int(s->scratch, w->index));
    if (at) jn_set(j, at, jn_int(s->scratch, 0));
    return j;
}

static jnode *words(arena *a, const char *type, const char *member, str text)
{
    jnode *j = object_of_type(a, type);
    jn_set_text(j, member, text);
    if (type[0] == 'o') jn_set(j, "annotations", jn_array(a));
    return j;
}

typedef struct {
    const char *prefix; /* of ids */
    const char *added, *delta, *done, *ended, *at, *part, *member;
} item_row;

static const item_row *row_of(const llm_part *p, bool custom)
{
    static const item_row text = {"msg_",
                                  "response.content_part.added",
                                  "response.output_text.delta",
                                  "response.output_text.done",
                                  "response.content_part.done",
                                  "content_index",
                                  "output_text",
                                  "text"};
    static const item_row refusal = {"msg_",
                                     "response.content_part.added",
                                     "response.refusal.delta",
                                     "response.refusal.done",
                                     "response.content_part.done",
                                     "content_index",
                                     "refusal",
                                     "refusal"};
    static const item_row thought = {"rs_",
                                     "response.reasoning_summary_part.added",
                                     "response.reasoning_summary_text.delta",
                                     "response.reasoning_summary_text.done",
                                     "response.reasoning_summary_part.done",
                                     "summary_index",
                                     "summary_text",
                                     "text"};
    static const item_row function = {"fc_",
                                      NULL,
                                      "response.function_call_arguments.delta",
                                      "response.function_call_arguments.done",
                                      NULL,
                                      NULL,
                                      NULL,
                                      "arguments"};
    static const item_row free_form = {"ctc_",
                                       NULL,
                                       "response.custom_tool_call_input.delta",
                                       "response.custom_tool_call_input.done",
                                       NULL,
                                       NULL,
                                       NULL,
                                       "input"};
    switch (p->kind) {
    case PART_TEXT: return &text;
    case PART_REFUSAL: return &refusal;
    case PART_THINKING:
    case PART_REDACTED: return &thought;
    case PART_TOOL_CALL: return custom ? &free_form : &function;
    default: return NULL;
    }
}

/* The open item with what is known of it by now. */
static jnode *item(llm_stream *s, str text, const char *status)
{
    writing *w = s->writing;
    arena *a = s->scratch;
    bool done = status[0] == 'c';
    llm_part p = w->part;
    switch (p.kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        return responses_message(a, w->id, done ? text : (str){0}, p.kind == PART_REFUSAL, status);
    case PART_THINKING:
        p.signature = buf_str(&w->signature);
        return responses_thought(a, w->id, text, origin_sealed(a, &p, s->provider->family));
    case PART_REDACTED:
        return responses_thought(a, w->id, (str){0},
                                 done ? origin_sealed(a, &p, s->provider->family) : (str){0});
    default:
        p.text = text;
        p.custom = w->custom;
        return responses_call(a, w->id, &p, status);
    }
}

static void put_part(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing;
    bool custom = ev->part.kind == PART_TOOL_CALL && responses_is_custom(s->chat, &ev->part);
    const item_row *row = ev->choice ? NULL : row_of(&ev->part, custom);
    w->part.kind = PART_OTHER;
    if (!row) return;
    w->part = s->part; /* outlives this frame */
    w->part.text = ev->part.text.p ? arena_dup(s->a, ev->part.text) : (str){0};
    w->custom = custom;
    w->id = made_id(s->a, row->prefix);
    if (w->part.kind == PART_TOOL_CALL && !w->part.id.n) w->part.id = made_id(s->a, "call_");
    w->text = buf_new(s->a, ITEM_LIMIT);
    w->signature = buf_new(s->a, ITEM_LIMIT);
    put_item(s, "response.output_item.added", item(s, (str){0}, "in_progress"));
    if (!row->added || w->part.kind == PART_REDACTED) return;
    jnode *j = piece(s, row->added, row->at);
    jn_set(j, "part", words(s->scratch, row->part, row->member, S("")));
    put(s, row->added, j);
}

static void put_delta(llm_stream *s, const item_row *row, str text)
{
    jnode *j = piece(s, row->delta, row->at);
    jn_set_text(j, "delta", text);
    put(s, row->delta, j);
}

static void add_piece(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing;
    const item_row *row = row_of(&w->part, w->custom);
    if (!row || ev->choice) return;
    buf_put(ev->signature ? &w->signature : &w->text, ev->delta);
    if (ev->signature || (w->custom && !w->part.custom)) return;
    put_delta(s, row, ev->delta);
}

static void put_part_end(llm_stream *s)
{
    writing *w = s->writing;
    const item_row *row = row_of(&w->part, w->custom);
    if (!row) return;
    str text = w->text.n ? buf_str(&w->text) : S("");
    if (w->custom && !w->part.custom) {
        w->part.text = text;
        text = responses_custom_input(s->scratch, &w->part);
        put_delta(s, row, text);
    } else if (w->part.kind == PART_TOOL_CALL && !text.n)
        text = S("{}");
    if (w->part.kind != PART_REDACTED) {
        jnode *j = piece(s, row->done, row->at);
        jn_set_text(j, row->member, text);
        put(s, row->done, j);
    }
    if (row->ended && w->part.kind != PART_REDACTED) {
        jnode *j = piece(s, row->ended, row->at);
        jn_set(j, "part", words(s->scratch, row->part, row->member, text));
        put(s, row->ended, j);
    }
    jnode *done = item(s, text, "completed");
    put_item(s, "response.output_item.done", done);
    jn_add(w->output, jn_raw(s->a, arena_dup(s->a, jn_dump(s->scratch, done))));
    w->index++;
    w->part.kind = PART_OTHER;
}

static void put_end(llm_stream *s)
{
    writing *w = s->writing;
    jn_set(w->response, "output", w->output);
    responses_finish(w->response, w->stop, &s->usage);
    bool cut = w->stop == STOP_LENGTH || w->stop == STOP_CONTEXT || w->stop == STOP_FILTER;
    put_response(s, w->stop == STOP_ERROR ? "response.failed"
                    : cut                 ? "response.incomplete"
                                          : "response.completed");
}

static void put_error(llm_stream *s, const llm_error *e)
{
    arena *a = s->scratch;
    if (!s->writing) s->writing = NEW(s->a, writing);
    jnode *j = event(s, "error");
    jn_set(j, "code", e->code.n ? jn_text(a, e->code) : jn_text(a, S("server_error")));
    jn_set_text(j, "message", e->message.p ? e->message : S(""));
    jn_set(j, "param", jn_null(a));
    put(s, "error", j);
}

void responses_write_event(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing;
    switch (ev->kind) {
    case EVENT_START:
        (void)begin(s, ev);
        put_response(s, "response.created");
        put_response(s, "response.in_progress");
        return;
    case EVENT_PART: put_part(s, ev); return;
    case EVENT_DELTA: add_piece(s, ev); return;
    case EVENT_PART_END: put_part_end(s); return;
    case EVENT_STOP:
        if (!ev->choice) w->stop = ev->stop;
        return;
    case EVENT_END: put_end(s); return;
    case EVENT_ERROR: put_error(s, ev->error); return;
    case EVENT_PING: buf_put(s->out, S(": ping\n\n")); return;
    case EVENT_USAGE: return;
    }
}
