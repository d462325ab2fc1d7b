#!/bin/sh
# What `make run` shows: tools/demo.sh NARWHAL SYSROOT BUILD
set -eu
narwhal=$1
busybox=$2/bin/busybox
build=$3
here=$(cd "$(dirname "$0")/.." && pwd)

say() { printf '\n$ narwhal %s\n' "$*"; }

echo "An unmodified Debian armhf program:"
"$narwhal" run "$busybox" uname -srm
say "run busybox sh -c '…'"
"$narwhal" run "$busybox" sh -c '
    for i in 1 2 3; do echo "line $i"; done | sort -r
    seq 1 100000 | awk "{ s += \$1 } END { print \"sum\", s }"
    seq 1 200000 | sha256sum'

echo
echo "The board example, on an ARM Versatile:"
mkdir -p "$build/examples"
make -s -C "$here/examples/hello-versatilepb" OUT="$(cd "$build/examples" && pwd)"
say "boot --machine versatilepb --cpu arm926 --mem 128M --kernel hello.bin"
"$narwhal" boot --machine versatilepb --cpu arm926 --mem 128M --kernel "$build/examples/hello.bin" </dev/null
