/* SPDX-License-Identifier: Apache-2.0 */
/* upload.h - a form with a file in it, on its way to the provider.
 *
 * Private to llm/. The form is read as it comes: `model` and `stream` are taken from their fields,
 * wherever these stand, and every byte but the model's name goes into a spool. Once it is known
 * which model is wanted the rules are asked, then the bytes go on with the target's own name in
 * the place of the client's, and the client is slowed down to what the provider takes. Where the
 * file stands before the model, all of it has to come first: what memory should not hold waits on
 * the disk. */
#ifndef SP_LLM_UPLOAD_H
#define SP_LLM_UPLOAD_H
#include "worker.h"

/* Of the step that reads the request: WAIT until the model is known, and how long the form is. */
flow_go upload_read(llm_run *r, flow_why why);
void upload_begin(llm_run *r);            /* of an attempt: the name that this target knows */
uint64_t upload_length(const llm_run *r); /* of the form as it is sent; 0: no upload */
str upload_content_type(const llm_run *r);
void upload_wants(void *run);           /* call_request.wants */
bool upload_is_whole(const llm_run *r); /* none of it is gone: another target may be tried */
#endif
