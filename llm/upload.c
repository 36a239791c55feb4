/* SPDX-License-Identifier: Apache-2.0 */
#include "upload.h"
#include "../base/clock.h"
#include "../transport/multipart.h"
#include "../transport/spool.h"

enum { FIELD_MOST = 256, AHEAD = 256 * 1024, PIECE = 64 * 1024 };

typedef enum { FIELD_OTHER, FIELD_MODEL, FIELD_STREAM } form_field;

struct llm_upload {
    multipart *form;
    spool *bytes;
    form_field in; /* the field being read */
    buf value;     /* of it */
    bool has_model, has_stream, has_file;
    uint64_t hole; /* bytes before the model's name */
    uint64_t put;  /* bytes but the name */
    uint64_t come; /* bytes of the form */
    uint64_t taken;
    str name;   /* what is sent in the hole; p NULL: it was */
    bool asked; /* the rules were: what is learnt now comes late */
    bool wants; /* the provider takes more */
    const err *wrong;
};

static void pump(llm_run *r);

static llm_upload *up(void *run)
{
    return ((llm_run *)run)->upload;
}

/* What is wrong with a form: the client is told, and nothing more of it goes to the provider. */
static void stop(llm_run *r, const err *e)
{
    if (r->upload->wrong) return;
    r->upload->wrong = e;
    if (r->call) call_cancel(r->call);
    if (r->call) {
        r->call = NULL;
        r->refusal = refusal_of(e);
        r->ended = r->failed = true;
    }
    flow_wake(loop_flows(r->w->o.loop), r->flow.self, FLOW_WOKEN);
}

static void stop_for(llm_run *r, const char *what)
{
    stop(r, err_new(r->a, ERR_MALFORMED, "%s", what));
}

/* The form's events */

static form_field field_of(llm_run *r, str name)
{
    static const str names[] = {[FIELD_MODEL] = {"model", 5}, [FIELD_STREAM] = {"stream", 6}};
    for (size_t i = FIELD_MODEL; i <= FIELD_STREAM; i++) {
        if (str_eq(name, names[i])) return (form_field)i;
        if (header_name_is(name, names[i])) /* a server that does not mind may take it for it */
            stop(r, err_new(r->a, ERR_MALFORMED, "'" STR_FMT "' must be spelled '" STR_FMT "'",
                            STR_ARG(name), STR_ARG(names[i])));
    }
    return FIELD_OTHER;
}

static void on_part(void *run, const multipart_part *p)
{
    llm_run *r = run;
    llm_upload *u = r->upload;
    u->in = field_of(r, p->name);
    u->value.n = 0;
    if (str_eq(p->name, S("file"))) u->has_file = true;
    if (u->in == FIELD_OTHER) return;
    if (p->is_file) stop_for(r, "'model' and 'stream' must be plain fields");
    if (u->in == FIELD_MODEL ? u->has_model : u->has_stream)
        stop_for(r, "'model' or 'stream' stands twice in the form");
    if (u->in == FIELD_MODEL) u->hole = u->put;
}

static void on_bytes(void *run, str bytes, bool value)
{
    llm_upload *u = up(run);
    bool kept = value && u->in != FIELD_OTHER;
    if (kept && !buf_put(&u->value, bytes)) stop_for(run, "'model' or 'stream' is too long");
    if (kept && u->in == FIELD_MODEL) return;
    u->put += bytes.n;
    (void)spool_put(u->bytes, bytes);
}

static void read_stream(llm_run *r, str value)
{
    bool on = header_name_is(value, S("true")) || str_eq(value, S("1"));
    bool off = header_name_is(value, S("false")) || str_eq(value, S("0")) || !value.n;
    r->upload->has_stream = true;
    r->body.stream = on;
    if (!on && !off) stop_for(r, "'stream' must be true or false");
    if (!on || !r->upload->asked) return;
    if (llm_still_permitted(r)) return;
    const llm_refusal no = r->refusal;
    stop_for(r, "denied");
    r->refusal = no;
}

static void on_part_end(void *run)
{
    llm_run *r = run;
    llm_upload *u = r->upload;
    if (u->in == FIELD_MODEL) {
        r->body.model = arena_dup(r->a, buf_str(&u->value));
        u->has_model = true;
        if (!r->body.model.n) stop_for(r, "'model' is missing: name the model to use");
    }
    if (u->in == FIELD_STREAM) read_stream(r, buf_str(&u->value));
    u->in = FIELD_OTHER;
}

/* The client's side */

/* Until the provider takes them, bytes may wait on the disk; after that, with the client. */
static bool wants_more(llm_run *r)
{
    const llm_upload *u = r->upload;
    if (u->wrong) return true; /* it is not kept any more: the front swallows it, within bounds */
    if (!u->asked) return spool_has_room(u->bytes);
    return spool_waiting(u->bytes) < AHEAD && spool_has_room(u->bytes);
}

