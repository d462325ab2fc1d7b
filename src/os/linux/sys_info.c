/* Who and where the process is: identity, limits, scheduling, names of the system. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/layout.h"
#include "os/linux/siginfo.h"

#define OVERFLOW_ID 65534 /* the kernel's, of numbers beyond 16 bits */

int64_t sys_uname(struct linux_task *t, const uint64_t a[6])
{
    struct utsname uts;
    int64_t err = linux_host(SYS_uname, (long)&uts, 0, 0, 0, 0, 0);
    if (err)
        return err;
    memset(uts.machine, 0, sizeof uts.machine);
    strncpy(uts.machine, t->process->abi->machine(t), sizeof uts.machine - 1);
    return linux_copy_out(t, a[0], &uts, sizeof uts);
}

/* Shorter forms: five names of 65 bytes, and five of 9. */
static int64_t put_names(struct linux_task *t, uint64_t gva, size_t width)
{
    struct utsname uts;
    const char *const names[] = {uts.sysname, uts.nodename, uts.release, uts.version,
                                 t->process->abi->machine(t)};
    int64_t err = linux_host(SYS_uname, (long)&uts, 0, 0, 0, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(names) && !err; i++) {
        char name[sizeof uts.sysname] = {0};
        memcpy(name, names[i], strnlen(names[i], width - 1));
        err = linux_copy_out(t, gva + i * width, name, width);
    }
    return err;
}

int64_t sys_olduname(struct linux_task *t, const uint64_t a[6])
{
    return put_names(t, a[0], 65);
}

int64_t sys_oldolduname(struct linux_task *t, const uint64_t a[6])
{
    return put_names(t, a[0], 9);
}

int64_t sys_sysinfo(struct linux_task *t, const uint64_t a[6])
{
    struct sysinfo si;
    int64_t err = linux_host(SYS_sysinfo, (long)&si, 0, 0, 0, 0, 0);
    return err ? err : t->process->abi->put_sysinfo(t, a[0], &si);
}

/* ---- numbers that pass through unchanged ---- */

