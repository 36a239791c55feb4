/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "../../base/buf.h"
#include "../../base/yaml.h"
#include "../config_value.h"
#include <stdio.h>

/* clang-format off */
const command commands[] = {
    {"serve", command_serve, "run the gateway",
     "usage: sallyport serve [-c FILE] [--mcp-config FILE] [--port N]\n"
     "\n"
     "Runs the gateway until SIGTERM, which lets requests finish and exits 0.\n"
     "\n"
     "  -c, --config FILE    the configuration; without it ./sallyport.yaml\n"
     "  --mcp-config FILE    no configuration of our own: the {\"mcpServers\": {…}} file of a desktop client\n"
     "  --port N             where a gateway without a configuration listens on 127.0.0.1 (8080)\n"
     "\n"
     "With neither, and no ./sallyport.yaml, the environment makes the configuration, by the variables that the\n"
     "providers' own SDKs read. Each provider serves the models of its name; OpenAI, else Azure, else the only\n"
     "provider there is, every other one.\n"
     "\n"
     "  OPENAI_API_KEY          OpenAI (OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID); OPENAI_BASE_URL by\n"
     "                          itself is a model server of your own that asks for no key\n"
     "  ANTHROPIC_API_KEY       claude-* (ANTHROPIC_AUTH_TOKEN instead, ANTHROPIC_BASE_URL)\n"
     "  AZURE_OPENAI_ENDPOINT   with AZURE_OPENAI_API_KEY, or AZURE_TENANT_ID, AZURE_CLIENT_ID and one of\n"
     "                          AZURE_CLIENT_SECRET and AZURE_FEDERATED_TOKEN_FILE (OPENAI_API_VERSION,\n"
     "                          AZURE_OPENAI_DEPLOYMENT: the model that is there)\n"
     "  AWS_REGION              Bedrock's names, like us.amazon.nova-pro-v1:0, with a place of AWS's own chain:\n"
     "                          AWS_ACCESS_KEY_ID, AWS_PROFILE, a web identity, a container, or AWS_BEARER_TOKEN_BEDROCK;\n"
     "                          when nothing else is set the whole chain\n"
     "  GEMINI_API_KEY          gemini-* (or GOOGLE_API_KEY)\n"
     "  GOOGLE_CLOUD_PROJECT    with GOOGLE_CLOUD_LOCATION and GOOGLE_APPLICATION_CREDENTIALS: gemini-*, claude-*\n"
     "  CO_API_KEY              Cohere: command-*, embed-*, rerank-*\n"
     "\n"
     "A configuration made this way allows everything to everybody, listens on loopback only, and says so.\n"
     "docs/environment.md has it all.\n"
     "\n"
     "SIGHUP, or a change of the configuration or any file it names, reloads: what is new is checked first,\n"
     "and if anything is wrong with it the running configuration stays.\n"
     "\n"
     "  sallyport serve -c /etc/sallyport/sallyport.yaml\n"
     "  sallyport serve --mcp-config ~/.config/client/mcp.json\n"
     "  OPENAI_API_KEY=… ANTHROPIC_API_KEY=… sallyport serve\n"
     "  curl -d '{\"model\":\"claude-sonnet-4-5\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}' \\\n"
     "       http://127.0.0.1:8080/v1/chat/completions\n"},
    {"demo", command_demo, "a gateway with upstreams and callers of its own, to try things on",
     "usage: sallyport demo [--port N] [--admin-port N] [DIR]\n"
     "\n"
     "Starts two small MCP servers and a model on loopback, and a gateway before them, and prints curl lines\n"
     "with working tokens for two people, alice and bob. Nothing leaves this machine.\n"
     "\n"
     "  --port N         the gateway's port on 127.0.0.1 (8080)\n"
     "  --admin-port N   the admin listener's port (9901)\n"
     "  DIR              where to put the configuration and policies, a directory that does not exist yet;\n"
     "                   without it a new private one under $TMPDIR or /tmp\n"
     "\n"
     "Edit the printed policy file while it runs: the change takes effect at once.\n"},
    {"check", command_check, "check a configuration and its policies without starting",
     "usage: sallyport check [-c FILE]\n"
     "\n"
     "Reads FILE (./sallyport.yaml) and everything it names as `serve` would, touches no network, and prints every\n"
     "problem as file:line:column: what. Exits 0 when there is none, else 1; warnings about policies are\n"
     "printed and exit 0.\n"},
    {"policy", command_policy, "work on policies: check, test, eval", NULL},
    {"tools", command_tools, "what tools there are, for whom, and which are approved", NULL},
    {"key", command_key, "give out, rotate and revoke virtual keys", NULL},
    {"audit", command_audit, "check audit logs", NULL},
    {"version", command_version, "print the version", "usage: sallyport version\n"},
    {"help", command_help, "explain a command or topic",
     "usage: sallyport help [TOPIC]\n"
     "\n"
     "A topic is a command, `config`: the reference of every key of sallyport.yaml, `functions`: what an\n"
     "expression in a policy may call, `codes`: what `policy check` says, or one of these codes.\n"},
    {"child", command_child, NULL, NULL},
    {0},
};
/* clang-format on */

