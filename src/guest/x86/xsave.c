#include "guest/x86/xsave.h"

#include <string.h>
#include "guest/x86/block.h"
#include "guest/x86/lift.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/x87.h"

/* Offsets in the legacy region and the header, bytes. */
enum {
    AT_FOP = 6,
    AT_IP = 8,
    AT_DP = 16,
    AT_MXCSR = 24,
    AT_MASK = 28,
    AT_ST = 32,
    AT_XMM = 160,
    AT_LEGACY_END = 416,
    AT_HEADER = 512,
    AT_AVX = 576,
    HEADER_SIZE = 64,
};
enum { CR4_OSXSAVE = 1 << 18, MXCSR_INIT = 0x1f80 };
#define COMPACTED (1ull << 63)

static bool in_64bit(const struct x86_state *s)
{
    return s->mode & X86_KEY_CODE64;
}

static unsigned vectors(const struct x86_state *s)
{
    return in_64bit(s) ? 16 : 8;
}

static bool aligned(struct nw_vcpu *vcpu, uint64_t addr, unsigned to)
{
    if (!(addr & (to - 1)))
        return true;
    x86_raise(vcpu, X86_GP, 0);
    return false;
}

static uint32_t memop_of(uint64_t how)
{
    return (uint32_t)how >> 16;
}

/* ---- parts of the area ---- */

/* AMD's processors give the pointers only while an exception is pending, and zeros else (APM 2
 * 11.4.4 with RstrFpErrPtrs). */
static void write_pointers(const struct x86_state *s, bool wide, uint8_t *to)
{
    bool hidden = s->model->vendor == X86_VENDOR_AMD && !(s->fpsw & X87_ES);
    uint64_t ip = s->fpip, dp = s->fpdp;
    uint16_t opcode = s->fpop;
    if (!wide) {
        ip = (uint32_t)ip | (uint64_t)s->fpcs << 32;
        dp = (uint32_t)dp | (uint64_t)s->fpds << 32;
    }
    if (hidden) {
        ip = dp = 0;
        opcode = 0;
    }
    memcpy(to + AT_FOP, &opcode, 2);
    memcpy(to + AT_IP, &ip, 8);
    memcpy(to + AT_DP, &dp, 8);
}

static void write_x87(struct x86_state *s, bool wide, uint8_t *to)
{
    memset(to, 0, AT_MXCSR);
    memcpy(to, &s->fpcw, 2);
    memcpy(to + 2, &s->fpsw, 2);
    to[4] = (uint8_t)s->fptag;
    write_pointers(s, wide, to);
    memset(to + AT_ST, 0, AT_XMM - AT_ST);
    for (unsigned n = 0; n < 8; n++)
        memcpy(to + AT_ST + 16 * n, x87_st(s, n), 10);
}

static void read_x87(struct x86_state *s, bool wide, const uint8_t *from)
{
    uint16_t cw, sw, opcode;
    memcpy(&cw, from, 2);
    memcpy(&sw, from + 2, 2);
    memcpy(&opcode, from + AT_FOP, 2);
    x87_set_control(s, cw);
    x87_set_status(s, sw);
    s->fptag = from[4];
    s->fpop = opcode & 0x7ff;
    memcpy(&s->fpip, from + AT_IP, 8);
    memcpy(&s->fpdp, from + AT_DP, 8);
    s->fpcs = s->fpds = 0;
    if (!wide) {
        s->fpcs = (uint16_t)(s->fpip >> 32);
        s->fpds = (uint16_t)(s->fpdp >> 32);
        s->fpip = (uint32_t)s->fpip;
        s->fpdp = (uint32_t)s->fpdp;
    }
    for (unsigned n = 0; n < 8; n++)
        memcpy(x87_st(s, n), from + AT_ST + 16 * n, 10);
}

static void init_x87(struct x86_state *s)
{
    x87_init(s);
    memset(s->fpr, 0, sizeof s->fpr);
}

static void write_mxcsr(struct nw_vcpu *vcpu, uint8_t *to)
{
    uint32_t mxcsr = x86_mxcsr_read(vcpu), mask = X86_MXCSR_MASK;
    memcpy(to + AT_MXCSR, &mxcsr, 4);
    memcpy(to + AT_MASK, &mask, 4);
}

static uint32_t read_mxcsr(const uint8_t *from)
{
    uint32_t mxcsr;
    memcpy(&mxcsr, from + AT_MXCSR, 4);
    return mxcsr;
}

/* Halves of the vector registers: HALF 0 are XMM, 1 the upper parts of YMM. */
static void write_vectors(const struct x86_state *s, unsigned half, uint8_t *to)
{
    for (unsigned n = 0; n < vectors(s); n++)
        memcpy(to + 16 * n, s->ymm[n] + 16 * half, 16);
}

/* FROM null: zeros. */
static void read_vectors(struct x86_state *s, unsigned half, const uint8_t *from)
{
    for (unsigned n = 0; n < vectors(s); n++) {
        if (from)
            memcpy(s->ymm[n] + 16 * half, from + 16 * n, 16);
        else
            memset(s->ymm[n] + 16 * half, 0, 16);
    }
}

