#!/usr/bin/env bash
# Installs what building, the demo and the tests need: `deps.sh build|test|roaring`.
# Debian packages by name through apt-get; CRoaring into build/deps (see roaring.sh); clients
# of the tests that come from npm into build/deps/node. Does nothing, quickly, when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."
deps_dir=${DEPS:-build/deps}

# What the compiler and the linker need, and the demo's command line client.
build_packages="gcc make pkg-config libc6-dev flex bison re2c protobuf-c-compiler protobuf-compiler
    liburing-dev libjemalloc-dev libprotobuf-c-dev libyaml-dev libcurl4-openssl-dev libjansson-dev
    libnghttp2-dev libssl-dev libnuma-dev libsnappy-dev libzstd-dev liblz4-dev libbrotli-dev
    zlib1g-dev libxxhash-dev libpcre2-dev libutf8proc-dev mariadb-client"

# Clients of the matrix in README.md.
client_packages="python3-mysqldb python3-sqlalchemy libmariadb-java golang-go golang-github-go-sql-driver-mysql-dev
    mycli sysbench"

# Test frameworks, peers and clients, a browser for the page. mariadb-server-core is the bare program: no service, no user.
test_packages="libcriterion-dev clang llvm libclang-rt-14-dev clang-format mariadb-server-core
    python3 python3-pymysql python3-cryptography openssl procps $client_packages
    chromium chromium-driver fonts-dejavu-core"

# Commands that come from Debian or from elsewhere; installed only where missing altogether.
test_commands="node:nodejs npm:npm javac:default-jdk-headless"

# The gRPC client and the MySQL drivers of npm, and a store that speaks S3.
node_modules="@grpc/grpc-js @grpc/proto-loader mysql mysql2 s3rver"

# What to look for with pkg-config on a system that is not Debian 12.
pkg_config_modules="liburing jemalloc libprotobuf-c yaml-0.1 libcurl jansson libnghttp2 openssl
    numa snappy libzstd liblz4 libbrotlidec zlib libxxhash libpcre2-8 libutf8proc"

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "root or sudo is needed to run: $*"
    fi
}

is_debian_12() {
    [ -r /etc/os-release ] && (
        . /etc/os-release
        [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ]
    )
}

# Prints the names among "$@" that dpkg does not have installed.
missing_packages() {
    local package
    for package in "$@"; do
        # " not-installed " is what dpkg says of a package it has only heard of.
        case " $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null)" in
            *\ installed\ *) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

apt_install() {
    [ $# -gt 0 ] || return 0
    say "installing: $*"
    local log
    log=$(mktemp)
    if ! { as_root apt-get -qq update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"; } >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "apt-get could not install: $*"
    fi
    rm -f "$log"
}

# Elsewhere nothing is installed: what pkg-config finds is used, the rest is named.
check_foreign_system() {
    local module missing=
    command -v pkg-config >/dev/null || die "not Debian 12 and no pkg-config: install it first"
    for module in $pkg_config_modules; do
        pkg-config --exists "$module" || missing="$missing $module"
    done
    for module in cc bison flex protoc-c; do
        command -v "$module" >/dev/null || missing="$missing $module"
    done
    [ -n "$missing" ] || return 0
    say "this is not Debian 12; missing pkg-config modules or commands:$missing"
    say "on Debian 12 they come from: $(echo $build_packages)"
    exit 1
}

install_build() {
    if is_debian_12; then
        # The lists are split into words on purpose, here and below.
        apt_install $(missing_packages $build_packages)
    else
        check_foreign_system
    fi
    scripts/roaring.sh "$deps_dir"
}

install_node_modules() {
    local dir=$deps_dir/node log
    local module missing=
    for module in $node_modules; do
        [ -d "$dir/node_modules/$module" ] || missing=yes
    done
    [ -n "$missing" ] || return 0
    if ! command -v npm >/dev/null; then
        say "npm is missing: tests with clients in JavaScript will be skipped"
        return
    fi
    say "installing clients in JavaScript for tests into $dir"
    mkdir -p "$dir"
    log=$(mktemp)
    if ! npm install --prefix "$dir" --no-save --no-audit --no-fund --ignore-scripts --fetch-retries=1 \
        $node_modules >"$log" 2>&1 </dev/null; then
        tail -n 5 "$log" >&2
        say "npm could not install them: tests with clients in JavaScript will be skipped"
    fi
    rm -f "$log"
}

install_test() {
    if is_debian_12; then
        local pair wanted=
        for pair in $test_commands; do
            command -v "${pair%%:*}" >/dev/null || wanted="$wanted ${pair##*:}"
        done
        apt_install $(missing_packages $test_packages) $wanted
    else
        say "this is not Debian 12; tests use: $(echo $test_packages nodejs npm)"
    fi
    install_node_modules
}

mkdir -p "$deps_dir"
exec 9>"$deps_dir/.lock"
flock 9 # two makes at once install once
case ${1:-} in
    build) install_build ;;
    test) install_test ;;
    roaring) scripts/roaring.sh "$deps_dir" ;;
    *) die "usage: deps.sh build|test|roaring" ;;
esac
