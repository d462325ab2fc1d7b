#!/bin/sh
# reference.sh PROGRAM [ARGUMENT...]: runs a test with Unicorn's own library, from the directory
# NARWHAL_UNICORN or the system's; 77 (skipped) where there is none.
set -eu
for dir in "${NARWHAL_UNICORN:-}" "$(pkg-config --variable=libdir unicorn 2>/dev/null || true)" \
    "/usr/lib/$(cc -print-multiarch 2>/dev/null || true)"; do
    if [ -n "$dir" ] && [ -e "$dir/libunicorn.so.2" ]; then
        if grep -q nw_uc_version "$dir/libunicorn.so.2"; then
            continue # that is ours
        fi
        LD_LIBRARY_PATH=$dir exec "$@"
    fi
done
exit 77
