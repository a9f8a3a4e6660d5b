#!/usr/bin/env bash
# Reads the sources without running them: clang-format, clang-tidy, cppcheck. Exit 1 when one of them has something to say.
set -eu
cd "$(dirname "$0")/.."

# clang-tidy does not know GCC's own options, so it reads the commands of a build with Clang.
[ -f build-clang/build.ninja ] || CC=clang meson setup build-clang
ninja -C build-clang

failed=0
scripts/sources.sh | xargs clang-format --dry-run -Werror || failed=1
scripts/sources.sh | grep '^src/.*\.c$' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build-clang --quiet || failed=1
cppcheck --project=build-clang/compile_commands.json --enable=warning,performance,portability \
    --inline-suppr --quiet --error-exitcode=1 -j "$(nproc)" --suppress='*:/usr/include/*' || failed=1
[ $failed = 0 ] && echo "nothing to complain about"
exit $failed
