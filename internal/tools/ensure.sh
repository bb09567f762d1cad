#!/usr/bin/env bash
# Makes sure that the machine has what is named: postgresql, chromium, compiler. What is missing is installed by apt-get,
# as root or through sudo without a question; where that cannot be, the command to type is printed and the script fails.
set -euo pipefail

any() { # any GLOB…: does one of them match?
	local f
	for f in "$@"; do [ -e "$f" ] && return; done
	return 1
}

has_command() {
	local c
	for c in "$@"; do command -v "$c" >/dev/null && return; done
	return 1
}

has_postgresql() { # the places of internal/pg
	[ -n "${BERKAS_PG_BIN:-}" ] || has_command initdb || any /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
		/usr/libexec/postgresql*/initdb /usr/local/pgsql/bin/initdb /opt/homebrew/opt/postgresql@*/bin/initdb \
		/usr/local/opt/postgresql@*/bin/initdb /Applications/Postgres.app/Contents/Versions/*/bin/initdb
}
has_chromium() { has_command chromium chromium-browser google-chrome google-chrome-stable headless_shell || any "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; }
has_compiler() { has_command "${CC:-gcc}" cc && any /usr/include/stdlib.h /Library/Developer/CommandLineTools/usr/bin/cc; }

name_postgresql="PostgreSQL's server programs (15 to 18)"
name_chromium="Chromium, which the browser tests drive"
name_compiler="a C compiler, which Go's race detector needs"

packages_postgresql="postgresql"
packages_chromium="chromium"
packages_compiler="gcc libc6-dev"

stop() {
	echo "berkas: $*" >&2
	exit 1
}

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*\).*/\1/p'; }

# Debian's PostgreSQL packages make a cluster and start it. Berkas runs its own, so they are told not to, for this once.
cluster_conf=/etc/postgresql-common/createcluster.d/berkas-install.conf

install_postgresql() {
	local major
	major=$(candidate postgresql)
	[ -n "$major" ] || stop "apt-get knows no package postgresql: install $name_postgresql, or set BERKAS_PG_BIN to where they are"
	[ "$major" -ge 15 ] || stop "this system's PostgreSQL is version $major, and Berkas needs 15 to 18: add PostgreSQL's own apt repository and try again, or set BERKAS_PG_BIN"
	trap 'rm -f "$cluster_conf"' EXIT
	mkdir -p "${cluster_conf%/*}"
	echo "create_main_cluster = false" >"$cluster_conf"
	apt_install $packages_postgresql
	rm -f "$cluster_conf"
}
install_chromium() { apt_install $packages_chromium; }
install_compiler() { apt_install $packages_compiler; }

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; }

missing=()
for thing in "$@"; do
	"has_$thing" || missing+=("$thing")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

for thing in "${missing[@]}"; do
	name="name_$thing"
	echo "berkas: this machine lacks ${!name}"
done
has_command apt-get || stop "install what is missing with this system's package manager, and try again"
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
if [ "$(id -u)" -ne 0 ]; then
	if has_command sudo && sudo -n true 2>/dev/null; then
		exec sudo -n BERKAS_PG_BIN="${BERKAS_PG_BIN:-}" "$self" "${missing[@]}"
	fi
	stop "installing it needs root; type this and try again: sudo $self ${missing[*]}"
fi

echo "berkas: installing it with apt-get"
for thing in "${missing[@]}"; do
	packages="packages_$thing"
	for p in ${!packages}; do
		[ -n "$(apt-cache policy "$p" 2>/dev/null | sed -n 's/^  Candidate: \([^(].*\)/\1/p')" ] || { apt-get update -q && break; }
	done
done
for thing in "${missing[@]}"; do
	name="name_$thing"
	"install_$thing" || stop "apt-get could not install ${!name}; see what it says above"
	"has_$thing" || stop "apt-get ran, and still there is no sign of ${!name}: install it by hand"
done
