/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_request.c - what a client of the messages API asks, in neutral words.
 *
 * A user's turn may hold tool results beside what the user says: the results become a turn of their
 * own, in front. `system` is a turn that stood apart; with the mid-conversation beta there are
 * system turns among the messages too, and they stay where they are. */
#include "anthropic.h"
#include "origin.h"
#include "thinking.h"

static void read_source(obj *block, llm_part *p)
{
    static const name_row froms[] = {{"base64", MEDIA_DATA},
                                     {"url", MEDIA_URL},
                                     {"file", MEDIA_FILE},
                                     {"text", MEDIA_TEXT},
                                     {0}};
    obj *o = obj_inner(block, "source", "messages.content.source");
    if (!o) return;
    static const char *const members[] = {[MEDIA_DATA] = "data",
                                          [MEDIA_URL] = "url",
                                          [MEDIA_FILE] = "file_id",
                                          [MEDIA_TEXT] = "data"};
    p->media.from = (media_from)name_value(froms, obj_text(o, "type"), 0);
    p->media.mime = obj_text(o, "media_type");
    if (p->media.from) p->media.value = obj_text(o, members[p->media.from]);
}

static const err *read_blocks(llm_reader *rd, js_value content, part_list *l);

static const err *read_result(obj *o, llm_part *p)
{
    js_value content = obj_take(o, "content");
    p->id = obj_text(o, "tool_use_id");
    p->is_error = obj_bool(o, "is_error").v;
    if (p->is_error) reader_spot(obj_reader(o), &p->is_error, "messages.content.is_error");
    part_list inner = parts_new(obj_arena(o), list_count(content) + 1);
    const err *e = read_blocks(obj_reader(o), content, &inner);
    p->inner = inner.p;
    p->inner_count = inner.n;
    if (!e && !p->id.n) e = reader_wrong(obj_reader(o), "a tool_result must have a 'tool_use_id'");
    return e;
}

static const err *read_use(obj *o, llm_part *p)
{
    p->id = obj_text(o, "id");
    p->name = obj_text(o, "name");
    p->text = obj_take(o, "input").raw;
    if (!p->name.n || !p->id.n)
        return reader_wrong(obj_reader(o), "a tool_use must have an 'id' and a 'name'");
    return NULL;
}

static void read_document(obj *o, llm_part *p)
{
    read_source(o, p);
    p->name = obj_text(o, "title");
    if (p->name.p) reader_spot(obj_reader(o), &p->name, "messages.content.title");
}

static const part_row blocks[] = {
    {"text", "messages.content.text", PART_TEXT},
    {"image", "messages.content.image", PART_IMAGE},
    {"document", "messages.content.document", PART_DOCUMENT},
    {"tool_use", "messages.content.tool_use", PART_TOOL_CALL},
    {"tool_result", "messages.content.tool_result", PART_TOOL_RESULT},
    {"thinking", "messages.content.thinking", PART_THINKING},
    {"redacted_thinking", "messages.content.redacted_thinking", PART_REDACTED},
    {NULL, "messages.content", PART_OTHER},
};

static const err *read_block(obj *o, js_value raw, part_list *l)
{
    llm_part *p = part_of_type(o, blocks, l);
    const err *e = NULL;
    switch (p->kind) {
    case PART_TEXT: p->text = obj_text(o, "text"); break;
    case PART_IMAGE: read_source(o, p); break;
    case PART_DOCUMENT: read_document(o, p); break;
    case PART_TOOL_CALL: e = read_use(o, p); break;
    case PART_TOOL_RESULT: e = read_result(o, p); break;
    case PART_THINKING:
        p->text = obj_text(o, "thinking");
        p->signature = obj_text(o, "signature");
        (void)origin_unseal(p->signature, p);
        break;
    case PART_REDACTED: p->text = obj_text(o, "data"); break;
    default: part_keep(o, raw, S("anthropic"), p); break;
    }
    cache_read(o, &p->cache, "messages.content.cache_control");
    return e;
}

