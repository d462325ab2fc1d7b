/* ioctl: which requests there are, and what their argument is. Requests that are not listed are
 * ENOTTY, since an argument whose layout is not known must not reach the host. */
#include <errno.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <linux/random.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <linux/vt.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include "os/linux/io_span.h"
#include "os/linux/ioctl_names.h"
#include "os/linux/layout.h"

/* Sizes of structures the C library declares otherwise than the kernel. */
#define TERMIOS_SIZE                                                                               \
    36 /* struct termios of asm-generic/termbits.h: 4 flags, line, 19 characters                   \
        */
#define TERMIOS2_SIZE 44
#define TERMIO_SIZE   18

enum ioctl_kind {
    IOCTL_NONE,  /* no argument, or a number */
    IOCTL_FIXED, /* a structure of SIZE bytes, the same for every guest */
    IOCTL_WORD,  /* a long of the guest */
    IOCTL_IFREQ, /* struct ifreq, whose union has pointers and longs: 32 or 40 bytes */
    IOCTL_IFCONF,
};
enum { GET = 1, PUT = 2, BOTH = 3 }; /* GET: read from the guest, PUT: written to it */

struct ioctl_row {
    uint32_t request;
    const char *name;
    uint8_t kind, direction;
    uint16_t size;
    bool blocks;
};

#define NONE(r)                                                                                    \
    {                                                                                              \
        (uint32_t)(r), #r, IOCTL_NONE, 0, 0, false                                                 \
    }
#define SLOW(r)                                                                                    \
    {                                                                                              \
        (uint32_t)(r), #r, IOCTL_NONE, 0, 0, true                                                  \
    }
#define FIXED(r, d, s)                                                                             \
    {                                                                                              \
        (uint32_t)(r), #r, IOCTL_FIXED, d, s, false                                                \
    }
#define WORD(r, d)                                                                                 \
    {                                                                                              \
        (uint32_t)(r), #r, IOCTL_WORD, d, 8, false                                                 \
    }
#define IFREQ(r, d)                                                                                \
    {                                                                                              \
        (uint32_t)(r), #r, IOCTL_IFREQ, d, sizeof(struct ifreq), false                             \
    }

