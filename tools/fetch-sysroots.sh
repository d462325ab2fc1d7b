#!/bin/sh
# The Debian programs that tests and benchmarks run: tools/fetch-sysroots.sh CACHE
# gives CACHE/armel, CACHE/armhf (static busybox, and dynamic programs with their libraries), CACHE/amd64
# and CACHE/i386 (static busybox; what else runs of the host's machine is the host's own), and the kernel
# that the PC board boots in CACHE/amd64/boot.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/fetch-debian.sh" armel "$1/armel" busybox-static
"$here/fetch-debian.sh" armhf "$1/armhf" busybox-static libc6 libgcc-s1 libtinfo6 libcrypt1 \
    bash gawk libgmp10 libmpfr6 libsigsegv2 libreadline8 readline-common \
    sqlite3 libsqlite3-0 zlib1g \
    python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib \
    libpython3-stdlib libexpat1 libbz2-1.0 liblzma5 libffi8 libuuid1 libssl3 libdb5.3 \
    libncursesw6 libnsl2 libtirpc3 media-types coreutils libselinux1 libacl1 libattr1 libpcre2-8-0
"$here/fetch-debian.sh" amd64 "$1/amd64" busybox-static
"$here/fetch-debian.sh" i386 "$1/i386" busybox-static

# The kernel's package has its version in its name and comes with the machine's own updates; /boot of it
# is enough.
kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
if [ -n "$kernel" ] && [ ! -e "$1/amd64/.fetched/$kernel" ]; then
    deb=$(mktemp -d)
    (cd "$deb" && apt-get -qq -o APT::Sandbox::User= download "$kernel")
    dpkg-deb --fsys-tarfile "$deb"/*.deb | tar -x -C "$1/amd64" ./boot
    rm -r "$deb"
    touch "$1/amd64/.fetched/$kernel"
fi
