#!/usr/bin/env bash
# Audiences of Segment Engage in, members of Braze's cohorts out: with curl, the real server and the local Braze.
set -u
cd "$(dirname "$0")/../.." || exit 2

exec node tests/cohorts/cohorts.mjs
