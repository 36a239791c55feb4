/* SPDX-License-Identifier: Apache-2.0 */
/* codes.c - what each code of a problem means, with an example that has it and one that has not.
 *
 * E0 is the expression itself, E1 the file, E2 what the inventory and the configuration show, W3
 * what can be read and is hardly meant. Codes are for ever: a new kind of problem gets a new one.
 * The examples are rules, or the rest of a file behind `policy: v1`; a test holds them to it. */
#include "../../base/buf.h"
#include "check.h"

#define RULE(when)   "- id: r\n  permit: fs/read_file\n  when: " when "\n"
#define FORBID(when) "- id: r\n  forbid: fs/read_file\n  when: " when "\n"

/* clang-format off */
const policy_code policy_codes[] = {
    {"E001", "a literal that cannot be read",
     "A text, number or escape is not written as CEL has it. In a text \\ begins an escape; in r'…' it does not, which is what patterns want.",
     RULE("args.path.matches('\\.env$')"), RULE("args.path.matches(r'\\.env$')")},
    {"E002", "an expression that cannot be read",
     "The grammar wants something else here. A single = is no comparison; and, or, not are written &&, ||, !.",
     RULE("jwt.sub = \"ada\""), RULE("jwt.sub == \"ada\"")},
    {"E003", "types that do not fit",
     "The operator or function does not take values of these types. Claims have the types `claims:` in sallyport.yaml declares, arguments those of the tool's input schema. Numbers are converted only when that is said: int(x), double(x), string(x).",
     RULE("tool.name + 1 == \"x\""), RULE("tool.name + \"1\" == \"x\"")},
    {"E004", "an unknown variable",
     "No fact has this name. Arguments are args.NAME, claims jwt.NAME, vars of the file vars.NAME; a text stands in quotes.",
     RULE("tol.name == \"x\""), RULE("tool.name == \"read_file\"")},
    {"E005", "an unknown function",
     "`sallyport help functions` lists all there are.",
     RULE("tool.name.startswith(\"x\")"), RULE("tool.name.startsWith(\"x\")")},
    {"E006", "a macro used as it cannot be",
     "has(x.y) wants a member; all, exists, filter and map want the name of a variable and a condition.",
     RULE("has(jwt)"), RULE("has(jwt.sub)")},
    {"E007", "a pattern that is no regular expression",
     "Patterns are RE2's: linear in time, without look-around and back references.",
     RULE("tool.name.matches(\"(\")"), RULE("tool.name.matches(\"^[(]\")")},
    {"E008", "an expression over a limit",
     "An expression is bounded in length, depth, and variables of macros. Split it into vars.", NULL, NULL},
    {"E009", "a text that is no time zone, address or range",
     "The literal is given to a function that can never read it.",
     RULE("cidr(\"10.0.0.0/33\").containsIP(source.ip)"), RULE("cidr(\"10.0.0.0/8\").containsIP(source.ip)")},
    {"E010", "`!x in y`",
     "The ! binds to x alone. What is meant is written !(x in y).",
     RULE("'!\"ops\" in jwt.groups'"), RULE("'!(\"ops\" in jwt.groups)'")},
    {"E100", "a file that is no YAML",
     "An expression that begins with ! & * { [ \" ' % @ or `, or has a colon with a space behind it (as in a ? b : c) or a space and a #, means something to YAML. Quote the expression with '…', or put it on lines of its own behind `when: |`. `sallyport policy fmt` quotes for you.",
     RULE("!has(jwt.tier)"), RULE("'!has(jwt.tier)'")},
    {"E101", "an unknown key", "A key that is not known would be a condition that is not checked.",
     "- id: r\n  permit: fs/read_file\n  wen: has(jwt.sub)\n", RULE("has(jwt.sub)")},
    {"E102", "something missing, or two of what there is one of",
     "A rule has an id and exactly one of permit, forbid and require; an argument's condition one of in, is and when.",
     "- id: r\n  permit: fs/read_file\n  forbid: fs/read_file\n", "- id: r\n  permit: fs/read_file\n"},
    {"E103", "a list, map or text where another is wanted",
     "YAML reads [ as the beginning of a list and { as that of a map: an expression that begins so is quoted.",
     RULE("[\"a\"]"), RULE("'[\"a\"] == jwt.groups'")},
    {"E104", "a value that cannot be", "The key has other values, or bounds.",
     "- id: r\n  permit: fs/read_file\n  other_args: no\n", "- id: r\n  permit: fs/read_file\n  other_args: allow\n"},
    {"E105", "an id given twice", "Ids are unique over all files: logs and tests name rules by them.",
     "- id: r\n  permit: fs/read_file\n- id: r\n  permit: fs/list_dir\n", "- id: r\n  permit: fs/read_file\n- id: s\n  permit: fs/list_dir\n"},
    {"E106", "something this version cannot do",
     "It is refused because a limit that is not enforced fails open.", NULL, NULL},
    {"E107", "a name of the wrong shape",
     "Tools, prompts and resources are SERVER/NAME with the server's own names, whatever clients see: fs/read_file, not fs__read_file. Endpoints are paths.",
     "- id: r\n  permit: fs__read_file\n", "- id: r\n  permit: fs/read_file\n"},
    {"E108", "a condition that is not true or false", "`when` and the conditions of arguments must be one of both.",
     RULE("tool.name"), RULE("tool.name == \"read_file\"")},
    {"E109", "an unknown member or var",
     "Facts other than args, jwt and headers have fixed members; vars must stand above what reads them.",
     RULE("tool.nmae == \"x\""), RULE("tool.name == \"read_file\"")},
    {"E201", "an argument the tool does not have",
     "The inventory says which arguments a tool has. A condition on another one is never met.",
     RULE("args.pth == \"/a\""), RULE("args.path == \"/a\"")},
    {"E202", "a forbid that fails without an optional argument",
     "A forbid that cannot be evaluated denies. An argument that the tool's schema does not require may be absent, and reading it is an error then.",
     "- id: r\n  forbid: fs/list_dir\n  when: args.depth > 5\n", "- id: r\n  forbid: fs/list_dir\n  when: args.?depth.orValue(0) > 5\n"},
    {"E203", "a value of another type than the argument",
     "\"5\" and 5 are never equal. In `in` and `is` a plain number, true or false is that, anything else is text.",
     "- id: r\n  permit: fs/list_dir\n  args:\n    depth: { is: \"5\" }\n", "- id: r\n  permit: fs/list_dir\n  args:\n    depth: { is: 5 }\n"},
    {"E204", "a test that names no rule", "What stands in `because` is the id of a rule or of a quota; in `remaining` and `expect_cost`, of a quota.",
     "rules:\n  - id: readers\n    permit: fs/read_file\ntests:\n  - call: fs/read_file\n    expect: permit\n    because: [reader]\n",
     "rules:\n  - id: readers\n    permit: fs/read_file\ntests:\n  - call: fs/read_file\n    expect: permit\n    because: [readers]\n"},
    {"W301", "a claim no issuer declares",
     "Every issuer in sallyport.yaml says which claims its tokens have, and none has this one.",
     RULE("has(jwt.gruops)"), RULE("has(jwt.groups)")},
    {"W302", "an annotation MCP does not know", "Tools say readOnlyHint, destructiveHint, idempotentHint, openWorldHint.",
     FORBID("tool.annotations.?destructive.orValue(false)"), FORBID("tool.annotations.?destructiveHint.orValue(false)")},
    {"W303", "a header with capitals", "Names of headers are in lower case, whatever the client wrote.",
     RULE("http.headers[\"X-Tenant\"] == \"a\""), RULE("http.headers[\"x-tenant\"] == \"a\"")},
    {"W304", "absence tested with null",
     "Reading what is absent is an error, not null. has(x.y) asks whether it is there.",
     RULE("args.path != null"), RULE("has(args.path)")},
    {"W305", "a comparison with true or false", "What is true or false already needs no == true.",
     RULE("has(jwt.sub) == true"), RULE("has(jwt.sub)")},
    {"W306", "a value that never occurs",
     "The schema's enum, const or bounds, or what the fact can be at all, leave this value out.",
     RULE("caller.kind == \"user\""), RULE("caller.kind == \"key\"")},
    {"W307", "a rule that never matches", "Its conditions contradict each other, or what the values can be.",
     RULE("jwt.sub == \"a\" && jwt.sub == \"b\""), RULE("jwt.sub == \"a\" || jwt.sub == \"b\"")},
    {"W308", "a condition that is always true", "x != a || x != b holds for every x: && is meant.",
     RULE("jwt.sub != \"a\" || jwt.sub != \"b\""), RULE("jwt.sub != \"a\" && jwt.sub != \"b\"")},
    {"W309", "a value that stands in the list twice", "One of them was to be another, perhaps.",
     RULE("jwt.sub in [\"a\", \"b\", \"a\"]"), RULE("jwt.sub in [\"a\", \"b\"]")},
    {"W310", "a condition said twice", "One of them was to be another, perhaps.",
     RULE("has(jwt.sub) && has(jwt.sub)"), RULE("has(jwt.sub)")},
    {"W311", "a scope looked for inside the text of all scopes",
     "jwt.scope is one text: \"read\" is also a part of \"read:all\" and \"unread\". caller.scopes is the list.",
     RULE("jwt.scope.contains(\"read\")"), RULE("'\"read\" in caller.scopes'")},
    {"W312", "a pattern without an anchor",
     "matches() looks for the pattern anywhere in the text. ^ holds it at the beginning, $ at the end. Only where matching opens something: a forbid that matches more is no hole.",
     RULE("args.path.matches(\"srv/data/\")"), RULE("args.path.matches(\"^srv/data/\")")},
    {"W313", "a dot that stands for any character", "In a pattern . is any character; \\. is a dot.",
     RULE("jwt.sub.matches(r'@example.com$')"), RULE("jwt.sub.matches(r'@example\\.com$')")},
    {"W314", "the beginning of a path without a slash at its end", "\"/srv/data\" is also how \"/srv/database\" begins.",
     RULE("args.path.startsWith(\"/srv/data\")"), RULE("args.path.startsWith(\"/srv/data/\")")},
    {"W315", "the beginning of a URL without a slash behind the host", "\"https://a.example\" is also how \"https://a.example.evil.example\" begins.",
     RULE("args.path.startsWith(\"https://a.example\")"), RULE("args.path.startsWith(\"https://a.example/\")")},
    {"W316", "the end of a name without what stands before it", "\"notexample.com\" ends so too. Begin with @ for an address, with . for a host.",
     RULE("jwt.sub.endsWith(\"example.com\")"), RULE("jwt.sub.endsWith(\"@example.com\")")},
    {"W317", "a forbid that fails when something is absent",
     "A forbid that cannot be evaluated denies every call it names. Claims, headers and annotations may be absent, and so may arguments nothing is known of.",
     FORBID("jwt.tier == \"free\""), FORBID("jwt.?tier.orValue(\"\") == \"free\"")},
    {"W318", "a forbid that fails when a text is no number, time or address",
     "A forbid that cannot be evaluated denies every call it names. isIP(x) and matches() ask first.",
     FORBID("ip(args.path) == ip(\"10.0.0.1\")"), NULL},
    {"W319", "an expression that may cost too much",
     "An evaluation that costs more than its limit counts as failed. Loops within loops multiply.",
     RULE("jwt.a.exists(a, jwt.b.exists(b, jwt.c.exists(c, a == b && b == c)))"), NULL},
    {"W320", "other_args: deny without an argument the tool requires",
     "Every call has the argument, so every call is refused.",
     "- id: r\n  permit: fs/read_file\n  args:\n    mode: { in: [\"0644\"], optional: true }\n  other_args: deny\n",
     "- id: r\n  permit: fs/read_file\n  args:\n    path: 'true'\n    mode: { in: [\"0644\"], optional: true }\n  other_args: deny\n"},
    {"W321", "a name no tool has", "The inventory has the server, and no tool that the name or glob fits.",
     "- id: r\n  permit: fs/raed_file\n", "- id: r\n  permit: fs/read_file\n"},
    {"W322", "a server the inventory does not have", "Names of servers are the keys of mcp.servers in sallyport.yaml.",
     "- id: r\n  permit: sf/read_file\n", "- id: r\n  permit: fs/read_file\n"},
    {"W323", "a permit that believes a server that is not trusted",
     "tool.annotations are what the server says of itself. `trusted: true` in its configuration says that it may be believed.",
     "- id: r\n  permit: web/fetch\n  when: tool.annotations.?readOnlyHint.orValue(false)\n", "- id: r\n  permit: fs/read_file\n  when: tool.annotations.?readOnlyHint.orValue(false)\n"},
    {"W324", "a message nobody reads", "Clients are told the message of the forbid or require that denied.",
     "- id: r\n  permit: fs/read_file\n  message: Only files\n", "- id: r\n  permit: fs/read_file\n  note: Only files\n"},
    {"W325", "a var nobody reads", "It is checked and never evaluated.",
     "vars:\n  spare: has(jwt.sub)\n", "vars:\n  is_known: has(jwt.sub)\nrules:\n  - id: r\n    permit: fs/read_file\n    when: vars.is_known\n"},
    {"W326", "a permit that can never decide", "A forbid takes all it gives: the forbid names all the permit names, and its conditions are among the permit's.",
     "- id: r\n  permit: fs/read_file\n  when: has(jwt.sub)\n- id: s\n  forbid: fs/*\n", "- id: r\n  permit: fs/read_file\n  when: has(jwt.sub)\n- id: s\n  forbid: fs/list_*\n"},
    {"W327", "a permit that adds nothing", "Another one gives all it gives.",
     "- id: r\n  permit: fs/*\n  when: has(jwt.sub)\n- id: s\n  permit: fs/read_file\n  when: has(jwt.sub) && has(jwt.tier)\n", NULL},
    {"W328", "a test of a tool there is not", "The inventory has no such tool, so no call is like the test.",
     "rules:\n  - id: r\n    permit: fs/*\ntests:\n  - call: fs/raed_file\n    expect: permit\n",
     "rules:\n  - id: r\n    permit: fs/*\ntests:\n  - call: fs/read_file\n    expect: permit\n"},
    {"W329", "a test with an argument there is not", "The inventory says which arguments the tool has.",
     "rules:\n  - id: r\n    permit: fs/*\ntests:\n  - call: fs/read_file\n    args: { pth: /a }\n    expect: permit\n",
     "rules:\n  - id: r\n    permit: fs/*\ntests:\n  - call: fs/read_file\n    args: { path: /a }\n    expect: permit\n"},
    {"W330", "a variable of a macro that hides a fact",
     "Inside the macro the name means the variable; what was meant to read the fact reads that.",
     RULE("jwt.groups.exists(tool, tool == \"x\")"), RULE("jwt.groups.exists(group, group == tool.server + \"-readers\")")},
    {0},
};
/* clang-format on */

