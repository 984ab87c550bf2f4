#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the packages that nettrace needs and this machine lacks.
# What is there is found by trying it, not by asking the package manager, so nothing is fetched
# when nothing is missing and a tool from elsewhere counts.
set -eu

usage='usage: tools/install-deps.sh [--check] [build|test|vm|cross|bench|all]...
  build    what compiling needs (the default)
  test     what the tests need besides
  vm       what booting other kernels needs (make test-vm)
  cross    what building for aarch64 needs on another machine (make static ARCH=aarch64)
  bench    what nettrace is measured against
  --check  install nothing; say what is missing and exit 1'

# what for, how to see that it is there, then the package on Debian/Ubuntu, Fedora, Arch ("-": none)
needs='
build command:gcc             gcc              gcc                    gcc
build command:make            make             make                   make
build command:pkg-config      pkg-config       pkgconf-pkg-config     pkgconf
build command:clang           clang            clang                  clang
build bpftool                 bpftool          bpftool                bpf
build library:libbpf          libbpf-dev       libbpf-devel           libbpf
build library:libelf          libelf-dev       elfutils-libelf-devel  libelf
build library:zlib            zlib1g-dev       zlib-devel             zlib
build library:jansson         libjansson-dev   jansson-devel          jansson
build library:libzstd          libzstd-dev      libzstd-devel          zstd
build library:ncursesw        libncurses-dev   ncurses-devel          ncurses
build header:stdio.h          libc6-dev        glibc-devel            glibc
test  library:cmocka          libcmocka-dev    libcmocka-devel        cmocka
test  static:c                libc6-dev        glibc-static           glibc
test  command:python3         python3          python3                python
test  fuzzer                  libclang-rt-dev  compiler-rt            compiler-rt
test  command:zstd            zstd             zstd                   zstd
test  command:jq              jq               jq                     jq
test  command:ip              iproute2         iproute                iproute2
test  command:tmux            tmux             tmux                   tmux
test  file:/etc/services      netbase          setup                  iana-etc
test  command:valgrind        valgrind         valgrind               valgrind
test  command:zsh       zsh              zsh                    zsh
test  command:fish      fish             fish                   fish
test  command:mandoc          mandoc           mandoc                 mandoc
test  command:systemd-socket-activate  systemd  systemd                systemd
test  command:nft             nftables         nftables               nftables
test  command:ss              iproute2         iproute                iproute2
test  command:curl            curl             curl                   curl
test  command:dig             bind9-dnsutils   bind-utils             bind
test  command:dnsmasq         dnsmasq-base     dnsmasq                dnsmasq
test  command:socat           socat            socat                  socat
test  command:nginx           nginx-light      nginx                  nginx
test  command:apache2|httpd   apache2          httpd                  apache
test  command:redis-server    redis-server     redis                  redis
test  command:redis-cli       redis-tools      redis                  redis
test  command:tcpstates|/usr/share/bcc/tools/tcpstates  libbpf-tools  libbpf-tools  bcc-tools
vm    command:qemu-system-x86_64  qemu-system-x86  qemu-system-x86-core  qemu-system-x86
vm    command:busybox         busybox-static   busybox                busybox
vm    command:cpio            cpio             cpio                   cpio
vm    command:qemu-system-aarch64  qemu-system-arm  qemu-system-aarch64-core  qemu-system-aarch64
cross command:aarch64-linux-gnu-gcc  gcc-aarch64-linux-gnu  gcc-aarch64-linux-gnu  aarch64-linux-gnu-gcc
cross arm64:libc.a            libc6-dev:arm64      -                   -
cross arm64:libbpf.a          libbpf-dev:arm64     -                   -
cross arm64:libelf.a          libelf-dev:arm64     -                   -
cross arm64:libz.a            zlib1g-dev:arm64     -                   -
cross arm64:libjansson.a      libjansson-dev:arm64 -                   -
cross arm64:libzstd.a         libzstd-dev:arm64    -                   -
cross arm64:libncursesw.a     libncurses-dev:arm64 -                   -
bench command:tcplife|/usr/share/bcc/tools/tcplife  libbpf-tools  libbpf-tools  bcc-tools
bench command:netstat         net-tools        net-tools              net-tools
bench command:lsof            lsof             lsof                   lsof
bench command:iperf3          iperf3           iperf3                 iperf3
bench command:nethogs         nethogs          nethogs                nethogs
'

