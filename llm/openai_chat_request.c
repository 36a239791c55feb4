/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat_request.c - what a client of chat completions asks, in neutral words.
 *
 * Beside the published shape, what is seen in the wild is understood: `thinking_blocks` and
 * `reasoning_content` of an assistant's turn, thinking parts, `audio_url` and `video_url`,
 * `cache_control` on parts, turns and tools, and `thinking`. */
#include "openai_chat.h"
#include "origin.h"
#include "thinking.h"

/* Parts */

static void read_image(obj *o, part_list *l)
{
    llm_part *p = part_add(l, PART_IMAGE);
    llm_reader *rd = obj_reader(o);
    bool plain = obj_peek(o, "image_url").kind == JS_STRING;
    obj *image = plain ? NULL : obj_inner(o, "image_url", "messages.content.image_url");
    str url = plain ? obj_text(o, "image_url") : image ? obj_text(image, "url") : (str){0};
    p->media = media_of_url(obj_arena(o), url);
    if (image) p->detail = obj_text(image, "detail");
    if (p->detail.p) reader_spot(rd, &p->detail, "messages.content.image_url.detail");
    reader_spot(rd, p, "messages.content.image_url");
}

static void read_input_audio(obj *o, part_list *l)
{
    llm_part *p = part_add(l, PART_AUDIO);
    obj *audio = obj_inner(o, "input_audio", "messages.content.input_audio");
    str format = audio ? obj_text(audio, "format") : (str){0};
    p->media = (media){.from = MEDIA_DATA,
                       .mime = arena_fmt(obj_arena(o), "audio/" STR_FMT, STR_ARG(format)),
                       .value = audio ? obj_text(audio, "data") : (str){0}};
    reader_spot(obj_reader(o), p, "messages.content.input_audio");
}

static void read_file(obj *o, part_list *l)
{
    llm_part *p = part_add(l, PART_DOCUMENT);
    llm_reader *rd = obj_reader(o);
    obj *file = obj_inner(o, "file", "messages.content.file");
    reader_spot(rd, p, "messages.content.file");
    if (!file) return;
    str id = obj_text(file, "file_id"), data = obj_text(file, "file_data");
    p->media = id.p ? (media){.from = MEDIA_FILE, .value = id} : media_of_url(obj_arena(o), data);
    p->name = obj_text(file, "filename");
    if (p->name.p) reader_spot(rd, &p->name, "messages.content.file.filename");
}

static void read_media_url(obj *o, part_list *l, const char *type)
{
    bool audio = type[0] == 'a';
    llm_part *p = part_add(l, audio ? PART_AUDIO : PART_VIDEO);
    const char *path = audio ? "messages.content.audio_url" : "messages.content.video_url";
    obj *url = obj_inner(o, type, path);
    p->media = media_of_url(obj_arena(o), url ? obj_text(url, "url") : (str){0});
    reader_spot(obj_reader(o), p, path);
}

static void read_text(obj *o, part_list *l, part_kind kind, const char *member)
{
    llm_part *p = part_add(l, kind);
    p->text = obj_text(o, member);
    reader_spot(obj_reader(o), p, "messages.content.text");
}

static void read_thinking(obj *o, part_list *l)
{
    llm_part *p = part_add(l, PART_THINKING);
    str text = obj_text(o, "thinking"), other = obj_text(o, "text");
    p->text = text.p ? text : other.p ? other : S("");
    p->signature = obj_text(o, "signature");
    reader_spot(obj_reader(o), p, "messages.thinking");
}

static void read_redacted(obj *o, part_list *l)
{
    llm_part *p = part_add(l, PART_REDACTED);
    str data = obj_text(o, "data"), other = obj_text(o, "redacted_content");
    if (!other.p) other = obj_text(o, "redactedContent");
    p->text = data.p ? data : other;
    reader_spot(obj_reader(o), p, "messages.redacted_thinking");
}

