/* Runs code natively, with every register as given: rt_sigreturn loads all of them at once from a
 * signal frame of ours, and the signal that ends the run brings all of them back in another one.
 *
 * Code of both sizes runs in this process, since a signal frame names the code segment. */
#include "x86_native.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA_SEL     0x2b
#define X87_BIT      1u
#define SSE_BIT      2u
#define AVX_BIT      4u
#define XSTATE_BV    512
#define XSTATE_MAX   16384
#define STACK_SIZE   (256u << 10)
#define FLAGS_LOADED 0x50dd5u /* what rt_sigreturn takes from the frame */

/* What the assembler below reads and writes. */
struct native_switch {
    uint64_t in_flight;      /* 0: signals belong to others; 8 */
    uint64_t host_rsp;       /* 8 */
    uint64_t host_fs_base;   /* 16 */
    uint64_t guest_fs_base;  /* 24 */
    uint64_t guest_gs_base;  /* 32 */
    uint64_t ticks;          /* 40: since the run began */
    uint64_t context;        /* 48: of the signal that ended the run */
    uint64_t signal;         /* 56 */
    uint64_t wide;           /* 64: 64-bit code: the bases are loaded */
    uint16_t ds, es, fs, gs; /* 72.. */
};
extern struct native_switch native_switch;
struct native_switch native_switch;
void (*native_stuck)(void);

void native_enter(void *frame);
void native_handler(int sig, siginfo_t *info, void *context);
void native_others(int sig, siginfo_t *info, void *context);

/* native_enter loads the segment registers, which a frame does not hold, and jumps into the frame.
 * native_handler undoes that; the C code of a handler must not run under a guest's FS. A timer's
 * signal in a run goes back into it unless the run has lasted for two of them. */
// clang-format off
__asm__(
    ".pushsection .text\n"
    ".globl native_enter\n"
    ".hidden native_enter\n"
    "native_enter:\n"
    "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  lea native_switch(%rip), %rbx\n"
    "  mov %rsp, 8(%rbx)\n"
    "  rdfsbase %rax\n"
    "  mov %rax, 16(%rbx)\n"
    "  movq $1, (%rbx)\n"
    "  mov 72(%rbx), %ds\n  mov 74(%rbx), %es\n  mov 76(%rbx), %fs\n  mov 78(%rbx), %gs\n"
    "  cmpq $0, 64(%rbx)\n"
    "  je 1f\n"
    "  mov 24(%rbx), %rax\n  wrfsbase %rax\n"
    "  mov 32(%rbx), %rax\n  wrgsbase %rax\n"
    "1: mov %rdi, %rsp\n"
    "  mov $15, %eax\n"
    "  syscall\n"
    "  ud2\n"
    ".globl native_handler\n"
    ".hidden native_handler\n"
    "native_handler:\n"
    "  lea native_switch(%rip), %rax\n"
    "  cmpq $0, (%rax)\n"
    "  je native_others\n"
    "  cmp $26, %edi\n" /* SIGVTALRM */
    "  jne 2f\n"
    "  incq 40(%rax)\n"
    "  cmpq $2, 40(%rax)\n"
    "  jae 2f\n"
    "  ret\n"
    "2: mov %rdx, 48(%rax)\n"
    "  mov %rdi, 56(%rax)\n"
    "  rdfsbase %rcx\n  mov %rcx, 24(%rax)\n"
    "  rdgsbase %rcx\n  mov %rcx, 32(%rax)\n"
    "  mov %ds, 72(%rax)\n  mov %es, 74(%rax)\n  mov %fs, 76(%rax)\n  mov %gs, 78(%rax)\n"
    "  mov $0x2b, %ecx\n  mov %ecx, %ds\n  mov %ecx, %es\n"
    "  xor %ecx, %ecx\n  mov %ecx, %fs\n  mov %ecx, %gs\n"
    "  mov 16(%rax), %rcx\n  wrfsbase %rcx\n"
    "  movq $0, (%rax)\n"
    "  mov 8(%rax), %rsp\n"
    "  push $0x202\n  popfq\n"
    "  cld\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
    "  ret\n"
    ".popsection\n");
// clang-format on

static struct {
    ucontext_t context;
    uint8_t *xstate; /* what CONTEXT points to */
    uint32_t size;   /* of it */
    uint32_t avx;    /* where the upper halves are */
    struct sigaction before[65];
    uint8_t *code;
    uint16_t fs, gs;
} native;

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGVTALRM};

void native_others(int sig, siginfo_t *info, void *context)
{
    if (sig == SIGVTALRM) {
        if (++native_switch.ticks >= 4 && native_stuck)
            native_stuck();
        return;
    }
    const struct sigaction *a = &native.before[sig];
    if (a->sa_flags & SA_SIGINFO) {
        a->sa_sigaction(sig, info, context);
        return;
    }
    signal(sig, SIG_DFL);
}

