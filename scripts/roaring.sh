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
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    die "no apt-get on this system"

# The mirror of the running release's main component, for example "bookworm".
release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-stable}")
mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' "Release: $release" 'Component: main' 2>/dev/null | head -n 1)
[ -n "$mirror" ] || die "no apt source for $release main is configured"
keyring=$(apt-get indextargets --format '$(SIGNED_BY)' \
    'Created-By: Packages' "Release: $release" 'Component: main' 2>/dev/null | head -n 1)
[ -r "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || die "Debian's archive key ring is missing (package debian-archive-keyring)"

work=$(mktemp -d "$dest/.roaring.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$mirror" >"$work/sources.list"
options=(-qq
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
    -o APT::Sandbox::User=root -o Acquire::Languages=none)

say "fetching CRoaring from the suite sid of this machine's Debian mirror"
if ! apt-get "${options[@]}" update </dev/null 2>"$work/update.log"; then
    # A frozen mirror's index runs out after a week. Its signature is checked all the same.
    grep -q 'is expired' "$work/update.log" && options+=(-o Acquire::Check-Valid-Until=false) &&
        say "the mirror's index of sid is past its date; it is used because its signature is good"
    apt-get "${options[@]}" update </dev/null || die "apt-get could not read the suite sid"
fi
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
