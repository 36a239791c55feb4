/* SPDX-License-Identifier: Apache-2.0 */
/* question_of.c - filling the flat struct that rules see. Views only, nothing is copied. */
#include "question_of.h"

void question_of(const visit *v, str acting, bool listing, question *q)
{
    *q = (question){
        .listing = listing,
        .who = v->who,
        .now_ms = v->now_ms,
        .mcp = {.method = acting,
                .client_name = v->q.client_name,
                .client_version = v->q.client_version,
                .protocol = mcp_version_names[v->q.version]},
        .http = {.method = exchange_method(v->x),
                 .path = exchange_path(v->x),
                 .host = exchange_host(v->x),
                 .headers = exchange_headers(v->x)},
        /* what the server found behind trusted proxies */
        .source_ip = v->rec->v[FACT_PEER].text,
        .quotas = v->w->shared->quotas,
    };
}

void question_about(question *q, subject_kind kind, str server, str own)
{
    q->kind = kind;
    q->server = server;
    q->name = own;
    q->is_template = false;
    q->title = (str){0};
    q->annotations = (js_value){0};
    q->schema = NULL;
}

void question_about_tool(question *q, str server, const catalog_item *t)
{
    question_about(q, SUBJECT_TOOL, server, t->name);
    q->title = t->title;
    q->annotations = t->annotations;
    q->schema = t->schema;
}

void question_about_item(question *q, str server, const catalog *c, size_t at)
{
    const catalog_item *t = &c->items[at];
    if (c->kind == CATALOG_TOOLS)
        question_about_tool(q, server, t);
    else
        question_about(q, c->kind == CATALOG_PROMPTS ? SUBJECT_PROMPT : SUBJECT_RESOURCE, server,
                       t->name);
    q->is_template = c->kind == CATALOG_TEMPLATES;
}

void question_answered(visit *v, const verdict *said)
{
    record_text(v->rec, FACT_VERDICT, said->permit ? S("permit") : S("deny"));
    if (said->rule.n) record_text(v->rec, FACT_RULE, said->rule);
    if (said->error.n) record_text(v->rec, FACT_RULE_ERROR, said->error);
    if (said->shadow) record_text(v->rec, FACT_SHADOW, (str){said->shadow, strlen(said->shadow)});
}
