#!/bin/sh
# Brings Unicorn's own library, of the newest release that Debian has, without installing anything:
#
#   tools/fetch-unicorn.sh DIR
#
# leaves lib/libunicorn.so.2, include/unicorn/ and python/unicorn/ (the Python binding of the same
# release) in DIR. What is there already is not fetched again. The tests take such a library with
# NARWHAL_UNICORN=DIR/lib, the Python scripts its binding with PYTHONPATH=DIR/python. Needs apt and
# dpkg-deb, and the machine's own Debian mirror.
set -eu
if [ $# -ne 1 ]; then
    echo "usage: $0 DIR" >&2
    exit 2
fi
fail() {
    echo "$0: $1" >&2
    exit 1
}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ ! -e "$dir/.complete" ] || exit 0

arch=$(dpkg --print-architecture)
work=$(mktemp -d "$dir/.apt.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/tree"
mirror=$(grep -hm1 -oE '(URIs: |^deb .*)https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list.d/* \
    /etc/apt/sources.list 2>/dev/null | grep -oE 'https?://[^ ]*' | head -n1)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [arch=$arch signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} sid main" \
    >"$work/sources.list"
: >"$work/status"
apt() {
    apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$work/cache" -o APT::Sandbox::User= -o APT::Update::Error-Mode=any \
        -o Acquire::Retries=1 "$@" >"$work/log" 2>&1
}
fetch() { # PACKAGE
    (cd "$work" && apt download "$1") || return 1
    dpkg-deb -x "$work/$1"_*.deb "$work/tree"
}
apt update || fail "no lists of Debian's sid: $(grep -m1 '^[EW]:' "$work/log")"
fetch libunicorn2t64 || fetch libunicorn2 || fail "no libunicorn2 in Debian's sid: $(head -n1 "$work/log")"
for p in libunicorn-dev python3-unicorn; do
    fetch $p || fail "no $p in Debian's sid: $(head -n1 "$work/log")"
done

so=$(find "$work/tree" -name libunicorn.so.2 | head -n1)
binding=$(find "$work/tree" -path '*dist-packages/unicorn' | head -n1)
if [ -z "$so" ] || [ -z "$binding" ]; then
    fail "Debian's packages of Unicorn are not as expected"
fi
! ldd "$so" 2>&1 | grep -q 'not found' || fail "Unicorn of Debian's sid needs a newer C library than this machine's"
rm -rf "${dir:?}/lib" "${dir:?}/include" "${dir:?}/python"
mkdir -p "$dir/lib" "$dir/include" "$dir/python"
cp -aL "$so" "$dir/lib/"
cp -a "$work/tree/usr/include/unicorn" "$dir/include/"
cp -a "$binding" "$dir/python/"
touch "$dir/.complete"
