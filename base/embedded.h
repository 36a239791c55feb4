/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.h - files of the repository that are built into the program (cmake/embed.cmake). */
#ifndef SP_EMBEDDED_H
#define SP_EMBEDDED_H
#include <stddef.h>

typedef struct {
    const char *name; /* "policies/demo.yaml" */
    const unsigned char *bytes;
    size_t size;
} embedded_file;
#endif
