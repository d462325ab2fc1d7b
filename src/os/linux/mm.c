/* The guest's address space. The engine holds the memory, the list of ranges what Linux knows
 * about it; both change under one lock. */
#include "os/linux/mm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mem/space.h"
#include "os/linux/abi.h"

#define PAGE          4096ull
#define MAP_LOW       0x10000ull /* nothing is placed below unless asked for */
#define FIXED_LOW     0x1000ull  /* page 0 stays unmapped */
#define MAP_32BIT_TOP 0x80000000ull

struct linux_mm {
    pthread_mutex_t lock;
    struct vma_list vmas;
    uint64_t top;
    uint64_t brk_start, brk;
};

static uint64_t page_up(uint64_t n)
{
    return (n + PAGE - 1) & ~(PAGE - 1);
}

struct linux_mm *linux_mm_new(uint64_t top)
{
    struct linux_mm *mm = calloc(1, sizeof *mm);
    if (!mm)
        return NULL;
    pthread_mutex_init(&mm->lock, NULL);
    mm->top = top;
    return mm;
}

void linux_mm_free(struct linux_mm *mm)
{
    if (!mm)
        return;
    vma_free(&mm->vmas);
    pthread_mutex_destroy(&mm->lock);
    free(mm);
}

void linux_mm_lock(struct linux_process *p)
{
    pthread_mutex_lock(&p->mm->lock);
}

void linux_mm_unlock(struct linux_process *p)
{
    pthread_mutex_unlock(&p->mm->lock);
}

/* What may be executed may be read, and what may be written too, on the CPUs we run. */
uint32_t linux_perms(uint32_t prot)
{
    uint32_t perms = 0;
    if (prot & (PROT_READ | PROT_WRITE | PROT_EXEC))
        perms |= NW_READ;
    if (prot & PROT_WRITE)
        perms |= NW_WRITE;
    if (prot & PROT_EXEC)
        perms |= NW_EXEC;
    return perms;
}

static int64_t error_of(nw_status status)
{
    switch (status) {
    case NW_OK: return 0;
    case NW_ERR_NOMEM: return -ENOMEM;
    case NW_ERR_HOST: return errno ? -errno : -EACCES;
    case NW_ERR_UNMAPPED: return -EFAULT;
    default: return -EINVAL;
    }
}

static void describe_file(struct linux_vma *vma, int fd)
{
    struct stat st;
    char link[64], path[4096];
    if (fd < 0 || fstat(fd, &st))
        return;
    vma->dev = st.st_dev;
    vma->inode = st.st_ino;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len > 0)
        vma->path = strndup(path, (size_t)len);
}

/* Where the mapping goes, or -errno. */
static int64_t place(struct linux_process *p, const struct linux_map_request *r, uint64_t size)
{
    uint64_t limit = p->abi->task_size, at = r->addr & ~(PAGE - 1);
    if (size > limit)
        return -ENOMEM;
    if (r->fixed) {
        if (r->addr & (PAGE - 1))
            return -EINVAL;
        if (at > limit - size)
            return -ENOMEM;
        if (at < FIXED_LOW)
            return -EPERM;
        if (!r->replace && !vma_is_free(&p->mm->vmas, at, at + size))
            return -EEXIST;
        return (int64_t)at;
    }
    uint64_t top = p->mm->top;
    if (r->low) {
        limit = MAP_32BIT_TOP;
        top = top < limit ? top : limit;
    }
    if (at >= MAP_LOW && size <= limit && at <= limit - size &&
        vma_is_free(&p->mm->vmas, at, at + size))
        return (int64_t)at;
    if (mem_find_free(p->engine, size, MAP_LOW, top, PAGE, &at))
        return (int64_t)at;
    return -ENOMEM;
}

static int64_t map_locked(struct linux_process *p, const struct linux_map_request *r)
{
    struct vma_list *vmas = &p->mm->vmas;
    uint64_t size = page_up(r->size);
    int64_t at = place(p, r, size);
    if (at < 0)
        return at;
    if (!vma_reserve(vmas, 4))
        return -ENOMEM;
    struct linux_vma vma = {.start = (uint64_t)at,
                            .end = (uint64_t)at + size,
                            .prot = r->prot,
                            .shared = r->shared,
                            .offset = r->fd < 0 ? 0 : r->offset};
    errno = 0;
    int64_t err = error_of(mem_map_fd(p->engine, vma.start, size, linux_perms(r->prot), r->fd,
                                      r->fd < 0 ? 0 : r->offset, r->shared, r->replace));
    if (err)
        return err;
    if (r->name)
        vma.path = strdup(r->name);
    else
        describe_file(&vma, r->fd);
    vma_remove(vmas, vma.start, vma.end);
    vma_insert(vmas, vma);
    return at;
}

