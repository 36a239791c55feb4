/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - application/x-www-form-urlencoded, as RFC 6749 appendix B and queries of URLs have it.
 *
 * Pure. Threads: any. */
#ifndef SP_FORM_H
#define SP_FORM_H
#include "buf.h"

void form_put_text(buf *b, str text); /* every byte but a-z A-Z 0-9 - . _ ~ as %XX */
/* name=value, after `&` when there is something before it; nothing for an empty value. */
void form_put(buf *b, str name, str value);
str form_decode(arena *a, str coded);      /* {0}: badly coded */
str form_decode_path(arena *a, str coded); /* the same, where a + is itself */
/* The value of this name in a query or body, decoded; {0}: absent, twice, or badly coded. */
str form_get(arena *a, str form, str name);
#endif
