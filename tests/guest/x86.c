/* What is x86's own: faults as signals, frames with their floating-point state, TLS segments, the
 * auxiliary vector against CPUID. Passes on a CPU, too. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

#ifdef __x86_64__
#define REG_PC      REG_RIP
#define REG_BX      REG_RBX
#define REG_SP_NAME "rsp"
#else
#define REG_PC      REG_EIP
#define REG_BX      REG_EBX
#define REG_SP_NAME "esp"
#endif

static sigjmp_buf back;
static volatile struct {
    int sig, code, trap, error;
    uintptr_t addr, pc, cr2;
} got;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;
    got.sig = sig;
    got.code = info->si_code;
    got.addr = (uintptr_t)info->si_addr;
    got.pc = (uintptr_t)uc->uc_mcontext.gregs[REG_PC];
    got.trap = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
    got.error = (int)uc->uc_mcontext.gregs[REG_ERR];
#ifdef __x86_64__
    got.cr2 = (uintptr_t)uc->uc_mcontext.gregs[REG_CR2];
#else
    got.cr2 = uc->uc_mcontext.cr2;
#endif
    siglongjmp(back, 1);
}

#define FAULT(code)                                                                                \
    if (!sigsetjmp(back, 1)) {                                                                     \
        code;                                                                                      \
        CHECK(!"no fault");                                                                        \
    }

static void install(void)
{
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
        CHECK(sigaction(sigs[i], &act, NULL) == 0);
}

static void integer_faults(void)
{
    uintptr_t here;
    FAULT(__asm__ volatile("xor %%ecx, %%ecx\n xor %%edx, %%edx\n mov $1, %%eax\n div %%ecx" ::
                               : "eax", "ecx", "edx"))
    CHECK(got.sig == SIGFPE && got.code == FPE_INTDIV && got.addr == got.pc && got.trap == 0);
    FAULT(__asm__ volatile("ud2"))
    CHECK(got.sig == SIGILL && got.code == ILL_ILLOPN && got.addr == got.pc && got.trap == 6);
#ifdef __x86_64__
    __asm__ volatile("lea 1f(%%rip), %0" : "=r"(here));
#else
    __asm__ volatile("mov $1f, %0" : "=r"(here));
#endif
    FAULT(__asm__ volatile("1: int3" ::: "memory"))
    CHECK(got.sig == SIGTRAP && got.code == SI_KERNEL && got.pc == here + 1 && got.trap == 3);
    FAULT(__asm__ volatile("hlt"))
    CHECK(got.sig == SIGSEGV && got.code == SI_KERNEL && got.addr == 0 && got.trap == 13);
    CHECK(got.error == 0);
    FAULT(__asm__ volatile("int $0x33"))
    CHECK(got.sig == SIGSEGV && got.code == SI_KERNEL && got.error == 0x33 * 8 + 2);
    FAULT(__asm__ volatile("pushf\n orl $0x100, (%%" REG_SP_NAME ")\n popf\n nop\n nop" ::
                               : "cc", "memory"))
    CHECK(got.sig == SIGTRAP && got.code == TRAP_TRACE && got.trap == 1);
}

static void memory_faults(void)
{
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(munmap(page + 4096, 4096) == 0);
    (void)*(volatile char *)page; /* a CPU says whether there is a page yet */
    FAULT(*(volatile char *)(page + 5) = 1)
    CHECK(got.sig == SIGSEGV && got.code == SEGV_ACCERR && got.addr == (uintptr_t)page + 5);
    CHECK(got.trap == 14 && got.error == 7 && got.cr2 == got.addr);
    FAULT((void)*(volatile char *)(page + 4096))
    CHECK(got.code == SEGV_MAPERR && got.error == 4 && got.cr2 == (uintptr_t)page + 4096);
    FAULT(*(volatile char *)(page + 4097) = 1)
    CHECK(got.code == SEGV_MAPERR && got.error == 6 && got.cr2 == (uintptr_t)page + 4097);
    FAULT(((void (*)(void))(uintptr_t)page)())
    CHECK(got.sig == SIGSEGV && got.code == SEGV_ACCERR && got.error == 0x15);
    CHECK(got.pc == (uintptr_t)page && got.addr == got.pc);
    FAULT(*(volatile uint64_t *)(page + 4092) = 1)
    CHECK(got.code == SEGV_ACCERR || got.code == SEGV_MAPERR);
