/* SPDX-License-Identifier: Apache-2.0 */
/* demo_files.h - the files of examples/demo, built into the program (see cmake/embed.cmake). */
#ifndef SP_DEMO_FILES_H
#define SP_DEMO_FILES_H
#include <stddef.h>

typedef struct {
    const char *name; /* "policies/demo.yaml" */
    const unsigned char *bytes;
    size_t size;
} demo_file;
extern const demo_file demo_files[]; /* ends with {0} */
#endif