int64_t linux_mm_map(struct linux_process *p, const struct linux_map_request *r)
{
    if (!r->size)
        return -EINVAL;
    if (r->size > p->abi->task_size)
        return -ENOMEM;
    if (r->fd >= 0 && (r->offset & (PAGE - 1)))
        return -EINVAL;
    linux_mm_lock(p);
    int64_t at = map_locked(p, r);
    linux_mm_unlock(p);
    return at;
}

/* 0 when START and SIZE are a page range inside user space. */
static int64_t check_range(struct linux_process *p, uint64_t addr, uint64_t size)
{
    if (addr & (PAGE - 1))
        return -EINVAL;
    return size > p->abi->task_size || addr > p->abi->task_size - size ? -EINVAL : 0;
}

static int64_t unmap_locked(struct linux_process *p, uint64_t addr, uint64_t size)
{
    if (!vma_reserve(&p->mm->vmas, 2))
        return -ENOMEM;
    int64_t err = error_of(mem_unmap_any(p->engine, addr, size));
    if (!err)
        vma_remove(&p->mm->vmas, addr, addr + size);
    return err;
}

int64_t linux_mm_unmap(struct linux_process *p, uint64_t addr, uint64_t size)
{
    size = page_up(size);
    if (!size || check_range(p, addr, size))
        return -EINVAL;
    linux_mm_lock(p);
    int64_t err = unmap_locked(p, addr, size);
    linux_mm_unlock(p);
    return err;
}

int64_t linux_mm_protect(struct linux_process *p, uint64_t addr, uint64_t size, uint32_t prot)
{
    size = page_up(size);
    if (addr & (PAGE - 1))
        return -EINVAL;
    if (!size)
        return 0;
    if (check_range(p, addr, size))
        return -ENOMEM;
    linux_mm_lock(p);
    int64_t err = -ENOMEM;
    if (vma_covers(&p->mm->vmas, addr, addr + size, 0) && vma_reserve(&p->mm->vmas, 2)) {
        errno = 0;
        err = error_of(nw_mem_protect(p->engine, addr, size, linux_perms(prot)));
        if (!err)
            vma_protect(&p->mm->vmas, addr, addr + size, prot);
    }
    linux_mm_unlock(p);
    return err;
}

/* Where mremap puts the range: its old address, a free one, or NEW_ADDR, which is cleared. */
static int64_t place_move(struct linux_process *p, uint64_t addr, uint64_t old_size,
                          uint64_t new_size, unsigned flags, uint64_t new_addr)
{
    uint64_t at;
    if (flags & MREMAP_FIXED) {
        if (check_range(p, new_addr, new_size) || new_addr < FIXED_LOW ||
            (new_addr < addr + old_size && addr < new_addr + new_size))
            return -EINVAL;
        int64_t err = unmap_locked(p, new_addr, new_size);
        return err ? err : (int64_t)new_addr;
    }
    if (!check_range(p, addr, new_size) &&
        vma_is_free(&p->mm->vmas, addr + old_size, addr + new_size))
        return (int64_t)addr;
    if (!(flags & MREMAP_MAYMOVE) ||
        !mem_find_free(p->engine, new_size, MAP_LOW, p->mm->top, PAGE, &at))
        return -ENOMEM;
    return (int64_t)at;
}

static int64_t move_locked(struct linux_process *p, uint64_t addr, uint64_t old_size,
                           uint64_t new_size, unsigned flags, uint64_t new_addr)
{
    struct vma_list *vmas = &p->mm->vmas;
    size_t i = vma_find(vmas, addr);
    if (i == vmas->len || vmas->at[i].start > addr || vmas->at[i].end < addr + old_size)
        return -EFAULT;
    if (!vma_reserve(vmas, 6))
        return -ENOMEM;
    if (new_size < old_size) {
        int64_t err = unmap_locked(p, addr + new_size, old_size - new_size);
        if (err)
            return err;
        old_size = new_size;
    }
    if (new_size == old_size && !(flags & MREMAP_FIXED))
        return (int64_t)addr;
    int64_t to = place_move(p, addr, old_size, new_size, flags, new_addr);
    if (to < 0)
        return to;
    int64_t err = error_of(mem_move(p->engine, addr, old_size, (uint64_t)to, new_size));
    if (err)
        return err;
    struct linux_vma moved = vmas->at[vma_find(vmas, addr)];
    if (moved.inode)
        moved.offset += addr - moved.start;
    moved.start = (uint64_t)to;
    moved.end = (uint64_t)to + new_size;
    moved.path = moved.path ? strdup(moved.path) : NULL;
    vma_remove(vmas, addr, addr + old_size);
    vma_insert(vmas, moved);
    return to;
}

