#!/usr/bin/env bash
# packages.sh: the Debian packages on a real systemd: install, enrol, a newer version in mid-backup, remove in mid-backup, install again,
# purge. `make test-systemd` runs it after test.sh; like that, it says "skipped: reason" and ends with 0 where the machine does not
# allow it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=lab.sh
. "$here/lab.sh"
# shellcheck source=steps.sh
. "$here/steps.sh"

lab_root
dir=$(mktemp -d "${TMPDIR:-/tmp}/backstay-packages.XXXXXX")
finish() {
	local status=$?
	lab_stop
	rm -rf "$dir"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

[ -x "$root/bin/rest-server" ] || die "no rest-server: run \`make bin/rest-server\`"
arch=$(dpkg --print-architecture)
say "two versions"
for version in 1.0.0 1.0.1; do
	VERSION=$version PACKAGES="daemon agent" FORMATS=deb SBOM=no "$root/packaging/package/build.sh" "$dir/debs" "$arch"
done

say "a systemd"
lab_boot "$dir/lab"
repository_server "$root/bin/rest-server"
dpkg_i() { # dpkg_i VERSION PACKAGE...
	local version=$1 p files=()
	shift
	for p in "$@"; do
		put "$dir/debs/backstay-${p}_$version-1_$arch.deb" "/root/$p.deb"
		files+=("/root/$p.deb")
	done
	lab dpkg --install "${files[@]}" >"$dir/dpkg" 2>&1 || die "dpkg: $(cat "$dir/dpkg")"
}

say "install"
dpkg_i 1.0.0 daemon agent
grep -e 'Next:' -e 'enrol' "$dir/dpkg" || die "the packages do not say what comes next: $(cat "$dir/dpkg")"
await 30 "the daemon" active backstayd
[ "$(lab systemctl is-enabled backstayd)" = enabled ] || die "the daemon is not enabled"
[ "$(lab systemctl is-enabled backstay-agent)" = disabled ] || die "the agent of a host that is not enrolled is enabled"
active backstay-agent && die "an agent that is not enrolled runs"
[ "$(lab systemctl show -P FragmentPath backstayd)" = /usr/lib/systemd/system/backstayd.service ] || [ "$(lab systemctl show -P FragmentPath backstayd)" = /lib/systemd/system/backstayd.service ] ||
	die "the daemon's unit is not the package's"

say "enrol"
lab sh -c 'echo correct-horse-battery | backstayd user add admin --role admin --password-stdin'
pin=$(lab backstayd pin)
lab backstay-agent enrol --server https://127.0.0.1:7443 --pin "$pin" --token "$(lab backstayd enrol-token --quiet)"
active backstay-agent || die "the agent is not active"
[ "$(lab systemctl is-enabled backstay-agent)" = enabled ] || die "the agent is not enabled"
lab sh -c "echo correct-horse-battery | backstay login https://127.0.0.1:7443 --pin $pin --user admin --password-stdin --credentials file" >/dev/null
await 20 "the host" online
host=$(lab hostname)
lab sh -c 'printf "repository-secret\n" | backstay repo add main rest:http://127.0.0.1:8000/main/ --host "$1" --password-stdin --init' sh "$host" >/dev/null
lab backstay plan add web --repo main --host "$host" --path /srv/data --verbose >/dev/null

say "a newer version in mid-backup"
begin
[ "$(lab readlink "/proc/$restic/exe")" = /usr/lib/backstay/restic ] || die "restic is not the package's but $(lab readlink "/proc/$restic/exe")"
before=$(agent_pid)
dpkg_i 1.0.1 agent
back() { active backstay-agent && [ "$(agent_pid)" != "$before" ] && [ "$(agent_pid)" != 0 ] && online; }
await 30 "the agent" back
newer() { lab backstay hosts --json | grep -q '"agent_version":"1.0.1"'; }
await 30 "the newer agent" newer
dpkg_i 1.0.1 daemon
await 30 "the host" online
goes_on

say "what somebody disabled stays disabled"
lab systemctl disable --now backstay-agent 2>/dev/null
dpkg_i 1.0.1 agent
active backstay-agent && die "the upgrade started a service that was disabled"
[ "$(lab systemctl is-enabled backstay-agent)" = disabled ] || die "the upgrade enabled a service that was disabled"
lab backstay-agent install >/dev/null
await 30 "the host" online

say "remove in mid-backup"
begin
rest CONT
lab dpkg --remove backstay-agent >"$dir/dpkg" 2>&1 || die "dpkg: $(cat "$dir/dpkg")"
left=$(lab sh -c 'find /etc/systemd /run/systemd /usr /lib -name "*backstay-agent*"; pgrep -lx backstay-agent; pgrep -lx restic; systemctl list-units --all --plain --no-legend "backstay-agent*" "backstay-job*"') || :
[ -z "$left" ] || die "the removal left: $left"
[ -z "$(lab ls -A /srv/repo/main/locks)" ] || die "a lock is left in the repository"
lab test -e /var/lib/backstay-agent/agent.toml || die "the removal took the data"

say "install again"
dpkg_i 1.0.1 agent
await 30 "the host" online
[ "$(lab systemctl is-enabled backstay-agent)" = enabled ] || die "the agent that came back is not enabled"
lab backstay backup "$host" --plan web --follow >"$dir/again" || die "the backup failed: $(tail -n 20 "$dir/again")"
tail -n 2 "$dir/again"

say "purge"
lab dpkg --purge backstay-agent backstay-daemon >"$dir/dpkg" 2>&1 || die "dpkg: $(cat "$dir/dpkg")"
left=$(lab sh -c 'find /etc /run /usr /lib /var/lib -name "*backstay*" -not -path "/var/lib/dpkg/*"; pgrep -l "backstay|restic"; systemctl list-units --all --plain --no-legend "backstay*"') || :
[ -z "$left" ] || die "the purge left: $left"

say "all is well"
