#!/bin/sh
# deps.sh [run|test]: installs the Debian packages that `make run` or `make test` needs and this machine lacks, and says which.
# Does nothing, quietly, where all is there.
set -eu

missing=
need() { # need COMMAND-OR-FILE PACKAGE
	case $1 in
	/*) [ -e "$1" ] && return ;;
	*) command -v "$1" >/dev/null 2>&1 && return ;;
	esac
	case " $missing " in *" $2 "*) ;; *) missing="${missing:+$missing }$2" ;; esac
}

if ! command -v go >/dev/null 2>&1; then
	echo "deps: Go is missing. Install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH." >&2
	exit 1
fi
need /etc/ssl/certs/ca-certificates.crt ca-certificates
need git git
if [ "${1:-test}" = test ]; then
	need gcc gcc
	need /usr/include/stdlib.h libc6-dev
	if [ "$(uname -s)" = Linux ]; then
		need dbus-daemon dbus-daemon
		need dbus-run-session dbus-daemon
		need dbus-send dbus-bin
		need gnome-keyring-daemon gnome-keyring
	fi
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps: these Debian packages are needed and there is no apt-get here; install what corresponds to them: $missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: missing packages. Install them as root: apt-get install --no-install-recommends $missing" >&2
	exit 1
fi
echo "deps: installing $missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of package names
if ! { apt-get install -y -qq --no-install-recommends $missing || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; }; } >"$log" 2>&1; then
	cat "$log" >&2
	echo "deps: apt-get could not install: $missing" >&2
	exit 1
fi
echo "deps: done"
