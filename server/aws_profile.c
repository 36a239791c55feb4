/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_profile.h"

static str trimmed(str s)
{
    while (s.n && (unsigned char)s.p[0] <= ' ') s = str_drop(s, 1);
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
    return s;
}

/* Indented lines belong to a nested value (`s3 =`), which is none of ours. */
static void take_line(aws_profile *into, str line)
{
    const struct {
        const char *key;
        str *to;
    } keys[] = {{"aws_access_key_id", &into->key_id},
                {"aws_secret_access_key", &into->secret},
                {"aws_session_token", &into->token},
                {"role_arn", &into->role_arn},
                {"source_profile", &into->source_profile},
                {"credential_source", &into->credential_source},
                {"external_id", &into->external_id},
                {"role_session_name", &into->session_name},
                {"web_identity_token_file", &into->web_file},
                {"credential_process", &into->process},
                {"sso_session", &into->sso},
                {"sso_start_url", &into->sso}};
    str_pair cut = str_cut(line, '=');
    str key = trimmed(cut.head), value = trimmed(cut.tail);
    if (!cut.ok || !value.n || line.p[0] == ' ' || line.p[0] == '\t') return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!keys[i].to->n && str_eq(key, (str){keys[i].key, strlen(keys[i].key)}))
            *keys[i].to = value;
}

static bool is_section(str line, str name, bool is_config)
{
    if (line.n < 3 || line.p[line.n - 1] != ']') return false;
    str inside = trimmed((str){line.p + 1, line.n - 2});
    if (is_config && str_starts(inside, S("profile ")))
        return str_eq(trimmed(str_drop(inside, 8)), name);
    return (!is_config || str_eq(name, S("default"))) && str_eq(inside, name);
}

void aws_profile_read(str text, str name, bool is_config, aws_profile *into)
{
    bool inside = false;
    while (text.n) {
        str_pair cut = str_cut(text, '\n');
        str line = trimmed(cut.head);
        text = cut.tail;
        if (!line.n || line.p[0] == '#' || line.p[0] == ';') continue;
        if (line.p[0] == '[') {
            inside = is_section(line, name, is_config);
            into->found = into->found || inside;
        } else if (inside) {
            take_line(into, cut.head);
        }
    }
}