static const err *read_blocks(llm_reader *rd, js_value content, part_list *l)
{
    static const content_form form = {"messages.content",
                                      "'content' must be text or a list of blocks",
                                      "each block of 'content' must be an object", read_block};
    return content.kind == JS_ABSENT ? NULL : content_read(rd, content, &form, l);
}

typedef struct {
    llm_turn *t;
    size_t n;
    bool mixed;
} turn_list;

static void add_turn(turn_list *l, llm_role role, const part_list *parts)
{
    l->t[l->n++] = (llm_turn){.role = role, .parts = parts->p, .count = parts->n};
}

static const err *read_user(llm_reader *rd, js_value content, turn_list *l)
{
    arena *a = reader_arena(rd);
    size_t most = list_count(content) + 1;
    part_list results = parts_new(a, most), rest = parts_new(a, most);
    if (content.kind != JS_ARRAY) {
        const err *e = read_blocks(rd, content, &rest);
        if (!e) add_turn(l, ROLE_USER, &rest);
        return e;
    }
    js_iter it = js_elements(content);
    while (js_next(&it)) {
        bool result = js_text_is(js_get(it.value, S("type")), S("tool_result"));
        obj *o = obj_open(rd, it.value, "messages.content");
        if (!o) return reader_wrong(rd, "each block of 'content' must be an object");
        const err *e = read_block(o, it.value, result ? &results : &rest);
        if (e) return e;
        for (size_t i = rest.n; result && i && !rest.p[i - 1].ahead; i--)
            rest.p[i - 1].ahead = true;
    }
    if (results.n) add_turn(l, ROLE_TOOL, &results);
    if (rest.n || !results.n) add_turn(l, ROLE_USER, &rest);
    return NULL;
}

static const err *read_turn(obj *o, turn_list *l)
{
    llm_reader *rd = obj_reader(o);
    int role = name_value(anthropic_roles, obj_text(o, "role"), 0);
    if (!role) return reader_wrong(rd, "'messages[].role' must be user or assistant");
    js_value content = obj_take(o, "content");
    if (role == ROLE_USER) return read_user(rd, content, l);
    part_list parts = parts_new(obj_arena(o), list_count(content) + 1);
    const err *e = read_blocks(rd, content, &parts);
    if (l->mixed) origin_fill(parts.p, parts.n, S("anthropic")); /* others are named */
    if (!e) add_turn(l, (llm_role)role, &parts);
    return e;
}

static const err *read_turns(obj *o, llm_chat *c)
{
    llm_reader *rd = obj_reader(o);
    arena *a = obj_arena(o);
    js_value system = obj_take(o, "system"), messages = obj_take(o, "messages");
    if (messages.kind != JS_ARRAY) return reader_wrong(rd, "'messages' must be a list");
    turn_list l = {.t = NEW_N(a, llm_turn, list_count(messages) * 2 + 2), .mixed = c->mixed};
    part_list first = parts_new(a, list_count(system) + 1);
    const err *e = read_blocks(rd, system, &first);
    if (e) return e;
    if (first.n) {
        add_turn(&l, ROLE_SYSTEM, &first);
        l.t[0].apart = true;
    }
    js_iter it = js_elements(messages);
    while (js_next(&it)) {
        obj *turn = obj_open(rd, it.value, "messages");
        if (!turn) return reader_wrong(rd, "each of 'messages' must be an object");
        e = read_turn(turn, &l);
        if (e) return e;
    }
    c->turns = l.t;
    c->turn_count = l.n;
    return NULL;
}

