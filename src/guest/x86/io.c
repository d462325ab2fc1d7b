#include "guest/x86/io.h"

#include "exec/engine.h"
#include "guest/x86/debug.h"
#include "guest/x86/front.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"
#include "ir/ir.h"
#include "mem/mem.h"

enum { TSS_IO_MAP = 0x66, TSS32_LEAST = 0x67, STRETCH = 64 };

/* The permission map of the task (SDM 1 19.5.2). */
static bool map_allows(struct nw_vcpu *vcpu, uint16_t port, unsigned size)
{
    const struct x86_segment *tr = &x86_of(vcpu)->seg[X86_TR];
    uint64_t offset, bits;

    if (!(tr->attr & 8) || tr->limit < TSS32_LEAST)
        return x86_fail(vcpu, X86_GP, 0);
    if (!x86_sys_read(vcpu, tr->base + TSS_IO_MAP, 2, &offset))
        return false;
    offset += port / 8;
    if (offset + 1 > tr->limit)
        return x86_fail(vcpu, X86_GP, 0);
    if (!x86_sys_read(vcpu, tr->base + offset, 2, &bits))
        return false;
    if (bits >> (port & 7) & ((1u << size) - 1))
        return x86_fail(vcpu, X86_GP, 0);
    return true;
}

static bool allowed(struct nw_vcpu *vcpu, uint16_t port, unsigned size)
{
    const struct x86_state *s = x86_of(vcpu);

    if (x86_is_user(vcpu))
        return io_mapped(vcpu, port, size) || x86_fail(vcpu, X86_GP, 0);
    if (!(s->mode & X86_KEY_PROT) || (x86_cpl(s) <= x86_iopl(s) && !(s->mode & X86_KEY_VM86)))
        return true;
    return map_allows(vcpu, port, size);
}

/* Nothing drives the bus of a bare CPU. */
static uint32_t port_read(struct nw_vcpu *vcpu, uint16_t port, unsigned size)
{
    if (x86_is_bare(vcpu) && !io_mapped(vcpu, port, size))
        return 0;
    return io_read(vcpu, port, size);
}

bool x86_io_in(struct nw_vcpu *vcpu, uint16_t port, unsigned size, uint32_t *value)
{
    if (!allowed(vcpu, port, size))
        return false;
    x86_debug_io(vcpu, port, size);
    *value = port_read(vcpu, port, size);
    return true;
}

bool x86_io_out(struct nw_vcpu *vcpu, uint16_t port, unsigned size, uint32_t value)
{
    if (!allowed(vcpu, port, size))
        return false;
    x86_debug_io(vcpu, port, size);
    io_write(vcpu, port, value, size);
    return true;
}

/* ---- strings ---- */

static uint64_t mask_of(unsigned bits)
{
    return UINT64_MAX >> (64 - bits);
}

static bool element_address(struct nw_vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size,
                            bool write, uint64_t *linear)
{
    const struct x86_state *s = x86_of(vcpu);
    const struct x86_segment *g = &s->seg[seg];

    if (s->mode & X86_KEY_CODE64) {
        *linear = offset + (seg == X86_FS || seg == X86_GS ? g->base : 0);
        return true;
    }
    if (!x86_segment_allows(g, offset, size, write, x86_real_or_vm86(s)))
        return x86_fail(vcpu, seg == X86_SS ? X86_SS_FAULT : X86_GP, 0);
    *linear = (uint32_t)(g->base + offset);
    return true;
}

static void advance(struct x86_state *s, const struct x86_io_string *io, unsigned reg, uint64_t by)
{
    uint64_t mask = mask_of(io->addr_bits), v = (s->gpr[reg] + by) & mask;

    s->gpr[reg] = io->addr_bits == 16 ? (s->gpr[reg] & ~mask) | v : v;
}

/* The destination is tried before the port is read, which cannot be undone. */
static bool in_element(struct nw_vcpu *vcpu, const struct x86_io_string *io, uint16_t port)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t offset = s->gpr[X86_RDI] & mask_of(io->addr_bits), linear;
    uint32_t memop = (uint32_t)__builtin_ctz(io->size) | IR_MEM_MMU(x86_mmu_of(s->mode));
    uint32_t value;

    if (!element_address(vcpu, X86_ES, offset, io->size, true, &linear))
        return false;
    if (!mem_probe(vcpu, linear, memop | IR_MEM_RMW))
        return false;
    x86_debug_io(vcpu, port, io->size);
    value = port_read(vcpu, port, io->size);
    bool stepping = vcpu->exec->stepping;
    vcpu->exec->stepping = true; /* the store may hit code: the block ends here anyway */
    bool ok = x86_cpl_write(vcpu, linear, io->size, x86_cpl(s), value);
    vcpu->exec->stepping = stepping;
    return ok;
}

static bool out_element(struct nw_vcpu *vcpu, const struct x86_io_string *io, uint16_t port)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t offset = s->gpr[X86_RSI] & mask_of(io->addr_bits), linear, value;

    if (!element_address(vcpu, io->seg, offset, io->size, false, &linear) ||
        !x86_cpl_read(vcpu, linear, io->size, x86_cpl(s), &value))
        return false;
    x86_debug_io(vcpu, port, io->size);
    io_write(vcpu, port, (uint32_t)value, io->size);
    return true;
}

bool x86_io_string(struct nw_vcpu *vcpu, const struct x86_io_string *io)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t by = s->eflags & X86_DF ? -(uint64_t)io->size : io->size;
    uint64_t count = io->rep ? s->gpr[X86_RCX] & mask_of(io->addr_bits) : 1;
    bool single = s->mode & X86_STEP_MODES;
    uint16_t port = (uint16_t)s->gpr[X86_RDX];

    if (!allowed(vcpu, port, io->size))
        return false;
    if (!count)
        return true;
    for (unsigned n = 0; n < (single ? 1 : STRETCH) && count; n++) {
        if (!(io->in ? in_element : out_element)(vcpu, io, port))
            return false;
        advance(s, io, io->in ? X86_RDI : X86_RSI, by);
        if (io->rep)
            advance(s, io, X86_RCX, UINT64_MAX);
        vcpu_keep(vcpu);
        count--;
        if (atomic_load_explicit(&vcpu->request, memory_order_relaxed))
            break;
    }
    return !count;
}
