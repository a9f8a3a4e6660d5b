#!/usr/bin/env bash
# Installs what is missing to build and run (`scripts/setup.sh run`) or also to test (`scripts/setup.sh test`).
#
# Asks the machine first (commands, pkg-config, files): when nothing is missing, no package manager is called and no
# network is used. Written for Debian 12; elsewhere it names what to install by other means.
set -eu
cd "$(dirname "$0")/.."

# Debian 12 has no yyjson. The packages of the next release need nothing newer than Debian 12's libc.
readonly YYJSON_RELEASE=trixie

# One row a Debian package: its name, and how to see that what we need of it is there.
readonly RUN_PARTS='
gcc                   command gcc
libc6-dev             file    /usr/include/stdio.h
meson                 command meson
ninja-build           command ninja
pkg-config            command pkg-config
libcmocka-dev         module  cmocka
libcurl4-openssl-dev  module  libcurl
liblmdb-dev           module  lmdb
libmicrohttpd-dev     module  libmicrohttpd
libxxhash-dev         module  libxxhash
libyaml-dev           module  yaml-0.1
libunistring-dev      file    /usr/include/unicase.h
nettle-dev            module  nettle
libyyjson-dev         module  yyjson
libzstd-dev           module  libzstd
zlib1g-dev            module  zlib
'
readonly TEST_PARTS='
chromium              command chromium
clang                 command clang
clang-format          command clang-format
clang-tidy            command clang-tidy
cppcheck              command cppcheck
curl                  command curl
libclang-rt-14-dev    file    /usr/lib/llvm-14/lib/clang/14*/lib/linux/libclang_rt.fuzzer-*.a
nodejs                command node
npm                   command npm
openssl               command openssl
valgrind              command valgrind
wrk                   command wrk
'
# Folders with a package-lock.json, in which the tests run Node.
readonly NODE_FOLDERS='tests/clients tests/differential/oracle tests/sandbox/client'

work=

die()
{
    printf 'setup: %s\n' "$1" >&2
    exit 2
}

say()
{
    printf 'setup: %s\n' "$1" >&2
}

has_part() # kind what
{
    case $1 in
    command) command -v "$2" >/dev/null ;;
    module) pkg-config --exists "$2" 2>/dev/null ;;
    file) compgen -G "$2" >/dev/null ;;
    *) die "unknown kind of check '$1'" ;;
    esac
}

missing_packages() # rows
{
    local package kind what
    while read -r package kind what; do
        [ -z "$package" ] || has_part "$kind" "$what" || printf '%s ' "$package"
    done <<<"$1"
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "installing packages needs root: run this as root, or install sudo"
    fi
}

apt_install() # packages or ./files
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" >&2 || die "apt-get could not install: $*; its message is above (often: no network, or a mirror that is down)"
}

# Every archive that the machine already takes its own Debian release from, in either form of apt's sources.
debian_archives() # codename
{
    local file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -e "$file" ] || awk -v suite="$1" '
            function flush() { if (index(" " suites " ", " " suite " ")) print uris; uris = suites = "" }
            /^#/ { next }
            /^[ \t]*$/ { flush(); next }
            tolower($1) == "uris:" { $1 = ""; uris = $0 }
            tolower($1) == "suites:" { $1 = ""; suites = $0 }
            END { flush() }' "$file"
    done | tr -s ' ' '\n'
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -e "$file" ] || sed 's/\[[^]]*\]//' "$file" | awk -v suite="$1" '$1 == "deb" && $3 == suite { print $2 }'
    done
}

# An apt of its own beside the machine's: own sources, own lists, own cache, in a folder that dies with us.
isolated_apt()
{
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o Acquire::Languages=none \
        -o APT::Sandbox::User=root "$@"
}

fetch_yyjson() # archive: leaves the two packages in $work
{
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$1" "$YYJSON_RELEASE" \
        /usr/share/keyrings/debian-archive-keyring.gpg >"$work/sources/next.sources"
    isolated_apt update --error-on=any && (cd "$work" && isolated_apt download libyyjson0 libyyjson-dev)
}

install_yyjson()
{
    local archive
    if apt-cache show libyyjson-dev >/dev/null 2>&1; then
        apt_install libyyjson-dev
        return
    fi
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || apt_install debian-archive-keyring
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
    for archive in $(debian_archives "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" | sort -u); do
        say "taking libyyjson-dev from $YYJSON_RELEASE"
        if fetch_yyjson "$archive" >"$work/log" 2>&1; then
            apt_install "$work"/libyyjson0_*.deb "$work"/libyyjson-dev_*.deb
            return
        fi
        tail -n 3 "$work/log" >&2
    done
    die "no yyjson in apt's sources and none could be fetched from $YYJSON_RELEASE: install yyjson 0.10 or newer (headers and yyjson.pc) and try again"
}

install_packages() # package names
{
    local plain=() package with_yyjson=no
    for package in "$@"; do
        if [ "$package" = libyyjson-dev ]; then with_yyjson=yes; else plain+=("$package"); fi
    done
    command -v apt-get >/dev/null ||
        die "missing, and there is no apt-get here to install it: $* (Debian's names); install these and try again"
    say "installing $*"
    as_root apt-get update -q >&2 || die "apt-get update failed: check the network and apt's sources, then try again"
    [ ${#plain[@]} = 0 ] || apt_install "${plain[@]}"
    [ $with_yyjson = no ] || install_yyjson
}

# pkg-config may itself have been missing at the first look, so what libraries are there is known only now.
ensure_packages() # rows
{
    local missing
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing
    hash -r
    missing=$(missing_packages "$1")
    [ -z "$missing" ] || die "still not usable after installing: $missing; see the messages above"
}

# The stamp is newer than the lock when what is installed is what the lock says.
ensure_node_modules()
{
    local folder stamp
    for folder in $NODE_FOLDERS; do
        stamp=$folder/node_modules/.installed
        [ ! "$stamp" -nt "$folder/package-lock.json" ] || continue
        say "installing npm packages in $folder"
        (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund >&2) ||
            die "npm ci failed in $folder: check the network, then try again"
        touch "$stamp"
    done
}

case ${1:-} in
run)
    ensure_packages "$RUN_PARTS"
    ;;
test)
    ensure_packages "$RUN_PARTS$TEST_PARTS"
    ensure_node_modules
    ;;
*)
    die "usage: scripts/setup.sh run|test"
    ;;
esac
