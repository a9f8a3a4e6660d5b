#!/usr/bin/env bash
# Events a second of one core beside Segment's own package on the same cases in the same run: each action with its default
# mappings, and a heavy mapping. Prints one JSON line a case. bench/reference.sh [REFERENCE_ROUNDS]
set -eu
cd "$(dirname "$0")/.."
[ -d tests/differential/oracle/node_modules ] || exit 0 # needs the reference: scripts/setup.sh test
exec node bench/reference.mjs "${1:-3000}"
