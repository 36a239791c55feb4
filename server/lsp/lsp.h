/* SPDX-License-Identifier: Apache-2.0 */
/* lsp.h - a language server for policy files: one message in, its answers out.
 *
 * Diagnostics on every change, hover, completion, definition, code actions, formatting. Knows
 * nothing of descriptors: the host reads and writes. The client is not trusted: documents, their
 * sizes and their number are bounded, what is malformed gets an error. Ownership: the server is its
 * own until lsp_free(); the world must outlive it. Threads: one at a time. */
#ifndef SP_LSP_H
#define SP_LSP_H
#include "../../authz/policy/world.h"

typedef struct lsp lsp;
typedef enum { LSP_GO_ON, LSP_EXIT, LSP_EXIT_EARLY /* without a shutdown */ } lsp_end;

lsp *lsp_new(const policy_world *world);
void lsp_free(lsp *l);
/* Answers are put to `out` with their headers. `a` is for this message alone. */
lsp_end lsp_handle(lsp *l, arena *a, str message, buf *out);
#endif
