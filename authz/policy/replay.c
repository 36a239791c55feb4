/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - what is known is bound before the rules are asked, what is not is unknown.
 *
 * Of a variable with free members only those are looked up that the rules at hand read: a member
 * that was recorded is there, one that was recorded as absent is not, any other is unknown. A
 * variable that is read as a whole is known only if it was recorded as a whole. */
#include "replay.h"
#include "../cel/compare.h"
#include "../cel/json.h"
#include "../cel/times.h"

enum { MEMORIES_MOST = 2048 };

/* Reading */

/* The longest fact whose name the path begins with; FACTS: none. */
static size_t fact_named(str path, size_t *length)
{
    size_t found = FACTS;
    *length = 0;
    for (size_t i = 0; i < FACTS; i++) {
        str name = policy_fact_variable(i).name;
        bool whole = path.n == name.n ||
                     (path.n > name.n && (path.p[name.n] == '.' || path.p[name.n] == '['));
        if (!whole || name.n <= *length || !str_starts(path, name)) continue;
        *length = name.n;
        found = i;
    }
    return found;
}

/* Takes .word or ["text"] off the path. */
static bool take_member(arena *a, str *path, str *member)
{
    js_value text;
    if (path->p[0] == '.') {
        size_t n = 1;
        while (n < path->n && path->p[n] != '.' && path->p[n] != '[') n++;
        *member = str_take(str_drop(*path, 1), n - 1);
        *path = str_drop(*path, n);
        return member->n > 0;
    }
    for (size_t n = 3; n <= path->n; n++) {
        if (path->p[n - 1] != ']' || path->p[n - 2] != '"') continue;
        if (js_check(a, str_take(str_drop(*path, 1), n - 2), 1, &text)) continue;
        *member = js_text(a, text);
        *path = str_drop(*path, n);
        return text.kind == JS_STRING && member->p;
    }
    return false;
}

/* False: an attribute this version does not know. */
static bool read_path(arena *a, str path, policy_memory *m)
{
    size_t length;
    *m = (policy_memory){.at.slot = fact_named(path, &length)};
    if (m->at.slot == FACTS) return false;
    path = str_drop(path, length);
    if (path.n && !take_member(a, &path, &m->at.member)) return false;
    m->inner = path.n > 0;
    return true;
}

static policy_memory *room(arena *a, policy_memories *to)
{
    if (!to->list) to->list = NEW_N(a, policy_memory, 8);
    if (to->count >= 8 && (to->count & (to->count - 1)) == 0) {
        policy_memory *more = NEW_N(a, policy_memory, to->count * 2);
        memcpy(more, to->list, to->count * sizeof *more);
        to->list = more;
    }
    return &to->list[to->count];
}

static void read_facts(arena *a, js_value object, policy_memories *to)
{
    for (js_iter it = js_iterate(object); to->count < MEMORIES_MOST && js_next(&it);) {
        policy_memory *m = room(a, to);
        if (!read_path(a, js_key_text(a, &it), m)) continue;
        m->value = cel_read_json(a, it.value);
        to->count++;
    }
}

/* True: `wildcard` stood among them. */
static bool read_paths(arena *a, js_value array, str wildcard, policy_memories *to)
{
    bool all = false;
    for (js_iter it = js_iterate(array); to->count < MEMORIES_MOST && js_next(&it);) {
        str path = js_text(a, it.value);
        if (str_eq(path, wildcard))
            all = true;
        else if (path.n && read_path(a, path, room(a, to)))
            to->count++;
    }
    return all;
}

static bool read_kind(policy_recorded *r)
{
    static const char *const names[SUBJECTS] = {"tool", "resource", "prompt", "model", "endpoint"};
    for (int i = 0; i < SUBJECTS; i++) {
        r->kind = (subject_kind)i;
        if (str_eq(r->kind_name, (str){names[i], strlen(names[i])})) return true;
    }
    return false;
}

static bool read_time(str text, int64_t *ms)
{
    cel_value v = cel_time_parse(text);
    if (v.tag != CEL_TIMESTAMP) return false;
    *ms = v.u.i * 1000 + v.n / 1000000;
    return true;
}

const err *policy_recorded_read(arena *a, js_value line, policy_recorded *out, bool *is_decision)
{
    policy_recorded r = {0};
    str decision = js_text(a, js_get(line, S("decision")));
    *is_decision = decision.p != NULL;
    if (!*is_decision) return NULL;
    r.permitted = str_eq(decision, S("permit"));
    r.caller = js_text(a, js_get(line, S("caller")));
    r.method = js_text(a, js_get(line, S("method")));
    r.kind_name = js_text(a, js_get(line, S("kind")));
    r.server = js_text(a, js_get(line, S("server")));
    r.name = js_text(a, js_get(line, S("name")));
    r.backend = js_text(a, js_get(line, S("backend")));
    r.endpoint = js_text(a, js_get(line, S("endpoint")));
    r.why = js_text(a, js_get(line, S("why")));
    r.rule = js_text(a, js_get(line, S("rule")));
    r.policy = js_text(a, js_get(line, S("policy")));
    bool good = js_int(js_get(line, S("seq")), &r.seq) && read_kind(&r) && r.name.p &&
                (r.permitted || str_eq(decision, S("deny"))) &&
                read_time(js_text(a, js_get(line, S("time"))), &r.time_ms);
    if (!good)
        return err_new(a, ERR_MALFORMED,
                       "this is no decision: seq, time, decision, kind and name must be there");
    read_facts(a, js_get(line, S("facts")), &r.facts);
    r.all_arguments = read_paths(a, js_get(line, S("absent")), S("args.*"), &r.absent);
    r.nothing_recorded = read_paths(a, js_get(line, S("withheld")), S("*"), &r.withheld);
    *out = r;
    return NULL;
}

