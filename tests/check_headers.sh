#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, with gcc and with clang; as many at a time as there are cores.
set -eu
alone() { # header
    for cc in gcc clang; do
        command -v $cc > /dev/null || continue
        printf '#include "%s"\n' "$1" | $cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function \
            -fsyntax-only -I. -x c - || { echo "$1 does not compile alone with $cc"; return 1; }
    done
}
if [ $# -gt 0 ]; then
    bad=0
    for header; do alone "$header" || bad=1; done
    exit $bad
fi
find base authz transport mcp llm server -name '*.h' | xargs -P "$(nproc)" -n 20 "$0"
