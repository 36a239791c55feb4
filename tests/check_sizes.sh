#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No .c file over 600 lines, no header over 150 (style.md 11). Functions are clang-tidy's.
set -eu
bad=0
for file in $(find base authz transport mcp llm server tests -name '*.[ch]' -o -name '*.cc'); do
    lines=$(wc -l < "$file")
    case $file in
    *.h) most=150 ;;
    *) most=600 ;;
    esac
    if [ "$lines" -gt "$most" ]; then
        echo "$file has $lines lines, $most is the most"
        bad=1
    fi
done
exit $bad
