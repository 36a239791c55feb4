/* SPDX-License-Identifier: Apache-2.0 */
/* quota_read.c - from `quotas:` to quotas, with every problem at once.
 *
 * A quota that was misread would count too little, and nobody would notice until the bill: so an
 * unknown key, a window nobody can mean and a cost in the wrong unit are errors. Whether a quota is
 * about money is told by its cost: one that reads `usage.usd` counts micro-dollars, and then its
 * limit is in dollars. */
#include "quota_read.h"
#include "../../base/map.h"
#include "place.h"

enum { QUOTAS_MOST = 1000 };
static const int64_t second_ms = 1000, day_ms = 86400000;

static const str quota_keys[] = {S("id"),     S("for"),     S("key"),  S("limit"),
                                 S("window"), S("kind"),    S("cost"), S("mode"),
                                 S("hard"),   S("message"), S("note"), {0}};

static bool is_text(const yaml_node *n, str text)
{
    return n->kind == YAML_SCALAR && str_eq(n->text, text);
}

/* Which of the words (they end with {0}) it is; the first with a problem when none. */
static size_t choice(policy_reading *r, const yaml_node *n, const str *words, const char *what)
{
    str all = {0};
    for (size_t i = 0; words[i].p; i++) {
        if (is_text(n, words[i])) return i;
        all = arena_fmt(r->d->a, STR_FMT "%s" STR_FMT, STR_ARG(all), i ? ", " : "",
                        STR_ARG(words[i]));
    }
    str near = n->kind == YAML_SCALAR ? yaml_did_you_mean(n->text, words) : (str){0};
    problem *one = WRONG(r, n, "error E104: %s must be one of " STR_FMT, what, STR_ARG(all));
    if (near.n) one->hint = arena_fmt(r->d->a, "did you mean '" STR_FMT "'?", STR_ARG(near));
    return 0;
}

/* Windows */

static int64_t unit_ms(char c)
{
    switch (c) {
    case 's': return second_ms;
    case 'm': return 60 * second_ms;
    case 'h': return 3600 * second_ms;
    case 'd': return day_ms;
    default: return 0;
    }
}

bool policy_quota_window(str s, int64_t *window_ms)
{
    int64_t n = 0;
    size_t i = 0;
    *window_ms = 0;
    if (str_eq(s, S("month"))) return true;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < day_ms; i++) n = n * 10 + s.p[i] - '0';
    if (i == 0 || i + 1 != s.n) return false;
    *window_ms = n * unit_ms(s.p[i]);
    return *window_ms >= second_ms && *window_ms <= 30 * day_ms;
}

static void read_window(policy_reading *r, const yaml_node *at, policy_quota *q, bool kind_said)
{
    const yaml_node *n = yaml_get(at, S("window"));
    if (q->kind == QUOTA_CONCURRENCY) {
        if (n) WRONG_KEY(r, n, "error E104: concurrency is about now, it has no window");
        return;
    }
    if (!n) {
        WRONG(r, at, "error E102: the quota has no window: 1s to 30d, or month");
        return;
    }
    if (is_text(n, S("month"))) {
        if (kind_said && q->kind == QUOTA_SLIDING)
            WRONG(r, n, "error E104: a month begins anew, it does not slide: use `kind: fixed`");
        q->kind = QUOTA_FIXED;
        return;
    }
    if (n->kind != YAML_SCALAR || !policy_quota_window(n->text, &q->window_ms))
        WRONG(r, n, "error E104: window must be 1s to 30d, like 90s, 5m, 1h or 7d, or month");
}

/* Expressions */

static policy_expr compile_number(policy_reading *r, const yaml_node *n, unsigned how,
                                  const char *what)
{
    policy_expr e = policy_compile(&r->scope, n, how, what);
    cel_type type = e.program ? cel_result_type(e.program) : CEL_T_DYN;
    if (type == CEL_T_DYN || type == CEL_T_INT || type == CEL_T_DOUBLE || type == CEL_T_UINT)
        return e;
    str is = cel_result_type_text(r->d->a, e.program);
    WRONG(r, n, "error E108: %s must be a number, this is " STR_FMT, what, STR_ARG(is));
    e.program = NULL;
    return e;
}

/* What an expression that reads nothing always gives, in units; false: that is no number of them.
 */
static bool fixed_units(policy_reading *r, const cel_program *p, bool money, int64_t *units)
{
    cel_bindings none = {0};
    return policy_quota_units(cel_eval(p, &none, r->d->a, 0), money, units);
}

static bool reads_nothing(const cel_program *p)
{
    size_t count;
    (void)cel_reads(p, &count);
    return count == 0;
}

