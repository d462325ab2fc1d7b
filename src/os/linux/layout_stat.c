/* struct stat and stat64 of the 32-bit ABIs (asm/stat.h, alike on ARM and i386). */
#include <errno.h>
#include "os/linux/layout.h"

/* struct stat, 64 bytes. */
int64_t linux_put_stat32(struct linux_task *t, uint64_t gva, const struct stat *st)
{
    struct pack p;
    if ((uint64_t)st->st_ino > UINT32_MAX || st->st_size > INT32_MAX || st->st_nlink > UINT16_MAX)
        return -EOVERFLOW;
    pack_begin(&p, t);
    pack_u32(&p, st->st_dev);
    pack_u32(&p, st->st_ino);
    pack_u16(&p, st->st_mode);
    pack_u16(&p, st->st_nlink);
    pack_u16(&p, st->st_uid > UINT16_MAX ? 65534 : st->st_uid);
    pack_u16(&p, st->st_gid > UINT16_MAX ? 65534 : st->st_gid);
    pack_u32(&p, st->st_rdev);
    pack_u32(&p, (uint64_t)st->st_size);
    pack_u32(&p, (uint64_t)st->st_blksize);
    pack_u32(&p, (uint64_t)st->st_blocks);
    pack_u32(&p, (uint64_t)st->st_atim.tv_sec);
    pack_u32(&p, (uint64_t)st->st_atim.tv_nsec);
    pack_u32(&p, (uint64_t)st->st_mtim.tv_sec);
    pack_u32(&p, (uint64_t)st->st_mtim.tv_nsec);
    pack_u32(&p, (uint64_t)st->st_ctim.tv_sec);
    pack_u32(&p, (uint64_t)st->st_ctim.tv_nsec);
    pack_zero(&p, 8);
    return pack_end(t, gva, &p, 4);
}

/* struct stat64, 104 bytes, or 96 where 64-bit members are aligned to 4; st_ino stands in it twice.
 */
int64_t linux_put_stat64(struct linux_task *t, uint64_t gva, const struct stat *st)
{
    struct pack p;
    pack_begin(&p, t);
    pack_u64(&p, st->st_dev);
    pack_zero(&p, 4);
    pack_u32(&p, st->st_ino);
    pack_u32(&p, st->st_mode);
    pack_u32(&p, st->st_nlink);
    pack_u32(&p, st->st_uid);
    pack_u32(&p, st->st_gid);
    pack_u64(&p, st->st_rdev);
    pack_zero(&p, 4);
    pack_u64(&p, (uint64_t)st->st_size);
    pack_u32(&p, (uint64_t)st->st_blksize);
    pack_u64(&p, (uint64_t)st->st_blocks);
    pack_u32(&p, (uint64_t)st->st_atim.tv_sec);
    pack_u32(&p, (uint64_t)st->st_atim.tv_nsec);
    pack_u32(&p, (uint64_t)st->st_mtim.tv_sec);
    pack_u32(&p, (uint64_t)st->st_mtim.tv_nsec);
    pack_u32(&p, (uint64_t)st->st_ctim.tv_sec);
    pack_u32(&p, (uint64_t)st->st_ctim.tv_nsec);
    pack_u64(&p, st->st_ino);
    return pack_end(t, gva, &p, p.align64);
}
