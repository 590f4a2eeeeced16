#!/bin/sh
# deps.sh [run|desktop|windows|wine|wayland|package|installers|test]: installs the Debian packages that `make run` (daemon, agent, CLI),
# building the console, building it for Windows, looking at it under Wine or Wayland, making packages or Windows installers, or `make test`
# needs and this machine lacks, and says which. Does nothing, quietly, where all is there.
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
for_what=${1:-test}
case $for_what in
windows | wine | installers) need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64 ;;
esac
if [ "$for_what" = installers ] || [ "$for_what" = wine ]; then
	need makensis nsis
	need convert imagemagick
fi
if [ "$for_what" = package ]; then
	need dpkg-deb dpkg
	need objdump binutils
	need lintian lintian
	need rpmlint rpmlint
	need cpio cpio
	need desktop-file-validate desktop-file-utils
	need appstreamcli appstream
fi
if [ "$for_what" = wine ]; then
	need wine wine
	need /usr/lib/wine/wine64 wine64
fi
if [ "$for_what" = wayland ]; then
	need weston weston
fi
case $for_what in run | windows | installers) here= ;; *) here=1 ;; esac # the console is built for this machine
if [ -n "$here" ]; then
	need gcc gcc
	need /usr/include/stdlib.h libc6-dev
fi
if [ -n "$here" ] && [ "$(uname -s)" = Linux ]; then # the console's window
	need pkg-config pkg-config
	need /usr/include/GL/gl.h libgl1-mesa-dev
	need /usr/include/X11/Xlib.h libx11-dev
	need /usr/include/X11/Xcursor/Xcursor.h libxcursor-dev
	need /usr/include/X11/extensions/Xrandr.h libxrandr-dev
	need /usr/include/X11/extensions/Xinerama.h libxinerama-dev
	need /usr/include/X11/extensions/XInput2.h libxi-dev
	need /usr/include/X11/extensions/xf86vmode.h libxxf86vm-dev
	need /usr/include/xkbcommon/xkbcommon.h libxkbcommon-dev
	need /usr/include/wayland-client.h libwayland-dev
fi
case $for_what in test | wine | wayland) screen=1 ;; *) screen= ;; esac
if [ -n "$screen" ] && [ "$(uname -s)" = Linux ]; then
	need dbus-daemon dbus-daemon
	need dbus-run-session dbus-daemon
	need dbus-send dbus-bin
	need gnome-keyring-daemon gnome-keyring
	need Xvfb xvfb
	need xdotool xdotool
	need xclip xclip
	need import imagemagick
	need xprop x11-utils
	need /usr/share/fonts/truetype/wqy/wqy-microhei.ttc fonts-wqy-microhei
	[ -n "$(find /usr/lib -name swrast_dri.so -print -quit 2>/dev/null)" ] || need /usr/lib/dri/swrast_dri.so libgl1-mesa-dri
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