static const struct ioctl_row ioctl_rows[] = {
    FIXED(TCGETS, PUT, TERMIOS_SIZE),
    FIXED(TCSETS, GET, TERMIOS_SIZE),
    {TCSETSW, "TCSETSW", IOCTL_FIXED, GET, TERMIOS_SIZE, true},
    {TCSETSF, "TCSETSF", IOCTL_FIXED, GET, TERMIOS_SIZE, true},
    FIXED(TCGETA, PUT, TERMIO_SIZE),
    FIXED(TCSETA, GET, TERMIO_SIZE),
    {TCSETAW, "TCSETAW", IOCTL_FIXED, GET, TERMIO_SIZE, true},
    {TCSETAF, "TCSETAF", IOCTL_FIXED, GET, TERMIO_SIZE, true},
    {0x802c542a, "TCGETS2", IOCTL_FIXED, PUT, TERMIOS2_SIZE, false},
    {0x402c542b, "TCSETS2", IOCTL_FIXED, GET, TERMIOS2_SIZE, false},
    {0x402c542c, "TCSETSW2", IOCTL_FIXED, GET, TERMIOS2_SIZE, true},
    {0x402c542d, "TCSETSF2", IOCTL_FIXED, GET, TERMIOS2_SIZE, true},
    SLOW(TCSBRK),
    NONE(TCXONC),
    NONE(TCFLSH),
    NONE(TIOCEXCL),
    NONE(TIOCNXCL),
    NONE(TIOCSCTTY),
    FIXED(TIOCGPGRP, PUT, 4),
    FIXED(TIOCSPGRP, GET, 4),
    FIXED(TIOCOUTQ, PUT, 4),
    FIXED(TIOCSTI, GET, 1),
    FIXED(TIOCGWINSZ, PUT, sizeof(struct winsize)),
    FIXED(TIOCSWINSZ, GET, sizeof(struct winsize)),
    FIXED(TIOCMGET, PUT, 4),
    FIXED(TIOCMBIS, GET, 4),
    FIXED(TIOCMBIC, GET, 4),
    FIXED(TIOCMSET, GET, 4),
    FIXED(TIOCGSOFTCAR, PUT, 4),
    FIXED(TIOCSSOFTCAR, GET, 4),
    FIXED(FIONREAD, PUT, 4),
    NONE(TIOCCONS),
    FIXED(TIOCPKT, GET, 4),
    FIXED(FIONBIO, GET, 4),
    NONE(TIOCNOTTY),
    FIXED(TIOCSETD, GET, 4),
    FIXED(TIOCGETD, PUT, 4),
    SLOW(TCSBRKP),
    NONE(TIOCSBRK),
    NONE(TIOCCBRK),
    FIXED(TIOCGSID, PUT, 4),
    FIXED(TIOCGPTN, PUT, 4),
    FIXED(TIOCSPTLCK, GET, 4),
    FIXED(TIOCGPTLCK, PUT, 4),
    NONE(TIOCGPTPEER),
    FIXED(TIOCGEXCL, PUT, 4),
    NONE(FIONCLEX),
    NONE(FIOCLEX),
    FIXED(FIOASYNC, GET, 4),
    FIXED(VT_OPENQRY, PUT, 4),
    FIXED(VT_GETMODE, PUT, sizeof(struct vt_mode)),
    FIXED(VT_GETSTATE, PUT, sizeof(struct vt_stat)),
    /* files and block devices; the numbers of some hold the size of long and differ */
    FIXED(FIBMAP, BOTH, 4),
    FIXED(FIGETBSZ, PUT, 4),
    NONE(FICLONE),
    FIXED(FICLONERANGE, GET, sizeof(struct file_clone_range)),
    NONE(FIFREEZE),
    NONE(FITHAW),
    WORD(FS_IOC_GETFLAGS, PUT),
    WORD(FS_IOC_SETFLAGS, GET),
    WORD(FS_IOC_GETVERSION, PUT),
    FIXED(FS_IOC_FSGETXATTR, PUT, sizeof(struct fsxattr)),
    FIXED(BLKROGET, PUT, 4),
    FIXED(BLKROSET, GET, 4),
    SLOW(BLKRRPART),
    WORD(BLKGETSIZE, PUT),
    SLOW(BLKFLSBUF),
    FIXED(BLKSSZGET, PUT, 4),
    FIXED(BLKPBSZGET, PUT, 4),
    FIXED(BLKIOMIN, PUT, 4),
    FIXED(BLKIOOPT, PUT, 4),
    FIXED(BLKALIGNOFF, PUT, 4),
    WORD(BLKBSZGET, PUT),
    FIXED(BLKGETSIZE64, PUT, 8),
    FIXED(RNDGETENTCNT, PUT, 4),
    FIXED(RTC_RD_TIME, PUT, sizeof(struct rtc_time)),
    NONE(LOOP_CTL_GET_FREE),
    /* sockets and interfaces */
    FIXED(SIOCATMARK, PUT, 4),
    FIXED(SIOCGPGRP, PUT, 4),
    FIXED(SIOCSPGRP, GET, 4),
    FIXED(SIOCOUTQ, PUT, 4),
    {SIOCGIFCONF, "SIOCGIFCONF", IOCTL_IFCONF, BOTH, 0, false},
    IFREQ(SIOCGIFNAME, BOTH),
    IFREQ(SIOCGIFFLAGS, BOTH),
    IFREQ(SIOCSIFFLAGS, GET),
    IFREQ(SIOCGIFADDR, BOTH),
    IFREQ(SIOCSIFADDR, GET),
    IFREQ(SIOCGIFDSTADDR, BOTH),
    IFREQ(SIOCSIFDSTADDR, GET),
    IFREQ(SIOCGIFBRDADDR, BOTH),
    IFREQ(SIOCSIFBRDADDR, GET),
    IFREQ(SIOCGIFNETMASK, BOTH),
    IFREQ(SIOCSIFNETMASK, GET),
    IFREQ(SIOCGIFMETRIC, BOTH),
    IFREQ(SIOCSIFMETRIC, GET),
    IFREQ(SIOCGIFMTU, BOTH),
    IFREQ(SIOCSIFMTU, GET),
    IFREQ(SIOCGIFHWADDR, BOTH),
    IFREQ(SIOCSIFHWADDR, GET),
    IFREQ(SIOCGIFINDEX, BOTH),
    IFREQ(SIOCGIFTXQLEN, BOTH),
    IFREQ(SIOCSIFTXQLEN, GET),
    IFREQ(TUNSETIFF, BOTH),
    IFREQ(TUNGETIFF, PUT),
    NONE(TUNSETPERSIST),
};

