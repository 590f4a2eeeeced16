#!/usr/bin/env bash
# lint.sh DIST: lintian for each .deb, rpmlint for each .rpm, the desktop entry and the AppStream metainfo of the console. Errors fail it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dist=$(cd "$1" && pwd)
bad=0
for f in "$dist"/*.deb; do
	echo "== lintian $(basename "$f")"
	lintian --allow-root --fail-on error "$f" || bad=1
done
for f in "$dist"/*.rpm; do
	echo "== rpmlint $(basename "$f")"
	rpmlint --config "$here/rpmlint.toml" "$f" || bad=1
done
entry=$(mktemp -d "${TMPDIR:-/tmp}/backstay-lint.XXXXXX")
trap 'rm -rf "$entry"' EXIT
for f in "$dist"/backstay-desktop_*.deb; do
	[ -e "$f" ] || continue
	dpkg-deb -x "$f" "$entry"
	echo "== desktop entry and metainfo of $(basename "$f")"
	desktop-file-validate "$entry/usr/share/applications/io.backstay.console.desktop" || bad=1
	appstreamcli validate --no-net --pedantic "$entry/usr/share/metainfo/io.backstay.console.metainfo.xml" || bad=1
done
exit "$bad"
