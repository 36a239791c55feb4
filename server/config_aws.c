/* SPDX-License-Identifier: Apache-2.0 */
/* config_aws.c - the keys for AWS, found where AWS's own tools find them.
 *
 * As written; else of the profile that is named; else of the environment; else of the profile that
 * the environment names, or `default`. The shared file is read like every other file of the
 * configuration, so a change of it takes effect at once. */
#include "config_check.h"

static str variable(config_reader *r, const char *name)
{
    if (!r->world->variable) return (str){0};
    return r->world->variable(r->world->ctx, r->a, (str){name, strlen(name)});
}

static void take(config_reader *r, config_text *t, const char *name)
{
    if (t->value.p) return;
    str value = variable(r, name);
    if (value.n) *t = (config_text){.value = value, .source = arena_fmt(r->a, "${%s}", name)};
}

static bool is_complete(const config_backend *b)
{
    return b->aws_key_id.value.n && b->aws_secret.value.n;
}

static str trimmed(str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = str_drop(s, 1);
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
    return s;
}

static void take_line(config_backend *b, str line, str source)
{
    str_pair cut = str_cut(line, '=');
    str key = trimmed(cut.head), value = trimmed(cut.tail);
    if (!cut.ok || !value.n) return;
    const config_text text = {.value = value, .source = source};
    if (str_eq(key, S("aws_access_key_id"))) b->aws_key_id = text;
    if (str_eq(key, S("aws_secret_access_key"))) b->aws_secret = text;
    if (str_eq(key, S("aws_session_token"))) b->aws_token = text;
}

/* A file of sections: [name], then key = value lines; # and ; begin comments. */
static void take_profile(config_backend *b, str text, str profile, str source)
{
    bool inside = false;
    while (text.n) {
        str_pair cut = str_cut(text, '\n');
        str line = trimmed(cut.head);
        text = cut.tail;
        if (!line.n || line.p[0] == '#' || line.p[0] == ';') continue;
        if (line.p[0] == '[')
            inside =
                line.n > 2 && str_eq(trimmed(str_take(str_drop(line, 1), line.n - 2)), profile);
        else if (inside)
            take_line(b, line, source);
    }
}

static void read_profile(config_reader *r, config_backend *b, str profile)
{
    str path = variable(r, "AWS_SHARED_CREDENTIALS_FILE"), home = variable(r, "HOME"), text = {0};
    if (!path.n && home.n) path = arena_fmt(r->a, STR_FMT "/.aws/credentials", STR_ARG(home));
    if (!path.n || !r->world->read) return;
    if (r->world->read(r->world->ctx, r->a, path, &text)) return; /* then it has none */
    str source = arena_fmt(r->a, "profile:" STR_FMT, STR_ARG(profile));
    take_profile(b, text, profile, source);
}

void config_check_aws(config_reader *r, config_backend *b)
{
    bool written = b->aws_key_id.value.p || b->aws_secret.value.p;
    if (!written && b->aws_profile.n) {
        read_profile(r, b, b->aws_profile);
    } else {
        take(r, &b->aws_key_id, "AWS_ACCESS_KEY_ID");
        take(r, &b->aws_secret, "AWS_SECRET_ACCESS_KEY");
        if (!written) take(r, &b->aws_token, "AWS_SESSION_TOKEN");
    }
    if (!written && !b->aws_profile.n && !b->aws_key_id.value.n) {
        str profile = variable(r, "AWS_PROFILE");
        read_profile(r, b, profile.n ? profile : S("default"));
    }
    if (is_complete(b)) return;
    problems_add(r->out, b->aws->line, b->aws->column,
                 "`aws` wants access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID and "
                 "AWS_SECRET_ACCESS_KEY in the environment, or a profile that has them");
}
