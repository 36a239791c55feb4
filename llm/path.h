/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - a model's name as one segment of a URL's path.
 *
 * Names hold ':' (Bedrock's versions), '/' (ARNs) and '@' (Vertex): everything that is not
 * unreserved is percent-encoded, so that a name can never become another path (RFC 3986 2.3). */
#ifndef SP_LLM_PATH_H
#define SP_LLM_PATH_H
#include "../base/arena.h"

str path_segment(arena *a, str name);
#endif
