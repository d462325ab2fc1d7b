#!/bin/sh
# Brings unmodified Debian programs of a foreign architecture, without installing anything:
#
#   tools/fetch-debian.sh ARCH DIR PACKAGE...
#
# unpacks the packages (not their dependencies: name those too) into DIR. What is there already is
# not fetched again. Needs apt and dpkg-deb, and the machine's own Debian mirror.
set -eu
if [ $# -lt 3 ]; then
    echo "usage: $0 ARCH DIR PACKAGE..." >&2
    exit 2
fi
arch=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
shift 2

todo=
for p; do
    [ -e "$dir/.fetched/$p" ] || todo="$todo $p"
done
[ -n "$todo" ] || exit 0

lists=$dir/.apt
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$dir/.fetched" "$lists/deb"
. /etc/os-release
mirror=$(grep -hm1 -oE '(URIs: |^deb .*)https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list.d/* \
    /etc/apt/sources.list 2>/dev/null | grep -oE 'https?://[^ ]*' | head -n1)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [arch=$arch signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} ${VERSION_CODENAME:-bookworm} main" \
    >"$lists/sources.list"
: >"$lists/status"
apt() {
    apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::Lists="$lists/lists" -o Dir::State::status="$lists/status" \
        -o Dir::Cache="$lists/cache" -o APT::Sandbox::User= "$@"
}
[ -e "$lists/updated" ] || apt update && touch "$lists/updated"
cd "$lists/deb"
# shellcheck disable=SC2086 # a list of words
apt download $todo
for p in $todo; do
    deb=$(find . -name "${p}_*.deb" | head -n1)
    if [ -z "$deb" ]; then
        echo "$0: apt brought no package $p for $arch" >&2
        exit 1
    fi
    dpkg-deb -x "$deb" "$dir"
    rm -f "$deb"
    touch "$dir/.fetched/$p"
done
# Debian's merged /usr: packages of one suite put their files on either side.
for d in bin sbin lib; do
    if [ -d "$dir/$d" ] && [ ! -L "$dir/$d" ]; then
        mkdir -p "$dir/usr/$d"
        cp -a "$dir/$d/." "$dir/usr/$d/"
        rm -rf "${dir:?}/$d"
    fi
    if [ -d "$dir/usr/$d" ] && [ ! -e "$dir/$d" ]; then
        ln -s "usr/$d" "$dir/$d"
    fi
done
