/* The helper page at 0xffff0000 (Documentation/arch/arm/kernel_user_helpers.rst of the kernel). */
#include "os/linux/arm/arm.h"

#include <errno.h>
#include <string.h>
#include "guest/arm/state.h"
#include "os/linux/guest_mem.h"
#include "os/linux/signal.h"

/* Offsets in the page. */
enum {
    HELPER_CMPXCHG64 = 0xf60,
    HELPER_BARRIER = 0xfa0,
    HELPER_CMPXCHG = 0xfc0,
    HELPER_GET_TLS = 0xfe0,
    HELPER_VERSION = 0xffc,
};
#define HELPER_COUNT 5 /* the version: how many helpers there are */

/* On a CPU without the instructions a helper is `svc #(TRAP + offset)`, `bx lr`. */
#define TRAP    0x9e0000u
#define SVC     0xef000000u
#define BX_LR   0xe12fff1eu
#define DMB_ISH 0xf57ff05bu

struct helper {
    uint32_t offset;
    uint32_t words[16];
};

/* For ARMv7. Success leaves r0 = 0 and C set; r3, the flags and what the helper returns may change.
 */
static const struct helper native[] = {
    {HELPER_CMPXCHG64,
     {
         0xe92d00f0, /*    push    {r4-r7}           */
         0xe1c040d0, /*    ldrd    r4, r5, [r0]      */
         0xe1c160d0, /*    ldrd    r6, r7, [r1]      */
         DMB_ISH,    /*                              */
         0xe1b20f9f, /* 1: ldrexd  r0, r1, [r2]      */
         0xe0203004, /*    eor     r3, r0, r4        */
         0xe0211005, /*    eor     r1, r1, r5        */
         0xe1933001, /*    orrs    r3, r3, r1        */
         0x1a000002, /*    bne     2f                */
         0xe1a23f96, /*    strexd  r3, r6, r7, [r2]  */
         0xe3530000, /*    cmp     r3, #0            */
         0x1afffff7, /*    bne     1b                */
         0xe8bd00f0, /* 2: pop     {r4-r7}           */
         0xe2730000, /*    rsbs    r0, r3, #0        */
         DMB_ISH,    /*                              */
         BX_LR,
     }},
    {HELPER_BARRIER, {DMB_ISH, BX_LR}},
    {HELPER_CMPXCHG,
     {
         DMB_ISH,    /*                              */
         0xe1923f9f, /* 1: ldrex   r3, [r2]          */
         0xe0333000, /*    eors    r3, r3, r0        */
         0x01823f91, /*    strexeq r3, r1, [r2]      */
         0x03330001, /*    teqeq   r3, #1            */
         0x0afffffa, /*    beq     1b                */
         0xe2730000, /*    rsbs    r0, r3, #0        */
         0xeaffffef, /*    b       barrier           */
     }},
    {HELPER_GET_TLS, {0xee1d0f70 /* mrc p15, 0, r0, c13, c0, 3 */, BX_LR}},
};

/* mov r7, #NR; svc 0 */
static const uint32_t sigreturn_code[] = {0xe3a07077, 0xef000000, 0xe3a070ad, 0xef000000};

static void put_words(uint8_t *page, uint64_t offset, const uint32_t *words, size_t count)
{
    memcpy(page + offset, words, count * sizeof *words);
}

int64_t arm_map_kernel_page(struct linux_process *p)
{
    uint8_t page[4096];
    nw_vcpu *vcpu = p->tasks->vcpu;
    bool v7 = arm_of(vcpu)->features & ARM_F_V7;

    memset(page, 0, sizeof page);
    for (size_t i = 0; i < ARRAY_LEN(native); i++) {
        uint32_t trap[] = {SVC | (TRAP + native[i].offset), BX_LR};
        if (v7)
            put_words(page, native[i].offset, native[i].words,
                      native[i].offset == HELPER_CMPXCHG64 ? 16 : 8);
        else
            put_words(page, native[i].offset, trap, 2);
    }
    put_words(page, ARM_SIGRETURN - ARM_KERNEL_PAGE, sigreturn_code, ARRAY_LEN(sigreturn_code));
    put_words(page, HELPER_VERSION, &(uint32_t){HELPER_COUNT}, 1);
    if (nw_mem_map(p->engine, ARM_KERNEL_PAGE, sizeof page, NW_RX) != NW_OK ||
        nw_mem_write(p->engine, ARM_KERNEL_PAGE, page, sizeof page) != NW_OK)
        return -ENOMEM;
    return 0;
}

/* SIZE bytes at [r2]: compare with OLD and exchange. Unaligned or bad addresses are the guest's
 * fault: the kernel gives SIGSEGV for them. */
static void compare_exchange(struct linux_task *t, unsigned size, uint64_t old, uint64_t new)
{
    struct arm_state *s = arm_of(t->vcpu);
    void *at = s->r[2] % size ? NULL : linux_span(t, s->r[2], size, NW_ACCESS_WRITE);
    bool done;

    if (!at) {
        siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
        info.si_addr = (void *)(uintptr_t)s->r[2];
        linux_force_signal(t, &info);
        return;
    }
    if (size == 4) {
        uint32_t want = (uint32_t)old;
        done = __atomic_compare_exchange_n((uint32_t *)at, &want, (uint32_t) new, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        done = __atomic_compare_exchange_n((uint64_t *)at, &old, new, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    s->r[0] = !done;
    s->nzcv = (s->nzcv & ~2u) | (done ? 2u : 0u);
}

bool arm_kernel_helper(struct linux_task *t, uint32_t code)
{
    struct arm_state *s = arm_of(t->vcpu);
    uint64_t values[2];

    if (s->r[15] < ARM_KERNEL_PAGE || s->r[15] != ARM_KERNEL_PAGE + (code - TRAP) + 4)
        return false;
    switch (code - TRAP) {
    case HELPER_CMPXCHG64:
        if (linux_copy_in(t, &values[0], s->r[0], 8) || linux_copy_in(t, &values[1], s->r[1], 8))
            s->r[2] = 1; /* raises the same fault */
        compare_exchange(t, 8, values[0], values[1]);
        return true;
    case HELPER_CMPXCHG: compare_exchange(t, 4, s->r[0], s->r[1]); return true;
    case HELPER_BARRIER: __atomic_thread_fence(__ATOMIC_SEQ_CST); return true;
    case HELPER_GET_TLS: s->r[0] = s->tpidruro; return true;
    default: return false;
    }
}
