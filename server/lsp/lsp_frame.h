/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_frame.h - messages of the language server protocol out of a stream of bytes.
 *
 * A message is headers, an empty line, and as many bytes as Content-Length says. Any split of the
 * stream gives the same messages. Headers over LSP_HEAD_MOST or a body over LSP_BODY_MOST end the
 * stream: there is no finding one's way back. Ownership: the reader's memory is its own until
 * lsp_frame_free(); a message is valid until the next call. Threads: one at a time. */
#ifndef SP_LSP_FRAME_H
#define SP_LSP_FRAME_H
#include "../../base/buf.h"
#include "../../base/err.h"

enum { LSP_HEAD_MOST = 4096, LSP_BODY_MOST = 8 << 20 };

typedef struct {
    buf in;
    size_t taken; /* of `in`: the message given out last */
} lsp_frames;

lsp_frames lsp_frames_new(void);
void lsp_frames_free(lsp_frames *f);
void lsp_frames_feed(lsp_frames *f, str bytes); /* at most LSP_BODY_MOST at once */
/* *body is {0} when no whole message is there yet. */
MUST_CHECK const err *lsp_frames_next(lsp_frames *f, arena *a, str *body);
#endif
