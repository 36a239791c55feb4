/* SPDX-License-Identifier: Apache-2.0 */
/* gemini.c - what Gemini answers, on Vertex and in AI Studio.
 *
 * Calls of tools finish with STOP, perhaps in a later chunk than the call. A stop reason that is
 * neither a plain stop nor a filter is an error with its own name, never a filter. A blocked
 * prompt has no candidates at all. A stream ends with its connection, after a finish reason.
 * A signature stands on the text or call it belongs to; clients get it as a thought's. */
#include "gemini.h"
#include "google.h"
#include "parts.h"
#include "schema.h"

/* clang-format off */
#define F(path, member) {path, FIELD_INT, offsetof(llm_usage, member), NULL, false}
static const field_row usage[] = {
    F("promptTokenCount",        input),
    F("cachedContentTokenCount", cache_read),
    F("candidatesTokenCount",    output),
    F("thoughtsTokenCount",      reasoning),
    {0},
};
#undef F

typedef struct {
    const char *reason;
    int stop;
    const char *detail;
} finish_row;
static const finish_row finishes[] = {
    {"STOP", STOP_END, ""},                       {"MAX_TOKENS", STOP_LENGTH, ""},
    {"SAFETY", STOP_FILTER, ""},                  {"BLOCKLIST", STOP_FILTER, ""},
    {"PROHIBITED_CONTENT", STOP_FILTER, ""},      {"SPII", STOP_FILTER, ""},
    {"IMAGE_SAFETY", STOP_FILTER, ""},            {"IMAGE_PROHIBITED_CONTENT", STOP_FILTER, ""},
    {"RECITATION", STOP_ERROR, "recitation"},     {"IMAGE_RECITATION", STOP_ERROR, "recitation"},
    {"MALFORMED_FUNCTION_CALL", STOP_ERROR, "malformed_function_call"},
    {"UNEXPECTED_TOOL_CALL", STOP_ERROR, "unexpected_tool_call"},
    {"LANGUAGE", STOP_ERROR, "language"},         {"NO_IMAGE", STOP_ERROR, "no_image"},
    {0},
};
/* clang-format on */

static const char *const usage_at[] = {"usageMetadata", NULL};
static const str family = {"gemini", 6};

static finish_row finish_of(js_value reason, bool called)
{
    if (called && js_text_is(reason, S("STOP"))) return (finish_row){"STOP", STOP_TOOLS, ""};
    for (const finish_row *r = finishes; r->reason; r++)
        if (js_text_is(reason, (str){r->reason, strlen(r->reason)})) return *r;
    return (finish_row){"", STOP_ERROR, "error"};
}

static str detail_of(const finish_row *f)
{
    return (str){f->detail, strlen(f->detail)};
}

/* What is not said was none: Gemini leaves zeros out. */
static bool read_usage(arena *a, js_value answer, llm_usage *u)
{
    obj *o = obj_open(reader_new(a), js_get(answer, S("usageMetadata")), "usageMetadata");
    if (!o || !obj_has(o, "promptTokenCount")) return false;
    int64_t tools = 0;
    *u = (llm_usage){.cache_read.set = true, .output.set = true, .reasoning.set = true};
    fields_take(o, usage, u);
    if (js_int(obj_take(o, "toolUsePromptTokenCount"), &tools) && tools > 0) u->input.v += tools;
    usage_disjoin(u, gemini.counts);
    return true;
}

/* Logprobs, in OpenAI's form */

static jnode *one_logprob(arena *a, js_value v)
{
    jnode *o = jn_object(a);
    js_value token = js_get(v, S("token")), p = js_get(v, S("logProbability"));
    jn_set(o, "token", token.kind == JS_STRING ? jn_raw(a, token.raw) : jn_text(a, S("")));
    jn_set(o, "logprob", p.kind == JS_NUMBER ? jn_raw(a, p.raw) : jn_int(a, 0));
    return o;
}

static js_value read_logprobs(arena *a, js_value candidate)
{
    js_value result = js_get(candidate, S("logprobsResult")), out = {0};
    if (result.kind != JS_OBJECT) return out;
    jnode *o = jn_object(a), *content = jn_array(a);
    js_iter chosen = js_elements(js_get(result, S("chosenCandidates")));
    js_iter tops = js_elements(js_get(result, S("topCandidates")));
    while (js_next(&chosen)) {
        jnode *one = one_logprob(a, chosen.value), *top = jn_array(a);
        bool has_top = js_next(&tops);
        js_iter it = js_elements(has_top ? js_get(tops.value, S("candidates")) : (js_value){0});
        while (js_next(&it)) jn_add(top, one_logprob(a, it.value));
        jn_set(one, "top_logprobs", top);
        jn_add(content, one);
    }
    jn_set(o, "content", content);
    (void)!js_check(a, jn_dump(a, o), 16, &out);
    return out;
}

