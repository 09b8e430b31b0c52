#!/usr/bin/env bash
# Puts CRoaring >= 4 into the folder given, without touching the system: `roaring.sh build/deps`.
#
# Debian 12 has 0.2.66, which lacks the 64-bit C interface and the run-time choice of AVX2 or
# AVX-512, so the library comes from Debian's suite sid (it needs nothing but an old libc). The
# mirror and the key ring are read from this machine's own apt configuration, whichever form its
# source lists have; lists and downloads stay in a private folder that is removed afterwards.
set -euo pipefail
dest=$(mkdir -p "$1" && cd "$1" && pwd)

say() { printf 'deps: %s\n' "$*"; }
die() {
    printf 'deps: %s\n' "$*" >&2
    printf 'deps: needed: CRoaring 4 or later, found by "pkg-config roaring", or under %s/usr\n' \
        "$dest" >&2
    exit 1
}

[ -e "$dest/usr/include/roaring/roaring64.h" ] && [ -e "$dest/roaring.version" ] && exit 0
if command -v pkg-config >/dev/null && pkg-config --atleast-version=4 roaring 2>/dev/null; then
    exit 0
fi
. "$(dirname "$0")/apt-suite.sh"
fetch_suite sid CRoaring
candidate=$(apt-cache "${options[@]}" policy libroaring-dev | awk '$1 == "Candidate:" { print $2 }')
dpkg --compare-versions "${candidate:-0}" ge 4 ||
    die "the suite sid has CRoaring ${candidate:-none}, and 4 or later is needed"
# The shared library's package is named after its version: libroaring21, libroaring22, ...
runtime=$(apt-cache "${options[@]}" depends libroaring-dev |
    awk '$1 == "Depends:" && $2 ~ /^libroaring[0-9]/ { print $2; exit }')
(cd "$work" && apt-get "${options[@]}" download libroaring-dev $runtime </dev/null) ||
    die "apt-get could not download CRoaring"
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done

rm -rf "${dest:?}/usr"
mkdir -p "$dest/usr/lib"
mv "$work/root/usr/include" "$dest/usr/include"
# One flat folder for the library, whatever the architecture's name is.
find "$work/root/usr/lib" -name 'libroaring.so*' -exec mv {} "$dest/usr/lib/" \;
[ -e "$dest/usr/lib/libroaring.so" ] || die "the package held no libroaring.so"
printf '%s\n' "$candidate" >"$dest/roaring.version"
say "CRoaring $candidate is in $dest/usr"
