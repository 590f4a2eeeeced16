# steps.sh: what the tests of services in a lab (lab.sh) have in common. To be sourced. It wants $dir, a folder for what is looked at, and
# $host once a host is enrolled.

say() { printf '\n== %s\n' "$*"; }
die() {
	printf 'test-systemd: %s\n' "$*" >&2
	[ -z "${lab_init:-}" ] || lab journalctl --no-pager -n 60 -o short-precise -u backstay-agent -u backstayd -u 'backstay-job-*' >&2 || :
	exit 1
}

put() { # put FILE PATH: into the lab, whole at once, as package managers do
	nsenter -t "$lab_init" -m sh -c "cat >$2.new && chmod 755 $2.new && mv $2.new $2" <"$1"
}

# repository_server PROGRAM: a REST server in the lab, on port 8000.
repository_server() {
	put "$1" /usr/bin/rest-server
	lab sh -c 'mkdir -p /srv/repo /srv/data && cat >/etc/systemd/system/rest-server.service <<UNIT
[Service]
ExecStart=/usr/bin/rest-server --listen 127.0.0.1:8000 --path /srv/repo --no-auth
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload && systemctl enable --now rest-server' 2>/dev/null
}

# await SECONDS WHAT CMD...: until CMD succeeds in the lab.
await() {
	local limit=$1 what=$2 i
	shift 2
	for ((i = 0; i < limit * 10; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	die "$what did not come within $limit s"
}
agent_pid() { lab systemctl show -P MainPID backstay-agent; }
active() { [ "$(lab systemctl is-active "$1")" = active ]; }
json() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; } # the first string of that name
online() { lab backstay hosts --json | grep -q '"online":true'; }
restic_pid() { lab pgrep -x restic | head -n 1; }
job_state() { lab backstay jobs show "$1" --json | json state; }
ended() { case $(job_state "$1") in succeeded | warning | failed | cancelled | interrupted) ;; *) return 1 ;; esac }
lines() { lab backstay jobs log "$1" --json | wc -l; }
rest() { lab systemctl kill --signal="$1" rest-server; }

# begin: a backup that is under way: restic has printed lines, and the server is frozen, so that it cannot end.
begin() {
	lab sh -c 'rm -rf /srv/data/tree && mkdir -p /srv/data/tree && cd /srv/data/tree && head -c 160000000 /dev/urandom | split -b 40000 -a 4 -d - f'
	job=$(lab backstay backup "$host" --plan web --json | json id)
	[ -n "$job" ] || die "the backup could not be started"
	await 30 "restic" restic_pid
	enough() { [ "$(lines "$job")" -ge 50 ]; }
	await 30 "the job's log" enough
	rest STOP
	restic=$(restic_pid) || die "restic was too quick"
	[ -n "$restic" ] || die "restic was too quick"
	case $(lab cat "/proc/$restic/cgroup") in
	*/"backstay-job-$job.scope") ;;
	*) die "restic is not in the job's scope but in $(lab cat "/proc/$restic/cgroup")" ;;
	esac
}
# goes_on: the restic of begin is the one that ends, its log is whole.
goes_on() {
	lab kill -0 "$restic" || die "restic is gone"
	rest CONT
	await 120 "the end of the backup" ended "$job"
	[ "$(job_state "$job")" = succeeded ] || die "the backup is $(job_state "$job"): $(lab backstay jobs show "$job")"
	whole
	echo "ok: restic $restic finished, $(lines "$job") lines, none missing"
}
# whole: every line once, in order, and one for each of the 4000 files.
whole() {
	lab backstay jobs log "$job" --json >"$dir/log"
	sed -n 's/.*"seq":\([0-9]*\).*/\1/p' "$dir/log" >"$dir/seq"
	seq "$(wc -l <"$dir/seq")" | cmp -s - "$dir/seq" || die "the log has holes: $(head -n 3 "$dir/seq" | tr '\n' ' ')…"
	[ "$(grep -o '/srv/data/tree/f[0-9]*' "$dir/log" | sort -u | wc -l)" -eq 4000 ] || die "the log lacks files"
}
