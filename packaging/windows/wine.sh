#!/usr/bin/env bash
# wine.sh: the agent's installer for Windows under Wine, against a real daemon: installed and enrolled without a question, replaced by a newer
# version while the service runs, uninstalled. `make test-wine` runs it. /PURGE is not tried: Wine 8 cannot remove files as Go asks it to.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/backstay-wine.XXXXXX")
daemon=
holder=
finish() {
	local status=$?
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
	[ -z "$holder" ] || kill "$holder" 2>/dev/null || :
	wineserver --kill --wait 2>/dev/null || :
	wait 2>/dev/null || :
	rm -rf "$dir"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
say() { printf '\n== %s\n' "$*"; }
die() {
	printf 'wine.sh: %s\n' "$*" >&2
	[ ! -e "$dir/daemon.log" ] || tail -n 5 "$dir/daemon.log" >&2
	exit 1
}
await() { # await SECONDS WHAT CMD...
	local limit=$1 what=$2 i
	shift 2
	for ((i = 0; i < limit * 5; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	die "$what did not come within $limit s"
}

say "two versions"
for version in 1.0.0 1.0.1; do VERSION=$version "$here/build.sh" "$dir/setup" agent; done
(cd "$root" && CGO_ENABLED=0 go build -o "$dir/bin/" ./daemon/cmd/backstayd ./daemon/cmd/backstay)

say "a Windows and a daemon"
export WINEPREFIX=$dir/wine WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= BACKSTAYD_DATA=$dir/daemon BACKSTAY_CONFIG_DIR=$dir/cli
unset DISPLAY WAYLAND_DISPLAY
wineboot --init 2>/dev/null
wineserver --wait # what is registered with one that is just ending is lost
x86_64-w64-mingw32-gcc -shared -s -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$root/packaging/test/wine/bcryptprimitives.c" -ladvapi32
mkfifo "$dir/open" # a Wine without a program of a person ends its services
sleep 3600 >"$dir/open" &
holder=$!
wine cmd <"$dir/open" >/dev/null 2>&1 &
echo correct-horse-battery | "$dir/bin/backstayd" user add admin --role admin --password-stdin
"$dir/bin/backstayd" serve --listen 127.0.0.1:0 >"$dir/daemon.log" 2>&1 &
daemon=$!
address() { grep -o 'listen=[0-9.:]*' "$dir/daemon.log"; }
await 30 "the daemon" address
server=https://$(address | cut -d = -f 2)
pin=$("$dir/bin/backstayd" pin)
echo correct-horse-battery | "$dir/bin/backstay" login "$server" --pin "$pin" --user admin --password-stdin --credentials file

program="$WINEPREFIX/drive_c/Program Files/Backstay"
agent() { wine 'C:\Program Files\Backstay\backstay-agent.exe' "$@"; }
connected() { "$dir/bin/backstay" hosts --json | grep "\"agent_version\":\"$1\"" | grep '"online":true'; }

say "installed and enrolled without a question"
wine "$dir/setup/backstay-agent-setup-1.0.0-amd64.exe" /S "/SERVER=$server" "/PIN=$pin" "/TOKEN=$("$dir/bin/backstayd" enrol-token --quiet)" || die "the installer ended with $?"
await 60 "the host" connected 1.0.0
agent doctor | grep 'Backstay.restic.exe' || die "restic is not the one that came along"

say "a token that is not valid"
status=0
mv "$WINEPREFIX/drive_c/ProgramData/Backstay/Agent/agent.toml" "$dir/agent.toml"
wine "$dir/setup/backstay-agent-setup-1.0.0-amd64.exe" /S "/SERVER=$server" "/PIN=$pin" /TOKEN=wrong || status=$?
[ "$status" -eq 2 ] || die "the installer ended with $status, not with 2"
mv "$dir/agent.toml" "$WINEPREFIX/drive_c/ProgramData/Backstay/Agent/agent.toml"

say "a newer version over it"
agent restart
await 60 "the host" connected 1.0.0
wine "$dir/setup/backstay-agent-setup-1.0.1-amd64.exe" /S || die "the installer ended with $?"
await 60 "the newer agent" connected 1.0.1

say "uninstalled, the data stay"
wine 'C:\Program Files\Backstay\uninstall-agent.exe' /S || die "the uninstaller ended with $?"
gone() { [ ! -e "$program" ]; }
await 60 "the end of the uninstaller" gone
wine sc query backstay-agent >"$dir/query" 2>/dev/null && die "the service is still there: $(cat "$dir/query")"
[ -e "$WINEPREFIX/drive_c/ProgramData/Backstay/Agent/agent.toml" ] || die "the uninstaller took the data"

say "all is well"
