#!/usr/bin/env bash
# The command line as its users and their scripts see it.
set -u
cd "$(dirname "$0")/../.." || exit 2

exec node tests/cli/cli.mjs
