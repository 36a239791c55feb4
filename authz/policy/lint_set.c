/* SPDX-License-Identifier: Apache-2.0 */
/* lint_set.c - what rules say to each other, to the tests beside them, and to the inventory. */
#include "../../base/map.h"
#include "lint.h"

enum { PAIRS_MOST = 1000 /* rules that are held against each other */ };

static const policy_source *source_of(const rule_node *r)
{
    return r->scope->source;
}

/* Names */

static const str *tool_list(const lint *l, str server)
{
    const policy_world *w = l->w;
    str *out = NEW_N(l->a, str, w->tool_count + 1);
    size_t n = 0;
    for (size_t i = 0; i < w->tool_count; i++)
        if (str_eq(w->tools[i].server, server))
            out[n++] =
                arena_fmt(l->a, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(w->tools[i].name));
    return out;
}

static bool has_server(const lint *l, str server)
{
    for (const str *s = l->w->inventory; s->p; s++)
        if (str_eq(*s, server)) return true;
    return false;
}

static str did_you_mean(const lint *l, str word, const str *names)
{
    str near = yaml_did_you_mean(word, names);
    return near.n ? arena_fmt(l->a, "did you mean '" STR_FMT "'?", STR_ARG(near)) : (str){0};
}

static bool is_glob(str s)
{
    return memchr(s.p, '*', s.n) || memchr(s.p, '?', s.n);
}

static void look_at_pattern(lint *l, const policy_source *source, const yaml_node *n,
                            const char *unknown_tool)
{
    size_t first;
    str_pair cut = str_cut(n->text, '/');
    if (n->kind != YAML_SCALAR || !n->text.n || lint_tools_named(l, n->text, &first, 0, 1)) return;
    if (!cut.ok && n->text.p[0] != '*') return; /* no name at all: told when it was read */
    bool exact = cut.ok && !is_glob(cut.head);
    if (exact && !has_server(l, cut.head)) {
        lint_tell(l, source, n, "warning W322",
                  arena_fmt(l->a, "the inventory has no server '" STR_FMT "'", STR_ARG(cut.head)),
                  did_you_mean(l, cut.head, l->w->inventory));
        return;
    }
    lint_tell(l, source, n, unknown_tool,
              arena_fmt(l->a, "the inventory has no tool that '" STR_FMT "' names",
                        STR_ARG(n->text)),
              exact ? did_you_mean(l, n->text, tool_list(l, cut.head)) : (str){0});
}

static const yaml_node *names_of(const rule_node *r)
{
    static const char *const effects[] =
        {[RULE_FORBID] = "forbid", [RULE_REQUIRE] = "require", [RULE_PERMIT] = "permit"};
    const char *key = effects[r->rule.effect];
    const yaml_node *n = yaml_get(r->written, (str){key, strlen(key)});
    return n && n->kind == YAML_MAP ? yaml_get(n, S("tools")) : n;
}

static void look_at_names(lint *l, const policy_source *source, const yaml_node *n)
{
    if (!n || !l->w->inventory) return;
    const yaml_node *at = n->kind == YAML_LIST ? n->first : n;
    for (; at; at = n->kind == YAML_LIST ? at->next : NULL)
        look_at_pattern(l, source, at, "warning W321");
}

/* What a quota counts. */
static void look_at_counted(lint *l, const quota_node *q)
{
    const yaml_node *n = yaml_get(q->written, S("for"));
    if (n && n->kind == YAML_MAP) n = yaml_get(n, S("tools"));
    look_at_names(l, q->scope->source, n);
}

static void look_at_message(lint *l, const rule_node *r)
{
    const yaml_node *n = yaml_get(r->written, S("message"));
    if (r->rule.effect != RULE_PERMIT || !n || n->kind != YAML_SCALAR) return;
    lint_tell(l, source_of(r), n, "warning W324", S("nobody is told the message of a permit"),
              S("write it into a forbid or a require, or as `note`"));
}

/* Pairs */

typedef struct {
    const rule_node *r;
    lint_terms terms;
    bool plain; /* nothing optional: each term says the same of every call */
} member;

/* Is every name of `few` one of `many`? A glob's own letters must stand in it as they are. */
static bool covers_kind(const str *many, const str *few)
{
    for (; few && few->p; few++) {
        bool found = false;
        for (const str *m = many; m && m->p && !found; m++)
            found = str_eq(*m, *few) || (!memchr(m->p, '?', m->n) && policy_glob(*m, *few));
        if (!found) return false;
    }
    return true;
}

