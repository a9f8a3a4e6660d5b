#!/usr/bin/env bash
# Compares our programs with somebody else's on made-up cases. DIFFERENTIAL_SEED=N makes other ones.
set -u
cd "$(dirname "$0")/../.." || exit 2

failed=0
node tests/differential/json_text.js build/tests/differential/json-echo "${DIFFERENTIAL_SEED:-1}" || failed=1
exit $failed
