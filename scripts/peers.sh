#!/usr/bin/env bash
# Fetches the peers of `make bench-peers` into a folder, without touching the system:
# `peers.sh FOLDER duckdb|postgresql|clickhouse|mysql`. Each gets a root of its own, made of the packages it needs, C
# library included, unpacked but not set up; its programs are started with that root's loader or by chroot.
#
# DuckDB and PostgreSQL with roaringbitmap come from Debian's suite sid, ClickHouse from the running release. Mirror
# and key ring are read from this machine's own apt configuration; lists and downloads stay in a private folder.
set -euo pipefail
dest=$(mkdir -p "$1" && cd "$1" && pwd)
name=${2:?duckdb, postgresql, clickhouse or mysql}

say() { printf 'peers: %s\n' "$*" >&2; }
die() { say "$name: $*"; exit 1; }

case $name in
    duckdb) suite=sid patterns='^libduckdb[0-9.]+$' ;;
    postgresql) suite=sid patterns='^postgresql-[0-9]+-roaringbitmap$' more="dash base-files" ;;
    mysql) suite=sid patterns='^mysql-client-core$' more="python3-mysql.connector python3-minimal libpython3-stdlib" ;; # for tests/e2e
    clickhouse) suite= patterns='^clickhouse-server$' ;;
    *) die "not known; known are duckdb, postgresql, clickhouse and mysql" ;;
esac
[ -e "$dest/$name.version" ] && exit 0
. "$(dirname "$0")/apt-suite.sh"
# Nothing counts as installed, so all that is needed comes along.
fetch_suite "$suite" "$name" no_packages
# The newest of the versions that have a package of their own.
package=$(apt-cache "${options[@]}" pkgnames | grep -E "$patterns" | sort -V | tail -n 1 || true)
[ -n "$package" ] || die "no package $patterns in the suite"
apt-get "${options[@]}" install -y --no-install-recommends --download-only "$package" ${more:-} \
    </dev/null >"$work/install.log" 2>&1 || { tail -n 5 "$work/install.log" >&2; die "apt-get could not download $package"; }

# /bin, /lib and so on are links into /usr, as in a Debian of today, whichever form the packages have.
for folder in bin sbin lib lib64; do
    mkdir -p "$work/root/usr/$folder"
    ln -s "usr/$folder" "$work/root/$folder"
done
for file in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$work/root" --keep-directory-symlink --no-same-owner \
        --exclude=./dev --exclude=./usr/share/doc --exclude=./usr/share/man
done
version=$(apt-cache "${options[@]}" policy "$package" | awk '$1 == "Candidate:" { print $2 }')
rm -rf "${dest:?}/$name"
mv "$work/root" "$dest/$name"
printf '%s\n' "$version" >"$dest/$name.version"
say "$package $version is in $dest/$name"
