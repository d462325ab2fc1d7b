#!/bin/sh
# Usage: strace.sh NARWHAL GUEST_FILES: the printed calls of the guest "files" have strace's form.
narwhal=$1
program=$2
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT
"$narwhal" run --strace="$trace" "$program" >/dev/null || exit 1
failed=0
while IFS= read -r pattern; do
    grep -Eq -- "$pattern" "$trace" || { echo "no line: $pattern"; failed=1; }
done <<'PATTERNS'
^execve\(".*files\.arm", \[".*"(\.\.\.)?\], 0x[0-9a-f]+ /\* [0-9]+ vars? \*/\) = 0$
^openat\(AT_FDCWD, "/tmp/narwhal-files-.*/file", O_RDWR\|O_CREAT\|O_EXCL\|O_CLOEXEC\|O_LARGEFILE, 0640\) = [0-9]+$
^openat\(AT_FDCWD, "/tmp/narwhal-files-.*/file", O_RDWR\|O_CREAT\|O_EXCL\|O_LARGEFILE, 0640\) = -1 EEXIST \(File exists\)$
^write\([0-9]+, "hello world", 11\)             = 11$
^_llseek\([0-9]+, 6, \[6\], SEEK_SET\)            = 0$
^read\([0-9]+, 0xfffff000, 4\)                  = -1 EFAULT \(Bad address\)$
^writev\([0-9]+, \[\{iov_base="abc", iov_len=3\}, \{iov_base=NULL, iov_len=0\}, \{iov_base="defgh", iov_len=5\}\], 3\) = 8$
^pipe2\(\[[0-9]+, [0-9]+\], O_NONBLOCK\|O_CLOEXEC\) += 0$
^fcntl64\([0-9]+, F_GETFD\)                     = 0x1 \(flags FD_CLOEXEC\)$
^fcntl64\([0-9]+, F_SETLK64, \{l_type=F_WRLCK, l_whence=SEEK_SET, l_start=4294967296, l_len=10\}\) = 0$
^\[pid +[0-9]+\] wait4\([0-9]+, \[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0\}\], 0, NULL\) = [0-9]+$
^\[pid +[0-9]+\] \+\+\+ exited with 0 \+\+\+$
PATTERNS
exit $failed
