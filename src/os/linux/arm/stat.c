/* Structures and flags that ARM EABI declares in its own way. */
#include "os/linux/arm/arm.h"

#include <errno.h>
#include "os/linux/layout.h"

/* asm/stat.h: struct stat, 64 bytes. */
int64_t arm_put_stat(struct linux_task *t, uint64_t gva, const struct stat *st)
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

/* asm/stat.h: struct stat64, 104 bytes; st_ino stands in it twice. */
int64_t arm_put_stat64(struct linux_task *t, uint64_t gva, const struct stat *st)
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
    return pack_end(t, gva, &p, 8);
}

/* asm/fcntl.h of ARM against the host's: the flags that have different values. */
static const struct {
    uint32_t guest;
    int host;
} open_flags[] = {
    {0x04000, O_DIRECTORY},
    {0x08000, O_NOFOLLOW},
    {0x10000, O_DIRECT},
    {0x20000, 0}, /* O_LARGEFILE: every host file is */
};
#define ARM_OPEN_OWN    0x3c000u
#define ARM_O_LARGEFILE 0x20000u

int arm_open_flags_in(uint64_t guest)
{
    int host = (int)(guest & ~(uint64_t)ARM_OPEN_OWN);
    for (size_t i = 0; i < ARRAY_LEN(open_flags); i++)
        if (guest & open_flags[i].guest)
            host |= open_flags[i].host;
    return host;
}

uint64_t arm_open_flags_out(int host)
{
    int own = O_DIRECTORY | O_NOFOLLOW | O_DIRECT | 0100000 /* the host's O_LARGEFILE */;
    uint64_t guest = (uint32_t)(host & ~own) | ARM_O_LARGEFILE;
    for (size_t i = 0; i < ARRAY_LEN(open_flags); i++)
        if (host & open_flags[i].host)
            guest |= open_flags[i].guest;
    return guest;
}
