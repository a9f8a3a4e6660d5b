#!/usr/bin/env bash
# SIGKILL at random instants: of the store alone, of the server, of the sandbox. CRASH_ROUNDS=1000 for a long run.
set -u
cd "$(dirname "$0")/../.." || exit 2

failed=0
rounds=${CRASH_ROUNDS:-40}
if build/tests/crash/store_crash "$rounds"; then
    echo "ok what the store reported as durable survives $rounds kills"
else
    echo "not ok what the store reported as durable survives $rounds kills"
    failed=1
fi
node tests/crash/crash.mjs || failed=1
exit $failed
