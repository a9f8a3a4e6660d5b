#!/usr/bin/env bash
# Other people's clients against the real server and the local Braze: everything arrives, exactly once, as it should be.
set -u
cd "$(dirname "$0")/../.." || exit 2

failed=0
node tests/clients/segment_node.mjs || failed=1
node tests/clients/curl.mjs || failed=1
exit $failed
