#!/usr/bin/env bash
# lint.sh DIST: lintian for each .deb, rpmlint for each .rpm, the desktop entry and the AppStream metainfo of the console. Errors fail it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dist=$(cd "$1" && pwd)
bad=0
work=$(mktemp -d "${TMPDIR:-/tmp}/backstay-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT
# rpmlint unpacks with a plain cpio. The paths in nfpm's packages begin with a slash: as root, that would install them.
mkdir "$work/bin" "$work/desktop"
printf '#!/bin/sh\nexec %s --no-absolute-filenames "$@"\n' "$(command -v cpio)" >"$work/bin/cpio"
chmod 755 "$work/bin/cpio"
for f in "$dist"/*.deb; do
	echo "== lintian $(basename "$f")"
	lintian --allow-root --fail-on error "$f" || bad=1
done
for f in "$dist"/*.rpm; do
	echo "== rpmlint $(basename "$f")"
	PATH="$work/bin:$PATH" rpmlint --config "$here/rpmlint.toml" "$f" || bad=1
done
for f in "$dist"/backstay-desktop_*.deb; do
	[ -e "$f" ] || continue
	dpkg-deb -x "$f" "$work/desktop"
	echo "== desktop entry and metainfo of $(basename "$f")"
	desktop-file-validate "$work/desktop/usr/share/applications/io.backstay.console.desktop" || bad=1
	appstreamcli validate --no-net --pedantic "$work/desktop/usr/share/metainfo/io.backstay.console.metainfo.xml" || bad=1
done
exit "$bad"
