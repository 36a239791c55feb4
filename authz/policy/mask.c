/* SPDX-License-Identifier: Apache-2.0 */
/* mask.c - reading masks, and finding those of a call. */
#include "mask.h"
#include "facts.h"
#include "mask_read.h"

enum { MASKS_MOST = 1000, PATTERNS_MOST = 32, PATTERN_MOST = 1024, PATH_MOST = 256, WHY = 200 };

/* Reading */

static void drop_pattern(void *p)
{
    re2_pattern_free(p);
}

static re2_pattern *compile_pattern(policy_reading *r, const yaml_node *n)
{
    char why[WHY] = "";
    str text = reading_text(r, n, PATTERN_MOST, "a pattern");
    re2_pattern *p = text.n ? re2_pattern_new(text.p, text.n, why, sizeof why) : NULL;
    if (p) arena_own(r->d->a, drop_pattern, p);
    if (text.n && !p) WRONG(r, n, "error E104: this is no pattern: %s", why);
    if (p && re2_pattern_search(p, "", 0))
        WRONG(r, n, "error E104: the pattern fits an empty text, so it would fit anywhere");
    return p;
}

static void read_patterns(policy_reading *r, const yaml_node *n, policy_mask *m)
{
    re2_pattern **list = NEW_N(r->d->a, re2_pattern *, PATTERNS_MOST + 1);
    size_t count = 0;
    m->patterns = list;
    if (!n) return;
    if (n->kind == YAML_LIST && n->count > PATTERNS_MOST)
        WRONG(r, n, "error E104: over %d patterns", PATTERNS_MOST);
    const yaml_node *at = n->kind == YAML_LIST ? n->first : n;
    for (; at && count < PATTERNS_MOST; at = n->kind == YAML_LIST ? at->next : NULL)
        if (reading_want(r, at, YAML_SCALAR, "a pattern")) list[count++] = compile_pattern(r, at);
}

static bool is_path(str path)
{
    while (path.n) {
        str_pair cut = str_cut(path, '.');
        if (!cut.head.n || (cut.ok && !cut.tail.n)) return false;
        path = cut.tail;
    }
    return true;
}

static void read_paths(policy_reading *r, const yaml_node *n, policy_mask *m)
{
    m->paths = NEW(r->d->a, str);
    if (!n) return;
    m->paths = reading_texts(r, n, PATH_MOST, "a path");
    for (const str *path = m->paths; path->p; path++)
        if (!is_path(*path))
            WRONG(r, n, "error E104: '" STR_FMT "' is no path: names with . between",
                  STR_ARG(*path));
}

static void read_names(policy_reading *r, const yaml_node *n, const yaml_node *names,
                       policy_mask *m)
{
    if (!names) {
        WRONG(r, n, "error E102: the mask has no `for`: which tools' results");
        return;
    }
    reading_names(r, names, m->names);
    for (int kind = 0; kind < SUBJECTS; kind++)
        if (kind != SUBJECT_TOOL && m->names[kind])
            WRONG(r, names, "error E104: results of tools can be masked, and nothing else");
}

static void read_mask_id(policy_reading *r, const yaml_node *n, policy_mask *m)
{
    const yaml_node *id = yaml_get(n, S("id"));
    if (!id) {
        WRONG(r, n, "error E102: the mask has no id");
        return;
    }
    m->id = reading_text(r, id, READING_ID_MOST, "id");
    for (const mask_node *other = r->d->masks; other; other = other->next)
        if (m->id.n && str_eq(other->mask.id, m->id))
            WRONG(r, id, "error E105: mask '" STR_FMT "' is already defined at " STR_FMT,
                  STR_ARG(m->id), STR_ARG(other->mask.place));
}

static void read_mask(policy_reading *r, const yaml_node *n)
{
    static const str keys[] = {S("id"),       S("for"),  S("when"), S("paths"),
                               S("patterns"), S("note"), {0}};
    policy_draft *d = r->d;
    if (!reading_want(r, n, YAML_MAP, "a mask")) return;
    if (d->mask_count++ == MASKS_MOST) {
        WRONG(r, n, "error E104: over %d masks", MASKS_MOST);
        return;
    }
    mask_node *node = NEW(d->a, mask_node);
    policy_mask *m = &node->mask;
    m->place = arena_fmt(d->a, STR_FMT ":%u", STR_ARG(r->source->name), n->line);
    reading_keys(r, n, keys, "a mask");
    read_mask_id(r, n, m);
    read_names(r, n, yaml_get(n, S("for")), m);
    const yaml_node *when = yaml_get(n, S("when")), *note = yaml_get(n, S("note"));
    if (when) {
        policy_expr e = policy_compile(&r->scope, when, EXPR_BOOL | EXPR_BEFORE, "`when`");
        m->when = e.program;
        m->reads = e.reads;
    }
    read_paths(r, yaml_get(n, S("paths")), m);
    read_patterns(r, yaml_get(n, S("patterns")), m);
    if (!m->paths->p && !*m->patterns)
        WRONG(r, n, "error E102: the mask names neither `paths` nor `patterns`");
    if (note) (void)reading_text(r, note, READING_MESSAGE_MOST, "note");
    *d->masks_end = node;
    d->masks_end = &node->next;
}

void policy_masks_read(policy_reading *r, const yaml_node *masks)
{
    if (!reading_want(r, masks, YAML_LIST, "masks")) return;
    for (const yaml_node *n = masks->first; n; n = n->next) read_mask(r, n);
}

/* Finding */

static bool names(const policy_mask *m, const question *q, arena *scratch)
{
    str subject = arena_fmt(scratch, STR_FMT "/" STR_FMT, STR_ARG(q->server), STR_ARG(q->name));
    for (const str *glob = m->names[SUBJECT_TOOL]; glob && glob->p; glob++)
        if (policy_glob(*glob, subject)) return true;
    return false;
}

/* A condition that is not plainly false masks: unknown and errors do, too. */
static bool applies(policy_facts *f, const policy_mask *m)
{
    if (!m->when) return true;
    cel_value v = cel_eval(m->when, &f->bindings, f->scratch, 0);
    return v.tag != CEL_BOOL || v.u.b;
}

const policy_mask *const *policy_masks(const policy *p, const question *q, arena *scratch)
{
    if (!p || !p->mask_count || q->kind != SUBJECT_TOOL) return NULL;
    const policy_mask **list = NEW_N(scratch, const policy_mask *, p->mask_count + 1);
    size_t count = 0;
    policy_facts f;
    policy_facts_begin(&f, p, q, scratch);
    for (size_t i = 0; i < p->mask_count; i++)
        if (names(&p->masks[i], q, scratch) && applies(&f, &p->masks[i]))
            list[count++] = &p->masks[i];
    return count ? list : NULL;
}
