# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The Debian 12 packages that dtlsd needs. Source this file.
# Usage: ensure_packages "${build_packages[@]}" ...

# shellcheck disable=SC2034 # used by scripts that source this
build_packages=(g++ cmake ninja-build pkg-config qt6-base-dev
    qt6-base-private-dev libssl-dev libsystemd-dev)

# The Debian package is made and checked with these.
# shellcheck disable=SC2034
package_packages=(build-essential debhelper dpkg-dev lintian)

# clang-format and clang-tidy check the sources, ccache makes the second build fast. Tests use systemd
# (journald, systemd-analyze) and the DTLS clients of OpenSSL, GnuTLS and libcoap, and our own clients
# on Mbed TLS and wolfSSL. libclang-rt-dev has libFuzzer and clang's sanitizers, llvm names the
# functions in their reports. mandoc checks the man pages, zsh and fish the completions. The recipes of
# packaging/docs use jq, systemd-journal-remote and python3-systemd (for fail2ban). debootstrap makes
# two small systems: systemd-container boots one to test the package, buildah starts the container
# image from the other; podman, unpacked by tests/run, runs the image with conmon, libsubid4 and runc.
# nftables and iproute2 make test networks.
# shellcheck disable=SC2034
test_packages=(buildah ccache clang clang-format clang-tidy conmon debootstrap fish gnutls-bin
    iproute2 jq libclang-rt-dev libcoap3-bin libmbedtls-dev libsubid4 libwolfssl-dev llvm mandoc
    nftables openssl python3 python3-systemd runc shellcheck systemd systemd-container
    systemd-journal-remote zsh)

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

# PACKAGE DIRECTORY: unpacks a package there, once, without installing it: for packages whose
# installation starts an unwanted service.
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
        apt-get download --quiet "$1" || { apt-get update --quiet && apt-get download --quiet "$1"; }
        dpkg-deb --extract ./*.deb .
        rm ./*.deb
    ) </dev/null
    mv "$2.new" "$2"
}
