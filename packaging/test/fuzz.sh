#!/bin/sh
# fuzz.sh TIME: runs every fuzz target of the module for TIME each ("10s"), and stops at the first that finds something.
set -eu
time=${1:-10s}
go list ./... | while read -r package; do
	listed=$(go test -list '^Fuzz' "$package")
	for target in $(printf '%s\n' "$listed" | grep '^Fuzz' || :); do
		echo "fuzz: $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
	done
done
