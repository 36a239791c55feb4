/* SPDX-License-Identifier: Apache-2.0 */
/* question_of.h - a message, put as a question to the rules.
 *
 * The facts of the request are filled in once; the subject is set for each thing asked about. */
#ifndef SP_MCP_QUESTION_OF_H
#define SP_MCP_QUESTION_OF_H
#include "../authz/question.h"
#include "catalog.h"
#include "corridor.h"

/* Everything but the subject. `acting`: the method whose permission is asked. */
void question_of(const visit *v, str acting, bool listing, question *q);
void question_about(question *q, subject_kind kind, str server, str own);
void question_about_tool(question *q, str server, const catalog_item *t);
/* Whether this item may be listed. */
void question_about_item(question *q, str server, const catalog *c, size_t at);
/* Notes a verdict in the record. */
void question_answered(visit *v, const verdict *said);
#endif
