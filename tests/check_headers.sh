#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, with gcc and with clang.
set -eu
bad=0
flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only"
for header in $(find base authz transport mcp llm server -name '*.h'); do
    for cc in gcc clang; do
        command -v $cc > /dev/null || continue
        if ! printf '#include "%s"\n' "$header" | $cc $flags -I. -x c - ; then
            echo "$header does not compile alone with $cc"
            bad=1
        fi
    done
done
exit $bad
