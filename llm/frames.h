/* SPDX-License-Identifier: Apache-2.0 */
/* frames.h - a provider's stream cut into its events, however it is framed.
 *
 * Feed any split of the bytes; each event is told once, whole, in order. An event over the limit or
 * a bad checksum is an error, for this feed and every later one. */
#ifndef SP_LLM_FRAMES_H
#define SP_LLM_FRAMES_H
#include "dialect.h"

typedef struct llm_frames llm_frames;
typedef void frame_fn(void *ctx, llm_frame f);

llm_frames *frames_new(arena *a, llm_framing framing, frame_fn *fn, void *ctx);
MUST_CHECK const err *frames_feed(llm_frames *t, str bytes);
bool frames_idle(const llm_frames *t); /* nothing of an unfinished event is held */
str frames_content_type(llm_framing framing);
#endif
