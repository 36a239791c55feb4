/* SPDX-License-Identifier: Apache-2.0 */
/* h1_text.h - which bytes HTTP/1.1 allows where (RFC 9110 5.5, 5.6.2; RFC 9112 3.2).
 *
 * The same tables judge what we send and what we are sent. Pure; any thread. */
#ifndef SP_H1_TEXT_H
#define SP_H1_TEXT_H
#include "../base/str.h"

bool h1_is_token(str s);  /* a method or a header's name: not empty, tchar only */
bool h1_is_value(str s);  /* no control but the tab; bytes over 0x7F may be there */
bool h1_is_target(str s); /* "/…": printable ASCII without a space */
str h1_trim(str s);       /* without spaces and tabs at both ends */
/* Does the comma-separated list hold the word, whatever its case? */
bool h1_list_has(str list, str word);
/* Decimal digits only, at most 18 of them. */
bool h1_decimal(str s, long long *out);
#endif