static const err *read_part(obj *o, js_value raw, part_list *l)
{
    str type = obj_text(o, "type");
    size_t at = l->n;
    if (str_eq(type, S("text")) || str_eq(type, S("input_text")) || str_eq(type, S("output_text")))
        read_text(o, l, PART_TEXT, "text");
    else if (str_eq(type, S("refusal")))
        read_text(o, l, PART_REFUSAL, "refusal");
    else if (str_eq(type, S("image_url")))
        read_image(o, l);
    else if (str_eq(type, S("input_audio")))
        read_input_audio(o, l);
    else if (str_eq(type, S("file")))
        read_file(o, l);
    else if (str_eq(type, S("audio_url")))
        read_media_url(o, l, "audio_url");
    else if (str_eq(type, S("video_url")))
        read_media_url(o, l, "video_url");
    else if (str_eq(type, S("thinking")))
        read_thinking(o, l);
    else if (str_eq(type, S("redacted_thinking")))
        read_redacted(o, l);
    else {
        llm_part *p = part_add(l, PART_OTHER);
        part_keep(o, raw, S("openai_chat"), p);
        reader_spot(obj_reader(o), p, "messages.content");
    }
    cache_read(o, &l->p[at].cache, "messages.content.cache_control");
    return NULL;
}

static const err *read_content(llm_reader *rd, js_value content, part_list *l)
{
    static const content_form form = {"messages.content",
                                      "'messages[].content' must be text or a list",
                                      "each part of 'messages[].content' must be an object",
                                      read_part};
    return content.kind == JS_ABSENT ? NULL : content_read(rd, content, &form, l);
}

/* Turns */

static const err *read_calls(obj *turn, part_list *l)
{
    llm_reader *rd = obj_reader(turn);
    js_iter it = js_elements(obj_take_kind(turn, "tool_calls", JS_ARRAY));
    while (js_next(&it)) {
        obj *o = obj_open(rd, it.value, "messages.tool_calls");
        if (!o) return reader_wrong(rd, "each of 'messages[].tool_calls' must be an object");
        llm_part *p = part_add(l, PART_TOOL_CALL);
        p->id = obj_text(o, "id");
        p->custom = str_eq(obj_text(o, "type"), S("custom"));
        const char *what = p->custom ? "custom" : "function";
        obj *f = obj_inner(o, what, "messages.tool_calls.function");
        p->name = f ? obj_text(f, "name") : (str){0};
        p->text = f ? obj_text(f, p->custom ? "input" : "arguments") : (str){0};
        if (!p->name.n)
            return reader_wrong(rd, "each of 'messages[].tool_calls' must name its function");
        cache_read(o, &p->cache, "messages.tool_calls.cache_control");
        reader_spot(rd, p, "messages.tool_calls");
    }
    return NULL;
}

/* Some hand back an object here, which has no meaning of its own. */
static str text_or_loss(obj *turn, const char *name)
{
    return obj_peek(turn, name).kind == JS_STRING ? obj_text(turn, name) : (str){0};
}

/* What an assistant thought, as other gateways and vendors hand it back. The blocks say it whole.
 */
static void read_thoughts(obj *turn, part_list *l)
{
    llm_reader *rd = obj_reader(turn);
    js_value blocks = obj_take_kind(turn, "thinking_blocks", JS_ARRAY);
    js_iter it = js_elements(blocks);
    while (js_next(&it)) {
        obj *o = obj_open(rd, it.value, "messages.thinking_blocks");
        if (!o) continue;
        if (str_eq(obj_text(o, "type"), S("redacted_thinking")))
            read_redacted(o, l);
        else
            read_thinking(o, l);
    }
    str plain = text_or_loss(turn, "reasoning_content"), other = text_or_loss(turn, "reasoning");
    if (!plain.n) plain = other;
    if (list_count(blocks) || !plain.n) return;
    llm_part *p = part_add(l, PART_THINKING);
    p->text = plain;
    reader_spot(rd, p, "messages.reasoning_content");
}

static const err *read_assistant(obj *o, part_list *l)
{
    llm_reader *rd = obj_reader(o);
    read_thoughts(o, l);
    const err *e = read_content(rd, obj_take(o, "content"), l);
    if (e) return e;
    str refusal = obj_text(o, "refusal");
    if (refusal.n) {
        llm_part *p = part_add(l, PART_REFUSAL);
        p->text = refusal;
        reader_spot(rd, p, "messages.refusal");
    }
    return read_calls(o, l);
}

