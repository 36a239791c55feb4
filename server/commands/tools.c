/* SPDX-License-Identifier: Apache-2.0 */
/* tools.c - the catalog as a person can read it: what there is, what a caller sees of it, and why.
 */
#include "../../base/clock.h"
#include "../../mcp/name.h"
#include "../../mcp/question_of.h"
#include "../../mcp/wording.h"
#include "../files.h"
#include "../process.h"
#include "tools_verb.h"
#include <stdio.h>

int tools_verb_ask(arena *a, const char *file, inspection **out)
{
    char *const *shim = process_shim(a);
    process_harden();
    return inspect(a, (str){file, strlen(file)}, shim, out) ? 0 : 1;
}

size_t tools_verb_say_missing(const inspection *i)
{
    size_t count, missing = 0;
    const inspected *all = inspection_servers(i, &count);
    for (size_t k = 0; k < count; k++) {
        if (all[k].tools) continue;
        bool user = upstream_spec_of(all[k].of)->grant.kind == GRANT_USER;
        (void)fprintf(stderr, STR_FMT ": %s\n", STR_ARG(all[k].server),
                      user ? "shows its tools only to callers with an account there: give -c a "
                             "file in which it has `auth: { bearer: … }` instead of user_oauth"
                           : "did not answer");
        missing++;
    }
    return missing;
}

static void warn(arena *a, const inspected *of, const catalog_item *t, str what)
{
    str name = command_plain(a, t->name);
    if (what.n)
        (void)fprintf(stderr, "warning: " STR_FMT "/" STR_FMT ": " STR_FMT "\n",
                      STR_ARG(of->server), STR_ARG(name), STR_ARG(what));
}

void tools_verb_warn(arena *a, const inspection *i)
{
    size_t count;
    const inspected *all = inspection_servers(i, &count);
    wording *w = wording_new(a);
    for (size_t k = 0; k < count; k++)
        for (size_t j = 0; all[k].tools && j < all[k].tools->count; j++)
            wording_know(w, all[k].server, all[k].tools->items[j].name);
    for (size_t k = 0; k < count; k++) {
        for (size_t j = 0; all[k].tools && j < all[k].tools->count; j++) {
            const catalog_item *t = &all[k].tools->items[j];
            warn(a, &all[k], t, wording_hidden(a, t->raw));
            warn(a, &all[k], t, wording_foreign(w, a, all[k].server, t->raw));
        }
    }
}

/* The list */

typedef struct {
    arena *a;
    const inspection *from;
    const snapshot *now;
    const caller *who; /* NULL: the operator, who sees everything */
    bool all;
    size_t shown, hidden;
} teller;

static str reason_of(arena *a, const verdict *said)
{
    static const char *const why[] = {[DENIED_NOT] = "permitted",
                                      [DENIED_DEFAULT] = "no permit applies",
                                      [DENIED_FORBID] = "forbidden",
                                      [DENIED_FORBID_ERROR] = "a forbid could not be evaluated",
                                      [DENIED_REQUIRE] = "a requirement is not met",
                                      [DENIED_SCOPES] = "scopes are missing",
                                      [DENIED_UNRECORDED] = "unrecorded",
                                      [DENIED_KEY] = "not for this key"};
    const char *open = said->permit && said->open ? ", it depends on the arguments" : "";
    if (!said->rule.n) return arena_fmt(a, "%s", why[said->why]);
    return arena_fmt(a, "%s by " STR_FMT " (" STR_FMT ")%s", why[said->why], STR_ARG(said->rule),
                     STR_ARG(said->place), open);
}

static question question_for(const teller *t, const mcp_endpoint *e)
{
    static const header none[1];
    return (question){.listing = true,
                      .who = t->who,
                      .now_ms = clock_wall_ms(),
                      .mcp = {.method = S("tools/call"), .protocol = S("2026-07-28")},
                      .http = {.method = S("POST"),
                               .path = e->path,
                               .host = e->hosts->p ? e->hosts[0] : S("localhost"),
                               .headers = none}};
}

static void tell_tool(teller *t, const mcp_endpoint *e, const inspected *of,
                      const catalog_item *tool)
{
    const pins *kept = t->now->pins;
    str state = kept ? pin_state_names[pins_state(kept, of->server, tool)] : S("-");
    bool visible = !kept || pins_state(kept, of->server, tool) == PIN_APPROVED;
    str why = visible ? S("") : S("withheld");
    if (t->who && visible) {
        question q = question_for(t, e);
        verdict said = {0};
        question_about_tool(&q, of->server, tool);
        policy_decide(t->now->rules, &q, t->a, &said);
        visible = said.permit;
        why = reason_of(t->a, &said);
    }
    t->shown += visible;
    t->hidden += !visible;
    if (t->who && !visible && !t->all) return;
    str own = command_plain(t->a, tool->name);
    str name = command_plain(t->a, name_public(t->a, e->naming, of->server, tool->name));
    buf line = buf_new(t->a, SIZE_MAX / 2);
    if (t->who) (void)buf_fmt(&line, "%-7s ", visible ? "listed" : "hidden");
    (void)buf_fmt(&line, "%-9.*s %-40.*s " STR_FMT "/" STR_FMT "%s" STR_FMT "\n", STR_ARG(state),
                  STR_ARG(name), STR_ARG(of->server), STR_ARG(own), why.n ? "  " : "",
                  STR_ARG(why));
    (void)command_print(buf_str(&line));
}

