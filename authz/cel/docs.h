/* SPDX-License-Identifier: Apache-2.0 */
/* docs.h - a sentence on each function and macro, for editors and for the reference.
 *
 * Beside the table of the library: its rows say how a function is called, these what it is for. */
#ifndef SP_CEL_DOCS_H
#define SP_CEL_DOCS_H
#include "library.h"

typedef struct {
    const char *name;  /* as in library.h; of macros with their namespace */
    const char *shape; /* macros: how it is written; NULL: its rows in the library say it */
    const char *text;  /* one sentence */
    bool receiver;     /* may be written x.name(…) */
} cel_doc;

extern const cel_doc cel_docs[]; /* ends with {0} */
const cel_doc *cel_doc_find(str name);
/* "string.split(string, int) -> list(string)", a line for each way to call it. */
str cel_doc_shape(arena *a, const cel_doc *doc);
str cel_docs_page(arena *a); /* all of them, as Markdown: docs/functions.md */
#endif
