#!/bin/sh
# Builds the core under ASan and UBSan, and with it each csrc/tests/test_*.c, and runs these.
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

# The flags of every file; CFLAGS is a list.
compile() {
    # shellcheck disable=SC2086
    "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
        ${CFLAGS:-} -include "$here/failing_alloc.h" -I "$core" -I "$here" "$@"
}

for source in "$core"/*.c "$here/failing_alloc.c"; do
    compile -c "$source" -o "$build/$(basename "$source" .c).o"
done
for name in "$@"; do
    compile "$here/$name.c" "$build"/*.o -o "$build/$name"
    "$build/$name"
    echo "$name: ok"
done
