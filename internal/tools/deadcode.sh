#!/usr/bin/env bash
# Fails when a function can be reached neither from the program nor from a test.
set -euo pipefail

out=$("$(dirname "$0")/../../bin/tools/deadcode" -test ./...)
if [ -n "$out" ]; then
	echo "$out" >&2
	exit 1
fi