int command_usage(const char *name, const char *what)
{
    (void)fprintf(stderr, "sallyport%s%s: %s\nSee `sallyport %s%s--help`.\n", name ? " " : "",
                  name ? name : "", what, name ? name : "", name ? " " : "");
    return 2;
}

int command_fail(const err *e)
{
    (void)fprintf(stderr, "sallyport: " STR_FMT "\n", STR_ARG(e->text));
    return 1;
}

bool command_is_port(const char *text)
{
    int64_t n = 0;
    return config_parse_int((str){text, strlen(text)}, &n) && n >= 0 && n <= 65535;
}

str command_plain(arena *a, str text)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    buf_json_safe(&b, text);
    return str_take(str_drop(buf_str(&b), 1), b.n - 2);
}

int command_print(str text)
{
    bool ok = fwrite(text.p, 1, text.n, stdout) == text.n;
    return fflush(stdout) == 0 && ok ? 0 : 1;
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* Runs the row argv[0] names; `under` is the command these are verbs of, or NULL. */
static int run_row(arena *a, const command *rows, const char *under, int argc, char **argv)
{
    enum { NAMES = 32 };
    str names[NAMES] = {{0}};
    size_t n = 0;
    for (const command *c = rows; c->name; c++) {
        if (strcmp(c->name, argv[0]) == 0) {
            if (c->help && argc > 1 && is_help(argv[1]))
                return command_print((str){c->help, strlen(c->help)});
            char full[64]; /* "policy check" */
            (void)snprintf(full, sizeof full, "%s%s%s", under ? under : "", under ? " " : "",
                           c->name);
            argv[0] = full;
            return c->run(a, argc, argv);
        }
        if (c->brief && n < NAMES - 1) names[n++] = (str){c->name, strlen(c->name)};
    }
    str near = yaml_did_you_mean((str){argv[0], strlen(argv[0])}, names);
    str what =
        arena_fmt(a, "there is no %s `%.64s`%s" STR_FMT "%s", under ? "verb" : "command", argv[0],
                  near.p ? ", did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
    return command_usage(under, what.p);
}

int command_main(int argc, char **argv)
{
    arena *a = arena_new();
    char help[] = "help", version[] = "version", *none[] = {help, NULL};
    int count = argc > 1 ? argc - 1 : 1;
    char **rest = argc > 1 ? argv + 1 : none;
    if (is_help(rest[0])) rest[0] = help;
    if (strcmp(rest[0], "--version") == 0) rest[0] = version;
    int code = run_row(a, commands, NULL, count, rest);
    arena_free(a);
    return code;
}

static int verb_overview(arena *a, const command *verbs, const char *of)
{
    buf out = buf_new(a, 64 << 10);
    (void)buf_fmt(&out, "usage: sallyport %s VERB …\n\n", of);
    for (const command *v = verbs; v->name; v++)
        (void)buf_fmt(&out, "  %-10s %s\n", v->name, v->brief);
    (void)buf_fmt(&out, "\n`sallyport %s VERB --help` explains one.\n", of);
    return command_print(buf_str(&out));
}

int command_verb(arena *a, const command *verbs, int argc, char **argv)
{
    if (argc < 2) {
        str what = arena_fmt(a, "it wants a verb, `%s` for example", verbs->name);
        return command_usage(argv[0], what.p);
    }
    if (is_help(argv[1])) return verb_overview(a, verbs, argv[0]);
    return run_row(a, verbs, argv[0], argc - 1, argv + 1);
}

/* Is `arg` this option? *value is what stands behind its `=`, or NULL. */
static bool is_option(const command_option *o, const char *arg, const char **value)
{
    size_t n = strlen(o->name);
    *value = NULL;
    if (strcmp(arg, o->name) == 0 || (o->brief_name && strcmp(arg, o->brief_name) == 0))
        return true;
    if (!o->value || strncmp(arg, o->name, n) != 0 || arg[n] != '=') return false;
    *value = arg + n + 1;
    return true;
}

static bool wrong_option(const char *of, const char *arg, const char *why)
{
    char what[128];
    (void)snprintf(what, sizeof what, "%.64s %s", arg, why);
    (void)command_usage(of, what);
    return false;
}

bool command_options(int argc, char **argv, const command_option *options, const char **rest,
                     int *count)
{
    *count = 0;
    for (int i = 1; i < argc; i++) {
        const command_option *o = options;
        const char *value = NULL;
        while (o->name && !is_option(o, argv[i], &value)) o++;
        if (!o->name && argv[i][0] == '-' && argv[i][1])
            return wrong_option(argv[0], argv[i], "is no option of this command");
        if (!o->name) {
            rest[(*count)++] = argv[i];
            continue;
        }
        bool wants = o->value && !o->given;
        if (wants && !value && i + 1 == argc)
            return wrong_option(argv[0], argv[i], "wants a value");
        if (wants && !value) value = argv[++i];
        if (o->value) *o->value = value;
        if (o->given) *o->given = true;
    }
    return true;
}
