#!/usr/bin/env bash
# Builds and runs every benchmark: the programs of bench/meson.build, then the scripts bench/*.sh, which may compare with
# other software. Each prints one JSON line a case.
set -eu
cd "$(dirname "$0")/.."

[ -f build/build.ninja ] || meson setup build
ninja -C build all benches
for program in build/bench/bench_* bench/*.sh; do
    if [ -f "$program" ] && [ -x "$program" ]; then "$program"; fi
done