static bool covers(const policy_rule *many, const policy_rule *few)
{
    for (int kind = 0; kind < SUBJECTS; kind++)
        if (!covers_kind(many->names[kind], few->names[kind])) return false;
    return true;
}

/* Does all of `few` stand in `all` as well? */
static bool includes(const lint_terms *all, const lint_terms *few)
{
    for (size_t i = 0; i < few->count; i++) {
        bool found = false;
        for (size_t k = 0; k < all->count && !found; k++)
            found = str_eq(few->list[i].spelled, all->list[k].spelled);
        if (!found) return false;
    }
    return true;
}

static bool scopes_within(const str *few, const str *many)
{
    for (; few->p; few++) {
        bool found = false;
        for (const str *m = many; m->p && !found; m++) found = str_eq(*m, *few);
        if (!found) return false;
    }
    return true;
}

static const yaml_node *id_of(const rule_node *r)
{
    const yaml_node *id = yaml_get(r->written, S("id"));
    return id ? id : r->written;
}

/* A forbid that takes all a permit gives. */
static bool look_at_shadow(lint *l, const member *permit, const member *forbid)
{
    const policy_rule *p = &permit->r->rule, *f = &forbid->r->rule;
    if (!forbid->plain || !covers(f, p) || !includes(&permit->terms, &forbid->terms)) return false;
    lint_tell(l, source_of(permit->r), id_of(permit->r), "warning W326",
              arena_fmt(l->a,
                        "this permit can never decide: forbid '" STR_FMT "' (" STR_FMT
                        ") takes all it gives",
                        STR_ARG(f->id), STR_ARG(f->place)),
              S("write a narrower forbid, or remove the permit"));
    return true;
}

static bool gives_all(const member *wide, const member *narrow)
{
    const policy_rule *w = &wide->r->rule, *n = &narrow->r->rule;
    bool same_args = !w->only_named_args || n->only_named_args;
    return wide->plain && same_args && covers(w, n) && scopes_within(w->scopes, n->scopes) &&
           includes(&narrow->terms, &wide->terms);
}

static void look_at_pair(lint *l, const member *first, const member *second)
{
    bool later = gives_all(first, second);
    if (!later && !gives_all(second, first)) return;
    const member *spare = later ? second : first, *other = later ? first : second;
    lint_tell(l, source_of(spare->r), id_of(spare->r), "warning W327",
              arena_fmt(l->a,
                        "this permit adds nothing: '" STR_FMT "' (" STR_FMT ") gives all it gives",
                        STR_ARG(other->r->rule.id), STR_ARG(other->r->rule.place)),
              S("remove one of them"));
}

static member member_of(lint *l, const rule_node *r)
{
    member m = {.r = r, .plain = true};
    lint_enter(l, r->scope);
    lint_terms_of_rule(l, r, NULL, &m.terms);
    const policy_rule *rule = &r->rule;
    const yaml_node *when = yaml_get(r->written, S("when"));
    if (when && !rule->when) m.plain = false;
    for (size_t i = 0; i < rule->constraint_count; i++) m.plain &= !rule->constraints[i].optional;
    return m;
}

static void look_at_pairs(lint *l)
{
    member *permits = NEW_N(l->a, member, l->d->rule_count + 1);
    member *forbids = NEW_N(l->a, member, l->d->rule_count + 1);
    size_t permit_count = 0, forbid_count = 0;
    if (l->d->rule_count > PAIRS_MOST) return;
    for (const rule_node *r = l->d->rules; r; r = r->next) {
        if (r->rule.effect == RULE_PERMIT) permits[permit_count++] = member_of(l, r);
        if (r->rule.effect == RULE_FORBID) forbids[forbid_count++] = member_of(l, r);
    }
    l->notes = NULL;
    for (size_t i = 0; i < permit_count; i++) {
        bool shadowed = false;
        for (size_t k = 0; k < forbid_count && !shadowed; k++)
            shadowed = look_at_shadow(l, &permits[i], &forbids[k]);
        for (size_t k = 0; k < i && !shadowed; k++) look_at_pair(l, &permits[k], &permits[i]);
    }
}