#ifdef __x86_64__
    FAULT((void)*(volatile char *)0x1234567812345678)
    CHECK(got.sig == SIGSEGV && got.code == SI_KERNEL && got.addr == 0 && got.trap == 13);
#endif
    munmap(page, 4096);
}

static void float_faults(void)
{
    /* The flags of the handler's way out stay unmasked: mask them again. */
    static const uint16_t unmasked = 0x37f & ~4, masked = 0x37f;
    static const double zero = 0, one = 1;
    FAULT(__asm__ volatile("fninit\n fldcw %0\n fldl %1\n fdivl %2\n fwait" ::"m"(unmasked),
                           "m"(one), "m"(zero)))
    CHECK(got.sig == SIGFPE && got.code == FPE_FLTDIV && got.trap == 16);
    __asm__ volatile("fninit\n fldcw %0" ::"m"(masked));
#ifdef __x86_64__
    uint32_t mxcsr = 0x1f80 & ~0x200u, usual = 0x1f80;
    FAULT(__asm__ volatile("ldmxcsr %0\n movsd %1, %%xmm0\n divsd %2, %%xmm0\n" ::"m"(mxcsr),
                           "m"(one), "m"(zero)
                           : "xmm0"))
    CHECK(got.sig == SIGFPE && got.code == FPE_FLTDIV && got.trap == 19);
    __asm__ volatile("ldmxcsr %0" ::"m"(usual));
#endif
}

/* The interrupted registers come back, and may be changed. */
static volatile int context_ok;

static void spoil(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)sig, (void)info;
    context_ok = uc->uc_mcontext.fpregs != NULL;
    uc->uc_mcontext.gregs[REG_BX] = 0x1234;
    __asm__ volatile("fninit\n fldz\n fldz");
#ifdef __x86_64__
    /* The top of the stack as the frame has it. */
    long double top;
    memcpy(&top, uc->uc_mcontext.fpregs->_st, 10);
    context_ok &= top == 3.25L;
    context_ok &= uc->uc_mcontext.fpregs->mxcsr == 0x1f80;
    context_ok &= uc->uc_mcontext.fpregs->_xmm[9].element[0] == 77;
    uc->uc_mcontext.fpregs->_xmm[9].element[1] = 88;
    __asm__ volatile("pxor %%xmm8, %%xmm8\n pxor %%xmm9, %%xmm9" ::: "xmm8", "xmm9");
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroall" ::: "memory");
#else
    context_ok &= (uc->uc_mcontext.fpregs->cw & 0xffff) == 0x37f;
#endif
}

static void frames(void)
{
    struct sigaction act = {.sa_sigaction = spoil, .sa_flags = SA_SIGINFO};
    double in = 3.25, out = 0;
    int pid = getpid(), bx = 0;
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
#ifdef __x86_64__
    uint32_t xmm[4] = {77, 1, 2, 3}, ymm[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint32_t xmm_out[4], ymm_out[8] = {0};
    int avx = __builtin_cpu_supports("avx") != 0;
    __asm__ volatile(
        "fldl %[in]\n movdqu %[xmm], %%xmm9\n"
        "test %[avx], %[avx]\n jz 1f\n vmovdqu %[ymm], %%ymm8\n 1:\n"
        "movl $1, %%ebx\n movl %[pid], %%edi\n movl %[sig], %%esi\n movl %[nr], %%eax\n"
        "syscall\n"
        "fstpl %[out]\n movdqu %%xmm9, %[xmm_out]\n"
        "test %[avx], %[avx]\n jz 1f\n vmovdqu %%ymm8, %[ymm_out]\n 1:\n"
        "movl %%ebx, %[bx]\n"
        : [out] "=m"(out), [xmm_out] "=m"(xmm_out), [ymm_out] "=m"(ymm_out), [bx] "=m"(bx)
        : [in] "m"(in), [xmm] "m"(xmm), [ymm] "m"(ymm), [pid] "m"(pid), [sig] "i"(SIGUSR1),
          [nr] "i"(SYS_kill), [avx] "r"(avx)
        : "rax", "rbx", "rcx", "rdi", "rsi", "r11", "xmm8", "xmm9", "memory", "st");
    CHECK(xmm_out[0] == 77 && xmm_out[1] == 88 && xmm_out[3] == 3);
    CHECK(!avx || !memcmp(ymm, ymm_out, sizeof ymm));
#else
    __asm__ volatile("fldl %[in]\n push %%ebx\n movl %[pid], %%ebx\n movl %[sig], %%ecx\n"
                     "movl %[nr], %%eax\n int $0x80\n fstpl %[out]\n movl %%ebx, %%eax\n pop %%ebx"
                     : [out] "=m"(out), "=&a"(bx)
                     : [in] "m"(in), [pid] "d"(pid), [sig] "i"(SIGUSR1), [nr] "i"(SYS_kill)
                     : "ecx", "memory", "st");
#endif
    CHECK(context_ok && out == 3.25 && bx == 0x1234);
}

#ifdef __x86_64__
/* A leaf function may keep values below the stack pointer. */
static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
    char deep[2000];
    memset(deep, sig, sizeof deep);
    __asm__ volatile("" ::"r"(deep) : "memory");
    alarms++;
}

