/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - the table of what can be done to policies, and what its verbs share. */
#include "../files.h"
#include "../zones.h"
#include "policy_inventory.h"
#include "policy_verb.h"
#include <stdio.h>

/* clang-format off */
const command policy_verbs[] = {
    {"check", policy_verb_check, "print every problem of policy files, with its place",
     "usage: sallyport policy check [-c FILE] [-i FILE] [--format text|json|sarif] FILE…\n"
     "\n"
     "Compiles the files together, as the gateway would, and prints every problem with its place, its code\n"
     "and what to write instead. Errors (E…) exit 1; warnings (W…) are printed and exit 0.\n"
     "\n"
     "  -c, --config FILE      sallyport.yaml: types of claims, and which servers are trusted\n"
     "  -i, --inventory FILE   tools and their arguments, as `sallyport policy inventory` writes them\n"
     "  --format FORMAT        text, json (one object) or sarif (SARIF 2.1.0, for code scanning)\n"
     "\n"
     "  sallyport policy check policies/*.yaml\n"
     "  sallyport policy check -c sallyport.yaml -i inventory.json policies/*.yaml\n"},
    {"inventory", policy_verb_inventory, "write down the tools of live servers, for check and lsp",
     "usage: sallyport policy inventory [-c FILE] [-o FILE]\n"
     "\n"
     "Asks the MCP servers of the configuration (./sallyport.yaml) for their tools, once and without serving,\n"
     "and writes names, descriptions, input schemas and annotations as JSON; the same servers give the same\n"
     "bytes. A server that does not answer is named on stderr, the rest is written, and the exit code is 1.\n"
     "\n"
     "  -o, --output FILE   where to, in one step; without it to stdout\n"
     "\n"
     "  sallyport policy inventory -c sallyport.yaml -o inventory.json\n"},
    {"help", policy_verb_help, "explain a code of `check`, with an example",
     "usage: sallyport policy help CODE\n"
     "\n"
     "  sallyport policy help E202\n"
     "\n"
     "`sallyport help codes` has all of them.\n"},
    {"test", policy_verb_test, "run the tests in policy files",
     "usage: sallyport policy test [--coverage[=MIN]] [--junit FILE.xml] FILE…\n"
     "\n"
     "Runs the `tests:` of the files by the very function that guards requests. The last line is\n"
     "'N passed, N failed'.\n"
     "\n"
     "  --coverage[=MIN]   say which rules never decided, and which conditions never held or never failed,\n"
     "                     each with the beginning of a test for it; below MIN per cent of either: exit 1\n"
     "  --junit FILE.xml   the results once more, for CI\n"
     "\n"
     "  sallyport policy test policies/*.yaml\n"
     "  sallyport policy test --coverage=80 --junit report.xml policies/*.yaml\n"},
    {"explain", policy_verb_explain, "say why a request is permitted or denied, with the values seen",
     "usage: sallyport policy explain --request FILE | --test NAME | --audit SEQ --log FILE\n"
     "                                [--format text|json] FILE…\n"
     "\n"
     "Prints the decision, every rule that could apply with each of its conditions and the values these\n"
     "saw, and of a denied request the permit that came nearest.\n"
     "\n"
     "  -r, --request FILE   a request, written like an entry of `tests:`, in YAML or JSON\n"
     "  --test NAME          the request of that test in the files\n"
     "  --audit SEQ          the call of that line of an audit log, as far as it was recorded\n"
     "  --log FILE           the audit log\n"
     "\n"
     "  echo '{as: {jwt: {sub: alice}}, call: fs/write_file, args: {path: /etc/passwd}}' > request.yaml\n"
     "  sallyport policy explain -r request.yaml policies/*.yaml\n"},
    {"diff", policy_verb_diff, "say what other rules would have decided about recorded calls",
     "usage: sallyport policy diff OLD NEW --log FILE [--list] [--format text|json] [--fail-on CHANGE,…]\n"
     "\n"
     "Asks both sets of rules about every decision of an audit log and groups those that differ by the\n"
     "rules that made them. OLD and NEW are a file, a directory of *.yaml, or a quoted pattern; so is the\n"
     "log. A decision that hangs on something that was not recorded is unknown, never guessed.\n"
     "\n"
     "  --list              also what appears in or disappears from the list of each caller of the log\n"
     "  --fail-on CHANGE    exit 1 if there is any: newly-permitted, newly-denied, unknown\n"
     "\n"
     "  sallyport policy diff policies/ next/ --log audit.jsonl\n"
     "  sallyport policy diff policies/ next/ --log 'audit.jsonl*' --list --fail-on newly-permitted\n"},
    {"who", policy_verb_who, "say which callers of an audit log may call a tool or model",
     "usage: sallyport policy who SERVER/TOOL|MODEL --log FILE FILE…\n"
     "\n"
     "Prints yes, no, or depends (on the arguments) for each caller the log names, with the rule that\n"
     "decides; unknown, if the rules read something of the caller that was never recorded.\n"
     "\n"
     "  sallyport policy who fs/write_file --log audit.jsonl policies/*.yaml\n"},
    {"can", policy_verb_can, "say what a caller may see and call, and on which conditions",
     "usage: sallyport policy can CALLER.yaml FILE…\n"
     "\n"
     "Asks about everything that the rules and their tests name. What hangs on the arguments is listed\n"
     "with the conditions that are open. The caller is written like an entry of `tests:` without `call`.\n"
     "\n"
     "  echo 'as: {jwt: {sub: alice, groups: [eng]}}' > alice.yaml\n"
     "  sallyport policy can alice.yaml policies/*.yaml\n"},
    {"eval", policy_verb_eval, "evaluate one CEL expression",
     "usage: sallyport policy eval 'EXPRESSION' [--bindings FILE.json]\n"
     "\n"
     "Prints the value as JSON. The members of the bindings are its variables, beside the names rules\n"
     "may use.\n"
     "\n"
     "  sallyport policy eval '1 + 2'\n"
     "  sallyport policy eval 'jwt.groups.exists(g, g == \"ops\")' --bindings alice.json\n"},
    {"fmt", policy_verb_fmt, "lay out policy files, comments kept",
     "usage: sallyport policy fmt [--check | -w] FILE…\n"
     "\n"
     "Prints the files in the one layout policy files have: keys in their order, expressions with\n"
     "canonical spaces and no parentheses they can do without. Comments, empty lines and anchors\n"
     "stay. An expression that YAML cannot read without quotes gets them. The result is read\n"
     "again and must say the same, or nothing is written.\n"
     "\n"
     "  --check      write nothing; list the files that would change, and exit 1 if there are any\n"
     "  -w, --write  write the result back to the files\n"
     "\n"
     "  sallyport policy fmt -w policies/*.yaml\n"
     "  sallyport policy fmt --check policies/*.yaml\n"},
    {"import", policy_verb_import, "turn another gateway's rules into a policy file",
     "usage: sallyport policy import --from envoy|agentgateway FILE…\n"
     "\n"
     "Prints the authorization rules of the files as a policy file: of Envoy AI Gateway's MCPRoutes,\n"
     "or of agentgateway's mcpAuthorization and authorization. Decisions stay the same, and none becomes\n"
     "wider: a rule that allows and cannot be kept is left out, one that denies and cannot be kept\n"
     "denies always. Each of those is named on stderr, with file:line:column.\n"
     "\n"
     "  sallyport policy import --from envoy mcproute.yaml > policies/imported.yaml\n"
     "  sallyport policy import --from agentgateway config.yaml\n"},
    {"lsp", policy_verb_lsp, "the language server editors start",
     "usage: sallyport policy lsp [-c sallyport.yaml] [-i inventory.json]\n"
     "\n"
     "Speaks the Language Server Protocol on stdin and stdout: problems as you type, hover,\n"
     "completion, go to definition, quick fixes, formatting. docs/editors.md says how an editor is\n"
     "told to start it.\n"
     "\n"
     "  -c, --config FILE     claims are completed and explained from its `claims:`\n"
     "  -i, --inventory FILE  so are tools and their arguments\n"
     "\n"
     "  sallyport policy lsp -i inventory.json\n"},
    {0},
};
/* clang-format on */

