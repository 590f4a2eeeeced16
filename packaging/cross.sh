#!/bin/sh
# cross.sh [PLATFORM…]: vets and builds the three programs for every platform they are made for, without cgo. The console's window needs
# C on the platform itself; with fyne's tag "ci" its code is vetted for Windows too, and for macOS all of it but the program that opens
# the window (fyne asks macOS for its theme in C even so). For Linux, make test does it. With platforms named, only the three programs
# are looked at, and for these only.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export CGO_ENABLED=0
console=
[ $# -gt 0 ] || { console=1; set -- linux/amd64 linux/arm64 windows/amd64 darwin/arm64; }
for platform in "$@"; do
	export GOOS="${platform%/*}" GOARCH="${platform#*/}"
	echo "cross: $platform"
	go vet ./daemon/... ./agent/... ./shared/...
	case $console$platform in
	1windows/*) go vet -tags=migrated_fynedo,ci ./desktop/... ./icons/... ;;
	1darwin/*) go vet -tags=migrated_fynedo,ci ./desktop/internal/... ./desktop/cmd/backstay-screenshots ./icons/... ;;
	esac
	go build -trimpath -o "$out/" ./daemon/cmd/backstayd ./daemon/cmd/backstay ./agent/cmd/backstay-agent
done