/* The host's order: the last byte of an area of SIZE bytes first, whatever else will be accessed.
 * MEMOP: of a byte. */
static bool probe_end(struct nw_vcpu *vcpu, uint64_t addr, unsigned size, uint32_t memop)
{
    return x86_block_probe(vcpu, addr + size - 1, 1, memop);
}

/* ---- FXSAVE, FXRSTOR ---- */

uint64_t x86_fxsave_area(struct nw_vcpu *vcpu, uint64_t addr, uint64_t how, uint64_t unused1,
                         uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    uint8_t area[AT_LEGACY_END];
    struct x86_part all = {0, AT_XMM};

    if (!aligned(vcpu, addr, 16) || !probe_end(vcpu, addr, 512, memop_of(how) | IR_MEM_RMW))
        return 0;
    write_x87(s, how & X86_XS_WIDE, area);
    write_mxcsr(vcpu, area);
    if (!(s->mode & X86_KEY_OSFXSR_OFF)) {
        write_vectors(s, 0, area + AT_XMM);
        all.size = (uint16_t)(AT_XMM + 16 * vectors(s));
    }
    x86_block_store(vcpu, addr, area, &all, 1, memop_of(how));
    return 0;
}

uint64_t x86_fxrstor_area(struct nw_vcpu *vcpu, uint64_t addr, uint64_t how, uint64_t unused1,
                          uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    uint8_t area[512];

    if (!aligned(vcpu, addr, 16) || !probe_end(vcpu, addr, 512, memop_of(how)) ||
        !x86_block_load(vcpu, addr, area, 512, memop_of(how)))
        return 0;
    if (read_mxcsr(area) & ~X86_MXCSR_MASK) {
        x86_raise(vcpu, X86_GP, 0);
        return 0;
    }
    read_x87(s, how & X86_XS_WIDE, area);
    if (!(s->mode & X86_KEY_OSFXSR_OFF)) {
        read_vectors(s, 0, area + AT_XMM);
        x86_mxcsr_write(vcpu, read_mxcsr(area));
    }
    return 0;
}

/* ---- XSAVE, XRSTOR ---- */

static bool all_zero(const uint8_t *bytes, size_t size)
{
    while (size--)
        if (*bytes++)
            return false;
    return true;
}

/* AMD's processors do not look at the pointers, which they would not save either. */
static bool x87_in_use(const struct x86_state *s)
{
    if (s->fpcw != X87_CONTROL_INIT || s->fpsw || s->fptag || !all_zero(s->fpr[0], sizeof s->fpr))
        return true;
    return s->model->vendor != X86_VENDOR_AMD &&
           (s->fpop || s->fpip || s->fpdp || s->fpcs || s->fpds);
}

/* Components that are not as after initialisation, MXCSR left aside (SDM 1 13.6). */
static uint64_t in_use(const struct x86_state *s)
{
    uint64_t used = x87_in_use(s) ? X86_XS_X87 : 0;
    for (unsigned n = 0; n < vectors(s); n++) {
        if (!all_zero(s->ymm[n], 16))
            used |= X86_XS_SSE;
        if (!all_zero(s->ymm[n] + 16, 16))
            used |= X86_XS_AVX;
    }
    return used;
}

/* The components that EDX:EAX asks for and XCR0 enables. False: #UD. */
static bool requested(struct nw_vcpu *vcpu, uint64_t *components)
{
    const struct x86_state *s = x86_of(vcpu);
    if (!(s->cr4 & CR4_OSXSAVE)) {
        x86_raise(vcpu, X86_UD, 0);
        return false;
    }
    *components = ((uint32_t)s->gpr[X86_RAX] | (uint64_t)(uint32_t)s->gpr[X86_RDX] << 32) & s->xcr0;
    return true;
}

/* The parts of the area that hold COMPONENTS; gives their number. */
static unsigned parts_of(const struct x86_state *s, uint64_t components, bool mxcsr,
                         struct x86_part *parts)
{
    unsigned n = 0;
    uint16_t size = (uint16_t)(16 * vectors(s));
    if (components & X86_XS_X87) {
        parts[n++] = (struct x86_part){0, AT_MXCSR};
        parts[n++] = (struct x86_part){AT_ST, AT_XMM - AT_ST};
    }
    if (mxcsr)
        parts[n++] = (struct x86_part){AT_MXCSR, 8};
    if (components & X86_XS_SSE)
        parts[n++] = (struct x86_part){AT_XMM, size};
    if (components & X86_XS_AVX)
        parts[n++] = (struct x86_part){AT_AVX, size};
    return n;
}

static void write_components(struct nw_vcpu *vcpu, bool wide, uint8_t *area)
{
    struct x86_state *s = x86_of(vcpu);
    write_x87(s, wide, area);
    write_mxcsr(vcpu, area);
    write_vectors(s, 0, area + AT_XMM);
    write_vectors(s, 1, area + AT_AVX);
}

