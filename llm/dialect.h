/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.h - how a client or a provider says the conversation: one struct a dialect.
 *
 * N client dialects and M provider dialects are N + M of these (architecture.md §6). A client
 * dialect has read_request, write_reply, write_event, write_error; a provider dialect has
 * write_request, write_head, read_reply, read_event, read_error; one may be both. Same family
 * in and out: the client's own bytes pass, edited by edit_request, and its frames come back as
 * they are; only usage is read from them.
 * No function keeps state but in the llm_stream, fetches anything, or logs.
 * Failure: read_request's and write_request's errors are ERR_MALFORMED or ERR_UNSUPPORTED, about
 * the client's request, and their text is shown to it (400, nothing goes upstream); read_reply's
 * are about the provider (502, the text is the operator's). */
#ifndef SP_LLM_DIALECT_H
#define SP_LLM_DIALECT_H
#include "body.h"
#include "llm.h"
#include "reply.h"

/* What is sent: filled by write_head, signed by the backend's credential after it. */
typedef struct {
    str target;            /* path and query, percent-encoded */
    const header *headers; /* ends with {0}; NULL: none. content-type and accept are the flow's */
} llm_head;

/* One event of a provider's stream as it came: `type` is SSE's event or the frame's name. */
typedef struct {
    str type, data;
    bool exception; /* an error frame; type says which */
} llm_frame;

/* The url's path, the backend's prefix and `end`. */
str backend_path(arena *a, const llm_backend *b, str end);

typedef enum { FRAMES_SSE, FRAMES_AWS } llm_framing;

/* What a frame is to those who let it pass unread. */
typedef enum {
    FRAME_PREAMBLE, /* nothing of the answer yet */
    FRAME_CONTENT,
    FRAME_STOP, /* says why it stopped: a clean end of the bytes is an end then */
    FRAME_END,
    FRAME_ERROR
} frame_sense;

/* A stream being translated. Readers hand on with stream_emit(), writers put bytes into `out`. */
typedef struct llm_stream llm_stream;
struct llm_stream {
    arena *a;       /* of the request */
    arena *scratch; /* emptied after every frame */
    const llm_chat *chat;
    const struct llm_dialect *client, *provider;
    const header *head;      /* of the provider's answer; NULL: not known */
    str model;               /* as the client knows it */
    void *reading, *writing; /* each side's own state; NULL at first, made in `a` */
    buf *out;
    bool started, stopped, ended, failed; /* START, STOP, END, ERROR were emitted */
    llm_error error;                      /* FAILED: what it was */
    bool has_content;                     /* a PART or STOP was emitted: no failover any more */
    unsigned choice, parts;               /* the choice that is read; how many parts were opened */
    bool part_open;
    bool left_out;   /* a part that its provider alone knows was opened */
    llm_part part;   /* the open one: kind, id, name */
    llm_usage usage; /* merged */
    int64_t said;    /* bytes of its deltas */
};
void stream_emit(llm_stream *s, const llm_event *ev);
/* Make the order right for readers whose provider leaves something out. START is emitted when it
 * is missing; a part that is open is closed by the next one, by STOP and by END; a delta of another
 * kind than the open part's opens one of its own. A call without a name fails the stream. */
void stream_start(llm_stream *s, const llm_event *start); /* once; NULL: nothing is known */
void stream_part(llm_stream *s, const llm_part *p);
void stream_text(llm_stream *s, part_kind kind, str text);
void stream_signature(llm_stream *s, part_kind kind, str signature);
void stream_part_end(llm_stream *s);
void stream_stop(llm_stream *s, int stop, str detail, str sequence);
void stream_usage(llm_stream *s, const llm_usage *u);
void stream_end(llm_stream *s);
void stream_fail(llm_stream *s, const llm_error *e);
void stream_reply(llm_stream *s, const llm_reply *r); /* a whole answer, as events */

typedef struct llm_dialect {
    const char *name;   /* "openai_chat" */
    const char *family; /* dialects of one family carry each other's bytes: "anthropic" */
    llm_framing framing;
    unsigned counts;                 /* COUNTS_* */
    const field_row *params, *usage; /* of llm_chat, of llm_usage */
    const char *const *usage_at; /* where a reply or an event holds it: "usage", ends with NULL */
    const char *error_type;      /* of an error in no shape at all, to OpenAI's clients */
    frame_sense (*sense)(llm_frame f);

    const err *(*read_request)(llm_reader *rd, js_value body, llm_chat *out);
    jnode *(*write_reply)(arena *a, const llm_chat *c, const llm_reply *r);
    void (*write_event)(llm_stream *s, const llm_event *ev);
    jnode *(*write_error)(arena *a, const llm_error *e);

    const err *(*write_request)(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out);
    /* Same family: what to set in the client's body or to remove from it. NULL: only the model. */
    const body_edit *(*edit_request)(arena *a, const llm_chat *c, const llm_target *to);
    const err *(*write_head)(arena *a, const llm_chat *c, const llm_target *to, llm_head *out);
    const err *(*read_reply)(llm_reader *rd, js_value body, const header *head, llm_reply *out);
    const err *(*read_event)(llm_stream *s, llm_frame f); /* an error breaks the stream */
    /* Same family, other frames (AWS wraps Anthropic's events): what is inside. NULL: as it is. */
    const err *(*unwrap)(arena *a, llm_frame *f);
    /* `body` may be anything; `head`: the answer's headers (x-amzn-errortype, retry-after). */
    void (*read_error)(arena *a, const header *head, str body, llm_error *e);
} llm_dialect;
#endif
