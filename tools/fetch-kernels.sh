#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetches Debian's stock cloud kernels for tests/vm into build/kernels/VERSION/: vmlinuz, modules/ and release; for
# another architecture than this machine's busybox, too.
#
# usage: tools/fetch-kernels.sh [--list] [VERSION[-arm64]]...
#
# VERSION is 5.10, 6.1, 6.12 or 7.2 (all of them without an argument; --list names them and fetches nothing).
# What is there already isn't fetched again: remove its directory for a newer build of the same version.
# Everything goes through apt, with sources, lists and cache of our own: nothing of this machine's setup
# changes, nothing is installed, no root is needed. The mirror is the one that this machine's apt uses for
# Debian; DEBIAN_MIRROR=URL names another, and must where there is none (Ubuntu).
set -eu

# version, then the suites that carry it, the preferred first
kernels='
5.10 bullseye
6.1  bookworm
6.12 bookworm-backports trixie
7.2  trixie-backports sid
'
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die()
{
	echo "fetch-kernels: $*" >&2
	exit 1
}

suites_of()
{
	echo "$kernels" | while read -r kernel suites; do
		[ "$kernel" != "$1" ] || echo "$suites"
	done
}

# The first of the machine's sources that is Debian's main archive, not security nor one of a third party.
find_mirror()
{
	[ -z "${DEBIAN_MIRROR-}" ] || { echo "${DEBIAN_MIRROR%/}"; return; }
	# shellcheck disable=SC2016 # apt fills these in; origin and label are empty before the first update
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
		sed -n -e 's,/$,,' -e 's,^Debian|Debian|,,p' -e 's,^||\(.*/debian\)$,\1,p' | head -n 1
}

# Lists, cache and an empty package database in $work; only the sources written there; the machine's proxy
# and other options stay.
private()
{
	command=$1
	shift
	"$command" -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$top/none" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$top/none" -o Dir::State="$work" \
		-o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Architecture="$arch" \
		-o APT::Architectures::="$arch" -o APT::Sandbox::User= -o Acquire::Languages=none \
		-o Acquire::Check-Valid-Until=false "$@"
}

use_suite()
{
	work=$top/$1-$arch
	[ ! -d "$work" ] || return 0
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	: >"$work/status"
	echo "deb [signed-by=$keyring] $mirror $1 main" >"$work/sources.list"
	private apt-get -qq update >"$work/log" 2>&1 || { cat "$work/log" >&2; rm -rf "$work"; return 1; }
}

# The packages that make up the current kernel: what the meta-package depends on and, where the image is only a
# wrapper, what that depends on.
kernel_packages()
{
	package=linux-image-cloud-$arch
	while :; do
		package=$(private apt-cache depends --important "$package" 2>/dev/null |
			sed -n 's/^ *Depends: \(linux-\(image\|binary\|modules\)-[^ <]*\)$/\1/p')
		[ -n "$package" ] || return 0
		echo "$package"
		# shellcheck disable=SC2086 # one word a package
		set -- $package
		package=$1
	done
}

download()
{
	for suite in $(suites_of "$1"); do
		use_suite "$suite" || continue
		packages=$(kernel_packages)
		# shellcheck disable=SC2086 # one word a package
		case $packages in
		*-"$1".* | *-"$1"+* | *-"$1"-*)
			(cd "$work" && private apt-get -qq download $packages) || continue
			return 0 ;;
		esac
		tried="${tried-} $suite has $(echo "${packages:-no cloud kernel}" | head -n 1);"
	done
	return 1
}

# Into a directory beside the final one, renamed when complete: one that is there can be trusted.
# shellcheck disable=SC2086 # the packages one after the other
unpack()
{
	mkdir "$work/tree"
	for deb in "$work"/linux-*.deb; do
		dpkg-deb -x "$deb" "$work/tree"
	done
	# /boot/vmlinuz-RELEASE and /lib/modules/RELEASE/, or all of it in /usr/lib/modules/RELEASE/
	image=$(find "$work/tree" -type f -name 'vmlinu[xz]*' | head -n 1)
	modules=$(find "$work/tree" -type d -path '*/lib/modules/*/kernel' -prune | head -n 1)
	[ -n "$image" ] || die "$1: no kernel image in" $packages
	[ -n "$modules" ] || die "$1: no modules in" $packages
	release=$(basename "$(dirname "$modules")")
	rm -rf "$target.new"
	mkdir -p "$target.new"
	mv "$image" "$target.new/vmlinuz"
	mv "$modules" "$target.new/modules"
	echo "$release" >"$target.new/release"
	rm -rf "$target"
	mv "$target.new" "$target"
	rm -rf "$work/tree" "$work"/linux-*.deb
}

# A machine of another architecture runs that one's busybox.
fetch_busybox()
{
	for suite in $(suites_of "$version"); do
		use_suite "$suite" || continue
		(cd "$work" && private apt-get -qq download busybox-static) || continue
		mkdir "$work/busybox"
		dpkg-deb -x "$work"/busybox-static_*.deb "$work/busybox"
		install -m 755 "$(find "$work/busybox" -type f -path "*/bin/busybox" | head -n 1)" "$target/busybox.new"
		mv "$target/busybox.new" "$target/busybox"
		rm -rf "$work/busybox" "$work"/busybox-static_*.deb
		return 0
	done
	die "$1: busybox-static for $arch cannot be fetched from $mirror"
}

is_complete()
{
	[ -f "$1/release" ] || return 1
	case $1 in
	*-arm64) [ "$(uname -m)" = aarch64 ] || [ -f "$1/busybox" ] ;;
	esac
}

fetch()
{
	arch=amd64
	version=$1
	case $1 in
	*-arm64) arch=arm64 version=${1%-arm64} ;;
	esac
	[ -n "$(suites_of "$version")" ] || die "no such kernel: $1 (there are:$(echo "$kernels" | awk 'NF { printf " %s", $1 }'))"
	target=$PWD/build/kernels/$1
	! is_complete "$target" || return 0
	: "${mirror:=$(find_mirror)}"
	[ -n "$mirror" ] || die 'this machine has no Debian mirror in its apt sources: set DEBIAN_MIRROR'
	tried=
	if [ -f "$target/release" ]; then
		fetch_busybox "$1"
		return 0
	fi
	download "$version" || die "$1: cannot be fetched from $mirror:${tried:- suites $(suites_of "$version") do not answer}"
	unpack "$1"
	is_complete "$target" || fetch_busybox "$1"
	echo "build/kernels/$1: Linux $release from $suite"
}

cd "$(dirname "$0")/.."
case ${1-} in
-h | --help) sed -n '/^# usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
--list) echo "$kernels" | awk 'NF { print $1 }'; exit 0 ;;
-*) die 'usage: tools/fetch-kernels.sh [--list] [VERSION[-arm64]]...' ;;
esac
# shellcheck disable=SC2046 # one word a version
[ $# -gt 0 ] || set -- $(echo "$kernels" | awk 'NF { print $1 }')
mirror=
top=$(mktemp -d)
mkdir "$top/none"
trap 'rm -rf "$top"' EXIT
trap 'exit 1' INT TERM HUP
for kernel; do
	if ! is_complete "build/kernels/$kernel"; then
		for tool in apt-get dpkg-deb; do
			command -v $tool >/dev/null || die "$tool is missing: kernels are fetched as Debian packages"
		done
		[ -r "$keyring" ] || die "$keyring is missing (package debian-archive-keyring)"
	fi
	fetch "$kernel"
done
