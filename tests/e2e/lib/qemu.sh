#!/usr/bin/env bash
# By hand: the server on Debian 12's own kernel in an emulated machine, a few minutes long.
#   tests/e2e/lib/qemu.sh [FOLDER OF PROGRAMS]
# QEMU_ROOT   a Debian root with qemu-system-x86 (`debootstrap`, then apt-get install), when this
#             machine has no qemu-system-x86_64
# KERNEL_DEB  linux-image-6.1*.deb; fetched with apt-get download without it
# The machine gets what is in memory only: programs, their libraries, the mariadb client, busybox,
# and an empty ext4 disk for the data. Prints the log of the server and PASSED or FAILED.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${1:-$here/../../../build/release/bin}")
root=${QEMU_ROOT:-}
work=$(mktemp -d "$root/tmp/quanta-qemu.XXXXXX")
trap 'rm -rf "$work"' EXIT

die() { echo "qemu: $*" >&2; exit 1; }

busybox=$(command -v busybox || echo "$root/bin/busybox")
[ -x "$busybox" ] || die "busybox (package busybox-static) is missing"
client=$(command -v mariadb) || die "the mariadb client is missing"

if [ -z "${KERNEL_DEB:-}" ]; then
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | head -n 1)
    (cd "$work" && apt-get -qq download "$package")
    KERNEL_DEB=$(ls "$work"/linux-image-*.deb)
fi
dpkg -x "$KERNEL_DEB" "$work/kernel"
version=$(ls "$work/kernel/lib/modules")

tree=$work/tree
mkdir -p "$tree"/{bin,dev,proc,sys,tmp,data,lib64,lib/modules/"$version"}
cp "$busybox" "$tree/bin/busybox"
copy() { # program, with the libraries it needs at the places they have here
    local library
    cp "$1" "$tree/bin/"
    for library in $(ldd "$1" | grep -oE '/[^ )]+'); do
        mkdir -p "$tree$(dirname "$library")"
        cp -L "$library" "$tree$library"
    done
}
copy "$bin/quanta"
copy "$client"

# Modules for a disk with ext4, each after those it needs.
modules="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk
    crc16 crc32c_generic libcrc32c mbcache jbd2 ext4"
for module in $modules; do
    find "$work/kernel/lib/modules/$version" -name "${module//_/[-_]}.ko" -exec cp {} "$tree/lib/modules/" \;
done

cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib/quanta
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
ip link set lo up 2>/dev/null || ifconfig lo 127.0.0.1 up
for m in MODULES; do [ -e /lib/modules/$m.ko ] && insmod /lib/modules/$m.ko; done
mount -t ext4 /dev/vda /data && echo "QEMU: data on ext4" || echo "QEMU: data in memory"
echo "QEMU: kernel $(uname -r), $(nproc) cores"
status=FAILED
serve() {
    quanta --data-dir /data/quanta --mysql-port 4000 --memory 256M $1 >/tmp/out 2>/tmp/log &
    pid=$!
    for i in $(seq 1 120); do grep -q '^ready' /tmp/out && return 0; sleep 1; done
    return 1
}
sql() { mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -P 4000 -u x quanta -BN -e "$1"; }
stop() { kill -TERM $pid; wait $pid || { echo "QEMU: ended with $?"; return 1; }; }
work() {
    serve "$1" || return 1
    sql "CREATE TABLE t$2 (id INT PRIMARY KEY, s VARCHAR(20), n INT)" || return 1
    sql "INSERT INTO t$2 VALUES (1, 'a', 10), (2, 'b', 20), (3, 'a', -5)" || return 1
    [ "$(sql "SELECT count(*), sum(n) FROM t$2 WHERE s = 'a'")" = "2	5" ] || return 1
    sql "SELECT s, count(*) FROM t$2 GROUP BY s ORDER BY s"
    stop || return 1
    serve "$1" || return 1
    [ "$(sql "SELECT sum(n) FROM t$2")" = 25 ] || return 1
    stop
}
work "" 1 && { echo "QEMU: log of the server"; cat /tmp/log; } && work "--io epoll" 2 &&
    status=PASSED
cat /tmp/log
echo "QEMU: $status"
poweroff -f
INIT
sed -i "s|MODULES|$(echo $modules)|" "$tree/init"
chmod +x "$tree/init"
mkdir -p "$tree/lib/quanta"
cp -L "$bin"/../lib/quanta/*.so* "$tree/lib/quanta/" 2>/dev/null || true
(cd "$tree" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd"
truncate -s 512M "$work/disk"
/sbin/mkfs.ext4 -q "$work/disk"

inside=${work#"$root"}
started=$SECONDS
${root:+chroot "$root"} timeout 600 qemu-system-x86_64 -accel tcg -cpu max -m 1500 -smp 2 -nographic \
    -no-reboot -kernel "$inside/kernel/boot/vmlinuz-$version" -initrd "$inside/initrd" \
    -drive "file=$inside/disk,if=virtio,format=raw" -append "console=ttyS0 quiet panic=-1" \
    </dev/null >"$work/console" 2>&1 || true
tr -d '\r' <"$work/console" | sed -n '/QEMU: /,$p'
echo "took $((SECONDS - started)) s"
grep -q 'QEMU: PASSED' "$work/console"
