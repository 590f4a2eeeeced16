#!/bin/sh
# check.sh: every file of unreleased/ has the form that TEMPLATE shows, so that a release's notes can be put together from them.
set -eu
cd "$(dirname "$0")/unreleased"
bad=0
complain() {
	echo "packaging/changelog/unreleased/$1: $2" >&2
	bad=1
}
for f in *; do
	[ "$f" != TEMPLATE ] || continue
	[ -f "$f" ] || { complain "$f" "only files belong here"; continue; }
	case $f in
	*[!a-z0-9.-]* | [!a-z0-9]*) complain "$f" "name it in small letters, digits and hyphens" ;;
	*.md) ;;
	*) complain "$f" "the name ends with .md" ;;
	esac
	awk -v f="$f" '
		function bad(what) { print "packaging/changelog/unreleased/" f ": " what > "/dev/stderr"; failed = 1 }
		NR == 1 && !/^(Security|Bugfix|Change|Enhancement): [A-Z0-9`].*[^. ]$/ { bad("line 1 is \"Enhancement: What people can do now\", without a full stop (see TEMPLATE)") }
		NR == 1 && length($0) > 100 { bad("line 1 is longer than 100 characters") }
		NR == 2 && $0 != "" { bad("line 2 is empty") }
		NR > 2 && NF { body++ }
		/[ \t]$/ { bad("line " NR " ends with white space") }
		length($0) > 130 { bad("line " NR " is longer than 130 characters") }
		END { if (!body) bad("says nothing below its first line"); exit failed }' "$f" || bad=1
done
exit "$bad"
