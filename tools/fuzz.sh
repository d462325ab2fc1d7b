#!/bin/sh
# The long runs: tools/fuzz.sh BUILD [CASES-PER-RUN [SECONDS-PER-TARGET]]
# First instructions and blocks of them against libunicorn: every run has its own seed; a failure
# prints the seed and the instruction. UNPREDICTABLE encodings are listed, with an example for each
# row, in BUILD/unpredictable-*.txt. x86 is compared with the host CPU; forms, cases and differences are
# in BUILD/x86-*.txt. Then the libFuzzer targets, if BUILD has them (CC=clang meson setup BUILD
# -Dsanitize=address,undefined -Dfuzz=true): what they find is left in BUILD/fuzz/NAME-*.
set -eu
diff=$1/tests/diff/arm_diff
cases=${2:-250000}
seconds=${3:-300}
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
for mode in dbt dbt-tlb dbt-nochain interp; do
    for set in a32 thumb; do
        base=$((base + 1))
        echo "== blocks $mode $set"
        "$1/tests/diff/block_diff" --engine "$mode" --set "$set" --seed "$base" \
            --cases $((cases / 5)) || failed=1
    done
done
# The x86 guest against the host CPU, all engine modes at once.
for bits in 64 32; do
    for blocks in "" --blocks; do
        base=$((base + 1))
        echo "== x86 $bits $blocks"
        "$1/tests/diff/x86_diff" --bits "$bits" $blocks --seed "$base" --cases $((cases * 5)) --list \
            >"$1/x86-$bits$blocks.txt" || failed=1
        tail -2 "$1/x86-$bits$blocks.txt"
    done
done
for target in lift x86 exec api ir elf; do
    fuzzer=$1/tests/fuzz/fuzz_$target
    [ -x "$fuzzer" ] || continue
    echo "== fuzz $target"
    mkdir -p "$1/fuzz/$target"
    "$fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=2000 -verbosity=0 \
        -artifact_prefix="$1/fuzz/$target-" "$1/fuzz/$target" \
        "$(dirname "$0")/../tests/fuzz/corpus/$target" || failed=1
done
exit $failed
