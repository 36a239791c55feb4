/* SPDX-License-Identifier: Apache-2.0 */
/* import.c - documents in, one policy file out.
 *
 * Files hold many documents of YAML, our reader reads one: they are cut at lines that are `---`,
 * which nothing else can be at the margin. What was gathered is written plainly, laid out by
 * the formatter and loaded once, as a proof. */
#include "import.h"
#include "../../base/map.h"
#include "../cel/print.h"
#include "fmt.h"
#include "import_draft.h"
#include <stdarg.h>
#include <stdio.h>

enum {
    FILE_MOST = 1 << 20,
    OUT_MOST = 1 << 20,
    RULES_MOST = 5000,
    NOTE_MOST = 512,
    WHEN_MOST = 15000, /* what a condition may have is a little more */
    ID_MOST = 100,
    ORIGIN_MOST = 200
};

/* Gathering */

void import_note(import_draft *d, const yaml_node *n, const char *fmt, ...)
{
    char text[NOTE_MOST];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    problems_add(d->notes, d->lines_before + n->line, n->column, "%s", text);
}

static str unique(import_draft *d, str id)
{
    str wanted = str_take(id, ID_MOST);
    str found = wanted;
    for (unsigned i = 2; map_get(d->ids, found); i++)
        found = arena_fmt(d->a, STR_FMT "-%u", STR_ARG(wanted), i);
    return arena_dup(d->a, found);
}

/* A condition that no policy file could hold: what is left without it must not be wider. */
static bool make_sound(import_draft *d, const yaml_node *from, import_rule *rule)
{
    str why = S("it is too long");
    bool fits = import_fits(rule->when);
    if (!rule->when.n || (fits && import_compile(d->a, rule->when, &why) == IMPORT_KEPT))
        return true;
    import_note(d, from, "the rule's condition cannot be kept (" STR_FMT "): it %s", STR_ARG(why),
                rule->effect == RULE_PERMIT ? "allows nothing" : "denies always");
    rule->when = rule->effect == RULE_REQUIRE ? S("false") : (str){0};
    return rule->effect != RULE_PERMIT;
}

bool import_fits(str when)
{
    return when.n <= WHEN_MOST;
}

void import_add(import_draft *d, const yaml_node *from, import_rule rule)
{
    if (!make_sound(d, from, &rule)) return;
    if (d->count++ == RULES_MOST) {
        import_note(d, from, "over %d rules: this and all that follow are left out", RULES_MOST);
        d->blocked = true;
    }
    if (d->count > RULES_MOST) return;
    import_rule *r = NEW(d->a, import_rule);
    *r = rule;
    r->id = unique(d, rule.id);
    str file = d->file.n > ORIGIN_MOST ? str_drop(d->file, d->file.n - ORIGIN_MOST) : d->file;
    r->note = arena_fmt(d->a, STR_FMT ":%u", STR_ARG(file), d->lines_before + from->line);
    map_put(d->ids, r->id, r);
    *d->rules_end = r;
    d->rules_end = &r->next;
}

/* Routes */

void import_count_server(import_draft *d, str server)
{
    unsigned *count = map_get(d->servers, server);
    if (!count) {
        count = NEW(d->a, unsigned);
        map_put(d->servers, server, count);
    }
    (*count)++;
}

bool import_is_shared(const import_draft *d, str server)
{
    const unsigned *count = map_get(d->servers, server);
    return count && *count > 1;
}

bool import_claim_guard(import_draft *d, str guard)
{
    if (map_get(d->guards, guard)) return false;
    map_put(d->guards, guard, d);
    return true;
}

/* Pieces of expressions */

bool import_bounded(import_draft *d, const yaml_node *list, size_t most)
{
    if (!list || list->count <= most) return true;
    if (!d->survey) import_note(d, list, "over %zu entries: nothing is permitted here", most);
    return false;
}

str import_text(const yaml_node *n)
{
    return n && n->kind == YAML_SCALAR ? n->text : (str){0};
}

