/* SPDX-License-Identifier: Apache-2.0 */
/* witness.c - the values a decision read, as JSON.
 *
 * The engine knows which variables and first members each expression reads; so nothing is recorded
 * that no rule asked for, and what was asked for can be replayed against other rules. */
#include "witness.h"
#include "../cel/compare.h"

enum { ATTRIBUTES_MOST = 512 };

/* Which attributes */

typedef struct {
    policy_ask *k;
    policy_attribute *list;
    size_t count;
    bool argument_names;
    bool *seen_vars;
} collector;

static bool same(const policy_attribute *x, size_t slot, str member)
{
    return x->slot == slot && x->member.n == member.n && str_eq(x->member, member) &&
           !x->member.p == !member.p;
}

static void add(collector *c, size_t slot, str member)
{
    size_t fact = member.p ? policy_fact_member(slot, member) : FACTS;
    if (fact != FACTS) {
        slot = fact;
        member = (str){0};
    }
    for (size_t i = 0; i < c->count; i++)
        if (same(&c->list[i], slot, (str){0}) || same(&c->list[i], slot, member)) return;
    if (c->count < ATTRIBUTES_MOST) c->list[c->count++] = (policy_attribute){slot, member};
}

/* Vars read vars; each is gone through once. */
static void add_program(collector *c, const cel_program *program)
{
    size_t count;
    const cel_read *reads = cel_reads(program, &count);
    for (size_t i = 0; i < count; i++) {
        size_t slot = reads[i].slot;
        if (slot == FACT_THIS) continue;
        if (slot < FACTS) {
            add(c, slot, reads[i].member);
            continue;
        }
        bool *seen = &c->seen_vars[slot - FACTS];
        if (!*seen) {
            *seen = true;
            add_program(c, c->k->p->vars[slot - FACTS].program);
        }
    }
}

static void add_rule(collector *c, const policy_rule *r)
{
    if (r->when) add_program(c, r->when);
    if (r->scopes->p) add(c, FACT_CALLER_SCOPES, (str){0});
    if (r->only_named_args) c->argument_names = true;
    for (size_t i = 0; i < r->constraint_count; i++) {
        add(c, VAR_ARGS, r->constraints[i].name);
        if (r->constraints[i].program) add_program(c, r->constraints[i].program);
    }
}

policy_attributes policy_attributes_read(policy_ask *k)
{
    collector c = {.k = k,
                   .list = NEW_N(k->scratch, policy_attribute, ATTRIBUTES_MOST),
                   .seen_vars = NEW_N(k->scratch, bool, k->p->var_count)};
    size_t at = 0;
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect <= RULE_PERMIT; effect++)
        while ((r = policy_next_rule(k, (rule_effect)effect, &at))) add_rule(&c, r);
    return (policy_attributes){c.list, c.count, c.argument_names};
}

/* Paths */

static bool is_word(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        if (!letter && (i == 0 || ch < '0' || ch > '9')) return false;
    }
    return s.n > 0;
}

str policy_attribute_path(arena *a, str fact, str member)
{
    if (!member.p) return fact;
    buf b = buf_new(a, SIZE_MAX / 2);
    bool word = is_word(member);
    (void)buf_put(&b, fact);
    (void)buf_put(&b, word ? S(".") : S("["));
    (void)(word ? buf_put(&b, member) : buf_json(&b, member));
    if (!word) (void)buf_put(&b, S("]"));
    return buf_str(&b);
}

/* The length of the .word or ["text"] it begins with; 0: it does not. */
static size_t step_of(str s)
{
    size_t n = 1;
    if (str_starts(s, S("[\""))) {
        while (n < s.n && !str_starts(str_drop(s, n), S("\"]"))) n++;
        return n > 1 && n < s.n ? n + 2 : 0;
    }
    while (n < s.n && s.p[n] != '.' && s.p[n] != '[') n++;
    return s.n && s.p[0] == '.' && is_word(str_take(str_drop(s, 1), n - 1)) ? n : 0;
}

bool policy_is_attribute(str path)
{
    size_t n = 0, step = 1;
    bool known = false;
    while (n < path.n && path.p[n] != '.' && path.p[n] != '[') n++;
    for (size_t i = 0; i < QUESTION_VARS; i++) {
        str name = {question_var_names[i], strlen(question_var_names[i])};
        known = known || str_eq(str_take(path, n), name);
    }
    for (path = str_drop(path, n); known && path.n && step; path = str_drop(path, step))
        step = step_of(path);
    return known && step > 0;
}

static const str credentials[] = {S("http.headers.authorization"),
                                  S("http.headers[\"proxy-authorization\"]"),
                                  S("http.headers.cookie"),
                                  S("http.headers[\"x-api-key\"]"),
                                  S("http.headers[\"api-key\"]"),
                                  {0}};

/* Is it withheld, or could something inside it be? */
typedef enum { FREE, INSIDE, WITHHELD } secrecy;

static secrecy look_up(const str *list, str path)
{
    secrecy found = FREE;
    for (; list && list->p; list++) {
        if (!str_starts(*list, path)) continue;
        if (list->n == path.n) return WITHHELD;
        if (list->p[path.n] == '.' || list->p[path.n] == '[') found = INSIDE;
    }
    return found;
}

