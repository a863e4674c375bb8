# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The packages of Debian 12 (bookworm) and 13 (trixie) that dtlsd needs. Source this file.
# Usage: ensure_packages "${build_packages[@]}" ...

# shellcheck disable=SC2034 # used by scripts that source this
build_packages=(g++ cmake ninja-build pkg-config qt6-base-dev
    qt6-base-private-dev libssl-dev libsystemd-dev)

# The Debian package is made and checked with these.
# shellcheck disable=SC2034
package_packages=(build-essential debhelper dpkg-dev lintian)

# Tests of the programs use systemd (journald, systemd-analyze) and the DTLS clients of OpenSSL, GnuTLS
# and libcoap, and our own clients on Mbed TLS and wolfSSL. ccache makes the second build fast.
# nftables and iproute2 make test networks.
# shellcheck disable=SC2034
program_test_packages=(ccache gnutls-bin iproute2 jq libcoap3-bin libmbedtls-dev libwolfssl-dev
    nftables openssl python3 systemd)

# clang-format and clang-tidy check the sources; libclang-rt-19-dev has libFuzzer and clang's
# sanitizers, llvm-19 names the functions in their reports. mandoc checks the man pages, zsh and fish the
# completions. The recipes of packaging/docs use systemd-journal-remote and python3-systemd (for
# fail2ban). debootstrap makes small systems: systemd-container boots some to test the package, buildah
# starts the container image from another; podman, unpacked by tests/run, runs the image with conmon,
# libsubid, runc and, on 13, netavark; libestr0 and libfastjson4 are for rsyslog, which is unpacked as
# well.
# shellcheck disable=SC2034
test_packages=("${program_test_packages[@]}" buildah clang-19 clang-format-19 clang-tidy-19
    conmon debootstrap fish libclang-rt-19-dev libestr0 libfastjson4 llvm-19 mandoc python3-systemd runc
    shellcheck systemd-container systemd-journal-remote zsh)

# The release of this system, and the other of the two; empty where it is neither.
debian_release=''
if [[ -r /etc/os-release ]]; then
    # shellcheck disable=SC1091 # describes the system
    debian_release=$(source /etc/os-release && echo "${VERSION_CODENAME-}")
fi
# Its number, and what has another name in each.
# shellcheck disable=SC2034
case $debian_release in
bookworm) debian_version=12 other_debian_release=trixie test_packages+=(libsubid4) ;;
trixie) debian_version=13 other_debian_release=bookworm test_packages+=(libsubid5 netavark) ;;
*) debian_version='' other_debian_release='' ;;
esac

# Installs the missing ones of the named packages; changes nothing if none is missing. Without root it
# says what to install, and fails.
ensure_packages()
{
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian system: assuming that these packages, or equivalents, are installed: $*"
        return 0
    fi
    local package missing=()
    for package in "$@"; do
        # shellcheck disable=SC2016 # dpkg-query's own variable
        dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        echo "missing packages; install them as root: apt-get install ${missing[*]}" >&2
        return 1
    fi
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # Fetches the package lists only if they are too old or missing.
    local install=(apt-get install --yes --quiet --no-install-recommends "${missing[@]}")
    "${install[@]}" </dev/null || { apt-get update --quiet </dev/null && "${install[@]}" </dev/null; }
}

# PACKAGE DIRECTORY [with-libraries]: unpacks a package there, once, without installing it: for packages
# whose installation starts an unwanted service. With libraries: what it needs and is not installed, too.
unpack_package()
{
    if [[ -d $2 ]] || ! command -v dpkg-deb >/dev/null; then
        return 0
    fi
    echo "unpacking into $2: $1"
    rm -rf "$2.new"
    mkdir -p "$2.new"
    (
        cd "$2.new" || exit
        fetch_package "$1" "${3-}" || { apt-get update --quiet && fetch_package "$1" "${3-}"; }
        local file
        for file in ./*.deb; do
            dpkg-deb --extract "$file" .
        done
        rm ./*.deb
    ) </dev/null
    mv "$2.new" "$2"
}

# PACKAGE [with-libraries]
fetch_package()
{
    local names=("$1")
    if [[ -n $2 ]]; then
        mapfile -t names < <(apt-get install --simulate --no-install-recommends "$1" |
            awk '/^Inst / { print $2 }')
    fi
    ((${#names[@]} > 0)) && apt-get download --quiet "${names[@]}"
}
