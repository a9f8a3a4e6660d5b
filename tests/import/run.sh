#!/usr/bin/env bash
# Moving from Segment: answers of its Public API in, a config out that maps as one written by hand.
set -u
cd "$(dirname "$0")/../.." || exit 2

exec node tests/import/import.mjs
