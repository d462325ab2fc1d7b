#!/bin/sh
# arm_trace.sh REFERENCE TRACE OUT [ARGUMENT...]: runs TRACE with the library that it was linked with and, through
# REFERENCE (reference.sh), with Unicorn's own, and compares what they print; ours must compute the same without
# hooks. Left out are cases
#  - that do not come to their breakpoint here (block_diff looks at those);
#  - that Unicorn ends otherwise without hooks, or with fewer instructions than there are: behind a hooked access in
#    an IT block, or one whose last instruction ends the block, it now and then takes a wrong condition;
# and the blocks of those that are several here: an UNPREDICTABLE instruction, one that is not executed, ends a block.
# 77 (skipped) where there is no other library.
set -eu
reference=$1 trace=$2 out=$3
shift 3
mkdir -p "$out"
export UC_IGNORE_REG_BREAK=1
"$trace" "$@" >"$out/ours"
if grep '!$' "$out/ours"; then
    echo "otherwise without hooks"
    exit 1
fi
"$reference" "$trace" "$@" >"$out/reference" || exit $?
paste -d'\n' "$out/ours" "$out/reference" | awk '
    NR % 2 { ours = $0; split(ours, a); next }
    a[2] != "b" { elsewhere++; next }
    /!$/ || $3 + 0 < a[3] + 0 { skips++; next }
    a[4] + 0 > 1 { split_up++; sub(" " a[4] " ", " - ", ours); $4 = "-" }
    ours == $0 { passed++; next }
    failed++ < 5 { print "ours:      " ours; print "reference: " $0 }
    END { printf "%d ended elsewhere, %d in several blocks, in %d the reference skips instructions\n", elsewhere,
              split_up, skips
          printf "%d passed, %d failed\n", passed, failed
          exit failed || passed < elsewhere || passed < 4 * split_up || passed < 100 * skips }'
