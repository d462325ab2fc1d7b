/* Floating-point state in signal frames (asm/sigcontext.h; arch/x86/kernel/fpu/signal.c). */
#include <errno.h>
#include <string.h>
#include "guest/x86/mxcsr.h"
#include "guest/x86/system.h"
#include "os/linux/guest_mem.h"
#include "os/linux/x86/x86.h"

#define MAGIC1 0x46505853u /* FP_XSTATE_MAGIC1 */
#define MAGIC2 0x46505845u /* FP_XSTATE_MAGIC2, behind the state */

/* XCR0 (SDM 1 13.1) */
enum { STATE_X87 = 1, STATE_SSE = 2, STATE_AVX = 4 };
#define KNOWN (STATE_X87 | STATE_SSE | STATE_AVX)

/* The FXSAVE area, 64-bit form (SDM 1 10.5.1), the kernel's words at its end. */
struct fx_area {
    uint16_t control, status;
    uint8_t tags, reserved;
    uint16_t opcode;
    uint64_t ip, dp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t unused[48];
    uint32_t magic, extended_size;
    uint64_t features;
    uint32_t xstate_size, padding[7];
};
_Static_assert(sizeof(struct fx_area) == 512, "FXSAVE area");

/* The XSAVE area in its standard form (SDM 1 13.4). */
struct xsave_area {
    struct fx_area fx;
    uint64_t present, compacted, header[6];
    uint8_t ymm_high[16][16];
};
_Static_assert(sizeof(struct xsave_area) == 832, "XSAVE area");

/* The FSAVE form in 32-bit mode, and what the kernel puts behind it. */
struct legacy_area {
    uint32_t control, status, tags, ip, code, dp, data;
    uint8_t st[8][10];
    uint16_t status_copy, magic;
};
_Static_assert(sizeof(struct legacy_area) == X86_LEGACY_FP, "struct _fpstate_32");

bool linux_x86_has_xsave(struct linux_task *t)
{
    return x86_of(t->vcpu)->cr4 & X86_CR4_OSXSAVE;
}

static uint32_t state_size(struct linux_task *t)
{
    if (!linux_x86_has_xsave(t))
        return sizeof(struct fx_area);
    return x86_of(t->vcpu)->xcr0 & STATE_AVX ? sizeof(struct xsave_area)
                                             : offsetof(struct xsave_area, ymm_high);
}

unsigned linux_x86_fp_size(struct linux_task *t)
{
    return state_size(t) + (linux_x86_has_xsave(t) ? 4 : 0);
}

uint64_t linux_x86_fp_place(struct linux_task *t, uint64_t sp, bool legacy, uint64_t *fx)
{
    *fx = (sp - linux_x86_fp_size(t)) & ~63ull;
    return legacy ? *fx - X86_LEGACY_FP : *fx;
}

static unsigned top_of(const struct x86_state *s)
{
    return s->fpsw >> 11 & 7;
}

static void save_area(struct linux_task *t, struct xsave_area *x)
{
    struct x86_state *s = x86_of(t->vcpu);
    memset(x, 0, sizeof *x);
    x->fx.control = s->fpcw;
    x->fx.status = s->fpsw;
    x->fx.tags = (uint8_t)s->fptag;
    x->fx.opcode = s->fpop;
    x->fx.ip = s->fpip;
    x->fx.dp = s->fpdp;
    x->fx.mxcsr = x86_mxcsr_read(t->vcpu);
    x->fx.mxcsr_mask = X86_MXCSR_MASK;
    for (unsigned i = 0; i < 8; i++)
        memcpy(x->fx.st[i], s->fpr[(top_of(s) + i) & 7], 10);
    /* 32-bit programs have eight vector registers. */
    unsigned n = t->process->abi->word == 8 ? 16 : 8;
    for (unsigned i = 0; i < n; i++) {
        memcpy(x->fx.xmm[i], s->ymm[i], 16);
        memcpy(x->ymm_high[i], s->ymm[i] + 16, 16);
    }
    if (!linux_x86_has_xsave(t))
        return;
    static const uint8_t zeros[sizeof x->ymm_high];
    x->present = STATE_X87 | STATE_SSE;
    if (s->xcr0 & STATE_AVX && memcmp(x->ymm_high, zeros, sizeof zeros))
        x->present |= STATE_AVX;
    x->fx.magic = MAGIC1;
    x->fx.features = s->xcr0;
    x->fx.xstate_size = state_size(t);
}

/* Two bits per register in physical order: valid, zero, special, empty (SDM 1 8.1.7). */
static uint32_t full_tags(const struct x86_state *s)
{
    uint32_t tags = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mantissa;
        uint16_t exponent;
        memcpy(&mantissa, s->fpr[i], 8);
        memcpy(&exponent, s->fpr[i] + 8, 2);
        exponent &= 0x7fff;
        uint32_t tag = 2;
        if (!(s->fptag >> i & 1))
            tag = 3;
        else if (!exponent && !mantissa)
            tag = 1;
        else if (exponent && exponent != 0x7fff && mantissa >> 63)
            tag = 0;
        tags |= tag << 2 * i;
    }
    return tags;
}

