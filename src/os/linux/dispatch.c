/* From a guest's system call instruction to a handler and back. */
#include "os/linux/dispatch.h"

#include <errno.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/syscall.h"

#define SYSCALL(name_, nargs_, format_, flags_)                                                    \
    {.name = #name_, .format = format_, .handler = sys_##name_, .nargs = nargs_, .flags = flags_},
const struct linux_syscall linux_syscalls[SYS_ROWS] = {
#include "os/linux/syscalls.inc"
};
#undef SYSCALL

#define RAW_WORDS 7

/* Brings the ABI's registers into the form that handlers expect; see syscall.h. */
static void collect_args(const struct linux_abi *abi, const char *format, const uint64_t raw[],
                         uint64_t args[6])
{
    unsigned at = 0;
    for (unsigned i = 0; i < 6; i++) {
        char kind = *format ? *format++ : 'x';
        bool wide = kind == 'L' || kind == 'H';
        if (kind == 'L' && abi->word == 4 && abi->pair_align)
            at += at & 1;
        uint64_t value = at < RAW_WORDS ? raw[at] : 0;
        at++;
        if (wide && abi->word == 4)
            value |= (at < RAW_WORDS ? raw[at] : 0) << 32;
        if (kind == 'H' || (wide && abi->word == 4))
            at++;
        switch (kind) {
        case 'd':
        case 'f':
        case 'F':
        case 'W': value = (uint64_t)(int32_t)value; break;
        case 'l': value = abi->word == 4 ? (uint64_t)(int32_t)value : value; break;
        default: break;
        }
        args[i] = value;
    }
}

static void name_unknown(struct linux_process *p, unsigned nr, const char *name)
{
    unsigned bit = nr < 64 * ARRAY_LEN(p->unknown) ? nr : 64 * ARRAY_LEN(p->unknown) - 1;
    uint64_t mask = 1ull << (bit & 63);
    if (atomic_fetch_or(&p->unknown[bit / 64], mask) & mask)
        return;
    if (name)
        linux_warn("system call %u (%s) is not implemented", nr, name);
    else
        linux_warn("unknown system call %u", nr);
}

struct linux_call_row linux_call_lookup(const struct linux_abi *abi, unsigned nr)
{
    return nr < abi->ncalls ? abi->calls[nr] : (struct linux_call_row){NULL, NULL};
}

static int64_t call_handler(struct linux_task *t, unsigned nr)
{
    const struct linux_abi *abi = t->process->abi;
    bool strace = t->process->options->strace;
    struct linux_call_row row = linux_call_lookup(abi, nr);
    const struct linux_syscall *call = row.call;
    uint64_t args[6];
    int64_t result = -ENOSYS;

    collect_args(abi, call ? call->format : "", t->raw, args);
    t->call = call;
    if (strace)
        linux_strace_enter(t, call, nr, args);
    if (call)
        result = call->handler(t, args);
    else
        name_unknown(t->process, nr, row.name);
    if (t->bounces)
        linux_bounces_end(t);
    if (strace)
        linux_strace_exit(t, call, nr, args, result);
    return result;
}

void linux_dispatch(struct linux_task *t, const nw_exit *exit)
{
    const struct linux_abi *abi = t->process->abi;
    if (abi->special_call(t, exit))
        return;
    abi->call_args(t, t->raw);
    int64_t result = call_handler(t, abi->call_number(t, exit));
    bool keeps = t->call && t->call->flags & SYS_KEEPS_REGS;
    t->call = NULL;
    if (result == -LINUX_ERESTARTSYS || result == -LINUX_ERESTARTNOINTR ||
        result == -LINUX_ERESTARTNOHAND)
        t->restart = (int)-result;
    else if (!keeps)
        abi->set_result(t, result);
}