/* The text as an operand: in parentheses when it holds together more loosely. */
static str operand(arena *a, str text, cel_node_kind around)
{
    cel_node *root;
    bool loose = cel_tree(a, text, &root) || root->kind == NODE_IF ||
                 (root->kind == NODE_OR && around != NODE_OR);
    return loose ? arena_fmt(a, "(" STR_FMT ")", STR_ARG(text)) : text;
}

static str joined(arena *a, str x, cel_node_kind kind, str y)
{
    if (!import_fits(x)) return x; /* no rule will have it */
    if (!x.n) return y;
    if (!y.n) return x;
    str left = operand(a, x, kind), right = operand(a, y, kind);
    return arena_fmt(a, STR_FMT " %s " STR_FMT, STR_ARG(left), kind == NODE_AND ? "&&" : "||",
                     STR_ARG(right));
}

str import_and(arena *a, str x, str y)
{
    return joined(a, x, NODE_AND, y);
}

str import_or(arena *a, str x, str y)
{
    return joined(a, x, NODE_OR, y);
}

str import_guarded(arena *a, rule_effect effect, str guard, str when)
{
    if (effect != RULE_REQUIRE || !guard.n) return import_and(a, guard, when);
    return import_or(a, arena_fmt(a, "!(" STR_FMT ")", STR_ARG(guard)), when);
}

/* JSON's escapes are CEL's too, but for \/, which is not written. */
str import_quoted(arena *a, str text)
{
    buf b = buf_new(a, 8 * text.n + 16);
    (void)buf_json(&b, text);
    return buf_str(&b);
}

str import_list(arena *a, const yaml_node *texts)
{
    buf b = buf_new(a, FILE_MOST);
    (void)buf_put(&b, S("["));
    for (const yaml_node *n = texts ? texts->first : NULL; n; n = n->next) {
        if (n != texts->first) (void)buf_put(&b, S(", "));
        (void)buf_json(&b, import_text(n));
    }
    (void)buf_put(&b, S("]"));
    return buf_str(&b);
}

bool import_is_server(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    return name.n > 0 && name.n <= 64;
}

bool import_is_exact(str name)
{
    return name.n && name.n <= 256 && !memchr(name.p, '*', name.n) && !memchr(name.p, '?', name.n);
}

/* Documents */

typedef struct {
    str text;
    unsigned lines_before;
} document;

/* Cuts the first document off `rest`; the line of dashes belongs to none. */
static document next_document(str *rest, unsigned *line)
{
    document doc = {.text = {rest->p, 0}, .lines_before = *line};
    while (rest->n) {
        str_pair cut = str_cut(*rest, '\n');
        bool ends =
            str_starts(cut.head, S("---")) && (cut.head.n == 3 || strchr(" \t\r", cut.head.p[3]));
        *rest = cut.tail;
        (*line)++;
        if (ends && cut.head.n > 4 && memchr(cut.head.p, '{', cut.head.n)) ends = true;
        if (ends) return doc;
        doc.text.n += cut.head.n + cut.ok;
    }
    return doc;
}

/* The reader's own message counts lines from the document's first. */
static const err *moved(import_draft *d, const err *e)
{
    unsigned line = 0;
    str rest = str_drop(e->text, d->file.n + 1);
    for (; rest.n && *rest.p >= '0' && *rest.p <= '9' && line < FILE_MOST; rest = str_drop(rest, 1))
        line = line * 10 + (unsigned)(*rest.p - '0');
    return err_new(d->a, e->kind, STR_FMT ":%u" STR_FMT, STR_ARG(d->file), line + d->lines_before,
                   STR_ARG(rest));
}

static const err *read_file(import_draft *d, import_kind kind, const policy_source *file)
{
    size_t before = d->count;
    d->file = d->notes->file = file->name;
    if (file->text.n > FILE_MOST)
        return err_new(d->a, ERR_TOO_LARGE, STR_FMT ":1:1: over %d bytes", STR_ARG(file->name),
                       FILE_MOST);
    unsigned line = 0;
    for (str rest = file->text; rest.n;) {
        document doc = next_document(&rest, &line);
        yaml_node *root;
        d->lines_before = doc.lines_before;
        const err *e = yaml_parse(d->a, file->name, doc.text, &root);
        if (e) return moved(d, e);
        if (kind == IMPORT_ENVOY)
            import_envoy(d, root);
        else
            import_agentgateway(d, root);
    }
    if (!d->survey && d->count == before)
        problems_add(d->notes, 1, 1, "nothing here guards MCP: no rules were made of this file");
    return NULL;
}