static void take_frame(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info;
    const ucontext_t *uc = context;
    const uint8_t *fp = (const uint8_t *)uc->uc_mcontext.fpregs;
    uint32_t magic, size;

    memcpy(&magic, fp + 464, 4);
    memcpy(&size, fp + 468, 4);
    if (magic != 0x46505853 || size > XSTATE_MAX)
        return;
    native.context = *uc;
    memcpy(native.xstate, fp, size);
    native.size = size;
}

/* A frame as the kernel makes them here, to be filled in again and again. */
static bool learn_frame(void)
{
    struct sigaction sa = {.sa_sigaction = take_frame, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old;
    uint32_t a, b, c, d;

    native.xstate = aligned_alloc(64, XSTATE_MAX);
    if (!native.xstate || sigaction(SIGUSR1, &sa, &old))
        return false;
    raise(SIGUSR1);
    sigaction(SIGUSR1, &old, NULL);
    __cpuid_count(0xd, 2, a, b, c, d);
    native.avx = b;
    native.context.uc_mcontext.fpregs = (fpregset_t)(void *)native.xstate;
    return native.size && native.size >= b + 256;
}

static uint16_t ldt_segment(unsigned n, uint32_t base)
{
    struct user_desc d = {.entry_number = n,
                          .base_addr = base,
                          .limit = 0xfffff,
                          .seg_32bit = 1,
                          .limit_in_pages = 1,
                          .useable = 1};
    return syscall(SYS_modify_ldt, 0x11, &d, sizeof d) ? 0 : (uint16_t)(n * 8 + 7);
}

bool native_segments(void)
{
    native.fs = ldt_segment(1000, CASE_FS_BASE32);
    native.gs = ldt_segment(1001, CASE_GS_BASE32);
    return native.fs && native.gs;
}

static bool map_at(uint64_t addr, size_t size, int prot, int fd)
{
    void *at = (void *)(uintptr_t)addr;
    int flags =
        MAP_FIXED_NOREPLACE | MAP_POPULATE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    return mmap(at, size, prot, flags, fd, 0) == at;
}

static bool map_all(void)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, CASE_CODE_SIZE))
        return false;
    native.code = mmap(NULL, CASE_CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (native.code != MAP_FAILED)
        memset(native.code, 0xcc, CASE_CODE_SIZE); /* present, so that faults say so */
    bool ok = native.code != MAP_FAILED &&
              map_at(CASE_CODE, CASE_CODE_SIZE, PROT_READ | PROT_EXEC, fd) &&
              map_at(CASE_LOW, CASE_LOW_SIZE, PROT_READ | PROT_WRITE, -1) &&
              map_at(CASE_RO, CASE_RO_SIZE, PROT_READ, -1) &&
              map_at(CASE_HIGH, CASE_HIGH_SIZE, PROT_READ | PROT_WRITE, -1);
    close(fd);
    return ok;
}

bool native_open(const char **why)
{
    stack_t stack = {.ss_size = STACK_SIZE};
    struct sigaction sa = {.sa_sigaction = native_handler,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    struct itimerval second = {{1, 0}, {1, 0}};

    if (!(getauxval(AT_HWCAP2) & 2)) {
        *why = "no FSGSBASE";
        return false;
    }
    stack.ss_sp =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *why = "signal frames without AVX state";
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) || !learn_frame())
        return false;
    *why = "the fixed addresses are taken, or below vm.mmap_min_addr";
    if (!map_all())
        return false;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &sa, &native.before[signals[i]]);
    setitimer(ITIMER_VIRTUAL, &second, NULL);
    return true;
}

uint8_t *native_code(void)
{
    return native.code;
}

uint16_t native_fs(void)
{
    return native.fs;
}

uint16_t native_gs(void)
{
    return native.gs;
}

/* ORDER X86_GPR */
static const uint8_t greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};

static void put16(uint8_t *at, uint16_t v)
{
    memcpy(at, &v, 2);
}

/* The legacy area as FXSAVE64 has it (SDM 1 10.5.1). */
static void fill_xstate(uint8_t *x, const struct case_state *s)
{
    unsigned top = s->fpsw >> 11 & 7;
    uint64_t present = X87_BIT | SSE_BIT | AVX_BIT;

    put16(x, s->fpcw);
    put16(x + 2, s->fpsw);
    put16(x + 4, s->fptag);
    put16(x + 6, s->fpop);
    memcpy(x + 8, &s->fpip, 8);
    memcpy(x + 16, &s->fpdp, 8);
    memcpy(x + 24, &s->mxcsr, 4);
    for (unsigned i = 0; i < 8; i++)
        memcpy(x + 32 + 16 * i, s->st[(top + i) & 7], 16);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(x + 160 + 16 * i, s->ymm[i], 16);
        memcpy(x + native.avx + 16 * i, s->ymm[i] + 16, 16);
    }
    memcpy(x + XSTATE_BV, &present, 8);
}