/* Whole answers */

static void add_call(arena *a, js_value v, str signature, part_list *l)
{
    llm_part *p = part_add(l, PART_TOOL_CALL);
    js_value args = js_get(v, S("args"));
    p->id = js_text(a, js_get(v, S("id")));
    if (!p->id.n) p->id = made_uuid(a);
    p->name = js_text(a, js_get(v, S("name")));
    p->text = args.kind == JS_OBJECT ? json_compact(a, args.raw) : S("{}");
    p->signature = signature;
    p->origin = family;
}

/* The thought that a text's signature seals: the one before it, else one without words. */
static void seal(part_list *l, str signature)
{
    llm_part *last = l->n ? &l->p[l->n - 1] : NULL;
    if (!last || last->kind != PART_THINKING || last->signature.n)
        last = part_add(l, PART_THINKING);
    last->signature = signature;
    last->origin = family;
}

static bool read_part(arena *a, js_value v, part_list *l)
{
    js_value f = js_get(v, S("functionCall")), text = js_get(v, S("text"));
    str signature = js_text(a, js_get(v, S("thoughtSignature")));
    if (f.kind == JS_OBJECT) {
        add_call(a, f, signature, l);
        return true;
    }
    if (text.kind != JS_STRING) return false;
    bool thought = js_bool(js_get(v, S("thought")), false);
    if (signature.n && !thought) seal(l, signature);
    llm_part *p = part_add(l, thought ? PART_THINKING : PART_TEXT);
    p->text = js_text(a, text);
    if (thought) p->signature = signature, p->origin = family;
    return false;
}

static void read_candidate(arena *a, js_value v, llm_choice *c)
{
    js_value parts = js_at(v, "content.parts");
    part_list l = parts_new(a, list_count(parts) * 2 + 1);
    bool called = false;
    js_iter it = js_elements(parts);
    while (js_next(&it)) called = read_part(a, it.value, &l) || called;
    js_value reason = js_get(v, S("finishReason"));
    finish_row f = finish_of(reason, called);
    c->parts = l.p;
    c->count = l.n;
    c->stop = reason.kind == JS_STRING ? f.stop : 0;
    c->stop_detail = detail_of(&f);
    c->logprobs = read_logprobs(a, v);
}

static const err *read_reply(llm_reader *rd, js_value body, const header *head, llm_reply *out)
{
    (void)head;
    arena *a = reader_arena(rd);
    js_value candidates = js_get(body, S("candidates"));
    size_t count = list_count(candidates);
    llm_choice *choices = NEW_N(a, llm_choice, count + 1);
    *out = (llm_reply){.id = js_text(a, js_get(body, S("responseId"))),
                       .model = js_text(a, js_get(body, S("modelVersion"))),
                       .choices = choices,
                       .count = count};
    js_iter it = js_elements(candidates);
    for (size_t i = 0; i < count && js_next(&it); i++) read_candidate(a, it.value, &choices[i]);
    (void)read_usage(a, body, &out->usage);
    if (count) return NULL;
    if (js_at(body, "promptFeedback.blockReason").kind != JS_STRING)
        return err_new(a, ERR_UPSTREAM, "Gemini's answer has no candidates");
    choices[0].stop = STOP_FILTER;
    out->count = 1;
    return NULL;
}

/* Streams */

typedef struct {
    uint64_t called; /* a bit a choice: it called a tool */
} reading;

static void stream_call(llm_stream *s, js_value f, str signature)
{
    reading *r = s->reading;
    js_value args = js_get(f, S("args"));
    str id = js_text(s->scratch, js_get(f, S("id")));
    stream_part(s, &(llm_part){.kind = PART_TOOL_CALL,
                               .id = id.n ? id : made_uuid(s->scratch),
                               .name = js_text(s->scratch, js_get(f, S("name"))),
                               .origin = family});
    if (signature.n) stream_signature(s, PART_TOOL_CALL, signature);
    stream_text(s, PART_TOOL_CALL,
                args.kind == JS_OBJECT ? json_compact(s->scratch, args.raw) : S("{}"));
    stream_part_end(s);
    r->called |= (uint64_t)1 << (s->choice & 63);
}

static void stream_piece(llm_stream *s, js_value v)
{
    js_value f = js_get(v, S("functionCall"));
    str signature = js_text(s->scratch, js_get(v, S("thoughtSignature")));
    str text = js_text(s->scratch, js_get(v, S("text")));
    bool thought = js_bool(js_get(v, S("thought")), false);
    if (f.kind == JS_OBJECT) {
        stream_call(s, f, signature);
        return;
    }
    if (thought && text.n) stream_text(s, PART_THINKING, text);
    if (signature.n) stream_signature(s, PART_THINKING, signature);
    if (!thought && text.n) stream_text(s, PART_TEXT, text);
}

