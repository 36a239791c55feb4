#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder may include itself and the floors below it, at any depth; and each foreign library has
# its home. Prints what breaks the rule and exits 1.
set -eu
allowed() {
    case $1 in
    base) echo 'base' ;;
    authz) echo 'base authz' ;;
    transport) echo 'base transport' ;;
    mcp|llm) echo "base authz transport $1" ;;
    server) echo 'base authz transport mcp llm server' ;;
    esac
}
homes() { # a regular expression of headers, then the paths that may include them
    cat <<'TABLE'
microhttpd\.h|gnutls/|curl/ ^transport/
hiredis|sqlite3\.h ^server/
jwt\.h ^$
sodium\.h ^authz/
openssl/ ^(authz/(jwt|jwks|jwt_[a-z]+|digest)\.[ch]$|transport/)
yaml\.h ^base/yaml[a-z_]*\.c$
re2/ ^authz/cel/re2_shim\.cc$
TABLE
}
bad=0
for dir in base authz transport mcp llm server; do
    for file in $(find "$dir" -name '*.[ch]' -o -name '*.cc'); do
        for inc in $(sed -nE 's/^ *# *include "((\.\.\/)*)([a-z_]+)\/.*/\3/p' "$file" | sort -u); do
            case $inc in base|authz|transport|mcp|llm|server) ;; *) continue ;; esac
            case " $(allowed "$dir") " in
            *" $inc "*) ;;
            *) echo "$file includes $inc/"; bad=1 ;;
            esac
        done
        homes | while read -r header where; do
            if grep -qE "# *include <($header)" "$file" && ! printf '%s\n' "$file" | grep -qE "$where"; then
                echo "$file includes a library ($header) whose home is $where"
                exit 1
            fi
        done || bad=1
    done
done
exit $bad