static void red_zone(void)
{
    struct itimerval every = {{0, 1000}, {0, 1000}}, stop = {{0, 0}, {0, 0}};
    CHECK(signal(SIGALRM, on_alarm) != SIG_ERR && setitimer(ITIMER_REAL, &every, NULL) == 0);
    while (alarms < 5) {
        unsigned long first = 0x1111, last = 0x2222;
        __asm__ volatile(
            "mov %0, -8(%%rsp)\n mov %1, -128(%%rsp)\n mov $2000, %%ecx\n 1: dec %%ecx\n"
            "jnz 1b\n mov -8(%%rsp), %0\n mov -128(%%rsp), %1"
            : "+r"(first), "+r"(last)::"ecx", "memory");
        CHECK(first == 0x1111 && last == 0x2222);
        if (check_failed)
            break;
    }
    CHECK(setitimer(ITIMER_REAL, &stop, NULL) == 0);
}

static void segments(void)
{
    enum { SET_GS = 0x1001, GET_GS = 0x1004, GET_FS = 0x1003 };
    unsigned long base = 0, word = 0x1122334455667788, read;
    CHECK(syscall(SYS_arch_prctl, SET_GS, &word) == 0);
    CHECK(syscall(SYS_arch_prctl, GET_GS, &base) == 0 && base == (unsigned long)&word);
    __asm__ volatile("mov %%gs:0, %0" : "=r"(read));
    CHECK(read == word);
    CHECK(syscall(SYS_arch_prctl, GET_FS, &base) == 0);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(read));
    CHECK(read == base); /* the thread control block begins with its own address */
    CHECK_ERRNO(syscall(SYS_arch_prctl, SET_GS, -4096l), EPERM);
    CHECK_ERRNO(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
    unsigned cs, ss;
    __asm__ volatile("mov %%cs, %0\n mov %%ss, %1" : "=r"(cs), "=r"(ss));
    CHECK(cs == 0x33 && ss == 0x2b);
}

static void vsyscalls(void)
{
    struct timeval tv = {0};
    time_t now = ((time_t(*)(time_t *))0xffffffffff600400)(NULL);
    CHECK(now - time(NULL) < 10 && time(NULL) - now < 10);
    CHECK(((int (*)(struct timeval *, void *))0xffffffffff600000)(&tv, NULL) == 0);
    CHECK(tv.tv_sec - now >= 0 && tv.tv_sec - now < 10);
}

/* MAP_32BIT, and a fixed mapping far from all others. */
static void addresses(void)
{
    char *low =
        mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    CHECK(low != MAP_FAILED && (uintptr_t)low < 0x80000000);
    low[5] = 1;
    char *far = (char *)0x7f1234560000;
    CHECK(mmap(far, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
               -1, 0) == far);
    strcpy(far + 4090, "across pages");
    CHECK(!strcmp(far + 4090, "across pages"));
    FAULT(far[8192] = 1)
    CHECK(got.addr == (uintptr_t)far + 8192);
    CHECK(munmap(far, 8192) == 0);
}
#else
struct user_desc {
    unsigned entry, base, limit, flags;
};

static unsigned read_gs(unsigned selector)
{
    unsigned value;
    __asm__ volatile("push %%gs\n mov %1, %%gs\n mov %%gs:0, %0\n pop %%gs"
                     : "=&r"(value)
                     : "r"(selector));
    return value;
}