static void tell_endpoint(teller *t, const mcp_endpoint *e)
{
    if (t->now->mcp.endpoint_count > 1) (void)printf("# " STR_FMT "\n", STR_ARG(e->path));
    for (upstream *const *u = e->servers; *u; u++) {
        const inspected *of = inspection_find(t->from, *u);
        for (size_t i = 0; of && of->tools && i < of->tools->count; i++)
            tell_tool(t, e, of, &of->tools->items[i]);
    }
}

static const err *read_claims(arena *a, const char *file, const caller **who)
{
    str text, name = {file, strlen(file)};
    js_value root;
    const err *e = files_read(files_new(a, S(".")), a, name, &text);
    if (!e) e = js_check(a, text, 64, &root);
    if (e) return err_wrap(a, e, "%s", file);
    if (root.kind != JS_OBJECT)
        return err_new(a, ERR_MALFORMED, "%s: claims are a JSON object", file);
    *who = caller_of_claims(a, js_tree(a, root));
    return NULL;
}

static int verb_list(arena *a, int argc, char **argv)
{
    const char *file = "sallyport.yaml", *as = NULL, **rest = NEW_N(a, const char *, (size_t)argc);
    bool all = false;
    int count = 0;
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &file},
                                      {.name = "--as", .value = &as},
                                      {.name = "--all", .given = &all},
                                      {0}};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count) return command_usage("tools list", "the file is given with -c");
    teller t = {.a = a, .all = all};
    const err *e = as ? read_claims(a, as, &t.who) : NULL;
    if (e) return command_fail(e);
    inspection *from = NULL;
    int wrong = tools_verb_ask(a, file, &from);
    if (wrong) return wrong;
    t.from = from;
    t.now = inspection_config(from);
    for (size_t i = 0; i < t.now->mcp.endpoint_count; i++)
        tell_endpoint(&t, &t.now->mcp.endpoints[i]);
    tools_verb_warn(a, from);
    size_t missing = tools_verb_say_missing(from);
    (void)fprintf(stderr, "%zu listed, %zu %s\n", t.shown, t.hidden, t.who ? "hidden" : "withheld");
    inspection_end(from);
    return missing ? 1 : 0;
}

/* clang-format off */
static const command verbs[] = {
    {"list", verb_list, "the tools there are, or those a caller sees",
     "usage: sallyport tools [list] [-c FILE] [--as CLAIMS.json [--all]]\n"
     "\n"
     "Asks the servers of the configuration for their tools and prints a line for each: whether its\n"
     "definition is approved, changed or new (`-` where no pins are kept), its public name, and\n"
     "server/tool as policies write it. What is odd about a text is said on stderr.\n"
     "\n"
     "  --as CLAIMS.json  only what a caller with these claims would be listed, with the rule that decides;\n"
     "                    {} is a caller without a credential\n"
     "  --all             also what is hidden from that caller, and why\n"
     "\n"
     "  sallyport tools -c sallyport.yaml\n"
     "  echo '{\"sub\":\"alice\",\"groups\":[\"eng\"]}' > alice.json; sallyport tools list --as alice.json --all\n"},
    {"pin", tools_verb_pin, "approve definitions as they are now",
     "usage: sallyport tools pin [-c FILE] [SERVER/TOOL…]\n"
     "\n"
     "Writes the lock file that `mcp.pins` names: every tool with the SHA-256 of its definition as the servers\n"
     "have it now, or only those that the globs name. What a server that does not answer has\n"
     "approved stays. A running gateway takes the file up by itself. Prints what changed.\n"
     "\n"
     "  sallyport tools diff && sallyport tools pin\n"
     "  sallyport tools pin 'github/*' files/read_file\n"},
    {"diff", tools_verb_diff, "compare definitions with those approved",
     "usage: sallyport tools diff [-c FILE]\n"
     "\n"
     "Prints a line for each tool that is new, changed, or gone from its server, and exits 1 when there is one.\n"},
    {0},
};
/* clang-format on */

int command_tools(arena *a, int argc, char **argv)
{
    static char list[] = "list";
    bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (help || (argc > 1 && argv[1][0] != '-')) return command_verb(a, verbs, argc, argv);
    char **more = NEW_N(a, char *, (size_t)argc + 2);
    more[0] = argv[0];
    more[1] = list;
    for (int i = 1; i < argc; i++) more[i + 1] = argv[i];
    return command_verb(a, verbs, argc + 1, more);
}