static void print_problems(const problems *found)
{
    for (const problem *p = found->first; p; p = p->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(p->text));
}

const err *policy_verb_sources(arena *a, const char *const *names, int count,
                               const policy_source **sources)
{
    files *f = files_new(a, files_directory_of(a, S("./")));
    policy_source *list = NEW_N(a, policy_source, (size_t)count);
    *sources = list;
    for (int i = 0; i < count; i++) {
        list[i].name = (str){names[i], strlen(names[i])};
        const err *e = files_read(f, a, list[i].name, &list[i].text);
        if (e) return e;
    }
    return NULL;
}

const err *policy_verb_world(arena *a, const char *settings, const char *inventory, policy_world *w)
{
    files *f = files_new(a, files_directory_of(a, S("./")));
    str text;
    const err *e = NULL;
    if (settings) {
        str name = {settings, strlen(settings)};
        e = files_read(f, a, name, &text);
        if (!e) e = policy_world_read_config(a, name, text, w);
    }
    if (!e && inventory) {
        e = files_read(f, a, (str){inventory, strlen(inventory)}, &text);
        if (!e) e = policy_world_read_inventory(a, text, w);
        if (e) e = err_wrap(a, e, "%s", inventory);
    }
    return e;
}

int policy_verb_load(arena *a, const char *const *names, int count, policy **rules)
{
    const policy_source *sources;
    const err *e = policy_verb_sources(a, names, count, &sources);
    if (e) return command_fail(e);
    problems found;
    problems_init(&found, a, sources[0].name);
    policy_load(a, sources, (size_t)count, &zones_of_system, &found, rules);
    print_problems(&found);
    if (*rules) return 0;
    (void)fprintf(stderr, "%zu problem%s\n", found.count, found.count == 1 ? "" : "s");
    return 1;
}

int policy_verb_read_case(arena *a, const char *name,
                          bool (*read)(arena *a, const policy_source *source, problems *out,
                                       policy_case *c),
                          policy_case *c)
{
    policy_source source = {.name = {name, strlen(name)}};
    files *f = files_new(a, files_directory_of(a, S("./")));
    const err *e = files_read(f, a, source.name, &source.text);
    if (e) return command_fail(e);
    problems found;
    problems_init(&found, a, source.name);
    if (read(a, &source, &found, c)) return 0;
    print_problems(&found);
    return 1;
}

const str *policy_verb_files(arena *a, const char *where)
{
    config_world world = files_world(files_new(a, files_directory_of(a, S("./"))));
    const str *inside = world.glob(world.ctx, a, arena_fmt(a, "%s/*.yaml", where));
    return inside->p ? inside : world.glob(world.ctx, a, (str){where, strlen(where)});
}

int policy_verb_load_set(arena *a, const char *where, policy **rules)
{
    const str *found = policy_verb_files(a, where);
    int count = 0;
    while (found[count].p) count++;
    if (!count)
        return command_fail(err_new(a, ERR_NOT_FOUND, "%s: there are no policy files", where));
    const char **names = NEW_N(a, const char *, (size_t)count);
    for (int i = 0; i < count; i++) names[i] = found[i].p;
    return policy_verb_load(a, names, count, rules);
}

int command_policy(arena *a, int argc, char **argv)
{
    return command_verb(a, policy_verbs, argc, argv);
}