/* Vars */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* By the letters, so that wherever expressions come to stand, a var that is used counts so. */
static bool is_read(str text, str name)
{
    for (const char *at; text.n && (at = memmem(text.p, text.n, "vars", 4));) {
        text = str_drop(text, (size_t)(at - text.p) + 4);
        str rest = text;
        while (rest.n && strchr(".?[\"' ", *rest.p)) rest = str_drop(rest, 1);
        bool same = str_starts(rest, name) && rest.p != text.p;
        if (same && (rest.n == name.n || !is_name_char(rest.p[name.n]))) return true;
    }
    return false;
}

static void look_at_vars(lint *l)
{
    for (const var_node *v = l->d->vars; v; v = v->next) {
        if (!is_read(v->scope->source->text, v->var.name))
            lint_tell(l, v->scope->source, lint_key(l, v->var.written), "warning W325",
                      arena_fmt(l->a, "nothing reads vars." STR_FMT, STR_ARG(v->var.name)),
                      S("remove it"));
    }
}

void lint_set(lint *l)
{
    for (const rule_node *r = l->d->rules; r; r = r->next) {
        look_at_names(l, source_of(r), names_of(r));
        look_at_message(l, r);
    }
    for (const quota_node *q = l->d->quotas; q; q = q->next) look_at_counted(l, q);
    look_at_vars(l);
    look_at_pairs(l);
}

/* Tests */

/* Of quotas, and of rules when they count, too; ends with {0}. */
static const str *known_ids(lint *l, bool rules)
{
    str *ids = NEW_N(l->a, str, l->d->rule_count + l->d->quota_count + 1);
    size_t count = 0;
    for (const rule_node *r = rules ? l->d->rules : NULL; r; r = r->next)
        if (r->rule.id.n) ids[count++] = r->rule.id;
    for (const quota_node *q = l->d->quotas; q; q = q->next)
        if (q->quota.id.n) ids[count++] = q->quota.id;
    return ids;
}

static void look_at_because(lint *l, const case_node *c)
{
    const yaml_node *n = yaml_get(c->written, S("because"));
    if (!n || !l->d->rules) return; /* no rules: something else is wrong, and told */
    const yaml_node *at = n->kind == YAML_LIST ? n->first : n;
    for (; at; at = n->kind == YAML_LIST ? at->next : NULL) {
        if (at->kind != YAML_SCALAR || !at->text.n || map_get(l->d->ids, at->text)) continue;
        if (map_get(l->d->quota_ids, at->text)) continue;
        lint_tell(l, c->source, at, "error E204",
                  arena_fmt(l->a, "there is no rule '" STR_FMT "'", STR_ARG(at->text)),
                  did_you_mean(l, at->text, known_ids(l, true)));
    }
}

static void look_at_amounts(lint *l, const case_node *c, str key)
{
    const yaml_node *n = yaml_get(c->written, key);
    for (n = n && n->kind == YAML_MAP ? n->first : NULL; n; n = n->next)
        if (!map_get(l->d->quota_ids, n->key))
            lint_tell(l, c->source, lint_key(l, n), "error E204",
                      arena_fmt(l->a, "there is no quota '" STR_FMT "'", STR_ARG(n->key)),
                      did_you_mean(l, n->key, known_ids(l, false)));
}

static void look_at_call(lint *l, const case_node *c)
{
    const yaml_node *call = yaml_get(c->written, S("call")),
                    *args = yaml_get(c->written, S("args"));
    if (!call || !l->w->inventory) return;
    look_at_pattern(l, c->source, call, "warning W328");
    size_t i = policy_world_tool(l->w, c->test.server, c->test.subject);
    if (i == l->w->tool_count || !args || args->kind != YAML_MAP) return;
    const policy_tool *t = &l->w->tools[i];
    if (!l->tools[i]) l->tools[i] = policy_shape_of_tool(l->a, t);
    for (const yaml_node *n = args->first; n && policy_schema_lists(t->schema); n = n->next) {
        if (!cel_field_type(l->tools[i], n->key))
            lint_tell(l, c->source, lint_key(l, n), "warning W329",
                      arena_fmt(l->a, "the tool has no argument '" STR_FMT "'", STR_ARG(n->key)),
                      did_you_mean(l, n->key, lint_tool_names(l, t)));
    }
}

void lint_tests(lint *l)
{
    for (const case_node *c = l->d->cases; c; c = c->next) {
        look_at_because(l, c);
        look_at_amounts(l, c, S("remaining"));
        look_at_amounts(l, c, S("expect_cost"));
        look_at_call(l, c);
    }
}
