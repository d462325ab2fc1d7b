/* System calls about the address space. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/mm.h"
#include "os/linux/syscall.h"

#define PAGE             4096ull
#define MAP_TYPE_MASK    0x0fu
#define MAP_SHARED_CHECK 0x03u /* MAP_SHARED_VALIDATE */
#define MMAP2_SHIFT      12

int64_t sys_brk(struct linux_task *t, const uint64_t args[6])
{
    return (int64_t)linux_mm_brk(t->process, args[0]);
}

/* The flags are numbered alike on our guests and hosts. */
static int64_t map(struct linux_task *t, const uint64_t args[6], uint64_t offset)
{
    uint32_t flags = (uint32_t)args[3], type = flags & MAP_TYPE_MASK;
    struct linux_map_request r = {
        .addr = args[0],
        .size = args[1],
        .prot = (uint32_t)args[2] & (PROT_READ | PROT_WRITE | PROT_EXEC),
        .fd = flags & MAP_ANONYMOUS ? -1 : (int)args[4],
        .offset = offset,
        .shared = type == MAP_SHARED || type == MAP_SHARED_CHECK,
        .low = t->process->abi->word == 8 && flags & MAP_32BIT,
        .fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE),
        .replace = (flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE),
    };
    if (!r.shared && type != MAP_PRIVATE)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS) && r.fd < 0)
        return -EBADF;
    return linux_mm_map(t->process, &r);
}

int64_t sys_mmap2(struct linux_task *t, const uint64_t args[6])
{
    return map(t, args, args[5] << MMAP2_SHIFT);
}

int64_t sys_mmap(struct linux_task *t, const uint64_t args[6])
{
    return args[5] & (PAGE - 1) ? -EINVAL : map(t, args, args[5]);
}

/* The arguments in memory. */
int64_t sys_old_mmap(struct linux_task *t, const uint64_t args[6])
{
    uint64_t own[6];
    for (unsigned i = 0; i < ARRAY_LEN(own); i++)
        if (linux_get_word(t, args[0] + i * t->process->abi->word, &own[i]))
            return -EFAULT;
    return sys_mmap(t, own);
}

int64_t sys_munmap(struct linux_task *t, const uint64_t args[6])
{
    return linux_mm_unmap(t->process, args[0], args[1]);
}

int64_t sys_mprotect(struct linux_task *t, const uint64_t args[6])
{
    return linux_mm_protect(t->process, args[0], args[1], (uint32_t)args[2] & 7);
}

int64_t sys_mremap(struct linux_task *t, const uint64_t args[6])
{
    return linux_mm_move(t->process, args[0], args[1], args[2], (unsigned)args[3], args[4]);
}

/* Advice may be ignored, but for what takes the content away. */
int64_t sys_madvise(struct linux_task *t, const uint64_t args[6])
{
    if (args[0] & (PAGE - 1))
        return -EINVAL;
    if (!args[1])
        return 0;
    switch ((int)args[2]) {
    case MADV_DONTNEED: return linux_mm_forget(t->process, args[0], args[1]);
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_FREE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP: return linux_mm_mapped(t->process, args[0], args[1]) ? 0 : -ENOMEM;
    default: return -EINVAL;
    }
}

int64_t sys_msync(struct linux_task *t, const uint64_t args[6])
{
    uint64_t size = (args[1] + PAGE - 1) & ~(PAGE - 1), done = 0;
    if (args[0] & (PAGE - 1))
        return -EINVAL;
    if (!linux_mm_mapped(t->process, args[0], size))
        return -ENOMEM;
    while (done < size) {
        uint64_t n = PAGE;
        void *at = linux_span_some(t, args[0] + done, &n, NW_ACCESS_READ);
        if (at) {
            int64_t err = linux_host(SYS_msync, (long)at, PAGE, (long)args[2], 0, 0, 0);
            if (err)
                return err;
        }
        done += PAGE;
    }
    return 0;
}

/* Whether a page is in memory is the host's affair: all of them are said to be. */
int64_t sys_mincore(struct linux_task *t, const uint64_t args[6])
{
    uint64_t size = (args[1] + PAGE - 1) & ~(PAGE - 1);
    if (args[0] & (PAGE - 1))
        return -EINVAL;
    if (!linux_mm_mapped(t->process, args[0], size))
        return -ENOMEM;
    for (uint64_t i = 0; i < size / PAGE; i++)
        if (linux_copy_out(t, args[2] + i, &(uint8_t){1}, 1))
            return -EFAULT;
    return 0;
}

/* Locking guest memory would lock the translator's too; to the guest it looks done. */
int64_t sys_mlock(struct linux_task *t, const uint64_t args[6])
{
    uint64_t start = args[0] & ~(PAGE - 1), end = (args[0] + args[1] + PAGE - 1) & ~(PAGE - 1);
    return linux_mm_mapped(t->process, start, end - start) ? 0 : -ENOMEM;
}

int64_t sys_mlock2(struct linux_task *t, const uint64_t args[6])
{
    return args[2] & ~1ull ? -EINVAL : sys_mlock(t, args);
}

int64_t sys_munlock(struct linux_task *t, const uint64_t args[6])
{
    return sys_mlock(t, args);
}

int64_t sys_mlockall(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    return args[0] && !(args[0] & ~7ull) ? 0 : -EINVAL;
}

int64_t sys_munlockall(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    (void)args;
    return 0;
}
