#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder may include itself and the floors below it, at any depth; and each foreign library has
# its home. Prints what breaks the rule and exits 1.
set -eu
includes=$(grep -rE '^ *# *include' --include='*.[ch]' --include='*.cc' base authz transport mcp llm server)

wrong_floor=$(printf '%s\n' "$includes" | awk '
    BEGIN {
        may["base"] = " base "
        may["authz"] = " base authz "
        may["transport"] = " base transport "
        may["mcp"] = " base authz transport mcp "
        may["llm"] = " base authz transport llm "
        may["server"] = " base authz transport mcp llm server "
    }
    {
        file = substr($0, 1, index($0, ":") - 1)
        floor = substr(file, 1, index(file, "/") - 1)
        if (!match($0, /"(\.\.\/)*[a-z_]+\//)) next
        from = substr($0, RSTART + 1, RLENGTH - 2)
        gsub(/\.\.\//, "", from)
        if (from in may && index(may[floor], " " from " ") == 0) print file " includes " from "/"
    }')

homes() { # a regular expression of headers, then the paths that may include them
    cat <<'TABLE'
microhttpd\.h|gnutls/ ^$
curl/ ^transport/
hiredis|sqlite3\.h ^server/
jwt\.h ^$
sodium\.h ^authz/
openssl/ ^(authz/(jwt|jwks|jwt_[a-z]+|digest)\.[ch]$|transport/)
yaml\.h ^base/yaml[a-z_]*\.c$
re2/ ^authz/cel/re2_shim\.cc$
TABLE
}
wrong_home=$(homes | while read -r header where; do
    printf '%s\n' "$includes" | grep -E "# *include <($header)" | cut -d: -f1 | sort -u | grep -vE "$where" |
        sed "s#\$# includes a library ($header) whose home is $where#" || true
done)

printf '%s\n%s\n' "$wrong_floor" "$wrong_home" | grep . && exit 1
exit 0
