#!/bin/sh
# fuzz.sh TIME: runs every fuzz target of the module for TIME each ("10s"), and stops at the first that finds something.
set -eu
time=${1:-10s}
go list ./... | while read -r package; do
	targets=$(go test -list '^Fuzz' "$package" | grep '^Fuzz' || :)
	for target in $targets; do
		echo "fuzz: $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
	done
done
