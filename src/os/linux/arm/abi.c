/* The ARM EABI. */
#include "os/linux/arm/arm.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <narwhal/arm.h>
#include "guest/arm/state.h"
#include "mem/space.h"
#include "os/linux/guest_mem.h"
#include "os/linux/layout.h"
#include "os/linux/siginfo.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

/* asm/hwcap.h */
enum {
    HWCAP_ARM_SWP = 1 << 0,
    HWCAP_ARM_HALF = 1 << 1,
    HWCAP_ARM_THUMB = 1 << 2,
    HWCAP_ARM_FAST_MULT = 1 << 4,
    HWCAP_ARM_VFP = 1 << 6,
    HWCAP_ARM_EDSP = 1 << 7,
    HWCAP_ARM_NEON = 1 << 12,
    HWCAP_ARM_VFPV3 = 1 << 13,
    HWCAP_ARM_VFPV3D16 = 1 << 14,
    HWCAP_ARM_TLS = 1 << 15,
    HWCAP_ARM_VFPV4 = 1 << 16,
    HWCAP_ARM_IDIVA = 1 << 17,
    HWCAP_ARM_IDIVT = 1 << 18,
    HWCAP_ARM_VFPD32 = 1 << 19,
};

/* asm/unistd.h: calls with a base of their own, __ARM_NR_BASE. */
enum {
    ARM_NR_BREAKPOINT = 0x0f0001,
    ARM_NR_CACHEFLUSH = 0x0f0002,
    ARM_NR_USR26 = 0x0f0003,
    ARM_NR_USR32 = 0x0f0004,
    ARM_NR_SET_TLS = 0x0f0005,
    ARM_NR_GET_TLS = 0x0f0006,
    ARM_NR_PRIVATE_END = 0x0f0800, /* below it an unknown number is ENOSYS, above it SIGILL */
};

/* The immediate of `svc` under the old ABI is the number on this base. */
#define ARM_OABI_BASE 0x900000u

#define NR      LINUX_CALL
#define NR_NONE LINUX_NO_CALL
static const struct linux_call_row arm_calls[] = {
#include "os/linux/arm/numbers.inc"
};
#undef NR
#undef NR_NONE

static unsigned arm_call_number(struct linux_task *t, const nw_exit *exit)
{
    (void)exit;
    return arm_of(t->vcpu)->r[7];
}

static void arm_call_args(struct linux_task *t, uint64_t raw[7])
{
    const struct arm_state *s = arm_of(t->vcpu);
    for (unsigned i = 0; i < 7; i++)
        raw[i] = s->r[i];
}

static void arm_set_result(struct linux_task *t, int64_t result)
{
    arm_of(t->vcpu)->r[0] = (uint32_t)result;
}

static void arm_restart_call(struct linux_task *t, const uint64_t raw[7])
{
    struct arm_state *s = arm_of(t->vcpu);
    s->r[0] = (uint32_t)raw[0];
    s->r[15] -= s->thumb ? 2 : 4;
}

static void raise_here(struct linux_task *t, int sig, int code)
{
    struct arm_state *s = arm_of(t->vcpu);
    s->r[15] -= s->thumb ? 2 : 4;
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_addr = (void *)(uintptr_t)s->r[15];
    linux_force_signal(t, &info);
}

/* Stores into code are tracked; this is for code written through another mapping of it. */
static uint32_t cache_flush(struct linux_task *t, uint32_t start, uint32_t end, uint32_t flags)
{
    if (end < start || flags)
        return (uint32_t)-EINVAL;
    uint64_t from = start & ~0xfffull, to = (end + 0xfffull) & ~0xfffull;
    mem_forget_code(t->process->engine, from, to - from);
    return 0;
}

static void arm_private_call(struct linux_task *t, uint32_t nr)
{
    struct arm_state *s = arm_of(t->vcpu);
    switch (nr) {
    case ARM_NR_BREAKPOINT: raise_here(t, SIGTRAP, TRAP_BRKPT); break;
    case ARM_NR_CACHEFLUSH: s->r[0] = cache_flush(t, s->r[0], s->r[1], s->r[2]); break;
    case ARM_NR_USR26:
    case ARM_NR_USR32: s->r[0] = 0; break;
    case ARM_NR_SET_TLS:
        s->tpidruro = s->r[0];
        s->r[0] = 0;
        break;
    case ARM_NR_GET_TLS: s->r[0] = s->tpidruro; break;
    default:
        if (nr < ARM_NR_PRIVATE_END)
            s->r[0] = (uint32_t)-ENOSYS;
        else
            raise_here(t, SIGILL, ILL_ILLTRP);
    }
}

