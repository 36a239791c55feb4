/* SPDX-License-Identifier: Apache-2.0 */
/* discover.h - where an issuer keeps its keys, asked of the issuer itself.
 *
 * RFC 8414 first, then OpenID Connect discovery. The answer must name the very issuer that was
 * asked. Blocking: for service threads. */
#ifndef SP_DISCOVER_H
#define SP_DISCOVER_H
#include "../base/err.h"

/* *trusted: the keys are on the issuer's own host, which an operator named. */
MUST_CHECK const err *discover_keys_url(arena *a, str issuer, str *url, bool *trusted);
/* What a metadata document says, for tests. */
MUST_CHECK const err *discover_read(arena *a, str issuer, str document, str *url);
#endif
