/* SPDX-License-Identifier: Apache-2.0 */
/* openai_responses_request.c - what a client of responses asks, in neutral words.
 *
 * Items are a flat list: thoughts, calls and words of an assistant in a row are one turn, outputs
 * of tools in a row another. An item without a type but with a role is a message (OpenCode sends
 * such), reasoning may lack its id. What only OpenAI knows (hosted tools and their calls) is kept
 * as bytes, and lost elsewhere. */
#include "openai_responses.h"
#include "thinking.h"

typedef struct {
    llm_reader *rd;
    arena *a;
    part_list parts; /* of all turns, one behind the other */
    llm_turn *turns;
    size_t n;
} items;

/* The turn that the next part belongs to: the last one, if it is of this role. */
static llm_turn *turn_of(items *l, llm_role role, bool joins)
{
    if (l->n && joins && l->turns[l->n - 1].role == role) return &l->turns[l->n - 1];
    llm_turn *t = &l->turns[l->n++];
    *t = (llm_turn){.role = role, .parts = l->parts.p + l->parts.n};
    return t;
}

static llm_part *add(items *l, llm_turn *t, part_kind kind, const char *path)
{
    llm_part *p = part_add(&l->parts, kind);
    t->count++;
    reader_spot(l->rd, p, path);
    return p;
}

/* Parts of a message, or of a tool's output */

static void read_image(obj *o, llm_part *p)
{
    str url = obj_text(o, "image_url"), id = obj_text(o, "file_id");
    p->media = url.p ? media_of_url(obj_arena(o), url) : (media){.from = MEDIA_FILE, .value = id};
    p->detail = obj_text(o, "detail");
    if (p->detail.p) reader_spot(obj_reader(o), &p->detail, "input.content.detail");
}

static void read_file(obj *o, llm_part *p)
{
    str data = obj_text(o, "file_data"), url = obj_text(o, "file_url");
    str id = obj_text(o, "file_id");
    if (data.p)
        p->media = media_of_url(obj_arena(o), data);
    else if (url.p)
        p->media = (media){.from = MEDIA_URL, .value = url};
    else
        p->media = (media){.from = MEDIA_FILE, .value = id};
    p->name = obj_text(o, "filename");
    if (p->name.p) reader_spot(obj_reader(o), &p->name, "input.content.filename");
}

static void read_audio(obj *o, llm_part *p)
{
    obj *audio = obj_inner(o, "input_audio", "input.content.input_audio");
    if (!audio) return;
    p->media = (media){.from = MEDIA_DATA, .value = obj_text(audio, "data")};
    p->media.mime = arena_fmt(obj_arena(o), "audio/" STR_FMT, STR_ARG(obj_text(audio, "format")));
}

static const part_row kinds[] = {
    {"input_text", "input.content.input_text", PART_TEXT},
    {"output_text", "input.content.output_text", PART_TEXT},
    {"text", "input.content.text", PART_TEXT},
    {"refusal", "input.content.refusal", PART_REFUSAL},
    {"input_image", "input.content.input_image", PART_IMAGE},
    {"input_file", "input.content.input_file", PART_DOCUMENT},
    {"input_audio", "input.content.input_audio", PART_AUDIO},
    {NULL, "input.content", PART_OTHER},
};

static const err *read_part(obj *o, js_value raw, part_list *l)
{
    llm_part *p = part_of_type(o, kinds, l);
    (void)obj_take(o, "annotations");
    (void)obj_take(o, "logprobs");
    switch (p->kind) {
    case PART_TEXT: p->text = obj_text(o, "text"); break;
    case PART_REFUSAL: p->text = obj_text(o, "refusal"); break;
    case PART_IMAGE: read_image(o, p); break;
    case PART_DOCUMENT: read_file(o, p); break;
    case PART_AUDIO: read_audio(o, p); break;
    default: part_keep(o, raw, S("openai_responses"), p); break;
    }
    return NULL;
}

static const err *read_content(llm_reader *rd, js_value content, part_list *l)
{
    static const content_form form = {"input.content",
                                      "'content' of an item must be text or a list",
                                      "each part of an item's 'content' must be an object",
                                      read_part};
    return content_read(rd, content, &form, l);
}

/* Items */

static const err *read_message(items *l, obj *o)
{
    static const name_row roles[] = {{"user", ROLE_USER},
                                     {"assistant", ROLE_ASSISTANT},
                                     {"system", ROLE_SYSTEM},
                                     {"developer", ROLE_DEVELOPER},
                                     {0}};
    int role = name_value(roles, obj_text(o, "role"), 0);
    if (!role) return reader_wrong(l->rd, "'role' must be user, assistant, system or developer");
    (void)obj_take(o, "id"); /* of answers kept elsewhere */
    (void)obj_take(o, "status");
    (void)obj_take(o, "phase");
    llm_turn *t = turn_of(l, (llm_role)role, role == ROLE_ASSISTANT);
    size_t before = l->parts.n;
    const err *e = read_content(l->rd, obj_take(o, "content"), &l->parts);
    t->count += l->parts.n - before;
    return e;
}

