#!/bin/sh
# differences.sh TESTS DOCUMENT: each difference that the tests name has its line in the document, and
# the document names no other.
set -eu
in_tests=$(sed -n 's/.*DIFFERS("\([a-z0-9-]*\)".*/\1/p' "$1"/test_*.c | sort -u)
in_document=$(sed -n "s/^| \([a-z][a-z0-9-]*\) |.*/\1/p" "$2" | grep -vx id | sort -u)
[ "$in_tests" = "$in_document" ] && exit 0
for id in $in_tests; do
    echo "$in_document" | grep -qx -- "$id" || echo "not in the document: $id"
done
for id in $in_document; do
    echo "$in_tests" | grep -qx -- "$id" || echo "not in the tests: $id"
done
exit 1
