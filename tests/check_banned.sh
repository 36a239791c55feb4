#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Functions that have no safe use here (style.md 5), and words that mean unfinished work.
set -eu
bad=0
sources=$(find base authz transport mcp llm server -name '*.[ch]' -o -name '*.cc')
if grep -nE '(^|[^_a-zA-Z0-9>.])(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|atoi|atol|sscanf|strtok|alloca|setjmp|signal|system|popen) *\(' $sources; then
    echo 'banned functions: see style.md, "Strings"'
    bad=1
fi
if grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $sources; then
    echo 'open an issue instead'
    bad=1
fi
for file in $sources; do
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$file has no SPDX line"; bad=1; }
done
exit $bad