/* Writing */

static void put_list(buf *b, const str *items)
{
    (void)buf_put(b, S("["));
    for (const str *s = items; s->p; s++) {
        if (s != items) (void)buf_put(b, S(", "));
        (void)buf_json(b, *s);
    }
    (void)buf_put(b, S("]"));
}

static void put_names(buf *b, const import_rule *r)
{
    static const char *const keys[SUBJECTS] = {"tools", "resources", "prompts", "models",
                                               "endpoints"};
    bool tools_only = true, first = true;
    for (int kind = 1; kind < SUBJECTS; kind++) tools_only &= !r->names[kind];
    if (tools_only) {
        put_list(b, r->names[SUBJECT_TOOL]);
        return;
    }
    (void)buf_put(b, S("{"));
    for (int kind = 0; kind < SUBJECTS; kind++) {
        if (!r->names[kind]) continue;
        (void)buf_fmt(b, "%s%s: ", first ? "" : ", ", keys[kind]);
        put_list(b, r->names[kind]);
        first = false;
    }
    (void)buf_put(b, S("}"));
}

static void put_entry(buf *b, const char *key, str value)
{
    if (!value.n) return;
    (void)buf_fmt(b, "    %s: ", key);
    (void)buf_json(b, value);
    (void)buf_put(b, S("\n"));
}

static void put_rule(buf *b, const import_rule *r)
{
    static const char *const effects[] =
        {[RULE_FORBID] = "forbid", [RULE_REQUIRE] = "require", [RULE_PERMIT] = "permit"};
    (void)buf_put(b, S("\n  - id: "));
    (void)(import_is_server(r->id) ? buf_put(b, r->id) : buf_json(b, r->id));
    (void)buf_fmt(b, "\n    %s: ", effects[r->effect]);
    put_names(b, r);
    (void)buf_put(b, S("\n"));
    put_entry(b, "when", r->when);
    if (r->scopes && r->scopes->p) {
        (void)buf_put(b, S("    scopes: "));
        put_list(b, r->scopes);
        (void)buf_put(b, S("\n"));
    }
    put_entry(b, "message", r->message);
    put_entry(b, "note", r->note);
}

static str written(import_draft *d, import_kind kind)
{
    buf b = buf_new(d->a, OUT_MOST);
    (void)buf_fmt(&b, "policy: v1\nname: imported-from-%s\n\nrules:%s",
                  kind == IMPORT_ENVOY ? "envoy" : "agentgateway", d->rules ? "" : " []\n");
    for (const import_rule *r = d->rules; r; r = r->next)
        if (r->effect != RULE_PERMIT || !d->blocked) put_rule(&b, r);
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}

/* What is written must load: a mistake of ours is not the user's to find. */
static const err *proven(arena *a, str text)
{
    problems wrong;
    policy *p;
    problems_init(&wrong, a, S("imported"));
    const policy_source source = {S("imported"), text};
    policy_load(a, &source, 1, NULL, &wrong, &p);
    if (p) return NULL;
    return err_new(a, ERR_BUG, "the imported rules do not load: " STR_FMT,
                   STR_ARG(wrong.first->text));
}

const err *policy_import(arena *a, import_kind kind, const policy_source *files, size_t count,
                         problems *notes, str *out)
{
    import_draft d = {.a = a, .notes = notes, .ids = map_new(a), .survey = true};
    d.servers = map_new(a);
    d.guards = map_new(a);
    d.rules_end = &d.rules;
    for (int round = 0; round < 2; round++, d.survey = false) {
        for (size_t i = 0; i < count; i++) {
            const err *e = read_file(&d, kind, &files[i]);
            if (e) return e;
        }
    }
    str text = written(&d, kind);
    if (!text.n) return err_new(a, ERR_TOO_LARGE, "the imported rules are over %d bytes", OUT_MOST);
    const err *e = policy_fmt(a, S("imported"), text, out);
    return e ? e : proven(a, *out);
}
