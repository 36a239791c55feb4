/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzz target over its kept corpus, without libFuzzer.
 *
 * So every input that ever mattered is tried again by every compiler and sanitizer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) return;
    size_t cap = 1 << 20;
    uint8_t *bytes = malloc(cap);
    if (!bytes) abort();
    size_t n = fread(bytes, 1, cap, f);
    (void)fclose(f);
    /* an exact-size copy, so that a read past the end is seen by ASan */
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact) abort();
    for (size_t i = 0; i < n; i++) exact[i] = bytes[i];
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(bytes);
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    size_t count = 1;
    DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
    if (!d) {
        (void)fprintf(stderr, "no corpus at %s\n", argc > 1 ? argv[1] : "(none)");
        return 1;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char path[4096];
        if (e->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        run_file(path);
        count++;
    }
    (void)closedir(d);
    (void)printf("%zu inputs replayed\n", count);
    return 0;
}
