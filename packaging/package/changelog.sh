#!/bin/sh
# changelog.sh VERSION DATE: the packages' changelog, in nfpm's form, of the first lines of packaging/changelog/unreleased.
set -eu
cd "$(dirname "$0")/../changelog/unreleased"
printf -- '- semver: "%s"\n  date: %s\n  packager: The Backstay authors <backstay@users.noreply.github.com>\n  deb:\n    urgency: medium\n    distributions: [stable]\n  changes:\n' "$1" "$2"
for f in *.md; do
	printf "    - note: '%s'\n" "$(head -n 1 "$f" | sed "s/^[A-Za-z]*: //; s/'/''/g")"
done
