/* SPDX-License-Identifier: Apache-2.0 */
/* reading.c - nodes of a policy file as text, flags and names. */
#include "reading.h"

enum { PATTERN_MOST = 1024 };

void reading_keys(policy_reading *r, const yaml_node *entries, const str *known, const char *where)
{
    for (const yaml_node *n = entries->first; n; n = n->next) {
        bool found = false;
        for (const str *k = known; k->p && !found; k++) found = str_eq(*k, n->key);
        if (found) continue;
        str near = yaml_did_you_mean(n->key, known);
        if (near.n)
            WRONG_KEY(r, n,
                      "error E101: unknown key '" STR_FMT "' in %s, did you mean '" STR_FMT "'?",
                      STR_ARG(n->key), where, STR_ARG(near));
        else
            WRONG_KEY(r, n, "error E101: unknown key '" STR_FMT "' in %s", STR_ARG(n->key), where);
    }
}

bool reading_want(policy_reading *r, const yaml_node *n, yaml_kind kind, const char *what)
{
    static const char *const kinds[] =
        {[YAML_SCALAR] = "text", [YAML_LIST] = "a list", [YAML_MAP] = "a map"};
    if (n->kind == kind) return true;
    WRONG(r, n, "error E103: %s must be %s, not %s", what, kinds[kind], kinds[n->kind]);
    return false;
}

str reading_text(policy_reading *r, const yaml_node *n, size_t most, const char *what)
{
    if (!reading_want(r, n, YAML_SCALAR, what)) return (str){0};
    if (n->text.n == 0 || yaml_is_null(n))
        WRONG(r, n, "error E104: %s is empty", what);
    else if (n->text.n > most)
        WRONG(r, n, "error E104: %s is longer than %zu bytes", what, most);
    else
        return n->text;
    return (str){0};
}

bool reading_flag(policy_reading *r, const yaml_node *n, const char *what)
{
    bool yes = n->kind == YAML_SCALAR && str_eq(n->text, S("true"));
    if (!yes && !(n->kind == YAML_SCALAR && str_eq(n->text, S("false"))))
        WRONG(r, n, "error E103: %s must be true or false", what);
    return yes;
}

const str *reading_texts(policy_reading *r, const yaml_node *n, size_t most, const char *what)
{
    str *out = NEW_N(r->d->a, str, n->count + 2);
    size_t count = 0;
    if (n->kind == YAML_LIST) {
        for (const yaml_node *c = n->first; c; c = c->next) {
            out[count] = reading_text(r, c, most, what);
            if (out[count].n) count++;
        }
        if (!n->first) WRONG(r, n, "error E104: the list names nothing");
        return out;
    }
    if (n->kind == YAML_MAP)
        (void)reading_want(r, n, YAML_SCALAR, what);
    else
        out[0] = reading_text(r, n, most, what);
    return out;
}

/* Names */

static const str subject_keys[] = {
    [SUBJECT_TOOL] = S("tools"),         [SUBJECT_RESOURCE] = S("resources"),
    [SUBJECT_PROMPT] = S("prompts"),     [SUBJECT_MODEL] = S("models"),
    [SUBJECT_ENDPOINT] = S("endpoints"), [SUBJECTS] = {0},
};

static bool is_server_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '*' || c == '?';
}

/* server/name; a leading * may stand for both. */
static void check_pattern(policy_reading *r, const yaml_node *n, subject_kind kind, str pattern)
{
    if (kind == SUBJECT_MODEL) return;
    if (kind == SUBJECT_ENDPOINT) {
        if (pattern.p[0] != '/' && pattern.p[0] != '*')
            WRONG(r, n, "error E107: '" STR_FMT "' is no path: endpoints begin with /",
                  STR_ARG(pattern));
        return;
    }
    str_pair cut = str_cut(pattern, '/');
    if (!cut.ok && pattern.p[0] == '*') return;
    const char *joint = cut.ok ? NULL : memmem(pattern.p, pattern.n, "__", 2);
    if (joint && joint > pattern.p) {
        str server = str_take(pattern, (size_t)(joint - pattern.p));
        str name = str_drop(pattern, server.n + 2);
        WRONG(r, n, "error E107: '" STR_FMT "' is what clients see: write " STR_FMT "/" STR_FMT,
              STR_ARG(pattern), STR_ARG(server), STR_ARG(name));
        return;
    }
    if (!cut.ok) {
        WRONG(r, n,
              "error E107: '" STR_FMT "' names no server: write server/" STR_FMT ", or */" STR_FMT
              " for every server",
              STR_ARG(pattern), STR_ARG(pattern), STR_ARG(pattern));
        return;
    }
    for (size_t i = 0; i < cut.head.n; i++) {
        if (is_server_char(cut.head.p[i])) continue;
        WRONG(r, n,
              "error E107: '" STR_FMT
              "' cannot be a server: names are lower-case letters, digits and -",
              STR_ARG(cut.head));
        return;
    }
    if (!cut.head.n || !cut.tail.n)
        WRONG(r, n, "error E107: '" STR_FMT "' must be server/name", STR_ARG(pattern));
}

static void read_patterns(policy_reading *r, const yaml_node *n, subject_kind kind,
                          const str **names)
{
    names[kind] = reading_texts(r, n, PATTERN_MOST, "a name");
    const yaml_node *at = n->kind == YAML_LIST ? n->first : n;
    for (; at; at = n->kind == YAML_LIST ? at->next : NULL)
        if (at->kind == YAML_SCALAR && at->text.n) check_pattern(r, at, kind, at->text);
}

void reading_names(policy_reading *r, const yaml_node *n, const str **names)
{
    if (n->kind != YAML_MAP) {
        read_patterns(r, n, SUBJECT_TOOL, names);
        return;
    }
    reading_keys(r, n, subject_keys, "what a rule names");
    if (!n->first) WRONG(r, n, "error E104: the rule names nothing");
    for (int kind = 0; kind < SUBJECTS; kind++) {
        const yaml_node *list = yaml_get(n, subject_keys[kind]);
        if (list) read_patterns(r, list, (subject_kind)kind, names);
    }
}