static bool arm_special_call(struct linux_task *t, const nw_exit *exit)
{
    struct arm_state *s = arm_of(t->vcpu);
    if (arm_kernel_helper(t, exit->code))
        return true;
    if (exit->code >= ARM_OABI_BASE) {
        if (exit->code == ARM_OABI_BASE + ARM_NR_CACHEFLUSH)
            arm_private_call(t, ARM_NR_CACHEFLUSH);
        else
            raise_here(t, SIGILL, ILL_ILLTRP);
        return true;
    }
    if (s->r[7] < 0x0f0000)
        return false;
    arm_private_call(t, s->r[7]);
    return true;
}

static void arm_start(struct linux_task *t, uint64_t entry, uint64_t sp)
{
    struct arm_state *s = arm_of(t->vcpu);
    for (unsigned i = 0; i < 15; i++)
        s->r[i] = 0;
    s->r[13] = (uint32_t)sp;
    s->r[15] = (uint32_t)entry & ~(entry & 1 ? 1u : 3u);
    s->thumb = entry & 1;
    s->itstate = 0;
    s->nzcv = 0;
    s->control = ARM_USR;
    if (s->features & ARM_F_VFP2) {
        s->cpacr |= 0xfu << 20; /* CP10, CP11: full access (ARM DDI 0406C B4.1.40) */
        s->fpexc |= 1u << 30;   /* EN */
    }
}

static uint64_t arm_get_pc(struct linux_task *t)
{
    return arm_of(t->vcpu)->r[15];
}
static uint64_t arm_get_sp(struct linux_task *t)
{
    return arm_of(t->vcpu)->r[13];
}
static void arm_set_sp(struct linux_task *t, uint64_t sp)
{
    arm_of(t->vcpu)->r[13] = (uint32_t)sp;
}
static void arm_set_tls(struct linux_task *t, uint64_t tls)
{
    arm_of(t->vcpu)->tpidruro = (uint32_t)tls;
}

static void arm_copy_state(struct linux_task *child, const struct linux_task *parent)
{
    memcpy(child->vcpu->state, parent->vcpu->state, sizeof(struct arm_state));
    arm_of(child->vcpu)->excl_size = 0;
    uint64_t fpscr;
    if (nw_reg_read(parent->vcpu, NW_ARM_FPSCR, &fpscr) == NW_OK)
        nw_reg_write(child->vcpu, NW_ARM_FPSCR, fpscr);
}

static void arm_dump(struct linux_task *t, FILE *out)
{
    const struct arm_state *s = arm_of(t->vcpu);
    uint64_t cpsr = 0;
    nw_reg_read(t->vcpu, NW_ARM_CPSR, &cpsr);
    static const char *const names[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                        "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};
    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "%4s %08" PRIx32 "%s", names[i], s->r[i], i % 4 == 3 ? "\n" : " ");
    fprintf(out, "cpsr %08" PRIx64 " %c%c%c%c %s\n", cpsr, s->nzcv & 8 ? 'N' : '-',
            s->nzcv & 4 ? 'Z' : '-', s->nzcv & 2 ? 'C' : '-', s->nzcv & 1 ? 'V' : '-',
            s->thumb ? "Thumb" : "ARM");
}

static struct linux_auxv_cpu arm_auxv_cpu(struct linux_task *t)
{
    static const struct {
        uint32_t feature, hwcap;
    } map[] = {
        {ARM_F_VFP2, HWCAP_ARM_VFP}, {ARM_F_VFP3, HWCAP_ARM_VFPV3},  {ARM_F_VFP4, HWCAP_ARM_VFPV4},
        {ARM_F_V6K, HWCAP_ARM_TLS},  {ARM_F_DIV_A, HWCAP_ARM_IDIVA}, {ARM_F_DIV_T, HWCAP_ARM_IDIVT},
        {ARM_F_NEON, HWCAP_ARM_NEON},
    };
    uint32_t features = arm_of(t->vcpu)->features;
    struct linux_auxv_cpu cpu = {
        .hwcap = HWCAP_ARM_HALF | HWCAP_ARM_THUMB | HWCAP_ARM_FAST_MULT | HWCAP_ARM_EDSP,
        .platform = features & ARM_F_V7   ? "v7l"
                    : features & ARM_F_V6 ? "v6l"
                                          : "v5l",
    };
    for (size_t i = 0; i < ARRAY_LEN(map); i++)
        if (features & map[i].feature)
            cpu.hwcap |= map[i].hwcap;
    if (!(features & ARM_F_V6))
        cpu.hwcap |= HWCAP_ARM_SWP;
    if (features & ARM_F_VFP3)
        cpu.hwcap |= features & ARM_F_D32 ? HWCAP_ARM_VFPD32 : HWCAP_ARM_VFPV3D16;
    return cpu;
}

