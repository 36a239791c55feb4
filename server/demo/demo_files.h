/* SPDX-License-Identifier: Apache-2.0 */
/* demo_files.h - the files of examples/demo, built into the program. */
#ifndef SP_DEMO_FILES_H
#define SP_DEMO_FILES_H
#include "../../base/embedded.h"

extern const embedded_file demo_files[]; /* ends with {0} */
#endif
