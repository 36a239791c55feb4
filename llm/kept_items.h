/* SPDX-License-Identifier: Apache-2.0 */
/* kept_items.h - what led to a kept answer, page by page: GET /v1/responses/{id}/input_items.
 *
 * Newest first unless `order=asc`; `limit` is 1 to 100, 20 when not said; `after` is the id of the
 * item before the page. Items that came without an id have one by their place, the same on every
 * page. Failure: ERR_MALFORMED, in words for the client. */
#ifndef SP_LLM_KEPT_ITEMS_H
#define SP_LLM_KEPT_ITEMS_H
#include "../base/json_make.h"

/* `kept`: {"items": […], "response": {…}}, as kept.c keeps it. */
MUST_CHECK const err *kept_items_page(arena *a, js_value kept, str query, str *page);
#endif
