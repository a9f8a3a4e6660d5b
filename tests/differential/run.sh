#!/usr/bin/env bash
# Compares our programs with somebody else's on made-up cases: JSON text with Node's, the mapping language and the actions
# with Segment's own package. Prints one verdict a comparison, and the first disagreements.
#
#   run.sh [OP...]    the operations named, or all
#
# DIFFERENTIAL_CASES (500) of each operation, chosen by DIFFERENTIAL_SEED (1). RUN_CASES is the program under test; KEEP=1 keeps
# the files of the run.
set -u
cd "$(dirname "$0")/../.." || exit 2
readonly HERE=tests/differential
readonly CASES=${DIFFERENTIAL_CASES:-500}
readonly SEED=${DIFFERENTIAL_SEED:-1}
readonly RUN_CASES=${RUN_CASES:-build/tests/run-cases}
export TZ=UTC # what the cases mean must not depend on where they run

ops=("$@")
if [ $# = 0 ]; then
    ops=(json_text transform fql action batch event defaults)
fi

work=$(mktemp -d) || exit 2
if [ -n "${KEEP:-}" ]; then
    echo "# files in $work"
else
    trap 'rm -rf "$work"' EXIT
fi

compare_with_reference() # op
{
    local cases=$work/$1.cases
    node $HERE/generate.js --op "$1" --seed "$SEED" --count "$CASES" >"$cases" &&
        node $HERE/oracle/oracle.js <"$cases" >"$work/$1.reference" &&
        "$RUN_CASES" <"$cases" >"$work/$1.ours" &&
        node $HERE/compare.js "$cases" "$work/$1.reference" "$work/$1.ours" >"$work/$1.report"
}

compare_defaults()
{
    echo '{"op":"defaults"}' | node $HERE/oracle/oracle.js >"$work/defaults.reference" &&
        echo '{"op":"defaults"}' | "$RUN_CASES" >"$work/defaults.ours" &&
        node $HERE/compare-defaults.js "$work/defaults.reference" "$work/defaults.ours" >"$work/defaults.report"
}

compare() # op
{
    if [ "$1" = defaults ]; then compare_defaults; else compare_with_reference "$1"; fi
}

failed=0
for op in "${ops[@]}"; do
    if [ "$op" = json_text ]; then
        node $HERE/json_text.js build/tests/differential/json-echo "$SEED" || failed=1
    elif compare "$op"; then
        echo "ok $op ($(tail -n 1 "$work/$op.report"))"
    else
        failed=1
        echo "not ok $op"
        sed 's/^/# /' "$work/$op.report"
    fi
done
exit $failed
