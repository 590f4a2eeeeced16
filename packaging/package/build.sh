#!/usr/bin/env bash
# build.sh OUT [ARCH...]: builds the .deb and .rpm packages of VERSION into OUT, with SHA256SUMS and one SBOM for each program. The console's
# package is made for the machine's own architecture only, because it needs a C compiler. The bytes depend on the commit and the
# tool chain alone: times are the commit's, owners are root, paths are trimmed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- amd64 arm64
: "${VERSION:?build.sh: say which version (make package does)}"
: "${PACKAGES:=daemon agent desktop}"
: "${FORMATS:=deb rpm}"
: "${SBOM:=yes}"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export VERSION SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
umask 022
tools=${TOOLS:-$root/bin}
work=$(mktemp -d "${TMPDIR:-/tmp}/backstay-package.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp "$root"/packaging/install/install-agent.{sh,ps1} "$out/"
cp -r "$here/scripts" "$here/desktop" "$work/"
mkdir "$work/nfpm"

ldflags="-s -w -X github.com/backstay/backstay/shared/buildinfo.version=$VERSION"
go_build() { (cd "$root" && go build -ldflags "$ldflags" "$@"); }
wants() { case " $PACKAGES " in *" $1 "*) ;; *) return 1 ;; esac }

# manuals: what the programs write of themselves, the same for every architecture.
manuals() {
	local program
	for program in daemon/cmd/backstayd daemon/cmd/backstay agent/cmd/backstay-agent desktop/cmd/backstay-desktop; do
		case $program in
		daemon/*) wants daemon || continue ;;
		agent/*) wants agent || continue ;;
		desktop/*) wants desktop || continue ;;
		esac
		(cd "$root" && CGO_ENABLED=0 go run -ldflags "$ldflags" -tags migrated_fynedo,ci,describe "./$program" "$work/manual/${program##*/}")
	done
	find "$work/manual" -path '*/man/*' -type f -exec gzip -9n {} +
}

# programs ARCH: into stage/bin.
programs() {
	local bin=$work/stage/bin/
	if wants daemon; then CGO_ENABLED=0 GOARCH=$1 go_build -o "$bin" ./daemon/cmd/backstayd ./daemon/cmd/backstay; fi
	if wants agent; then
		CGO_ENABLED=0 GOARCH=$1 go_build -o "$bin" ./agent/cmd/backstay-agent
		(cd "$root/packaging/tools/restic" && CGO_ENABLED=0 GOARCH=$1 go build -ldflags '-s -w' -o "$bin/restic" github.com/restic/restic/cmd/restic)
	fi
	if wants desktop && [ "$1" = "$(go env GOHOSTARCH)" ]; then go_build -o "$bin" ./desktop/cmd/backstay-desktop; fi
}

# texts PACKAGE ARCH PROGRAM...: licences, and why lintian is not right here.
texts() {
	local package=$1 arch=$2 p extra=()
	shift 2
	mkdir -p "$work/stage/copyright" "$work/stage/notices" "$work/stage/overrides"
	restic_licence=$(cd "$root/packaging/tools/restic" && go list -m -f '{{.Dir}}' github.com/restic/restic)/LICENSE
	sh "$here/copyright.sh" "$package" "$restic_licence" >"$work/stage/copyright/$package"
	if [ "$package" = desktop ]; then extra=(-extra "Inter and JetBrains Mono=$root/desktop/internal/theme/fonts/OFL.txt" -extra "Lucide icons=$root/icons/svg/LICENSE"); fi
	if [ "$package" = agent ]; then extra=(-extra "restic=$restic_licence"); fi
	(cd "$root" && CGO_ENABLED=0 go run ./packaging/package/notices "${extra[@]}" "${@/#/$work/stage/bin/}") | gzip -9n >"$work/stage/notices/$package.gz"
	{
		echo "# Programs of Go are linked statically unless they need C."
		for p in "$@"; do
			case $p in
			restic) echo "backstay-$package: statically-linked-binary [usr/lib/backstay/restic]" ;;
			backstay-desktop) ;;
			*) echo "backstay-$package: statically-linked-binary [usr/bin/$p]" ;;
			esac
		done
	} >"$work/stage/overrides/$package"
}

# glibc PROGRAM: the newest version of the C library whose symbols it uses.
glibc() { objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | cut -d_ -f2 | sort -Vu | tail -n 1; }

pack() { # pack PACKAGE ARCH PROGRAM...
	local package=$1 arch=$2 format p
	texts "$@"
	shift 2
	find "$work" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	for format in $FORMATS; do
		(cd "$work" && ARCH=$arch GLIBC=${GLIBC:-} "$tools/nfpm" package --config "nfpm/$package.yaml" --packager "$format" --target "$out/")
	done
	[ "$SBOM" = yes ] || return 0
	for p in "$@"; do
		local version=$VERSION
		if [ "$p" = restic ]; then version=$(cd "$root/packaging/tools/restic" && go list -m -f '{{.Version}}' github.com/restic/restic); fi
		"$tools/cyclonedx-gomod" bin -json -std -noserial -notimestamp -version "$version" -output "$out/$p-linux-$arch.cdx.json" "$work/stage/bin/$p"
	done
}

# pages: nfpm takes "*" for plain files only, so each page that rpm shall know as documentation gets a line of its own.
pages() {
	local line folder page
	while IFS= read -r line; do
		case $line in
		*'/man/*'*'type: doc'*)
			folder=${line#*src: stage/}
			folder=${folder%%/man/*}/man
			for page in "$work/$folder"/*; do
				page=${page##*/}
				printf '  - { src: stage/%s/%s, dst: /usr/share/man/man%s/%s, type: doc, packager: rpm }\n' "$folder" "$page" "$(sed 's/.*\.//' <<<"${page%.gz}")" "$page"
			done
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

manuals
for p in $PACKAGES; do
	pages <"$here/nfpm/$p.yaml" >"$work/nfpm/$p.yaml"
done
sed -i "s|\.\./\.\./icons/|$root/icons/|" "$work/nfpm/"*.yaml
for arch; do
	rm -rf "$work/stage"
	mkdir -p "$work/stage/bin"
	ln -s ../manual "$work/stage/manual"
	programs "$arch"
	sh "$here/changelog.sh" "$VERSION" "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" >"$work/stage/changelog.yaml"
	if wants daemon; then pack daemon "$arch" backstayd backstay; fi
	if wants agent; then pack agent "$arch" backstay-agent restic; fi
	if [ -e "$work/stage/bin/backstay-desktop" ]; then
		sed "s/@VERSION@/$VERSION/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" "$here/desktop/io.backstay.console.metainfo.xml" >"$work/stage/io.backstay.console.metainfo.xml"
		GLIBC=$(glibc "$work/stage/bin/backstay-desktop") pack desktop "$arch" backstay-desktop
	fi
done
(cd "$out" && find . -maxdepth 1 -type f ! -name "SHA256SUMS*" -printf '%P\0' | sort -z | xargs -0 sha256sum >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
