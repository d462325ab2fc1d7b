/* siginfo_t between host and guest. */
#include "os/linux/siginfo.h"

#include "os/linux/layout.h"

enum layout {
    LAYOUT_KILL,
    LAYOUT_TIMER,
    LAYOUT_POLL,
    LAYOUT_FAULT,
    LAYOUT_CHILD,
    LAYOUT_RT,
    LAYOUT_SYS
};

static enum layout layout_of(int sig, int code)
{
    if (code > 0 && code < SI_KERNEL) {
        switch (sig) {
        case SIGILL:
        case SIGFPE:
        case SIGSEGV:
        case SIGBUS:
        case SIGTRAP: return LAYOUT_FAULT;
        case SIGCHLD: return LAYOUT_CHILD;
        case SIGPOLL: return LAYOUT_POLL;
        case SIGSYS: return LAYOUT_SYS;
        default: return LAYOUT_KILL;
        }
    }
    switch (code) {
    case SI_TIMER: return LAYOUT_TIMER;
    case SI_SIGIO: return LAYOUT_POLL;
    default: return code < 0 && code != SI_TKILL ? LAYOUT_RT : LAYOUT_KILL;
    }
}

int64_t linux_put_siginfo(struct linux_task *t, uint64_t gva, const siginfo_t *info)
{
    struct pack p;
    pack_begin(&p, t);
    pack_u32(&p, (uint32_t)info->si_signo);
    pack_u32(&p, (uint32_t)info->si_errno);
    pack_u32(&p, (uint32_t)info->si_code);
    pack_align(&p, p.word);
    switch (layout_of(info->si_signo, info->si_code)) {
    case LAYOUT_KILL:
        pack_u32(&p, (uint32_t)info->si_pid);
        pack_u32(&p, info->si_uid);
        break;
    case LAYOUT_RT:
        pack_u32(&p, (uint32_t)info->si_pid);
        pack_u32(&p, info->si_uid);
        pack_word(&p, (uintptr_t)info->si_value.sival_ptr);
        break;
    case LAYOUT_TIMER:
        pack_u32(&p, (uint32_t)info->si_timerid);
        pack_u32(&p, (uint32_t)info->si_overrun);
        pack_word(&p, (uintptr_t)info->si_value.sival_ptr);
        break;
    case LAYOUT_POLL:
        pack_word(&p, (uint64_t)info->si_band);
        pack_u32(&p, (uint32_t)info->si_fd);
        break;
    case LAYOUT_FAULT: pack_word(&p, (uintptr_t)info->si_addr); break;
    case LAYOUT_CHILD:
        pack_u32(&p, (uint32_t)info->si_pid);
        pack_u32(&p, info->si_uid);
        pack_u32(&p, (uint32_t)info->si_status);
        pack_word(&p, (uint64_t)info->si_utime);
        pack_word(&p, (uint64_t)info->si_stime);
        break;
    case LAYOUT_SYS:
        pack_word(&p, (uintptr_t)info->si_call_addr);
        pack_u32(&p, (uint32_t)info->si_syscall);
        pack_u32(&p, info->si_arch);
        break;
    }
    pack_zero(&p, LINUX_SIGINFO_SIZE - p.len);
    return pack_end(t, gva, &p, 1);
}

int64_t linux_get_siginfo(struct linux_task *t, uint64_t gva, siginfo_t *info)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, LINUX_SIGINFO_SIZE);
    if (err)
        return err;
    memset(info, 0, sizeof *info);
    info->si_signo = (int)unpack_u32(&u);
    info->si_errno = (int)unpack_u32(&u);
    info->si_code = (int)unpack_u32(&u);
    u.at = (u.at + u.word - 1u) & ~(u.word - 1u);
    /* User space can only send these two kinds; the kernel refuses the others. */
    info->si_pid = (pid_t)unpack_u32(&u);
    info->si_uid = unpack_u32(&u);
    info->si_value.sival_ptr = (void *)(uintptr_t)unpack_word(&u);
    return 0;
}

int64_t linux_get_sigaction(struct linux_task *t, uint64_t gva, struct linux_sigaction *act,
                            bool rt)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, t->process->abi->word * (rt ? 3u : 4u) + (rt ? 8u : 0u));
    if (err)
        return err;
    act->handler = unpack_word(&u);
    if (!rt)
        act->mask = unpack_word(&u);
    act->flags = unpack_word(&u);
    act->restorer = unpack_word(&u);
    if (rt)
        memcpy(&act->mask, u.bytes + u.at, sizeof act->mask);
    return 0;
}

int64_t linux_put_sigaction(struct linux_task *t, uint64_t gva, const struct linux_sigaction *act,
                            bool rt)
{
    struct pack p;
    pack_begin(&p, t);
    pack_word(&p, act->handler);
    if (!rt)
        pack_word(&p, act->mask);
    pack_word(&p, act->flags);
    pack_word(&p, act->restorer);
    if (rt)
        pack_bytes(&p, &act->mask, sizeof act->mask);
    return pack_end(t, gva, &p, 1);
}
