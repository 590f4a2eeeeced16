#!/usr/bin/env bash
# agent.sh: the agent for Windows under Wine, as a service, with restic.exe, against a daemon and a REST server of this machine:
# install, enrol (the password goes into LocalSystem's Credential Manager), back up, stop and start the service in mid-backup,
# cancel, uninstall. Part of `make test-wine`; says "skipped: reason" and ends with 0 where Wine or a compiler for its stub is missing.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
for tool in wine wineserver x86_64-w64-mingw32-gcc; do
	command -v "$tool" >/dev/null || { echo "skipped: there is no $tool here"; exit 0; }
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/backstay-wine.XXXXXX")
export WINEPREFIX=$dir/prefix WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= XDG_CONFIG_HOME=$dir/cli
unset DISPLAY WAYLAND_DISPLAY
pids=()
finish() {
	local status=$? pid
	[ "$status" -eq 0 ] || tail -n 40 "$dir"/prefix/drive_c/ProgramData/Backstay/Agent/log/*.log "$dir"/*.log >&2 || :
	wineserver -k -w 2>/dev/null || :
	for pid in "${pids[@]}"; do kill -CONT "$pid" 2>/dev/null && kill "$pid" && wait "$pid" || :; done 2>/dev/null
	rm -rf "$dir"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
say() { printf '\n== %s\n' "$*"; }
die() {
	echo "test-wine: $*" >&2
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
json() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
agent() { timeout 120 wine 'C:\Program Files\Backstay\backstay-agent.exe' "$@"; }
cli() { "$dir/bin/backstay" "$@"; }
job_state() { cli jobs show "$1" --json | json state; }
ended() { case $(job_state "$1") in succeeded | warning | failed | cancelled | interrupted) ;; *) return 1 ;; esac }
online() { cli hosts --json | grep -q '"online":true'; }
offline() { cli hosts --json | grep -q '"online":false'; }

say "programs"
(cd "$root" && CGO_ENABLED=0 go build -o "$dir/bin/" ./daemon/cmd/backstayd ./daemon/cmd/backstay &&
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -o "$dir/bin/" ./agent/cmd/backstay-agent)
timeout 300 wine wineboot -i >/dev/null 2>&1
wineserver -w # what is registered with one that is just ending is lost
programs=$WINEPREFIX/drive_c/Program\ Files/Backstay
system32=$WINEPREFIX/drive_c/windows/system32
[ -e "$system32/bcryptprimitives.dll" ] || x86_64-w64-mingw32-gcc -shared -s -o "$system32/bcryptprimitives.dll" "$root/packaging/test/wine/bcryptprimitives.c" -ladvapi32
mkdir -p "$programs" "$WINEPREFIX/drive_c/data"
cp "$dir/bin/backstay-agent.exe" "$root/bin/restic.exe" "$programs/"
sleep 3600 | wine cmd >/dev/null 2>&1 & # Wine ends its services with the last program of a person
pids+=($!)
await 60 "the agent's program" agent version

port() { shuf -i 20000-60000 -n 1; }
address=127.0.0.1:$(port)
rest=127.0.0.1:$(port)
echo correct-horse-battery | "$dir/bin/backstayd" user add admin --role admin --password-stdin --data "$dir/daemon"
"$dir/bin/backstayd" serve --data "$dir/daemon" --listen "$address" >"$dir/daemon.log" 2>&1 &
pids+=($!)
"$root/bin/rest-server" --listen "$rest" --path "$dir/repo" --no-auth >"$dir/rest.log" 2>&1 &
server=$!
pids+=("$server")
pin=$("$dir/bin/backstayd" pin --data "$dir/daemon")
login() { echo correct-horse-battery | cli login "https://$address" --pin "$pin" --user admin --password-stdin --credentials file; }
await 30 "the daemon" login

say "install, twice; enrol"
agent install
agent install | grep -q 'nothing had to be changed' || die "the second install changed something"
agent enrol --server "https://$address" --pin "$pin" --token "$("$dir/bin/backstayd" enrol-token --quiet --data "$dir/daemon")"
await 60 "the host" online
agent status
host=$(cli hosts --json | json name)
cli hosts --json | grep -q '"secret_store":"keyring"' || die "the passwords are not in the Credential Manager"

say "a password into the Credential Manager and back, a backup"
printf 'repository-secret\n' | cli repo add main "rest:http://$rest/main/" --host "$host" --password-stdin --init >/dev/null
[ -z "$(grep -rl repository-secret "$WINEPREFIX/drive_c/ProgramData" || :)" ] || die "the password lies readable in the data folder"
echo one >"$WINEPREFIX/drive_c/data/file"
cli plan add files --repo main --host "$host" --path 'C:\data' --verbose >/dev/null
cli backup "$host" --plan files --follow | tail -n 2

# begin: a backup that is under way: restic has printed lines, and the server is frozen, so that it cannot end.
fill() { rm -f "$WINEPREFIX"/drive_c/data/* && head -c 60000000 /dev/urandom | (cd "$WINEPREFIX/drive_c/data" && split -b 100000 -a 3 -d - f); }
begin() {
	fill
	job=$(cli backup "$host" --plan files --json | json id)
	enough() { [ "$(cli jobs log "$job" --json | wc -l)" -ge 20 ]; }
	await 60 "the backup's log" enough
	kill -STOP "$server"
	restic=$(pgrep -f "restic.exe.*backup" | head -n 1)
	[ -n "$restic" ] || die "restic.exe was too quick"
}

say "the service is stopped and started in mid-backup"
begin
agent stop
await 60 "the agent's end" offline
kill -0 "$restic" || die "restic ended with the service"
agent start
await 60 "the host" online
kill -0 "$restic" || die "restic ended with the service's start"
kill -CONT "$server"
await 120 "the end of the backup" ended "$job"
[ "$(job_state "$job")" = succeeded ] || die "the backup is $(job_state "$job")"
cli jobs log "$job" --json | sed -n 's/.*"seq":\([0-9]*\).*/\1/p' >"$dir/seq"
seq "$(wc -l <"$dir/seq")" | cmp -s - "$dir/seq" || die "the log has holes"
[ "$(wc -l <"$dir/seq")" -ge 600 ] || die "the log lacks files"
echo "ok: the same restic finished, $(wc -l <"$dir/seq") lines, none missing"

say "cancel"
printf '\ncancel_grace = "3s"\n' >"$dir/grace"
toml=$WINEPREFIX/drive_c/ProgramData/Backstay/Agent/agent.toml
cat "$dir/grace" >>"$toml"
agent restart
await 60 "the host" online
begin
cli jobs cancel "$job" >/dev/null
killed() { ! kill -0 "$restic"; }
await 60 "restic's end" killed
kill -CONT "$server"
await 120 "the end of the backup" ended "$job"
[ "$(job_state "$job")" = cancelled ] || die "the backup is $(job_state "$job")"
[ -z "$(ls -A "$dir/repo/main/locks")" ] || die "a lock is left in the repository"
echo "ok: cancelled, and no lock is left"

say "uninstall"
agent uninstall
agent status | grep 'service: not installed' || die "the service is still there"
[ -e "$toml" ] || die "the uninstall took the data"
say "all is well"