static void load_fs(unsigned selector)
{
    __asm__ volatile("mov %0, %%fs" : : "r"(selector));
}

static void read_fs_beyond(void)
{
    unsigned value;
    __asm__ volatile("mov %%fs:64, %0" : "=r"(value));
}

static void segments(void)
{
    static unsigned words[] = {0x12345678, 0x9abcdef0};
    struct user_desc d = {-1u, (unsigned)&words[0], 0xfffff, 0x51}, e;
    unsigned cs, ss;
    CHECK(syscall(SYS_set_thread_area, &d) == 0 && d.entry >= 12 && d.entry <= 14);
    CHECK(read_gs(d.entry * 8 + 3) == words[0]);
    e = (struct user_desc){.entry = d.entry};
    CHECK(syscall(SYS_get_thread_area, &e) == 0 && e.base == d.base && e.flags == d.flags);
    CHECK(e.limit == 0xfffff);
    d.base = (unsigned)&words[1];
    CHECK(syscall(SYS_set_thread_area, &d) == 0 && read_gs(d.entry * 8 + 3) == words[1]);
    load_fs(d.entry * 8 + 3);
    e = d;
    e.limit = 3;
    e.flags = 0x41; /* bytes; the register follows its entry */
    CHECK(syscall(SYS_set_thread_area, &e) == 0);
    FAULT(read_fs_beyond())
    CHECK(got.sig == SIGSEGV && got.trap == 13);
    load_fs(0);
    e.entry = 99;
    CHECK_ERRNO(syscall(SYS_get_thread_area, &e), EINVAL);
    __asm__ volatile("mov %%cs, %0\n mov %%ss, %1" : "=r"(cs), "=r"(ss));
    CHECK(cs == 0x23 && ss == 0x2b);
    d.entry = 3; /* of the LDT now */
    CHECK(syscall(SYS_modify_ldt, 0x11, &d, sizeof d) == 0 && read_gs(3 * 8 + 7) == words[1]);
    char table[64];
    CHECK(syscall(SYS_modify_ldt, 0, table, sizeof table) == sizeof table);
    FAULT(read_gs(5 * 8 + 7))
    CHECK(got.sig == SIGSEGV && got.trap == 13 && got.error == (5 * 8 | 4));
}
#endif

/* As the kernel gave it: the C library makes something of its own of it. */
static unsigned long hwcap(void)
{
    unsigned long pair[2] = {0};
    int fd = open("/proc/self/auxv", O_RDONLY);
    while (read(fd, pair, sizeof pair) == sizeof pair && pair[0] != AT_HWCAP)
        ;
    close(fd);
    return pair[1];
}

static void about_cpu(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    CHECK(__get_cpuid(1, &a, &b, &c, &d));
    CHECK(!((hwcap() ^ d) & (bit_CMOV | bit_FXSAVE | bit_SSE | bit_SSE2)));
    CHECK(getauxval(AT_MINSIGSTKSZ) >= 512);
    if (c & bit_OSXSAVE) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        CHECK((a & 3) == 3 && !!(a & 4) >= !!(c & bit_AVX));
    }
}

/* A thread begins with the rounding of the one that made it, in both units. */
static void *thirds(void *opaque)
{
    volatile double one = 1, three = 3;
    volatile long double wide = 1;
    *(double *)opaque = one / three + (double)(wide / 3);
    return NULL;
}

static void inherited_rounding(void)
{
    double near, up = 0, here;
    pthread_t thread;
    thirds(&near);
    CHECK(fesetround(FE_UPWARD) == 0);
    thirds(&here);
    CHECK(pthread_create(&thread, NULL, thirds, &up) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(fesetround(FE_TONEAREST) == 0);
    CHECK(up == here && up > near);
    /* What the thread changes is its own. */
    thirds(&here);
    CHECK(here == near);
}

int main(void)
{
    setbuf(stdout, NULL);
    alarm(60);
    install();
    about_cpu();
    integer_faults();
    memory_faults();
    float_faults();
    frames();
    inherited_rounding();
    segments();
#ifdef __x86_64__
    red_zone();
    vsyscalls();
    addresses();
#endif
    return CHECK_DONE();
}