die()
{
	echo "install-deps: $*" >&2
	exit 1
}

# Also where a user's PATH does not look: Debian has these in sbin.
find_command()
{
	PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1
}

compiles()
{
	printf '%s\n' "$1" | gcc "$2" -x c - -o /dev/null >/dev/null 2>&1
}

is_there()
{
	case $1 in
	bpftool)
		for b in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
			"$b" version >/dev/null 2>&1 && return 0
		done
		return 1 ;;
	command:*)
		for c in $(echo "${1#*:}" | tr '|' ' '); do
			find_command "$c" && return 0
		done
		return 1 ;;
	library:*) pkg-config --exists "${1#*:}" 2>/dev/null ;;
	file:*) [ -e "${1#*:}" ] ;;
	header:*) compiles "#include <${1#*:}>" -fsyntax-only ;;
	arm64:*) [ -e "/usr/lib/aarch64-linux-gnu/${1#*:}" ] || [ "$(uname -m)" = aarch64 ] ;;
	fuzzer) # libFuzzer and the sanitizers of clang
		printf '%s\n' 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n); int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return !d && n; }' |
			clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null >/dev/null 2>&1 ;;
	static:*) compiles 'int main(void) { return 0; }' -static ;;
	esac
}

# Prints what is missing, in the words of distribution $1, one package a line.
missing()
{
	echo "$needs" | while read -r group check debian fedora arch; do
		[ -n "$group" ] || continue
		case " $what " in
		*' all '* | *" $group "*) ;;
		*) continue ;;
		esac
		is_there "$check" && continue
		case $1 in
		debian) echo "$debian" ;;
		fedora) echo "$fedora" ;;
		arch) echo "$arch" ;;
		esac
	done | grep -vx -e - | sort -u
}

distribution()
{
	if find_command apt-get; then
		echo debian
	elif find_command dnf; then
		echo fedora
	elif find_command pacman; then
		echo arch
	else
		echo other
	fi
}

# On Ubuntu before 25.04 bpftool is no package of its own but part of the kernel's tools.
debian_names()
{
	while read -r package; do
		if [ "$package" = bpftool ] && ! apt-cache policy bpftool | grep -q 'Candidate: [0-9]'; then
			echo linux-tools-common
			echo linux-tools-generic
		else
			echo "$package"
		fi
	done
}

# The servers that tests start themselves, with configurations of their own, must not start as services.
keep_services_off()
{
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT INT TERM
}

install_debian()
{
	export DEBIAN_FRONTEND=noninteractive
	keep_services_off
	# Libraries of another architecture are found only once dpkg knows of it.
	case $1 in *:arm64*) dpkg --add-architecture arm64 ;; esac
	apt-get -q update || echo 'install-deps: the package lists are not fresh; going on with those that are here' >&2
	# shellcheck disable=SC2046 # one word a package
	apt-get -q -y --no-install-recommends install $(echo "$1" | debian_names)
}

check=
[ "${1-}" != --check ] || { check=1; shift; }
what=${*:-build}
for group in $what; do
	case $group in
	build | test | vm | cross | bench | all) ;;
	-h | --help) echo "$usage"; exit 0 ;;
	*) echo "$usage" >&2; exit 2 ;;
	esac
done

system=$(distribution)
case $system in
other) list=$(missing debian) ;;
*) list=$(missing "$system") ;;
esac
[ -n "$list" ] || exit 0
line=$(echo "$list" | tr '\n' ' ')

if [ -n "$check" ]; then
	die "missing: ${line}(run: sudo tools/install-deps.sh $what)"
elif [ "$system" = other ]; then
	echo "$list"
	die 'no apt-get, dnf or pacman here: install the packages above (Debian names) by hand'
elif [ "$(id -u)" != 0 ]; then
	die "missing: ${line}(run with sudo)"
fi

# shellcheck disable=SC2086 # one word a package
case $system in
debian) install_debian "$list" ;;
fedora) dnf -y install $list ;;
arch) pacman -S --needed --noconfirm $list ;;
esac

list=$(missing "$system")
[ -z "$list" ] || die "installed, but still not found: $(echo "$list" | tr '\n' ' ')"
