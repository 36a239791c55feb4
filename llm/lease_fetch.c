/* SPDX-License-Identifier: Apache-2.0 */
/* lease_fetch.c - one table: from what is known of a credential to the function that asks for it.
 *
 * Every address here is of the operator's making, or of the machine's he runs it on: it may be on a
 * private network, and a metadata service always is. */
#include "../base/clock.h"
#include "lease_private.h"

/* Statements and signatures are taken for five minutes or longer. */
enum { ANSWER_MOST = 64 << 10, ASK_MS = 10000, NEARBY_MS = 3000, SKEW_MS = 240000 };

static const struct {
    const char *name;
    lease_fetch_fn *fetch;
} kinds[] = {
    [LEASE_GOOGLE_ACCOUNT] = {"service account", lease_google_account},
    [LEASE_GOOGLE_USER] = {"authorized user", lease_google_user},
    [LEASE_GOOGLE_FEDERATED] = {"workload identity", lease_google_federated},
    [LEASE_GOOGLE_MACHINE] = {"metadata server", lease_google_machine},
    [LEASE_ENTRA] = {"entra", lease_entra},
    [LEASE_AWS_KEY] = {"key", lease_aws_key},
    [LEASE_AWS_WEB] = {"web identity", lease_aws_web},
    [LEASE_AWS_ROLE] = {"assumed role", lease_aws_role},
    [LEASE_AWS_CONTAINER] = {"container", lease_aws_container},
    [LEASE_AWS_MACHINE] = {"instance metadata", lease_aws_machine},
};
_Static_assert(sizeof kinds / sizeof *kinds == LEASE_KINDS, "every kind has a row");

const char *lease_kind_name(lease_kind kind)
{
    return kinds[kind].name;
}

const err *lease_fetch(arena *a, const lease_world *w, const lease_spec *spec, lease_token *out)
{
    const lease_trip t = {.a = a, .world = w, .spec = spec};
    return kinds[spec->kind].fetch(&t, out);
}

/* Asking */

static proxy_at proxy_of(const lease_spec *spec)
{
    unsigned port = 0;
    str digits = spec->of[LEASE_PROXY_PORT];
    for (size_t i = 0; i < digits.n; i++) port = port * 10 + (unsigned)(digits.p[i] - '0');
    return (proxy_at){.host = spec->of[LEASE_PROXY_HOST],
                      .port = port,
                      .authorization = spec->of[LEASE_PROXY_SHOWN]};
}

const err *lease_exchange(const lease_trip *t, const char *who, const lease_question *q,
                          lease_answer *out)
{
    static const header form[] = {{{"content-type", 12}, {"application/x-www-form-urlencoded", 33}},
                                  {{0}, {0}}};
    str date = {0};
    proxy_at via = {0};
    if (!q->nearby) via = proxy_of(t->spec);
    const fetch_request rq = {.url = q->url,
                              .method = q->method,
                              .headers = q->headers ? q->headers : form,
                              .post_body = q->body,
                              .limit = ANSWER_MOST,
                              .timeout_ms = q->nearby ? NEARBY_MS : ASK_MS,
                              .allow_private = true,
                              .date = &date,
                              .proxy = via,
                              .stop = t->world->web ? errands_stopping(t->world->web) : NULL};
    *out = (lease_answer){0};
    const err *e = fetch(t->a, &rq, &out->status, &out->body);
    if (e) return err_wrap(t->a, e, "%s", who);
    if (!clock_read_http(date, &out->now_ms)) out->now_ms = clock_wall_ms();
    return NULL;
}

const err *lease_refusal(const lease_trip *t, const char *who, const lease_answer *said)
{
    str name = lease_read_refusal(t->a, said->body);
    return err_new(t->a, ERR_UPSTREAM, "%s says %d" STR_FMT STR_FMT, who, said->status,
                   STR_ARG(name.n ? S(": ") : S("")), STR_ARG(name));
}

const err *lease_ask_for(const lease_trip *t, const char *who, const lease_question *q,
                         lease_answer *out)
{
    const err *e = lease_exchange(t, who, q, out);
    if (e) return e;
    return out->status == 200 ? NULL : lease_refusal(t, who, out);
}

bool lease_clock_is_wrong(int64_t now_ms, const lease_answer *said)
{
    int64_t off_ms = said->now_ms - now_ms;
    return off_ms > SKEW_MS || off_ms < -SKEW_MS;
}

static const char token_endpoint[] = "the token endpoint";

static const err *read_oauth(const lease_trip *t, const lease_answer *said, lease_token *out)
{
    if (said->status != 200) return lease_refusal(t, token_endpoint, said);
    const err *e = lease_read_oauth(t->a, said->body, out);
    return e ? err_wrap(t->a, e, "%s", token_endpoint) : NULL;
}

const err *lease_ask_oauth(const lease_trip *t, str form, lease_token *out)
{
    lease_answer said;
    const lease_question q = {.url = t->spec->of[LEASE_URL], .body = form};
    const err *e = lease_exchange(t, token_endpoint, &q, &said);
    return e ? e : read_oauth(t, &said, out);
}

const err *lease_ask_oauth_at(const lease_trip *t, lease_form_fn *form, lease_token *out)
{
    lease_answer said;
    int64_t now_ms = clock_wall_ms();
    lease_question q = {.url = t->spec->of[LEASE_URL], .body = form(t, now_ms)};
    const err *e = lease_exchange(t, token_endpoint, &q, &said);
    if (e) return e;
    bool refused = said.status == 400 || said.status == 401;
    if (!refused || !lease_clock_is_wrong(now_ms, &said)) return read_oauth(t, &said, out);
    return lease_ask_oauth(t, form(t, said.now_ms), out);
}

const err *lease_file_token(const lease_trip *t, str *out)
{
    str text = {0};
    str path = t->spec->of[LEASE_FILE];
    if (!t->world->read) return err_new(t->a, ERR_UPSTREAM, "there is no way to read files");
    const err *e = t->world->read(t->a, path, &text);
    if (!e) e = lease_read_subject(t->a, text, t->spec->of[LEASE_FIELD], out);
    return e ? err_wrap(t->a, e, "the token in " STR_FMT, STR_ARG(path)) : NULL;
}