static const err *read_call(items *l, obj *o, bool custom)
{
    llm_part *p = add(l, turn_of(l, ROLE_ASSISTANT, true), PART_TOOL_CALL,
                      custom ? "input.custom_tool_call" : "input.function_call");
    p->custom = custom;
    p->id = obj_text(o, "call_id");
    p->name = obj_text(o, "name");
    p->text = obj_text(o, custom ? "input" : "arguments");
    (void)obj_take(o, "id");
    (void)obj_take(o, "status");
    if (!p->id.n || !p->name.n)
        return reader_wrong(l->rd, "a call must have a 'call_id' and a 'name'");
    return NULL;
}

static const err *read_output(items *l, obj *o)
{
    llm_part *p =
        add(l, turn_of(l, ROLE_TOOL, true), PART_TOOL_RESULT, "input.function_call_output");
    p->id = obj_text(o, "call_id");
    (void)obj_take(o, "id");
    (void)obj_take(o, "status");
    js_value output = obj_take(o, "output");
    part_list inner = parts_new(l->a, list_count(output) + 1);
    const err *e = read_content(l->rd, output, &inner);
    p->inner = inner.p;
    p->inner_count = inner.n;
    if (!p->id.n) return reader_wrong(l->rd, "a call's output must have a 'call_id'");
    return e;
}

static const err *read_reasoning(items *l, obj *o)
{
    llm_part *p = add(l, turn_of(l, ROLE_ASSISTANT, true), PART_THINKING, "input.reasoning");
    (void)obj_take(o, "id");
    (void)obj_take(o, "status");
    buf text = buf_new(l->a, 64 << 20);
    const char *members[] = {"content", "summary"};
    for (size_t i = 0; i < 2 && !text.n; i++) {
        js_iter it = js_elements(obj_take_kind(o, members[i], JS_ARRAY));
        while (js_next(&it)) {
            obj *piece = obj_open(l->rd, it.value, "input.reasoning");
            if (!piece) return reader_wrong(l->rd, "each part of reasoning must be an object");
            (void)obj_take(piece, "type");
            buf_put(&text, obj_text(piece, "text"));
        }
    }
    (void)obj_take(o, "summary");
    p->text = text.n ? buf_str(&text) : S("");
    p->signature = obj_text(o, "encrypted_content");
    if (!origin_unseal(p->signature, p)) p->origin = S("openai_responses");
    return NULL;
}

static const err *read_item(items *l, js_value raw)
{
    obj *o = obj_open(l->rd, raw, "input");
    if (!o) return reader_wrong(l->rd, "each item of 'input' must be an object");
    str type = obj_text(o, "type");
    if (str_eq(type, S("message")) || (!type.n && obj_has(o, "role"))) return read_message(l, o);
    if (str_eq(type, S("function_call"))) return read_call(l, o, false);
    if (str_eq(type, S("custom_tool_call"))) return read_call(l, o, true);
    if (str_eq(type, S("function_call_output")) || str_eq(type, S("custom_tool_call_output")))
        return read_output(l, o);
    if (str_eq(type, S("reasoning"))) return read_reasoning(l, o);
    if (!type.n) return reader_wrong(l->rd, "an item of 'input' must have a 'type' or a 'role'");
    llm_part *p = add(l, turn_of(l, ROLE_ASSISTANT, true), PART_OTHER, "input");
    part_keep(o, raw, S("openai_responses"), p);
    return NULL;
}

static const err *read_input(obj *o, llm_chat *c)
{
    llm_reader *rd = obj_reader(o);
    str instructions = obj_text(o, "instructions");
    js_value input = obj_take(o, "input");
    size_t most = 2, count = list_count(input);
    js_iter it = js_elements(input);
    while (js_next(&it)) most += list_count(js_get(it.value, S("content"))) + 1;
    items l = {.rd = rd, .a = obj_arena(o), .parts = parts_new(obj_arena(o), most)};
    l.turns = NEW_N(l.a, llm_turn, count + 2);
    if (instructions.n) {
        llm_turn *t = turn_of(&l, ROLE_SYSTEM, false);
        t->apart = true;
        add(&l, t, PART_TEXT, "instructions")->text = instructions;
    }
    if (input.kind == JS_STRING)
        add(&l, turn_of(&l, ROLE_USER, false), PART_TEXT, "input")->text = js_text(l.a, input);
    else if (input.kind != JS_ARRAY)
        return reader_wrong(rd, "'input' must be text or a list of items");
    it = js_elements(input);
    while (js_next(&it)) {
        const err *e = read_item(&l, it.value);
        if (e) return e;
    }
    c->turns = l.turns;
    c->turn_count = l.n;
    return NULL;
}