static void stream_candidate(llm_stream *s, js_value v)
{
    const reading *r = s->reading;
    int64_t index = 0;
    (void)js_int(js_get(v, S("index")), &index);
    if (index < 0 || index > 63) return;
    if ((unsigned)index != s->choice) stream_part_end(s);
    s->choice = (unsigned)index;
    js_iter it = js_elements(js_at(v, "content.parts"));
    while (js_next(&it)) stream_piece(s, it.value);
    js_value reason = js_get(v, S("finishReason"));
    if (reason.kind != JS_STRING) return;
    finish_row f = finish_of(reason, r->called >> index & 1);
    stream_stop(s, f.stop, detail_of(&f), (str){0});
}

static void read_error(arena *a, const header *head, str body, llm_error *e);

static const err *read_event(llm_stream *s, llm_frame f)
{
    js_value root;
    llm_usage u;
    if (!s->reading) s->reading = NEW(s->a, reading);
    const err *e = js_check(s->scratch, f.data, 128, &root);
    if (e) return e;
    if (js_get(root, S("error")).kind == JS_OBJECT) {
        llm_error bad = {.status = 502};
        read_error(s->scratch, NULL, f.data, &bad);
        stream_fail(s, &bad);
        return NULL;
    }
    llm_event start = {.id = js_text(s->scratch, js_get(root, S("responseId"))),
                       .model = js_text(s->scratch, js_get(root, S("modelVersion")))};
    stream_start(s, &start);
    js_iter it = js_elements(js_get(root, S("candidates")));
    while (js_next(&it)) stream_candidate(s, it.value);
    if (js_at(root, "promptFeedback.blockReason").kind == JS_STRING && !s->stopped)
        stream_stop(s, STOP_FILTER, (str){0}, (str){0});
    if (read_usage(s->scratch, root, &u)) stream_usage(s, &u);
    return NULL;
}

static frame_sense sense(llm_frame f)
{
    return str_starts(f.data, S("{\"error\"")) ? FRAME_ERROR : FRAME_CONTENT;
}

/* Errors and the head */

/* RetryInfo's "13s" or "0.5s" in the whole seconds of a header; p NULL: it was not said. */
static str retry_after(arena *a, js_value details)
{
    enum { DIGITS_MOST = 9 };
    for (js_iter it = js_elements(details); js_next(&it);) {
        str delay = js_text(a, js_get(it.value, S("retryDelay")));
        size_t n = 0;
        int64_t seconds = 0;
        for (; n < delay.n && n < DIGITS_MOST && delay.p[n] >= '0' && delay.p[n] <= '9'; n++)
            seconds = seconds * 10 + (delay.p[n] - '0');
        if (!n || n == delay.n) continue;
        if (delay.p[n] == '.') seconds++;
        return arena_fmt(a, "%lld", (long long)seconds);
    }
    return (str){0};
}

/* A stream that was never one wraps its error in a list. */
static void read_error(arena *a, const header *head, str body, llm_error *e)
{
    (void)head;
    js_value root = {0};
    if (js_check(a, body, 64, &root)) root = (js_value){0};
    js_iter it = js_iterate(root);
    if (root.kind == JS_ARRAY && js_next(&it)) root = it.value;
    js_value error = js_get(root, S("error")), details = js_get(error, S("details"));
    e->type = js_text(a, js_get(error, S("status")));
    str message = js_text(a, js_get(error, S("message")));
    e->message = message;
    e->retry_after = retry_after(a, details);
    if (error.kind != JS_OBJECT) {
        e->message = body;
        e->type = S("GCPVertexAIBackendError");
    }
    if (list_count(details))
        e->message = arena_fmt(a, "Error: " STR_FMT "\nDetails: " STR_FMT, STR_ARG(message),
                               STR_ARG(details.raw));
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    const char *verb = c->stream.v ? "streamGenerateContent?alt=sse" : "generateContent";
    out->target = google_place(a, to->backend, "google", chat_model(c, to), verb);
    return NULL;
}

const llm_dialect gemini = {
    .name = "gemini",
    .family = "gemini",
    .counts = COUNTS_CACHE_IN_INPUT,
    .usage = usage,
    .usage_at = usage_at,
    .error_type = "GCPVertexAIBackendError",
    .sense = sense,
    .write_request = gemini_write_request,
    .write_head = write_head,
    .read_reply = read_reply,
    .read_event = read_event,
    .read_error = read_error,
};
