#!/bin/sh
# copyright.sh PACKAGE RESTIC-LICENCE: writes the package's copyright file (Debian's machine-readable form) to standard output.
set -eu
cat <<'TEXT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Backstay
Source: https://github.com/backstay/backstay
Comment: The programs are linked with Go modules of others, whose names and
 licences are in third-party-licenses.gz beside this file.

Files: *
Copyright: 2026 The Backstay authors
License: Apache-2.0
TEXT
indented() { sed -e 's/[[:space:]]*$//' -e 's/^$/./' -e 's/^/ /' "$1"; }
case $1 in
agent)
	printf '\nFiles: /usr/lib/backstay/restic\nCopyright: %s\nLicense: BSD-2-Clause\n' "$(sed -n 's/^Copyright (c) //p' "$2" | head -n 1)"
	indented "$2"
	;;
desktop)
	printf '\nFiles: /usr/bin/backstay-desktop\nCopyright: 2026 The Backstay authors; fonts in it: The Inter Project Authors,\n The JetBrains Mono Project Authors; icons in it: Lucide Contributors\nLicense: Apache-2.0 and OFL-1.1 and ISC\n The texts of OFL-1.1 and ISC are in third-party-licenses.gz.\n'
	;;
esac
cat <<'TEXT'

License: Apache-2.0
 Licensed under the Apache License, Version 2.0 (the "License");
 you may not use this file except in compliance with the License.
 You may obtain a copy of the License at
 .
     https://www.apache.org/licenses/LICENSE-2.0
 .
 Unless required by applicable law or agreed to in writing, software
 distributed under the License is distributed on an "AS IS" BASIS,
 WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 See the License for the specific language governing permissions and
 limitations under the License.
 .
 On Debian systems, the complete text of the Apache License, Version 2.0, is
 in "/usr/share/common-licenses/Apache-2.0".
TEXT