static void read_key(policy_reading *r, const yaml_node *at, policy_quota *q)
{
    const yaml_node *n = yaml_get(at, S("key"));
    q->reads |= (uint64_t)1 << FACT_CALLER_ID;
    if (!n) return;
    policy_expr e = policy_compile(&r->scope, n, EXPR_BEFORE, "`key`");
    cel_type type = e.program ? cel_result_type(e.program) : CEL_T_STRING;
    if (type != CEL_T_STRING && type != CEL_T_DYN) {
        str is = cel_result_type_text(r->d->a, e.program);
        WRONG(r, n, "error E108: `key` must be text, this is " STR_FMT, STR_ARG(is));
    }
    q->key = e.program;
    q->key_source = e.source;
    q->reads |= e.reads;
}

static void read_limit(policy_reading *r, const yaml_node *at, policy_quota *q)
{
    const yaml_node *n = yaml_get(at, S("limit"));
    if (!n) {
        WRONG(r, at, "error E102: the quota has no limit");
        return;
    }
    policy_expr e = compile_number(r, n, EXPR_BEFORE, "`limit`");
    q->limit = e.program;
    q->limit_source = e.source;
    q->reads |= e.reads;
    if (!e.program || !reads_nothing(e.program)) return;
    q->limit = NULL;
    bool whole = q->money || cel_result_type(e.program) != CEL_T_DOUBLE;
    if (!whole || !fixed_units(r, e.program, q->money, &q->fixed_limit))
        WRONG(r, n, "error E104: limit must be %s",
              q->money ? "dollars, like 2.50" : "a whole number, 0 or more");
    else if (q->kind == QUOTA_CONCURRENCY && q->fixed_limit > INT32_MAX)
        WRONG(r, n, "error E104: a concurrency of at most %d", INT32_MAX);
}

static bool names_any(const policy_quota *q, subject_kind from, subject_kind to)
{
    for (int kind = (int)from; kind <= (int)to; kind++)
        if (q->names[kind] && q->names[kind]->p) return true;
    return false;
}

static void read_cost(policy_reading *r, const yaml_node *at, policy_quota *q)
{
    const yaml_node *n = yaml_get(at, S("cost"));
    if (q->kind == QUOTA_CONCURRENCY) {
        if (n) WRONG_KEY(r, n, "error E104: with concurrency each request is one");
        q->fixed_cost = 1;
        return;
    }
    if (!n) {
        if (names_any(q, SUBJECT_TOOL, SUBJECT_PROMPT) &&
            names_any(q, SUBJECT_MODEL, SUBJECT_ENDPOINT))
            WRONG(r, at,
                  "error E102: tools and models in one quota: say its cost, `1` for requests, "
                  "`usage.total` for tokens, `usage.usd` for dollars");
        return;
    }
    policy_expr e = compile_number(r, n, EXPR_COST, "`cost`");
    q->cost_source = e.source;
    q->money = e.reads >> FACT_USAGE_USD & 1;
    q->cost = e.program;
    if (!e.program || !reads_nothing(e.program)) return;
    q->cost = NULL;
    if (!fixed_units(r, e.program, false, &q->fixed_cost) || q->fixed_cost == 0)
        WRONG(r, n, "error E104: a cost that never changes must be a whole number, 1 or more");
}

/* One quota */

static void read_quota_id(policy_reading *r, const yaml_node *n, policy_quota *q)
{
    const yaml_node *id = yaml_get(n, S("id"));
    if (!id) {
        WRONG(r, n, "error E102: the quota has no id");
        return;
    }
    q->id = reading_text(r, id, READING_ID_MOST, "id");
    if (str_eq(q->id, S("key-budget"))) /* both would be counted in one cell */
        WRONG(r, id, "error E104: `key-budget` is the budget of a virtual key");
    const policy_quota *first = q->id.n ? map_get(r->d->quota_ids, q->id) : NULL;
    if (first)
        WRONG(r, id, "error E105: quota '" STR_FMT "' is already defined at " STR_FMT,
              STR_ARG(q->id), STR_ARG(first->place));
    else if (q->id.n)
        map_put(r->d->quota_ids, q->id, q);
}

static void read_words(policy_reading *r, const yaml_node *n, policy_quota *q)
{
    static const str modes[] = {S("enforce"), S("shadow"), {0}};
    const yaml_node *mode = yaml_get(n, S("mode")), *hard = yaml_get(n, S("hard"));
    const yaml_node *message = yaml_get(n, S("message")), *note = yaml_get(n, S("note"));
    if (mode) q->shadow = choice(r, mode, modes, "mode") == 1;
    if (hard) q->hard = reading_flag(r, hard, "hard");
    if (hard && q->hard && q->shadow)
        WRONG_KEY(r, hard, "error E104: a shadow refuses nobody, it cannot be hard");
    if (message) q->message = reading_text(r, message, READING_MESSAGE_MOST, "message");
    if (note) (void)reading_text(r, note, READING_MESSAGE_MOST, "note");
}

