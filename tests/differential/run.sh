#!/bin/sh
# The differential test: do the reference and run-cases agree on generated cases? Prints one "ok OP" or "not ok OP" line for each
# operation, and the first disagreements.
#
#   run.sh [COUNT] [OP...]        COUNT cases of each operation (500); all operations, or those named
#
# SEED (1) chooses the cases, RUN_CASES the program under test, KEEP=1 keeps the files of each run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
count=${1:-500}
[ $# -gt 0 ] && shift
ops=${*:-transform fql action batch event}
run_cases=${RUN_CASES:-$here/../../build/tests/run-cases}
seed=${SEED:-1}
# What the cases mean must not depend on where they run.
TZ=UTC
export TZ

work=$(mktemp -d) || exit 2
[ -n "${KEEP:-}" ] && echo "# files in $work" || trap 'rm -rf "$work"' EXIT
failed=0
for op in $ops; do
    cases=$work/$op.cases
    if node "$here/generate.js" --op "$op" --seed "$seed" --count "$count" > "$cases" &&
        node "$here/oracle/oracle.js" < "$cases" > "$work/$op.reference" &&
        "$run_cases" < "$cases" > "$work/$op.ours" &&
        node "$here/compare.js" "$cases" "$work/$op.reference" "$work/$op.ours" > "$work/$op.report"; then
        echo "ok $op ($(tail -n 1 "$work/$op.report"))"
    else
        failed=1
        echo "not ok $op"
        sed 's/^/# /' "$work/$op.report"
    fi
done
exit $failed
