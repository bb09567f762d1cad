#!/usr/bin/env bash
# govulncheck, where its database can be reached.
set -uo pipefail

out=$("$(dirname "$0")/../../bin/tools/govulncheck" ./... 2>&1)
status=$?
if [ $status -ne 0 ] && grep -q 'fetching vulnerabilities' <<<"$out"; then
	echo "govulncheck skipped: its database cannot be reached from here"
	exit 0
fi
echo "$out"
exit $status