typedef struct {
    arena *a;
    buf *out;
    const str *redact;
    bool any; /* a fact has been put */
    buf absent, withheld;
} writer;

static secrecy secrecy_of(const writer *w, str path)
{
    secrecy x = look_up(credentials, path), y = look_up(w->redact, path);
    return x > y ? x : y;
}

static void name(buf *list, str path)
{
    if (list->n) (void)buf_put(list, S(","));
    (void)buf_json(list, path);
}

/* Values */

static void put_value(writer *w, cel_value v, str path);

static void put_map(writer *w, cel_value v, str path)
{
    cel_walk walk = cel_walk_new(v);
    cel_value key, value;
    bool any = false, guarded = secrecy_of(w, path) == INSIDE;
    (void)buf_put(w->out, S("{"));
    while (buf_ok(w->out) && cel_walk_next(&walk, &key, &value)) {
        str text = key.tag == CEL_STRING ? cel_text(key) : js_dump(w->a, cel_to_json(w->a, key));
        str inner = guarded ? policy_attribute_path(w->a, path, text) : path;
        if (guarded && secrecy_of(w, inner) == WITHHELD) {
            name(&w->withheld, inner);
            continue;
        }
        if (any) (void)buf_put(w->out, S(","));
        any = true;
        (void)buf_json(w->out, text);
        (void)buf_put(w->out, S(":"));
        put_value(w, value, inner);
    }
    (void)buf_put(w->out, S("}"));
}

static void put_list(writer *w, cel_value v, str path)
{
    (void)buf_put(w->out, S("["));
    for (size_t i = 0; i < cel_count(v) && buf_ok(w->out); i++) {
        if (i) (void)buf_put(w->out, S(","));
        put_value(w, cel_item(v, i), path);
    }
    (void)buf_put(w->out, S("]"));
}

static void put_value(writer *w, cel_value v, str path)
{
    if (v.tag == CEL_STRING)
        (void)buf_json(w->out, cel_text(v));
    else if (v.tag == CEL_MAP)
        put_map(w, v, path);
    else if (v.tag == CEL_LIST)
        put_list(w, v, path);
    else
        (void)buf_put(w->out, js_dump(w->a, cel_to_json(w->a, v)));
}

/* Its JSON; {0}: it is not to be written. */
static str value_text(writer *w, cel_value v, str path)
{
    buf *line = w->out, value = buf_new(w->a, WITNESS_VALUE_MOST);
    size_t withheld = w->withheld.n;
    if (secrecy_of(w, path) == WITHHELD) return (str){0};
    w->out = &value;
    put_value(w, v, path);
    w->out = line;
    if (buf_ok(&value)) return buf_str(&value);
    w->withheld.n = withheld; /* all of it is, then */
    return (str){0};
}

static void put_fact(writer *w, str path, cel_value v)
{
    if (v.tag == CEL_UNBOUND) {
        name(&w->absent, path);
        return;
    }
    str text = value_text(w, v, path);
    if (!text.n) {
        name(&w->withheld, path);
        return;
    }
    if (w->any) (void)buf_put(w->out, S(","));
    w->any = true;
    (void)buf_json(w->out, path);
    (void)buf_put(w->out, S(":"));
    (void)buf_put(w->out, text);
}

/* Whoever denies other arguments reads their names, not their values. */
static void name_arguments(writer *w, cel_value args, const policy_attributes *read)
{
    cel_value key, value;
    cel_walk walk = cel_walk_new(args);
    name(&w->absent, S("args.*"));
    while (cel_walk_next(&walk, &key, &value)) {
        bool known = false;
        for (size_t i = 0; i < read->count && !known; i++)
            known = same(&read->list[i], VAR_ARGS, cel_text(key)) ||
                    same(&read->list[i], VAR_ARGS, (str){0});
        if (!known) name(&w->withheld, policy_attribute_path(w->a, S("args"), cel_text(key)));
    }
}

void policy_witness(const policy *p, const question *q, const str *redact, arena *scratch, buf *out)
{
    policy_ask k;
    policy_ask_begin(&k, p, q, scratch);
    policy_attributes read = policy_attributes_read(&k);
    writer w = {.a = scratch,
                .out = out,
                .redact = redact,
                .absent = buf_new(scratch, SIZE_MAX / 2),
                .withheld = buf_new(scratch, SIZE_MAX / 2)};
    (void)buf_put(out, S("\"facts\":{"));
    for (size_t i = 0; i < read.count; i++) {
        const policy_attribute *one = &read.list[i];
        if (one->slot == VAR_NOW) continue; /* the line's own time */
        cel_value v = policy_fact_value(&k.facts, one->slot);
        if (one->member.p && v.tag == CEL_MAP) v = cel_map_member(v, one->member);
        put_fact(&w,
                 policy_attribute_path(scratch, policy_fact_variable(one->slot).name, one->member),
                 v);
    }
    if (read.argument_names) name_arguments(&w, policy_fact_value(&k.facts, VAR_ARGS), &read);
    (void)buf_put(out, S("},\"absent\":["));
    (void)buf_put(out, buf_str(&w.absent));
    (void)buf_put(out, S("],\"withheld\":["));
    (void)buf_put(out, buf_str(&w.withheld));
    (void)buf_put(out, S("]"));
}