static bool on_piece(void *run, str bytes)
{
    llm_run *r = run;
    llm_upload *u = r->upload;
    if (u->wrong) return true;
    bool decided = u->has_model && u->has_file;
    u->come += bytes.n;
    const err *e = multipart_feed(u->form, bytes);
    if (!e && (int64_t)u->come == exchange_length(r->x)) e = multipart_end(u->form);
    if (e) stop(r, e);
    if (!decided && u->has_model && u->has_file)
        flow_wake(loop_flows(r->w->o.loop), r->flow.self, FLOW_WOKEN);
    pump(r);
    return wants_more(r);
}

/* The provider's side */

/* What stands before the model's name, then the name, then the rest. */
static str next_piece(llm_upload *u)
{
    if (u->name.p && u->taken == u->hole) return u->name;
    str first = str_take(spool_first(u->bytes), PIECE);
    uint64_t before = u->hole - u->taken;
    return u->name.p && before < first.n ? str_take(first, (size_t)before) : first;
}

static void pump(llm_run *r)
{
    llm_upload *u = r->upload;
    while (r->call && u->wants) {
        str piece = next_piece(u);
        if (!piece.n) break;
        u->wants = call_upload(r->call, piece);
        if (piece.p == u->name.p) {
            u->name = (str){0};
        } else {
            u->taken += piece.n;
            spool_taken(u->bytes, piece.n);
        }
    }
}

static void moved(void *run)
{
    llm_run *r = run;
    const err *e = spool_error(r->upload->bytes);
    if (e) stop(r, e);
    pump(r);
    if (wants_more(r)) exchange_upload_go_on(r->x);
}

void upload_wants(void *run)
{
    llm_run *r = run;
    r->upload->wants = true;
    moved(r);
}

/* What the steps ask */

static const err *open_form(llm_run *r)
{
    static const multipart_events events = {on_part, on_bytes, on_part_end};
    llm_upload *u = NEW(r->a, llm_upload);
    const err *e = multipart_new(r->a, upload_content_type(r), &events, r, &u->form);
    if (e) return e;
    u->bytes = spool_new(r->a, r->w->o.loop, &r->w->o.disk, moved, r);
    u->value = buf_new(r->a, FIELD_MOST);
    r->upload = u;
    return exchange_upload(r->x, r->rq.config->upload_limit, on_piece, r);
}

/* What rules may ask of a form: its fields as a body of JSON would have them. */
static void describe(llm_run *r)
{
    buf b = buf_new(r->a, 6 * FIELD_MOST + 64);
    buf_put(&b, S("{\"model\":"));
    buf_json(&b, r->body.model);
    buf_put(&b, r->body.stream ? S(",\"stream\":true}") : S("}"));
    const err *e = js_check(r->a, buf_str(&b), 2, &r->body.root);
    if (e) r->body.root = (js_value){0};
}

static const err *missing(const llm_run *r)
{
    const llm_upload *u = r->upload;
    const err *e = multipart_end(u->form);
    if (e) return e;
    if (!u->has_model)
        return err_new(r->a, ERR_MALFORMED, "'model' is missing: name the model to use");
    return u->has_file ? NULL : err_new(r->a, ERR_MALFORMED, "'file' is missing from the form");
}

flow_go upload_read(llm_run *r, flow_why why)
{
    if (why == FLOW_GONE) return FLOW_FAIL;
    const err *e = r->upload ? NULL : open_form(r);
    if (e) return llm_fail(r, refusal_of(e));
    llm_upload *u = r->upload;
    upload_state state = exchange_upload_state(r->x);
    if (state == UPLOAD_OVER)
        return llm_fail(r, refusal_of(&(err){.kind = ERR_TOO_LARGE,
                                             .text = S("the upload is over limits.upload")}));
    if (!u->wrong && state == UPLOAD_ENDED) u->wrong = missing(r);
    if (u->wrong) return llm_fail(r, refusal_of(u->wrong));
    bool known = u->has_model && u->has_file && exchange_length(r->x) > 0;
    if (!known && state != UPLOAD_ENDED) return FLOW_WAIT;
    u->asked = true;
    describe(r);
    return FLOW_NEXT;
}

void upload_begin(llm_run *r)
{
    llm_upload *u = r->upload;
    if (!u) return;
    u->name = r->target->model.p ? r->target->model : r->body.model;
    u->wants = false;
}

uint64_t upload_length(const llm_run *r)
{
    const llm_upload *u = r->upload;
    if (!u) return 0;
    int64_t declared = exchange_length(r->x);
    uint64_t rest = declared > 0 ? (uint64_t)declared - r->body.model.n : u->put;
    return rest + u->name.n;
}

str upload_content_type(const llm_run *r)
{
    return exchange_header(r->x, S("content-type"));
}

bool upload_is_whole(const llm_run *r)
{
    return !r->upload || (!r->upload->taken && !r->upload->wrong);
}