/* Tools and the rest */

static const err *read_tool(obj *o, js_value raw, llm_tool *t)
{
    str type = obj_text(o, "type");
    bool custom = str_eq(type, S("custom"));
    reader_spot(obj_reader(o), t, "tools");
    if (!custom && !str_eq(type, S("function"))) {
        *t = (llm_tool){.kind = TOOL_OTHER, .raw = raw, .origin = S("openai_responses")};
        obj_take_all(o);
        return NULL;
    }
    t->kind = custom ? TOOL_CUSTOM : TOOL_FUNCTION;
    tool_take(o, custom ? "format" : "parameters", "tools.strict", t);
    return NULL;
}

static const err *read_choice(obj *o, llm_chat *c)
{
    static const name_row modes[] = {{"auto", CHOICE_AUTO},
                                     {"none", CHOICE_NONE},
                                     {"required", CHOICE_ANY},
                                     {0}};
    llm_reader *rd = obj_reader(o);
    js_value v = obj_take(o, "tool_choice");
    if (v.kind == JS_ABSENT) return NULL;
    reader_spot(rd, &c->choice, "tool_choice");
    c->choice = name_value(modes, js_text(obj_arena(o), v), 0);
    if (c->choice) return NULL;
    obj *choice = obj_open(rd, v, "tool_choice");
    if (!choice) return reader_wrong(rd, "'tool_choice' must be none, auto, required or a tool");
    str type = obj_text(choice, "type");
    c->choice_name = obj_text(choice, "name");
    c->choice = c->choice_name.n ? CHOICE_ONE : CHOICE_AUTO;
    if (str_eq(type, S("allowed_tools"))) /* which ones is a loss */
        c->choice = str_eq(obj_text(choice, "mode"), S("required")) ? CHOICE_ANY : CHOICE_AUTO;
    return NULL;
}

/* `text`: the shape of the answer, and how much of it. */
static const err *read_text(obj *o, llm_chat *c)
{
    static const name_row much[] = {{"low", VERBOSITY_LOW},
                                    {"medium", VERBOSITY_MEDIUM},
                                    {"high", VERBOSITY_HIGH},
                                    {0}};
    static const name_row names[] = {{"text", FORMAT_TEXT},
                                     {"json_object", FORMAT_JSON},
                                     {"json_schema", FORMAT_SCHEMA},
                                     {0}};
    llm_reader *rd = obj_reader(o);
    obj *text = obj_inner(o, "text", "text");
    if (!text) return NULL;
    c->verbosity = name_value(much, js_text(obj_arena(o), obj_peek(text, "verbosity")), 0);
    if (c->verbosity) { /* another word is a loss */
        (void)obj_take(text, "verbosity");
        reader_spot(rd, &c->verbosity, "text.verbosity");
    }
    obj *format = obj_inner(text, "format", "text.format");
    if (!format) return NULL;
    c->format.kind = name_value(names, obj_text(format, "type"), 0);
    if (!c->format.kind) return reader_wrong(rd, "'text.format.type' is not known");
    reader_spot(rd, &c->format.kind, "text.format");
    format_take(format, "text.format.name", "text.format.description", &c->format);
    return NULL;
}

/* Encrypted reasoning is always given; what else may be asked for is OpenAI's alone. */
static void read_include(obj *o)
{
    js_iter it = js_elements(obj_peek(o, "include"));
    bool other = false;
    while (js_next(&it)) other = other || !js_text_is(it.value, S("reasoning.encrypted_content"));
    if (!other) (void)obj_take_kind(o, "include", JS_ARRAY);
}

const err *responses_read_request(llm_reader *rd, js_value body, llm_chat *out)
{
    obj *o = obj_open(rd, body, "");
    if (!o) return reader_wrong(rd, "the body must be a JSON object");
    out->model = obj_text(o, "model");
    read_include(o);
    if (out->kept || !js_bool(obj_peek(o, "store"), true)) (void)obj_take(o, "store");
    if (str_eq(js_text(obj_arena(o), obj_peek(o, "truncation")), S("disabled")))
        (void)obj_take(o, "truncation");
    if (obj_has(o, "previous_response_id"))
        return reader_wrong(rd, "'previous_response_id' is not kept for this model: "
                                "send the whole input");
    const err *e = fields_read(o, responses_params, out);
    if (!e) e = read_input(o, out);
    if (!e) e = tools_read(o, out, read_tool);
    if (!e) e = read_choice(o, out);
    if (!e) e = read_text(o, out);
    return e ? e : reader_checked(rd);
}
