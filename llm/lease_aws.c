/* SPDX-License-Identifier: Apache-2.0 */
/* lease_aws.c - how AWS is asked for keys: by the Security Token Service, by the container, by the
 * machine.
 *
 * Instance metadata is asked in its second version alone: the first one answers whoever can make
 * this process fetch a URL. */
#include "../base/clock.h"
#include "../base/form.h"
#include "lease_private.h"
#include "sigv4.h"

enum { FORM_MOST = 64 << 10 };

static const char sts[] = "the token service";
static const char form_type[] = "application/x-www-form-urlencoded";

const err *lease_aws_key(const lease_trip *t, lease_token *out)
{
    const str *of = t->spec->of;
    *out = (lease_token){.key_id = of[LEASE_NAME],
                         .secret = of[LEASE_SECRET],
                         .token = of[LEASE_SESSION],
                         .lives_ms = 1000};
    return NULL;
}

/* Roles */

static void put_role(buf *b, const lease_trip *t, str action)
{
    const str *of = t->spec->of;
    form_put(b, S("Action"), action);
    form_put(b, S("Version"), S("2011-06-15"));
    form_put(b, S("RoleArn"), of[LEASE_NAME]);
    form_put(b, S("RoleSessionName"), of[LEASE_SESSION_NAME]);
}

static const err *read_role(const lease_trip *t, const lease_answer *said, lease_token *out)
{
    if (said->status != 200) return lease_refusal(t, sts, said);
    const err *e = lease_read_sts(t->a, said->body, said->now_ms, out);
    return e ? err_wrap(t->a, e, "%s", sts) : NULL;
}

const err *lease_aws_web(const lease_trip *t, lease_token *out)
{
    str token = {0};
    lease_answer said;
    buf b = buf_new(t->a, FORM_MOST);
    const err *e = lease_file_token(t, &token);
    if (e) return e;
    put_role(&b, t, S("AssumeRoleWithWebIdentity"));
    form_put(&b, S("WebIdentityToken"), token);
    const lease_question q = {.url = t->spec->of[LEASE_URL], .body = buf_str(&b)};
    e = lease_exchange(t, sts, &q, &said);
    return e ? e : read_role(t, &said, out);
}

static const err *ask_signed(const lease_trip *t, const lease_token *with, str form, int64_t now_ms,
                             lease_answer *said)
{
    const str *of = t->spec->of;
    url_parts u;
    const err *e = url_parse(t->a, of[LEASE_URL], &u);
    if (e) return e;
    const sigv4_key key = {.access_key_id = with->key_id,
                           .secret_access_key = with->secret,
                           .session_token = with->token,
                           .region = of[LEASE_REGION],
                           .service = S("sts")};
    const sigv4_request rq = {.method = S("POST"),
                              .path = u.path,
                              .host = u.authority,
                              .content_type = {form_type, sizeof form_type - 1},
                              .body = form,
                              .now_ms = now_ms};
    const header *made = sigv4_sign(t->a, &key, &rq);
    header *all = NEW_N(t->a, header, 5);
    size_t n = 0;
    all[n++] = (header){S("content-type"), rq.content_type};
    for (; made->name.p; made++) all[n++] = *made;
    const lease_question q = {.url = of[LEASE_URL], .headers = all, .body = form};
    return lease_exchange(t, sts, &q, said);
}

/* A clock of ours that is wrong is told by the refusal's own date, and set right once. */
static const err *ask_as(const lease_trip *t, const lease_token *with, str form, lease_answer *said)
{
    int64_t now_ms = clock_wall_ms();
    const err *e = ask_signed(t, with, form, now_ms, said);
    if (e || said->status != 403 || !lease_clock_is_wrong(now_ms, said)) return e;
    return ask_signed(t, with, form, said->now_ms, said);
}

const err *lease_aws_role(const lease_trip *t, lease_token *out)
{
    lease_token with;
    lease_answer said;
    buf b = buf_new(t->a, FORM_MOST);
    const err *e = lease_fetch(t->a, t->world, t->spec->base, &with);
    if (e) return err_wrap(t->a, e, "who assumes the role");
    put_role(&b, t, S("AssumeRole"));
    form_put(&b, S("ExternalId"), t->spec->of[LEASE_EXTERNAL_ID]);
    e = ask_as(t, &with, buf_str(&b), &said);
    return e ? e : read_role(t, &said, out);
}

/* Container and machine */

static const err *ask_for_keys(const lease_trip *t, const char *who, const lease_question *q,
                               lease_token *out)
{
    lease_answer said;
    const err *e = lease_ask_for(t, who, q, &said);
    if (e) return e;
    e = lease_read_keys(t->a, said.body, said.now_ms, out);
    return e ? err_wrap(t->a, e, "%s", who) : NULL;
}

const err *lease_aws_container(const lease_trip *t, lease_token *out)
{
    const str *of = t->spec->of;
    str shown = of[LEASE_SECRET];
    if (of[LEASE_FILE].n) {
        const err *e = lease_file_token(t, &shown);
        if (e) return e;
    }
    const header headers[] = {{shown.n ? S("authorization") : (str){0}, shown}, {{0}, {0}}};
    const lease_question q = {.url = of[LEASE_URL], .headers = headers, .nearby = true};
    return ask_for_keys(t, "the container's credentials", &q, out);
}

static const err *machine_says(const lease_trip *t, const lease_question *q, str *line)
{
    static const char who[] = "instance metadata";
    lease_answer said;
    const err *e = lease_ask_for(t, who, q, &said);
    if (e) return e;
    e = lease_read_subject(t->a, str_cut(said.body, '\n').head, (str){0}, line);
    return e ? err_wrap(t->a, e, "%s", who) : NULL;
}

const err *lease_aws_machine(const lease_trip *t, lease_token *out)
{
    static const char roles[] = "/latest/meta-data/iam/security-credentials/";
    static const header lives[] = {{{"x-aws-ec2-metadata-token-ttl-seconds", 36}, {"21600", 5}},
                                   {{0}, {0}}};
    str at = t->spec->of[LEASE_URL], token = {0}, role = {0};
    const lease_question put = {.url = arena_fmt(t->a, STR_FMT "/latest/api/token", STR_ARG(at)),
                                .method = S("PUT"),
                                .headers = lives,
                                .nearby = true};
    const err *e = machine_says(t, &put, &token);
    if (e) return e;
    const header shown[] = {{S("x-aws-ec2-metadata-token"), token}, {{0}, {0}}};
    lease_question get = {.url = arena_fmt(t->a, STR_FMT "%s", STR_ARG(at), roles),
                          .headers = shown,
                          .nearby = true};
    e = machine_says(t, &get, &role);
    if (e) return e;
    get.url = arena_fmt(t->a, STR_FMT "%s" STR_FMT, STR_ARG(at), roles, STR_ARG(role));
    return ask_for_keys(t, "instance metadata", &get, out);
}