/* Looking up */

static bool same_member(str x, str y)
{
    return !x.p == !y.p && str_eq(x, y);
}

static const policy_memory *find(const policy_memories *in, size_t slot, str member)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->list[i].at.slot == slot && same_member(in->list[i].at.member, member))
            return &in->list[i];
    return NULL;
}

/* Is any of it withheld? member {0}: of the whole fact. */
static bool is_withheld(const policy_recorded *r, size_t slot, str member)
{
    for (size_t i = 0; i < r->withheld.count; i++) {
        const policy_attribute *at = &r->withheld.list[i].at;
        if (at->slot == slot && (!at->member.p || !member.p || str_eq(at->member, member)))
            return true;
    }
    return r->nothing_recorded;
}

static cel_value whole(const policy_recorded *r, size_t slot)
{
    const policy_memory *m = find(&r->facts, slot, (str){0});
    if (is_withheld(r, slot, (str){0})) return cel_unknown(slot);
    if (m) return m->value;
    return find(&r->absent, slot, (str){0}) ? (cel_value){0} : cel_unknown(slot);
}

static cel_value member(const policy_recorded *r, size_t slot, str name)
{
    const policy_memory *m = find(&r->facts, slot, name);
    if (is_withheld(r, slot, name)) return cel_unknown(slot);
    if (m) return m->value;
    if (find(&r->absent, slot, name) || find(&r->absent, slot, (str){0})) return (cel_value){0};
    m = find(&r->facts, slot, (str){0});
    if (m && m->value.tag == CEL_MAP) return cel_map_member(m->value, name);
    return slot == VAR_ARGS && r->all_arguments ? (cel_value){0} : cel_unknown(slot);
}

/* Facts that the line itself holds, outside `facts`. */
static bool is_of_line(size_t slot)
{
    switch (slot) {
    case VAR_NOW:
    case FACT_CALLER_ID:
    case FACT_TOOL_SERVER:
    case FACT_TOOL_NAME:
    case FACT_RESOURCE_SERVER:
    case FACT_RESOURCE_URI:
    case FACT_PROMPT_SERVER:
    case FACT_PROMPT_NAME:
    case FACT_MCP_METHOD:
    case FACT_LLM_MODEL:
    case FACT_LLM_ENDPOINT:
    case FACT_LLM_BACKEND: return true;
    default: return false;
    }
}

/* Binding */

typedef struct {
    const policy_recorded *r;
    const policy_attributes *read;
    arena *scratch;
    bool listing;
    cel_value *given;
    buf missing;
} binder;

static void miss(binder *b, size_t slot, str name)
{
    if (b->listing && policy_fact_is_of_calls(slot)) return;
    if (b->missing.n) (void)buf_put(&b->missing, S(", "));
    (void)buf_put(&b->missing,
                  policy_attribute_path(b->scratch, policy_fact_variable(slot).name, name));
}

/* All that is known of the arguments, when it is known which there were. */
static cel_value all_arguments(binder *b)
{
    const policy_recorded *r = b->r;
    size_t n = 0;
    const policy_memory *m = find(&r->facts, VAR_ARGS, (str){0});
    if (m && !is_withheld(r, VAR_ARGS, (str){0})) return m->value;
    if (!r->all_arguments || r->nothing_recorded) return cel_unknown(VAR_ARGS);
    cel_entry *entries = NEW_N(b->scratch, cel_entry, r->facts.count + r->withheld.count);
    for (size_t i = 0; i < r->facts.count; i++)
        if (r->facts.list[i].at.slot == VAR_ARGS && r->facts.list[i].at.member.p)
            entries[n++] =
                (cel_entry){cel_string(r->facts.list[i].at.member), r->facts.list[i].value};
    for (size_t i = 0; i < r->withheld.count; i++) {
        const policy_memory *w = &r->withheld.list[i];
        size_t k = 0;
        if (w->at.slot != VAR_ARGS) continue;
        miss(b, VAR_ARGS, w->at.member);
        if (!w->at.member.p) return cel_unknown(VAR_ARGS);
        while (k < n && !str_eq(cel_text(entries[k].key), w->at.member)) k++;
        entries[k] = (cel_entry){cel_string(w->at.member), cel_unknown(VAR_ARGS)};
        if (k == n) n++;
    }
    return cel_fields(b->scratch, entries, n);
}

