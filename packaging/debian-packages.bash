# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The Debian 12 packages that dtlsd needs, in one place; to be sourced.
# Usage: ensure_packages "${build_packages[@]}" ...

# shellcheck disable=SC2034 # for those who source this
build_packages=(g++ cmake ninja-build pkg-config qt6-base-dev
    qt6-base-private-dev libssl-dev libsystemd-dev)

# The Debian package is made and checked with these.
# shellcheck disable=SC2034
package_packages=(build-essential debhelper dpkg-dev lintian)

# clang-format and clang-tidy check the sources, ccache makes the second build fast; systemd is
# tested against (journald, systemd-analyze), and so are the DTLS clients of OpenSSL, GnuTLS and
# libcoap, and of our own on Mbed TLS and wolfSSL. libclang-rt-dev has libFuzzer and clang's
# sanitizers, llvm names the functions in their reports. mandoc checks the man pages, zsh and fish
# the completions. jq, systemd-journal-remote and python3-systemd (for fail2ban) are what the recipes
# of packaging/docs use. debootstrap makes small systems: one that systemd-container boots and the
# package is tested on, and one that buildah begins the container image with, which podman, unpacked
# by tests/run, runs with conmon, libsubid4 and runc. nftables and iproute2 make networks to test in.
# shellcheck disable=SC2034
test_packages=(buildah ccache clang clang-format clang-tidy conmon debootstrap fish gnutls-bin
    iproute2 jq libclang-rt-dev libcoap3-bin libmbedtls-dev libsubid4 libwolfssl-dev llvm mandoc
    nftables openssl python3 python3-systemd runc shellcheck systemd systemd-container
    systemd-journal-remote zsh)

# Installs those of the named packages that are missing, and touches nothing when none is. Without
# root it says what to install, and fails.
ensure_packages()
{
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian system: taking it that these, or their like, are installed: $*"
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
    # The lists that are there may be old or none: then, and only then, they are fetched.
    local install=(apt-get install --yes --quiet --no-install-recommends "${missing[@]}")
    "${install[@]}" </dev/null || { apt-get update --quiet </dev/null && "${install[@]}" </dev/null; }
}

# PACKAGE DIRECTORY: puts the files of a package there, once, and installs nothing: for those whose
# installation starts a service that nobody asked for.
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
