#!/usr/bin/env bash
# Fails when a generated file is not what its source makes now. It leaves the fresh files behind.
set -euo pipefail

sums() { find . -name '*_templ.go' -not -path './data/*' -exec cksum {} + | sort -k3; }

before=$(sums)
go tool templ generate
after=$(sums)
if [ "$before" != "$after" ]; then
	echo "berkas: generated files were not up to date; they are now, so commit them:" >&2
	diff <(echo "$before") <(echo "$after") | sed -n 's/^[<>] [0-9]* [0-9]* /  /p' | sort -u >&2
	exit 1
fi
