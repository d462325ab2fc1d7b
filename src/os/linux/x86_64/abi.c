/* The x86-64 ABI (System V ABI, AMD64 supplement, appendix A; arch/x86/entry/entry_64.S). */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include "guest/x86/flags.h"
#include "os/linux/guest_mem.h"
#include "os/linux/layout.h"
#include "os/linux/siginfo.h"
#include "os/linux/syscall.h"
#include "os/linux/x86_64/x86_64.h"

/* Programs live in the window of fast memory (mem/space.h); MAP_FIXED may go anywhere in the half
 * of the address space that is the user's. The base lies in the smallest window, too. */
#define TASK_SIZE 0x7ffffffff000ull
#define WINDOW    (1ull << 40)
#define STACK_TOP (WINDOW - (1ull << 20))
#define EXEC_BASE 0x555554000ull

#define SYSCALL_SIZE 2 /* bytes of the instruction */
#define INT80        0x80

#define NR      LINUX_CALL
#define NR_NONE LINUX_NO_CALL
static const struct linux_call_row x86_64_calls[] = {
#include "os/linux/x86_64/numbers.inc"
};
#undef NR
#undef NR_NONE

static unsigned x86_64_call_number(struct linux_task *t, const nw_exit *exit)
{
    (void)exit;
    return (unsigned)x86_of(t->vcpu)->gpr[X86_RAX];
}

static void x86_64_call_args(struct linux_task *t, uint64_t raw[7])
{
    static const uint8_t regs[] = {X86_RDI, X86_RSI, X86_RDX, X86_R10, X86_R8, X86_R9};
    const struct x86_state *s = x86_of(t->vcpu);
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++)
        raw[i] = s->gpr[regs[i]];
    raw[6] = 0;
}

/* RAX still has the number. */
static void x86_64_restart_call(struct linux_task *t, const uint64_t raw[7])
{
    (void)raw;
    x86_of(t->vcpu)->pc -= SYSCALL_SIZE;
}

/* The gate of 32-bit programs leads to calls with 32-bit structures, which are the other ABI's. */
static bool x86_64_special_call(struct linux_task *t, const nw_exit *exit)
{
    if (exit->code != INT80)
        return false;
    linux_x86_set_result(t, -ENOSYS);
    return true;
}

static void x86_64_start(struct linux_task *t, uint64_t entry, uint64_t sp)
{
    linux_x86_start(t, entry, sp, X86_USER_CS, 0);
}

static void x86_64_set_tls(struct linux_task *t, uint64_t tls)
{
    x86_of(t->vcpu)->seg[X86_FS] = (struct x86_segment){.base = tls};
}

static void x86_64_dump(struct linux_task *t, FILE *out)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const struct x86_state *s = x86_of(t->vcpu);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        fprintf(out, "%4s %016" PRIx64 "%s", names[i], s->gpr[i], i % 4 == 3 ? "\n" : " ");
    fprintf(out, " rip %016" PRIx64 " eflags %08" PRIx32 " fs %016" PRIx64 " gs %016" PRIx64 "\n",
            s->pc, x86_eflags_read(s), s->seg[X86_FS].base, s->seg[X86_GS].base);
}

static struct linux_auxv_cpu x86_64_auxv_cpu(struct linux_task *t)
{
    return linux_x86_auxv(t, "x86_64", X86_64_FRAME_SIZE);
}

static const char *x86_64_machine(struct linux_task *t)
{
    (void)t;
    return "x86_64";
}

/* A mapping outside the window would make every access slower, so what only the kernel has there
 * comes when it is asked for. */
static int64_t x86_64_map_kernel_pages(struct linux_process *p)
{
    (void)p;
    return 0;
}

static bool x86_64_serve_fault(struct linux_task *t, const nw_exit *exit)
{
    return x86_64_vsyscall(t, exit) || linux_x86_tables_fault(t, exit);
}

/* asm/stat.h: struct stat, 144 bytes. */
static int64_t x86_64_put_stat(struct linux_task *t, uint64_t gva, const struct stat *st)
{
    struct pack p;
    pack_begin(&p, t);
    pack_u64(&p, st->st_dev);
    pack_u64(&p, st->st_ino);
    pack_u64(&p, st->st_nlink);
    pack_u32(&p, st->st_mode);
    pack_u32(&p, st->st_uid);
    pack_u32(&p, st->st_gid);
    pack_u32(&p, 0);
    pack_u64(&p, st->st_rdev);
    pack_u64(&p, (uint64_t)st->st_size);
    pack_u64(&p, (uint64_t)st->st_blksize);
    pack_u64(&p, (uint64_t)st->st_blocks);
    pack_u64(&p, (uint64_t)st->st_atim.tv_sec);
    pack_u64(&p, (uint64_t)st->st_atim.tv_nsec);
    pack_u64(&p, (uint64_t)st->st_mtim.tv_sec);
    pack_u64(&p, (uint64_t)st->st_mtim.tv_nsec);
    pack_u64(&p, (uint64_t)st->st_ctim.tv_sec);
    pack_u64(&p, (uint64_t)st->st_ctim.tv_nsec);
    pack_zero(&p, 24);
    return pack_end(t, gva, &p, 8);
}

const struct linux_abi linux_x86_64_abi = {
    .name = "x86-64",
    .arch = NW_ARCH_X86_64,
    .elf_machine = EM_X86_64,
    .elf_class = ELFCLASS64,
    .word = 8,
    .align64 = 8,
    .tls_last = true,
    .packed_epoll = true,
    .task_size = TASK_SIZE,
    .stack_top = STACK_TOP,
    .window = WINDOW,
    .exec_base = EXEC_BASE,
    .calls = x86_64_calls,
    .ncalls = ARRAY_LEN(x86_64_calls),
    .call_number = x86_64_call_number,
    .call_args = x86_64_call_args,
    .set_result = linux_x86_set_result,
    .restart_call = x86_64_restart_call,
    .special_call = x86_64_special_call,
    .start = x86_64_start,
    .get_pc = linux_x86_get_pc,
    .get_sp = linux_x86_get_sp,
    .set_sp = linux_x86_set_sp,
    .set_tls = x86_64_set_tls,
    .copy_state = linux_x86_copy_state,
    .dump = x86_64_dump,
    .auxv_cpu = x86_64_auxv_cpu,
    .machine = x86_64_machine,
    .cpuinfo = linux_x86_cpuinfo,
    .map_kernel_pages = x86_64_map_kernel_pages,
    .serve_fault = x86_64_serve_fault,
    .fault_info = linux_x86_fault_info,
    .push_frame = x86_64_push_frame,
    .sigreturn = x86_64_sigreturn,
    .get_sigaction = linux_get_sigaction,
    .put_sigaction = linux_put_sigaction,
    .get_siginfo = linux_get_siginfo,
    .put_siginfo = linux_put_siginfo,
    .put_stat = x86_64_put_stat,
    .put_stat64 = x86_64_put_stat,
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