static void take_xstate(const uint8_t *x, struct case_state *s)
{
    uint64_t present;

    memcpy(&present, x + XSTATE_BV, 8);
    memset(s->st, 0, sizeof s->st);
    memset(s->ymm, 0, sizeof s->ymm);
    s->fpcw = 0x37f;
    s->fpsw = s->fptag = s->fpop = 0;
    s->fpip = s->fpdp = 0;
    memcpy(&s->mxcsr, x + 24, 4);
    if (present & X87_BIT) {
        memcpy(&s->fpcw, x, 2);
        memcpy(&s->fpsw, x + 2, 2);
        s->fptag = x[4];
        memcpy(&s->fpop, x + 6, 2);
        memcpy(&s->fpip, x + 8, 8);
        memcpy(&s->fpdp, x + 16, 8);
        for (unsigned i = 0, top = s->fpsw >> 11 & 7; i < 8; i++)
            memcpy(s->st[(top + i) & 7], x + 32 + 16 * i, 10);
    }
    for (unsigned i = 0; i < 16; i++) {
        if (present & SSE_BIT)
            memcpy(s->ymm[i], x + 160 + 16 * i, 16);
        if (present & AVX_BIT)
            memcpy(s->ymm[i] + 16, x + native.avx + 16 * i, 16);
    }
}

static void fill_frame(const struct case_state *s, unsigned bits)
{
    greg_t *g = native.context.uc_mcontext.gregs;

    for (unsigned i = 0; i < 16; i++)
        g[greg_of[i]] = (greg_t)s->gpr[i];
    g[REG_RIP] = (greg_t)s->rip;
    g[REG_EFL] = s->eflags & FLAGS_LOADED;
    g[REG_CSGSFS] = (greg_t)((uint64_t)DATA_SEL << 48 | (bits == 64 ? CASE_CS64 : CASE_CS32));
    fill_xstate(native.xstate, s);
    native_switch.guest_fs_base = s->fs_base;
    native_switch.guest_gs_base = s->gs_base;
    native_switch.ds = s->ds;
    native_switch.es = s->es;
    native_switch.fs = s->fs;
    native_switch.gs = s->gs;
    native_switch.wide = bits == 64;
    native_switch.ticks = 0;
}

static void take_frame_back(struct case_state *s, struct case_outcome *o)
{
    const ucontext_t *uc = (const ucontext_t *)native_switch.context;
    const greg_t *g = uc->uc_mcontext.gregs;

    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = (uint64_t)g[greg_of[i]];
    s->rip = (uint64_t)g[REG_RIP];
    s->eflags = (uint32_t)g[REG_EFL];
    s->fs_base = native_switch.guest_fs_base;
    s->gs_base = native_switch.guest_gs_base;
    s->cs = (uint16_t)g[REG_CSGSFS];
    s->ds = native_switch.ds;
    s->es = native_switch.es;
    s->fs = native_switch.fs;
    s->gs = native_switch.gs;
    take_xstate((const uint8_t *)uc->uc_mcontext.fpregs, s);
    o->end = CASE_FAULT;
    o->vector = (uint8_t)g[REG_TRAPNO];
    o->error = (uint32_t)g[REG_ERR];
    o->addr = o->vector == 14 ? (uint64_t)g[REG_CR2] : 0;
    if (native_switch.signal == SIGVTALRM) {
        o->end = CASE_HANG;
    } else if (o->vector == 3) {
        o->end = CASE_BREAK;
        s->rip--;
    }
}

static void load_data(const uint8_t *data)
{
    static uint8_t read_only[CASE_RO_SIZE];

    memcpy((void *)CASE_LOW, data, CASE_LOW_SIZE);
    memcpy((void *)CASE_HIGH, data + CASE_LOW_SIZE + CASE_RO_SIZE, CASE_HIGH_SIZE);
    if (memcmp(read_only, data + CASE_LOW_SIZE, CASE_RO_SIZE)) {
        memcpy(read_only, data + CASE_LOW_SIZE, CASE_RO_SIZE);
        mprotect((void *)CASE_RO, CASE_RO_SIZE, PROT_READ | PROT_WRITE);
        memcpy((void *)CASE_RO, read_only, CASE_RO_SIZE);
        mprotect((void *)CASE_RO, CASE_RO_SIZE, PROT_READ);
    }
}

void native_run(const struct case_state *state, const uint8_t *data, unsigned bits,
                struct case_result *out)
{
    load_data(data);
    fill_frame(state, bits);
    native_enter(&native.context);
    take_frame_back(&out->state, &out->outcome);
    memcpy(out->data, (void *)CASE_LOW, CASE_LOW_SIZE + CASE_RO_SIZE);
    memcpy(out->data + CASE_LOW_SIZE + CASE_RO_SIZE, (void *)CASE_HIGH, CASE_HIGH_SIZE);
    native_alive();
}

void native_alive(void)
{
    native_switch.ticks = 0;
}
