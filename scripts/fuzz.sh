#!/usr/bin/env bash
# Fuzzes each target, or the named ones, for FUZZ_SECONDS: scripts/fuzz.sh [TARGET...]
#
# Starts from tests/fuzz/corpus/TARGET; what it learns stays in build-fuzz/corpus/TARGET for the next time. An input that
# breaks a target is left in build-fuzz/crashes: make it small (-minimize_crash=1), put it into the corpus, mend the code.
set -eu
cd "$(dirname "$0")/.."

readonly DIR=build-fuzz
seconds=${FUZZ_SECONDS:-60}

[ -f $DIR/build.ninja ] ||
    CC=clang meson setup $DIR -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
ninja -C $DIR
mkdir -p $DIR/crashes

if [ $# = 0 ]; then
    for program in "$DIR"/tests/fuzz/fuzz_*; do
        if [ -f "$program" ] && [ -x "$program" ]; then set -- "$@" "${program##*/fuzz_}"; fi
    done
fi

broken=
for target in "$@"; do
    mkdir -p "$DIR/corpus/$target"
    options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1
        -artifact_prefix="$DIR/crashes/$target-")
    [ ! -f "tests/fuzz/$target.dict" ] || options+=(-dict="tests/fuzz/$target.dict")
    echo "fuzzing $target for $seconds s"
    if "$DIR/tests/fuzz/fuzz_$target" "${options[@]}" "$DIR/corpus/$target" "tests/fuzz/corpus/$target" \
        >"$DIR/$target.log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: */    inputs tried: /p' "$DIR/$target.log"
        echo "ok $target"
    else
        tail -n 40 "$DIR/$target.log"
        echo "not ok $target (its input is in $DIR/crashes, the log in $DIR/$target.log)"
        broken="$broken $target"
    fi
done
[ -z "$broken" ]
