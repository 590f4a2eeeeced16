#!/usr/bin/env bash
# test.sh: daemon and agent as services of a real systemd, with real restic and a REST server: install, enrol, back up, kill the agent,
# restart it, replace it by a newer version, restart the host, each in mid-backup; restore with owners; uninstall. `make test-systemd`.
# Everything runs in namespaces of its own (see lab.sh). Where the machine does not allow that, it says "skipped: reason" and ends with 0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=lab.sh
. "$here/lab.sh"
# shellcheck source=steps.sh
. "$here/steps.sh"

lab_root
dir=$(mktemp -d "${TMPDIR:-/tmp}/backstay-systemd.XXXXXX")
finish() {
	local status=$?
	lab_stop
	rm -rf "$dir"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

build() { # build VERSION
	(cd "$root" && CGO_ENABLED=0 go build -ldflags "-s -w -X github.com/backstay/backstay/shared/buildinfo.version=$1" -o "$dir/$1/" \
		./daemon/cmd/backstayd ./daemon/cmd/backstay ./agent/cmd/backstay-agent)
}

say "two versions"
build 1.0.0
build 1.0.1
restic_bin=$("$root/packaging/demo/find-restic.sh") || die "no restic: run \`make bin/restic\`"
[ -x "$root/bin/rest-server" ] || die "no rest-server: run \`make bin/rest-server\`"

say "a systemd"
lab_boot "$dir/lab"
lab systemctl --version | head -n 1
install_programs() {
	local p
	for p in backstayd backstay backstay-agent; do put "$dir/$1/$p" "/usr/bin/$p"; done
}
install_programs 1.0.0
put "$restic_bin" /usr/bin/restic
repository_server "$root/bin/rest-server"
lab useradd --create-home ann
lab sh -c 'chmod 700 /home/ann && umask 077 && echo mine >/home/ann/private && chown ann:ann /home/ann/private && chmod 600 /home/ann/private &&
	cp /bin/true /home/ann/setuid && chown ann:ann /home/ann/setuid && chmod 4755 /home/ann/setuid && ln -s private /home/ann/link'

say "install, twice"
lab backstayd install
lab backstayd install | grep -q 'nothing had to be changed' || die "the second install changed something"
active backstayd || die "the daemon is not active"
lab sh -c 'echo correct-horse-battery | backstayd user add admin --role admin --password-stdin'
[ "$(lab find /var/lib/backstayd ! -user backstay | wc -l)" -eq 0 ] || die "a command of root left files of root in the daemon's folder"
lab backstayd stop
lab chown root: /var/lib/backstayd/state.db # put back from a copy
lab backstayd install | grep 'belongs to the account backstay' || die "a file of root stays in the daemon's folder"
active backstayd || die "the daemon is not active"
lab backstay-agent install
active backstay-agent && die "an agent that is not enrolled runs"

say "enrol"
pin=$(lab backstayd pin)
lab backstay-agent enrol --server https://127.0.0.1:7443 --pin "$pin" --token "$(lab backstayd enrol-token --quiet)"
active backstay-agent || die "the agent is not active"
lab sh -c "echo correct-horse-battery | backstay login https://127.0.0.1:7443 --pin $pin --user admin --password-stdin --credentials file" >/dev/null
await 20 "the host" online
host=$(lab hostname)
lab backstay-agent status
lab backstay-agent status | grep -q 'key: systemd-credential' || die "the key is not systemd's"
lab backstay hosts --json | grep -q '"secret_store":"systemd-credential"' || die "the API does not say where the secrets are"
lab backstay-agent doctor
lab sh -c 'printf "repository-secret\n" | backstay repo add main rest:http://127.0.0.1:8000/main/ --host "$1" --password-stdin --init' sh "$host" >/dev/null
lab backstay plan add web --repo main --host "$host" --path /srv/data --path /home/ann --verbose >/dev/null
[ "$(lab sh -c 'grep -rl repository-secret /var/lib /etc /run 2>/dev/null | wc -l')" -eq 0 ] || die "a repository password lies readable on the disk"

say "a backup on demand"
lab backstay backup "$host" --plan web --follow >"$dir/first" || die "the backup failed: $(tail -n 20 "$dir/first")"
tail -n 2 "$dir/first"

say "kill -9 of the agent in mid-backup"
begin
before=$(agent_pid)
lab kill -KILL "$before"
back() { active backstay-agent && [ "$(agent_pid)" != "$before" ] && [ "$(agent_pid)" != 0 ] && online; }
await 30 "the agent" back
echo "systemd started the agent again: pid $before, now $(agent_pid)"
goes_on

say "systemctl restart in mid-backup"
begin
before=$(agent_pid)
lab systemctl restart backstay-agent
await 30 "the agent" back
goes_on

say "a newer version in mid-backup"
begin
before=$(agent_pid)
install_programs 1.0.1
lab backstay-agent restart
await 30 "the agent" back
newer() { lab backstay hosts --json | grep -q '"agent_version":"1.0.1"'; }
await 30 "the newer agent" newer
goes_on
lab backstayd restart
await 30 "the host" online

say "the host goes down in mid-backup and comes back"
begin
rest CONT
lab_stop
lab_boot "$dir/lab"
await 60 "the host" online
await 60 "the job's end" ended "$job"
[ "$(job_state "$job")" = interrupted ] || die "the job is $(job_state "$job")"
lab backstay jobs show "$job" | grep -i -m 1 'host' || :
[ -z "$(lab ls -A /srv/repo/main/locks)" ] || die "a lock is left in the repository"

say "another user's private file comes back with its owner, below a restore root of its own"
lab backstay backup "$host" --plan web --follow >"$dir/second" || die "the backup failed: $(tail -n 20 "$dir/second")"
lab sh -c 'echo "restore_roots = [\"/srv/restore\"]" >>/var/lib/backstay-agent/policy.toml'
lab backstay-agent install | grep 10-host.conf
await 30 "the host" online
lab systemctl show -P CapabilityBoundingSet backstay-agent
snapshot=$(lab backstay snapshots --repository main --json | json id)
lab backstay restore "$host" --snapshot "$snapshot" --include /home/ann --folder back --follow >"$dir/restore" || die "the restore failed: $(tail -n 20 "$dir/restore")"
lab sh -c 'cd /srv/restore/back/home/ann && stat -c "%U:%G %a %n" . private setuid && cat private && readlink link' | tee "$dir/stat"
lab sh -c 'mkdir -m 700 /home/ann/back && chown ann:ann /home/ann/back && sed -i "s|^restore_roots.*|restore_roots = [\"/home/ann/back\"]|" /var/lib/backstay-agent/policy.toml'
lab backstay-agent install | grep 10-host.conf
await 30 "the host" online
lab backstay restore "$host" --snapshot "$snapshot" --include /home/ann --folder mine --follow >"$dir/restore" || die "the restore failed: $(tail -n 20 "$dir/restore")"
lab test -e /home/ann/back/mine/home/ann/private || die "nothing is in a restore root of another user"
printf 'ann:ann 700 .\nann:ann 600 private\nann:ann 4755 setuid\nmine\nprivate\n' | cmp - "$dir/stat" || die "the restore is not as it was"

say "a missing key stops the service"
lab mv /var/lib/backstay-agent.key/backstay-key.cred /root/
lab backstay-agent restart && die "the agent started without its key"
lab backstay-agent status || :
lab mv /root/backstay-key.cred /var/lib/backstay-agent.key/
lab backstay-agent restart
await 30 "the host" online

say "how exposed the services are"
for unit in backstayd backstay-agent; do lab systemd-analyze security "$unit" --no-pager | tail -n 1; done
lab backstay-agent logs -n 3

say "uninstall in mid-backup"
begin
rest CONT
lab backstay-agent uninstall
lab backstayd uninstall
left=$(lab sh -c 'find /etc /run/systemd -name "*backstay*" | grep -v credential; pgrep -l "backstay|restic"; systemctl list-units --all --plain --no-legend "backstay*"') || :
[ -z "$left" ] || die "the uninstall left: $left"
[ -z "$(lab ls -A /srv/repo/main/locks)" ] || die "a lock is left in the repository"
lab test -e /var/lib/backstay-agent/agent.toml || die "the uninstall took the data"
lab backstay-agent uninstall --purge
lab test ! -e /var/lib/backstay-agent -a ! -e /var/lib/backstay-agent.key || die "the purge left data"

say "all is well"
