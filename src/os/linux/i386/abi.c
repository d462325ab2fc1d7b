/* The i386 ABI (System V ABI, Intel386 supplement; arch/x86/entry/entry_64_compat.S). */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "guest/x86/flags.h"
#include "os/linux/guest_mem.h"
#include "os/linux/i386/i386.h"
#include "os/linux/layout.h"
#include "os/linux/siginfo.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

#define STACK_TOP 0xffdfe000ull
#define EXEC_BASE 0x56555000ull

#define INT80_SIZE 2 /* bytes of the instruction */
#define INT80      0x80

#define NR      LINUX_CALL
#define NR_NONE LINUX_NO_CALL
static const struct linux_call_row i386_calls[] = {
#include "os/linux/i386/numbers.inc"
};
#undef NR
#undef NR_NONE

static unsigned i386_call_number(struct linux_task *t, const nw_exit *exit)
{
    (void)exit;
    return (uint32_t)x86_of(t->vcpu)->gpr[X86_RAX];
}

static void i386_call_args(struct linux_task *t, uint64_t raw[7])
{
    static const uint8_t regs[] = {X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP};
    const struct x86_state *s = x86_of(t->vcpu);
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++)
        raw[i] = (uint32_t)s->gpr[regs[i]];
    raw[6] = 0;
}

/* EAX still has the number. */
static void i386_restart_call(struct linux_task *t, const uint64_t raw[7])
{
    struct x86_state *s = x86_of(t->vcpu);
    (void)raw;
    s->pc = (uint32_t)(s->pc - INT80_SIZE);
}

/* SYSCALL and SYSENTER belong to a vDSO, which this process has not. */
static bool i386_special_call(struct linux_task *t, const nw_exit *exit)
{
    if (exit->code == INT80)
        return false;
    nw_exit undefined = *exit;
    siginfo_t info = {0};
    undefined.reason = NW_EXIT_UNDEFINED;
    undefined.pc = x86_of(t->vcpu)->pc = (uint32_t)(exit->pc - INT80_SIZE);
    linux_x86_fault_info(t, &undefined, &info);
    linux_force_signal(t, &info);
    return true;
}

static void i386_start(struct linux_task *t, uint64_t entry, uint64_t sp)
{
    linux_x86_start(t, entry, sp, X86_USER32_CS, X86_USER_DS);
}

/* TLS is the address of a struct user_desc; the parent's memory is the child's. */
static void i386_set_tls(struct linux_task *t, uint64_t tls)
{
    (void)linux_x86_set_tls(t, tls, false);
}

static void i386_dump(struct linux_task *t, FILE *out)
{
    static const char *const names[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    const struct x86_state *s = x86_of(t->vcpu);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        fprintf(out, "%4s %08" PRIx32 "%s", names[i], (uint32_t)s->gpr[i], i % 4 == 3 ? "\n" : " ");
    fprintf(out, " eip %08" PRIx32 " eflags %08" PRIx32 " gs %04x base %08" PRIx32 "\n",
            (uint32_t)s->pc, x86_eflags_read(s), s->seg[X86_GS].selector,
            (uint32_t)s->seg[X86_GS].base);
}

static struct linux_auxv_cpu i386_auxv_cpu(struct linux_task *t)
{
    return linux_x86_auxv(t, "i686", I386_FRAME_SIZE + X86_LEGACY_FP);
}

static const char *i386_machine(struct linux_task *t)
{
    (void)t;
    return "i686";
}

/* The returns, as the vDSO has them: old frames have the signal's number on top of the stack. */
static int64_t map_returns(struct linux_process *p)
{
    static const uint8_t old[] = {0x58,                         /* pop eax           */
                                  0xb8, 0x77, 0x00, 0x00, 0x00, /* mov eax, sigreturn */
                                  0xcd, 0x80};                  /* int 0x80          */
    static const uint8_t rt[] = {0xb8, 0xad, 0x00, 0x00, 0x00,  /* mov eax, rt_sigreturn */
                                 0xcd, 0x80};
    if (nw_mem_map(p->engine, I386_KERNEL_PAGE, 4096, NW_RX) != NW_OK ||
        nw_mem_write(p->engine, I386_SIGRETURN, old, sizeof old) != NW_OK ||
        nw_mem_write(p->engine, I386_RT_SIGRETURN, rt, sizeof rt) != NW_OK)
        return -ENOMEM;
    return 0;
}

static int64_t i386_map_kernel_pages(struct linux_process *p)
{
    int64_t err = linux_x86_map_tables(p);
    return err ? err : map_returns(p);
}

const struct linux_abi linux_i386_abi = {
    .name = "x86",
    .arch = NW_ARCH_X86,
    .elf_machine = EM_386,
    .elf_class = ELFCLASS32,
    .word = 4,
    .align64 = 4,
    .task_size = I386_TASK_SIZE,
    .stack_top = STACK_TOP,
    .exec_base = EXEC_BASE,
    .calls = i386_calls,
    .ncalls = ARRAY_LEN(i386_calls),
    .call_number = i386_call_number,
    .call_args = i386_call_args,
    .set_result = linux_x86_set_result,
    .restart_call = i386_restart_call,
    .special_call = i386_special_call,
    .start = i386_start,
    .get_pc = linux_x86_get_pc,
    .get_sp = linux_x86_get_sp,
    .set_sp = linux_x86_set_sp,
    .set_tls = i386_set_tls,
    .copy_state = linux_x86_copy_state,
    .dump = i386_dump,
    .auxv_cpu = i386_auxv_cpu,
    .machine = i386_machine,
    .cpuinfo = linux_x86_cpuinfo,
    .map_kernel_pages = i386_map_kernel_pages,
    .fault_info = linux_x86_fault_info,
    .push_frame = i386_push_frame,
    .sigreturn = i386_sigreturn,
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
    .open_flags_in = linux_x86_open_flags_in,
    .open_flags_out = linux_x86_open_flags_out,
};