/* Numbers made of sizeof(long) by the _IOR family: the guest's has its own size in bits 16..29. */
static uint32_t host_request(const struct linux_task *t, uint32_t request)
{
    static const uint32_t with_long[] = {(uint32_t)FS_IOC_GETFLAGS, (uint32_t)FS_IOC_SETFLAGS,
                                         (uint32_t)FS_IOC_GETVERSION, (uint32_t)BLKBSZGET,
                                         (uint32_t)BLKGETSIZE64};
    if (t->process->abi->word == 8)
        return request;
    for (size_t i = 0; i < ARRAY_LEN(with_long); i++)
        if (((with_long[i] & ~(0x3fffu << 16)) | 4u << 16) == request)
            return with_long[i];
    return request;
}

static const struct ioctl_row *find_row(uint32_t request)
{
    for (size_t i = 0; i < ARRAY_LEN(ioctl_rows); i++)
        if (ioctl_rows[i].request == request)
            return &ioctl_rows[i];
    return NULL;
}

const char *linux_ioctl_name(const struct linux_task *t, uint32_t request)
{
    const struct ioctl_row *row = find_row(host_request(t, request));
    return row ? row->name : NULL;
}

/* The guest says how long a list it has room for: no more interfaces than this are asked for. */
#define IFCONF_MAX 1024

static size_t ifreq_size(const struct linux_task *t)
{
    return t->process->abi->word == 8 ? 40 : 32;
}

static int64_t do_ifconf(struct linux_task *t, int fd, uint64_t gva)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, 2u * t->process->abi->word);
    if (err)
        return err;
    uint32_t room = unpack_u32(&u);
    uint64_t list = unpack_word(&u);
    size_t count = room / ifreq_size(t);
    if (count > IFCONF_MAX)
        count = IFCONF_MAX;
    struct ifreq *host = calloc(count + 1, sizeof *host);
    if (!host)
        return -ENOMEM;
    struct ifconf conf = {.ifc_len = (int)(count * sizeof *host)};
    conf.ifc_req = list ? host : NULL;
    err = linux_host(SYS_ioctl, fd, SIOCGIFCONF, (long)&conf, 0, 0, 0);
    count = (size_t)conf.ifc_len / sizeof *host;
    for (size_t i = 0; !err && list && i < count; i++)
        err = linux_copy_out(t, list + i * ifreq_size(t), &host[i], ifreq_size(t));
    free(host);
    return err ? err : linux_put_u32(t, gva, (uint32_t)(count * ifreq_size(t)));
}

static int64_t do_ifreq(struct linux_task *t, const struct ioctl_row *row, int fd, uint64_t gva)
{
    struct ifreq req = {0};
    int64_t err = linux_copy_in(t, &req, gva, ifreq_size(t));
    if (!err)
        err = linux_host(SYS_ioctl, fd, row->request, (long)&req, 0, 0, 0);
    if (!err && row->direction & PUT)
        err = linux_copy_out(t, gva, &req, ifreq_size(t));
    return err;
}

/* A structure (its bytes pass unchanged) or a long (which the host has at its own width). */
static int64_t do_fixed(struct linux_task *t, const struct ioctl_row *row, int fd, uint64_t gva)
{
    uint8_t buf[256] = {0};
    size_t size = row->kind == IOCTL_WORD ? t->process->abi->word : row->size;
    if (row->direction & GET && linux_copy_in(t, buf, gva, size))
        return -EFAULT;
    int64_t result = row->blocks ? linux_block(t, SYS_ioctl, fd, row->request, (long)buf, 0, 0, 0)
                                 : linux_host(SYS_ioctl, fd, row->request, (long)buf, 0, 0, 0);
    if (result >= 0 && row->direction & PUT && linux_copy_out(t, gva, buf, size))
        return -EFAULT;
    return result;
}

int64_t sys_ioctl(struct linux_task *t, const uint64_t a[6])
{
    int fd = (int)a[0];
    const struct ioctl_row *row = find_row(host_request(t, (uint32_t)a[1]));
    if (!row) /* EBADF comes first */
        return fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOTTY;
    switch (row->kind) {
    case IOCTL_IFCONF: return do_ifconf(t, fd, a[2]);
    case IOCTL_IFREQ: return do_ifreq(t, row, fd, a[2]);
    case IOCTL_NONE:
        return row->blocks ? linux_block(t, SYS_ioctl, fd, row->request, (int)a[2], 0, 0, 0)
                           : linux_host(SYS_ioctl, fd, row->request, (int)a[2], 0, 0, 0);
    default: return do_fixed(t, row, fd, a[2]);
    }
}