#define PASS0(name, host)                                                                          \
    int64_t sys_##name(struct linux_task *t, const uint64_t a[6])                                  \
    {                                                                                              \
        (void)t;                                                                                   \
        (void)a;                                                                                   \
        return linux_host(SYS_##host, 0, 0, 0, 0, 0, 0);                                           \
    }
#define PASS(name, host)                                                                           \
    int64_t sys_##name(struct linux_task *t, const uint64_t a[6])                                  \
    {                                                                                              \
        (void)t;                                                                                   \
        return linux_host(SYS_##host, (int)a[0], (int)a[1], (int)a[2], (int)a[3], 0, 0);           \
    }
PASS0(getppid, getppid)
PASS0(getpgrp, getpgrp)
PASS0(setsid, setsid)
PASS0(getuid32, getuid)
PASS0(getgid32, getgid)
PASS0(geteuid32, geteuid)
PASS0(getegid32, getegid)
PASS0(sched_yield, sched_yield)
PASS0(vhangup, vhangup)
PASS(getpgid, getpgid)
PASS(setpgid, setpgid)
PASS(getsid, getsid)
PASS(setuid32, setuid)
PASS(setgid32, setgid)
PASS(setreuid32, setreuid)
PASS(setregid32, setregid)
PASS(setresuid32, setresuid)
PASS(setresgid32, setresgid)
PASS(setfsuid32, setfsuid)
PASS(setfsgid32, setfsgid)
PASS(getpriority, getpriority)
PASS(setpriority, setpriority)
PASS(sched_getscheduler, sched_getscheduler)
PASS(sched_get_priority_max, sched_get_priority_max)
PASS(sched_get_priority_min, sched_get_priority_min)
PASS(ioprio_get, ioprio_get)
PASS(ioprio_set, ioprio_set)
PASS(membarrier, membarrier)
PASS(pidfd_open, pidfd_open)
PASS(pidfd_getfd, pidfd_getfd)
PASS(unshare, unshare)

/* The plain names are on 32-bit ABIs the calls from before 32-bit user numbers; all bits set means
 * "leave". */
static size_t id_size(const struct linux_task *t)
{
    return t->process->abi->word == 8 ? 4 : 2;
}

static long id16(const struct linux_task *t, uint64_t id)
{
    if (id_size(t) == 4)
        return (int32_t)id;
    return (uint16_t)id == UINT16_MAX ? -1 : (long)(uint16_t)id;
}

#define GET_ID16(name)                                                                             \
    int64_t sys_##name(struct linux_task *t, const uint64_t a[6])                                  \
    {                                                                                              \
        (void)a;                                                                                   \
        int64_t id = linux_host(SYS_##name, 0, 0, 0, 0, 0, 0);                                     \
        return id_size(t) == 2 && id > UINT16_MAX ? OVERFLOW_ID : id;                              \
    }
GET_ID16(getuid)
GET_ID16(getgid)
GET_ID16(geteuid)
GET_ID16(getegid)

#define PASS_ID16(name, host)                                                                      \
    int64_t sys_##name(struct linux_task *t, const uint64_t a[6])                                  \
    {                                                                                              \
        return linux_host(SYS_##host, id16(t, a[0]), id16(t, a[1]), id16(t, a[2]), 0, 0, 0);       \
    }
PASS_ID16(setuid, setuid)
PASS_ID16(setgid, setgid)
PASS_ID16(setreuid, setreuid)
PASS_ID16(setregid, setregid)
PASS_ID16(setresuid, setresuid)
PASS_ID16(setresgid, setresgid)
PASS_ID16(setfsuid, setfsuid)
PASS_ID16(setfsgid, setfsgid)

static int64_t put_id(struct linux_task *t, uint64_t gva, uint32_t id, size_t size)
{
    if (size == 2 && id > UINT16_MAX)
        id = OVERFLOW_ID;
    return linux_copy_out(t, gva, &id, size);
}

static int64_t three_ids(struct linux_task *t, long nr, const uint64_t a[6], size_t size)
{
    uint32_t ids[3];
    int64_t err = linux_host(nr, (long)&ids[0], (long)&ids[1], (long)&ids[2], 0, 0, 0);
    for (size_t i = 0; i < 3 && !err; i++)
        err = put_id(t, a[i], ids[i], size);
    return err;
}

int64_t sys_getresuid32(struct linux_task *t, const uint64_t a[6])
{
    return three_ids(t, SYS_getresuid, a, 4);
}

int64_t sys_getresgid32(struct linux_task *t, const uint64_t a[6])
{
    return three_ids(t, SYS_getresgid, a, 4);
}

int64_t sys_getresuid(struct linux_task *t, const uint64_t a[6])
{
    return three_ids(t, SYS_getresuid, a, id_size(t));
}

int64_t sys_getresgid(struct linux_task *t, const uint64_t a[6])
{
    return three_ids(t, SYS_getresgid, a, id_size(t));
}

#define GROUPS_MAX 65536 /* the kernel's NGROUPS_MAX */

static int64_t get_groups(struct linux_task *t, const uint64_t a[6], size_t size)
{
    int room = (int)a[0];
    int64_t count = linux_host(SYS_getgroups, 0, 0, 0, 0, 0, 0);
    if (room < 0)
        return -EINVAL;
    if (!room || count <= 0)
        return count;
    if (room < count)
        return -EINVAL;
    uint32_t *ids = calloc((size_t)count, sizeof *ids);
    if (!ids)
        return -ENOMEM;
    int64_t err = linux_host(SYS_getgroups, count, (long)ids, 0, 0, 0, 0);
    int64_t got = err;
    for (int64_t i = 0; i < got && err >= 0; i++)
        err = put_id(t, a[1] + (uint64_t)i * size, ids[i], size);
    free(ids);
    return err < 0 ? err : got;
}

static int64_t set_groups(struct linux_task *t, const uint64_t a[6], size_t size)
{
    uint32_t count = (uint32_t)a[0];
    if (count > GROUPS_MAX)
        return -EINVAL;
    uint32_t *ids = calloc(count + 1, sizeof *ids);
    if (!ids)
        return -ENOMEM;
    int64_t err = 0;
    for (uint32_t i = 0; i < count && !err; i++)
        err = linux_copy_in(t, &ids[i], a[1] + i * size, size);
    if (!err)
        err = linux_host(SYS_setgroups, count, (long)ids, 0, 0, 0, 0);
    free(ids);
    return err;
}

int64_t sys_getgroups32(struct linux_task *t, const uint64_t a[6])
{
    return get_groups(t, a, 4);
}

int64_t sys_getgroups(struct linux_task *t, const uint64_t a[6])
{
    return get_groups(t, a, id_size(t));
}

int64_t sys_setgroups32(struct linux_task *t, const uint64_t a[6])
{
    return set_groups(t, a, 4);
}

int64_t sys_setgroups(struct linux_task *t, const uint64_t a[6])
{
    return set_groups(t, a, id_size(t));
}

static int64_t capabilities(struct linux_task *t, const uint64_t a[6], bool set)
{
    struct __user_cap_header_struct head;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    int64_t err = linux_copy_in(t, &head, a[0], sizeof head);
    if (err)
        return err;
    size_t size = head.version == _LINUX_CAPABILITY_VERSION_1 ? sizeof data[0] : sizeof data;
    if (set && linux_copy_in(t, data, a[1], size))
        return -EFAULT;
    err = linux_host(set ? SYS_capset : SYS_capget, (long)&head, a[1] ? (long)data : 0, 0, 0, 0, 0);
    if (linux_copy_out(t, a[0], &head, sizeof head)) /* an unknown version is answered with ours */
        return -EFAULT;
    if (!err && !set && a[1])
        err = linux_copy_out(t, a[1], data, size);
    return err;
}

int64_t sys_capget(struct linux_task *t, const uint64_t a[6])
{
    return capabilities(t, a, false);
}

int64_t sys_capset(struct linux_task *t, const uint64_t a[6])
{
    return capabilities(t, a, true);
}

/* ---- limits ---- */

int64_t sys_getrusage(struct linux_task *t, const uint64_t a[6])
{
    struct rusage ru;
    int64_t err = linux_host(SYS_getrusage, (int)a[0], (long)&ru, 0, 0, 0, 0);
    return err ? err : t->process->abi->put_rusage(t, a[1], &ru);
}

/* A limit on the address space would hit the engine's own memory, not the guest's: it is accepted
 * and not applied. */
static bool is_ours(uint64_t resource)
{
    return resource == RLIMIT_AS || resource == RLIMIT_DATA || resource == RLIMIT_STACK;
}

int64_t sys_ugetrlimit(struct linux_task *t, const uint64_t a[6])
{
    struct rlimit rl;
    int64_t err = linux_host(SYS_getrlimit, (long)a[0], (long)&rl, 0, 0, 0, 0);
    return err ? err : t->process->abi->put_rlimit(t, a[1], &rl);
}

int64_t sys_getrlimit(struct linux_task *t, const uint64_t a[6])
{
    return sys_ugetrlimit(t, a);
}

/* Signed limits: infinity is the largest. */
int64_t sys_old_getrlimit(struct linux_task *t, const uint64_t a[6])
{
    struct rlimit rl;
    int64_t err = linux_host(SYS_getrlimit, (long)a[0], (long)&rl, 0, 0, 0, 0);
    if (err)
        return err;
    uint32_t limits[] = {rl.rlim_cur > INT32_MAX ? INT32_MAX : (uint32_t)rl.rlim_cur,
                         rl.rlim_max > INT32_MAX ? INT32_MAX : (uint32_t)rl.rlim_max};
    return linux_copy_out(t, a[1], limits, sizeof limits);
}

int64_t sys_setrlimit(struct linux_task *t, const uint64_t a[6])
{
    struct rlimit rl;
    int64_t err = t->process->abi->get_rlimit(t, a[1], &rl);
    if (!err && rl.rlim_cur > rl.rlim_max)
        err = -EINVAL;
    if (err || is_ours(a[0]))
        return err;
    return linux_host(SYS_setrlimit, (long)a[0], (long)&rl, 0, 0, 0, 0);
}

/* 64-bit limits on every ABI. */
int64_t sys_prlimit64(struct linux_task *t, const uint64_t a[6])
{
    struct rlimit new, old;
    bool set = a[2] != 0;
    if (set) {
        int64_t err = linux_copy_in(t, &new, a[2], sizeof new);
        if (err)
            return err;
        if (new.rlim_cur > new.rlim_max)
            return -EINVAL;
        set = !is_ours(a[1]);
    }
    int64_t err =
        linux_host(SYS_prlimit64, (int)a[0], (long)a[1], set ? (long)&new : 0, (long)&old, 0, 0);
    return err || !a[3] ? err : linux_copy_out(t, a[3], &old, sizeof old);
}

int64_t sys_nice(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    /* The raw getpriority gives 20 - nice. */
    int64_t now = 20 - linux_host(SYS_getpriority, PRIO_PROCESS, 0, 0, 0, 0, 0);
    int64_t want = now + (int)a[0];
    want = want < -20 ? -20 : want > 19 ? 19 : want;
    int64_t err = linux_host(SYS_setpriority, PRIO_PROCESS, 0, want, 0, 0, 0);
    return err == -EACCES ? -EPERM : err;
}

/* ---- scheduling ---- */

int64_t sys_sched_getparam(struct linux_task *t, const uint64_t a[6])
{
    struct sched_param param;
    int64_t err = linux_host(SYS_sched_getparam, (int)a[0], (long)&param, 0, 0, 0, 0);
    return err ? err : linux_put_u32(t, a[1], (uint32_t)param.sched_priority);
}

int64_t sys_sched_setparam(struct linux_task *t, const uint64_t a[6])
{
    struct sched_param param;
    int64_t err = linux_copy_in(t, &param, a[1], 4);
    return err ? err : linux_host(SYS_sched_setparam, (int)a[0], (long)&param, 0, 0, 0, 0);
}

int64_t sys_sched_setscheduler(struct linux_task *t, const uint64_t a[6])
{
    struct sched_param param;
    int64_t err = linux_copy_in(t, &param, a[2], 4);
    return err ? err
               : linux_host(SYS_sched_setscheduler, (int)a[0], (int)a[1], (long)&param, 0, 0, 0);
}

static int64_t rr_interval(struct linux_task *t, const uint64_t a[6], bool wide)
{
    const struct linux_abi *abi = t->process->abi;
    struct timespec ts;
    int64_t err = linux_host(SYS_sched_rr_get_interval, (int)a[0], (long)&ts, 0, 0, 0, 0);
    if (err)
        return err;
    return wide ? abi->put_timespec64(t, a[1], &ts) : abi->put_timespec(t, a[1], &ts);
}

int64_t sys_sched_rr_get_interval(struct linux_task *t, const uint64_t a[6])
{
    return rr_interval(t, a, false);
}

int64_t sys_sched_rr_get_interval_time64(struct linux_task *t, const uint64_t a[6])
{
    return rr_interval(t, a, true);
}

/* CPU masks are arrays of words; little-endian words of any width give the same bytes. */
#define CPU_MASK_MAX 1024

int64_t sys_sched_getaffinity(struct linux_task *t, const uint64_t a[6])
{
    uint8_t mask[CPU_MASK_MAX] = {0};
    uint64_t size = a[1];
    if (size % t->process->abi->word)
        return -EINVAL;
    int64_t got = linux_host(SYS_sched_getaffinity, (int)a[0], sizeof mask, (long)mask, 0, 0, 0);
    if (got < 0)
        return got;
    for (uint64_t i = size; i < (uint64_t)got; i++)
        if (mask[i])
            return -EINVAL;
    if (size > (uint64_t)got)
        size = (uint64_t)got;
    return linux_copy_out(t, a[2], mask, size) ? -EFAULT : (int64_t)size;
}

int64_t sys_sched_setaffinity(struct linux_task *t, const uint64_t a[6])
{
    uint8_t mask[CPU_MASK_MAX] = {0};
    uint64_t size = a[1] < sizeof mask ? a[1] : sizeof mask;
    int64_t err = linux_copy_in(t, mask, a[2], size);
    return err ? err
               : linux_host(SYS_sched_setaffinity, (int)a[0], sizeof mask, (long)mask, 0, 0, 0);
}

int64_t sys_getcpu(struct linux_task *t, const uint64_t a[6])
{
    unsigned cpu = 0, node = 0;
    int64_t err = linux_host(SYS_getcpu, (long)&cpu, (long)&node, 0, 0, 0, 0);
    if (!err && a[0])
        err = linux_put_u32(t, a[0], cpu);
    if (!err && a[1])
        err = linux_put_u32(t, a[1], node);
    return err;
}

/* Node masks are arrays of words, too. The host's answer needs room for all of its nodes. */
#define NODE_BITS 4096u

int64_t sys_get_mempolicy(struct linux_task *t, const uint64_t a[6])
{
    uint8_t mask[NODE_BITS / 8] = {0};
    int mode = 0;
    uint64_t size = (a[2] + 7) / 8;
    /* With MPOL_F_ADDR the guest's address is looked up. */
    void *at = a[3] ? linux_span(t, a[3], 1, NW_ACCESS_READ) : NULL;
    if (a[3] && !at)
        return -EFAULT;
    if (size > sizeof mask)
        size = sizeof mask;
    int64_t err = linux_host(SYS_get_mempolicy, (long)&mode, a[1] ? (long)mask : 0, NODE_BITS,
                             (long)at, (long)a[4], 0);
    if (!err && a[0])
        err = linux_put_u32(t, a[0], (uint32_t)mode);
    if (!err && a[1])
        err = linux_copy_out(t, a[1], mask, size);
    return err;
}

int64_t sys_set_mempolicy(struct linux_task *t, const uint64_t a[6])
{
    uint8_t mask[NODE_BITS / 8] = {0};
    uint64_t size = (a[2] + 7) / 8;
    if (size > sizeof mask)
        return -EINVAL;
    int64_t err = a[1] ? linux_copy_in(t, mask, a[1], size) : 0;
    return err ? err
               : linux_host(SYS_set_mempolicy, (int)a[0], a[1] ? (long)mask : 0,
                            a[1] ? NODE_BITS : 0, 0, 0, 0);
}

/* ---- prctl: what the option's arguments are ---- */

enum prctl_kind { PRCTL_PASS, PRCTL_INT_OUT, PRCTL_NAME_IN, PRCTL_NAME_OUT, PRCTL_CLEAR_TID };

static const struct {
    uint32_t option;
    uint8_t kind;
} prctl_rows[] = {
    {PR_SET_PDEATHSIG, PRCTL_PASS},        {PR_GET_PDEATHSIG, PRCTL_INT_OUT},
    {PR_GET_DUMPABLE, PRCTL_PASS},         {PR_SET_DUMPABLE, PRCTL_PASS},
    {PR_GET_KEEPCAPS, PRCTL_PASS},         {PR_SET_KEEPCAPS, PRCTL_PASS},
    {PR_GET_TIMING, PRCTL_PASS},           {PR_SET_TIMING, PRCTL_PASS},
    {PR_SET_NAME, PRCTL_NAME_IN},          {PR_GET_NAME, PRCTL_NAME_OUT},
    {PR_CAPBSET_READ, PRCTL_PASS},         {PR_CAPBSET_DROP, PRCTL_PASS},
    {PR_GET_SECUREBITS, PRCTL_PASS},       {PR_SET_SECUREBITS, PRCTL_PASS},
    {PR_SET_TIMERSLACK, PRCTL_PASS},       {PR_GET_TIMERSLACK, PRCTL_PASS},
    {PR_SET_CHILD_SUBREAPER, PRCTL_PASS},  {PR_GET_CHILD_SUBREAPER, PRCTL_INT_OUT},
    {PR_SET_NO_NEW_PRIVS, PRCTL_PASS},     {PR_GET_NO_NEW_PRIVS, PRCTL_PASS},
    {PR_GET_TID_ADDRESS, PRCTL_CLEAR_TID}, {PR_SET_THP_DISABLE, PRCTL_PASS},
    {PR_GET_THP_DISABLE, PRCTL_PASS},      {PR_CAP_AMBIENT, PRCTL_PASS},
    {PR_GET_SECCOMP, PRCTL_PASS},
};

static int64_t prctl_name(struct linux_task *t, uint64_t gva, bool set)
{
    char name[16] = {0};
    if (set) {
        for (size_t i = 0; i < sizeof name - 1; i++) {
            if (linux_copy_in(t, &name[i], gva + i, 1))
                return -EFAULT;
            if (!name[i])
                break;
        }
        return linux_host(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0, 0);
    }
    int64_t err = linux_host(SYS_prctl, PR_GET_NAME, (long)name, 0, 0, 0, 0);
    return err ? err : linux_copy_out(t, gva, name, sizeof name);
}

int64_t sys_prctl(struct linux_task *t, const uint64_t a[6])
{
    size_t i = 0;
    while (i < ARRAY_LEN(prctl_rows) && prctl_rows[i].option != a[0])
        i++;
    if (i == ARRAY_LEN(prctl_rows))
        return -EINVAL;
    int out = 0;
    int64_t err;
    switch (prctl_rows[i].kind) {
    case PRCTL_NAME_IN: return prctl_name(t, a[1], true);
    case PRCTL_NAME_OUT: return prctl_name(t, a[1], false);
    case PRCTL_CLEAR_TID: return linux_put_word(t, a[1], t->clear_tid);
    case PRCTL_INT_OUT:
        err = linux_host(SYS_prctl, (int)a[0], (long)&out, 0, 0, 0, 0);
        return err < 0 ? err : linux_put_u32(t, a[1], (uint32_t)out);
    default:
        return linux_host(SYS_prctl, (int)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], 0);
    }
}

int64_t sys_personality(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_personality, (long)(uint32_t)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_getrandom(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = a[1];
    long at = linux_buffer(t, a[0], &size, NW_ACCESS_WRITE);
    return linux_block(t, SYS_getrandom, at, (long)size, (long)(uint32_t)a[2], 0, 0, 0);
}

static int64_t set_system_name(struct linux_task *t, long nr, const uint64_t a[6])
{
    char name[64];
    if ((int)a[1] < 0 || a[1] > sizeof name)
        return -EINVAL;
    int64_t err = linux_copy_in(t, name, a[0], a[1]);
    return err ? err : linux_host(nr, (long)name, (long)a[1], 0, 0, 0, 0);
}

int64_t sys_sethostname(struct linux_task *t, const uint64_t a[6])
{
    return set_system_name(t, SYS_sethostname, a);
}

int64_t sys_setdomainname(struct linux_task *t, const uint64_t a[6])
{
    return set_system_name(t, SYS_setdomainname, a);
}

int64_t sys_syslog(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = (int)a[2] < 0 ? 0 : a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_WRITE);
    return linux_block(t, SYS_syslog, (int)a[0], at, (int)a[2] < 0 ? -1 : (long)size, 0, 0, 0);
}

int64_t sys_pidfd_send_signal(struct linux_task *t, const uint64_t a[6])
{
    siginfo_t info;
    if (a[2]) {
        int64_t err = linux_queued_siginfo(t, a[2], (int)a[1], &info);
        if (err)
            return err;
    }
    return linux_host(SYS_pidfd_send_signal, (int)a[0], (int)a[1], a[2] ? (long)&info : 0,
                      (long)(uint32_t)a[3], 0, 0);
}