static const char *arm_machine(struct linux_task *t)
{
    uint32_t features = arm_of(t->vcpu)->features;
    return features & ARM_F_V7 ? "armv7l" : features & ARM_F_V6 ? "armv6l" : "armv5tejl";
}

static void arm_fault_info(struct linux_task *t, const nw_exit *exit, siginfo_t *info)
{
    (void)t;
    uint64_t addr = exit->pc;
    switch (exit->reason) {
    case NW_EXIT_UNDEFINED:
        info->si_signo = SIGILL;
        info->si_code = ILL_ILLOPC;
        break;
    case NW_EXIT_BREAKPOINT:
        info->si_signo = SIGTRAP;
        info->si_code = TRAP_BRKPT;
        break;
    default:
        addr = exit->addr;
        info->si_signo =
            exit->fault == NW_FAULT_ALIGN || exit->fault == NW_FAULT_BUS ? SIGBUS : SIGSEGV;
        if (info->si_signo == SIGBUS)
            info->si_code = exit->fault == NW_FAULT_ALIGN ? BUS_ADRALN : BUS_ADRERR;
        else
            info->si_code = exit->fault == NW_FAULT_PERM ? SEGV_ACCERR : SEGV_MAPERR;
    }
    info->si_addr = (void *)(uintptr_t)addr;
}

const struct linux_abi linux_arm_abi = {
    .name = "ARM",
    .arch = NW_ARCH_ARM,
    .elf_machine = EM_ARM,
    .elf_class = ELFCLASS32,
    .word = 4,
    .align64 = 8,
    .pair_align = true,
    .task_size = 0xffff0000,
    .stack_top = 0xfffe0000,
    .exec_base = 0x00400000,
    .calls = arm_calls,
    .ncalls = ARRAY_LEN(arm_calls),
    .call_number = arm_call_number,
    .call_args = arm_call_args,
    .set_result = arm_set_result,
    .restart_call = arm_restart_call,
    .special_call = arm_special_call,
    .start = arm_start,
    .get_pc = arm_get_pc,
    .get_sp = arm_get_sp,
    .set_sp = arm_set_sp,
    .set_tls = arm_set_tls,
    .copy_state = arm_copy_state,
    .dump = arm_dump,
    .auxv_cpu = arm_auxv_cpu,
    .machine = arm_machine,
    .cpuinfo = arm_cpuinfo,
    .map_kernel_pages = arm_map_kernel_page,
    .fault_info = arm_fault_info,
    .push_frame = arm_push_frame,
    .sigreturn = arm_sigreturn,
    .get_sigaction = linux_get_sigaction,
    .put_sigaction = linux_put_sigaction,
    .get_siginfo = linux_get_siginfo,
    .put_siginfo = linux_put_siginfo,
    .put_stat = linux_put_stat32,
    .put_stat64 = linux_put_stat64,
    .put_statfs = linux_put_statfs,
    .put_statfs64 = linux_put_statfs64,
    .get_timespec = linux_get_timespec,
    .put_timespec = linux_put_timespec,
    .get_timespec64 = linux_get_timespec64,
    .put_timespec64 = linux_put_timespec64,
    .get_timeval = linux_get_timeval,
    .put_timeval = linux_put_timeval,
    .get_flock = linux_get_flock,
    .put_flock = linux_put_flock,
    .get_flock64 = linux_get_flock64,
    .put_flock64 = linux_put_flock64,
    .get_epoll_event = linux_get_epoll_event,
    .put_epoll_event = linux_put_epoll_event,
    .put_rusage = linux_put_rusage,
    .put_sysinfo = linux_put_sysinfo,
    .put_rlimit = linux_put_rlimit,
    .get_rlimit = linux_get_rlimit,
    .open_flags_in = arm_open_flags_in,
    .open_flags_out = arm_open_flags_out,
};
