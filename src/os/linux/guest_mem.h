/* Guest memory as system calls use it.
 *
 * With the arena every mapped guest page lies in one linear host window and a span is the guest's
 * own memory; an unmapped page is inaccessible there too, so a host system call that is given such
 * a pointer while another thread unmaps gives EFAULT. Without the arena a span over two mappings
 * is a copy that is written back when the system call ends. Spans are valid until then.
 *
 * ACCESS is NW_ACCESS_READ (the host reads guest memory) or NW_ACCESS_WRITE. Any thread. */
#ifndef OS_LINUX_GUEST_MEM_H
#define OS_LINUX_GUEST_MEM_H

#include <sys/uio.h>
#include "os/linux/task.h"

/* Host pointer to SIZE bytes at GVA, or null when any of them may not be accessed so (EFAULT).
 * SIZE 0 gives a non-null pointer that must not be dereferenced. A WRITE span forgets translated
 * code in the range. */
void *linux_span(struct linux_task *, uint64_t gva, uint64_t size, nw_access access);
/* The same for as much of the beginning as is accessible: *SIZE is cut down. Null when none is. */
void *linux_span_some(struct linux_task *, uint64_t gva, uint64_t *size, nw_access access);

/* Copies; 0 or -EFAULT, nothing copied then. */
int64_t linux_copy_in(struct linux_task *, void *dst, uint64_t gva, uint64_t size);
int64_t linux_copy_out(struct linux_task *, uint64_t gva, const void *src, uint64_t size);

/* Scalars in guest byte order; 0 or -EFAULT. */
int64_t linux_get_u32(struct linux_task *, uint64_t gva, uint32_t *value);
int64_t linux_put_u32(struct linux_task *, uint64_t gva, uint32_t value);
int64_t linux_put_u64(struct linux_task *, uint64_t gva, uint64_t value);
/* A pointer-sized word of the guest. */
int64_t linux_get_word(struct linux_task *, uint64_t gva, uint64_t *value);
int64_t linux_put_word(struct linux_task *, uint64_t gva, uint64_t value);

/* Copies a string with its NUL into BUF of SIZE bytes: its length, -EFAULT, or -ENAMETOOLONG. */
int64_t linux_string_in(struct linux_task *, char *buf, size_t size, uint64_t gva);
/* A string of any length up to 128 KiB, malloced into *OUT: its length, -EFAULT, -E2BIG, -ENOMEM.
 */
int64_t linux_string_dup(struct linux_task *, uint64_t gva, char **out);

/* Reads COUNT (0..1024) guest iovecs at GVA into host iovecs OUT (room for COUNT) with host
 * pointers. Inaccessible tails cut the list short as the kernel does. The number of entries in
 * use, -EINVAL or -EFAULT. */
int64_t linux_iovec_in(struct linux_task *, uint64_t gva, uint64_t count, struct iovec *out,
                       nw_access access);

/* The system call is over: spans that had to be copies are written back and freed. */
void linux_bounces_end(struct linux_task *);

#endif
