#!/usr/bin/env bash
# run.sh: a whole fleet on this machine, on loopback only: daemon, agent and a REST server with TLS and a password, one
# repository, one plan, one backup that is followed live. Everything it keeps lies in ./run; a second run goes on with the same
# data. Then it waits for Ctrl-C, or with ONCE=1 or without a terminal ends with the backup's exit code. Called by `make run`.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/bin
run=$root/run
source_tree=${DEMO_SOURCE:-$(go env GOROOT)/src}
once=${ONCE:-}
[ -t 1 ] && [ -t 0 ] || once=1
export XDG_CONFIG_HOME=$run/cli # the CLI's profile

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
die() {
	printf 'run: %s\n' "$*" >&2
	exit 1
}
cli() { "$bin/backstay" "$@"; }

# --- what was started, and how it is stopped -------------------------------------------------------------------------------

names=() pids=()

# start NAME CMD...: in a session of its own, so that Ctrl-C reaches this script alone and it stops the parts in order.
start() {
	local name=$1
	shift
	setsid "$@" >>"$run/$name.log" 2>&1 </dev/null &
	names+=("$name") pids+=($!)
}

alive() { kill -0 "$1" 2>/dev/null; }

# stop_one PID SECONDS
stop_one() {
	local i
	alive "$1" || return 0
	kill -TERM "$1" 2>/dev/null || return 0
	for ((i = 0; i < $2 * 10; i++)); do
		alive "$1" || return 0
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null || :
}

# A job outlives its agent, so the ones that still run are cancelled first, while all is up: restic removes its lock.
cancel_jobs() {
	local i ids id
	ids=$(cli jobs ls --active --json 2>/dev/null | grep -o '"id":"[^"]*"' | cut -d '"' -f 4) || return 0
	[ -n "$ids" ] || return 0
	echo "cancelling what still runs"
	for id in $ids; do cli jobs cancel "$id" >/dev/null 2>&1 || :; done
	for ((i = 0; i < 100; i++)); do
		ids=$(cli jobs ls --active --json 2>/dev/null | grep -o '"id":"[^"]*"') || return 0
		[ -n "$ids" ] || return 0
		sleep 1
	done
}

stopped=
finish() {
	local status=$? i
	trap '' INT TERM
	[ -z "$stopped" ] || exit "$status"
	stopped=1
	if [ "${#pids[@]}" -gt 0 ]; then
		say "stopping"
		cancel_jobs
		for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
			stop_one "${pids[i]}" 20
			echo "${names[i]} stopped"
		done
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# await SECONDS WHAT PID CMD...: until CMD succeeds, as long as PID lives.
await() {
	local limit=$1 what=$2 pid=$3 i
	shift 3
	for ((i = 0; i < limit * 10; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		alive "$pid" || break
		sleep 0.1
	done
	tail -n 20 "$run/$what.log" >&2 || :
	die "$what did not come up; its log is $run/$what.log"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# --- the parts -------------------------------------------------------------------------------------------------------------

restic=$("$root/packaging/demo/find-restic.sh") || die "no restic: run \`make bin/restic\`"
(cd "$root" && go run ./packaging/demo/prepare "$run")
# shellcheck source=/dev/null # written by prepare
. "$run/ports"
listens "$DAEMON_PORT" && die "port $DAEMON_PORT is in use; is this demo running already? Stop it, or remove run/ports and run/agent."
listens "$REST_PORT" && die "port $REST_PORT is in use; is this demo running already?"

# Where passwords are kept: the OS keyring where this account has one, else the sealed file.
secrets=sealed-file credentials=file
case $(uname -s) in
Darwin) secrets=keyring credentials=keyring ;;
Linux) if [ -n "${DBUS_SESSION_BUS_ADDRESS:-}" ] || [ -S "/run/user/$(id -u)/bus" ]; then secrets=keyring credentials=keyring; fi ;;
esac
[ "$secrets" = keyring ] || echo "There is no keyring in this session: passwords go to a sealed file (--secrets=sealed-file)."

server=https://127.0.0.1:$DAEMON_PORT
first=
if [ ! -e "$run/daemon" ]; then
	first=1
	"$bin/backstayd" user add admin --role admin --password-stdin --data "$run/daemon" <"$run/admin-password"
fi

say "rest-server, backstayd and backstay-agent"
start rest-server "$bin/rest-server" --listen "127.0.0.1:$REST_PORT" --path "$run/repositories" --private-repos \
	--tls --tls-cert "$run/rest/cert.pem" --tls-key "$run/rest/key.pem" --htpasswd-file "$run/rest/htpasswd"
await 20 rest-server "${pids[0]}" listens "$REST_PORT"
start backstayd "$bin/backstayd" serve --data "$run/daemon" --listen "127.0.0.1:$DAEMON_PORT"
await 30 backstayd "${pids[1]}" listens "$DAEMON_PORT"

pin=$("$bin/backstayd" pin --data "$run/daemon")
cli login "$server" --pin "$pin" --user admin --password-stdin --credentials "$credentials" <"$run/admin-password"
if [ ! -e "$run/agent/agent.toml" ]; then
	token=$("$bin/backstayd" enrol-token --data "$run/daemon" --quiet)
	"$bin/backstay-agent" enrol --data "$run/agent" --server "$server" --token "$token" --pin "$pin" --restic "$restic" --secrets "$secrets"
fi
start backstay-agent "$bin/backstay-agent" run --data "$run/agent"
host=$(hostname)
online() { cli hosts --json | grep -q '"online":true'; }
await 30 backstay-agent "${pids[2]}" online

if [ -n "$first" ] || ! cli plan ls --json | grep -q '"name":"demo"'; then
	say "a repository and a plan"
	{
		cat "$run/repository-password"
		cat "$run/rest/password"
	} | cli repo add demo "rest:https://127.0.0.1:$REST_PORT/demo/" --host "$host" --ca-cert "$run/rest/cert.pem" --rest-user demo --password-stdin --init
	cli plan add demo --repository demo --host "$host" --path "$source_tree" --exclude-caches --verbose
fi

# The console opens where there is a screen, signed in; its preferences lie in run/console.
console=
if [ -z "$once" ] && [ -x "$bin/backstay-desktop" ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	console=1
	say "the console"
	setsid "$bin/backstay-desktop" --config "$run/console" --connect "$server" --pin "$pin" --user admin --password-stdin \
		<"$run/admin-password" >>"$run/console.log" 2>&1 &
	names+=(console) pids+=($!)
fi

say "a backup of $source_tree"
status=0
cli backup "$host" --plan demo --follow || status=$?
cli snapshots --repository demo || :

if [ -n "$once" ]; then
	exit "$status"
fi
say "Backstay runs at $server"
[ -z "$console" ] || echo "The console is open and signed in; its log is run/console.log."
cat <<TXT
Sign in as admin; the password is in run/admin-password. Its data, logs and the repository lie in run/.
In another terminal:

  export XDG_CONFIG_HOME=$run/cli PATH=$bin:\$PATH
  backstay hosts
  backstay jobs ls
  backstay backup $host --plan demo --follow
  backstay snapshots --repository demo
  backstay restore $host --snapshot SNAPSHOT --include $source_tree/fmt

Ctrl-C stops everything.
TXT
while alive "${pids[0]}" && alive "${pids[1]}" && alive "${pids[2]}"; do sleep 1; done
die "a part ended by itself; the logs are in run/"