/* No member says that a tool failed: by custom its answer is then an object with `error`. */
static bool tells_error(arena *a, str text)
{
    js_value v;
    return text.n && text.p[0] == '{' && !js_check(a, text, 64, &v) &&
           js_get(v, S("error")).kind != JS_ABSENT;
}

static const err *read_result(obj *o, part_list *l)
{
    llm_reader *rd = obj_reader(o);
    arena *a = obj_arena(o);
    llm_part *p = part_add(l, PART_TOOL_RESULT);
    p->id = obj_text(o, "tool_call_id");
    if (!p->id.n) return reader_wrong(rd, "a 'tool' message must have a 'tool_call_id'");
    js_value content = obj_take(o, "content");
    part_list inner = parts_new(a, list_count(content) + 1);
    const err *e = read_content(rd, content, &inner);
    if (e) return e;
    p->inner = inner.p;
    p->inner_count = inner.n;
    p->is_error = content.kind == JS_STRING && inner.n && tells_error(a, inner.p[0].text);
    cache_read(o, &p->cache, "messages.cache_control");
    reader_spot(rd, p, "messages");
    return NULL;
}

static const name_row roles[] = {{"system", ROLE_SYSTEM}, {"developer", ROLE_DEVELOPER},
                                 {"user", ROLE_USER},     {"assistant", ROLE_ASSISTANT},
                                 {"tool", ROLE_TOOL},     {0}};

static const err *read_turn(obj *o, llm_turn *t, bool mixed)
{
    llm_reader *rd = obj_reader(o);
    t->role = (llm_role)name_value(roles, obj_text(o, "role"), 0);
    t->name = obj_text(o, "name");
    if (t->name.p) reader_spot(rd, &t->name, "messages.name");
    size_t most = list_count(obj_peek(o, "content")) + list_count(obj_peek(o, "tool_calls")) +
                  list_count(obj_peek(o, "thinking_blocks")) + 4;
    part_list l = parts_new(obj_arena(o), most);
    const err *e = NULL;
    if (!t->role)
        e = reader_wrong(rd,
                         "'messages[].role' must be system, developer, user, assistant or tool");
    else if (t->role == ROLE_ASSISTANT)
        e = read_assistant(o, &l);
    else if (t->role == ROLE_TOOL)
        e = read_result(o, &l);
    else
        e = read_content(rd, obj_take(o, "content"), &l);
    if (mixed && t->role == ROLE_ASSISTANT) origin_by_calls(l.p, l.n);
    t->parts = l.p;
    t->count = l.n;
    if (l.n && t->role != ROLE_TOOL && !l.p[l.n - 1].cache.set)
        cache_read(o, &l.p[l.n - 1].cache, "messages.cache_control");
    return e;
}

static const err *read_turns(obj *o, llm_chat *c)
{
    llm_reader *rd = obj_reader(o);
    js_value messages = obj_take(o, "messages");
    if (messages.kind != JS_ARRAY) return reader_wrong(rd, "'messages' must be a list");
    llm_turn *turns = NEW_N(obj_arena(o), llm_turn, list_count(messages) + 1);
    c->turns = turns;
    js_iter it = js_elements(messages);
    while (js_next(&it)) {
        obj *turn = obj_open(rd, it.value, "messages");
        if (!turn) return reader_wrong(rd, "each of 'messages' must be an object");
        const err *e = read_turn(turn, &turns[c->turn_count++], c->mixed);
        if (e) return e;
    }
    return NULL;
}

/* Tools */

static const err *read_tool(obj *o, js_value raw, llm_tool *t)
{
    str type = obj_text(o, "type");
    bool custom = str_eq(type, S("custom")), function = str_eq(type, S("function"));
    if (!custom && !function) {
        reader_spot(obj_reader(o), t, "tools");
        *t = (llm_tool){.kind = TOOL_OTHER, .raw = raw, .origin = S("openai_chat")};
        obj_take_all(o);
        return NULL;
    }
    if (function && !obj_has(o, "function")) { /* nothing that could be called: lost, and said so */
        reader_spot(obj_reader(o), &t->raw, "tools.function");
        return NULL;
    }
    reader_spot(obj_reader(o), t, "tools");
    t->kind = custom ? TOOL_CUSTOM : TOOL_FUNCTION;
    obj *f = obj_inner(o, custom ? "custom" : "function", "tools.function");
    if (f) tool_take(f, custom ? "format" : "parameters", "tools.function.strict", t);
    if (f) cache_read(f, &t->cache, "tools.function.cache_control");
    if (!t->cache.set) cache_read(o, &t->cache, "tools.cache_control");
    return t->name.n ? NULL : reader_wrong(obj_reader(o), "each of 'tools' must have a name");
}

