#!/bin/sh
# Lists our C sources and headers, one a line.
set -eu
cd "$(dirname "$0")/.."
find src tests bench -name node_modules -prune -o -name '*.[ch]' -print | sort