static void read_quota(policy_reading *r, const yaml_node *n)
{
    static const str kinds[] = {[QUOTA_SLIDING] = S("sliding"),
                                [QUOTA_FIXED] = S("fixed"),
                                [QUOTA_CONCURRENCY] = S("concurrency"),
                                {0}};
    policy_draft *d = r->d;
    if (!reading_want(r, n, YAML_MAP, "a quota")) return;
    if (d->quota_count++ == QUOTAS_MOST) {
        WRONG(r, n, "error E104: over %d quotas", QUOTAS_MOST);
        return;
    }
    quota_node *node = NEW(d->a, quota_node);
    policy_quota *q = &node->quota;
    node->written = n;
    node->scope = &r->scope;
    q->place = arena_fmt(d->a, STR_FMT ":%u", STR_ARG(r->source->name), n->line);
    reading_keys(r, n, quota_keys, "a quota");
    read_quota_id(r, n, q);
    const yaml_node *names = yaml_get(n, S("for")), *kind = yaml_get(n, S("kind"));
    if (names)
        reading_names(r, names, q->names);
    else
        WRONG(r, n, "error E102: the quota has no `for`: what it counts, like {models: [\"*\"]}");
    if (kind) q->kind = (quota_kind)choice(r, kind, kinds, "kind");
    read_window(r, n, q, kind != NULL);
    read_key(r, n, q);
    read_cost(r, n, q); /* before the limit: it tells the unit */
    read_limit(r, n, q);
    read_words(r, n, q);
    *d->quotas_end = node;
    d->quotas_end = &node->next;
}

void policy_quotas_read(policy_reading *r, const yaml_node *quotas)
{
    if (!reading_want(r, quotas, YAML_LIST, "quotas")) return;
    for (const yaml_node *n = quotas->first; n; n = n->next) read_quota(r, n);
}

/* Rules that read quotas */

static void link_read(policy_draft *d, const policy_scope *scope, const yaml_node *n, str id)
{
    policy_quota *q = map_get(d->quota_ids, id);
    if (q) {
        q->told = true;
        return;
    }
    size_t count = 0;
    str *names = NEW_N(d->a, str, d->quota_count + 1);
    for (const quota_node *one = d->quotas; one; one = one->next) names[count++] = one->quota.id;
    str near = yaml_did_you_mean(id, names);
    const char *at = memmem(n->text.p, n->text.n, id.p, id.n);
    policy_place where = policy_place_of(scope->source->text, n, at ? (size_t)(at - n->text.p) : 0);
    str before = d->out->file;
    d->out->file = scope->source->name;
    problem *one = problems_add(d->out, where.line, where.column,
                                "error E109: there is no quota '" STR_FMT "'", STR_ARG(id));
    if (near.n) one->hint = arena_fmt(d->a, "did you mean '" STR_FMT "'?", STR_ARG(near));
    d->out->file = before;
}

static void link_program(policy_draft *d, const policy_scope *scope, const yaml_node *n,
                         const cel_program *p)
{
    size_t count = 0;
    const cel_read *reads = p && n && n->kind == YAML_SCALAR ? cel_reads(p, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        if (reads[i].slot == VAR_QUOTA && reads[i].member.n)
            link_read(d, scope, n, reads[i].member);
}

static void link_arguments(policy_draft *d, const rule_node *r)
{
    const yaml_node *args = yaml_get(r->written, S("args"));
    const yaml_node *n = args && args->kind == YAML_MAP ? args->first : NULL;
    for (size_t i = 0; n && i < r->rule.constraint_count; i++, n = n->next) {
        const yaml_node *when = yaml_get(n, S("when"));
        link_program(d, r->scope, when ? when : n, r->rule.constraints[i].program);
    }
}

void policy_quotas_link(policy_draft *d)
{
    const uint64_t told = (uint64_t)1 << VAR_QUOTA;
    for (const rule_node *r = d->rules; r; r = r->next) {
        if (!(r->rule.reads & told)) continue;
        link_program(d, r->scope, yaml_get(r->written, S("when")), r->rule.when);
        link_arguments(d, r);
    }
    for (const var_node *v = d->vars; v; v = v->next)
        if (v->var.reads & told) link_program(d, v->scope, v->var.written, v->var.program);
}
