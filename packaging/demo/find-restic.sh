#!/bin/sh
# find-restic.sh: prints the absolute path of the restic that the demo uses: one on PATH when it is 0.17.1 or newer, else the
# one built into bin/. Fails when there is neither.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
if path=$(command -v restic 2>/dev/null); then
	version=$("$path" version 2>/dev/null | awk '$1 == "restic" { print $2; exit }')
	if printf '%s\n' "$version" | awk -F '[.-]' '/^[0-9]+\.[0-9]+\.[0-9]/ { ok = $1 > 0 || $2 > 17 || $2 == 17 && $3 >= 1 } END { exit !ok }'; then
		case $path in
		/*) ;;
		*) path=$PWD/$path ;;
		esac
		echo "$path"
		exit
	fi
fi
[ -x "$root/bin/restic" ] && echo "$root/bin/restic"
