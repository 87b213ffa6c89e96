#!/bin/sh
# Builds each csrc/tests/test_*.c with the whole core under ASan and UBSan, and runs it.
# CC: the compiler (default gcc). CFLAGS: more flags. Names of tests as arguments: only those (run.sh test_sse).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
core=$(dirname "$here")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

if [ $# -eq 0 ]; then
    for source in "$here"/test_*.c; do
        set -- "$@" "$(basename "$source" .c)"
    done
fi

for name in "$@"; do
    # shellcheck disable=SC2086  # CFLAGS is a list
    "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
        ${CFLAGS:-} -include "$here/failing_alloc.h" -I "$core" -I "$here" \
        "$here/$name.c" "$here/failing_alloc.c" "$core"/*.c -o "$build/$name"
    "$build/$name"
    echo "$name: ok"
done
