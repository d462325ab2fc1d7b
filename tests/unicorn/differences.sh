#!/bin/sh
# differences.sh TESTS DOCUMENT: each difference that the tests name, and each thing that they say is not
# done, has its line in the document, and the document names no other.
set -eu
differs=$(sed -n 's/.*DIFFERS("\([a-z0-9-]*\)".*/\1/p' "$1"/test_*.c | sort -u)
unmet=$(cat "$1"/test_*.c | tr '\n' ' ' | grep -oE 'MET\("[^"]*"' | sed 's/[^"]*"\(.*\)"/\1/' | sort -u)
in_document() { # the first column of the tables of a section
    awk -v section="## $1" '/^## / { on = $0 == section } on' "$2" |
        sed -n 's/^| \([^|]*\) |.*/\1/p' | grep -vxE 'id|what' | sort -u
}
bad=0
same() { # what, those of the tests, those of the document
    [ "$2" = "$3" ] && return
    bad=1
    echo "$2" | while read -r line; do
        echo "$3" | grep -Fqx -- "$line" || echo "$1, not in the document: $line"
    done
    echo "$3" | while read -r line; do
        echo "$2" | grep -Fqx -- "$line" || echo "$1, not in the tests: $line"
    done
}
same Differences "$differs" "$(in_document Differences "$2")"
same 'Not done' "$unmet" "$(in_document 'Not done' "$2")"
exit $bad
