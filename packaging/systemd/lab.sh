# lab.sh: a real systemd as process 1 of its own namespaces (processes, mounts, network, cgroup) over a copy of a small Debian. To be
# sourced. What happens in it stays in it: the Debian in the cache is below an overlay, and the network is loopback alone.
#
#   lab_root         the Debian, made once by debootstrap and kept in the cache
#   lab_boot DIR     boots it; DIR takes what it writes
#   lab CMD...       runs a command in it, as root
#   lab_stop         ends it and all that runs in it
#
# Each says "skipped: reason" and ends the script with 0 where the machine does not allow it.

lab_cache=${XDG_CACHE_HOME:-$HOME/.cache}/backstay
lab_suite=bookworm
lab_packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,procps,ca-certificates

skipped() {
	echo "skipped: $*"
	exit 0
}

lab_root() {
	local tool
	[ "$(uname -s)" = Linux ] || skipped "this is not Linux"
	[ "$(id -u)" -eq 0 ] || skipped "booting a systemd needs root"
	for tool in unshare nsenter findmnt; do
		command -v "$tool" >/dev/null || skipped "there is no $tool here (util-linux)"
	done
	lab_cgroup=$(findmnt -n -l -t cgroup2 -o TARGET | head -n 1)
	[ -n "$lab_cgroup" ] && mkdir -p "$lab_cgroup/backstay-lab-probe" 2>/dev/null && rmdir "$lab_cgroup/backstay-lab-probe" || skipped "there is no writable cgroup2 here"
	lab_debian=$lab_cache/systemd-root-$lab_suite
	[ -e "$lab_debian/.complete" ] && return
	if ! command -v debootstrap >/dev/null; then
		command -v apt-get >/dev/null || skipped "there is no debootstrap here"
		apt-get install -y -qq --no-install-recommends debootstrap >/dev/null 2>&1 || skipped "debootstrap could not be installed"
	fi
	echo "making a Debian for the lab in $lab_debian (a few minutes, once)"
	rm -rf "$lab_debian"
	mkdir -p "$lab_cache"
	debootstrap --variant=minbase --include="$lab_packages" "$lab_suite" "$lab_debian" >"$lab_cache/debootstrap.log" 2>&1 ||
		skipped "debootstrap did not succeed; see $lab_cache/debootstrap.log"
	touch "$lab_debian/.complete"
}

lab_boot() {
	local i unit state
	lab_dir=$1
	lab_group=$lab_cgroup/backstay-lab-$$
	mkdir -p "$lab_dir/upper/etc/systemd/system" "$lab_dir/work" "$lab_dir/root" "$lab_group" || skipped "no room for the lab"
	# Nothing of the network, no consoles, no devices.
	for unit in systemd-networkd systemd-resolved systemd-timesyncd getty@tty1 console-getty systemd-udevd; do
		ln -sf /dev/null "$lab_dir/upper/etc/systemd/system/$unit.service"
	done
	(
		echo "$BASHPID" >"$lab_group/cgroup.procs" || exit 1
		exec setsid unshare --pid --fork --mount --uts --ipc --net --cgroup --propagation private bash -euc '
			hostname backstay-lab
			ip link set lo up 2>/dev/null || ifconfig lo up
			mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
			cd "$2/root"
			mount -t proc proc proc
			mount -t sysfs sysfs sys
			mount -t cgroup2 cgroup2 sys/fs/cgroup
			mount -t tmpfs tmpfs run
			mount -t tmpfs tmpfs tmp
			mount -t tmpfs -o mode=755 tmpfs dev
			mkdir dev/pts dev/shm
			mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
			ln -s pts/ptmx dev/ptmx
			for n in null zero full random urandom tty; do touch "dev/$n"; mount --bind "/dev/$n" "dev/$n"; done
			ln -s /proc/self/fd dev/fd
			mkdir -p .former
			pivot_root . .former
			umount -l /.former
			mount --make-rshared /
			exec env -i container=backstay-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
				/lib/systemd/systemd --system --show-status=no --log-target=journal-or-kmsg --log-level=notice
		' lab "$lab_debian" "$lab_dir"
	) >"$lab_dir/console.log" 2>&1 </dev/null &
	lab_outer=$!
	lab_init=
	for ((i = 0; i < 300; i++)); do
		lab_init=$(pgrep -P "$lab_outer" | head -n 1) || :
		[ -n "$lab_init" ] && grep -qs '^/lib/systemd/systemd' <(tr '\0' ' ' <"/proc/$lab_init/cmdline") && break
		kill -0 "$lab_outer" 2>/dev/null || skipped "namespaces cannot be made here: $(tail -n 1 "$lab_dir/console.log")"
		sleep 0.1
	done
	for ((i = 0; i < 600; i++)); do
		state=$(lab systemctl is-system-running 2>/dev/null) || :
		case $state in running | degraded) return ;; esac
		kill -0 "$lab_init" 2>/dev/null || skipped "systemd did not boot here: $(tail -n 1 "$lab_dir/console.log")"
		sleep 0.1
	done
	lab_stop
	skipped "systemd did not come up here within a minute (state: ${state:-none})"
}

lab() {
	nsenter -t "$lab_init" -a env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
}

lab_stop() {
	local i
	[ -n "${lab_init:-}" ] || return 0
	kill -s RTMIN+4 "$lab_init" 2>/dev/null || :
	for ((i = 0; i < 150; i++)); do
		kill -0 "$lab_init" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$lab_init" 2>/dev/null || :
	wait "$lab_outer" 2>/dev/null || :
	lab_init=
	find "$lab_group" -depth -type d -exec rmdir {} \; 2>/dev/null || :
}
