#!/bin/sh
# cross.sh: vets and builds the three programs for every platform they are made for, without cgo. The console's window needs C on the
# platform itself; with fyne's tag "ci" its code is vetted for Windows too, and for macOS all of it but the program that opens the window
# (fyne asks macOS for its theme in C even so). For Linux, make test does it.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export CGO_ENABLED=0
for platform in linux/amd64 linux/arm64 windows/amd64 darwin/arm64; do
	export GOOS="${platform%/*}" GOARCH="${platform#*/}"
	echo "cross: $platform"
	go vet ./daemon/... ./agent/... ./shared/...
	case $platform in
	windows/*) go vet -tags=migrated_fynedo,ci ./desktop/... ./icons/... ;;
	darwin/*) go vet -tags=migrated_fynedo,ci ./desktop/internal/... ./desktop/cmd/backstay-screenshots ./icons/... ;;
	esac
	go build -trimpath -o "$out/" ./daemon/cmd/backstayd ./daemon/cmd/backstay ./agent/cmd/backstay-agent
done
