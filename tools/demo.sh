#!/bin/sh
# What `make run` shows: tools/demo.sh NARWHAL CACHE BUILD
set -eu
narwhal=$1
cache=$2
build=$3
here=$(cd "$(dirname "$0")/.." && pwd)

say() { printf '\n$ narwhal %s\n' "$*"; }

for arch in armhf amd64; do
    busybox=$cache/$arch/bin/busybox
    printf '\nAn unmodified Debian %s program:\n' "$arch"
    "$narwhal" run "$busybox" uname -srm
    say "run busybox sh -c '…'"
    "$narwhal" run "$busybox" sh -c '
        for i in 1 2 3; do echo "line $i"; done | sort -r
        seq 1 100000 | awk "{ s += \$1 } END { print \"sum\", s }"
        seq 1 200000 | sha256sum'
done

printf '\nMachine code of x86-64 alone: add rax, rbx; imul rax, rax.\n'
say "exec --arch x86_64 --hex '48 01 d8 48 0f af c0' --reg rax=5 --reg rbx=7"
"$narwhal" exec --arch x86_64 --hex '48 01 d8 48 0f af c0' --reg rax=5 --reg rbx=7

printf '\nThe board example, on an ARM Versatile:\n'
mkdir -p "$build/examples"
make -s -C "$here/examples/hello-versatilepb" OUT="$(cd "$build/examples" && pwd)"
say "boot --machine versatilepb --cpu arm926 --mem 128M --kernel hello.bin"
"$narwhal" boot --machine versatilepb --cpu arm926 --mem 128M --kernel "$build/examples/hello.bin" </dev/null