static const err *read_tool(obj *o, js_value raw, llm_tool *t)
{
    str type = obj_text(o, "type");
    reader_spot(obj_reader(o), t, "tools");
    if (type.n && !str_eq(type, S("custom"))) { /* the provider's own: web_search_20250305 … */
        *t = (llm_tool){.kind = TOOL_OTHER, .raw = raw, .origin = S("anthropic")};
        obj_take_all(o);
        return NULL;
    }
    t->kind = TOOL_FUNCTION;
    tool_take(o, "input_schema", "tools.strict", t);
    cache_read(o, &t->cache, "tools.cache_control");
    return t->name.n ? NULL : reader_wrong(obj_reader(o), "each of 'tools' must have a name");
}

static const err *read_choice(obj *o, llm_chat *c)
{
    static const name_row modes[] = {{"auto", CHOICE_AUTO},
                                     {"none", CHOICE_NONE},
                                     {"any", CHOICE_ANY},
                                     {"tool", CHOICE_ONE},
                                     {0}};
    llm_reader *rd = obj_reader(o);
    obj *choice = obj_inner(o, "tool_choice", "tool_choice");
    if (!choice) return NULL;
    c->choice = name_value(modes, obj_text(choice, "type"), 0);
    c->choice_name = obj_text(choice, "name");
    opt_bool alone = obj_bool(choice, "disable_parallel_tool_use");
    if (alone.set) {
        c->parallel_tools = (opt_bool){true, !alone.v};
        reader_spot(rd, &c->parallel_tools, "tool_choice.disable_parallel_tool_use");
    }
    if (!c->choice || (c->choice == CHOICE_ONE && !c->choice_name.n))
        return reader_wrong(rd, "'tool_choice' must be auto, any, none or a named tool");
    reader_spot(rd, &c->choice, "tool_choice");
    return NULL;
}

static void read_stops(obj *o, llm_chat *c)
{
    c->stops = obj_texts(o, "stop_sequences", &c->stop_count);
    if (c->stop_count) reader_spot(obj_reader(o), &c->stops, "stop_sequences");
}

/* `output_config`: how hard to think, and the shape of the answer. */
static const err *read_output(obj *o, llm_chat *c)
{
    llm_reader *rd = obj_reader(o);
    obj *out = obj_inner(o, "output_config", "output_config");
    if (!out) return NULL;
    str effort = obj_text(out, "effort");
    if (effort.p) {
        c->effort = name_value(llm_efforts, effort, 0);
        if (!c->effort) return reader_wrong(rd, "'output_config.effort' is not known");
        reader_spot(rd, &c->effort, "output_config.effort");
    }
    obj *format = obj_inner(out, "format", "output_config.format");
    if (!format) return NULL;
    if (!str_eq(obj_text(format, "type"), S("json_schema")))
        return reader_wrong(rd, "'output_config.format.type' must be json_schema");
    c->format.kind = FORMAT_SCHEMA;
    c->format.schema = obj_take_kind(format, "schema", JS_OBJECT);
    c->format.strict = (opt_bool){true, true};
    reader_spot(rd, &c->format.kind, "output_config.format");
    return NULL;
}

static const name_row tiers[] = {{"auto", 1}, {"standard_only", 2}, {0}};

const err *anthropic_read_request(llm_reader *rd, js_value body, llm_chat *out)
{
    obj *o = obj_open(rd, body, "");
    if (!o) return reader_wrong(rd, "the body must be a JSON object");
    out->model = obj_text(o, "model");
    const err *e = fields_read(o, anthropic_params, out);
    if (!e) e = fields_read(o, anthropic_sampling, out);
    if (!e) e = read_turns(o, out);
    if (!e) e = tools_read(o, out, read_tool);
    if (!e) e = read_choice(o, out);
    if (!e) e = read_output(o, out);
    if (!e) e = thinking_read(o, out);
    if (e) return e;
    read_stops(o, out);
    int tier = name_value(tiers, js_text(obj_arena(o), obj_peek(o, "service_tier")), 0);
    if (tier) { /* another word is a loss */
        (void)obj_take(o, "service_tier");
        out->service_tier = tier == 1 ? S("auto") : S("default");
        reader_spot(rd, &out->service_tier, "service_tier");
    }
    return reader_checked(rd);
}
