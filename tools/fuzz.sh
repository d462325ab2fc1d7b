#!/bin/sh
# The long differential run against libunicorn: tools/fuzz.sh BUILD [CASES-PER-RUN]
# Every run has its own seed; a failure prints the seed and the instruction.
set -eu
diff=$1/tests/diff/arm_diff
cases=${2:-250000}
base=$(date +%s)
failed=0
for mode in dbt dbt-tlb dbt-nochain interp; do
    for set in a32 t16 t32 vfp; do
        base=$((base + 1))
        echo "== $mode $set"
        "$diff" --engine "$mode" --set "$set" --seed "$base" --cases "$cases" \
            --list "$1/unpredictable-$mode-$set.txt" || failed=1
    done
done
exit $failed
