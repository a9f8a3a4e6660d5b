#!/usr/bin/env bash
# Runs all tests, or only the named steps: scripts/test.sh [STEP...]
#
# A step is a command that prints `ok NAME` or `not ok NAME` a test (tests/README.md). Its output goes to
# build/test-logs/STEP.log; here appear one line a step, the failures with the end of their log, and the closing count.
set -u
cd "$(dirname "$0")/.." || exit 2

readonly LOGS=build/test-logs
readonly STEP_SECONDS_MAX=1200 # a step that hangs must not hang the whole run
readonly FAILURE_LINES=40

# What the build gives; the test folders with a run.sh of their own follow.
readonly STEPS='
unit    meson_tests build
asan    meson_tests build-asan -Db_sanitize=address,undefined -Db_lundef=false
tsan    meson_tests build-tsan -Db_sanitize=thread -Db_lundef=false
clang   clang_build
format  format_check
'

ensure_build() # folder, options of meson setup
{
    [ -f "$1/build.ninja" ] || meson setup "$@" || return 1
    ninja -C "$1"
}

meson_tests() # folder, options of meson setup
{
    local failed=0
    ensure_build "$@" || return 1
    # Sanitizers make programs several times slower, so Meson's own time limits are stretched.
    meson test -C "$1" --no-rebuild --timeout-multiplier 5 --print-errorlogs || failed=1
    awk -f scripts/meson-log-to-tap.awk "$1/meson-logs/testlog.txt"
    return $failed
}

clang_build()
{
    CC=clang ensure_build build-clang || return 1
    echo "ok Clang compiles everything without a warning"
}

format_check()
{
    scripts/sources.sh | xargs clang-format --dry-run -Werror || return 1
    echo "ok all C sources are as clang-format prints them"
}

all_steps()
{
    local script name
    printf '%s' "$STEPS"
    for script in tests/*/run.sh; do
        name=${script#tests/}
        [ ! -x "$script" ] || printf '%s  timeout %d %s\n' "${name%/run.sh}" "$STEP_SECONDS_MAX" "$script"
    done
}

# Counts verdicts as they come; on a terminal it shows the count so far.
watch_verdicts() # name
{
    awk -v name="$1" -v live="$([ -t 1 ] && echo 1)" '
        /^(not )?ok / && live { printf "\r%-14s %d", name, ++seen; fflush() }'
}

run_step() # name command...
{
    local name=$1 log=$LOGS/$1.log started=$SECONDS status passed failed skipped
    shift
    printf '%-14s ' "$name"
    "$@" </dev/null 2>&1 | tee "$log" | watch_verdicts "$name"
    status=${PIPESTATUS[0]}
    skipped=$(grep -c '^ok .*# SKIP' "$log")
    passed=$(($(grep -c '^ok ' "$log") - skipped))
    failed=$(grep -c '^not ok ' "$log")
    if [ "$failed" = 0 ] && [ "$status" != 0 ]; then
        echo "not ok $name ended with status $status" >>"$log"
        failed=1
    elif [ $((passed + failed + skipped)) = 0 ]; then
        echo "not ok $name ran no test" >>"$log"
        failed=1
    fi
    [ ! -t 1 ] || printf '\r%-14s ' "$name"
    printf '%5d passed %4d failed %4d skipped %5d s\n' "$passed" "$failed" "$skipped" $((SECONDS - started))
    if [ "$failed" != 0 ]; then
        tail -n $FAILURE_LINES "$log" | sed 's/^/    | /'
        grep '^not ok ' "$log" | head -n $FAILURE_LINES | sed 's/^/    /'
        echo "    whole log: $log"
    fi
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
    all_skipped=$((all_skipped + skipped))
}

is_wanted() # name wanted...
{
    local name=$1 wanted
    shift
    [ $# -gt 0 ] || return 0
    for wanted in "$@"; do
        [ "$name" != "$wanted" ] || return 0
    done
    return 1
}

all_passed=0
all_failed=0
all_skipped=0
mkdir -p build
ensure_build build >build/build.log 2>&1 || {
    cat build/build.log
    echo "the build failed" >&2
    exit 1
}
mkdir -p $LOGS
mapfile -t rows < <(all_steps)
for row in "${rows[@]}"; do
    read -r -a words <<<"$row"
    if [ ${#words[@]} -gt 0 ] && is_wanted "${words[0]}" "$@"; then run_step "${words[@]}"; fi
done
echo "took $SECONDS s"
if [ $all_skipped = 0 ]; then
    echo "$all_passed passed, $all_failed failed"
else
    echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
fi
[ $all_failed = 0 ] && [ $all_passed -gt 0 ]