/* A map of those members that are read; a member that was absent has no entry. */
static cel_value members(binder *b, size_t slot)
{
    cel_entry *entries = NEW_N(b->scratch, cel_entry, b->read->count);
    size_t n = 0;
    for (size_t i = 0; i < b->read->count; i++) {
        const policy_attribute *at = &b->read->list[i];
        if (at->slot != slot) continue;
        cel_value v = member(b->r, slot, at->member);
        if (v.tag == CEL_UNKNOWN) miss(b, slot, at->member);
        if (v.tag != CEL_UNBOUND) entries[n++] = (cel_entry){cel_string(at->member), v};
    }
    return cel_fields(b->scratch, entries, n);
}

static void bind(binder *b, const policy_attribute *at)
{
    cel_value *to = &b->given[at->slot];
    if (to->tag != CEL_UNBOUND || is_of_line(at->slot)) return;
    if (!at->member.p) {
        *to = whole(b->r, at->slot);
        if (to->tag == CEL_UNKNOWN) miss(b, at->slot, (str){0});
    } else if (at->slot == VAR_ARGS && b->read->argument_names) {
        *to = all_arguments(b);
        if (to->tag == CEL_UNKNOWN) miss(b, at->slot, (str){0});
    } else
        *to = members(b, at->slot);
}

/* Whole variables first: what is known of one whole is known of its members. */
static void bind_all(binder *b)
{
    for (size_t i = 0; i < b->read->count; i++)
        if (!b->read->list[i].member.p) bind(b, &b->read->list[i]);
    for (size_t i = 0; i < b->read->count; i++) bind(b, &b->read->list[i]);
    if (b->read->argument_names && b->given[VAR_ARGS].tag == CEL_UNBOUND) {
        const policy_attribute args = {VAR_ARGS, S("")};
        bind(b, &args);
    }
}

/* Asking */

static question question_of(const policy_recorded *r)
{
    return (question){.kind = r->kind,
                      .server = r->server,
                      .name = r->name,
                      .now_ms = r->time_ms,
                      .mcp.method = r->method,
                      .llm = {.model = r->kind == SUBJECT_MODEL ? r->name : (str){0},
                              .endpoint = r->endpoint,
                              .backend = r->backend}};
}

static const str *texts_of(arena *scratch, cel_value list)
{
    size_t n = 0, count = list.tag == CEL_LIST ? cel_count(list) : 0;
    str *out = NEW_N(scratch, str, count + 1);
    for (size_t i = 0; i < count; i++) {
        cel_value item = cel_item(list, i);
        if (item.tag == CEL_STRING) out[n++] = cel_text(item);
    }
    return out;
}

static question given_question(const policy *p, const policy_recorded *r, bool listing,
                               arena *scratch, str *missing)
{
    question q = question_of(r);
    policy_ask k;
    policy_ask_begin(&k, p, &q, scratch);
    policy_attributes read = policy_attributes_read(&k);
    binder b = {.r = r,
                .read = &read,
                .scratch = scratch,
                .listing = listing,
                .given = NEW_N(scratch, cel_value, FACTS),
                .missing = buf_new(scratch, 1 << 20)};
    bind_all(&b);
    caller *who = NEW(scratch, caller);
    *who = (caller){.id = r->caller, .scopes = texts_of(scratch, b.given[FACT_CALLER_SCOPES])};
    q.who = who;
    q.given = b.given;
    q.listing = listing;
    *missing = buf_str(&b.missing);
    return q;
}

question policy_recorded_question(const policy *p, const policy_recorded *r, arena *scratch)
{
    str missing;
    return given_question(p, r, false, scratch, &missing);
}

void policy_replay(const policy *p, const policy_recorded *r, bool listing, arena *scratch,
                   policy_replayed *out)
{
    *out = (policy_replayed){0};
    question q = given_question(p, r, listing, scratch, &out->missing);
    policy_decide(p, &q, scratch, &out->said);
    denied why = out->said.why;
    bool scopes_might = q.given[FACT_CALLER_SCOPES].tag == CEL_UNKNOWN &&
                        (why == DENIED_SCOPES || (listing && why == DENIED_DEFAULT));
    /* it was refused by what is not in the log */
    bool by_schema = str_eq(r->why, S("schema")), by_key = str_eq(r->why, S("key"));
    if (out->said.permit && !listing && (by_schema || by_key)) {
        out->outcome = REPLAY_UNKNOWN;
        out->missing = by_schema ? S("the tool's inputSchema") : S("what the caller's key is for");
        return;
    }
    if (!out->said.permit)
        out->outcome = scopes_might ? REPLAY_UNKNOWN : REPLAY_DENY;
    else
        out->outcome =
            out->said.open && (out->missing.n || !listing) ? REPLAY_UNKNOWN : REPLAY_PERMIT;
}
