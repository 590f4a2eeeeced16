#!/bin/sh
# secret-service.sh FOLDER CMD...: runs CMD in a session of its own with a real, unlocked gnome-keyring, and stops both with it.
# FOLDER (an empty one) becomes HOME, so nothing of the caller's own keyring is touched. The keyring's password is read from
# standard input, one line; BACKSTAY_KEYRING_LOCKED=1 starts the keyring locked instead. Needs: dbus-daemon, dbus-bin, gnome-keyring.
set -eu

if [ "${1:-}" != --inside ]; then
	home=$1
	shift
	mkdir -p "$home/runtime" "$home/.local/share"
	chmod 700 "$home" "$home/runtime"
	# A bus without service activation: only the keyring started below can own the name.
	cat >"$home/bus.conf" <<-'CONF'
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		  <type>session</type>
		  <listen>unix:tmpdir=/tmp</listen>
		  <policy context="default">
		    <allow own="*"/>
		    <allow send_destination="*"/>
		    <allow receive_sender="*"/>
		  </policy>
		</busconfig>
	CONF
	export HOME="$home" XDG_DATA_HOME="$home/.local/share" XDG_RUNTIME_DIR="$home/runtime"
	unset DISPLAY WAYLAND_DISPLAY GNOME_KEYRING_CONTROL
	exec dbus-run-session --config-file="$home/bus.conf" -- "$0" --inside "$@"
fi
shift

log=$HOME/keyring.log
keyring=
stop() {
	[ -z "$keyring" ] || kill "$keyring" 2>/dev/null || :
	[ -z "$keyring" ] || wait "$keyring" 2>/dev/null || :
	keyring=
}
trap stop EXIT

owned() {
	dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
		string:org.freedesktop.secrets 2>/dev/null | grep -q 'boolean true'
}

# start FILE [--unlock]: runs the keyring with FILE as its standard input until it has its name on the bus.
start() {
	input=$1
	shift
	gnome-keyring-daemon --foreground --components=secrets "$@" <"$input" >>"$log" 2>&1 &
	keyring=$!
	tries=0
	until owned; do
		tries=$((tries + 1))
		if [ "$tries" -gt 200 ]; then
			echo "secret-service.sh: gnome-keyring did not come up" >&2
			cat "$log" >&2
			exit 97
		fi
		sleep 0.05
	done
}

IFS= read -r password
printf %s "$password" >"$HOME/runtime/password" # a file, because a background command does not get the script's standard input
unset password
start "$HOME/runtime/password" --unlock
if [ "${BACKSTAY_KEYRING_LOCKED:-}" = 1 ]; then
	stop # the login keyring exists now: come back without its password
	while owned; do sleep 0.05; done
	start /dev/null
fi
rm -f "$HOME/runtime/password"

status=0
"$@" || status=$?
exit "$status"