uint64_t x86_xsave_area(struct nw_vcpu *vcpu, uint64_t addr, uint64_t how, uint64_t unused1,
                        uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    unsigned kind = how & X86_XS_KIND, header = kind == X86_XS_COMPACT ? 16 : 8, n;
    uint64_t wanted, used, format[2];
    struct x86_part parts[6];
    uint8_t area[X86_XSAVE_SIZE];

    if (!requested(vcpu, &wanted) || !aligned(vcpu, addr, 64) ||
        !x86_block_probe(vcpu, addr, 1, memop_of(how) | IR_MEM_RMW) ||
        !probe_end(vcpu, addr, wanted & X86_XS_AVX ? X86_XSAVE_SIZE : AT_AVX,
                   memop_of(how) | IR_MEM_RMW) ||
        !x86_block_load(vcpu, addr + AT_HEADER, format, 8, memop_of(how)))
        return 0;
    used = in_use(s);
    /* The other kinds save MXCSR whether SSE state is in use or not. */
    if (kind == X86_XS_COMPACT && x86_mxcsr_read(vcpu) != MXCSR_INIT)
        used |= X86_XS_SSE;
    used &= wanted;
    format[0] = kind == X86_XS_COMPACT ? used : (format[0] & ~wanted) | used;
    format[1] = wanted | COMPACTED;
    bool mxcsr = kind == X86_XS_COMPACT ? used & X86_XS_SSE : wanted & (X86_XS_SSE | X86_XS_AVX);
    n = parts_of(s, kind == X86_XS_PLAIN ? wanted : used, mxcsr, parts);
    write_components(vcpu, how & X86_XS_WIDE, area);
    memcpy(area + AT_HEADER, format, sizeof format);
    parts[n++] = (struct x86_part){AT_HEADER, (uint16_t)header};
    x86_block_store(vcpu, addr, area, parts, n, memop_of(how));
    return 0;
}

/* Is the header one that XRSTOR takes (SDM 1 13.8)? */
static bool good_header(const struct x86_state *s, const uint8_t *header)
{
    uint64_t used, format;
    memcpy(&used, header, 8);
    memcpy(&format, header + 8, 8);
    if (format & COMPACTED)
        return x86_model_has(s->model, X86_F_XSAVEC) && !(format & ~(COMPACTED | s->xcr0)) &&
               !(used & ~format) && all_zero(header + 16, HEADER_SIZE - 16);
    return !(used & ~s->xcr0) && all_zero(header + 8, HEADER_SIZE - 8);
}

static void read_components(struct nw_vcpu *vcpu, uint64_t wanted, bool wide, const uint8_t *area)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t used;
    memcpy(&used, area + AT_HEADER, 8);
    if (wanted & used & X86_XS_X87)
        read_x87(s, wide, area);
    else if (wanted & X86_XS_X87)
        init_x87(s);
    if (wanted & X86_XS_SSE)
        read_vectors(s, 0, used & X86_XS_SSE ? area + AT_XMM : NULL);
    if (wanted & X86_XS_AVX)
        read_vectors(s, 1, used & X86_XS_AVX ? area + AT_AVX : NULL);
}

/* Is MXCSR restored, and to what? The standard form has it in memory whether SSE state is in use or
 * not. */
static bool mxcsr_of(const uint8_t *area, uint64_t wanted, uint32_t *mxcsr)
{
    uint64_t used, format;
    memcpy(&used, area + AT_HEADER, 8);
    memcpy(&format, area + AT_HEADER + 8, 8);
    *mxcsr = read_mxcsr(area);
    if (!(format & COMPACTED))
        return wanted & (X86_XS_SSE | X86_XS_AVX);
    if (!(used & X86_XS_SSE))
        *mxcsr = MXCSR_INIT;
    return wanted & X86_XS_SSE;
}

uint64_t x86_xrstor_area(struct nw_vcpu *vcpu, uint64_t addr, uint64_t how, uint64_t unused1,
                         uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    uint32_t memop = memop_of(how), mxcsr;
    uint8_t area[X86_XSAVE_SIZE];
    struct x86_part parts[6];
    uint64_t wanted;

    if (!requested(vcpu, &wanted) || !aligned(vcpu, addr, 64) ||
        !x86_block_probe(vcpu, addr, 1, memop) ||
        !x86_block_load(vcpu, addr + AT_HEADER, area + AT_HEADER, HEADER_SIZE, memop))
        return 0;
    if (!good_header(s, area + AT_HEADER)) {
        x86_raise(vcpu, X86_GP, 0);
        return 0;
    }
    unsigned n = parts_of(s, wanted, wanted & (X86_XS_SSE | X86_XS_AVX), parts);
    for (unsigned part = 0; part < n; part++)
        if (!x86_block_load(vcpu, addr + parts[part].offset, area + parts[part].offset,
                            parts[part].size, memop))
            return 0;
    bool loads = mxcsr_of(area, wanted, &mxcsr);
    if (loads && mxcsr & ~X86_MXCSR_MASK) {
        x86_raise(vcpu, X86_GP, 0);
        return 0;
    }
    read_components(vcpu, wanted, how & X86_XS_WIDE, area);
    if (loads)
        x86_mxcsr_write(vcpu, mxcsr);
    return 0;
}
