#!/bin/bash
# build.sh OUT: on a Mac, builds the installers of VERSION for its own processor: the agent with restic as a launchd daemon, the daemon
# with the command line, and the console as an app. Needs Go and Xcode's command line tools.
#
# UNTESTED: no Mac has run this yet. Where SIGN_APPLICATION and SIGN_INSTALLER name identities of the keychain, everything is signed;
# notarise the result with `xcrun notarytool submit`.
set -euo pipefail
[ "$(uname -s)" = Darwin ] || {
	echo "build.sh: the macOS installers are built on a Mac: pkgbuild and iconutil exist only there." >&2
	exit 1
}
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
: "${VERSION:?build.sh: say which version}"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
arch=$(go env GOHOSTARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFLAGS='-trimpath -buildvcs=false -tags=migrated_fynedo'
ldflags="-s -w -X github.com/backstay/backstay/shared/buildinfo.version=$VERSION"
short=$(printf '%s\n' "$VERSION" | sed 's/[-+].*//')
cd "$root"

sign() { [ -z "${SIGN_APPLICATION:-}" ] || codesign --force --options runtime --timestamp --sign "$SIGN_APPLICATION" "$@"; }
manual() { # manual PROGRAM PACKAGE ROOT: units, man pages and completions
	CGO_ENABLED=0 go run -ldflags "$ldflags" -tags migrated_fynedo,ci,describe "./$2" "$work/manual/$1"
	mkdir -p "$3/usr/local/share/zsh/site-functions" "$3/usr/local/share/man"
	cp "$work/manual/$1/zsh/_$1" "$3/usr/local/share/zsh/site-functions/"
	local page section
	for page in "$work/manual/$1/man/"*; do
		section=${page##*.}
		mkdir -p "$3/usr/local/share/man/man$section"
		gzip -9n <"$page" >"$3/usr/local/share/man/man$section/${page##*/}.gz"
	done
}
pack() { # pack NAME IDENTIFIER ROOT SCRIPTS
	pkgbuild --root "$3" --identifier "$2" --version "$short" --scripts "$4" --ownership recommended --install-location / \
		${SIGN_INSTALLER:+--sign "$SIGN_INSTALLER"} "$out/$1-$VERSION-$arch.pkg"
}
scripts() { # scripts NAME LINES: what runs after the files are there
	mkdir -p "$work/scripts/$1"
	printf '#!/bin/sh\nset -e\n%s\n' "$2" >"$work/scripts/$1/postinstall"
	chmod 755 "$work/scripts/$1/postinstall"
}

# The agent: launchd gets its job from `backstay-agent install`, which also brings an older one up to date. Running jobs go on.
r=$work/agent
mkdir -p "$r/usr/local/bin" "$r/usr/local/lib/backstay" "$r/usr/local/share/doc/backstay-agent"
CGO_ENABLED=0 go build -ldflags "$ldflags" -o "$r/usr/local/bin/" ./agent/cmd/backstay-agent
(cd packaging/tools/restic && CGO_ENABLED=0 go build -ldflags '-s -w' -o "$r/usr/local/lib/backstay/restic" github.com/restic/restic/cmd/restic)
CGO_ENABLED=0 go run ./packaging/package/notices -extra "restic=$(cd packaging/tools/restic && go list -m -f '{{.Dir}}' github.com/restic/restic)/LICENSE" \
	"$r/usr/local/bin/backstay-agent" "$r/usr/local/lib/backstay/restic" >"$r/usr/local/share/doc/backstay-agent/third-party-licenses.txt"
cp LICENSE "$r/usr/local/share/doc/backstay-agent/"
manual backstay-agent agent/cmd/backstay-agent "$r"
sign "$r/usr/local/bin/backstay-agent" "$r/usr/local/lib/backstay/restic"
scripts agent 'if [ -e "/Library/Application Support/Backstay/Agent/agent.toml" ]; then
	/usr/local/bin/backstay-agent install --no-start && /usr/local/bin/backstay-agent restart
fi'
pack backstay-agent io.backstay.agent "$r" "$work/scripts/agent"

# The daemon and the command line.
r=$work/daemon
mkdir -p "$r/usr/local/bin" "$r/usr/local/share/doc/backstay-daemon"
CGO_ENABLED=0 go build -ldflags "$ldflags" -o "$r/usr/local/bin/" ./daemon/cmd/backstayd ./daemon/cmd/backstay
CGO_ENABLED=0 go run ./packaging/package/notices "$r/usr/local/bin/backstayd" "$r/usr/local/bin/backstay" >"$r/usr/local/share/doc/backstay-daemon/third-party-licenses.txt"
cp LICENSE "$r/usr/local/share/doc/backstay-daemon/"
manual backstayd daemon/cmd/backstayd "$r"
manual backstay daemon/cmd/backstay "$r"
sign "$r/usr/local/bin/backstayd" "$r/usr/local/bin/backstay"
scripts daemon 'if [ -e "/Library/LaunchDaemons/io.backstay.daemon.plist" ]; then /usr/local/bin/backstayd restart; fi'
pack backstay-daemon io.backstay.daemon "$r" "$work/scripts/daemon"

# The console.
app=$work/console/Applications/Backstay.app
mkdir -p "$app/Contents/MacOS" "$app/Contents/Resources" "$work/icon.iconset"
go build -ldflags "$ldflags" -o "$app/Contents/MacOS/backstay-desktop" ./desktop/cmd/backstay-desktop
for size in 16 32 128 256 512; do cp "icons/app/backstay-$size.png" "$work/icon.iconset/icon_${size}x${size}.png"; done
cp icons/app/backstay-32.png "$work/icon.iconset/icon_16x16@2x.png"
cp icons/app/backstay-64.png "$work/icon.iconset/icon_32x32@2x.png"
cp icons/app/backstay-256.png "$work/icon.iconset/icon_128x128@2x.png"
cp icons/app/backstay-512.png "$work/icon.iconset/icon_256x256@2x.png"
iconutil --convert icns --output "$app/Contents/Resources/backstay.icns" "$work/icon.iconset"
CGO_ENABLED=0 go run ./packaging/package/notices -extra "Inter and JetBrains Mono=desktop/internal/theme/fonts/OFL.txt" -extra "Lucide icons=icons/svg/LICENSE" \
	"$app/Contents/MacOS/backstay-desktop" >"$app/Contents/Resources/third-party-licenses.txt"
sed "s/@VERSION@/$short/" packaging/macos/Info.plist >"$app/Contents/Info.plist"
plutil -lint "$app/Contents/Info.plist"
sign "$app"
scripts console ':'
pack backstay-desktop io.backstay.console "$work/console" "$work/scripts/console"
(cd "$out" && shasum -a 256 ./*.pkg | sed 's|\./||' >SHA256SUMS-macos)