int64_t linux_mm_move(struct linux_process *p, uint64_t addr, uint64_t old_size, uint64_t new_size,
                      unsigned flags, uint64_t new_addr)
{
    if (flags & ~(unsigned)(MREMAP_MAYMOVE | MREMAP_FIXED) ||
        ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    old_size = page_up(old_size);
    new_size = page_up(new_size);
    if (!old_size || !new_size || addr & (PAGE - 1))
        return -EINVAL;
    if (check_range(p, addr, old_size))
        return -EFAULT;
    linux_mm_lock(p);
    int64_t at = move_locked(p, addr, old_size, new_size, flags, new_addr);
    linux_mm_unlock(p);
    return at;
}

bool linux_mm_mapped(struct linux_process *p, uint64_t addr, uint64_t size)
{
    if (size > p->abi->task_size || addr > p->abi->task_size - size)
        return false;
    linux_mm_lock(p);
    bool mapped = vma_covers(&p->mm->vmas, addr, addr + size, 0);
    linux_mm_unlock(p);
    return mapped;
}

/* Private anonymous memory is mapped anew; of file mappings the host drops the copied pages. */
static int64_t forget_part(struct linux_process *p, const struct linux_vma *vma, uint64_t start,
                           uint64_t end)
{
    if (!vma->inode && !vma->shared)
        return error_of(
            mem_map_fd(p->engine, start, end - start, linux_perms(vma->prot), -1, 0, false, true));
    while (start < end) {
        void *at;
        size_t n = mem_host_span(p->engine, start, end - start, NW_READ, &at);
        if (!n)
            break; /* inaccessible to the guest: nobody can tell */
        if (madvise(at, n, MADV_DONTNEED))
            return -errno;
        mem_forget_code(p->engine, start, n);
        start += n;
    }
    return 0;
}

int64_t linux_mm_forget(struct linux_process *p, uint64_t addr, uint64_t size)
{
    struct vma_list *vmas = &p->mm->vmas;
    uint64_t end = addr + page_up(size);
    int64_t err = 0;
    if (check_range(p, addr, page_up(size)))
        return -EINVAL;
    linux_mm_lock(p);
    if (!vma_covers(vmas, addr, end, 0))
        err = -ENOMEM;
    for (size_t i = vma_find(vmas, addr); !err && i < vmas->len && vmas->at[i].start < end; i++) {
        const struct linux_vma *vma = &vmas->at[i];
        err = forget_part(p, vma, vma->start > addr ? vma->start : addr,
                          vma->end < end ? vma->end : end);
    }
    linux_mm_unlock(p);
    return err;
}

void linux_mm_set_brk(struct linux_process *p, uint64_t addr)
{
    p->mm->brk_start = p->mm->brk = addr;
}

uint64_t linux_mm_brk(struct linux_process *p, uint64_t addr)
{
    struct linux_mm *mm = p->mm;
    linux_mm_lock(p);
    uint64_t from = page_up(mm->brk), to = page_up(addr);
    if (addr >= mm->brk_start && addr < p->abi->task_size) {
        bool done = true;
        if (to > from) {
            struct linux_map_request r = {.addr = from,
                                          .size = to - from,
                                          .fd = -1,
                                          .fixed = true,
                                          .prot = PROT_READ | PROT_WRITE,
                                          .name = "[heap]"};
            done = map_locked(p, &r) >= 0;
        } else if (to < from) {
            done = unmap_locked(p, to, from - to) == 0;
        }
        if (done)
            mm->brk = addr;
    }
    uint64_t now = mm->brk;
    linux_mm_unlock(p);
    return now;
}

void linux_mm_each(struct linux_process *p, void (*fn)(void *opaque, const struct linux_vma *),
                   void *opaque)
{
    linux_mm_lock(p);
    for (size_t i = 0; i < p->mm->vmas.len; i++)
        fn(opaque, &p->mm->vmas.at[i]);
    linux_mm_unlock(p);
}
