#!/usr/bin/env bash
# Trouble with Braze and trouble at home: nothing is lost, and it is over when it is over.
set -u
cd "$(dirname "$0")/../.." || exit 2

failed=0
node tests/faults/braze.mjs || failed=1
node tests/faults/home.mjs || failed=1
exit $failed