static const err *read_choice(obj *o, llm_chat *c)
{
    static const name_row modes[] = {{"auto", CHOICE_AUTO},
                                     {"none", CHOICE_NONE},
                                     {"required", CHOICE_ANY},
                                     {"any", CHOICE_ANY},
                                     {0}};
    llm_reader *rd = obj_reader(o);
    js_value v = obj_take(o, "tool_choice");
    if (v.kind == JS_ABSENT) return NULL;
    reader_spot(rd, &c->choice, "tool_choice");
    if (v.kind == JS_STRING) {
        c->choice = name_value(modes, js_text(obj_arena(o), v), 0);
        return c->choice ? NULL
                         : reader_wrong(rd, "'tool_choice' must be none, auto, required or a tool");
    }
    obj *choice = obj_open(rd, v, "tool_choice");
    if (!choice) return reader_wrong(rd, "'tool_choice' must be text or an object");
    str type = obj_text(choice, "type");
    const char *what = str_eq(type, S("custom")) ? "custom" : "function";
    obj *named = obj_inner(choice, what, "tool_choice.function");
    c->choice = CHOICE_ONE;
    c->choice_name = named ? obj_text(named, "name") : (str){0};
    if (str_eq(type, S("allowed_tools"))) { /* which ones is said by nobody else: a loss */
        js_value mode = js_at(obj_peek(choice, "allowed_tools"), "mode");
        c->choice = js_text_is(mode, S("required")) ? CHOICE_ANY : CHOICE_AUTO;
        return NULL;
    }
    return c->choice_name.n ? NULL : reader_wrong(rd, "'tool_choice' must name its function");
}

/* The rest */

static const err *read_format(obj *o, llm_chat *c)
{
    static const name_row kinds[] = {{"text", FORMAT_TEXT},
                                     {"json_object", FORMAT_JSON},
                                     {"json_schema", FORMAT_SCHEMA},
                                     {0}};
    llm_reader *rd = obj_reader(o);
    obj *format = obj_inner(o, "response_format", "response_format");
    if (!format) return NULL;
    c->format.kind = name_value(kinds, obj_text(format, "type"), 0);
    if (!c->format.kind)
        return reader_wrong(rd, "'response_format.type' must be text, json_object or json_schema");
    reader_spot(rd, &c->format.kind, "response_format");
    obj *schema = obj_inner(format, "json_schema", "response_format.json_schema");
    if (!schema) return NULL;
    format_take(schema, "response_format.json_schema.name",
                "response_format.json_schema.description", &c->format);
    return NULL;
}

static void read_stops(obj *o, llm_chat *c)
{
    if (!obj_has(o, "stop")) return;
    if (obj_peek(o, "stop").kind == JS_STRING) {
        str *one = NEW(obj_arena(o), str);
        *one = obj_text(o, "stop");
        c->stops = one;
        c->stop_count = 1;
    } else {
        c->stops = obj_texts(o, "stop", &c->stop_count);
    }
    reader_spot(obj_reader(o), &c->stops, "stop");
}

const err *openai_chat_read_request(llm_reader *rd, js_value body, llm_chat *out)
{
    obj *o = obj_open(rd, body, "");
    if (!o) return reader_wrong(rd, "the body must be a JSON object");
    out->model = obj_text(o, "model");
    const err *e = fields_read(o, openai_chat_params, out);
    if (!e) e = read_turns(o, out);
    if (!e) e = tools_read(o, out, read_tool);
    if (!e) e = read_choice(o, out);
    if (!e) e = read_format(o, out);
    if (!e) e = thinking_read(o, out);
    if (!e) read_stops(o, out);
    return e ? e : reader_checked(rd);
}
