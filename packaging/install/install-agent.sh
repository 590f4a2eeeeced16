#!/bin/sh
# install-agent.sh: installs Backstay's agent on this host from packages that lie under one address, and enrols the host.
#
#   curl -fsSL https://packages.example/backstay/install-agent.sh | sudo sh -s -- --from https://packages.example/backstay \
#       --server https://daemon.example:7443 --pin PIN --token TOKEN
#
#   --from URL         where SHA256SUMS and the packages lie (or BACKSTAY_PACKAGES)
#   --server, --pin    the daemon, as the line to paste says (or BACKSTAY_SERVER, BACKSTAY_PIN); without them nothing is enrolled
#   --token TOKEN      the single-use token (better BACKSTAY_TOKEN: arguments can be seen by others on this host)
#   --version VERSION  this version instead of the newest
#   --public-key FILE  the key of who publishes the packages, PEM: SHA256SUMS has to be signed by it (SHA256SUMS.sig, made by
#                      `openssl dgst -sha256 -sign`)
#   --sums HEX         the SHA-256 of SHA256SUMS itself, from somebody you trust
#
# Every package is checked against SHA256SUMS. An address without https is taken only with --public-key or --sums. A host that is enrolled
# stays so.
set -eu

fail() {
	echo "install-agent: $*" >&2
	exit 1
}

fetch() { # fetch NAME: into the folder of that name
	case $get in
	curl) curl --fail --silent --show-error --location --proto "$protocols" --output "$dir/$1" "$from/$1" ;;
	*) wget --quiet --output-document="$dir/$1" "$from/$1" ;;
	esac || fail "$from/$1 cannot be fetched. Check the address given with --from."
}

digest() { sha256sum "$1" | cut -d ' ' -f 1; }

check_sums() {
	if [ -n "$sums" ] && [ "$(digest "$dir/SHA256SUMS")" != "$sums" ]; then
		fail "SHA256SUMS is not the one that --sums names. Do not install from $from; ask who gave you the digest."
	fi
	[ -n "$key" ] || return 0
	command -v openssl >/dev/null || fail "the signature is checked with openssl, which is missing. Install it."
	fetch SHA256SUMS.sig
	openssl dgst -sha256 -verify "$key" -signature "$dir/SHA256SUMS.sig" "$dir/SHA256SUMS" >/dev/null 2>&1 ||
		fail "SHA256SUMS is not signed by the key in $key. Do not install from $from; ask who publishes the packages."
}

# choose: the name of the package for this host, the newest when no version is given.
choose() {
	machine=$(uname -m)
	if command -v dpkg >/dev/null; then
		case $machine in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; esac
		pattern="backstay-agent_${version:-[^ ]*}-[0-9]*_$machine\\.deb"
	elif command -v rpm >/dev/null; then
		pattern="backstay-agent-${version:-[^ ]*}-[0-9]*\\.$machine\\.rpm"
	else
		fail "this system has neither dpkg nor rpm. Copy the program by hand and run backstay-agent install."
	fi
	package=$(sed -n "s/^[0-9a-f]\\{64\\} [ *]\\($pattern\\)\$/\\1/p" "$dir/SHA256SUMS" | sort -V | tail -n 1)
	[ -n "$package" ] || fail "$from has no package for this host ($machine${version:+, version $version})."
}

install_package() {
	if command -v dpkg >/dev/null; then
		dpkg --install "$dir/$package"
	elif command -v dnf >/dev/null; then
		dnf --assumeyes install "$dir/$package"
	elif command -v zypper >/dev/null; then
		zypper --non-interactive install --allow-unsigned-rpm "$dir/$package"
	else
		rpm --upgrade "$dir/$package"
	fi
}

main() {
	from=${BACKSTAY_PACKAGES:-} server=${BACKSTAY_SERVER:-} pin=${BACKSTAY_PIN:-} token=${BACKSTAY_TOKEN:-} version='' key='' sums=''
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || fail "$1 needs a value."
		case $1 in
		--from) from=$2 ;;
		--server) server=$2 ;;
		--pin) pin=$2 ;;
		--token) token=$2 ;;
		--version) version=$2 ;;
		--public-key) key=$2 ;;
		--sums) sums=$2 ;;
		*) fail "there is no $1. The options stand at the top of this script." ;;
		esac
		shift 2
	done
	from=${from%/}
	[ -n "$from" ] || fail "say where the packages lie, with --from."
	case $version in *[!0-9A-Za-z.~+]*) fail "--version cannot be $version." ;; esac
	protocols='=https'
	case $from in
	https://*) ;;
	http://*)
		[ -n "$key$sums" ] || fail "$from is not https, so anybody on the way could change the packages. Use https, or give --public-key or --sums."
		protocols='=http,https'
		;;
	*) fail "--from takes an https address." ;;
	esac
	[ "$(id -u)" -eq 0 ] || fail "run this as root."
	if command -v curl >/dev/null; then get=curl; elif command -v wget >/dev/null; then get=wget; else fail "neither curl nor wget is here. Install one of them."; fi
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	trap 'exit 130' INT TERM

	fetch SHA256SUMS
	check_sums
	choose
	fetch "$package"
	[ "$(digest "$dir/$package")" = "$(sed -n "s/^\\([0-9a-f]\\{64\\}\\) [ *]$package\$/\\1/p" "$dir/SHA256SUMS")" ] ||
		fail "$package is not what SHA256SUMS says. Nothing was installed. Try again; should it stay so, tell who publishes the packages."
	echo "install-agent: $package is as SHA256SUMS says"
	install_package
	if [ -z "$server" ]; then
		return
	elif [ -e /var/lib/backstay-agent/agent.toml ]; then
		echo "install-agent: this host is enrolled already, and stays so"
	else
		printf '%s\n' "$token" | backstay-agent enrol --server "$server" --pin "$pin" --token-stdin
	fi
}

main "$@"
