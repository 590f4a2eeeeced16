#!/usr/bin/env bash
# build.sh OUT [agent] [desktop]: builds the Windows installers of VERSION into OUT: the agent as a service with restic, and the console with
# the command line. Each program has its icon and version as resources. They are not signed: who publishes them does that.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- agent desktop
: "${VERSION:?build.sh: say which version (make package-windows does)}"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH TZ=UTC
umask 022
work=$(mktemp -d "${TMPDIR:-/tmp}/backstay-windows.XXXXXX")
made=()
trap 'rm -rf "$work" "${made[@]}"' EXIT
# Windows counts versions in four numbers.
four=$(printf '%s\n' "$VERSION" | sed -E 's/^([0-9]+)\.([0-9]+)\.([0-9]+).*/\1.\2.\3.0/')

# resources COMMAND TITLE: icon, version and manifest, which the linker takes from the command's folder.
resources() {
	local name=${1##*/}
	sed -e "s/backstay-desktop/$name/; s/\"FileDescription\": \"Backstay\"/\"FileDescription\": \"$2\"/; s/Backstay's console/$2/; s/backstay-desktop/$name/" \
		"$root/packaging/windows/winres.json" >"$root/packaging/windows/.$name.json"
	made+=("$root/packaging/windows/.$name.json" "$root/$1/rsrc_windows_amd64.syso")
	"$root/bin/go-winres" make --in "$root/packaging/windows/.$name.json" --out "$root/$1/rsrc" --arch amd64 --product-version "$VERSION" --file-version "$VERSION"
}
go_windows() { (cd "$root" && GOOS=windows GOARCH=amd64 go build -ldflags "-s -w -X github.com/backstay/backstay/shared/buildinfo.version=$VERSION $1" -o "$2" "./$3"); }

# installer NAME FILE PROGRAM...: FILE is what people download.
installer() {
	local name=$1 file=$2
	shift 2
	cp "$root/LICENSE" "$work/LICENSE.txt"
	(cd "$root" && CGO_ENABLED=0 go run ./packaging/package/notices "${extra[@]}" "${@/#/$work/}") >"$work/third-party-licenses.txt"
	find "$work" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	(cd "$root/packaging/windows" && makensis -V2 -DVERSION="$VERSION" -DFOUR="$four" -DBIN="$work" -DOUTFILE="$out/$file" "$name.nsi")
}

convert "$root"/icons/app/backstay-{16,24,32,48,64,256}.png "$work/backstay.ico"
for which; do
	case $which in
	agent)
		resources agent/cmd/backstay-agent "Backstay agent"
		CGO_ENABLED=0 go_windows '' "$work/backstay-agent.exe" agent/cmd/backstay-agent
		(cd "$root/packaging/tools/restic" && CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -ldflags '-s -w' -o "$work/restic.exe" github.com/restic/restic/cmd/restic)
		extra=(-extra "restic=$(cd "$root/packaging/tools/restic" && go list -m -f '{{.Dir}}' github.com/restic/restic)/LICENSE")
		installer agent "backstay-agent-setup-$VERSION-amd64.exe" backstay-agent.exe restic.exe
		;;
	desktop)
		resources daemon/cmd/backstay "Backstay command line"
		resources desktop/cmd/backstay-desktop "Backstay"
		CGO_ENABLED=0 go_windows '' "$work/backstay.exe" daemon/cmd/backstay
		CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go_windows '-H windowsgui' "$work/backstay-desktop.exe" desktop/cmd/backstay-desktop
		extra=(-extra "Inter and JetBrains Mono=$root/desktop/internal/theme/fonts/OFL.txt" -extra "Lucide icons=$root/icons/svg/LICENSE")
		installer desktop "backstay-setup-$VERSION-amd64.exe" backstay.exe backstay-desktop.exe
		;;
	*)
		echo "build.sh: there is no installer $which" >&2
		exit 2
		;;
	esac
done
(cd "$out" && find . -maxdepth 1 -type f ! -name "SHA256SUMS*" -printf '%P\0' | sort -z | xargs -0 sha256sum >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
