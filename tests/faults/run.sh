#!/usr/bin/env bash
# Trouble with Braze, trouble at home and trouble on the way between: nothing is lost, and it is over when it is over.
set -u
cd "$(dirname "$0")/../.." || exit 2

failed=0
node tests/faults/braze.mjs || failed=1
node tests/faults/home.mjs || failed=1
node tests/faults/dead.mjs || failed=1
node tests/faults/tls.mjs || failed=1
exit $failed
