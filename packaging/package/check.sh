#!/usr/bin/env bash
# check.sh: builds the packages twice, from copies of the last commit in two folders, and compares every byte.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/backstay-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH TOOLS="$root/bin"
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
for copy in first the-second; do
	mkdir -p "$work/$copy"
	git -C "$root" archive HEAD | tar -x -C "$work/$copy"
	TZ=Pacific/Chatham nice -n 5 "$work/$copy/packaging/package/build.sh" "$work/$copy/dist" "$@"
done
cmp "$work/first/dist/SHA256SUMS" "$work/the-second/dist/SHA256SUMS" || {
	diff "$work/first/dist/SHA256SUMS" "$work/the-second/dist/SHA256SUMS"
	exit 1
}
cat "$work/first/dist/SHA256SUMS"
echo "package-check: built twice, the same bytes"
