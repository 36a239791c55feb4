/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_text.h - places in a text as the protocol counts them: lines from 0, UTF-16 units from 0.
 *
 * A place behind the end of its line is the end of the line, one behind the last line the end of
 * the text, one within a surrogate pair the character's beginning. */
#ifndef SP_LSP_TEXT_H
#define SP_LSP_TEXT_H
#include "../../base/str.h"
#include <stdint.h>

typedef struct {
    uint32_t line, character;
} lsp_position;

size_t lsp_text_offset(str text, lsp_position at);
lsp_position lsp_text_position(str text, size_t offset);
/* Of line and column from 1, columns in characters, as messages have them. */
size_t lsp_text_place(str text, unsigned line, unsigned column);

bool lsp_is_word(char c); /* of a name in an expression */
size_t lsp_word_start(str text, size_t at);
size_t lsp_word_end(str text, size_t at);
#endif