static void save_legacy(struct linux_task *t, struct legacy_area *out)
{
    struct x86_state *s = x86_of(t->vcpu);
    *out = (struct legacy_area){
        .control = s->fpcw | 0xffff0000u,
        .status = s->fpsw | 0xffff0000u,
        .tags = full_tags(s) | 0xffff0000u,
        .ip = (uint32_t)s->fpip,
        .code = s->seg[X86_CS].selector | (uint32_t)s->fpop << 16,
        .dp = (uint32_t)s->fpdp,
        .data = s->seg[X86_DS].selector | 0xffff0000u,
        .status_copy = s->fpsw,
    };
    for (unsigned i = 0; i < 8; i++)
        memcpy(out->st[i], s->fpr[(top_of(s) + i) & 7], 10);
}

int64_t linux_x86_fp_save(struct linux_task *t, uint64_t gva, bool legacy)
{
    struct xsave_area x;
    struct legacy_area old;
    save_area(t, &x);
    uint32_t size = state_size(t), magic = MAGIC2;
    if (linux_x86_has_xsave(t)) {
        x.fx.extended_size = size + 4 + (legacy ? X86_LEGACY_FP : 0);
        if (linux_copy_out(t, gva + size, &magic, sizeof magic))
            return -EFAULT;
    }
    if (legacy) {
        save_legacy(t, &old);
        if (linux_copy_out(t, gva - sizeof old, &old, sizeof old))
            return -EFAULT;
    }
    return linux_copy_out(t, gva, &x, size);
}

/* The state that a frame without one, or a program's start, stands for. */
static void initial_area(struct xsave_area *x)
{
    memset(x, 0, sizeof *x);
    x->fx.control = 0x37f;
    x->fx.mxcsr = 0x1f80;
}

/* Reads the area; without the kernel's marks only its first part counts. */
static int64_t get_area(struct linux_task *t, uint64_t gva, bool legacy, struct xsave_area *x)
{
    uint32_t magic = 0, size = state_size(t);
    memset(x, 0, sizeof *x);
    if (linux_copy_in(t, &x->fx, gva, sizeof x->fx))
        return -EFAULT;
    uint64_t present = STATE_X87 | STATE_SSE;
    if (linux_x86_has_xsave(t) && x->fx.magic == MAGIC1 && x->fx.xstate_size == size &&
        x->fx.extended_size >= size + 4 + (legacy ? X86_LEGACY_FP : 0) &&
        !linux_copy_in(t, &magic, gva + size, 4) && magic == MAGIC2) {
        if (linux_copy_in(t, x, gva, size))
            return -EFAULT;
        present = x->present & x->fx.features & KNOWN;
    }
    struct xsave_area initial;
    initial_area(&initial);
    if (!(present & STATE_X87)) {
        memcpy(&x->fx, &initial.fx, offsetof(struct fx_area, mxcsr));
        memcpy(x->fx.st, initial.fx.st, sizeof x->fx.st);
    }
    if (!(present & STATE_SSE))
        memset(x->fx.xmm, 0, sizeof x->fx.xmm);
    if (!(present & STATE_AVX))
        memset(x->ymm_high, 0, sizeof x->ymm_high);
    return 0;
}

/* The x87 registers of an i386 frame are taken from its first form. */
static int64_t get_legacy(struct linux_task *t, uint64_t gva, struct xsave_area *x)
{
    struct legacy_area old;
    if (linux_copy_in(t, &old, gva - sizeof old, sizeof old))
        return -EFAULT;
    x->fx.control = (uint16_t)old.control;
    x->fx.status = (uint16_t)old.status;
    x->fx.tags = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((old.tags >> 2 * i & 3) != 3)
            x->fx.tags |= (uint8_t)(1u << i);
    x->fx.opcode = (uint16_t)(old.code >> 16);
    x->fx.ip = old.ip;
    x->fx.dp = old.dp;
    for (unsigned i = 0; i < 8; i++)
        memcpy(x->fx.st[i], old.st[i], sizeof old.st[i]);
    return 0;
}

int64_t linux_x86_fp_restore(struct linux_task *t, uint64_t gva, bool legacy)
{
    struct x86_state *s = x86_of(t->vcpu);
    struct xsave_area x;
    int64_t err = 0;
    if (gva) {
        err = get_area(t, gva, legacy, &x);
        if (!err && legacy)
            err = get_legacy(t, gva, &x);
    } else {
        initial_area(&x);
    }
    if (err)
        return err;
    s->fpcw = x.fx.control;
    s->fpsw = x.fx.status;
    s->fptag = x.fx.tags;
    s->fpop = x.fx.opcode & 0x7ff;
    s->fpip = x.fx.ip;
    s->fpdp = x.fx.dp;
    x86_mxcsr_write(t->vcpu, x.fx.mxcsr & X86_MXCSR_MASK);
    for (unsigned i = 0; i < 8; i++)
        memcpy(s->fpr[(top_of(s) + i) & 7], x.fx.st[i], 10);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(s->ymm[i], x.fx.xmm[i], 16);
        memcpy(s->ymm[i] + 16, x.ymm_high[i], 16);
    }
    return 0;
}