static bool same_letter(char a, char b)
{
    return a == b || (a >= 'a' && a <= 'z' && a - 'a' == b - 'A');
}

const policy_code *policy_code_find(str code)
{
    for (const policy_code *c = policy_codes; c->code; c++) {
        size_t i = 0, n = strlen(c->code);
        while (code.n == n && i < n && same_letter(code.p[i], c->code[i])) i++;
        if (i == n) return c;
    }
    return NULL;
}

static void put_example(buf *b, const char *title, const char *yaml)
{
    if (yaml) (void)buf_fmt(b, "%s:\n```yaml\n%s```\n", title, yaml);
}

str policy_codes_page(arena *a)
{
    buf b = buf_new(a, 256 << 10);
    (void)buf_put(&b, S("# Problems of policy files\n\n"
                        "What `sallyport policy check` says, by code. Errors refuse a policy, "
                        "warnings (W) do "
                        "not. This page is printed by `sallyport help codes`; one of them by "
                        "`sallyport policy help CODE`.\n"));
    for (const policy_code *c = policy_codes; c->code; c++) {
        (void)buf_fmt(&b, "\n## %s: %s\n%s\n", c->code, c->title, c->text);
        put_example(&b, "\nHas it", c->wrong);
        put_example(&b, "\nHas it not", c->right);
    }
    return buf_str(&b);
}
