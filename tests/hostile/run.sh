#!/usr/bin/env bash
# Input that nobody should send. The server answers, goes on, and stays small.
set -u
cd "$(dirname "$0")/../.." || exit 2

ulimit -n 24000 2>/dev/null || ulimit -n "$(ulimit -H -n)" # for 10,000 connections at both ends
exec node tests/hostile/hostile.mjs
