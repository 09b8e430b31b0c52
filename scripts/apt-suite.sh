# To be sourced: the package lists of a Debian suite in a private folder, without touching the system.
# The mirror and the key ring are read from this machine's own apt configuration, whichever form its
# source lists have. The caller has `dest`, `say` and `die` (which does not return).

# fetch_suite SUITE WHAT [no_packages]: SUITE empty = the running release. Sets `work`, a folder below $dest that is
# removed at the end of the script, with an empty `root`, and `options` for apt-get and apt-cache.
fetch_suite() {
    local suite=$1 what=$2 release mirror keyring

    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "no apt-get on this system"
    # The mirror of the running release's main component, for example "bookworm".
    release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-stable}")
    suite=${suite:-$release}
    mirror=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' "Release: $release" 'Component: main' 2>/dev/null | head -n 1)
    [ -n "$mirror" ] || die "no apt source for $release main is configured"
    keyring=$(apt-get indextargets --format '$(SIGNED_BY)' \
        'Created-By: Packages' "Release: $release" 'Component: main' 2>/dev/null | head -n 1)
    [ -r "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || die "Debian's archive key ring is missing (package debian-archive-keyring)"

    work=$(mktemp -d "$dest/.suite.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$work/sources.list"
    options=(-qq
        -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
        -o APT::Sandbox::User=root -o Acquire::Languages=none)
    if [ -n "${3:-}" ]; then
        : >"$work/status"
        options+=(-o "Dir::State::status=$work/status")
    fi

    say "fetching $what from the suite $suite of this machine's Debian mirror"
    apt-get "${options[@]}" update </dev/null 2>"$work/update.log" && return
    # A frozen mirror's index runs out after a week. Its signature is checked all the same.
    grep -q 'is expired' "$work/update.log" && options+=(-o Acquire::Check-Valid-Until=false) &&
        say "the mirror's index of $suite is past its date; it is used because its signature is good"
    apt-get "${options[@]}" update </dev/null || die "apt-get could not read the suite $suite"
}
