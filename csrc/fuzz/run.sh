#!/bin/sh
# Builds each csrc/fuzz/fuzz_*.c with the whole core under libFuzzer, ASan and UBSan, and runs it from nothing.
# A target's dictionary, fuzz_*.dict, is used where there is one.
# Arguments: seconds for each target (default 60), then names of targets: only those (run.sh 600 fuzz_sse).
# CC: a clang (default clang). Fails at the first finding and leaves its input in the current directory.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
core=$(dirname "$here")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

seconds=${1:-60}
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
    for source in "$here"/fuzz_*.c; do
        set -- "$@" "$(basename "$source" .c)"
    done
fi

for name in "$@"; do
    "${CC:-clang}" -std=c11 -Wall -Wextra -Werror -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -I "$core" "$here/$name.c" "$core"/*.c -o "$build/$name"
    dictionary=$here/$name.dict
    [ -f "$dictionary" ] || dictionary=
    "$build/$name" ${dictionary:+"-dict=$dictionary"} -max_total_time="$seconds" -max_len=512 -print_final_stats=1
    echo "$name: ok"
done
